"""Pauses at four scopes, and publishing exactly once after a restore."""

import contextlib
from collections.abc import Awaitable, Callable

import pytest

from fix_publishing import Desk
from fix_runtime import ACTOR, connect_account, make_tenant
from roost import store
from roost.models import PostId, PostState
from roost.publishing.history import describe_event
from roost.services import pause, restore_check, resume
from roost.services.pause import PauseScope, PostOver
from roost.services.resume import Adopted, Resumed

Hold = Callable[[Desk, PostId, bool], Awaitable[object]]


async def _everything(desk: Desk, _: PostId, paused: bool) -> None:
    await (
        pause.pause_everything(desk.runtime, ACTOR)
        if paused
        else resume.resume_everything(desk.runtime, ACTOR)
    )


HOLDS: dict[PauseScope, Hold] = {
    PauseScope.POST: lambda desk, post_id, paused: (
        pause.pause_post if paused else pause.resume_post
    )(desk.runtime, desk.scope, post_id),
    PauseScope.ACCOUNT: lambda desk, _, paused: (
        pause.pause_account if paused else pause.resume_account
    )(desk.runtime, desk.scope, desk.account),
    PauseScope.TENANT: lambda desk, _, paused: (
        pause.pause_tenant if paused else pause.resume_tenant
    )(desk.runtime, desk.scope),
    PauseScope.EVERYTHING: _everything,
}


async def held(desk: Desk, post_id: PostId) -> tuple[PauseScope, ...]:
    """The pauses that apply to a post."""
    account = await desk.integration()
    async with desk.runtime.database.for_tenant(desk.tenant.id) as transaction:
        holds = await pause.get_pause_status(transaction)
    return pause.active_pauses(await desk.see(post_id), account, holds)


@pytest.mark.parametrize("scope", list(PauseScope), ids=str)
async def test_paused_post_is_published_after_its_resume(desk: Desk, scope: PauseScope) -> None:
    post_id = await desk.plan("Held", after_s=60)
    await HOLDS[scope](desk, post_id, True)
    assert await held(desk, post_id) == (scope,)
    await desk.emulator.jump(seconds=600)
    await desk.work()
    assert await desk.on_x() == []
    await HOLDS[scope](desk, post_id, False)
    assert await held(desk, post_id) == ()
    await desk.work()
    assert await desk.on_x() == ["Held"]


LINES = {
    PauseScope.POST: ("paused manually", "resumed manually"),
    PauseScope.ACCOUNT: ("@larkbooks was paused manually", "@larkbooks was resumed manually"),
    PauseScope.TENANT: (
        "the tenant was paused manually",
        "the tenant was resumed manually",
    ),
    PauseScope.EVERYTHING: ("everything was paused manually", "everything was resumed"),
}


async def reasons_of(desk: Desk, post_id: PostId) -> list[str]:
    """The reasons in a post's history."""
    async with desk.runtime.database.for_tenant(desk.tenant.id) as transaction:
        return [
            describe_event(event) for event in await store.posts.list_events(transaction, post_id)
        ]


@pytest.mark.parametrize("scope", list(PauseScope), ids=str)
async def test_pause_and_resume_are_events_of_the_post(desk: Desk, scope: PauseScope) -> None:
    post_id = await desk.plan("Held", after_s=60)
    for paused in (True, True, False, False):
        await HOLDS[scope](desk, post_id, paused)
    _, *held = await reasons_of(desk, post_id)
    assert tuple(held) == LINES[scope]
    await desk.emulator.jump(seconds=600)
    await desk.work()
    published = await reasons_of(desk, post_id)
    assert published[1:3] == list(LINES[scope])
    for paused in (True, False):
        with contextlib.suppress(PostOver):
            await HOLDS[scope](desk, post_id, paused)
    assert await reasons_of(desk, post_id) == published


async def test_pause_after_restore_is_an_event_of_the_post(desk: Desk) -> None:
    post_id = await desk.plan("Held", after_s=60)
    await restore_check.pause_after_restore(desk.runtime, ACTOR, desk.runtime.clock.now())
    await resume.resume_everything(desk.runtime, ACTOR)
    _, stopped, resumed = await reasons_of(desk, post_id)
    assert stopped.startswith("everything was paused: the database was restored; nothing after ")
    assert resumed == "everything was resumed"


async def test_history_begins_with_an_earlier_pause(desk: Desk) -> None:
    other = await connect_account(desk.runtime, desk.tenant, desk.emulator, "tidewatcher")
    await pause.pause_account(desk.runtime, desk.scope, desk.account)
    await pause.pause_tenant(desk.runtime, desk.scope)
    await pause.resume_tenant(desk.runtime, desk.scope)
    held = await desk.plan("Held")
    free = await desk.plan("Free", account=other)
    assert (await reasons_of(desk, held))[0] == "@larkbooks was paused manually"
    assert len(await reasons_of(desk, held)) == 2
    assert len(await reasons_of(desk, free)) == 1


async def test_pause_account_does_not_pause_other_accounts(desk: Desk) -> None:
    other = await connect_account(desk.runtime, desk.tenant, desk.emulator, "tidewatcher")
    await pause.pause_account(desk.runtime, desk.scope, desk.account)
    await desk.plan("Held")
    await desk.plan("Free", account=other)
    await desk.work()
    assert await desk.on_x() == ["Free"]


