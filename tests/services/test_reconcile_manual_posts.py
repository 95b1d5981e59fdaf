"""Identical posts that a person publishes without Roost are never adopted."""

from pathlib import Path

import pytest

from fix_publishing import Desk, reason_of
from roost.models import PartState, PostId, PostState
from roost.services import resolve

TEXT = "Low tide at six"


async def hand_posts(desk: Desk, text: str = TEXT) -> str:
    """Publish with X's own app, as the account's owner; return the post's id."""
    made = await desk.emulator.act("post", username="larkbooks", text=text)
    return str(made["id"])


async def lose_create(desk: Desk, when: str) -> None:
    await desk.emulator.switch(refuse_duplicates=False)
    await desk.emulator.fail("create_post", when, "drop")


@pytest.mark.parametrize("published_before", [False, True])
async def test_manual_post_needs_a_decision__create_lost(
    desk: Desk, published_before: bool
) -> None:
    """X never received ours; it has the manual post."""
    if published_before:
        await desk.plan("Ours")
        await desk.work()
    await lose_create(desk, "before")
    post_id = await desk.plan(TEXT, after_s=1)
    await desk.emulator.jump(seconds=1)
    there = await hand_posts(desk)
    await desk.work_through()
    post = await desk.see(post_id)
    assert (post.state, post.parts[0].sent_as) == (PostState.NEEDS_DECISION, None)
    assert there in reason_of(post)


async def test_manual_post_needs_a_decision__no_recent_post_of_ours(desk: Desk) -> None:
    """The part of the timeline that is read has no post of ours."""
    await desk.plan("Ours")
    await desk.work()
    await desk.emulator.jump(hours=3)
    await lose_create(desk, "before")
    post_id = await desk.plan(TEXT)
    there = await hand_posts(desk)
    await desk.work_through()
    post = await desk.see(post_id)
    assert (post.state, post.parts[0].sent_as) == (PostState.NEEDS_DECISION, None)
    assert there in reason_of(post)


async def test_our_post_is_adopted__identical_manual_post(desk: Desk) -> None:
    await lose_create(desk, "after")
    there = await hand_posts(desk)
    post_id = await desk.plan(TEXT)
    await desk.work_through()
    post = await desk.see(post_id)
    ours = [
        each["id"] for each in (await desk.emulator.ground_truth())["posts"] if each["id"] != there
    ]
    assert (post.state, [post.parts[0].sent_as]) == (PostState.PUBLISHED, ours)


async def test_our_post_is_adopted_by_media_key__identical_manual_post(
    desk: Desk, teal: Path
) -> None:
    await lose_create(desk, "after")
    there = await hand_posts(desk)
    post_id = await desk.plan(TEXT, media=teal)
    await desk.work_through()
    post = await desk.see(post_id)
    assert post.state is PostState.PUBLISHED
    assert post.parts[0].sent_as != there


async def test_post_with_media_is_resent__text_posted_manually(desk: Desk, teal: Path) -> None:
    await lose_create(desk, "before")
    await hand_posts(desk)
    post_id = await desk.plan(TEXT, media=teal)
    await desk.work_through()
    assert (await desk.see(post_id)).state is PostState.PUBLISHED
    assert await desk.on_x() == [TEXT, TEXT]


# A first attempt that X refuses as a duplicate.


async def refused_as_duplicate(desk: Desk) -> tuple[PostState, str | None]:
    post_id = await desk.plan(TEXT, after_s=60)
    await desk.emulator.jump(seconds=60)
    await desk.work_through()
    post = await desk.see(post_id)
    assert post.parts[0].state is not PartState.FAILED or post.state is PostState.FAILED
    return post.state, post.parts[0].sent_as


async def test_duplicate_of_our_part_fails(desk: Desk) -> None:
    await desk.plan(TEXT)
    await desk.work()
    assert await refused_as_duplicate(desk) == (PostState.FAILED, None)


