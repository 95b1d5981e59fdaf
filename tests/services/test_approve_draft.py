"""An approval schedules exactly what was read, once, and only by a person by default."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from PIL import Image

from fix_model import ModelServer
from fix_publishing import Publisher, wait_for_lock_conflict
from roost import store
from roost.errors import TimePast
from roost.models import Post, PostState
from roost.publishing.part_input import MediaInput, PartInput
from roost.services.drafts import (
    Draft,
    DraftChanged,
    DraftHasDoubts,
    DraftNotEditable,
    PersonNeeded,
    approve_draft,
    discard_draft,
    edit_draft,
    get_draft,
    improve_draft,
    undo_improvement,
    write_drafts,
)
from roost.services.schedule import cancel_post
from roost.services.tenant import set_drafts_without_person
from services.test_drafts import make_brief, open_model, reply

BODY = "The shop is open from 10 am to 6 pm."


async def write(publisher: Publisher) -> Draft:
    (draft,) = (await write_drafts(publisher.runtime, publisher.scope, make_brief())).drafts
    return draft


async def read(publisher: Publisher, draft: Draft) -> Draft:
    return await get_draft(publisher.runtime, publisher.scope, draft.id)


def in_an_hour(publisher: Publisher) -> datetime:
    return publisher.runtime.clock.now() + timedelta(hours=1)


async def approve(
    publisher: Publisher, draft: Draft, at: datetime, *, by_person: bool = True
) -> Post:
    """Approve the draft as it was read."""
    return await approve_draft(
        publisher.runtime, publisher.scope, draft.id,
        at=at, approval_hash=draft.approval_hash(at), by_person=by_person,
    )  # fmt: skip


async def list_posts(publisher: Publisher) -> list[Post]:
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        return await store.posts.list_all(transaction)


async def test_an_approved_draft_is_published_as_it_was_read(publisher: Publisher) -> None:
    draft, at = await write(publisher), in_an_hour(publisher)
    post = await approve(publisher, draft, at)
    assert (post.state, post.due_at) == (PostState.SCHEDULED, at)
    assert tuple(part.text for part in post.parts) == draft.parts
    approved = await read(publisher, draft)
    assert (approved.state, approved.post_id) == ("approved", post.id)
    await publisher.run_to_completion()
    assert len(await publisher.published_texts()) == 1


async def test_a_second_approval_schedules_nothing(publisher: Publisher) -> None:
    draft, at = await write(publisher), in_an_hour(publisher)
    first = await approve(publisher, draft, at)
    assert (await approve(publisher, draft, at)).id == first.id
    with pytest.raises(DraftNotEditable):
        await approve(publisher, draft, at + timedelta(hours=1))
    assert len(await list_posts(publisher)) == 1


@pytest.mark.timing
async def test_concurrent_approvals_schedule_one_post(publisher: Publisher) -> None:
    draft, at = await write(publisher), in_an_hour(publisher)
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        await store.drafts.lock(transaction, draft.id)
        approvals = [asyncio.create_task(approve(publisher, draft, at)) for _ in range(3)]
        await wait_for_lock_conflict(publisher.runtime, 3)
    posts = {(await each).id for each in approvals}
    assert posts == {post.id for post in await list_posts(publisher)}
    assert len(posts) == 1


async def test_a_draft_that_changed_since_it_was_read_is_not_scheduled(
    publisher: Publisher,
) -> None:
    draft, at = await write(publisher), in_an_hour(publisher)
    await improve_draft(publisher.runtime, publisher.scope, draft.id, "without the link")
    with pytest.raises(DraftChanged):
        await approve(publisher, draft, at)
    assert await list_posts(publisher) == []
    await undo_improvement(publisher.runtime, publisher.scope, draft.id)
    assert (await approve(publisher, draft, at)).state is PostState.SCHEDULED


@pytest.mark.timing
async def test_a_change_during_the_approval_is_found_under_the_lock(publisher: Publisher) -> None:
    draft, at = await write(publisher), in_an_hour(publisher)
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        await store.drafts.lock(transaction, draft.id)
        approval = asyncio.create_task(approve(publisher, draft, at))
        await wait_for_lock_conflict(publisher.runtime)
        await store.drafts.update(transaction, draft.id, state="discarded", revision=1)  # type: ignore[arg-type]
    with pytest.raises(DraftNotEditable):
        await approval
    assert await list_posts(publisher) == []


async def test_a_hash_of_another_time_is_refused(publisher: Publisher) -> None:
    draft, at = await write(publisher), in_an_hour(publisher)
    with pytest.raises(DraftChanged):
        await approve_draft(
            publisher.runtime, publisher.scope, draft.id, at=at + timedelta(minutes=1),
            approval_hash=draft.approval_hash(at), by_person=True,
        )  # fmt: skip
    with pytest.raises(TimePast):
        await approve(publisher, draft, at - timedelta(days=1))
    assert (await read(publisher, draft)).state == "draft"


async def test_a_program_approves_only_with_the_tenants_permission(publisher: Publisher) -> None:
    draft, at = await write(publisher), in_an_hour(publisher)
    with pytest.raises(PersonNeeded):
        await approve(publisher, draft, at, by_person=False)
    assert await list_posts(publisher) == []
    await set_drafts_without_person(publisher.runtime, publisher.scope, allowed=True)
    assert (await approve(publisher, draft, at, by_person=False)).state is PostState.SCHEDULED


async def test_a_program_never_approves_a_draft_with_a_doubt(
    publisher: Publisher, model_server: ModelServer
) -> None:
    model_server.answers = [reply(("The shop of a retired admiral opens at 10 am.", "hours"))]
    written = await write_drafts(
        publisher.runtime, publisher.scope, make_brief(), model=open_model(model_server)
    )
    draft, at = next(each for each in written.drafts if each.doubts), in_an_hour(publisher)
    await set_drafts_without_person(publisher.runtime, publisher.scope, allowed=True)
    with pytest.raises(DraftHasDoubts) as raised:
        await approve(publisher, draft, at, by_person=False)
    assert raised.value.code == "draft_has_doubts"
    assert raised.value.facts["doubts"] == ["No fact says: retired, admiral."]
    assert await list_posts(publisher) == []
    assert (await approve(publisher, draft, at, by_person=True)).state is PostState.SCHEDULED


async def test_an_improvement_ends_the_approval_and_cancels_the_post(publisher: Publisher) -> None:
    draft, at = await write(publisher), in_an_hour(publisher)
    post = await approve(publisher, draft, at)
    result = await improve_draft(publisher.runtime, publisher.scope, draft.id, "without the link")
    assert result.cancelled == post.id
    assert (await publisher.get_post(post.id)).state is PostState.CANCELLED
    assert (result.draft.state, result.draft.post_id) == ("draft", None)
    again = await approve(publisher, result.draft, at)
    assert again.id != post.id
    assert tuple(part.text for part in again.parts) == result.draft.parts


async def test_a_published_draft_does_not_change(publisher: Publisher) -> None:
    draft = await write(publisher)
    await approve(publisher, draft, in_an_hour(publisher))
    await publisher.run_to_completion()
    with pytest.raises(DraftNotEditable):
        await improve_draft(publisher.runtime, publisher.scope, draft.id, "without the link")
    with pytest.raises(DraftNotEditable):
        await discard_draft(publisher.runtime, publisher.scope, draft.id)
    assert (await read(publisher, draft)).revision == 1


async def test_a_draft_whose_post_was_cancelled_is_scheduled_again(publisher: Publisher) -> None:
    draft, at = await write(publisher), in_an_hour(publisher)
    first = await approve(publisher, draft, at)
    await cancel_post(publisher.runtime, publisher.scope, first.id)
    second = await approve(publisher, draft, at)
    assert second.id != first.id
    assert second.state is PostState.SCHEDULED


async def test_a_file_that_changed_since_the_edit_is_not_scheduled(
    publisher: Publisher, teal: Path
) -> None:
    draft, at = await write(publisher), in_an_hour(publisher)
    part = PartInput(BODY, (MediaInput(teal, "Teal"),))
    edited = (await edit_draft(publisher.runtime, publisher.scope, draft.id, [part])).draft
    Image.new("RGB", (64, 64), "red").save(teal)
    with pytest.raises(DraftChanged):
        await approve(publisher, edited, at)
    assert await list_posts(publisher) == []
    Image.new("RGB", (64, 64), "teal").save(teal)
    post = await approve(publisher, edited, at)
    assert [file.alt_text for file in post.parts[0].media] == ["Teal"]
