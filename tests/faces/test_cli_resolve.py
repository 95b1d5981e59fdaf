"""`roost resolve`, `roost pause` and `roost resume` in real processes."""

import asyncio
import os
import signal
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg
import pytest

from faces.terminal import question_at_a_terminal
from fix_publishing import CommandResult, Publisher, run_roost
from fix_runtime import ACTOR
from roost import store
from roost.formats import format_time
from roost.models import ActorKind, PostId, PostState
from roost.publishing.history import describe_event
from roost.services import pause


async def run(publisher: Publisher, folder: Path, *arguments: str) -> CommandResult:
    """Run a command for the publisher's tenant."""
    return await run_roost(*arguments, settings=publisher.runtime.settings, folder=folder)


async def publish_half(publisher: Publisher) -> PostId:
    """Publish a thread whose second part X refuses; return the thread's post id."""
    await publisher.schedule("Said before")
    post_id = await publisher.schedule("New", "Said before", "The end", after_s=1)
    await publisher.run_to_completion()
    return post_id


async def test_resolve_shows_the_new_state_and_records_the_user(
    publisher: Publisher, tmp_path: Path
) -> None:
    post_id = await publisher.schedule("Good morning")
    await publisher.emulator.jump(hours=2)
    await publisher.run_to_completion()
    result = await run(publisher, tmp_path, "resolve", str(post_id), "discard", "--json")
    assert (result.code, result.answer["state"]) == (0, "cancelled")
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        last = (await store.posts.list_events(transaction, post_id))[-1]
    assert (describe_event(last), last.actor.kind) == ("it was discarded", ActorKind.COMMAND_LINE)


async def test_resolve_continue_publishes_a_new_text(publisher: Publisher, tmp_path: Path) -> None:
    post_id = await publish_half(publisher)
    result = await run(publisher, tmp_path, "resolve", str(post_id), "continue", "--text", "Anew")
    assert result.code == 0
    assert f"Post {post_id} is being published." in result.out
    await publisher.run_to_completion()
    assert await publisher.published_texts() == ["Said before", "New", "Anew", "The end"]


async def test_resolve_refuses_missing_and_surplus_arguments(tmp_path: Path) -> None:
    missing, surplus, unfit, unknown = await asyncio.gather(
        run_roost("resolve", "1", "found", "--json", folder=tmp_path),
        run_roost("resolve", "1", "discard", "17", "--json", folder=tmp_path),
        run_roost("resolve", "1", "discard", "--text", "x", "--json", folder=tmp_path),
        run_roost("resolve", "1", "guess", "--json", folder=tmp_path),
    )
    assert [one.code for one in (missing, surplus, unfit, unknown)] == [2, 2, 2, 2]
    assert [one.error for one in (missing, surplus, unfit)] == ["decision_unclear"] * 3
    assert unknown.error == "usage_invalid"


async def test_resolve_names_the_choices_that_the_state_allows(
    publisher: Publisher, tmp_path: Path
) -> None:
    post_id = await publish_half(publisher)
    wrong, absent, unlikely = await asyncio.gather(
        run(publisher, tmp_path, "resolve", str(post_id), "resend", "--json"),
        run(publisher, tmp_path, "resolve", "404", "discard", "--json"),
        run(publisher, tmp_path, "resolve", str(post_id), "found", "soon", "--json"),
    )
    assert (wrong.code, wrong.error) == (1, "decision_not_open")
    assert "`continue`, `delete`, `acknowledge`" in wrong.answer["error"]["message"]
    assert (absent.code, absent.error) == (1, "post_not_found")
    assert (unlikely.code, unlikely.error) == (2, "tweet_unlikely")


async def test_resolve_delete_does_nothing_unless_its_price_is_agreed(
    publisher: Publisher, tmp_path: Path
) -> None:
    post_id = await publish_half(publisher)
    result = await run(publisher, tmp_path, "resolve", str(post_id), "delete", "--json")
    assert (result.code, result.error) == (2, "price_not_agreed")
    assert "costs $0.010" in result.answer["error"]["message"]
    assert await publisher.list_statuses("delete_post") == []
    agreed = await run(publisher, tmp_path, "resolve", str(post_id), "delete", "--yes", "--json")
    assert (agreed.code, agreed.answer["state"]) == (0, "cancelled")
    assert await publisher.list_statuses("delete_post") == [200]


@pytest.mark.timing
@pytest.mark.parametrize(
    ("answer", "code", "state"),
    [("y", 0, PostState.CANCELLED), ("n", 2, PostState.PARTLY_PUBLISHED)],
    ids=["agreed", "declined"],
)
async def test_resolve_delete_asks_at_a_terminal(
    publisher: Publisher, tmp_path: Path, answer: str, code: int, state: PostState
) -> None:
    post_id = await publish_half(publisher)
    async with question_at_a_terminal(
        publisher, tmp_path, "resolve", str(post_id), "delete"
    ) as question:
        process, terminal = question
        os.write(terminal, f"{answer}\n".encode())
    assert process.returncode == code
    assert (await publisher.get_post(post_id)).state is state


