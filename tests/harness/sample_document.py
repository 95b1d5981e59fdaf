"""A report's document with every kind of block and several scripts, made by hand."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from roost.insights.reports.document import (
    Align,
    Brand,
    Chart,
    Column,
    Document,
    Items,
    Link,
    Moment,
    Paragraph,
    Printed,
    Section,
    Table,
    Text,
    Tile,
    Tiles,
    Tone,
)
from roost.insights.reports.figures import Number, Quality, Unit

BEGIN = datetime(2026, 11, 1, 9, 30, tzinfo=UTC)
POST_TEXTS = (
    "We open the bakery at half past seven, with warm croissants and a new rye bread.",
    "新しい本が入りました。今週末のおすすめは三冊です。",
    "오늘의 추천 도서를 소개합니다 📚✨",
    "ספרים חדשים הגיעו לחנות השבוע",
    "وصلت كتب جديدة إلى المتجر هذا الأسبوع",
    "A *very* [loud](https://example.com/a_b?c=d) post | with <b>everything</b> # in & it",
    "https://example.com/catalogue/autumn/2026/long-address-without-a-place-to-break.html",
)
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 440 160" width="440" height="160">'
    '<path d="M10 140L140 90L280 100L430 20" stroke="#0f766e" stroke-width="2" fill="none"/>'
    '<text x="10" y="20" font-family="sans-serif" font-size="13">本 Followers</text></svg>'
)


def make_printed(
    key: str,
    value: Number | None,
    text: str,
    *,
    unit: Unit = Unit.COUNT,
    name: str = "",
) -> Printed:
    """Return a printed number of the account 17."""
    quality = Quality.MISSING if value is None else Quality.MEASURED
    return Printed(f"account.17/{key}@current", text, value, unit, quality, name)


def make_document(
    *, posts: int = 40, texts: Sequence[str] = POST_TEXTS, brand: Brand | None = None
) -> Document:
    """Return a document about one account; the texts are those of its posts, in turn."""
    impressions = make_printed("gained.impressions", 48210, "48,210", name="gained.impressions")
    rate = make_printed(
        "gained.rate_by_impressions",
        0.0603921,
        "6.0 %",
        unit=Unit.SHARE,
        name="gained.rate_by_impressions",
    )
    change = make_printed("gained.impressions.change", 0.12, "+12.0 %", unit=Unit.SHARE)
    return Document(
        language="en",
        title="Monthly report",
        subtitle="1 to 30 November 2026 · @larkbooks · 本屋ひばり",
        made="Made on 1 December 2026 at 08:00 by Roost.",
        contents_title="Contents",
        brand=brand or Brand(),
        sections=(
            Section(
                "summary",
                "Summary",
                (
                    Paragraph(
                        (
                            "Posts gained ",
                            impressions,
                            " impressions, ",
                            change,
                            " more than in October. The engagement rate was ",
                            rate,
                            ".",
                        )
                    ),
                    Paragraph(("The last day is not over.",), Tone.NOTE),
                    Paragraph(("Two days were not measured.",), Tone.WARNING),
                    Tiles(
                        (
                            Tile("Impressions", impressions, (change, " vs October"), Tone.GOOD),
                            Tile("Engagement rate", rate, ()),
                            Tile(
                                "Link clicks",
                                make_printed("gained.link_clicks", None, "–"),
                                ("not known",),
                            ),
                            Tile(
                                "Spent",
                                make_printed(
                                    "spent.total",
                                    Decimal("12.345"),
                                    "$12.35",
                                    unit=Unit.DOLLARS,
                                    name="spent.total",
                                ),
                                (),
                            ),
                        )
                    ),
                    Items(
                        (
                            ("Publish in the morning: ", rate, " of readers interact then."),
                            ("Reply to ", Link("this post", "https://x.com/i/web/status/17"), "."),
                        ),
                    ),
                ),
            ),
            Section(
                "account-17",
                "@larkbooks",
                (Paragraph(("An account with books in five scripts.",)),),
                (
                    Section(
                        "account-17-followers",
                        "Followers",
                        (
                            Chart(
                                "account-17-followers",
                                "Followers by day",
                                "The number of followers grew on most days.",
                                {},
                            ),
                            _make_days(),
                        ),
                    ),
                    Section("account-17-posts", "Posts", (_make_posts(posts, texts),)),
                ),
            ),
            _make_glossary(),
        ),
    )


def _make_days() -> Table:
    rows: list[tuple[Text, ...]] = []
    for number in range(5):
        on = date(2026, 11, 1) + timedelta(days=number)
        count = make_printed(f"followers.{on}", 2000 + number, f"{2000 + number:,}")
        rows.append(((Moment(f"{on:%-d %B}", on),), (count,)))
    return Table(
        "account-17-days",
        "Followers at the end of the day",
        (Column("Day"), Column("Followers", Align.END)),
        tuple(rows),
    )


def _make_posts(posts: int, texts: Sequence[str]) -> Table:
    rows: list[tuple[Text, ...]] = []
    for number in range(posts):
        at = BEGIN + timedelta(hours=number)
        shown, share = 1000 + number * 37, 0.031 + number / 10_000
        rows.append(
            (
                (Moment(f"{at:%-d %b, %H:%M}", at),),
                (Link(texts[number % len(texts)], f"https://x.com/i/web/status/{number}"),),
                (make_printed(f"post.{number}.impressions", shown, f"{shown:,}"),),
                (make_printed(f"post.{number}.rate", share, f"{share:.1%}", unit=Unit.SHARE),),
                (make_printed(f"post.{number}.link_clicks", None, "–"),),
                ("usual ", make_printed(f"post.{number}.usual", 900, "900")),
            )
        )
    return Table(
        "account-17-posts",
        "All posts",
        (
            Column("Published"),
            Column("Post", is_wide=True),
            Column("Impressions", Align.END),
            Column("Engagement rate", Align.END),
            Column("Link clicks", Align.END),
            Column("Usual", Align.END),
        ),
        tuple(rows),
        shown_rows=25,
        omitted="The spreadsheet has the other posts.",
    )


def _make_glossary() -> Section:
    definitions = {
        "gained.impressions": ("Impressions gained", "How often X showed posts in the period."),
        "gained.rate_by_impressions": (
            "Engagement rate of gains, by impressions",
            "The engagements gained divided by the impressions gained.",
        ),
        "spent.total": ("Spent", "What X billed in the period."),
    }
    table = Table(
        "glossary",
        "Definitions",
        (Column("Figure"), Column("Definition", is_wide=True)),
        tuple(((title,), (sentence,)) for title, sentence in definitions.values()),
        row_names=tuple(definitions),
    )
    intro = Paragraph(("Each number of this report has an exact definition.",))
    return Section("glossary", "Glossary", (intro, table))


def with_hostile_names(document: Document, payload: str) -> Document:
    """Return the document with a payload in every title, caption, name and text of a cell."""
    table = Table(
        payload,
        payload,
        (Column(payload), Column(payload, Align.END), Column("Text")),
        (
            (
                (payload,),
                (make_printed("payload", 5, "5"),),
                (Link(payload, "javascript:alert(1)"),),
            ),
        ),
        omitted=payload,
    )
    section = Section("hostile", payload, (Paragraph((payload,)), table))
    return replace(
        document,
        title=payload,
        subtitle=payload,
        made=payload,
        contents_title=payload,
        brand=replace(document.brand, cover_note=payload.replace("\n\n", "\n"), title=payload),
        sections=(*document.sections[:-1], section, document.sections[-1]),
    )
