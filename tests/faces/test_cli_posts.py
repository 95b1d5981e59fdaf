"""`roost posts` lists posts with filters, and shows one post with its cost and history."""

import asyncio
import fcntl
import os
import pty
import re
import struct
import sys
import termios
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest

from fix_processes import environment_of
from fix_publishing import CommandResult, Publisher, run_roost
from roost.formats import format_time
from roost.models import PostState

LONG: Final = "A text that is much longer than the width of a terminal. " * 4


async def run(publisher: Publisher, folder: Path, *arguments: str) -> CommandResult:
    """Run a command for the publisher's tenant."""
    return await run_roost(*arguments, settings=publisher.runtime.settings, folder=folder)


async def listed(publisher: Publisher, folder: Path, *arguments: str) -> list[str]:
    """Return the first text of each post that `roost posts` lists."""
    result = await run(publisher, folder, "posts", *arguments, "--json")
    assert result.code == 0, result.out
    return [post["parts"][0]["text"] for post in result.answer["posts"]]


async def run_at_a_terminal(
    publisher: Publisher, folder: Path, columns: int, *arguments: str
) -> str:
    """Return what a command prints to a terminal that is `columns` characters wide."""
    terminal, output = pty.openpty()
    fcntl.ioctl(output, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    environment = environment_of(publisher.runtime.settings) | {"TERM": "xterm"}
    environment.pop("COLUMNS", None)  # COLUMNS has priority over the terminal's width.
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "roost", *arguments,
        env=environment, cwd=folder, stdin=asyncio.subprocess.DEVNULL, stdout=output,
    )  # fmt: skip
    os.close(output)
    written = b""
    try:
        while piece := await asyncio.to_thread(_read, terminal):
            written += piece
    finally:
        os.close(terminal)
    assert await process.wait() == 0
    return re.sub(r"\x1b\[[0-9;]*m", "", written.decode())


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 1 << 16)
    except OSError:  # The read fails once the process has closed the terminal.
        return b""


async def test_posts_ahead_are_listed_first(publisher: Publisher, tmp_path: Path) -> None:
    for text, after_s in (("Published", 0), ("Later", 7200), ("Sooner", 3600)):
        await publisher.schedule(text, after_s=after_s)
    await publisher.run_due_jobs()
    assert await listed(publisher, tmp_path) == ["Sooner", "Later", "Published"]


async def test_filters_combine(publisher: Publisher, tmp_path: Path) -> None:
    # The clock is frozen at noon, so a post that is due in two hours is on the same UTC day.
    for text, after_s in (("Tea now", 0), ("Tea today", 3600), ("Tea tomorrow", 86_400)):
        await publisher.schedule(text, after_s=after_s)
    await publisher.schedule("Coffee", after_s=7200)
    await publisher.run_due_jobs()
    tomorrow = (publisher.runtime.clock.now() + timedelta(days=1)).date().isoformat()
    cases = {
        ("--state", "published"): ["Tea now"],
        ("--state", "published", "--state", "needs_decision"): ["Tea now"],
        ("--search", "TEA"): ["Tea today", "Tea tomorrow", "Tea now"],
        ("--from", tomorrow): ["Tea tomorrow"],
        ("--from", "+90m"): ["Coffee", "Tea tomorrow"],
        ("--from", "+1m", "--to", "+90m"): ["Tea today"],
        ("--to", tomorrow, "--state", "scheduled", "--limit", "2"): ["Tea today", "Coffee"],
        ("--search", "cocoa"): [],
    }
    found = await asyncio.gather(*(listed(publisher, tmp_path, *options) for options in cases))
    assert found == list(cases.values())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--state", "gone"), "--state: 'gone' is not one of draft, scheduled, "),
        (("--limit", "0"), "--limit is 0."),
        (("--from", "2026-13-01"), "'2026-13-01' is not a day."),
        (("--to", "soon"), "'soon' is not a time."),
        (("--from", "yesterday"), "Write a day, such as 2026-12-24, or a time."),
        (("--from", "2026-12-05", "--to", "2026-12-01"), "--to is before --from."),
        (("--history",), "--history shows the events of one post."),
        (("1", "--account", "@larkbooks"), "--account, --state, --from, --to, --search and"),
        (
            ("1", "--limit", "3"),
            "--account, --state, --from, --to, --search and --limit select the posts",
        ),
        (("9" * 20,), f"There is no post {'9' * 20}."),
    ],
)
async def test_wrong_filter_is_explained(
    publisher: Publisher, tmp_path: Path, options: tuple[str, ...], message: str
) -> None:
    result = await run(publisher, tmp_path, "posts", *options)
    assert result.code in {1, 2}
    assert message in result.err


