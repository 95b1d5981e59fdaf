"""Identical posts that a person makes without Roost: told from ours, or asked about; never ours."""

from pathlib import Path

import pytest

from fix_publishing import Desk
from roost.models import PartState, PostId, PostState
from roost.services import resolve

TEXT = "Low tide at six"


async def hand_posts(desk: Desk, text: str = TEXT) -> str:
    """The account's owner posts in X's own app; the post's id."""
    made = await desk.emulator.play("post", username="larkbooks", text=text)
    return str(made["id"])


async def lose_create(desk: Desk, when: str) -> None:
    await desk.emulator.switch(duplicates=False)
    await desk.emulator.fail("create_post", when, "drop")


@pytest.mark.parametrize("published_before", [False, True])
async def test_post_by_hand_beside_a_lost_create_is_asked_about(
    desk: Desk, published_before: bool
) -> None:
    """X never got ours; the hand's is there."""
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
    assert there in (post.reason or "")


async def test_post_by_hand_is_asked_about_long_after_our_last_post(desk: Desk) -> None:
    """No post of ours is on the part of the timeline that is read."""
    await desk.plan("Ours")
    await desk.work()
    await desk.emulator.jump(hours=3)
    await lose_create(desk, "before")
    post_id = await desk.plan(TEXT)
    there = await hand_posts(desk)
    await desk.work_through()
    post = await desk.see(post_id)
    assert (post.state, post.parts[0].sent_as) == (PostState.NEEDS_DECISION, None)
    assert there in (post.reason or "")


async def test_ours_is_adopted_beside_an_identical_post_by_hand(desk: Desk) -> None:
    await lose_create(desk, "after")
    there = await hand_posts(desk)
    post_id = await desk.plan(TEXT)
    await desk.work_through()
    post = await desk.see(post_id)
    ours = [each["id"] for each in (await desk.emulator.truth())["posts"] if each["id"] != there]
    assert (post.state, [post.parts[0].sent_as]) == (PostState.PUBLISHED, ours)


async def test_post_with_media_is_told_from_one_by_hand_by_its_media_key(
    desk: Desk, teal: Path
) -> None:
    await lose_create(desk, "after")
    there = await hand_posts(desk)
    post_id = await desk.plan(TEXT, media=teal)
    await desk.work_through()
    post = await desk.see(post_id)
    assert post.state is PostState.PUBLISHED
    assert post.parts[0].sent_as != there


async def test_post_with_media_is_sent_again_though_a_hand_has_posted_its_text(
    desk: Desk, teal: Path
) -> None:
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


async def test_duplicate_of_a_part_of_ours_fails(desk: Desk) -> None:
    await desk.plan(TEXT)
    await desk.work()
    assert await refused_as_duplicate(desk) == (PostState.FAILED, None)


async def test_duplicate_that_our_app_made_is_adopted(desk: Desk) -> None:
    """The database has forgotten it; another post of ours shows the app's name."""
    await desk.plan("Ours")
    await desk.work()
    there = await desk.post_by_hand(TEXT)
    assert await refused_as_duplicate(desk) == (PostState.PUBLISHED, there)
    assert await desk.on_x() == ["Ours", TEXT]


@pytest.mark.parametrize("published_before", [False, True])
async def test_duplicate_that_another_app_made_is_asked_about(
    desk: Desk, published_before: bool
) -> None:
    if published_before:
        await desk.plan("Ours")
        await desk.work()
    await hand_posts(desk)
    assert await refused_as_duplicate(desk) == (PostState.NEEDS_DECISION, None)


@pytest.mark.parametrize("claimed", [False, True])
async def test_duplicate_does_not_fail_while_the_timeline_cannot_be_read(
    desk: Desk, claimed: bool
) -> None:
    if claimed:
        await desk.plan(TEXT)
        await desk.work()
    else:
        await desk.post_by_hand(TEXT)
    await desk.emulator.fail("read_timeline", "before", "503", times=3)
    state, sent_as = await refused_as_duplicate(desk)
    assert (state, sent_as) == (PostState.NEEDS_DECISION, None)
    assert len(await desk.on_x()) == 1


async def test_duplicate_of_a_part_whose_answer_is_lost_is_not_taken_for_another(
    desk: Desk,
) -> None:
    """X has the first, its timeline lags, and the second is refused for it."""
    await desk.plan("Ours")
    await desk.work()
    await desk.emulator.jump(seconds=30)
    await desk.emulator.fail("create_post", "after", "drop")
    await desk.emulator.fail("read_timeline", "before", "stale", seconds=14)
    first = await desk.plan(TEXT)
    await desk.work()
    second = await desk.plan(TEXT)
    await desk.work_through()
    _, there = (await desk.emulator.truth())["posts"]
    assert (await desk.see(first)).parts[0].sent_as == there["id"]
    assert (await desk.see(second)).state is PostState.NEEDS_DECISION


async def test_person_may_name_the_duplicate_that_was_asked_about(desk: Desk) -> None:
    """It was made hours before the attempt, and Roost itself has named it."""
    there = await hand_posts(desk)
    await desk.emulator.jump(hours=5)
    state, _ = await refused_as_duplicate(desk)
    assert state is PostState.NEEDS_DECISION

    post = await resolve.confirm_sent(desk.runtime, desk.tenant, PostId(1), there)
    assert post.state is PostState.PUBLISHED


async def test_used_media_after_an_answer_that_lied_is_the_post_itself(
    desk: Desk, teal: Path
) -> None:
    """X says 429 though it has made the post, and then that its media ids are invalid."""
    await desk.emulator.switch(duplicates=False)
    await desk.emulator.fail("create_post", "after", "429")
    post_id = await desk.plan(TEXT, media=teal)
    await desk.work_through()
    (there,) = (await desk.emulator.truth())["posts"]
    post = await desk.see(post_id)
    assert (post.state, post.parts[0].sent_as) == (PostState.PUBLISHED, there["id"])
    assert (await desk.requests("create_post"))[0] == 201
    assert len(await desk.requests("create_post")) == 2


@pytest.mark.timing
async def test_used_media_of_a_lost_attempt_do_not_fail_the_post(desk: Desk, teal: Path) -> None:
    """The first request arrives with the repetition: X takes one, and refuses the other."""
    hasty = desk.with_settings(roost_create_timeout_s=0.3)
    await desk.emulator.switch(duplicates=False)
    await desk.emulator.fail("create_post", "before", "delay", seconds=2)
    post_id = await desk.plan(TEXT, media=teal)
    await hasty.work_through()
    await desk.answered("create_post", 2)
    await hasty.work_through()
    (there,) = (await desk.emulator.truth())["posts"]
    post = await desk.see(post_id)
    assert (post.state, post.parts[0].sent_as) == (PostState.PUBLISHED, there["id"])
