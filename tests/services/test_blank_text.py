"""A blank text counts as none, wherever it comes from: with a picture it is
omitted, alone it is refused before anything is stored."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from fix_publishing import Desk
from roost import store
from roost.errors import PostRefused
from roost.models import PostId, PostState
from roost.publishing.part_input import MediaInput
from roost.services import resolve
from roost.services.schedule import PartInput, edit_post, import_plan, schedule_post

BLANKS = {
    "nothing": "",
    "space": " ",
    "line end": "\n",
    "NBSP": "\xa0",
    "U+3000": "\u3000",
    "U+200B": "\u200b",
    "several": " \u3000\n\xa0",
}
HEADER = "account,at,text,media,alt,thread\n"


async def publish_thread(desk: Desk, picture: Path, blank: str) -> PostId:
    """A thread whose second part is a picture with a blank text."""
    parts = [PartInput("One"), PartInput(blank, (MediaInput(picture),)), PartInput("Three")]
    post = await schedule_post(
        desk.runtime, desk.scope, desk.account, parts, due_at=desk.runtime.clock.now()
    )
    return post.id


async def import_thread(desk: Desk, picture: Path, blank: str) -> PostId:
    """The thread from a plan."""
    plan = picture.parent / "plan.csv"
    plan.write_text(
        f'{HEADER}@larkbooks,+5s,One,,,w\n,,"{blank}",{picture.name},,w\n,,Three,,,w\n', "utf-8"
    )
    imported = await import_plan(desk.runtime, desk.scope, plan)
    assert (imported.posts, imported.refused) == (1, ())
    async with desk.runtime.database.for_tenant(desk.tenant.id) as transaction:
        (post,) = await store.posts.list_all(transaction)
    return post.id


async def edit_thread(desk: Desk, picture: Path, blank: str) -> PostId:
    """The thread by an edit."""
    post_id = await desk.plan("Old", after_s=5)
    parts = [PartInput("One"), PartInput(blank, (MediaInput(picture),)), PartInput("Three")]
    await edit_post(desk.runtime, desk.scope, post_id, parts=parts, due_at=None)
    return post_id


async def continue_thread(desk: Desk, picture: Path, blank: str) -> PostId:
    """The thread by a decision, after X refused the text of the second part."""
    post_id = await halved(desk, picture)
    await resolve.continue_thread(desk.runtime, desk.scope, post_id, blank)
    assert "part 2: failed → pending: edited manually" in await desk.story(post_id)
    return post_id


async def stored_before(desk: Desk, picture: Path, blank: str) -> PostId:
    """The thread from rows of a version that stored blank texts unchanged."""
    post_id = await publish_thread(desk, picture, "")
    async with desk.runtime.database.for_tenant(desk.tenant.id) as transaction:
        await transaction.raw.execute(
            "UPDATE parts SET text = %s WHERE post_id = %s AND position = 2", (blank, post_id)
        )
    return post_id


async def halved(desk: Desk, picture: Path) -> PostId:
    """A thread stopped at its second part, a picture with a text that X refuses as a duplicate."""
    await desk.plan("Said before")
    parts = [
        PartInput("One"),
        PartInput("Said before", (MediaInput(picture, "Teal"),)),
        PartInput("Three"),
    ]
    post = await schedule_post(
        desk.runtime, desk.scope, desk.account, parts, due_at=desk.runtime.clock.now()
    )
    await desk.work_through()
    assert (await desk.see(post.id)).state is PostState.PARTLY_PUBLISHED
    return post.id


SOURCES: dict[str, Callable[[Desk, Path, str], Awaitable[PostId]]] = {
    "publish": publish_thread,
    "import": import_thread,
    "edit": edit_thread,
    "decide continue": continue_thread,
    "stored before": stored_before,
}


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("blank", BLANKS)
async def test_picture_with_a_blank_text_is_sent_without_text(
    desk: Desk, teal: Path, source: str, blank: str
) -> None:
    post_id = await SOURCES[source](desk, teal, BLANKS[blank])
    await desk.work_through()
    assert (await desk.see(post_id)).state is PostState.PUBLISHED
    thread = (await desk.emulator.ground_truth())["posts"][-3:]
    assert [each["text"] for each in thread] == ["One", "", "Three"]
    assert [len(each["media"]) for each in thread] == [0, 1, 0]


@pytest.mark.parametrize("blank", BLANKS)
async def test_blank_text_without_media_is_refused(desk: Desk, tmp_path: Path, blank: str) -> None:
    text = BLANKS[blank]
    with pytest.raises(PostRefused) as refused:
        await desk.plan(text)
    assert refused.value.code == "text_blank"
    plan = tmp_path / "plan.csv"
    plan.write_text(f'{HEADER}@larkbooks,+5s,One,,,w\n,,"{text}",,,w\n', "utf-8")
    imported = await import_plan(desk.runtime, desk.scope, plan)
    assert (imported.posts, {row.code for row in imported.refused}) == (
        0,
        {"text_blank", "thread_refused"},
    )


@pytest.mark.parametrize("blank", BLANKS)
async def test_continue_thread_refuses_a_blank_text_without_media(desk: Desk, blank: str) -> None:
    await desk.plan("Said before")
    post_id = await desk.plan("One", "Said before", after_s=1)
    await desk.work_through()
    with pytest.raises(PostRefused) as refused:
        await resolve.continue_thread(desk.runtime, desk.scope, post_id, BLANKS[blank])
    assert refused.value.code == "text_blank"
    assert (await desk.see(post_id)).parts[1].text == "Said before"
