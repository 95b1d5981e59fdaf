"""The document of a report has every section, and every number in it is a figure of the report."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from harness.report_documents import (
    find_tables,
    make_empty_report,
    make_full_report,
    make_report_without_posts,
    walk,
    write_plain,
)
from harness.report_sample import make_sample
from roost.insights.reports.compute import without_costs
from roost.insights.reports.content import build_document
from roost.insights.reports.document import (
    Brand,
    Chart,
    Document,
    Items,
    Link,
    Moment,
    Paragraph,
    Printed,
    Section,
    Table,
    Tiles,
    Tone,
)
from roost.insights.reports.figures import Notion, Quality
from roost.insights.reports.model import Report, SubjectReport
from roost.insights.reports.words import list_languages, load_words, plain_text
from roost.models import Spending

LANGUAGES = list_languages()


@pytest.fixture(scope="module")
def report() -> Report:
    return make_full_report()


@pytest.fixture(scope="module")
def document(report: Report) -> Document:
    return build_document(report, load_words("en"))


def find_section(document: Document, name: str) -> Section:
    (found,) = (
        each for each in walk(document.sections) if isinstance(each, Section) and each.name == name
    )
    return found


def make_account_document(*spending: Spending) -> Document:
    """Return the document of a tenant with one account, and with spending of no account."""
    return build_document(make_sample(other_spending=spending), load_words("en"))


def items_of(document: Document, name: str) -> list[str]:
    """Return the items of the lists of a section as plain text."""
    section = find_section(document, name)
    lists = [each for each in section.blocks if isinstance(each, Items)]
    return [plain_text(item) for each in lists for item in each.items]


def row_of(table: Table, title: str) -> dict[str, str]:
    """Return the row with a title in its first column, by the titles of the columns."""
    (row,) = (row for row in table.rows if plain_text(row[0]) == title)
    return {column.title: plain_text(cell) for column, cell in zip(table.columns, row, strict=True)}


def fixed_words(content: Any) -> Iterator[str]:
    """Yield the texts of a document, without numbers, dates and times, texts of posts and names.

    The ends of intervals are left out as well.
    """
    match content:
        case str():
            yield content
        case Printed() | Moment() | Link():
            return
        case Table():
            yield from fixed_words((content.caption, content.omitted, content.columns))
            interval = load_words("en").say("column.interval")
            for row in content.rows:
                for column, cell in zip(content.columns, row, strict=True):
                    yield from () if column.title == interval else fixed_words(cell)
        case Section():
            yield from fixed_words((content.title, content.blocks, content.sections))
        case Chart():
            yield from fixed_words((content.title, content.description))
        case tuple():
            for each in content:
                yield from fixed_words(each)
        case _:
            for name in getattr(type(content), "__dataclass_fields__", ()):
                yield from fixed_words(getattr(content, name))


def test_every_digit_is_in_a_figure(document: Document) -> None:
    texts = list(fixed_words(document.sections))
    assert "Posts published in the period" in texts
    assert [text for text in texts if any(each.isdigit() for each in text)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_printed_number_is_a_figure_of_the_report(report: Report, language: str) -> None:
    document = build_document(report, load_words(language))
    printed = [each for each in walk(document.sections) if isinstance(each, Printed)]
    assert len(printed) > 1000
    for each in printed:
        figure = report.figures[each.key]
        expected = (figure.value, figure.unit, figure.quality, figure.name)
        assert (each.value, each.unit, each.quality, each.name) == expected


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_key_is_visible(report: Report, language: str) -> None:
    content = write_plain(build_document(report, load_words(language)))
    assert [key for key in report.figures if key in content] == []
    assert "@current" not in content
    assert "{" not in content


def test_names_of_sections_and_tables_are_unique(document: Document) -> None:
    names = [each.name for each in walk(document.sections) if isinstance(each, Section | Table)]
    names.remove("glossary")  # the section and its table
    for kind in (Section, Table):
        of_kind = [each.name for each in walk(document.sections) if isinstance(each, kind)]
        assert len(set(of_kind)) == len(of_kind)
    assert {"tenant", "group-books", "account-1", "account-2-posts", "glossary"} <= set(names)


def test_rows_have_a_cell_per_column(document: Document) -> None:
    for table in find_tables(document).values():
        assert {len(row) for row in table.rows} <= {len(table.columns)}, table.name


def test_document_names_period_accounts_and_time(document: Document) -> None:
    assert document.title == "Performance on X: Lark & Hill"
    assert document.subtitle == "1 to 31 May 2026 · @larkbooks, @hillcafe"
    assert document.made == "Made on 31 May 2026, 14:00 (Europe/Berlin) by Roost."
    assert [each.title for each in document.sections] == [
        "All accounts of Lark & Hill",
        "Accounts of the group Books",
        "Larkbooks (@larkbooks)",
        "Hillcafe (@hillcafe)",
        "Definitions",
    ]


def test_brand_replaces_the_title(report: Report) -> None:
    brand = Brand(title="May at the bookshop")
    document = build_document(report, load_words("en"), brand=brand)
    assert (document.title, document.brand) == ("May at the bookshop", brand)


def test_narratives_come_first(report: Report) -> None:
    sentence = ("Impressions fell.",)
    document = build_document(report, load_words("en"), narratives={"account.1": (sentence,)})
    first = {each.name: each.blocks[0] for each in document.sections}
    assert first["account-1"].text == sentence  # type: ignore[union-attr]
    # An account without a narrative has the sentences of the language file.
    assert isinstance(first["account-2"], Paragraph)
    assert first["account-2"].text[0] == "Posts of any age gained "


def test_gained_and_published_are_in_tables_of_their_own(
    report: Report, document: Document
) -> None:
    notions = {each.name: each.notion for each in report.glossary}
    for part, notion in (("gained", Notion.GAINED), ("published", Notion.PUBLISHED)):
        table = find_tables(document)[f"account-1-{part}"]
        found = {notions[each.name] for each in walk(table.rows) if isinstance(each, Printed)}
        assert found == {notion}


def test_figure_is_beside_those_of_the_earlier_periods(report: Report, document: Document) -> None:
    figure = report.subjects[2].figures["gained.impressions"]
    assert figure.previous is not None
    row = row_of(find_tables(document)["account-1-gained"], "Impressions gained")
    assert row["Value"] == f"{figure.current.value:,}"
    assert row["Period before"] == f"{figure.previous.earlier.value:,}"
    change = figure.previous.change.value
    assert change is not None
    assert row["Change"] == f"{change:+.1%}".replace("-", "−")
    assert {"Compared days", "Year before", "Change in a year"} <= set(row)


def test_note_of_a_rate_states_how_it_is_calculated(document: Document) -> None:
    table = find_tables(document)["account-1-published"]
    row = row_of(table, "Engagement rate of published posts, by followers")
    assert row["Note"] == "Mean engagements of a post per follower."


def test_means_are_beside_medians(document: Document) -> None:
    table = find_tables(document)["account-1-per-post"]
    assert [each.title for each in table.columns] == [
        "Metric",
        *("Mean", "Mean before", "Change of mean"),
        *("Median", "Median before", "Change of median"),
    ]


def test_coverage_says_what_was_not_measured(document: Document) -> None:
    content = write_plain(replace(document, sections=(find_section(document, "tenant"),)))
    assert "Days measured completely: 28 of 30 that are over." in content
    assert "Not measured completely: 10 to 11 May 2026." in content
    assert "Not over, or not fully measured yet: 31 May 2026." in content
    blocks = find_section(document, "tenant-coverage").blocks
    warnings = [
        plain_text(each.text)
        for each in blocks
        if isinstance(each, Paragraph) and each.tone is Tone.WARNING
    ]
    assert [each.partition(":")[0] for each in warnings] == ["Not measured completely"]


def test_incomplete_figure_has_a_note(report: Report) -> None:
    account = report.subjects[2]
    figure = account.figures["gained.impressions"]
    partial = replace(figure, current=replace(figure.current, quality=Quality.PARTIAL))
    changed = replace(account, figures={**account.figures, "gained.impressions": partial})
    document = build_document(with_subject(report, changed), load_words("en"))
    row = row_of(find_tables(document)["account-1-gained"], "Impressions gained")
    assert row["Note"] == "Incomplete: only measured values count."


def with_subject(report: Report, changed: SubjectReport) -> Report:
    subjects = tuple(
        changed if each.subject == changed.subject else each for each in report.subjects
    )
    return replace(report, subjects=subjects)


def test_posts_table_has_every_post_and_a_page_shows_some(
    report: Report, document: Document
) -> None:
    table = find_tables(document)["account-1-posts"]
    assert len(table.rows) == len(report.subjects[2].posts) == 60
    assert table.shown_rows == 8
    assert find_tables(make_account_document())["account-1-posts"].shown_rows == 25
    assert table.omitted == "This page shows the newest posts. The spreadsheet has all posts."
    first = table.rows[0][1][0]
    assert isinstance(first, Link)
    assert first.url.startswith("https://x.com/i/web/status/")
    # Posts of several accounts are listed once.
    assert "tenant-posts" not in find_tables(document)


def test_post_that_is_not_on_the_real_x_has_no_link(report: Report) -> None:
    account = report.subjects[2]
    posts = tuple(replace(each, is_live=False) for each in account.posts)
    document = build_document(with_subject(report, replace(account, posts=posts)), load_words("en"))
    cell = find_tables(document)["account-1-posts"].rows[0][1]
    assert [type(each) for each in cell] == [str]


def test_best_post_says_why(report: Report, document: Document) -> None:
    account = report.subjects[2]
    best = next(each for each in account.posts if each.post_id == account.best[0])
    assert best.standing is not None
    words = load_words("en")
    impressions = best.standing.reasons[0]
    line = items_of(document, "account-1-ranking")[0]
    assert f"{words.figure(impressions.factor).text} the usual impressions" in line
    assert f": {words.figure(impressions.value).text}; usual: " in line
    assert "Also: " in line


def test_comparisons_have_intervals_or_say_that_posts_are_missing(document: Document) -> None:
    table = find_tables(document)["account-1-effects"]
    found = row_of(table, "Posts with a video and posts without a video")
    assert found["Result"] == "More impressions"
    assert " to " in found["Interval of the ratio"]
    few = row_of(table, "Threads and single posts")
    assert (few["Result"], few["Ratio of impressions"]) == ("Not enough posts to say", "–")
    assert "tenant-effects" not in find_tables(document)
    content = write_plain(document)
    assert "A difference is not a cause" in content


def test_comparisons_without_an_interval_have_no_column_for_it(report: Report) -> None:
    account = report.subjects[2]
    effects = tuple(
        replace(each, low=None, high=None, factor=replace(each.factor, value=None))
        for each in account.effects
    )
    changed = with_subject(report, replace(account, effects=effects))
    document = build_document(changed, load_words("en"))
    titles = [column.title for column in find_tables(document)["account-1-effects"].columns]
    assert titles == [
        "Comparison", "Posts with", "Posts without", "Ratio of impressions", "Result",
    ]  # fmt: skip


def test_unusual_day_has_the_change_of_the_account(document: Document) -> None:
    line = "16 May 2026: @larkbooks gained unusually many followers (+403)."
    assert items_of(document, "account-1-anomalies") == [line]
    assert line in items_of(document, "tenant-anomalies")


def test_change_that_was_not_measured_is_not_printed(report: Report) -> None:
    account = report.subjects[2]
    days = tuple(
        replace(each, follower_change=replace(each.follower_change, value=None))
        for each in account.days
    )
    document = build_document(with_subject(report, replace(account, days=days)), load_words("en"))
    line = "16 May 2026: @larkbooks gained unusually many followers."
    assert items_of(document, "account-1-anomalies") == [line]


def test_next_steps_have_their_evidence(document: Document) -> None:
    steps = items_of(document, "account-1-steps")
    assert "Look at the posts that were not published: 1 missed, 1 failed." in steps
    assert "Find out what changed the number of followers: +403 on 16 May 2026." in steps
    assert any(step.startswith("Publish more posts with a video") for step in steps)
    assert any(step.startswith("Look at what X bills") for step in steps)


def test_every_step_of_the_report_is_worded(report: Report, document: Document) -> None:
    for section, numbers in zip(document.sections, report.subjects, strict=False):
        assert len(items_of(document, f"{section.name}-steps")) == len(numbers.next_steps)


@pytest.mark.parametrize("language", LANGUAGES)
def test_copy_without_costs_has_no_costs(report: Report, language: str) -> None:
    words = load_words(language)
    document = build_document(report, words, with_costs=False)
    printed = [each for each in walk(document.sections) if isinstance(each, Printed)]
    costs = {each.name for each in report.glossary if each.is_cost}
    assert {each.name for each in printed} & costs == set()
    assert set(find_tables(document)["glossary"].row_names) & costs == set()
    content = write_plain(document)
    assert words.say("section.costs") not in content
    assert "$" not in content
    assert {each.key for each in printed} <= set(without_costs(report).figures)


def test_glossary_has_exactly_the_figures_that_are_printed(
    report: Report, document: Document
) -> None:
    glossary = document.sections[-1]
    assert glossary.name == "glossary"
    table = find_tables(document)["glossary"]
    used = {each.name for each in walk(document.sections) if isinstance(each, Printed)}
    order = [each.name for each in report.glossary]
    assert list(table.row_names) == sorted(used, key=order.index)
    assert row_of(table, "Follower balance")["Definition"].endswith("less lost ones.")


@pytest.mark.parametrize("language", LANGUAGES)
def test_report_without_posts_says_so(language: str) -> None:
    words = load_words(language)
    report = make_report_without_posts()
    document = build_document(report, words)
    content = write_plain(document)
    assert words.say("posts.none") in content
    assert words.say("ranking.none") in content
    assert words.say("anomalies.none") in content
    printed = [each for each in walk(document.sections) if isinstance(each, Printed)]
    assert all(report.figures[each.key].value == each.value for each in printed)


def test_periods_that_were_not_measured_are_not_compared() -> None:
    document = build_document(make_report_without_posts(), load_words("en"))
    assert items_of(document, "account-1-coverage")[:2] == [
        "There is no comparison with the period before, because it was not measured from its"
        " beginning.",
        "There is no comparison with last year, because that period was not measured from its"
        " beginning.",
    ]
    columns = [each.title for each in find_tables(document)["account-1-gained"].columns]
    assert "Period before" not in columns


def test_dates_of_days_are_dates(document: Document) -> None:
    table = find_tables(document)["account-1-days"]
    first = table.rows[0][0][0]
    assert isinstance(first, Moment)
    assert first.value == date(2026, 5, 1)
    assert len(table.rows) == 31


def test_imported_days_and_posts_to_be_measured_are_named(report: Report) -> None:
    account = report.subjects[2]
    few = replace(account.coverage.measured_posts, value=58)
    imported = (date(2026, 5, 1), date(2026, 5, 2), date(2026, 5, 4))
    later = replace(account.coverage, measured_posts=few, imported_days=imported)
    cases = (
        (replace(later, next_read_at=report.made_at), "measured by 31 May 2026, 14:00"),
        (replace(later, next_read_at=None), "The other posts were not measured."),
    )
    for coverage, text in cases:
        changed = with_subject(report, replace(account, coverage=coverage))
        content = write_plain(build_document(changed, load_words("en")))
        assert "Published posts that were measured: 58 of 60." in content
        assert "Imported from another source: 1 to 2 May 2026, 4 May 2026." in content
        assert text in content


def test_tenant_with_one_account_is_left_out() -> None:
    document = make_account_document()
    assert [each.name for each in document.sections] == ["account-1", "glossary"]


def test_tenant_with_one_account_has_only_costs_of_its_own() -> None:
    document = make_account_document(Spending(date(2026, 5, 3), "read_user", Decimal("0.5")))
    tenant = document.sections[0]
    assert (tenant.name, tenant.blocks) == ("tenant", ())
    assert [each.name for each in tenant.sections] == ["tenant-costs"]


def test_accounts_are_side_by_side(report: Report, document: Document) -> None:
    table = find_tables(document)["tenant-accounts"]
    assert [plain_text(row[0]) for row in table.rows] == ["@larkbooks", "@hillcafe"]
    words = load_words("en")
    for numbers, row in zip(report.subjects[2:], table.rows, strict=True):
        followers = numbers.figures["followers.end"].current
        assert row[1] == (words.figure(followers),)
    group = find_tables(document)["group-books-accounts"]
    assert [plain_text(row[0]) for row in group.rows] == ["@larkbooks"]
    assert "account-1-accounts" not in find_tables(document)


def test_properties_of_posts_are_those_of_one_account(document: Document) -> None:
    tables = find_tables(document)
    for part in ("type", "hours", "decay"):
        assert f"account-1-{part}" in tables
        assert f"tenant-{part}" not in tables


def test_property_that_all_posts_share_is_left_out(report: Report) -> None:
    account = report.subjects[2]
    shared = replace(account.breakdowns[0], rows=account.breakdowns[0].rows[:1])
    changed = replace(account, breakdowns=(shared, *account.breakdowns[1:]))
    document = build_document(with_subject(report, changed), load_words("en"))
    assert f"account-1-{shared.dimension}" not in find_tables(document)
    assert f"account-2-{shared.dimension}" in find_tables(document)


@pytest.mark.parametrize("language", LANGUAGES)
def test_report_without_anything_has_the_next_step(language: str) -> None:
    words = load_words(language)
    (account, glossary) = build_document(make_empty_report(), words).sections
    texts = [plain_text(each.text) for each in account.blocks if isinstance(each, Paragraph)]
    assert texts[:2] == [words.say("empty.account"), words.say("empty.measure")]
    assert account.sections == ()
    assert glossary.name == "glossary"
    (tenant, _) = build_document(make_empty_report(accounts=0), words).sections
    texts = [plain_text(each.text) for each in tenant.blocks if isinstance(each, Paragraph)]
    assert texts[:2] == [words.say("empty.tenant"), words.say("empty.connect")]


def test_change_that_the_printed_numbers_do_not_show_has_no_tone(report: Report) -> None:
    account = report.subjects[2]
    name = "gained.rate_by_impressions"
    figure = account.figures[name]
    assert figure.previous is not None
    tones = []
    for now, difference in ((0.05004, 0.00004), (0.06, 0.01), (0.04, -0.01)):
        comparison = replace(
            figure.previous,
            now=replace(figure.previous.now, value=now),
            earlier=replace(figure.previous.earlier, value=0.05),
            difference=replace(figure.previous.difference, value=difference),
        )
        changed = {**account.figures, name: replace(figure, previous=comparison)}
        document = build_document(
            with_subject(report, replace(account, figures=changed)), load_words("en")
        )
        blocks = find_section(document, "account-1").blocks
        (tiles,) = (each.tiles for each in blocks if isinstance(each, Tiles))
        tones += [each.tone for each in tiles if each.figure.name == name]
    assert tones == [Tone.PLAIN, Tone.GOOD, Tone.BAD]


def test_kind_of_cost_that_was_never_billed_is_left_out(document: Document) -> None:
    table = find_tables(document)["account-1-costs"]
    titles = [plain_text(row[0]) for row in table.rows]
    assert titles[0] == "Billed by X"
    without = find_tables(make_account_document())["account-1-costs"]
    assert "Billed for other requests" in titles
    assert "Billed for other requests" not in [plain_text(row[0]) for row in without.rows]


def test_pages_of_many_accounts_leave_out_what_is_said_twice() -> None:
    document = build_document(make_sample(accounts=4), load_words("en"))
    names = {each.name for each in walk(document.sections) if isinstance(each, Chart)}
    assert "account-1-hours" in names
    assert not {"account-1-posts", "account-1-effects"} & names
    tables = find_tables(document)
    shown = {
        part: tables[f"account-1-{part}"].is_on_pages
        for part in ("length", "hashtag", "effects", "details", "days", "posts")
    }
    assert [part for part, is_shown in shown.items() if is_shown] == ["length", "effects", "posts"]
