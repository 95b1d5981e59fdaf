"""Tests of edits: new ids, the shared history, the edit window, and at most five edits."""

from typing import Any

import pytest
import pytest_asyncio

from emulator.account import Account, Response, connect
from fix_emulator import Emulator


@pytest_asyncio.fixture
async def author(emulator: Emulator) -> Account:
    """A connected account whose subscription permits edits."""
    return await connect(emulator, 2)


async def edit(account: Account, post_id: str, text: str, **more: Any) -> Response:
    return await account.create(text, edit_options={"previous_post_id": post_id}, **more)


async def read(account: Account, post_id: str) -> dict[str, Any]:
    fields = {"tweet.fields": "edit_controls"}
    data: dict[str, Any] = (await account.get(f"/2/tweets/{post_id}", **fields)).data
    return data


async def test_edit_creates_a_post_with_the_shared_history(author: Account) -> None:
    first = await author.post("Tpyo")
    response = await edit(author, first, "Typo")
    assert response.status == 201
    second = response.data["id"]
    assert response.data["edit_history_tweet_ids"] == [first, second]
    for version, text in ((first, "Tpyo"), (second, "Typo")):
        data = await read(author, version)
        assert (data["text"], data["edit_history_tweet_ids"]) == (text, [first, second])
        assert data["edit_controls"]["edits_remaining"] == 4
    response = await author.get(f"/2/users/{author.id}/tweets")
    assert [post["id"] for post in response.data] == [second]
    response = await author.get(f"/2/tweets/{second}", expansions="edit_history_tweet_ids")
    assert {post["id"] for post in response.body["includes"]["tweets"]} == {first, second}


async def test_edit_controls_return_the_remaining_edits(author: Account, account: Account) -> None:
    await author.emulator.freeze()
    controls = (await read(author, await author.post("One")))["edit_controls"]
    assert (controls["edits_remaining"], controls["is_edit_eligible"]) == (5, True)
    assert controls["editable_until"].endswith("Z")
    plain = await account.post("Two")
    assert (await read(account, plain))["edit_controls"]["is_edit_eligible"] is False


async def test_edit_is_possible_five_times(author: Account) -> None:
    post_id = await author.post("Version 0")
    for number in range(1, 6):
        response = await edit(author, post_id, f"Version {number}")
        assert response.status == 201
        post_id = response.data["id"]
    assert (await edit(author, post_id, "Version 6")).status == 403


@pytest.mark.parametrize("minutes", [30, 60])
async def test_edit_is_refused_after_the_edit_window(author: Account, minutes: int) -> None:
    await author.emulator.switch(edit_window_minutes=minutes)
    post_id = await author.post("Early")
    await author.emulator.jump(seconds=minutes * 60 - 30)
    response = await edit(author, post_id, "In time")
    assert response.status == 201
    await author.emulator.jump(seconds=60)
    assert (await edit(author, response.data["id"], "Too late")).status == 403


async def test_delete_of_any_version_deletes_all(author: Account) -> None:
    first = await author.post("One")
    second = (await edit(author, first, "Two")).data["id"]
    await author.request("DELETE", f"/2/tweets/{first}")
    response = await author.get("/2/tweets", ids=f"{first},{second}")
    assert set(response.body) == {"errors"}


@pytest.mark.parametrize(
    "what", ["foreign", "unknown", "poll", "foreign reply", "old version", "not premium"]
)
async def test_edit_is_refused__kind_of_post_or_author(
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


async def test_edited_part_keeps_its_thread_and_media(author: Account, png: bytes) -> None:
    root = await author.post("One")
    media = {"media_ids": [await author.upload_image(png)]}
    part = await author.post("Two", reply={"in_reply_to_tweet_id": root}, media=media)
    edited = (await edit(author, part, "Two, better", media=media)).data["id"]
    response = await author.get(
        f"/2/tweets/{edited}", **{"tweet.fields": "conversation_id,referenced_tweets,attachments"}
    )
    assert response.data["conversation_id"] == root
    assert response.data["referenced_tweets"] == [{"type": "replied_to", "id": root}]
    assert len(response.data["attachments"]["media_keys"]) == 1
