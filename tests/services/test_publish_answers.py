"""After any response of X, each part is on X at most once, and the rows match X."""

from datetime import timedelta
from pathlib import Path

import pytest

from fix_publishing import Publisher, code_of
from roost.models import PartState, PostState

#: Faults that imitate the responses of a proxy, captive portal or filter in front of X.
FOREIGN = ["200empty", "200deep", "200html", "401html", "403html", "404empty", "413html", "429text"]
UNCERTAIN = ["drop", "500", "503", "502text", *FOREIGN]


@pytest.mark.parametrize("kind", UNCERTAIN)
async def test_create_is_resent_after_three_empty_reads__lost_by_x(
    publisher: Publisher, kind: str
) -> None:
    await publisher.emulator.fail("create_post", "before", kind)
    post_id = await publisher.schedule("Low tide at six")
    await publisher.run_to_completion()
    assert (await publisher.get_post(post_id)).state is PostState.PUBLISHED
    assert await publisher.published_texts() == ["Low tide at six"]
    assert len(await publisher.list_statuses("create_post")) == 2
    # There are four reads: one at once, which is too early to prove anything; two after the
    # timeline lag; and one directly before the resend.
    assert await publisher.list_statuses("read_timeline") == [200, 200, 200, 200]


@pytest.mark.parametrize("kind", UNCERTAIN)
async def test_create_is_adopted__response_lost(publisher: Publisher, kind: str) -> None:
    await publisher.emulator.fail("create_post", "after", kind)
    post_id = await publisher.schedule("Low tide at six")
    await publisher.run_to_completion()
    (part,) = (await publisher.get_post(post_id)).parts
    (on_x,) = (await publisher.emulator.ground_truth())["posts"]
    assert (part.state, part.sent_as) == (PartState.SENT, on_x["id"])
    assert await publisher.list_statuses("create_post") == [201]


@pytest.mark.parametrize("kind", ["drop", "500", "403html", "413html"])
async def test_create_with_media_is_adopted_by_media_key__response_lost(
    publisher: Publisher, teal: Path, kind: str
) -> None:
    await publisher.emulator.fail("create_post", "after", kind)
    post_id = await publisher.schedule("Low tide at six", media=teal)
    await publisher.run_to_completion()
    (part,) = (await publisher.get_post(post_id)).parts
    (on_x,) = (await publisher.emulator.ground_truth())["posts"]
    assert part.sent_as == on_x["id"]
    assert [each["alt_text"] for each in on_x["media"]] == ["A teal square"]


@pytest.mark.parametrize("kind", ["200empty", "200object", "200ok", "200html", "204", "404html"])
async def test_timeline_from_a_proxy_does_not_count_as_empty(
    publisher: Publisher, kind: str
) -> None:
    await publisher.emulator.fail("create_post", "after", "drop")
    # The client tries each read three times, so six faults make two reads fail.
    await publisher.emulator.fail("read_timeline", "before", kind, times=6)
    post_id = await publisher.schedule("Low tide at six")
    await publisher.run_to_completion()
    (part,) = (await publisher.get_post(post_id)).parts
    (on_x,) = (await publisher.emulator.ground_truth())["posts"]
    assert (part.state, part.sent_as) == (PartState.SENT, on_x["id"])
    assert await publisher.list_statuses("create_post") == [201]


@pytest.mark.timing
async def test_create_is_not_duplicated__arrives_before_the_second_read(
    publisher: Publisher,
) -> None:
    hasty = publisher.with_settings(create_timeout=timedelta(seconds=1))
    await publisher.emulator.fail("create_post", "before", "delay", seconds=2)
    post_id = await publisher.schedule("Low tide at six")
    await hasty.run_due_jobs()
    assert (await publisher.get_post(post_id)).parts[0].state is PartState.UNKNOWN
    await publisher.wait_for_responses("create_post", 1)
    await hasty.run_to_completion()
    assert (await publisher.get_post(post_id)).state is PostState.PUBLISHED
    assert await publisher.list_statuses("create_post") == [201]


@pytest.mark.timing
async def test_create_is_not_duplicated__arrives_with_the_resend(publisher: Publisher) -> None:
    hasty = publisher.with_settings(create_timeout=timedelta(seconds=1))
    # The create is delayed for so long that the resend precedes it even on a busy machine.
    await publisher.emulator.fail("create_post", "before", "delay", seconds=5)
    post_id = await publisher.schedule("Low tide at six")
    await hasty.run_to_completion()
    await publisher.wait_for_responses("create_post", 2)
    assert (await publisher.get_post(post_id)).state is PostState.PUBLISHED
    assert await publisher.published_texts() == ["Low tide at six"]
    assert sorted(status or 0 for status in await publisher.list_statuses("create_post")) == [
        201,
        403,
    ]


