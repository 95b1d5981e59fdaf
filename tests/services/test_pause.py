"""Pausing and resuming a post, an account, a tenant or everything, also after a restore."""

import contextlib
from collections.abc import Awaitable, Callable

import pytest

from fix_publishing import Publisher
from fix_runtime import ACTOR, connect_account, make_tenant
from roost import store
from roost.models import PostId, PostState
from roost.publishing.history import describe_event
from roost.services import pause, restore_check, resume
from roost.services.pause import PauseScope, PostOver
from roost.services.resume import Adopted, Resumed

SetPause = Callable[[Publisher, PostId, bool], Awaitable[object]]


async def _everything(publisher: Publisher, _: PostId, paused: bool) -> None:
    await (
        pause.pause_everything(publisher.runtime, ACTOR)
        if paused
        else resume.resume_everything(publisher.runtime, ACTOR)
    )


PAUSES: dict[PauseScope, SetPause] = {
    PauseScope.POST: lambda publisher, post_id, paused: (
        pause.pause_post if paused else pause.resume_post
    )(publisher.runtime, publisher.scope, post_id),
    PauseScope.ACCOUNT: lambda publisher, _, paused: (
        pause.pause_account if paused else pause.resume_account
    )(publisher.runtime, publisher.scope, publisher.account),
    PauseScope.TENANT: lambda publisher, _, paused: (
        pause.pause_tenant if paused else pause.resume_tenant
    )(publisher.runtime, publisher.scope),
    PauseScope.EVERYTHING: _everything,
}


async def active_pauses_of(publisher: Publisher, post_id: PostId) -> tuple[PauseScope, ...]:
    """Return the scope of each active pause that applies to a post."""
    account = await publisher.get_integration()
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        holds = await pause.get_pause_status(transaction)
    return pause.active_pauses(await publisher.get_post(post_id), account, holds)


@pytest.mark.parametrize("scope", list(PauseScope), ids=str)
async def test_paused_post_is_published_after_its_resume(
    publisher: Publisher, scope: PauseScope
) -> None:
    post_id = await publisher.schedule("Held", after_s=60)
    await PAUSES[scope](publisher, post_id, True)
    assert await active_pauses_of(publisher, post_id) == (scope,)
    await publisher.emulator.jump(seconds=600)
    await publisher.run_due_jobs()
    assert await publisher.published_texts() == []
    await PAUSES[scope](publisher, post_id, False)
    assert await active_pauses_of(publisher, post_id) == ()
    await publisher.run_due_jobs()
    assert await publisher.published_texts() == ["Held"]


LINES = {
    PauseScope.POST: ("paused", "resumed"),
    PauseScope.ACCOUNT: ("@larkbooks was paused", "@larkbooks was resumed"),
    PauseScope.TENANT: (
        "the tenant was paused",
        "the tenant was resumed",
    ),
    PauseScope.EVERYTHING: ("everything was paused", "everything was resumed"),
}


async def reasons_of(publisher: Publisher, post_id: PostId) -> list[str]:
    """Return the description of each event in a post's history."""
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        return [
            describe_event(event) for event in await store.posts.list_events(transaction, post_id)
        ]


@pytest.mark.parametrize("scope", list(PauseScope), ids=str)
async def test_pause_and_resume_are_events_of_the_post(
    publisher: Publisher, scope: PauseScope
) -> None:
    post_id = await publisher.schedule("Held", after_s=60)
    for paused in (True, True, False, False):
        await PAUSES[scope](publisher, post_id, paused)
    _, *pause_reasons = await reasons_of(publisher, post_id)
    assert tuple(pause_reasons) == LINES[scope]
    await publisher.emulator.jump(seconds=600)
    await publisher.run_due_jobs()
    published = await reasons_of(publisher, post_id)
    assert published[1:3] == list(LINES[scope])
    for paused in (True, False):
        with contextlib.suppress(PostOver):
            await PAUSES[scope](publisher, post_id, paused)
    assert await reasons_of(publisher, post_id) == published