@pytest.mark.timing
async def test_sigterm_ends_a_question_and_nothing_is_done(
    publisher: Publisher, tmp_path: Path
) -> None:
    post_id = await publish_half(publisher)
    async with question_at_a_terminal(
        publisher, tmp_path, "resolve", str(post_id), "delete"
    ) as question:
        process, _ = question
        process.send_signal(signal.SIGTERM)
    assert process.returncode == 130
    assert await publisher.list_statuses("delete_post") == []


async def test_posts_shows_every_pause_of_a_post(publisher: Publisher, tmp_path: Path) -> None:
    post_id = await publisher.schedule("Paused", after_s=600)
    paused = await run(publisher, tmp_path, "pause", str(post_id), "--json")
    assert (paused.code, paused.answer) == (
        0,
        {"paused": True, "scope": "post", "of": post_id, "restored_to": None},
    )
    account = await run(publisher, tmp_path, "pause", "--account", "@larkbooks")
    assert (account.code, account.err) == (0, "")
    await pause.pause_everything(publisher.runtime, ACTOR)
    listed, one = await asyncio.gather(
        run(publisher, tmp_path, "posts", "--json"), run(publisher, tmp_path, "posts", str(post_id))
    )
    assert listed.answer["posts"][0]["paused_by"] == ["post", "account", "everything"]
    assert "Paused: the post and its account and everything." in one.out
    resumed = await run(publisher, tmp_path, "resume", str(post_id))
    assert "still keep the post unpublished: its account and everything." in resumed.out


async def test_pause_and_resume_require_exactly_one_scope(tmp_path: Path) -> None:
    none, two = await asyncio.gather(
        run_roost("pause", "--json", folder=tmp_path),
        run_roost("resume", "3", "--all", "--json", folder=tmp_path),
    )
    assert [(one.code, one.error) for one in (none, two)] == [(2, "scope_unclear")] * 2
    assert "post and everything" in two.answer["error"]["message"]


async def test_pause_all_stops_publishing_until_resume_all(
    publisher: Publisher, tmp_path: Path
) -> None:
    await publisher.schedule("Paused", after_s=60)
    paused = await run(publisher, tmp_path, "pause", "--all")
    assert paused.code == 0
    await publisher.emulator.jump(seconds=90)
    await publisher.run_due_jobs()
    assert await publisher.published_texts() == []
    resumed = await run(publisher, tmp_path, "resume", "--all", "--json")
    assert (resumed.code, resumed.answer["searched_again_first"]) == (0, [])
    await publisher.run_due_jobs()
    assert await publisher.published_texts() == ["Paused"]


async def test_resume_after_a_restore_lists_posts_that_are_searched_again(
    publisher: Publisher, tmp_path: Path
) -> None:
    post_id = await publisher.schedule("Since then", "And then", after_s=60)
    last_event_at = (await store.installation.read(publisher.runtime.database.autocommit)).event_at
    await publisher.emulator.jump(seconds=90)
    paused = await run(publisher, tmp_path, "pause", "--restored", "--json")
    assert last_event_at is not None
    assert datetime.fromisoformat(paused.answer["restored_to"]) == last_event_at
    resumed = await run(publisher, tmp_path, "resume", "--all")
    assert f"X is searched again before they are sent: {post_id}\n" in resumed.out
    await publisher.run_to_completion()
    assert await publisher.published_texts() == ["Since then", "And then"]
    assert len(await publisher.list_statuses("read_timeline")) == 2


async def test_posts_history_is_in_the_tenants_time_zone(
    publisher: Publisher, admin_url: str, tmp_path: Path
) -> None:
    with psycopg.connect(admin_url) as admin:
        admin.execute("UPDATE roost.tenants SET time_zone = 'Asia/Tokyo'")
    await publisher.emulator.fail("create_post", "before", "drop")
    planned_at = publisher.runtime.clock.now().astimezone(ZoneInfo("Asia/Tokyo"))
    attempted, decided = (
        f"{planned_at + timedelta(seconds=after):%H:%M:%S}" for after in (0, 15 * 60 + 15)
    )
    post_id = await publisher.schedule("Low tide at six")
    await publisher.run_due_jobs()
    await publisher.emulator.jump(hours=0.25)
    await publisher.run_to_completion()
    result = await run(publisher, tmp_path, "posts", str(post_id), "--history")
    assert f"(Asia/Tokyo)\n  {attempted} scheduled [tester@here at the terminal]\n" in result.out
    assert f"  {attempted} part 1: handed to X (attempt 1) [tester@here" in result.out
    assert f"  {decided} part 1: needs a decision: X sent no response" in result.out
    assert (
        f"    attempt 1, {format_time(planned_at, 'Asia/Tokyo')}: X sent no response; X's timeline"
        " was read 2 times and did not show the post\n" in result.out
    )


async def test_publish_stores_the_tolerance(publisher: Publisher, tmp_path: Path) -> None:
    stored, invalid = await asyncio.gather(
        run(publisher, tmp_path, "publish", "Soon", "--at", "+1h", "--tolerance", "30m", "--json"),
        run(publisher, tmp_path, "publish", "Soon", "--at", "+1h", "--tolerance", "soon", "--json"),
    )
    assert (stored.code, stored.answer["tolerance"]) == (0, 1800)
    assert (invalid.code, invalid.error) == (2, "span_invalid")