async def test_create_waits__rate_limited(publisher: Publisher) -> None:
    await publisher.emulator.fail("create_post", "before", "429")
    post_id = await publisher.schedule("Low tide at six")
    await publisher.run_due_jobs()
    waiting = await publisher.get_post(post_id)
    assert (waiting.state, waiting.parts[0].state) == (PostState.PUBLISHING, PartState.PENDING)
    await publisher.run_to_completion()
    assert (await publisher.get_post(post_id)).state is PostState.PUBLISHED
    assert await publisher.list_statuses("create_post") == [429, 201]
    assert await publisher.list_statuses("read_timeline") == []


async def test_create_is_sent_with_a_new_token__401(publisher: Publisher) -> None:
    await publisher.emulator.fail("create_post", "before", "401")
    post_id = await publisher.schedule("Low tide at six")
    await publisher.run_to_completion()
    assert (await publisher.get_post(post_id)).state is PostState.PUBLISHED
    assert await publisher.list_statuses("create_post") == [401, 201]
    assert await publisher.list_statuses("refresh") == [200]


@pytest.mark.timing
async def test_create_deadline_excludes_a_slow_refresh(publisher: Publisher) -> None:
    post_id = await publisher.schedule("Low tide at six", after_s=7200)
    await publisher.emulator.jump(hours=2)
    await publisher.emulator.fail("refresh", "before", "delay", seconds=2.5)
    await publisher.with_settings(create_timeout=timedelta(seconds=2)).run_due_jobs()
    assert (await publisher.get_post(post_id)).state is PostState.PUBLISHED
    assert await publisher.list_statuses("create_post") == [201]


async def test_create_waits_and_keeps_its_account__always_401(publisher: Publisher) -> None:
    await publisher.emulator.fail("create_post", "before", "401", times=2)
    post_id = await publisher.schedule("Low tide at six")
    await publisher.run_due_jobs()
    assert (await publisher.get_post(post_id)).parts[0].state is PartState.PENDING
    assert (await publisher.get_integration()).status == "connected"
    await publisher.run_to_completion()
    assert (await publisher.get_post(post_id)).state is PostState.PUBLISHED
    assert await publisher.list_statuses("create_post") == [401, 401, 201]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", ["initialize", "append", "finalize", "metadata"])
async def test_upload_cut_at_any_step_publishes_one_post(
    publisher: Publisher, teal: Path, step: str, when: str
) -> None:
    await publisher.emulator.fail(f"media_{step}", when, "drop")
    post_id = await publisher.schedule("Low tide at six", media=teal)
    await publisher.run_to_completion()
    assert (await publisher.get_post(post_id)).state is PostState.PUBLISHED
    (on_x,) = (await publisher.emulator.ground_truth())["posts"]
    assert [each["alt_text"] for each in on_x["media"]] == ["A teal square"]
    assert await publisher.list_statuses("create_post") == [201]


@pytest.mark.parametrize(
    ("step", "kind"),
    [
        ("initialize", "429"),
        ("initialize", "401"),
        ("append", "503"),
        ("append", "502text"),
        ("finalize", "500"),
        ("finalize", "429"),
    ],
)
async def test_upload_refused_at_a_step_is_repeated(
    publisher: Publisher, teal: Path, step: str, kind: str
) -> None:
    await publisher.emulator.fail(f"media_{step}", "before", kind)
    post_id = await publisher.schedule("Low tide at six", media=teal)
    await publisher.run_to_completion()
    assert (await publisher.get_post(post_id)).state is PostState.PUBLISHED
    (on_x,) = (await publisher.emulator.ground_truth())["posts"]
    assert len(on_x["media"]) == 1


async def test_upload_refused_for_good_fails_the_post(publisher: Publisher, teal: Path) -> None:
    await publisher.emulator.switch(max_segment_bytes=100)
    post_id = await publisher.schedule("Low tide at six", media=teal)
    await publisher.run_to_completion()
    post = await publisher.get_post(post_id)
    assert post.state is PostState.FAILED
    assert code_of(post) == "segment_too_large"
    assert await publisher.list_statuses("create_post") == []


async def test_duplicate_is_adopted__created_despite_a_429(publisher: Publisher) -> None:
    # X creates the post but responds with 429, so X refuses the next attempt as a duplicate.
    await publisher.emulator.fail("create_post", "after", "429")
    post_id = await publisher.schedule("Low tide at six")
    await publisher.run_to_completion()
    (part,) = (await publisher.get_post(post_id)).parts
    (on_x,) = (await publisher.emulator.ground_truth())["posts"]
    assert (part.state, part.sent_as) == (PartState.SENT, on_x["id"])
    assert await publisher.list_statuses("create_post") == [201, 403]
