"""Tests that each scenario has exactly the effects that its ground truth lists."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, time, timedelta
from itertools import pairwise
from typing import Any, get_args

import aiohttp
import pytest

from emulator.test_metrics import daily_changes, make_post
from fix_emulator import CALLBACK, Emulator, RegisteredApp
from roost.cli import emulator
from x_emulator.pytest_plugin import run_emulator
from x_emulator.rules import metrics
from x_emulator.scenarios import anomalies
from x_emulator.scenarios.catalog import SCENARIOS
from x_emulator.state import Post, User, World


@contextmanager
def living(scenario: str) -> Iterator[World]:
    world = World(scenario, seed=7)
    try:
        yield world
    finally:
        world.close()


def account_of(world: World, rank: int) -> User:
    return list(world.users.values())[rank]


def day(world: World, number: int) -> datetime:
    date = world.started_at.date() + timedelta(days=number)
    return datetime.combine(date, time(9), world.started_at.tzinfo)


def final_views(world: World, post: Post) -> int:
    later = post.created_at + timedelta(days=60)
    return metrics.post_counts(world, post, later)["impression_count"]


def posts_on(world: World, number: int, *, rank: int = 0) -> list[Post]:
    """Create twenty posts of an account on day `number`; each gets its own random factor."""
    user = account_of(world, rank)
    mine = world.posts_of[user.id]
    for _ in range(20):
        mine.append(make_post(world, ordinal=len(mine), at=day(world, number), user_id=user.id))
    return mine[-20:]


def views_on(world: World, number: int, *, rank: int = 0) -> int:
    return sum(final_views(world, post) for post in posts_on(world, number, rank=rank))


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_every_scenario_says_what_it_imitates(name: str) -> None:
    scenario = SCENARIOS[name]
    assert scenario.name == name
    assert len(scenario.imitates) > 60
    assert [each.username for each in scenario.accounts] == [
        "larkbooks",
        "tidewatcher",
        "mira_builds",
    ]


def test_command_line_offers_every_scenario() -> None:
    assert set(get_args(emulator.Scenario)) == set(SCENARIOS)


def test_growth_is_fast_and_has_no_anomaly() -> None:
    with living("growth") as world, living("steady") as other:
        grown = sum(daily_changes(world, 0, 28)) / 18_400
        assert 0.3 < grown < 0.7
        assert sum(daily_changes(other, 0, 28)) < 18_400 * grown / 5
        assert anomalies.list_anomalies(world) == []


def test_viral_post_is_the_first_since_its_day() -> None:
    with living("viral") as world, living("steady") as other:
        before, hit, after = (posts_on(world, number)[0] for number in (9, 10, 10))
        usual = [posts_on(other, number)[0] for number in (9, 10, 10)]
        assert final_views(world, before) == final_views(other, usual[0])
        assert final_views(world, hit) > 20 * final_views(other, usual[1])
        assert metrics.find_first_post(world, world.scenario.viral_posts[0]) is hit
        # The account has gained followers in the meantime, so the next post gets slightly more
        # views.
        assert 1 <= final_views(world, after) / final_views(other, usual[2]) < 1.2
        entries = {each["metric"]: each for each in anomalies.list_anomalies(world)}
        assert entries["impressions"]["post"] == hit.id
        gained = metrics.follower_count(world, account_of(world, 0), day(world, 20))
        usually = metrics.follower_count(other, account_of(other, 0), day(other, 20))
        assert 0.04 < gained / usually - 1 < 0.06


def test_viral_changes_only_accounts_that_post() -> None:
    with living("viral") as world:
        assert anomalies.list_anomalies(world) == []
        assert max(map(abs, daily_changes(world, 0, 30))) < 300


@pytest.mark.parametrize(
    ("number", "factors"),
    [(1, (0.82, 0.82)), (8, (1.25, 0.95)), (14, (1.57, 1.06)), (26, (0.70, 1.27))],
)
def test_interest_in_month_rises_and_falls_gradually(
    number: int, factors: tuple[float, float]
) -> None:
    with living("month") as world, living("purge") as other:
        for rank, factor in enumerate(factors):
            # The first post is left out, because it may be the popular post of the scenario.
            views, usual = (
                sum(final_views(each, post) for post in posts_on(each, number, rank=rank)[1:])
                for each in (world, other)
            )
            assert views / usual == pytest.approx(factor, abs=0.01)


def test_popular_post_of_month_is_the_luckiest_and_no_anomaly() -> None:
    with living("month") as world, living("purge") as other:
        before, popular, after = (posts_on(world, number)[0] for number in (9, 10, 10))
        usual = [posts_on(other, number)[0] for number in (9, 10, 10)]
        ratios = [
            final_views(world, post) / final_views(other, same)
            for post, same in zip((before, popular, after), usual, strict=True)
        ]
        assert ratios[1] > 3 * max(ratios[0], ratios[2])
        gained = metrics.follower_count(world, account_of(world, 0), day(world, 20))
        assert gained == metrics.follower_count(other, account_of(other, 0), day(other, 20))
        [purge] = anomalies.list_anomalies(world)
        assert (purge["metric"], purge["day"]) == ("followers", str(day(world, 21).date()))


def test_shadow_limited_posts_reach_a_fifth_and_followers_stay() -> None:
    with living("shadow-limited") as world, living("steady") as other:
        for number, limited in ((20, False), (21, True), (30, True), (31, False)):
            ratio = views_on(world, number) / views_on(other, number)
            assert ratio == pytest.approx(0.19 if limited else 1.0, abs=0.01)
        assert views_on(world, 25, rank=1) == views_on(other, 25, rank=1)
        [entry] = anomalies.list_anomalies(world)
        assert (entry["account"], entry["metric"]) == ("larkbooks", "impressions")
        assert entry["day"] == day(world, 21).date().isoformat()
        assert entry["until"] == day(world, 30).date().isoformat()


def test_rival_hashtag_reduces_views_of_all_accounts_for_three_days() -> None:
    with living("rival-hashtag") as world, living("steady") as other:
        for rank in range(3):
            ratio = views_on(world, 22, rank=rank) / views_on(other, 22, rank=rank)
            assert ratio == pytest.approx(0.55, abs=0.01)
        assert views_on(world, 24) == views_on(other, 24)
        assert [each["account"] for each in anomalies.list_anomalies(world)] == [
            *("larkbooks", "tidewatcher", "mira_builds")
        ]


def test_bots_come_within_hours_and_are_removed_two_weeks_later() -> None:
    with living("bot-burst") as world:
        user = account_of(world, 1)
        noon = day(world, 21) + timedelta(hours=3)
        hourly = [metrics.follower_count(world, user, noon + timedelta(hours=h)) for h in range(8)]
        came = [later - earlier for earlier, later in pairwise(hourly)]
        assert all(180 < each < 260 for each in came[:6])
        assert came[6] < 20
        # Each count is that of 9:00, before the bots follow the account. It does not depend on the
        # time of day at which the test runs.
        daily = [metrics.follower_count(world, user, day(world, number)) for number in range(1, 51)]
        changes = [later - earlier for earlier, later in pairwise(daily)]
        assert max(changes) > 1_000
        assert min(changes) < -900
        days = [each["day"] for each in anomalies.list_anomalies(world)]
        assert days == [day(world, 21).date().isoformat(), day(world, 35).date().isoformat()]


def test_post_gets_no_views_during_an_outage() -> None:
    with living("outage") as world, living("steady") as other:
        # The outage begins half an hour later.
        start = day(world, 7) + timedelta(hours=3, minutes=30)
        post = make_post(world, at=start)
        unhurt = make_post(other, at=start)

        def seen(minutes: float, which: World = world, each: Post = post) -> int:
            at = start + timedelta(minutes=minutes)
            return metrics.post_counts(which, each, at)["impression_count"]

        assert seen(30) == seen(60) == seen(105) > 0
        assert seen(60) == seen(30, other, unhurt)
        assert seen(135) == seen(60, other, unhurt)
        entries = anomalies.list_anomalies(world)
        assert {each["metric"] for each in entries} == {"requests"}
        assert len(entries) == 3


async def registered(url: str, http: aiohttp.ClientSession) -> Emulator:
    emulated = Emulator(url, http)
    app = await emulated.control("apps", callbacks=[CALLBACK])
    emulated.app = RegisteredApp(app["client_id"], app["client_secret"], CALLBACK)
    return emulated


async def status_of_me(emulated: Emulator, tokens: dict[str, Any]) -> int:
    headers = {"authorization": f"Bearer {tokens['access_token']}"}
    async with emulated.http.get(f"{emulated.url}/2/users/me", headers=headers) as answer:
        return answer.status


@pytest.mark.timing
async def test_outage_responds_503_and_ends() -> None:
    with run_emulator("--scenario", "outage") as url:
        async with aiohttp.ClientSession() as http:
            emulated = await registered(url, http)
            [outage, *_] = (await emulated.ground_truth())["anomalies"]
            inside = datetime.fromisoformat(outage["at"]) + timedelta(minutes=1)
            await emulated.control("clock", to=(inside - timedelta(minutes=10)).isoformat())
            tokens = await emulated.connect("larkbooks")
            assert await status_of_me(emulated, tokens) == 200
            await emulated.control("clock", to=inside.isoformat())
            assert await status_of_me(emulated, tokens) == 503
            await emulated.control("clock", to=outage["until"])
            assert await status_of_me(emulated, tokens) == 200


@pytest.mark.timing
async def test_revoked_token_is_refused_until_a_new_consent() -> None:
    with run_emulator("--scenario", "token-revoked") as url:
        async with aiohttp.ClientSession() as http:
            emulated = await registered(url, http)
            [entry] = (await emulated.ground_truth())["anomalies"]
            due = datetime.fromisoformat(entry["at"])
            await emulated.control("clock", to=(due - timedelta(minutes=1)).isoformat())
            mine = await emulated.connect("larkbooks")
            other = await emulated.connect("tidewatcher")
            assert await status_of_me(emulated, mine) == 200
            await emulated.control("clock", to=entry["at"])
            assert (await emulated.ground_truth())["tokens"]["grants"] == 1
            assert await status_of_me(emulated, mine) == 401
            assert await status_of_me(emulated, other) == 200
            assert await status_of_me(emulated, await emulated.connect("larkbooks")) == 200
