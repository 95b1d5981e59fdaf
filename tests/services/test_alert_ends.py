"""Each alert ends when its cause ends, whatever ended it: every kind, every way.

An alert is about a state of rows. The ways out of a post's state are those of `POST_MOVES`, so a
new move, as a new kind of alert, fails here until it has a case.
"""

from typing import Final

import pytest

from fix_emulator import Emulator
from fix_publishing import Desk
from roost import store
from roost.account_client import mark_needs_reconnect
from roost.models import POST_MOVES, AlertKind, PostId, PostState
from roost.outcome_alerts import STATE_ALERTS
from roost.services import monitor, resolve
from roost.services.clock_check import ClockCheck
from roost.x.errors import Reauthorize

from .alert_causes import (
    Ending,
    Opening,
    accept_copy,
    another,
    app_refused,
    become_limited,
    become_missed,
    cancel,
    copied,
    decide_sent,
    delete,
    drop,
    edit,
    end_worker,
    failed,
    go_on,
    hold_post,
    kinds,
    late,
    leave,
    lose_grant,
    missed,
    needs_decision,
    needs_reconnect,
    partly_published,
    possible_duplicate,
    publish,
    reconnect,
    reconnect_renamed,
    refuse_again,
    restart_worker,
    restored,
    resume_all,
    retime,
    send,
    set_clock,
    stop_everything,
    take_again,
    then_check,
    thread_needs_decision,
    wait_for_nothing,
    wrong_clock,
)

#: By kind and the state that is its cause: each state that a post may have then, and leaving it.
POST_ENDINGS: Final[dict[PostState, tuple[Opening, dict[PostState | str, list[Ending]]]]] = {
    PostState.NEEDS_DECISION: (
        needs_decision,
        {
            PostState.PUBLISHING: [decide_sent, send],
            PostState.FAILED: [drop],
            PostState.PARTLY_PUBLISHED: [],  # of a thread: below
        },
    ),
    PostState.PARTLY_PUBLISHED: (
        partly_published,
        {PostState.PUBLISHING: [go_on], PostState.CANCELLED: [delete], "left": [leave]},
    ),
    PostState.MISSED: (
        missed,
        {
            PostState.SCHEDULED: [edit, retime],
            PostState.PUBLISHING: [send],
            PostState.CANCELLED: [drop, cancel],
        },
    ),
    PostState.FAILED: (
        failed,
        {PostState.SCHEDULED: [edit, retime], PostState.CANCELLED: [cancel], "left": [leave]},
    ),
}

OTHER_ENDINGS: Final[dict[AlertKind, list[tuple[Opening, Ending]]]] = {
    AlertKind.DECISION: [(thread_needs_decision, drop)],
    AlertKind.POSSIBLE_DUPLICATE: [(possible_duplicate, leave)],
    AlertKind.RECONNECT: [(needs_reconnect, reconnect), (needs_reconnect, reconnect_renamed)],
    AlertKind.CREDITS: [
        (app_refused("credits"), each)
        for each in (take_again, refuse_again, wait_for_nothing, another(AlertKind.APP))
    ],
    AlertKind.APP: [
        (app_refused("app"), each)
        for each in (take_again, refuse_again, wait_for_nothing, another(AlertKind.LIMIT))
    ],
    AlertKind.LIMIT: [
        (app_refused("limit"), each)
        for each in (take_again, refuse_again, wait_for_nothing, another(AlertKind.CREDITS))
    ],
    AlertKind.LATE: [
        (late, then_check(each))
        for each in (
            publish, cancel, edit, hold_post, stop_everything, lose_grant, become_missed,
            become_limited,
        )
    ],
    AlertKind.RESTORED: [(restored, resume_all)],
    AlertKind.COPIED: [(copied, accept_copy)],
    AlertKind.CLOCK_SKEW: [
        (wrong_clock, set_clock), (wrong_clock, restart_worker), (wrong_clock, end_worker),
    ],
}  # fmt: skip

CASES: Final[list[tuple[AlertKind, Opening, Ending]]] = [
    *(
        (STATE_ALERTS[state], opening, ending)
        for state, (opening, endings) in POST_ENDINGS.items()
        for each in endings.values()
        for ending in each
    ),
    *(
        (kind, opening, ending)
        for kind, endings in OTHER_ENDINGS.items()
        for opening, ending in endings
    ),
]


