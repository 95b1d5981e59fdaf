"""The Markdown of a report, read by the parser that GitHub uses."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import cmarkgfm
import pytest
from cmarkgfm.cmark import Options

from harness.hostile_texts import FORMULAS, MARKUP
from harness.sample_document import make_document, make_printed, with_hostile_names
from roost import escaping
from roost.insights.reports.document import Document, Items, Link, Paragraph, Section
from roost.insights.reports.forms.markdown import render_markdown
from roost.insights.reports.forms.texts import list_printed

WORD_JOINER = "\u2060"


class Page(HTMLParser):
    """The tags of a page, its links, and the texts of its cells, paragraphs and items."""

    def __init__(self, markdown: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[tuple[str, str]] = []
        self.texts: list[str] = []
        self.feed(cmarkgfm.github_flavored_markdown_to_html(markdown, Options.CMARK_OPT_UNSAFE))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        values = dict(attrs)
        if "href" in values:
            self.links.append((values["href"] or "", values.get("title") or ""))
        if tag in ("td", "th", "p", "li", "h1", "h2", "h3"):
            self.texts.append("")

    def handle_data(self, data: str) -> None:
        if self.texts:
            self.texts[-1] += data.replace(WORD_JOINER, "")


def show(text: str) -> str:
    return escaping.one_line(text).replace(WORD_JOINER, "").strip()


def test_markdown_has_a_reference_for_each_number() -> None:
    document = make_document()
    page = Page(render_markdown(document))
    numbers = list(list_printed(document, on_pages=True))
    titles = [title for url, title in page.links if url == "#glossary"]
    assert titles == [
        f"{each.key} = {'' if each.value is None else each.value}" for each in numbers
    ]
    assert titles[0] == "account.17/gained.impressions@current = 48210"


def test_markdown_writes_numbers_as_references() -> None:
    lines = render_markdown(make_document()).splitlines()
    assert "- **Spent**: [$12.35][f8]" in lines
    assert '[f8]: #glossary "account.17/spent.total@current = 12.345"' in lines
    assert '<a id="glossary"></a>' in lines


def test_markdown_aligns_the_columns_of_tables() -> None:
    lines = render_markdown(make_document()).splitlines()
    start = lines.index("| Day        |    Followers |")
    assert lines[start : start + 3] == [
        "| Day        |    Followers |",
        "| ---------- | -----------: |",
        "| 1 November | [2,000][f10] |",
    ]


def test_markdown_shows_the_blocks_of_a_document() -> None:
    page = Page(render_markdown(make_document()))
    assert page.tags.count("table") == 3
    assert page.tags.count("tr") == 1 + 5 + 1 + 25 + 1 + 3
    assert page.tags.count("blockquote") == 1
    assert "img" not in page.tags
    assert "The spreadsheet has the other posts.\n" in page.texts


def test_markdown_numbers_items_that_have_an_order() -> None:
    items = Items((("Reply first",), ("Then post",)), is_numbered=True)
    document = make_document()
    section = Section("steps", "Next steps", (items,))
    shown = render_markdown(replace(document, sections=(section, *document.sections)))
    assert "1. Reply first\n2. Then post\n" in shown


@pytest.mark.parametrize("text", MARKUP + FORMULAS)
def test_markdown_shows_a_text_of_a_post_as_it_is(text: str) -> None:
    plain = Page(render_markdown(_with_text("harmless")))
    page = Page(render_markdown(_with_text(text)))
    assert page.tags == plain.tags
    assert page.links == plain.links
    shown = [each.strip() for each in page.texts]
    assert shown.count(show(text)) >= len([x for x in plain.texts if x.strip() == "harmless"])


def test_markdown_leaves_out_an_address_that_is_no_web_page() -> None:
    link = Link("a post", "javascript:alert(1)")
    document = make_document(posts=0)
    section = Section("links", "Links", (Paragraph((link, " by larkbooks")),))
    page = Page(render_markdown(replace(document, sections=(section, *document.sections))))
    assert "a post by larkbooks\n" in page.texts
    assert not [url for url, _ in page.links if url.startswith("javascript")]


def test_markdown_keeps_a_key_with_quotes_and_backslashes() -> None:
    number = make_printed('posts."quoted"\\', 3, "3")
    document = make_document(posts=0)
    section = Section("keys", "Keys", (Paragraph((number,)),))
    page = Page(render_markdown(replace(document, sections=(section, *document.sections))))
    assert page.links[0] == ("#glossary", 'account.17/posts."quoted"\\@current = 3')
    assert not re.search(r"\[f\d+\]", " ".join(page.texts))


def _with_text(text: str) -> Document:
    return with_hostile_names(make_document(posts=1, texts=(text,)), text)
