"""The report as a page: self-contained, safe, small, and every number with its key."""

import base64
import hashlib
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser

import pytest

from harness.report_sample import make_sample
from roost.insights.reports.content.build import build_document
from roost.insights.reports.document import (
    Align,
    Brand,
    Column,
    Document,
    Link,
    Logo,
    Paragraph,
    Printed,
    Section,
    Table,
)
from roost.insights.reports.figures import Quality, Unit
from roost.insights.reports.forms.html import render_html
from roost.insights.reports.words import load_words

HOSTILE = "<script>alert('x')</script><img src=x onerror=alert(1)>"
HEBREW = "ספרים חדשים"


@dataclass
class Page(HTMLParser):
    """The tags, attributes, texts and keyed numbers of a page."""

    tags: list[str] = field(default_factory=list)
    attributes: list[tuple[str, str, str]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    figures: list[tuple[str, str, str]] = field(default_factory=list)
    """The key, the raw value and the text of each number."""

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        named = dict(attrs)
        if tag == "data" and named["class"] == "figure":
            self.figures.append((named["data-key"] or "", named["value"] or "", ""))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)
        if self.tags and self.tags[-1] == "data" and not self.figures[-1][2]:
            self.figures[-1] = (*self.figures[-1][:2], data)

    def values(self, name: str) -> list[str]:
        return [value for _, attribute, value in self.attributes if attribute == name]


def parse(html: str) -> Page:
    page = Page()
    page.feed(html)
    return page


@pytest.fixture(scope="module")
def html() -> str:
    brand = Brand(title=f"Lark {HOSTILE}", cover_note=f"{HOSTILE}\n\nSecond", accent="#ffcc00")
    return render_html(build_document(make_sample(), load_words("en"), brand=brand))


def document(*blocks: Paragraph | Table, **changes: object) -> Document:
    made = Document(
        "en", "Title", "Subtitle", "Made today.", "Contents", Brand(),
        (Section("one", "One", blocks),),
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


def printed(text: str, value: float | None) -> Printed:
    quality = Quality.MISSING if value is None else Quality.MEASURED
    return Printed(f"account.1/{text}@current", text, value, Unit.COUNT, quality, "posts")


def test_page_loads_nothing_from_a_network(html: str) -> None:
    page = parse(html)
    loading = {"link", "iframe", "object", "embed", "base", "form", "audio", "video", "image"}
    assert not loading & set(page.tags)
    assert page.values("src") == []
    links = [value for tag, name, value in page.attributes if (tag, name) == ("a", "href")]
    assert {link.partition("18")[0] for link in links if not link.startswith("#")} == {
        "https://x.com/i/web/status/"
    }


def test_page_allows_only_its_own_style_and_script(html: str) -> None:
    page = parse(html)
    (policy,) = [value for value in page.values("content") if value.startswith("default-src")]
    for tag in ("style", "script"):
        content = html.partition(f"<{tag}>")[2].partition(f"</{tag}>")[0]
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    assert page.values("style") == []


def test_page_escapes_texts(html: str) -> None:
    page = parse(html)
    assert page.tags.count("script") == 1
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    assert any(HOSTILE in text for text in page.texts)


def test_page_has_each_id_once(html: str) -> None:
    page = parse(html)
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    targets = {value[1:] for value in page.values("href") if value.startswith("#")}
    assert targets <= set(ids)


def test_page_shows_every_chart_with_a_label_and_its_marks(html: str) -> None:
    labels = parse(html).values("aria-label")
    assert "Line chart of the number of followers at the end of each day." in labels
    assert "14 May 2026: −912" in labels
    assert "6 May 2026: not measured" in labels


def test_page_has_at_most_400_kb__1000_posts_in_a_month() -> None:
    report = make_sample(posts_per_day=34)
    assert len(report.subjects[-1].posts) == 1020
    page = render_html(build_document(report, load_words("de")))
    assert len(page.encode()) <= 400_000


def test_numbers_have_their_key_and_value_in_full_precision() -> None:
    numbers = (printed("1,234.5", 1234.5678901234567), printed("–", None))
    page = parse(render_html(document(Paragraph((numbers[0], " of ", numbers[1])))))
    assert page.figures == [
        ("account.1/1,234.5@current", "1234.5678901234567", "1,234.5"),
        ("account.1/–@current", "", "–"),
    ]


def test_every_number_of_the_report_is_known(html: str) -> None:
    report = make_sample()
    figures = parse(html).figures
    assert len(figures) > 500
    for key, raw, _ in figures:
        value = report.figures[key].value
        assert raw == ("" if value is None else str(value))


def test_table_shows_some_rows_and_says_how_many_are_left_out() -> None:
    rows = tuple(((f"row {n}",), (printed(str(n), n),)) for n in range(5))
    columns = (Column("Row"), Column("Number", Align.END))
    table = Table("t", "Caption", columns, rows, shown_rows=2, omitted="More rows are in the file.")
    page = parse(render_html(document(table)))
    assert [text for _, _, text in page.figures] == ["0", "1"]
    assert "More rows are in the file." in page.texts


def test_links_open_only_web_addresses() -> None:
    links = (Link("good", "https://x.com/1"), " ", Link("bad", "javascript:alert(1)"))
    page = parse(render_html(document(Paragraph(links))))
    assert [value for value in page.values("href") if not value.startswith("#")] == [
        "https://x.com/1"
    ]
    assert "bad" in "".join(page.texts)


def test_right_to_left_texts_are_isolated() -> None:
    text = Paragraph(("Best post: ", Link(HEBREW, "https://x.com/1"), ", ", printed("7", 7)))
    table = Table("t", "Caption", (Column("Text"),), (((HEBREW,),),))
    html = render_html(document(text, table))
    assert f"<bdi>{HEBREW}</bdi></a>" in html
    assert f'<td dir="auto">{HEBREW}</td>' in html


def test_brand_has_logo_and_cover_note() -> None:
    logo = Logo(b"picture", "image/png")
    page = parse(render_html(document(brand=Brand(cover_note="One\n\nTwo", logo=logo))))
    assert page.values("src") == [f"data:image/png;base64,{base64.b64encode(b'picture').decode()}"]
    assert {"One", "Two"} <= set(page.texts)


def test_accent_that_is_no_colour_is_refused() -> None:
    with pytest.raises(ValueError, match="not a colour"):
        render_html(document(brand=Brand(accent="red;}body{display:none")))
