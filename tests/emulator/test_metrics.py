"""Tests of metrics: counts depend on seed, post and time; followers change daily."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from emulator.account import Account
from fix_emulator import Emulator
from x_emulator.rules import metrics
from x_emulator.scenarios import anomalies
from x_emulator.state import Post, World

PUBLIC = {"tweet.fields": "public_metrics"}


@pytest.fixture
def world() -> Any:
    world = World("purge", seed=7)
    yield world
    world.close()


def make_post(world: World, *, ordinal: int = 0, at: datetime | None = None, **more: Any) -> Post:
    user = next(iter(world.users.values()))
    defaults: dict[str, Any] = {
        "id": str(ordinal + 1),
        "user_id": user.id,
        "client_id": "",
        "ordinal": ordinal,
        "text": "",
        "returned_text": "",
        "entities": {},
        "created_at": at or world.started_at,
        "reply_to": None,
        "reply_to_user": None,
        "conversation_id": "1",
        "quote_of": None,
        "media": [],
        "poll": None,
        "reply_settings": "everyone",
        "has_link": False,
        "is_long": False,
        "history": [str(ordinal + 1)],
    }
    return Post(**(defaults | more))


async def test_counts_after_one_long_jump_equal_many_short_ones(emulator: Emulator) -> None:
    soon = datetime.fromisoformat((await emulator.ground_truth())["now"]) + timedelta(days=2)
    start = soon.replace(hour=9, minute=0, second=0, microsecond=0)

    async def live_through(jumps: int, hours: int) -> tuple[Any, Any]:
        await emulator.reset()
        await emulator.freeze()
        await emulator.control("clock", to=start.isoformat())
        user = await emulator.control("users", username="newcomer", followers=9_000)
        account = Account(emulator, user, await emulator.connect("newcomer"))
        post_id = await account.post("Hello")
        for _ in range(jumps):
            await emulator.jump(hours=hours)
        account.tokens = await emulator.connect("newcomer")
        post = await account.get("/2/tweets", ids=post_id, **PUBLIC)
        me = await account.get("/2/users/me", **{"user.fields": "public_metrics"})
        return post.data[0]["public_metrics"], me.data["public_metrics"]["followers_count"]

    at_once = await live_through(1, 48)
    assert at_once[0]["impression_count"] > 100
    assert at_once[1] != 9_000
    assert await live_through(48, 1) == at_once


def test_counts_do_not_depend_on_reads(world: World) -> None:
    end = world.started_at + timedelta(days=30)
    watched = make_post(world)
    user = next(iter(world.users.values()))
    for hour in range(720):
        at = world.started_at + timedelta(hours=hour)
        metrics.post_counts(world, watched, at)
        metrics.follower_count(world, user, at)
    followers = metrics.follower_count(world, user, end)
    fresh = World("purge", seed=7)
    try:
        other = next(iter(fresh.users.values()))
        other.since = user.since
        fresh.started_at = world.started_at
        unwatched = make_post(fresh, at=world.started_at)
        assert metrics.post_counts(fresh, unwatched, end) == metrics.post_counts(
            world, watched, end
        )
        assert metrics.follower_count(fresh, other, end) == followers
    finally:
        fresh.close()


def test_counts_only_grow_and_half_the_views_come_in_hours(world: World) -> None:
    post = make_post(world)
    views = [
        metrics.post_counts(world, post, world.started_at + timedelta(minutes=minutes))
        for minutes in (0, 10, 60, 240, 1440, 43_200)
    ]
    assert views[0]["impression_count"] == 0
    for earlier, later in pairwise(views):
        assert all(earlier[name] <= later[name] for name in earlier)
    final = views[-1]["impression_count"]
    assert views[1]["impression_count"] < final / 2 < views[3]["impression_count"]
    assert views[4]["impression_count"] > 0.85 * final


def test_random_factors_differ_by_post_and_seed(world: World) -> None:
    end = world.started_at + timedelta(days=30)
    finals = {
        metrics.post_counts(world, make_post(world, ordinal=n), end)["impression_count"]
        for n in range(20)
    }
    assert len(finals) > 15
    assert max(finals) > 2 * min(finals)


def test_links_and_replies_reduce_reach(world: World) -> None:
    end = world.started_at + timedelta(days=30)

    def total(**more: Any) -> int:
        posts = [make_post(world, ordinal=n, **more) for n in range(50)]
        return sum(metrics.post_counts(world, each, end)["impression_count"] for each in posts)

    assert total(reply_to="1") < total(has_link=True) < total()


def test_private_metrics_agree_with_the_public_ones(world: World) -> None:
    post = make_post(world, has_link=True)
    counts = metrics.post_counts(world, post, world.started_at + timedelta(days=2))
    public, private = metrics.public_metrics(counts), metrics.non_public_metrics(counts)
    organic = metrics.organic_metrics(counts)
    assert public["impression_count"] == private["impression_count"] == organic["impression_count"]
    assert private["engagements"] >= public["like_count"] + private["url_link_clicks"]
    assert private["engagements"] <= private["impression_count"]
    assert organic["url_link_clicks"] == private["url_link_clicks"] > 0


def daily_changes(world: World, rank: int, days: int) -> list[int]:
    user = list(world.users.values())[rank]
    readings = [
        metrics.follower_count(world, user, world.started_at + timedelta(days=day))
        for day in range(days + 1)
    ]
    return [later - earlier for earlier, later in pairwise(readings)]


def test_steady_accounts_change_slowly_with_variation() -> None:
    world = World("steady", seed=3)
    try:
        for rank, user in enumerate(world.users.values()):
            changes = daily_changes(world, rank, 56)
            assert len(set(changes)) > 5
            assert max(map(abs, changes)) < 0.01 * user.followers
            assert 0 < sum(changes) < 0.06 * user.followers
    finally:
        world.close()


@pytest.mark.parametrize("hour", [0, 7, 11, 13, 23])
def test_purge_removes_six_percent_in_one_daily_step(world: World, hour: int) -> None:
    [anomaly] = anomalies.list_anomalies(world)
    user = next(iter(world.users.values()))
    assert anomaly == {
        "account": user.username,
        "metric": "followers",
        "day": (world.started_at.date() + timedelta(days=21)).isoformat(),
    }
    midnight = datetime.combine(world.started_at.date(), datetime.min.time(), UTC)
    readings = [
        metrics.follower_count(world, user, midnight + timedelta(days=day, hours=hour))
        for day in range(1, 40)
    ]
    changes = [(b - a) / a for a, b in pairwise(readings)]
    drops = [change for change in changes if change < -0.02]
    assert len(drops) == 1
    assert -0.065 < drops[0] < -0.055
    after_noon = hour >= 12
    assert changes.index(drops[0]) == 20 - 1 + (0 if after_noon else 1)


async def test_ground_truth_lists_the_purge(emulator: Emulator) -> None:
    ground_truth = await emulator.ground_truth()
    start = datetime.fromisoformat(ground_truth["started_at"]).date()
    assert ground_truth["anomalies"] == [
        {
            "account": "larkbooks",
            "metric": "followers",
            "day": (start + timedelta(days=21)).isoformat(),
        }
    ]
    [user] = [user for user in await emulator.users() if user["index"] == 0]
    assert user["username"] == "larkbooks"