async def test_pause_tenant_does_not_pause_other_tenants(desk: Desk) -> None:
    bakery = await make_tenant(desk.runtime, "bakery")
    account = await connect_account(desk.runtime, bakery, desk.emulator, "tidewatcher")
    theirs = Desk(desk.runtime, bakery, account, desk.emulator, desk.locks)
    await pause.pause_tenant(desk.runtime, desk.scope)
    await desk.plan("Held")
    await theirs.plan("Free")
    await desk.work()
    assert await desk.on_x() == ["Free"]


async def test_active_pauses_lists_every_scope(desk: Desk) -> None:
    post_id = await desk.plan("Held", after_s=60)
    for hold in HOLDS.values():
        await hold(desk, post_id, True)
    assert await held(desk, post_id) == tuple(PauseScope)
    await resume.resume_everything(desk.runtime, ACTOR)
    assert await held(desk, post_id) == (PauseScope.POST, PauseScope.ACCOUNT, PauseScope.TENANT)


async def test_paused_thread_continues_from_its_next_part(desk: Desk) -> None:
    await desk.emulator.control(
        "faults", operation="create_post", when="before", script=["ok", "429"]
    )
    post_id = await desk.plan("One", "Two")
    await desk.work()
    await pause.pause_post(desk.runtime, desk.scope, post_id)
    await desk.emulator.jump(seconds=600)
    await desk.work()
    assert await desk.on_x() == ["One"]
    await pause.resume_post(desk.runtime, desk.scope, post_id)
    await desk.work_through()
    assert await desk.on_x() == ["One", "Two"]
    history = await desk.story(post_id)
    assert "post: publishing → publishing: paused manually" in history
    assert "post: publishing → publishing: resumed manually" in history


async def test_pause_post_refuses_a_finished_post(desk: Desk) -> None:
    post_id = await desk.plan("Out")
    await desk.work()
    history = await desk.story(post_id)
    with pytest.raises(PostOver):
        await pause.pause_post(desk.runtime, desk.scope, post_id)
    assert await desk.story(post_id) == history


async def restored(desk: Desk, *, sent: bool) -> PostId:
    """A post that came due after the instant to which the database was restored.

    X may have it from the life that is forgotten; the database knows nothing of that.
    """
    to = desk.runtime.clock.now()
    post_id = await desk.plan("Since the restore", after_s=60)
    await desk.emulator.jump(seconds=90)
    if sent:
        token = (await desk.emulator.connect("larkbooks"))["access_token"]
        async with desk.emulator.http.post(
            f"{desk.emulator.url}/2/tweets",
            json={"text": "Since the restore"},
            headers={"authorization": f"Bearer {token}"},
        ) as answer:
            assert answer.status == 201
    await restore_check.pause_after_restore(desk.runtime, ACTOR, to)
    return post_id


async def test_resume_after_restore_adopts_what_x_has(desk: Desk) -> None:
    await desk.emulator.switch(refuse_duplicates=False)
    post_id = await restored(desk, sent=True)
    await desk.work()
    assert await desk.requests("create_post") == [201]
    resumed = await resume.resume_everything(desk.runtime, ACTOR)
    post = await desk.see(post_id)
    assert post.state is PostState.PUBLISHED
    (there,) = (await desk.emulator.ground_truth())["posts"]
    assert resumed.adopted == [Adopted(post_id, 1, there["id"])]
    assert post.parts[0].sent_as == there["id"]
    forgotten = "the database was restored, and may have forgotten that this was sent"
    assert (await desk.story(post_id))[2:] == [
        f"post: scheduled → publishing: {forgotten}",
        f"part 1: pending → sending: {forgotten}",
        f"part 1: sending → sent: found on X's timeline as {there['id']}",
        "post: publishing → published: published: every part is on X",
    ]


async def test_resume_after_restore_sends_what_x_does_not_have(desk: Desk) -> None:
    post_id = await restored(desk, sent=False)
    async with desk.runtime.database.for_tenant(desk.tenant.id) as transaction:
        assert [one.kind for one in await store.alerts.list_open(transaction)] == ["restored"]
    assert (await resume.resume_everything(desk.runtime, ACTOR)).searched_again == [post_id]
    await desk.work_through()
    assert (await desk.see(post_id)).state is PostState.PUBLISHED
    assert await desk.on_x() == ["Since the restore"]
    assert len(await desk.requests("read_timeline")) == 2
    assert (await desk.story(post_id))[2:6] == [
        "post: None → None: everything was resumed",
        "post: scheduled → publishing: its time has come",
        "post: publishing → publishing: waits: requests from before the restore may still reach X",
        "part 1: pending → sending: handed to X (attempt 1)",
    ]
    async with desk.runtime.database.for_tenant(desk.tenant.id) as transaction:
        assert await store.alerts.list_open(transaction) == []


async def test_resume_after_restore_keeps_future_posts_scheduled(desk: Desk) -> None:
    post_id = await desk.plan("Tomorrow", after_s=86_400)
    await restore_check.pause_after_restore(desk.runtime, ACTOR, desk.runtime.clock.now())
    resumed = await resume.resume_everything(desk.runtime, ACTOR)
    assert resumed == Resumed(may_have_changed=[post_id])


async def test_two_restores_count_from_the_earlier_instant(desk: Desk) -> None:
    first = desk.runtime.clock.now()
    await restore_check.pause_after_restore(desk.runtime, ACTOR, first)
    await desk.emulator.jump(hours=1)
    await restore_check.pause_after_restore(desk.runtime, ACTOR, desk.runtime.clock.now())
    async with desk.runtime.database.unscoped() as transaction:
        row = await transaction.run_one("get_global_pause")
    assert row is not None
    assert row["restored_to"] == first
