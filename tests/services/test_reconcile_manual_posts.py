"""If a person publishes an identical post without Roost, Roost never adopts that post."""

from datetime import timedelta
from pathlib import Path

import pytest

from fix_publishing import Publisher, reason_of
from roost.models import PartState, PostId, PostState
from roost.services import resolve

TEXT = "Low tide at six"


async def post_by_app_of_x(publisher: Publisher, text: str = TEXT) -> str:
    """Publish as a person would in X's mobile app; return the post's id."""
    made = await publisher.emulator.act("post", username="larkbooks", text=text)
    return str(made["id"])


async def lose_create(publisher: Publisher, when: str) -> None:
    await publisher.emulator.switch(refuse_duplicates=False)
    await publisher.emulator.fail("create_post", when, "drop")


@pytest.mark.parametrize("published_before", [False, True])
async def test_manual_post_needs_a_decision__create_lost(
    publisher: Publisher, published_before: bool
) -> None:
    """X lost Roost's create, and has only the post that a person made."""
    if published_before:
        await publisher.schedule("Ours")
        await publisher.run_due_jobs()
    await lose_create(publisher, "before")
    post_id = await publisher.schedule(TEXT, after_s=1)
    await publisher.emulator.jump(seconds=1)
    there = await post_by_app_of_x(publisher)
    await publisher.run_to_completion()
    post = await publisher.get_post(post_id)
    assert (post.state, post.parts[0].sent_as) == (PostState.NEEDS_DECISION, None)
    assert there in reason_of(post)


async def test_manual_post_needs_a_decision__no_recent_post_of_ours(publisher: Publisher) -> None:
    """The timeline that Roost reads has no post of Roost that shows the app's name."""
    await publisher.schedule("Ours")
    await publisher.run_due_jobs()
    await publisher.emulator.jump(hours=3)
    await lose_create(publisher, "before")
    post_id = await publisher.schedule(TEXT)
    there = await post_by_app_of_x(publisher)
    await publisher.run_to_completion()
    post = await publisher.get_post(post_id)
    assert (post.state, post.parts[0].sent_as) == (PostState.NEEDS_DECISION, None)
    assert there in reason_of(post)


async def test_our_post_is_adopted__identical_manual_post(publisher: Publisher) -> None:
    await lose_create(publisher, "after")
    there = await post_by_app_of_x(publisher)
    post_id = await publisher.schedule(TEXT)
    await publisher.run_to_completion()
    post = await publisher.get_post(post_id)
    ours = [
        each["id"]
        for each in (await publisher.emulator.ground_truth())["posts"]
        if each["id"] != there
    ]
    assert (post.state, [post.parts[0].sent_as]) == (PostState.PUBLISHED, ours)


async def test_our_post_is_adopted_by_media_key__identical_manual_post(
    publisher: Publisher, teal: Path
) -> None:
    await lose_create(publisher, "after")
    there = await post_by_app_of_x(publisher)
    post_id = await publisher.schedule(TEXT, media=teal)
    await publisher.run_to_completion()
    post = await publisher.get_post(post_id)
    assert post.state is PostState.PUBLISHED
    assert post.parts[0].sent_as != there


async def test_post_with_media_is_resent__text_posted_manually(
    publisher: Publisher, teal: Path
) -> None:
    await lose_create(publisher, "before")
    await post_by_app_of_x(publisher)
    post_id = await publisher.schedule(TEXT, media=teal)
    await publisher.run_to_completion()
    assert (await publisher.get_post(post_id)).state is PostState.PUBLISHED
    assert await publisher.published_texts() == [TEXT, TEXT]


# Tests of posts whose first attempt X refuses as a duplicate.


async def refused_as_duplicate(publisher: Publisher) -> tuple[PostState, str | None]:
    post_id = await publisher.schedule(TEXT, after_s=60)
    await publisher.emulator.jump(seconds=60)
    await publisher.run_to_completion()
    post = await publisher.get_post(post_id)
    assert post.parts[0].state is not PartState.FAILED or post.state is PostState.FAILED
    return post.state, post.parts[0].sent_as


async def test_duplicate_of_our_part_fails(publisher: Publisher) -> None:
    await publisher.schedule(TEXT)
    await publisher.run_due_jobs()
    assert await refused_as_duplicate(publisher) == (PostState.FAILED, None)


