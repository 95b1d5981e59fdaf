"""The PDF of a report, read back by pypdf and pypdfium2."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pypdfium2
import pytest
from PIL import Image
from pypdf import PdfReader

from harness.sample_document import POST_TEXTS, SVG, make_document, make_printed
from roost.insights.reports.document import Brand, Document, Logo, Paragraph
from roost.insights.reports.forms.pdf import ReportNotLaidOut, render_pdf
from roost.insights.reports.forms.texts import list_printed

SVGS = {"account-17-followers": SVG}
HIEROGLYPH = "\U00013080"


def read(content: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(content))


def read_root(content: bytes) -> Any:
    return read(content).trailer["/Root"]


def read_figures(content: bytes) -> list[list[str]]:
    (attached,) = read(content).attachments["figures.csv"]
    return list(csv.reader(io.StringIO(attached.decode())))


def list_links(content: bytes) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, page in enumerate(read(content).pages):
        for each in page.get("/Annots", []):
            yield number, each.get_object()


def read_linked_texts(content: bytes) -> Iterator[tuple[str, str]]:
    """Yield the text on the page below each link into the glossary, and the destination."""
    document = pypdfium2.PdfDocument(content)
    for page, link in list_links(content):
        target = link.get("/Dest")
        if isinstance(target, str) and target.startswith(("definition-", "no-definition")):
            left, bottom, right, top = map(float, link["/Rect"])
            text_page = document[page].get_textpage()
            yield text_page.get_text_bounded(left, bottom, right, top).strip(), target


def read_text(content: bytes) -> str:
    pages = pypdfium2.PdfDocument(content)
    return "\n".join(page.get_textpage().get_text_bounded() for page in pages)


def find_alternatives(node: Any) -> Iterator[str]:
    node = node.get_object()
    if isinstance(node, list):
        for each in node:
            yield from find_alternatives(each)
    elif isinstance(node, dict):
        if "/Alt" in node:
            yield node["/Alt"]
        yield from find_alternatives(node["/K"]) if "/K" in node else ()


def with_paragraph(document: Document, paragraph: Paragraph) -> Document:
    first, *others = document.sections
    return replace(document, sections=(replace(first, blocks=(paragraph, *first.blocks)), *others))


def test_pdf_has_a_row_of_figures_for_each_link_in_the_same_order() -> None:
    document = make_document()
    content = render_pdf(document, SVGS)
    header, *rows = read_figures(content)
    assert header == ["key", "printed", "value"]
    shown = [text.replace("\u00a0", " ") for text, _ in read_linked_texts(content)]
    assert shown == [row[1] for row in rows]
    assert [row[0] for row in rows] == [each.key for each in list_printed(document, on_pages=True)]
    assert ["account.17/spent.total@current", "$12.35", "12.345"] in rows
    assert ["account.17/gained.link_clicks@current", "–", ""] in rows


def test_pdf_links_a_number_to_the_entry_of_its_definition() -> None:
    content = render_pdf(make_document(), SVGS)
    targets = dict(read_linked_texts(content))
    assert targets["48,210"] == "definition-gained.impressions"
    assert targets["2,000"] == "no-definition"
    places = read(content).named_destinations
    assert {"definition-gained.impressions", "no-definition"} <= set(places)


def test_pdf_keeps_the_order_of_numbers_between_words_from_right_to_left() -> None:
    numbers = [make_printed(f"number.{value}", value, str(value)) for value in (71, 82, 93)]
    first, second, third = numbers
    text = ("חנות ", first, " ספרים ", second, " שלום ", third, " סוף")
    content = render_pdf(with_paragraph(make_document(), Paragraph(text)), SVGS)
    assert [shown for shown, _ in read_linked_texts(content)][:3] == ["71", "82", "93"]
    assert [row[2] for row in read_figures(content)[1:4]] == ["71", "82", "93"]


def test_pdf_is_tagged_for_readers_who_cannot_see_it() -> None:
    content = render_pdf(make_document(), SVGS)
    root = read_root(content)
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en"
    assert b"pdfuaid:part>1<" in root["/Metadata"].get_data()
    assert "The number of followers grew on most days." in list(
        find_alternatives(root["/StructTreeRoot"]["/K"])
    )


def test_pdf_is_tagged_if_no_font_has_a_character() -> None:
    document = make_document(texts=(f"An eye: {HIEROGLYPH}",))
    root = read_root(render_pdf(document, SVGS))
    assert root["/MarkInfo"]["/Marked"]
    assert b"pdfuaid" not in root["/Metadata"].get_data()


def test_pdf_has_title_contents_and_bookmarks() -> None:
    content = render_pdf(make_document(), SVGS)
    reader = read(content)
    assert reader.metadata is not None
    assert reader.metadata.title == "Monthly report"
    bookmarks: list[Any] = [each for each in reader.outline if not isinstance(each, list)]
    assert [each["/Title"] for each in bookmarks] == ["Summary", "@larkbooks", "Glossary"]
    first = pypdfium2.PdfDocument(content)[0].get_textpage().get_text_bounded()
    assert f"1 / {len(reader.pages)}" in first
    assert "section-glossary" in reader.named_destinations


def test_pdf_repeats_the_header_of_a_table_on_each_page() -> None:
    pages = pypdfium2.PdfDocument(render_pdf(make_document(), SVGS))
    texts = [page.get_textpage().get_text_bounded() for page in pages]
    with_posts = [text for text in texts if "Nov, " in text]
    assert len(with_posts) == 2
    assert all("Published Post Impressions" in text for text in with_posts)


def test_pdf_shows_texts_of_every_script_and_hides_further_rows() -> None:
    content = render_pdf(make_document(), SVGS)
    shown = read_text(content)
    assert "新しい本が入りました" in shown
    assert "오늘의 추천" in shown
    assert "📚" in shown
    assert "The spreadsheet has the other posts." in shown
    assert len(re.findall("usual 900|900 usual", shown)) == 25


@pytest.mark.parametrize(
    "text",
    ["#panic(1)", "*bold* _it_ `raw`", "$x^2$ \\ #sys.inputs", "= Heading", "@larkbooks <label>"],
)
def test_pdf_shows_markup_of_a_post_as_text(text: str) -> None:
    content = render_pdf(make_document(posts=1, texts=(text,)), SVGS)
    assert text in read_text(content)
    urls = [link["/A"]["/URI"] for _, link in list_links(content) if "/A" in link]
    assert set(urls) == {"https://x.com/i/web/status/0", "https://x.com/i/web/status/17"}


def test_pdf_leaves_out_a_chart_that_was_not_drawn() -> None:
    assert "Followers by day" in read_text(render_pdf(make_document(), SVGS))
    assert "Followers by day" not in read_text(render_pdf(make_document(), {}))


def test_pdf_darkens_an_accent_that_is_too_light_to_read() -> None:
    content = render_pdf(make_document(brand=Brand(accent="#ffe14d")), SVGS)
    page = pypdfium2.PdfDocument(content)[0].render(scale=2).to_pil().convert("RGB")
    counts = page.getcolors(page.width * page.height)
    assert counts is not None
    red, green, blue = max(
        (count, color) for count, color in counts if max(color) - min(color) > 60
    )[1]
    assert (red, green, blue) != (0xFF, 0xE1, 0x4D)
    assert red < 0x90
    assert red > green > blue


def test_pdf_shows_the_logo_with_its_alternative() -> None:
    picture = io.BytesIO()
    Image.new("RGB", (60, 20), "#d0021b").save(picture, "PNG")
    brand = Brand(logo=Logo(picture.getvalue(), "image/png"), cover_note="Dear client,\n\nhello.")
    content = render_pdf(make_document(brand=brand), SVGS)
    page = pypdfium2.PdfDocument(content)[0].render().to_pil().convert("RGB")
    assert page.getpixel((70, 70)) == (0xD0, 0x02, 0x1B)
    alternatives = list(find_alternatives(read_root(content)["/StructTreeRoot"]["/K"]))
    assert alternatives[0] == "Monthly report"
    assert "Dear client," in read_text(content)


def test_pdf_names_a_layout_that_failed() -> None:
    brand = Brand(logo=Logo(b"not a picture", "image/png"))
    with pytest.raises(ReportNotLaidOut, match="The layout of the PDF failed"):
        render_pdf(make_document(brand=brand), SVGS)


def test_pdf_has_the_same_bytes_each_time() -> None:
    document = make_document(texts=POST_TEXTS)
    assert render_pdf(document, SVGS) == render_pdf(document, SVGS)


def test_pdf_of_a_document_with_only_a_glossary() -> None:
    document = make_document()
    only = replace(document, sections=document.sections[-1:], language="pt-BR")
    root = read_root(render_pdf(only, {}))
    assert root["/Lang"] == "pt-BR"


def test_pdf_draws_the_letters_of_every_script_in_charts() -> None:
    texts = ("新しい本", "오늘의 책", "ספרים", "كتب جديدة", "किताबें", "หนังสือ")
    rows = "".join(
        f'<text x="9" y="{20 + 24 * row}" font-family="sans-serif" fill="#333">{text}</text>'
        for row, text in enumerate(texts)
    )
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 440 160">{rows}</svg>'
    document = make_document(texts=("A post in Latin letters",))
    content = render_pdf(document, {"account-17-followers": svg})
    shown = read_text(content)
    assert [text for text in ("新しい本", "오늘의 책", "หนังสือ") if text not in shown] == []
    # PDF/UA-1 requires the letters of every glyph, which typst has not for texts of an SVG.
    assert b"pdfuaid:part>1<" in read_root(content)["/Metadata"].get_data()


def test_pdf_places_the_texts_of_a_chart_where_the_chart_has_them() -> None:
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 440 160">'
        '<rect x="100" y="80" width="60" height="20" fill="#ff0000"/>'
        '<g transform="translate(50,40)"><text transform="translate(80, 60)" text-anchor="middle"'
        ' font-size="12px" fill="#0000ff">本本本</text></g></svg>'
    )
    document = make_document(texts=("A post in Latin letters",))
    pages = pypdfium2.PdfDocument(render_pdf(document, {"account-17-followers": svg}))
    picture = pages[1].render(scale=2).to_pil().convert("RGB")
    points = [(x, y) for x in range(picture.width) for y in range(picture.height)]
    colors = {point: picture.getpixel(point) for point in points}
    box = [point for point, color in colors.items() if color == (255, 0, 0)]
    letters = [point for point, color in colors.items() if color == (0, 0, 255)]
    assert letters
    centers = [sum(x for x, _ in each) / len(each) for each in (box, letters)]
    assert centers[0] == pytest.approx(centers[1], abs=4)
    assert min(y for _, y in box) <= min(y for _, y in letters)
    assert max(y for _, y in letters) <= max(y for _, y in box) + 4
