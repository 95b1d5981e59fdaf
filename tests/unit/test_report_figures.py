"""The figures of a report equal the values computed by hand from the snapshots."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from harness.report_world import (
    make_integration,
    make_part,
    make_records,
    make_snapshot,
    read_followers,
    read_posts,
)
from roost.insights.reports.compute import ReportRequest, compute_report, without_costs
from roost.insights.reports.definitions import DEFINITIONS
from roost.insights.reports.figures import Figure, Quality
from roost.insights.reports.model import Dimension, PostType, Report, SubjectReport
from roost.insights.reports.periods import DatePeriod
from roost.models import (
    AccountRecords,
    IntegrationId,
    MediaKind,
    Metric,
    PostId,
    PostOutcome,
    PostSnapshot,
    PostState,
    SentPart,
    Spending,
)

UTC_ZONE = ZoneInfo("UTC")
NOW = datetime(2026, 6, 20, tzinfo=UTC)


def june(day: int, hour: int = 10) -> datetime:
    return datetime(2026, 6, day, hour, tzinfo=UTC)


def evening(day: int) -> datetime:
    return datetime(2026, 6, day, 23, 30, tzinfo=UTC)


def snapshots(part: SentPart, levels: dict[int, int]) -> tuple[PostSnapshot, ...]:
    """Return a snapshot for each day; `levels` maps a day of June to the impressions."""
    return tuple(make_snapshot(part, evening(day), level) for day, level in levels.items())


def account_of(*posts: tuple[SentPart, dict[int, int]]) -> AccountRecords:
    return AccountRecords(
        make_integration(),
        read_followers({date(2026, 6, day): 100 + day for day in range(1, 20)}),
        tuple(part for part, _ in posts),
        tuple(each for part, levels in posts for each in snapshots(part, levels)),
    )


def report_on(
    *records: AccountRecords,
    first: int = 8,
    last: int = 14,
    now: datetime = NOW,
    zone: ZoneInfo = UTC_ZONE,
) -> Report:
    period = DatePeriod(date(2026, 6, first), date(2026, 6, last), zone)
    return compute_report(records, ReportRequest("lark", period, now))


def account_report(records: AccountRecords, **options: int | datetime | ZoneInfo) -> SubjectReport:
    return report_on(records, **options).subjects[-1]  # type: ignore[arg-type]


def current(subject: SubjectReport, name: str) -> Figure:
    return subject.figures[name].current


def test_gained_and_published_are_two_notions() -> None:
    old = make_part(1, june(5)), {5: 100, 6: 120, 7: 130, 8: 150, 9: 160, 14: 170}
    new = make_part(2, june(10)), {10: 40, 11: 60, 12: 70, 13: 70, 14: 75}
    subject = account_report(account_of(old, new))
    # The period is the 8th to the 14th. In it, the old post gained 170 - 130 impressions. The new
    # post was sent in the period, so all its 75 impressions count.
    assert current(subject, "gained.impressions").value == 40 + 75
    assert current(subject, "published.impressions").value == 75
    assert current(subject, "activity.posts").value == 1


def test_snapshots_after_the_period_change_nothing() -> None:
    part, levels = make_part(1, june(10)), {10: 40, 11: 60, 14: 75}
    later = account_of((part, levels | {15: 900}))
    assert account_report(later).figures == account_report(account_of((part, levels))).figures


def test_gains_of_days_and_of_no_day_add_up_to_the_difference_of_lifetime_values() -> None:
    # The 10th and 11th have no snapshot. So it is unknown on which of the days from the 10th to the
    # 12th the post gained 30 impressions, and they are added to no day.
    subject = account_report(
        account_of(
            (make_part(1, june(5)), {5: 10, 6: 20, 7: 30, 8: 45, 9: 50, 12: 80, 13: 81, 14: 83})
        )
    )
    shown = [day.impressions.value for day in subject.days]
    assert shown == [15, 5, None, None, None, 1, 2]
    undated = current(subject, "gained.impressions_undated").value
    assert (undated, current(subject, "gained.impressions").value) == (30, 83 - 30)
    assert subject.coverage.gap_days == (date(2026, 6, 10), date(2026, 6, 11))


def test_gain_over_more_than_seven_days_that_begins_before_the_period_is_left_out() -> None:
    levels = {5: 10, 14: 500}
    figure = current(
        account_report(account_of((make_part(1, june(5)), levels))), "gained.impressions"
    )
    assert (figure.value, figure.quality) == (None, Quality.MISSING)
    levels = {5: 10, 12: 400, 13: 410, 14: 450}
    figure = current(
        account_report(account_of((make_part(1, june(5)), levels))), "gained.impressions"
    )
    assert (figure.value, figure.quality) == (440, Quality.PARTIAL)


def test_weekly_reads_are_counted_without_a_mark() -> None:
    part = make_part(1, datetime(2026, 5, 1, 10, tzinfo=UTC))
    levels = {5: 1000, 12: 1007}
    subject = account_report(account_of((part, levels)))
    figure = current(subject, "gained.impressions")
    assert (figure.value, figure.quality) == (7, Quality.MEASURED)
    assert current(subject, "gained.impressions_undated").value == 7
    assert subject.coverage.gap_days == ()


def test_last_day_without_a_snapshot_makes_gains_partial() -> None:
    subject = account_report(account_of((make_part(1, june(9)), {9: 10, 10: 20, 11: 30})))
    assert current(subject, "gained.impressions").quality is Quality.PARTIAL
    assert subject.coverage.gap_days == tuple(date(2026, 6, day) for day in (12, 13, 14))


def test_deleted_post_is_no_gap() -> None:
    deleted = make_part(1, june(9)), {9: 10, 10: 20}
    kept = make_part(2, june(9)), {day: 10 * day for day in range(9, 15)}
    subject = account_report(account_of(deleted, kept))
    assert current(subject, "gained.impressions").value == 20 + 140
    assert subject.coverage.gap_days == ()


def test_post_sent_after_the_last_read_of_a_day_makes_no_gap() -> None:
    part = make_part(1, datetime(2026, 6, 9, 23, 45, tzinfo=UTC))
    subject = account_report(account_of((part, {10: 50, 11: 60, 12: 60, 13: 60, 14: 60})))
    assert subject.coverage.gap_days == ()
    assert [day.impressions.value for day in subject.days][:3] == [None, 0, 50]


def test_days_are_those_of_the_tenants_time_zone() -> None:
    # In Los Angeles, the 8th ends at 07:00 UTC on the 9th, and the nearest read is on the 8th at
    # 23:30 UTC. The post was sent between the two, so it has gained nothing by the end of the 8th.
    part = make_part(1, datetime(2026, 6, 9, 3, tzinfo=UTC))
    records = account_of((part, {9: 50, 10: 60, 11: 61, 12: 61, 13: 61, 14: 61}))
    subject = account_report(records, first=8, last=8, zone=ZoneInfo("America/Los_Angeles"))
    assert current(subject, "activity.posts").value == 1
    assert current(subject, "gained.impressions").value == 0
    berlin = account_report(records, first=9, last=9, zone=ZoneInfo("Europe/Berlin"))
    assert current(berlin, "gained.impressions").value == 50


def test_thread_is_one_post_with_the_sum_of_its_parts() -> None:
    first = make_part(1, june(9), post_id=PostId(7))
    second = make_part(2, june(9) + timedelta(seconds=2), post_id=PostId(7), position=2)
    single = make_part(3, june(9))
    subject = account_report(
        account_of((first, {9: 100, 14: 200}), (second, {9: 30, 14: 40}), (single, {9: 1, 14: 2}))
    )
    assert (current(subject, "activity.posts").value, current(subject, "activity.parts").value) == (
        2,
        3,
    )
    thread = next(post for post in subject.posts if post.post_id == 7)
    assert (thread.type, thread.parts.value) == (PostType.THREAD, 2)
    assert thread.metrics[Metric.IMPRESSIONS].value == 240
    assert current(subject, "published.median_impressions").value == (240 + 2) / 2


def test_thread_with_an_unread_part_has_no_sum() -> None:
    first = make_part(1, june(9), post_id=PostId(7))
    second = make_part(2, june(9), post_id=PostId(7), position=2)
    subject = account_report(account_of((first, {14: 200}), (second, {})))
    (thread,) = subject.posts
    assert [figure.value for figure in thread.metrics.values()] == [None] * 9
    assert current(subject, "published.impressions").quality is Quality.MISSING


def test_rates_state_numerator_and_denominator() -> None:
    subject = account_report(account_of((make_part(1, june(9)), {9: 1000, 14: 2000})))
    rate = current(subject, "published.rate_by_impressions")
    assert (rate.numerator, rate.denominator, rate.value) == (100, 2000, 0.05)
    by_followers = current(subject, "published.rate_by_followers")
    # The denominator is the mean number of followers, 111: the days have 108, 109, …, 114.
    assert (by_followers.numerator, by_followers.denominator) == (100, 111)


def test_followers_balance_is_the_difference_of_closing_values() -> None:
    subject = account_report(account_of())
    balance = current(subject, "followers.change")
    assert (balance.value, balance.quality) == (7, Quality.MEASURED)
    assert current(subject, "followers.end").value == 114


def test_followers_balance_without_a_value_before_the_period_is_partial() -> None:
    records = AccountRecords(
        make_integration(), read_followers({date(2026, 6, 9): 50, date(2026, 6, 14): 80})
    )
    balance = current(account_report(records), "followers.change")
    assert (balance.value, balance.quality) == (30, Quality.PARTIAL)


def test_open_day_is_compared_with_equally_many_days() -> None:
    part = make_part(1, june(1))
    records = account_of((part, {day: 10 * day for day in range(1, 14)}))
    subject = account_report(records, now=june(14, 12))
    compared = subject.figures["gained.impressions"].previous
    assert compared is not None
    # The 14th is not over. So the first six days of the period are compared with the first six days
    # of the week before.
    assert (compared.now.value, compared.earlier.value) == (60, 60)
    assert compared.change.value == 0
    assert subject.coverage.open_days == (date(2026, 6, 14),)


def test_previous_period_without_snapshots_is_not_compared() -> None:
    records = AccountRecords(
        make_integration(), read_followers({date(2026, 6, day): day for day in range(5, 15)})
    )
    subject = account_report(records)
    assert subject.figures["followers.end"].previous is None
    assert subject.figures["followers.end"].year_before is None


def test_year_before_is_compared_if_it_was_measured() -> None:
    before = read_followers({date(2025, 6, day): 50 for day in range(7, 15)})
    records = account_of()
    subject = account_report(replace(records, account=before + records.account))
    compared = subject.figures["followers.end"].year_before
    assert compared is not None
    assert (compared.earlier.value, compared.difference.value) == (50, 64)
    assert compared.change.value == pytest.approx(64 / 50)


def test_spending_by_kind_adds_up() -> None:
    day = date(2026, 6, 9)
    spending = (
        Spending(day, "create_post", Decimal("0.2")),
        Spending(day, "read_posts", Decimal("0.05")),
        Spending(day, "read_user", Decimal("0.01")),
        Spending(date(2026, 6, 15), "create_post", Decimal(9)),
    )
    records = account_of((make_part(1, june(9)), {9: 1000, 14: 2000}))
    subject = account_report(replace(records, spending=spending))
    kinds = ("posts", "media", "post_reads", "account_reads", "other")
    assert [current(subject, f"spent.{kind}").value for kind in kinds] == [
        Decimal("0.2"),
        0,
        Decimal("0.05"),
        Decimal("0.01"),
        0,
    ]
    assert current(subject, "spent.total").value == Decimal("0.26")
    assert current(subject, "spent.per_engagement").value == Decimal("0.26") / 100


def test_report_without_costs_has_no_figure_about_money() -> None:
    report = report_on(account_of((make_part(1, june(9)), {14: 20})))
    assert any(key.partition("/")[2].startswith("spent.") for key in report.figures)
    without = without_costs(report)
    assert not [key for key in without.figures if "spent." in key]
    assert not [each for each in without.glossary if each.is_cost]


def test_outcomes_count_late_missed_and_failed_posts() -> None:
    outcomes = (
        PostOutcome(june(9), PostState.PUBLISHED, timedelta(seconds=119)),
        PostOutcome(june(9), PostState.PUBLISHED, timedelta(seconds=121)),
        PostOutcome(june(10), PostState.MISSED, None),
        PostOutcome(june(10), PostState.PARTLY_PUBLISHED, timedelta(0)),
        PostOutcome(june(15), PostState.FAILED, None),
    )
    subject = account_report(replace(account_of(), outcomes=outcomes))
    counts = [current(subject, f"activity.{name}").value for name in ("late", "missed", "failed")]
    assert counts == [1, 1, 1]


def test_imported_values_are_marked() -> None:
    records = replace(
        account_of((make_part(1, june(9)), {9: 10, 14: 20})), imported_through=date(2026, 6, 10)
    )
    subject = account_report(records)
    assert current(subject, "gained.impressions").quality is Quality.IMPORTED
    assert current(subject, "activity.posts").quality is Quality.MEASURED
    assert subject.coverage.imported_days == tuple(date(2026, 6, day) for day in (8, 9, 10))


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({}, PostType.TEXT),
        ({"media": (MediaKind.IMAGE,)}, PostType.IMAGE),
        ({"media": (MediaKind.GIF,)}, PostType.GIF),
        ({"media": (MediaKind.VIDEO,)}, PostType.VIDEO),
        ({"has_poll": True}, PostType.POLL),
        ({"is_quote": True, "media": (MediaKind.IMAGE,)}, PostType.QUOTE),
        ({"is_reply": True, "is_quote": True}, PostType.REPLY),
    ],
)
def test_each_post_has_one_type(properties: dict[str, object], expected: PostType) -> None:
    part = make_part(1, june(9), **properties)
    assert account_report(account_of((part, {14: 5}))).posts[0].type is expected


def test_breakdowns_have_each_post_once() -> None:
    texts = ("Hi", "Read https://example.com", "#tea and https://example.com " + "word " * 40)
    posts = [
        (make_part(n, june(9), text=text), {14: 100 * (n + 1)}) for n, text in enumerate(texts)
    ]
    subject = account_report(account_of(*posts))
    counted = {
        each.dimension: {row.group: row.posts.value for row in each.rows}
        for each in subject.breakdowns
    }
    assert counted == {
        Dimension.TYPE: {"text": 3},
        Dimension.LENGTH: {"up_to_70": 2, "141_to_280": 1},
        Dimension.LINK: {"with_link": 2, "without_link": 1},
        Dimension.HASHTAG: {"with_hashtag": 1, "without_hashtag": 2},
        Dimension.MEDIA: {"none": 3},
    }
    with_link = subject.breakdowns[2].rows[0]
    assert (with_link.impressions.value, with_link.median_impressions.value) == (250, 250)


def test_hours_are_in_the_tenants_time_zone() -> None:
    part = make_part(1, datetime(2026, 6, 14, 22, 30, tzinfo=UTC))
    zone = ZoneInfo("Europe/Berlin")
    subject = account_report(account_of((part, {15: 70})), first=15, last=15, zone=zone)
    (cell,) = subject.hours
    assert (cell.weekday, cell.hour, cell.posts.value) == (0, 0, 1)


def usual_posts(days: int) -> AccountRecords:
    """Return an account that has sent one post a day and was read every day until 19 June.

    The final number of impressions of each post is 1,000.
    """
    every = [date(2026, 6, 19) - timedelta(days=n) for n in reversed(range(days))]
    parts = [
        make_part(n, datetime.combine(day, datetime.min.time(), UTC)) for n, day in enumerate(every)
    ]
    return make_records(parts, {part.part_id: 1000.0 for part in parts}, every)


def test_standing_compares_a_post_with_the_usual_at_its_age() -> None:
    records = usual_posts(40)
    best = records.parts[-8]
    finals = {part.part_id: 5000.0 if part == best else 1000.0 for part in records.parts}
    days = [each.at.date() for each in records.account]
    subject = account_report(replace(records, snapshots=read_posts(records.parts, finals, days)))
    assert subject.best == (best.post_id,)
    standing = next(post for post in subject.posts if post.post_id == best.post_id).standing
    assert standing is not None
    assert standing.factor.value == pytest.approx(5, rel=0.01)
    # The post was sent on the 12th at 00:00. Its last read in the period is on the 14th at 23:30,
    # when it is two full days old.
    assert (standing.age_days, standing.compared_posts.value) == (2, 32)


def test_standing_needs_five_other_posts() -> None:
    posts = [(make_part(n, june(8)), {day: 10 * day for day in range(8, 15)}) for n in range(6)]
    assert account_report(account_of(*posts)).posts[0].standing is not None
    assert account_report(account_of(*posts[:5])).posts[0].standing is None


def test_decay_curve_is_the_share_of_the_final_impressions() -> None:
    subject = account_report(usual_posts(60))
    shares = {point.age_days: point.share.value for point in subject.decay.points}
    assert list(shares) == [1, 2, 3, 5, 7, 14, 21]
    final = 1 / (1 + (80 / (28 * 1440)) ** 1.1)
    two_days = 1 / (1 + (80 / (2 * 1440)) ** 1.1)
    assert shares[2] == pytest.approx(two_days / final, abs=0.005)


def test_decay_curve_is_empty_without_old_posts() -> None:
    assert account_report(usual_posts(20)).decay.points == ()


def test_tenant_adds_its_accounts_and_unattributed_spending() -> None:
    first = account_of((make_part(1, june(9)), {9: 10, 14: 20}))
    second = AccountRecords(
        make_integration(2, "wren"), read_followers({date(2026, 6, 14): 1000}, 2)
    )
    day = date(2026, 6, 9)
    period = DatePeriod(date(2026, 6, 8), date(2026, 6, 14), UTC_ZONE)
    request = ReportRequest(
        "lark",
        period,
        NOW,
        groups={"birds": [IntegrationId(2)]},
        other_spending=[Spending(day, "read_user", Decimal("0.01"))],
    )
    report = compute_report([first, second], request)
    tenant, group, *accounts = report.subjects
    assert [each.subject.key for each in report.subjects] == [
        "tenant",
        "group.birds",
        "account.1",
        "account.2",
    ]
    assert current(tenant, "followers.end").value == 1114
    assert current(group, "followers.end").value == 1000
    assert current(tenant, "spent.total").value == Decimal("0.01")
    assert [current(each, "spent.total").value for each in accounts] == [0, 0]
    # The second account has only one snapshot, so the change of its followers is unknown.
    assert current(tenant, "followers.change").quality is Quality.PARTIAL


def test_report_without_accounts_has_no_values() -> None:
    (tenant,) = report_on().subjects
    assert current(tenant, "gained.impressions").value is None
    assert current(tenant, "activity.posts").value == 0


def test_every_figure_has_its_key_and_a_definition() -> None:
    report = report_on(usual_posts(60))
    for key, figure in report.figures.items():
        assert figure.key == key
        assert figure.name in DEFINITIONS
    assert {each.name for each in report.glossary} == {
        figure.name for figure in report.figures.values()
    }


def test_evidence_of_next_steps_is_in_the_report() -> None:
    records = replace(usual_posts(60), outcomes=(PostOutcome(june(9), PostState.FAILED, None),))
    report = report_on(records)
    steps = [step for subject in report.subjects for step in subject.next_steps]
    assert steps
    assert all(key in report.figures for step in steps for key in step.evidence)