async def test_pause_after_restore_is_an_event_of_the_post(publisher: Publisher) -> None:
    post_id = await publisher.schedule("Held", after_s=60)
    await restore_check.pause_after_restore(publisher.runtime, ACTOR, publisher.runtime.clock.now())
    await resume.resume_everything(publisher.runtime, ACTOR)
    _, stopped, resumed = await reasons_of(publisher, post_id)
    assert stopped.startswith(
        "everything was paused: the database was restored; it has no records from after "
    )
    assert resumed == "everything was resumed"


async def test_history_begins_with_an_earlier_pause(publisher: Publisher) -> None:
    other = await connect_account(
        publisher.runtime, publisher.tenant, publisher.emulator, "tidewatcher"
    )
    await pause.pause_account(publisher.runtime, publisher.scope, publisher.account)
    await pause.pause_tenant(publisher.runtime, publisher.scope)
    await pause.resume_tenant(publisher.runtime, publisher.scope)
    paused = await publisher.schedule("Paused")
    free = await publisher.schedule("Free", account=other)
    assert (await reasons_of(publisher, paused))[0] == "@larkbooks was paused"
    assert len(await reasons_of(publisher, paused)) == 2
    assert len(await reasons_of(publisher, free)) == 1


async def test_pause_account_does_not_pause_other_accounts(publisher: Publisher) -> None:
    other = await connect_account(
        publisher.runtime, publisher.tenant, publisher.emulator, "tidewatcher"
    )
    await pause.pause_account(publisher.runtime, publisher.scope, publisher.account)
    await publisher.schedule("Held")
    await publisher.schedule("Free", account=other)
    await publisher.run_due_jobs()
    assert await publisher.published_texts() == ["Free"]


async def test_pause_tenant_does_not_pause_other_tenants(publisher: Publisher) -> None:
    bakery = await make_tenant(publisher.runtime, "bakery")
    account = await connect_account(publisher.runtime, bakery, publisher.emulator, "tidewatcher")
    theirs = Publisher(publisher.runtime, bakery, account, publisher.emulator, publisher.locks)
    await pause.pause_tenant(publisher.runtime, publisher.scope)
    await publisher.schedule("Held")
    await theirs.schedule("Free")
    await publisher.run_due_jobs()
    assert await publisher.published_texts() == ["Free"]


async def test_active_pauses_lists_every_scope(publisher: Publisher) -> None:
    post_id = await publisher.schedule("Held", after_s=60)
    for set_pause in PAUSES.values():
        await set_pause(publisher, post_id, True)
    assert await active_pauses_of(publisher, post_id) == tuple(PauseScope)
    await resume.resume_everything(publisher.runtime, ACTOR)
    assert await active_pauses_of(publisher, post_id) == (
        PauseScope.POST,
        PauseScope.ACCOUNT,
        PauseScope.TENANT,
    )


async def test_paused_thread_continues_from_its_next_part(publisher: Publisher) -> None:
    await publisher.emulator.control(
        "faults", operation="create_post", when="before", script=["ok", "429"]
    )
    post_id = await publisher.schedule("One", "Two")
    await publisher.run_due_jobs()
    await pause.pause_post(publisher.runtime, publisher.scope, post_id)
    await publisher.emulator.jump(seconds=600)
    await publisher.run_due_jobs()
    assert await publisher.published_texts() == ["One"]
    await pause.resume_post(publisher.runtime, publisher.scope, post_id)
    await publisher.run_to_completion()
    assert await publisher.published_texts() == ["One", "Two"]
    history = await publisher.list_history(post_id)
    assert "post: publishing → publishing: paused" in history
    assert "post: publishing → publishing: resumed" in history