async def test_list_without_posts_says_so(publisher: Publisher, tmp_path: Path) -> None:
    every, found = [
        await run(publisher, tmp_path, "posts", *options) for options in ((), ("--search", "tea"))
    ]
    assert every.out.startswith("There is no post yet; `roost publish`")
    assert found.out == "No post matches.\n"


async def test_pipe_gets_one_plain_line_for_each_post(publisher: Publisher, tmp_path: Path) -> None:
    await publisher.schedule(LONG, after_s=3600)
    result = await run(publisher, tmp_path, "posts")
    head, row = result.out.splitlines()
    assert head.split() == ["post", "due", "(UTC)", "account", "state", "parts", "text"]
    due_at = publisher.runtime.clock.now() + timedelta(hours=1)
    expected = format_time(due_at, "UTC").removesuffix(" (UTC)")
    assert row.startswith(f"1     {expected}  @larkbooks  scheduled  1      A text that is")
    assert row.isprintable()


@pytest.mark.timing
async def test_narrow_terminal_gets_fewer_columns_and_whole_words(
    publisher: Publisher, tmp_path: Path
) -> None:
    await publisher.schedule("Short text", after_s=3600)
    wide, narrow = [
        await run_at_a_terminal(publisher, tmp_path, columns, "posts") for columns in (120, 40)
    ]
    for word in ("post", "due (UTC)", "account", "state", "parts", "text", "@larkbooks"):
        assert word in wide
    assert all(len(line) <= 40 for line in narrow.splitlines())
    for word in ("post", "due ", "state", "scheduled", "Times are in UTC."):
        assert word in narrow
    for word in ("@lark", "accou", "Short"):
        assert word not in narrow


async def test_one_post_shows_account_time_and_cost(
    publisher: Publisher, tmp_path: Path, teal: Path
) -> None:
    post_id = await publisher.schedule("See README.md", "Two", after_s=3600, media=teal)
    shown = format_time(publisher.runtime.clock.now() + timedelta(hours=1), "UTC")
    result = await run(publisher, tmp_path, "posts", str(post_id))
    lines = result.out.splitlines()
    assert lines[0] == f"Post {post_id} is scheduled for {shown}, as @larkbooks."
    assert lines[1] == "No worker is alive: start `roost worker` to publish the post."
    assert lines[2] == (
        "X charges $0.220 ($0.200: links to README.md; $0.005: an alt text for media;"
        " $0.015: no link)."
    )
    await publisher.run_to_completion()
    result = await run(publisher, tmp_path, "posts", str(post_id))
    lines = result.out.splitlines()
    assert lines[:2] == [f"Post {post_id} is published.", f"Due {shown}, as @larkbooks."]
    assert any(line.startswith("X charged $0.220 (") for line in lines)


async def test_one_post_says_what_a_person_must_do(publisher: Publisher, tmp_path: Path) -> None:
    post_id = await publisher.schedule("Late", after_s=60)
    await publisher.move_clock_to(publisher.runtime.clock.now() + timedelta(days=1))
    await publisher.run_to_completion()
    result = await run(publisher, tmp_path, "posts", str(post_id))
    assert f"Post {post_id} was missed.\n" in result.out
    assert "It waits for a person's decision. `roost resolve 1 resend` sends" in result.out


async def test_history_says_what_an_edit_changed(
    publisher: Publisher, tmp_path: Path, teal: Path
) -> None:
    post_id = await publisher.schedule("We open at 7.", after_s=3600)
    before = publisher.runtime.clock.now() + timedelta(hours=1)
    edited = await run(
        publisher, tmp_path, "edit", str(post_id), "--text", "We open at 8.", "--at", "+2h",
        "--media", str(teal), "--alt", "Teal",
    )  # fmt: skip
    assert edited.code == 0, edited.err
    result = await run(publisher, tmp_path, "posts", str(post_id), "--history")
    (line,) = [line for line in result.out.splitlines() if "edited" in line]
    times = " → ".join(format_time(before + timedelta(hours=hours), "UTC") for hours in (0, 1))
    assert (
        f'edited: time {times}; text "We open at 7." → "We open at 8.";'
        ' files none → teal.png; alt text of teal.png none → "Teal" ['
    ) in line
    as_json = await run(publisher, tmp_path, "posts", str(post_id), "--history", "--json")
    assert as_json.answer["history"][-1]["detail"]["changes"][1] == {
        "what": "text",
        "before": "We open at 7.",
        "after": "We open at 8.",
    }


