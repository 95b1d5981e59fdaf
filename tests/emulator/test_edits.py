"""Edits: a new id each, one history, an hour or half of one, five times."""

from typing import Any

import pytest
import pytest_asyncio

from emulator.account import Account, Told, connect
from fix_emulator import Emulator


@pytest_asyncio.fixture
async def author(emulator: Emulator) -> Account:
    """An account that may edit."""
    return await connect(emulator, 2)


async def edit(account: Account, post_id: str, text: str, **more: Any) -> Told:
    return await account.create(text, edit_options={"previous_post_id": post_id}, **more)


async def read(account: Account, post_id: str) -> dict[str, Any]:
    fields = {"tweet.fields": "edit_controls"}
    data: dict[str, Any] = (await account.get(f"/2/tweets/{post_id}", **fields)).data
    return data


async def test_edit_is_a_new_post_with_the_history_of_the_old(author: Account) -> None:
    first = await author.post("Tpyo")
    told = await edit(author, first, "Typo")
    assert told.status == 201
    second = told.data["id"]
    assert told.data["edit_history_tweet_ids"] == [first, second]
    for version, text in ((first, "Tpyo"), (second, "Typo")):
        data = await read(author, version)
        assert (data["text"], data["edit_history_tweet_ids"]) == (text, [first, second])
        assert data["edit_controls"]["edits_remaining"] == 4
    told = await author.get(f"/2/users/{author.id}/tweets")
    assert [post["id"] for post in told.data] == [second]
    told = await author.get(f"/2/tweets/{second}", expansions="edit_history_tweet_ids")
    assert {post["id"] for post in told.body["includes"]["tweets"]} == {first, second}


async def test_edit_controls_tell_what_is_left(author: Account, account: Account) -> None:
    await author.emulator.freeze()
    controls = (await read(author, await author.post("One")))["edit_controls"]
    assert (controls["edits_remaining"], controls["is_edit_eligible"]) == (5, True)
    assert controls["editable_until"].endswith("Z")
    plain = await account.post("Two")
    assert (await read(account, plain))["edit_controls"]["is_edit_eligible"] is False


async def test_five_edits_and_no_more(author: Account) -> None:
    post_id = await author.post("Version 0")
    for number in range(1, 6):
        told = await edit(author, post_id, f"Version {number}")
        assert told.status == 201
        post_id = told.data["id"]
    assert (await edit(author, post_id, "Version 6")).status == 403


@pytest.mark.parametrize("minutes", [30, 60])
async def test_window_closes(author: Account, minutes: int) -> None:
    await author.emulator.switch(edit_window_minutes=minutes)
    post_id = await author.post("Early")
    await author.emulator.jump(seconds=minutes * 60 - 30)
    told = await edit(author, post_id, "In time")
    assert told.status == 201
    await author.emulator.jump(seconds=60)
    assert (await edit(author, told.data["id"], "Too late")).status == 403


async def test_deleting_any_version_deletes_all(author: Account) -> None:
    first = await author.post("One")
    second = (await edit(author, first, "Two")).data["id"]
    await author.ask("DELETE", f"/2/tweets/{first}")
    told = await author.get("/2/tweets", ids=f"{first},{second}")
    assert set(told.body) == {"errors"}


@pytest.mark.parametrize(
    "what", ["foreign", "unknown", "poll", "foreign reply", "old version", "not premium"]
)
async def test_what_may_not_be_edited(
    author: Account, account: Account, emulator: Emulator, what: str
) -> None:
    editor = author
    if what == "foreign":
        post_id = await account.post("Theirs")
    elif what == "unknown":
        post_id = "12345"
    elif what == "poll":
        poll = {"options": ["a", "b"], "duration_minutes": 5}
        post_id = await author.post("Vote", poll=poll)
    elif what == "foreign reply":
        calling = await account.post("What do you think, @mira_builds?")
        post_id = await author.post("This", reply={"in_reply_to_tweet_id": calling})
    elif what == "old version":
        post_id = await author.post("One")
        await edit(author, post_id, "Two")
    else:
        editor, post_id = account, await account.post("Mine")
    assert (await edit(editor, post_id, "Edited")).status == 403


async def test_edited_part_stays_in_its_thread_and_keeps_its_media(
    author: Account, png: bytes
) -> None:
    root = await author.post("One")
    media = {"media_ids": [await author.upload_image(png)]}
    part = await author.post("Two", reply={"in_reply_to_tweet_id": root}, media=media)
    edited = (await edit(author, part, "Two, better", media=media)).data["id"]
    told = await author.get(
        f"/2/tweets/{edited}", **{"tweet.fields": "conversation_id,referenced_tweets,attachments"}
    )
    assert told.data["conversation_id"] == root
    assert told.data["referenced_tweets"] == [{"type": "replied_to", "id": root}]
    assert len(told.data["attachments"]["media_keys"]) == 1