async def test_duplicate_from_our_app_is_adopted(publisher: Publisher) -> None:
    """The post on X has the same app as another post of Roost, so Roost adopts it."""
    await publisher.schedule("Ours")
    await publisher.run_due_jobs()
    there = await publisher.post_manually(TEXT)
    assert await refused_as_duplicate(publisher) == (PostState.PUBLISHED, there)
    assert await publisher.published_texts() == ["Ours", TEXT]


@pytest.mark.parametrize("published_before", [False, True])
async def test_duplicate_from_another_app_needs_a_decision(
    publisher: Publisher, published_before: bool
) -> None:
    if published_before:
        await publisher.schedule("Ours")
        await publisher.run_due_jobs()
    await post_by_app_of_x(publisher)
    assert await refused_as_duplicate(publisher) == (PostState.NEEDS_DECISION, None)


@pytest.mark.parametrize("claimed", [False, True])
async def test_duplicate_does_not_fail__timeline_unreadable(
    publisher: Publisher, claimed: bool
) -> None:
    if claimed:
        await publisher.schedule(TEXT)
        await publisher.run_due_jobs()
    else:
        await publisher.post_manually(TEXT)
    await publisher.emulator.fail("read_timeline", "before", "503", times=3)
    state, sent_as = await refused_as_duplicate(publisher)
    assert (state, sent_as) == (PostState.NEEDS_DECISION, None)
    assert len(await publisher.published_texts()) == 1


async def test_duplicate_of_an_unknown_part_is_not_adopted(
    publisher: Publisher,
) -> None:
    """X does not yet show the first post, and refuses the second post as its duplicate."""
    await publisher.schedule("Ours")
    await publisher.run_due_jobs()
    await publisher.emulator.jump(seconds=30)
    await publisher.emulator.fail("create_post", "after", "drop")
    await publisher.emulator.fail("read_timeline", "before", "stale", seconds=14)
    first = await publisher.schedule(TEXT)
    await publisher.run_due_jobs()
    second = await publisher.schedule(TEXT)
    await publisher.run_to_completion()
    _, there = (await publisher.emulator.ground_truth())["posts"]
    assert (await publisher.get_post(first)).parts[0].sent_as == there["id"]
    assert (await publisher.get_post(second)).state is PostState.NEEDS_DECISION


async def test_confirm_sent_accepts_the_duplicate_that_roost_named(publisher: Publisher) -> None:
    """Roost has named the post as the duplicate, so a user may confirm it despite its age."""
    there = await post_by_app_of_x(publisher)
    await publisher.emulator.jump(hours=5)
    state, _ = await refused_as_duplicate(publisher)
    assert state is PostState.NEEDS_DECISION

    post = await resolve.confirm_sent(publisher.runtime, publisher.scope, PostId(1), there)
    assert post.state is PostState.PUBLISHED


async def test_used_media_is_adopted__created_despite_a_429(
    publisher: Publisher, teal: Path
) -> None:
    """X creates the post but responds with 429, then refuses the resend of used media."""
    await publisher.emulator.switch(refuse_duplicates=False)
    await publisher.emulator.fail("create_post", "after", "429")
    post_id = await publisher.schedule(TEXT, media=teal)
    await publisher.run_to_completion()
    (there,) = (await publisher.emulator.ground_truth())["posts"]
    post = await publisher.get_post(post_id)
    assert (post.state, post.parts[0].sent_as) == (PostState.PUBLISHED, there["id"])
    assert (await publisher.list_statuses("create_post"))[0] == 201
    assert len(await publisher.list_statuses("create_post")) == 2


@pytest.mark.timing
async def test_used_media_of_an_unknown_attempt_do_not_fail_the_post(
    publisher: Publisher, teal: Path
) -> None:
    """The first request is so late that it arrives with the resend; X accepts only one."""
    hasty = publisher.with_settings(create_timeout=timedelta(seconds=1))
    await publisher.emulator.switch(refuse_duplicates=False)
    await publisher.emulator.fail("create_post", "before", "delay", seconds=3)
    post_id = await publisher.schedule(TEXT, media=teal)
    await hasty.run_to_completion()
    await publisher.wait_for_responses("create_post", 2)
    await hasty.run_to_completion()
    (there,) = (await publisher.emulator.ground_truth())["posts"]
    post = await publisher.get_post(post_id)
    assert (post.state, post.parts[0].sent_as) == (PostState.PUBLISHED, there["id"])
