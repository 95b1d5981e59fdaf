"""Tests of a person's actions on X: posts, counted reactions, deletions, revocations."""

from datetime import time
from typing import Any

import pytest

from emulator.account import Account, connect
from fix_emulator import Emulator

PUBLIC = {"tweet.fields": "public_metrics"}


async def counts(account: Account, post_id: str) -> dict[str, int]:
    reply = await account.get(f"/2/tweets/{post_id}", **PUBLIC)
    found: dict[str, int] = reply.data["public_metrics"]
    return found


async def test_like_and_repost_count_once_and_can_be_undone(account: Account) -> None:
    emulator = account.emulator
    await emulator.freeze()
    root = await account.post("Like me")
    assert set((await counts(account, root)).values()) == {0}
    for name in ("mira_builds", "mira_builds", "tidewatcher"):
        await emulator.act("like", username=name, post=root)
    reply = await emulator.act("repost", username="mira_builds", post=root)
    users = {each["username"]: each["id"] for each in await emulator.users()}
    assert reply["liked_by"] == [users["mira_builds"], users["tidewatcher"]]
    assert reply["reposted_by"] == [users["mira_builds"]]
    now = await counts(account, root)
    assert (now["like_count"], now["retweet_count"], now["impression_count"]) == (2, 1, 2)
    reply = await emulator.act("like", username="tidewatcher", post=root, undo=True)
    assert reply["liked_by"] == [users["mira_builds"]]
    now = await counts(account, root)
    # The account that removed its like still counts as a viewer.
    assert (now["like_count"], now["impression_count"]) == (1, 2)


async def test_reactions_are_added_to_the_model(account: Account) -> None:
    emulator = account.emulator
    await emulator.freeze()
    root = await account.post("Seen by many")
    await emulator.jump(hours=1)
    drawn = await counts(account, root)
    await emulator.act("like", username="mira_builds", post=root)
    now = await counts(account, root)
    assert now["like_count"] == drawn["like_count"] + 1
    assert now["impression_count"] == drawn["impression_count"] + 1


async def test_reactions_are_in_the_analytics_of_their_hour(account: Account) -> None:
    emulator = account.emulator
    # The clock starts in the middle of an hour, so that a minute later is in the same hour.
    start = await emulator.freeze_at_time(time(12, 30))
    account.tokens = await emulator.connect(account.username)
    root = await account.post("When?")
    await emulator.jump(days=2)
    await emulator.act("like", username="mira_builds", post=root)
    end = await emulator.control("clock", jump_seconds=60)
    account.tokens = await emulator.connect(account.username)
    reply = await account.get(
        "/2/tweets/analytics",
        ids=root,
        start_time=start.isoformat(),
        end_time=end["emulated"],
        granularity="hourly",
    )
    likes = [each["metrics"]["likes"] for each in reply.data[0]["timestamped_metrics"]]
    before = likes[-1] - 1
    assert before in (0, 1)  # two days later, the emulator adds few likes itself
    assert sum(likes) == (await counts(account, root))["like_count"]


async def test_reply_by_a_person_is_a_post_of_its_account(account: Account) -> None:
    emulator = account.emulator
    await emulator.freeze()
    root = await account.post("What do you think?")
    reply = await emulator.act(
        "post", username="mira_builds", text="Nice, $A and $B!", reply_to=root
    )
    assert (reply["reply_to"], reply["app"]) == (root, None)
    mira = await connect(emulator, 2)
    timeline = await mira.get(f"/2/users/{mira.id}/tweets", **{"tweet.fields": "source"})
    assert [(post["id"], post["source"]) for post in timeline.data] == [(reply["id"], "X")]
    assert (await counts(account, root))["reply_count"] == 1
    await emulator.act("delete", post=reply["id"])
    assert (await counts(account, root))["reply_count"] == 0


async def test_reactions_include_threads_and_quotes(account: Account) -> None:
    emulator = account.emulator
    await emulator.freeze()
    await emulator.switch(tier="enterprise")
    root = await account.post("One")
    await account.post("Two", reply={"in_reply_to_tweet_id": root})
    await (await connect(emulator, 1)).post("Look", quote_tweet_id=root)
    now = await counts(account, root)
    assert (now["reply_count"], now["quote_count"], now["impression_count"]) == (1, 1, 2)


async def test_deletion_records_who_deleted(account: Account) -> None:
    emulator = account.emulator
    first, second = await account.post("By hand"), await account.post("By the app")
    reply = await emulator.act("delete", post=first)
    assert reply["deleted_at"] is not None
    await account.request("DELETE", f"/2/tweets/{second}")
    posts = (await emulator.ground_truth())["posts"]
    assert [each["deleted_by"] for each in posts] == ["user", emulator.app.client_id]
    gone = await account.get("/2/tweets", ids=f"{first},{second}")
    assert [each["resource_id"] for each in gone.body["errors"]] == [first, second]


async def test_revocation_by_a_person_invalidates_every_token_of_the_app(account: Account) -> None:
    emulator = account.emulator
    other = await connect(emulator, 1)
    again = await emulator.connect(account.username)
    await emulator.act("revoke", username=account.username, client_id=emulator.app.client_id)
    assert (await account.get("/2/users/me")).status == 401
    account.tokens = again
    assert (await account.get("/2/users/me")).status == 401
    assert (await other.get("/2/users/me")).status == 200
    assert (await emulator.ground_truth())["tokens"]["grants"] == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"action": "like", "username": "unknown", "post": "1"}, 400),
        ({"action": "like", "username": "larkbooks", "post": "1"}, 400),
        ({"action": "dance"}, 400),
        ({"action": "revoke", "username": "larkbooks", "client_id": "unknown"}, 400),
        ({"action": "post", "username": "larkbooks", "text": ""}, 400),
        ({"action": "post", "username": "larkbooks", "text": "long " * 100}, 403),
    ],
    ids=["no-user", "no-post", "no-action", "no-app", "empty", "too-long"],
)
async def test_impossible_action_is_refused_with_a_reason(
    emulator: Emulator, body: dict[str, Any], status: int
) -> None:
    async with emulator.http.post(f"{emulator.url}/_emulator/actions", json=body) as answer:
        assert answer.status == status
        assert await answer.json()


async def test_ground_truth_returns_only_the_requested_sections(account: Account) -> None:
    await account.post("Here")
    emulator = account.emulator
    reply = await emulator.ground_truth(only="posts,tokens")
    assert reply.keys() == {"posts", "tokens"}
    assert reply["posts"] == (await emulator.ground_truth())["posts"]
    url = f"{emulator.url}/_emulator/ground-truth?only=lies"
    async with emulator.http.get(url) as answer:
        assert answer.status == 400
