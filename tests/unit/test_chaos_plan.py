"""A seed always gives the same chaos plan, and the plan has the intended shares of posts."""

from datetime import timedelta
from itertools import islice

from harness.chaos.plan import (
    count_shared_accounts,
    draw_calendar,
    draw_clock_skews,
    draw_interruptions,
)
from harness.crash_cases import CrashSignal, PartKind, all_cases, kind_cases, plain_cases
from roost.failpoints import Failpoint

HOUR = timedelta(hours=1)


def test_draw_repeats_calendar_and_interruptions_for_the_same_seed() -> None:
    assert draw_calendar(7, 500, 50, HOUR) == draw_calendar(7, 500, 50, HOUR)
    assert draw_calendar(7, 500, 50, HOUR) != draw_calendar(8, 500, 50, HOUR)
    drawn = [list(islice(draw_interruptions(seed, (1, 2), (1, 2)), 50)) for seed in (7, 7, 8)]
    assert drawn[0] == drawn[1] != drawn[2]


def test_draw_calendar_has_its_shares() -> None:
    calendar = draw_calendar(7, 2_000, 200, HOUR)
    threads = sum(len(post.texts) > 1 for post in calendar)
    with_image = sum(post.image is not None for post in calendar)
    assert abs(threads - 667) < 70
    assert abs(with_image - 667) < 70
    assert sum(post.deleted_manually for post in calendar) == 20
    identical = [post for post in calendar if post.has_identical]
    assert len(identical) == 40
    assert len({(post.account, post.texts) for post in identical}) == 20


def test_all_cases_combines_every_failpoint_with_every_signal_and_response() -> None:
    cases = list(all_cases())
    assert len(cases) >= 300
    assert len({case.name for case in cases}) == len(cases)
    assert {case.failpoint for case in cases} == set(Failpoint)
    for signal in CrashSignal:
        assert [case.failpoint for case in plain_cases(signal)] == list(Failpoint)
        assert {case.failpoint for case in cases if case.signal is signal} == set(Failpoint)
    for kind in PartKind:
        assert {case.failpoint for case in cases if case.kind is kind} >= {
            each for each in Failpoint if each.value.startswith(("create.", "read."))
        }
    assert {case.kind for case in kind_cases()} == set(PartKind) - {PartKind.PLAIN}


def test_draw_calendar_plans_for_second_tenant_on_shared_accounts_only() -> None:
    calendar = draw_calendar(7, 2_000, 200, HOUR)
    second = [post for post in calendar if post.for_second_tenant]
    assert len({post.account for post in second}) == count_shared_accounts(200) == 10
    assert max(post.account for post in second) < 10
    texts = [
        {post.texts for post in calendar if post.for_second_tenant is is_second}
        for is_second in (False, True)
    ]
    assert len(texts[0] & texts[1]) >= 5


def test_draw_clock_skews_leaves_every_other_clock_right() -> None:
    skew = timedelta(seconds=15)
    skews = list(islice(draw_clock_skews(7, skew), 40))
    assert skews[1::2] == [timedelta(0)] * 20
    assert sorted(skews[::2]) == [-skew] * 10 + [skew] * 10
