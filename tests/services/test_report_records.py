"""A report is computed from what the database has about the tenant's accounts."""

from datetime import time, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from fix_publishing import Publisher
from fix_runtime import make_tenant, scope_of
from roost import store
from roost.insights.reports.model import Dimension, PostType, Report, SubjectReport
from roost.insights.reports.periods import choose_period
from roost.models import LedgerEntry, Metric
from roost.services import report


async def collect_for(publisher: Publisher, days: int) -> None:
    """Read the metrics on `days` successive days at the time of the daily read."""
    for _ in range(days):
        await publisher.emulator.move_to_time(time(23, 30))
        await publisher.run_due_jobs()


async def make_report(publisher: Publisher, days: int, zone: str = "UTC") -> Report:
    period = choose_period(publisher.runtime.clock.now(), ZoneInfo(zone), days=days)
    return await report.make_report(publisher.runtime, publisher.scope, period)


def account_of(made: Report) -> SubjectReport:
    return made.subjects[-1]


@pytest.fixture
async def daily(publisher: Publisher) -> Publisher:
    """The publisher, with its account due for a collection of metrics now."""
    await publisher.set_next_collection(publisher.runtime.clock.now())
    return publisher


async def test_report_counts_thread_as_one_post_with_the_sum_of_its_parts(
    daily: Publisher,
) -> None:
    post_id = await daily.schedule("One", "Two")
    await daily.run_due_jobs()
    await collect_for(daily, 3)
    subject = account_of(await make_report(daily, days=5))
    (post,) = subject.posts
    assert (post.post_id, post.type, post.parts.value) == (post_id, PostType.THREAD, 2)
    async with daily.runtime.database.for_tenant(daily.tenant.id) as transaction:
        row = await (
            await transaction.raw.execute(
                "SELECT sum(last) FROM (SELECT max(impressions) AS last FROM post_snapshots"
                " GROUP BY part_id) AS each"
            )
        ).fetchone()
    assert row is not None
    assert post.metrics[Metric.IMPRESSIONS].value == row[0]
    assert subject.figures["published.impressions"].current.value == row[0]


async def test_report_reads_properties_of_parts(daily: Publisher, teal: Path) -> None:
    await daily.schedule("Look at #tea on https://example.com", media=teal)
    await daily.run_due_jobs()
    await collect_for(daily, 1)
    (post,) = account_of(await make_report(daily, days=3)).posts
    assert post.type is PostType.IMAGE
    assert post.groups[Dimension.LINK] == "with_link"
    assert post.groups[Dimension.HASHTAG] == "with_hashtag"


async def test_report_sums_up_the_ledger_by_kind_and_day(daily: Publisher) -> None:
    now = daily.runtime.clock.now()
    entries = [
        (daily.account.id, now, "create_post", "0.2"),
        (daily.account.id, now - timedelta(days=1), "read_posts", "0.05"),
        (None, now, "read_user", "0.01"),
        (daily.account.id, now - timedelta(days=9), "create_post", "4"),
    ]
    async with daily.runtime.database.for_tenant(daily.tenant.id) as transaction:
        await transaction.raw.execute("DELETE FROM ledger")
        for integration_id, at, operation, usd in entries:
            entry = LedgerEntry(at, operation, 200, Decimal(usd), "")
            await store.ledger.add(transaction, daily.tenant.id, integration_id, entry)
    tenant, account = (await make_report(daily, days=3)).subjects
    assert account.figures["spent.total"].current.value == Decimal("0.25")
    assert account.figures["spent.posts"].current.value == Decimal("0.2")
    assert tenant.figures["spent.total"].current.value == Decimal("0.26")


async def test_report_counts_delay_of_published_posts(daily: Publisher) -> None:
    await daily.schedule("In time")
    await daily.run_due_jobs()
    await daily.schedule("Late", after_s=10)
    await daily.emulator.jump(seconds=10 + 200)
    await daily.run_due_jobs()
    figures = account_of(await make_report(daily, days=2)).figures
    assert figures["activity.posts"].current.value == 2
    assert figures["activity.late"].current.value == 1


async def test_report_names_post_that_was_not_read_yet(daily: Publisher) -> None:
    await daily.run_due_jobs()
    await daily.schedule("Today")
    await daily.run_due_jobs()
    coverage = account_of(await make_report(daily, days=30)).coverage
    assert (coverage.days.value, coverage.posts.value, coverage.measured_posts.value) == (30, 1, 0)
    assert coverage.next_read_at is not None
    assert coverage.next_read_at > daily.runtime.clock.now()


async def test_report_has_nothing_of_another_tenant(daily: Publisher) -> None:
    await daily.schedule("Mine")
    await daily.run_due_jobs()
    neighbour = scope_of(await make_tenant(daily.runtime, "neighbour"))
    period = choose_period(daily.runtime.clock.now(), ZoneInfo("UTC"))
    (tenant,) = (await report.make_report(daily.runtime, neighbour, period)).subjects
    assert tenant.posts == ()
    assert tenant.figures["spent.total"].current.value == 0


async def test_patterns_say_which_group_of_posts_earned_most(daily: Publisher) -> None:
    for number in range(5):
        await daily.schedule(f"News number {number} #books")
        await daily.schedule(f"A quiet day in the shop, {number}")
    await daily.run_due_jobs()
    await collect_for(daily, 3)
    account = daily.account
    patterns = await report.list_patterns(daily.runtime, daily.scope, account)
    assert [each.split(",")[0] for each in patterns] == ["By hashtag"]
    assert patterns[0].endswith("This was not tested.")


async def test_account_without_posts_has_no_patterns(daily: Publisher) -> None:
    assert await report.list_patterns(daily.runtime, daily.scope, daily.account) == ()
