"""A blank text counts as no text when a post is scheduled, imported, edited or continued.

If a part with a blank text has a picture, the part is sent without text. If it has no picture, the
part is refused before it is stored.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from fix_publishing import Publisher
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


async def publish_thread(publisher: Publisher, picture: Path, blank: str) -> PostId:
    """Schedule a thread whose second part is a picture with a blank text."""
    parts = [PartInput("One"), PartInput(blank, (MediaInput(picture),)), PartInput("Three")]
    post = await schedule_post(
        publisher.runtime,
        publisher.scope,
        publisher.account,
        parts,
        due_at=publisher.runtime.clock.now(),
    )
    return post.id


async def import_thread(publisher: Publisher, picture: Path, blank: str) -> PostId:
    """Import a thread whose second part is a picture with a blank text."""
    plan = picture.parent / "plan.csv"
    plan.write_text(
        f'{HEADER}@larkbooks,+5s,One,,,w\n,,"{blank}",{picture.name},,w\n,,Three,,,w\n', "utf-8"
    )
    imported = await import_plan(publisher.runtime, publisher.scope, plan)
    assert (imported.posts, imported.refused) == (1, ())
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        (post,) = await store.posts.list_all(transaction)
    return post.id


async def edit_thread(publisher: Publisher, picture: Path, blank: str) -> PostId:
    """Replace a post's text by a thread whose second part is a picture with a blank text."""
    post_id = await publisher.schedule("Old", after_s=5)
    parts = [PartInput("One"), PartInput(blank, (MediaInput(picture),)), PartInput("Three")]
    await edit_post(publisher.runtime, publisher.scope, post_id, parts=parts, due_at=None)
    return post_id


async def continue_thread(publisher: Publisher, picture: Path, blank: str) -> PostId:
    """Continue a thread whose second part X has refused, with a blank text for this part."""
    post_id = await publish_partly(publisher, picture)
    await resolve.continue_thread(publisher.runtime, publisher.scope, post_id, blank)
    assert any(
        "part 2: failed → pending: edited" in line for line in await publisher.list_history(post_id)
    )
    return post_id


async def stored_before(publisher: Publisher, picture: Path, blank: str) -> PostId:
    """Store a thread whose second part has a blank text, as earlier versions of Roost did."""
    post_id = await publish_thread(publisher, picture, "")
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        await transaction.raw.execute(
            "UPDATE parts SET text = %s WHERE post_id = %s AND position = 2", (blank, post_id)
        )
    return post_id


async def publish_partly(publisher: Publisher, picture: Path) -> PostId:
    """Publish a thread that stops at its second part, whose text X refuses as a duplicate."""
    await publisher.schedule("Said before")
    parts = [
        PartInput("One"),
        PartInput("Said before", (MediaInput(picture, "Teal"),)),
        PartInput("Three"),
    ]
    post = await schedule_post(
        publisher.runtime,
        publisher.scope,
        publisher.account,
        parts,
        due_at=publisher.runtime.clock.now(),
    )
    await publisher.run_to_completion()
    assert (await publisher.get_post(post.id)).state is PostState.PARTLY_PUBLISHED
    return post.id


SOURCES: dict[str, Callable[[Publisher, Path, str], Awaitable[PostId]]] = {
    "publish": publish_thread,
    "import": import_thread,
    "edit": edit_thread,
    "decide continue": continue_thread,
    "stored before": stored_before,
}


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("blank", BLANKS)
async def test_picture_with_a_blank_text_is_sent_without_text(
    publisher: Publisher, teal: Path, source: str, blank: str
) -> None:
    post_id = await SOURCES[source](publisher, teal, BLANKS[blank])
    await publisher.run_to_completion()
    assert (await publisher.get_post(post_id)).state is PostState.PUBLISHED
    thread = (await publisher.emulator.ground_truth())["posts"][-3:]
    assert [each["text"] for each in thread] == ["One", "", "Three"]
    assert [len(each["media"]) for each in thread] == [0, 1, 0]


@pytest.mark.parametrize("blank", BLANKS)
async def test_blank_text_without_media_is_refused(
    publisher: Publisher, tmp_path: Path, blank: str
) -> None:
    text = BLANKS[blank]
    with pytest.raises(PostRefused) as refused:
        await publisher.schedule(text)
    assert refused.value.code == "text_blank"
    plan = tmp_path / "plan.csv"
    plan.write_text(f'{HEADER}@larkbooks,+5s,One,,,w\n,,"{text}",,,w\n', "utf-8")
    imported = await import_plan(publisher.runtime, publisher.scope, plan)
    assert (imported.posts, {row.code for row in imported.refused}) == (
        0,
        {"text_blank", "thread_refused"},
    )


@pytest.mark.parametrize("blank", BLANKS)
async def test_continue_thread_refuses_a_blank_text_without_media(
    publisher: Publisher, blank: str
) -> None:
    await publisher.schedule("Said before")
    post_id = await publisher.schedule("One", "Said before", after_s=1)
    await publisher.run_to_completion()
    with pytest.raises(PostRefused) as refused:
        await resolve.continue_thread(publisher.runtime, publisher.scope, post_id, BLANKS[blank])
    assert refused.value.code == "text_blank"
    assert (await publisher.get_post(post_id)).parts[1].text == "Said before"
