"""The seed repeats what chaos does; the calendar has the shares that the bench is about."""

from datetime import timedelta
from itertools import islice

from _cells import Blow, Kind, all_cells, kind_cells, plain_cells
from _chaos_plan import count_shared, draw_calendar, draw_skews, draw_strikes

from roost.failpoints import Failpoint

HOUR = timedelta(hours=1)


def test_the_seed_repeats_calendar_and_blows() -> None:
    assert draw_calendar(7, 500, 50, HOUR) == draw_calendar(7, 500, 50, HOUR)
    assert draw_calendar(7, 500, 50, HOUR) != draw_calendar(8, 500, 50, HOUR)
    blows = [list(islice(draw_strikes(seed, (1, 2), (1, 2)), 50)) for seed in (7, 7, 8)]
    assert blows[0] == blows[1] != blows[2]


def test_the_calendar_has_its_shares() -> None:
    calendar = draw_calendar(7, 2_000, 200, HOUR)
    threads = sum(len(draft.texts) > 1 for draft in calendar)
    pictured = sum(draft.image is not None for draft in calendar)
    assert abs(threads - 667) < 70
    assert abs(pictured - 667) < 70
    assert sum(draft.by_hand for draft in calendar) == 20
    twins = [draft for draft in calendar if draft.has_twin]
    assert len(twins) == 40
    assert len({(draft.account, draft.texts) for draft in twins}) == 20


def test_every_point_meets_every_blow_and_answer() -> None:
    cells = list(all_cells())
    assert len(cells) >= 300
    assert len({cell.name for cell in cells}) == len(cells)
    assert {cell.point for cell in cells} == set(Failpoint)
    for blow in Blow:
        assert [cell.point for cell in plain_cells(blow)] == list(Failpoint)
        assert {cell.point for cell in cells if cell.blow is blow} == set(Failpoint)
    for kind in Kind:
        assert {cell.point for cell in cells if cell.kind is kind} >= {
            point for point in Failpoint if point.value.startswith(("create.", "read."))
        }
    assert {cell.kind for cell in kind_cells()} == set(Kind) - {Kind.PLAIN}


def test_two_tenants_plan_for_the_shared_accounts_alone() -> None:
    calendar = draw_calendar(7, 2_000, 200, HOUR)
    second = [draft for draft in calendar if draft.by_second_tenant]
    assert len({draft.account for draft in second}) == count_shared(200) == 10
    assert max(draft.account for draft in second) < 10
    texts = [
        {draft.texts for draft in calendar if draft.by_second_tenant is by} for by in (False, True)
    ]
    assert len(texts[0] & texts[1]) >= 5


def test_every_other_clock_is_right() -> None:
    skew = timedelta(seconds=15)
    skews = list(islice(draw_skews(7, skew), 40))
    assert skews[1::2] == [timedelta(0)] * 20
    assert sorted(skews[::2]) == [-skew] * 10 + [skew] * 10
