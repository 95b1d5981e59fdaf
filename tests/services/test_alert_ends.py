"""Every kind of alert is resolved when its cause ends, however the cause ends.

The cases cover all changes of state in `POST_MOVES` and all kinds of alerts. If a change of state
or a kind is added, a test here fails until there is a case for it.
"""

from typing import Final

import pytest

from fix_emulator import Emulator
from fix_publishing import Publisher
from roost import store
from roost.account_client import mark_needs_reconnect
from roost.models import POST_MOVES, AlertKind, PostId, PostState
from roost.models.alerts import about_post
from roost.outcome_alerts import STATE_ALERTS
from roost.publishing import decisions
from roost.services import monitor, resolve
from roost.services.clock_check import ClockCheck
from roost.x.errors import ReauthorizationRequired

from .alert_causes import (
    BEHIND,
    Ending,
    Opening,
    accept_again,
    accept_copy,
    acknowledge,
    another,
    app_refused,
    become_limited,
    become_missed,
    cancel,
    continue_thread,
    copied,
    delete,
    discard,
    edit,
    end_worker,
    failed,
    find_on_x,
    kinds,
    late,
    lose_access,
    missed,
    needs_decision,
    needs_reconnect,
    partly_published,
    pause_everything,
    pause_post,
    possible_duplicate,
    publish,
    reconnect,
    reconnect_renamed,
    refuse_again,
    resend,
    restart_worker,
    restored,
    resume_all,
    retime,
    set_clock,
    then_check,
    thread_needs_decision,
    wait_for_nothing,
    wrong_clock,
)

#: For each state of a post that causes an alert: first a function that brings a post into this
#: state; then, for each next state, the functions that bring the post into the next state.
POST_ENDINGS: Final[dict[PostState, tuple[Opening, dict[PostState | str, list[Ending]]]]] = {
    PostState.NEEDS_DECISION: (
        needs_decision,
        {
            PostState.PUBLISHING: [find_on_x, resend],
            PostState.FAILED: [discard],
            PostState.PARTLY_PUBLISHED: [],  # only for a thread: see OTHER_ENDINGS
        },
    ),
    PostState.PARTLY_PUBLISHED: (
        partly_published,
        {
            PostState.PUBLISHING: [continue_thread],
            PostState.CANCELLED: [delete],
            "left": [acknowledge],
        },
    ),
    PostState.MISSED: (
        missed,
        {
            PostState.SCHEDULED: [edit, retime],
            PostState.PUBLISHING: [resend],
            PostState.CANCELLED: [discard, cancel],
        },
    ),
    PostState.FAILED: (
        failed,
        {PostState.SCHEDULED: [edit, retime], PostState.CANCELLED: [cancel], "left": [acknowledge]},
    ),
}

