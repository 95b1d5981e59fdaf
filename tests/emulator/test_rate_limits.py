"""Tests of the rate limits of users and apps, per 15-minute window and per day."""

import math
from collections.abc import Iterator
from datetime import timedelta

import pytest

from x_emulator.rules.rate_limits import LIMITS, Limits, count_request
from x_emulator.state import World


@pytest.fixture
def world() -> Iterator[World]:
    world = World("steady", seed=7)
    yield world
    world.close()


def test_window_opens_with_the_first_request_and_lasts_a_quarter_of_an_hour(world: World) -> None:
    start = world.started_at
    first = count_request(world, "read_me", "app", "user", start)
    assert (first.reported.max_requests, first.reported.remaining, first.allowed) == (75, 74, True)
    opens_again = math.ceil((start + timedelta(minutes=15)).timestamp())
    assert (b"x-rate-limit-reset", b"%d" % opens_again) in first.headers()
    for _ in range(74):
        last = count_request(world, "read_me", "app", "user", start + timedelta(minutes=14))
    assert (last.reported.remaining, last.allowed) == (0, True)
    assert not count_request(world, "read_me", "app", "user", start + timedelta(minutes=14)).allowed
    assert (
        count_request(
            world, "read_me", "app", "user", start + timedelta(minutes=15)
        ).reported.remaining
        == 74
    )


def test_users_and_apps_have_separate_windows(world: World) -> None:
    at = world.started_at
    for _ in range(75):
        count_request(world, "read_me", "app", "user", at)
    assert not count_request(world, "read_me", "app", "user", at).allowed
    assert count_request(world, "read_me", "app", "other", at).allowed
    assert count_request(world, "read_me", "other", "user", at).allowed


def test_app_window_can_be_exhausted_before_the_users(world: World) -> None:
    at = world.started_at
    for _ in range(450):
        count_request(world, "read_post", "app", "user", at)
    refused = count_request(world, "read_post", "app", "user", at)
    assert (refused.allowed, refused.reported.remaining) == (False, 450)


def test_app_may_create_ten_thousand_posts_a_day(world: World) -> None:
    start = world.started_at
    for number in range(10_000):
        assert count_request(world, "create_post", "app", f"user {number % 100}", start).allowed
    later = start + timedelta(hours=23)
    assert not count_request(world, "create_post", "app", "fresh", later).allowed
    assert count_request(world, "create_post", "app", "fresh", start + timedelta(hours=24)).allowed


def test_limits_can_be_switched_off(world: World) -> None:
    world.switches = type(world.switches)(rate_limits=False)
    standings = [
        count_request(world, "read_me", "app", "user", world.started_at) for _ in range(100)
    ]
    assert all(each.allowed for each in standings)


@pytest.mark.parametrize(
    ("operation", "limits"),
    [
        ("create_post", Limits(100, app_day=10_000)),
        ("delete_post", Limits(50)),
        ("read_posts", Limits(5_000, app=3_500)),
        ("read_post", Limits(900, app=450)),
        ("read_timeline", Limits(900, app=10_000)),
        ("read_me", Limits(75)),
        ("read_user", Limits(900, app=300)),
        ("read_users", Limits(900, app=300)),
        ("read_post_analytics", Limits(300, app=300)),
        ("read_usage", Limits(50, app=50)),
        ("media_initialize", Limits(1_875, app_day=180_000)),
        ("media_append", Limits(1_875, app_day=180_000)),
        ("media_finalize", Limits(1_875, app_day=180_000)),
        ("media_upload", Limits(500, app_day=50_000)),
        ("media_status", Limits(1_000, app_day=100_000)),
        ("media_metadata", Limits(500, app_day=50_000)),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_limits_are_those_of_the_documentation(operation: str, limits: Limits) -> None:
    assert LIMITS[operation] == limits


def test_reads_per_window_can_be_limited_by_switch(world: World) -> None:
    world.switches = type(world.switches)(max_reads_per_window=1)
    at = world.started_at
    assert count_request(world, "read_me", "app", "user", at).allowed
    assert not count_request(world, "read_me", "app", "user", at).allowed
    assert count_request(world, "create_post", "app", "user", at).reported.remaining == 99
    assert count_request(world, "read_me", "app", "user", at + timedelta(minutes=15)).allowed


def test_app_only_token_has_the_app_window(world: World) -> None:
    alone = count_request(world, "read_post", "app", None, world.started_at)
    assert (alone.reported.max_requests, alone.reported.remaining) == (450, 449)