async def test_pause_post_refuses_a_finished_post(publisher: Publisher) -> None:
    post_id = await publisher.schedule("Out")
    await publisher.run_due_jobs()
    history = await publisher.list_history(post_id)
    with pytest.raises(PostOver):
        await pause.pause_post(publisher.runtime, publisher.scope, post_id)
    assert await publisher.list_history(post_id) == history


async def restored(publisher: Publisher, *, sent: bool) -> PostId:
    """Schedule a post, then pause as if the database was restored to an earlier instant.

    If `sent` is true, the post is on X, but the database does not record this.
    """
    to = publisher.runtime.clock.now()
    post_id = await publisher.schedule("Since the restore", after_s=60)
    await publisher.emulator.jump(seconds=90)
    if sent:
        token = (await publisher.emulator.connect("larkbooks"))["access_token"]
        async with publisher.emulator.http.post(
            f"{publisher.emulator.url}/2/tweets",
            json={"text": "Since the restore"},
            headers={"authorization": f"Bearer {token}"},
        ) as answer:
            assert answer.status == 201
    await restore_check.pause_after_restore(publisher.runtime, ACTOR, to)
    return post_id


async def test_resume_after_restore_adopts_what_x_has(publisher: Publisher) -> None:
    await publisher.emulator.switch(refuse_duplicates=False)
    post_id = await restored(publisher, sent=True)
    await publisher.run_due_jobs()
    assert await publisher.list_statuses("create_post") == [201]
    resumed = await resume.resume_everything(publisher.runtime, ACTOR)
    post = await publisher.get_post(post_id)
    assert post.state is PostState.PUBLISHED
    (there,) = (await publisher.emulator.ground_truth())["posts"]
    assert resumed.adopted == [Adopted(post_id, 1, there["id"])]
    assert post.parts[0].sent_as == there["id"]
    forgotten = "the database was restored, and may lack the record that the post was sent"
    assert (await publisher.list_history(post_id))[2:] == [
        f"post: scheduled → publishing: {forgotten}",
        f"part 1: pending → sending: {forgotten}",
        f"part 1: sending → sent: found on X's timeline as {there['id']}",
        "post: publishing → published: published: every part is on X",
    ]


async def test_resume_after_restore_sends_what_x_does_not_have(publisher: Publisher) -> None:
    post_id = await restored(publisher, sent=False)
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        assert [one.kind for one in await store.alerts.list_open(transaction)] == ["restored"]
    assert (await resume.resume_everything(publisher.runtime, ACTOR)).searched_again == [post_id]
    await publisher.run_to_completion()
    assert (await publisher.get_post(post_id)).state is PostState.PUBLISHED
    assert await publisher.published_texts() == ["Since the restore"]
    assert len(await publisher.list_statuses("read_timeline")) == 2
    assert (await publisher.list_history(post_id))[2:6] == [
        "post: None → None: everything was resumed",
        "post: scheduled → publishing: the post became due",
        "post: publishing → publishing: waits: requests from before the restore may still reach X",
        "part 1: pending → sending: handed to X (attempt 1)",
    ]
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        assert await store.alerts.list_open(transaction) == []


async def test_resume_after_restore_keeps_future_posts_scheduled(publisher: Publisher) -> None:
    post_id = await publisher.schedule("Tomorrow", after_s=86_400)
    await restore_check.pause_after_restore(publisher.runtime, ACTOR, publisher.runtime.clock.now())
    resumed = await resume.resume_everything(publisher.runtime, ACTOR)
    assert resumed == Resumed(may_have_changed=[post_id])


async def test_two_restores_count_from_the_earlier_instant(publisher: Publisher) -> None:
    first = publisher.runtime.clock.now()
    await restore_check.pause_after_restore(publisher.runtime, ACTOR, first)
    await publisher.emulator.jump(hours=1)
    await restore_check.pause_after_restore(publisher.runtime, ACTOR, publisher.runtime.clock.now())
    async with publisher.runtime.database.unscoped() as transaction:
        row = await transaction.run_one("get_global_pause")
    assert row is not None
    assert row["restored_to"] == first