def test_each_kind_of_alert_has_a_case() -> None:
    assert {kind for kind, _, _ in CASES} == set(AlertKind)


def test_each_way_out_of_a_state_with_an_alert_has_a_case() -> None:
    assert set(POST_ENDINGS) == set(STATE_ALERTS)
    for state, (_, endings) in POST_ENDINGS.items():
        assert {after for after in endings if after != "left"} == POST_MOVES[state], state
        can_be_left = resolve.Choice.ACKNOWLEDGE in resolve._CHOICES[state]
        assert ("left" in endings) is can_be_left, state


@pytest.mark.parametrize(
    ("kind", "opening", "ending"),
    CASES,
    ids=lambda value: str(getattr(value, "__name__", value)),
)
async def test_an_alert_ends_when_its_cause_ends(
    desk: Desk, kind: AlertKind, opening: Opening, ending: Ending
) -> None:
    post_id = await opening(desk)
    assert await kinds(desk) == [kind]
    await ending(desk, post_id)
    assert kind not in await kinds(desk)
    await check_shelves(desk)


async def check_shelves(desk: Desk) -> None:
    """What the page lists as posts to look at are the posts with an open alert, no others."""
    async with desk.runtime.database.tenant(desk.tenant.id) as transaction:
        posts = await store.posts.list_all(transaction)
    alerted = {alert.subject for _, alert in await monitor.list_alerts(desk.runtime)}
    for post in posts:
        is_alerted = store.alerts.about_post(post.id) in alerted
        assert resolve.needs_attention(post) is is_alerted, post


@pytest.mark.parametrize("state", list(POST_ENDINGS), ids=str)
async def test_what_is_to_be_looked_at_is_what_is_alerted(desk: Desk, state: PostState) -> None:
    opening, endings = POST_ENDINGS[state]
    post_id = await opening(desk)
    post = await desk.see(post_id)
    assert (post.state, resolve.needs_attention(post)) == (state, True)
    await check_shelves(desk)
    if "left" not in endings:
        return
    await leave(desk, post_id)
    left = await desk.see(post_id)
    assert (left.state, resolve.needs_attention(left)) == (state, False)
    assert resolve.Choice.ACKNOWLEDGE not in resolve.list_choices(left)
    with pytest.raises(resolve.DecisionNotOpen):
        await leave(desk, post_id)


async def test_a_post_that_was_left_and_fails_again_is_alerted_again(desk: Desk) -> None:
    post_id = await failed(desk)
    await leave(desk, post_id)
    await retime(desk, post_id)
    await desk.work_through()
    post = await desk.see(post_id)
    assert (post.state, resolve.needs_attention(post)) == (PostState.FAILED, True)
    assert await kinds(desk) == [AlertKind.FAILED]


async def test_half_deleted_thread_keeps_its_alert_until_it_is_deleted_or_left(desk: Desk) -> None:
    post_id = await partly_published(desk)
    await desk.emulator.fail("delete_post", "before", "drop", times=3)
    with pytest.raises(Exception, match="delete"):
        await delete(desk, post_id)
    assert await kinds(desk) == [AlertKind.DECISION]
    await check_shelves(desk)
    await leave(desk, post_id)
    assert await kinds(desk) == []
    await check_shelves(desk)


async def test_a_stale_refusal_does_not_end_a_newer_connection(
    desk: Desk, emulator: Emulator
) -> None:
    await emulator.jump(seconds=1)
    await reconnect(desk, PostId(0))
    await mark_needs_reconnect(desk.runtime, desk.account, Reauthorize("That was the old grant."))
    assert await kinds(desk) == []
    assert (await desk.integration()).status == "connected"


async def test_a_wrong_clock_is_alerted_again_where_somebody_ended_the_alert(desk: Desk) -> None:
    check = ClockCheck(desk.runtime)
    await check._update_alert("300 s behind")
    await monitor.check_lateness(desk.runtime)  # no worker's session is named yet
    assert await kinds(desk) == []
    await check._update_alert("300 s behind")
    assert await kinds(desk) == [AlertKind.CLOCK_SKEW]