async def test_missing_copy_of_a_file_is_shown_when_it_happens(
    publisher: Publisher, tmp_path: Path, teal: Path
) -> None:
    post_id = await publisher.schedule("Teal", after_s=3600, media=teal)
    teal.unlink()
    before = await run(publisher, tmp_path, "posts", str(post_id))
    assert "! Roost's copy" not in before.out
    for copy in publisher.runtime.media.folder.glob("??/*"):
        copy.unlink()
    after = await run(publisher, tmp_path, "posts", str(post_id))
    assert "! Roost's copy of teal.png is missing. Restore the folder" in after.out
    assert (await publisher.get_post(post_id)).state is PostState.SCHEDULED


async def test_deleted_original_changes_nothing(publisher: Publisher, teal: Path) -> None:
    post_id = await publisher.schedule("Teal", after_s=3600, media=teal)
    teal.unlink()
    await publisher.run_to_completion()
    assert (await publisher.get_post(post_id)).state is PostState.PUBLISHED


@pytest.mark.timing
@pytest.mark.parametrize("arguments", [("posts",), ("posts", "--help")], ids=" ".join)
async def test_a_terminal_of_one_column_gets_whole_words(
    publisher: Publisher, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    await publisher.schedule("Hello", after_s=60)
    assert "post" in await run_at_a_terminal(publisher, tmp_path, 1, *arguments)


@pytest.mark.timing
async def test_narrow_terminal_shows_text_and_short_times(
    publisher: Publisher, tmp_path: Path
) -> None:
    await publisher.schedule("Our shop is open on Sunday.", after_s=3600)
    shown = await run_at_a_terminal(publisher, tmp_path, 60, "posts")
    assert "Our shop is open" in shown
    due = publisher.runtime.clock.now() + timedelta(hours=1)
    assert f" {due.day} {due:%b, %H:%M} " in shown


async def test_media_none_removes_the_files(
    publisher: Publisher, tmp_path: Path, teal: Path
) -> None:
    post_id = await publisher.schedule("Teal", after_s=3600, media=teal)
    edited = await run(publisher, tmp_path, "edit", str(post_id), "--media", "none", "--json")
    assert (edited.code, edited.answer["parts"][0]["media"]) == (0, [])


async def test_dry_run_uses_up_no_number(publisher: Publisher, tmp_path: Path) -> None:
    first = await publisher.schedule("First", after_s=3600)
    plan = "account,at,text,media,alt,thread\n" + "@larkbooks,+2h,Second,,,\n" * 2
    (tmp_path / "plan.csv").write_text(plan, "utf-8")
    dry = await run(publisher, tmp_path, "import", "plan.csv", "--dry-run", "--json")
    assert [post["id"] for post in dry.answer["posts"]] == [None, None]
    assert await publisher.schedule("Third", after_s=3600) == first + 1


async def test_resume_says_that_nothing_was_paused(publisher: Publisher, tmp_path: Path) -> None:
    post_id = await publisher.schedule("Hello", after_s=3600)
    words = {
        (str(post_id),): f"Post {post_id} is",
        ("--account", "larkbooks"): "All posts of @larkbooks are",
        ("--all-accounts",): f"All posts of tenant {publisher.tenant.name!r} are",
    }
    for arguments, subject in words.items():
        before = await run(publisher, tmp_path, "resume", *arguments)
        await run(publisher, tmp_path, "pause", *arguments)
        after = await run(publisher, tmp_path, "resume", *arguments)
        assert before.out.startswith(f"{subject} not paused.")
        assert after.out.startswith(f"{subject} no longer paused.")
    everything = await run(publisher, tmp_path, "resume", "--all")
    assert everything.out.startswith("There was no pause of everything.")