async def test_duplicate_from_our_app_is_adopted(desk: Desk) -> None:
    """The database lost it; another post of ours shows the app's name."""
    await desk.plan("Ours")
    await desk.work()
    there = await desk.post_by_hand(TEXT)
    assert await refused_as_duplicate(desk) == (PostState.PUBLISHED, there)
    assert await desk.on_x() == ["Ours", TEXT]


@pytest.mark.parametrize("published_before", [False, True])
async def test_duplicate_from_another_app_needs_a_decision(
    desk: Desk, published_before: bool
) -> None:
    if published_before:
        await desk.plan("Ours")
        await desk.work()
    await hand_posts(desk)
    assert await refused_as_duplicate(desk) == (PostState.NEEDS_DECISION, None)


@pytest.mark.parametrize("claimed", [False, True])
async def test_duplicate_does_not_fail__timeline_unreadable(desk: Desk, claimed: bool) -> None:
    if claimed:
        await desk.plan(TEXT)
        await desk.work()
    else:
        await desk.post_by_hand(TEXT)
    await desk.emulator.fail("read_timeline", "before", "503", times=3)
    state, sent_as = await refused_as_duplicate(desk)
    assert (state, sent_as) == (PostState.NEEDS_DECISION, None)
    assert len(await desk.on_x()) == 1


async def test_duplicate_of_an_unknown_part_is_not_adopted(
    desk: Desk,
) -> None:
    """X has the first, its timeline lags, and X refuses the second as a duplicate."""
    await desk.plan("Ours")
    await desk.work()
    await desk.emulator.jump(seconds=30)
    await desk.emulator.fail("create_post", "after", "drop")
    await desk.emulator.fail("read_timeline", "before", "stale", seconds=14)
    first = await desk.plan(TEXT)
    await desk.work()
    second = await desk.plan(TEXT)
    await desk.work_through()
    _, there = (await desk.emulator.ground_truth())["posts"]
    assert (await desk.see(first)).parts[0].sent_as == there["id"]
    assert (await desk.see(second)).state is PostState.NEEDS_DECISION


async def test_confirm_sent_accepts_the_duplicate_that_roost_named(desk: Desk) -> None:
    """It was created hours before the attempt, and Roost itself named it."""
    there = await hand_posts(desk)
    await desk.emulator.jump(hours=5)
    state, _ = await refused_as_duplicate(desk)
    assert state is PostState.NEEDS_DECISION

    post = await resolve.confirm_sent(desk.runtime, desk.scope, PostId(1), there)
    assert post.state is PostState.PUBLISHED


async def test_used_media_is_adopted__created_despite_a_429(desk: Desk, teal: Path) -> None:
    """X responds with 429 although it created the post, then that its media ids are invalid."""
    await desk.emulator.switch(refuse_duplicates=False)
    await desk.emulator.fail("create_post", "after", "429")
    post_id = await desk.plan(TEXT, media=teal)
    await desk.work_through()
    (there,) = (await desk.emulator.ground_truth())["posts"]
    post = await desk.see(post_id)
    assert (post.state, post.parts[0].sent_as) == (PostState.PUBLISHED, there["id"])
    assert (await desk.requests("create_post"))[0] == 201
    assert len(await desk.requests("create_post")) == 2


@pytest.mark.timing
async def test_used_media_of_an_unknown_attempt_do_not_fail_the_post(
    desk: Desk, teal: Path
) -> None:
    """The first request arrives with the resend: X accepts one and refuses the other."""
    hasty = desk.with_settings(roost_create_timeout_s=0.3)
    await desk.emulator.switch(refuse_duplicates=False)
    await desk.emulator.fail("create_post", "before", "delay", seconds=2)
    post_id = await desk.plan(TEXT, media=teal)
    await hasty.work_through()
    await desk.answered("create_post", 2)
    await hasty.work_through()
    (there,) = (await desk.emulator.ground_truth())["posts"]
    post = await desk.see(post_id)
    assert (post.state, post.parts[0].sent_as) == (PostState.PUBLISHED, there["id"])
