"""A report on posts that the emulator measured is worded in every language."""

from datetime import time
from zoneinfo import ZoneInfo

import pytest

from fix_publishing import Publisher
from fix_runtime import make_tenant, scope_of
from harness.report_documents import find_tables, walk, write_plain
from roost.insights.reports.content import build_document
from roost.insights.reports.document import Printed
from roost.insights.reports.periods import choose_period
from roost.insights.reports.words import list_languages, load_words
from roost.services import report


@pytest.mark.parametrize("language", list_languages())
async def test_measured_post_is_in_the_document(publisher: Publisher, language: str) -> None:
    await publisher.set_next_collection(publisher.runtime.clock.now())
    await publisher.schedule("Bread is ready", "Tea as well")
    await publisher.run_due_jobs()
    for _ in range(2):
        await publisher.emulator.move_to_time(time(23, 30))
        await publisher.run_due_jobs()
    period = choose_period(publisher.runtime.clock.now(), ZoneInfo("Europe/Berlin"), days=4)
    made = await report.make_report(publisher.runtime, publisher.scope, period)
    words = load_words(language)
    document = build_document(made, words)
    (name,) = (each for each in find_tables(document) if each.endswith("-posts"))
    (row,) = find_tables(document)[name].rows
    # A post of the emulator has no link to X.
    assert row[1] == ("Bread is ready",)
    assert row[2] == (words.say("group.type.thread"),)
    printed = [each for each in walk(document.sections) if isinstance(each, Printed)]
    assert all(made.figures[each.key].value == each.value for each in printed)
    assert words.say("verdict.too_few_posts") in write_plain(document)


async def test_tenant_without_accounts_has_a_document(publisher: Publisher) -> None:
    scope = scope_of(await make_tenant(publisher.runtime, "neighbour"))
    period = choose_period(publisher.runtime.clock.now(), ZoneInfo("UTC"))
    made = await report.make_report(publisher.runtime, scope, period)
    document = build_document(made, load_words("en"))
    assert [each.name for each in document.sections] == ["tenant", "glossary"]
    assert "·" not in document.subtitle