OTHER_ENDINGS: Final[dict[AlertKind, list[tuple[Opening, Ending]]]] = {
    AlertKind.DECISION: [(thread_needs_decision, discard)],
    AlertKind.POSSIBLE_DUPLICATE: [(possible_duplicate, acknowledge)],
    AlertKind.RECONNECT: [(needs_reconnect, reconnect), (needs_reconnect, reconnect_renamed)],
    AlertKind.CREDITS: [
        (app_refused("credits"), each)
        for each in (accept_again, refuse_again, wait_for_nothing, another(AlertKind.APP))
    ],
    AlertKind.APP: [
        (app_refused("app"), each)
        for each in (accept_again, refuse_again, wait_for_nothing, another(AlertKind.LIMIT))
    ],
    AlertKind.LIMIT: [
        (app_refused("limit"), each)
        for each in (accept_again, refuse_again, wait_for_nothing, another(AlertKind.CREDITS))
    ],
    AlertKind.LATE: [
        (late, then_check(each))
        for each in (
            publish, cancel, edit, pause_post, pause_everything, lose_access, become_missed,
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


def test_cases_include_every_kind_of_alert() -> None:
    assert {kind for kind, _, _ in CASES} == set(AlertKind)


def test_cases_include_every_way_out_of_an_alerting_state() -> None:
    assert set(POST_ENDINGS) == set(STATE_ALERTS)
    for state, (_, endings) in POST_ENDINGS.items():
        assert {after for after in endings if after != "left"} == POST_MOVES[state], state
        can_be_left = decisions.Choice.ACKNOWLEDGE in decisions.CHOICES[state]
        assert ("left" in endings) is can_be_left, state


@pytest.mark.parametrize(
    ("kind", "opening", "ending"),
    CASES,
    ids=lambda value: str(getattr(value, "__name__", value)),
)
async def test_alert_is_resolved_when_its_cause_ends(
    publisher: Publisher, kind: AlertKind, opening: Opening, ending: Ending
) -> None:
    post_id = await opening(publisher)
    assert await kinds(publisher) == [kind]
    await ending(publisher, post_id)
    assert kind not in await kinds(publisher)
    await check_attention(publisher)


async def check_attention(publisher: Publisher) -> None:
    """Check that exactly the posts with an open alert need attention."""
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        posts = await store.posts.list_all(transaction)
    alerted = {alert.subject for _, alert in await monitor.list_alerts(publisher.runtime)}
    for post in posts:
        is_alerted = about_post(post.id) in alerted
        assert decisions.needs_attention(post) is is_alerted, post


@pytest.mark.parametrize("state", list(POST_ENDINGS), ids=str)
async def test_needs_attention_equals_an_open_alert(publisher: Publisher, state: PostState) -> None:
    opening, endings = POST_ENDINGS[state]
    post_id = await opening(publisher)
    post = await publisher.get_post(post_id)
    assert (post.state, decisions.needs_attention(post)) == (state, True)
    await check_attention(publisher)
    if "left" not in endings:
        return
    await acknowledge(publisher, post_id)
    left = await publisher.get_post(post_id)
    assert (left.state, decisions.needs_attention(left)) == (state, False)
    assert decisions.Choice.ACKNOWLEDGE not in decisions.list_choices(left)
    with pytest.raises(resolve.DecisionNotOpen):
        await acknowledge(publisher, post_id)


async def test_acknowledged_post_that_fails_again_opens_an_alert(publisher: Publisher) -> None:
    post_id = await failed(publisher)
    await acknowledge(publisher, post_id)
    await retime(publisher, post_id)
    await publisher.run_to_completion()
    post = await publisher.get_post(post_id)
    assert (post.state, decisions.needs_attention(post)) == (PostState.FAILED, True)
    assert await kinds(publisher) == [AlertKind.FAILED]


async def test_partly_deleted_thread_keeps_its_alert(publisher: Publisher) -> None:
    post_id = await partly_published(publisher)
    await publisher.emulator.fail("delete_post", "before", "drop", times=3)
    with pytest.raises(Exception, match="delete"):
        await delete(publisher, post_id)
    assert await kinds(publisher) == [AlertKind.DECISION]
    await check_attention(publisher)
    await acknowledge(publisher, post_id)
    assert await kinds(publisher) == []
    await check_attention(publisher)


async def test_stale_refusal_does_not_end_a_newer_connection(
    publisher: Publisher, emulator: Emulator
) -> None:
    await emulator.jump(seconds=1)
    await reconnect(publisher, PostId(0))
    await mark_needs_reconnect(
        publisher.runtime, publisher.account, ReauthorizationRequired("That was the old grant.")
    )
    assert await kinds(publisher) == []
    assert (await publisher.get_integration()).status == "connected"


async def test_wrong_clock_reopens_a_resolved_alert(publisher: Publisher) -> None:
    check = ClockCheck(publisher.runtime)
    await check._update_alert(BEHIND)
    # Running workers are recognized by the names of their database sessions. No session has a name
    # yet, so the check finds no worker on the machine and resolves the alert.
    await monitor.check_lateness(publisher.runtime)
    assert await kinds(publisher) == []
    await check._update_alert(BEHIND)
    assert await kinds(publisher) == [AlertKind.CLOCK_SKEW]
