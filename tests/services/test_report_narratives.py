"""A model words the narratives of reports, and no failure of the model fails a report."""

import asyncio
import json
from datetime import time, timedelta
from zoneinfo import ZoneInfo

import psutil
import pytest

from fix_model import ModelServer
from fix_publishing import Publisher
from harness.report_sample import make_sample
from roost import store
from roost.insights.reports.document import Paragraph
from roost.insights.reports.document_json import unpack_document
from roost.insights.reports.periods import choose_period
from roost.insights.reports.words import load_words, plain_text
from roost.models import AccountGroup, Cadence, KeptReport, ReportOptions, ReportTime
from roost.services import collect, report
from roost.services.report import narratives
from roost.services.report.child import ModelAccess
from roost.services.tenant import get_model_usage

KEY = "sk-0f5c7e9a1b3d"
GOOD = json.dumps({"paragraphs": ["{account} published {posts}."]})
INVENTED = json.dumps({"paragraphs": ["{account} published {posts}, a record."]})
HOSTILE = json.dumps({"paragraphs": ["\0\x1b {best\u202e} gained\0 9 " + "x" * 9000 + "."]})


async def measure(publisher: Publisher) -> None:
    """Publish a post and read its metrics."""
    await publisher.schedule("Good morning")
    await publisher.run_due_jobs()
    await publisher.emulator.jump(hours=30)
    await collect.collect_account(publisher.runtime, publisher.scope, publisher.account.id)
    await publisher.emulator.jump(hours=1)


@pytest.fixture
async def measured(publisher: Publisher, model_server: ModelServer) -> Publisher:
    """A publisher with a measured post, whose reports are worded by the model of the server."""
    await measure(publisher)
    return publisher.with_settings(model="small", model_url=model_server.url, model_key=KEY)


async def make(publisher: Publisher, options: ReportOptions | None = None) -> KeptReport:
    period = choose_period(publisher.runtime.clock.now(), ZoneInfo("UTC"), days=7)
    return await report.make_kept_report(
        publisher.runtime, publisher.scope, period, options or ReportOptions()
    )


async def read_narratives(publisher: Publisher, kept: KeptReport) -> list[str]:
    """Return the first paragraph about each subject of a kept report."""
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        document = unpack_document(await store.kept_reports.get_document(transaction, kept.id))
    return [
        plain_text(block.text)
        for section in document.sections[:-1]
        if isinstance(block := section.blocks[0], Paragraph)
    ]


async def test_model_words_the_narrative_of_each_subject(
    measured: Publisher, model_server: ModelServer
) -> None:
    model_server.answers = [GOOD]
    group = AccountGroup("shops", (measured.account.id,))
    kept = await make(measured, ReportOptions(groups=(group,)))
    # The tenant has no summary, because all its figures are those of its only account.
    shops, account = await read_narratives(measured, kept)
    assert shops == "Shops published 1 post."
    assert account == "@larkbooks published 1 post."
    assert model_server.keys == [f"Bearer {KEY}"] * 2
    for source in kept.narratives:
        assert (source.model, source.is_by_model, source.error) == ("small", True, "")
        assert [verdict.ok for verdict in source.verdicts] == [True]
        assert source.verdicts[0].prompt_hash == source.prompt_hash
    assert await report.get_report(measured.runtime, measured.scope, kept.number) == kept
    usage = await get_model_usage(measured.runtime, measured.scope)
    assert (usage.calls, usage.tokens) == (2, 300)


async def test_without_a_model_nothing_is_said_about_one(publisher: Publisher) -> None:
    await measure(publisher)
    assert (await make(publisher)).narratives == ()


@pytest.mark.parametrize(
    ("answers", "error", "verdicts"),
    [
        ([INVENTED], "", 2),
        ([HOSTILE], "", 2),
        ([json.dumps({"paragraphs": ["Half a pair: \ud800."]})], "", 2),
        (["no JSON"], "", 2),
        ([401], "model_unavailable", 0),
        ([b"not the protocol"], "model_unavailable", 0),
    ],
    ids=["refused", "hostile", "surrogate", "no form", "status", "no protocol"],
)
async def test_own_sentences_stand_in_if_the_model_fails(
    answers: list[str | int | bytes],
    error: str,
    verdicts: int,
    measured: Publisher,
    model_server: ModelServer,
) -> None:
    model_server.answers = list(answers)
    kept = await make(measured)
    own = await make(measured.with_settings(model=None))
    assert await read_narratives(measured, kept) == await read_narratives(measured, own)
    for source in kept.narratives:
        assert (source.is_by_model, source.error) == (False, error)
        assert [verdict.ok for verdict in source.verdicts] == [False] * verdicts
        assert all(verdict.findings for verdict in source.verdicts)
    assert await report.get_report(measured.runtime, measured.scope, kept.number) == kept


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"model_url": "http://127.0.0.1:9/v1"}, "model_unavailable"),
        ({"model": "nowhere:small", "model_url": None}, "setting_invalid"),
        ({"model_tokens_per_month": 10}, "model_budget_exceeded"),
    ],
)
async def test_model_that_cannot_be_asked_fails_no_report(
    changed: dict[str, object], error: str, measured: Publisher, model_server: ModelServer
) -> None:
    kept = await make(measured.with_settings(**changed))
    assert [source.error for source in kept.narratives] == [error]
    assert model_server.requests == []


async def test_model_that_does_not_answer_in_time_leaves_the_other_sentences_to_roost(
    publisher: Publisher, model_server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(narratives, "_TIMEOUT_S", 0.2)
    model_server.answers = [asyncio.Event()]
    access = ModelAccess("small", model_server.url, None, 60, None, None)
    sample = make_sample()
    written, sources = await narratives.ask_for_narratives(
        sample, load_words("en"), access, publisher.runtime.database, publisher.tenant.id
    )
    assert written == {}
    summarized = [each.subject.key for each in sample.summarized_subjects]
    assert [source.subject for source in sources] == summarized
    assert summarized == ["account.1"]
    assert {source.error for source in sources} == {"model_unavailable"}


async def test_scheduled_report_is_worded_by_the_model(
    measured: Publisher, model_server: ModelServer
) -> None:
    model_server.answers = [GOOD]
    await measured.set_next_collection(measured.runtime.clock.now() + timedelta(days=4000))
    monday = ReportTime(Cadence.WEEKLY, 0, time(8))
    schedule = await report.add_schedule(
        measured.runtime, measured.scope, monday, ReportOptions(accounts=(measured.account.id,))
    )
    await measured.move_clock_to(schedule.next_at)
    await measured.run_due_jobs()
    (made,) = await report.list_reports(measured.runtime, measured.scope)
    assert made.schedule_id == schedule.id
    assert [source.is_by_model for source in made.narratives] == [True]


@pytest.mark.timing
async def test_key_is_in_no_argument_and_no_variable_of_the_making_process(
    measured: Publisher, model_server: ModelServer
) -> None:
    release = asyncio.Event()
    model_server.answers = [release, GOOD]
    making = asyncio.create_task(make(measured))
    async with asyncio.timeout(60):
        while not model_server.requests:
            await asyncio.sleep(0.05)
    children = psutil.Process().children(recursive=True)
    (process,) = [
        each
        for each in children
        if each.status() != psutil.STATUS_ZOMBIE
        and "roost.services.report.making_process" in each.cmdline()
    ]
    assert KEY not in str(process.cmdline())
    assert KEY not in str(process.environ())
    release.set()
    assert [source.model for source in (await making).narratives] == ["small"]
