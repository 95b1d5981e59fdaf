"""Every command with `--json` prints one JSON object on standard output and nothing else."""

import asyncio
import json
import signal
from datetime import datetime
from pathlib import Path

import pytest

from fix_processes import environment_of
from fix_publishing import CommandResult, Publisher, piped_python, run_roost, wait_for_result
from roost.models import PostId, PostState
from roost.services import collect


async def run(publisher: Publisher, folder: Path, *arguments: str) -> CommandResult:
    """Run a command with `--json` for the publisher's tenant."""
    return await run_roost(*arguments, "--json", settings=publisher.runtime.settings, folder=folder)


async def test_check_shows_weight_violations_and_price(tmp_path: Path) -> None:
    good, bad = await asyncio.gather(
        run_roost("check", "See https://example.com/tides", "--json", folder=tmp_path),
        run_roost("check", "x" * 281, "--json", folder=tmp_path),
    )
    assert (good.code, bad.code) == (0, 2)
    assert good.answer["weighted_length"] == 27
    assert good.answer["valid"] is True
    assert good.answer["price"] == {
        "low": 0.2,
        "high": 0.2,
        "reason": "links to https://example.com/tides",
    }
    assert [one["code"] for one in bad.answer["violations"]] == ["text_too_long"]


async def test_check_validates_media(tmp_path: Path, teal: Path) -> None:
    result = await run_roost("check", "Teal", "--media", str(teal), "--json", folder=tmp_path)
    assert (result.code, result.answer["valid"]) == (0, True)
    broken = tmp_path / "broken.png"
    broken.write_bytes(teal.read_bytes()[:40])
    result = await run_roost("check", "Teal", "--media", str(broken), "--json", folder=tmp_path)
    assert result.code == 2
    assert len(result.answer["violations"]) == 1


async def test_draft_drafts_from_a_brief(tmp_path: Path) -> None:
    (tmp_path / "brief.yaml").write_text(
        "account: '@larkbooks'\ntopic: The summer sale\naudience: readers\ntone: warm\n"
        "language: en\nfacts:\n  - {id: when, text: The sale begins on Monday.}\n"
        "  - {id: where, text: The shop is in Mill Lane.}\nn: 2\n",
        "utf-8",
    )
    result = await run_roost("draft", "--brief", "brief.yaml", "--json", folder=tmp_path)
    assert result.code == 0, result.answer
    assert len(result.answer["drafts"]) == 2
    assert all(draft["weighted_length"] <= 240 for draft in result.answer["drafts"])


async def test_draft_shows_evidence_of_each_draft(tmp_path: Path) -> None:
    (tmp_path / "brief.yaml").write_text(
        "account: acme\ntopic: opening hours\nfacts:\n  - {id: when, text: We open at 7 am.}\n",
        "utf-8",
    )
    result = await run_roost("draft", "--brief", "brief.yaml", "--json", folder=tmp_path)
    (draft,) = result.answer["drafts"]
    assert (draft["origin"], draft["fact_ids"]) == ("composer", ["when"])
    assert [each["fact_ids"] for each in draft["sentences"]] == [["when"]]
    assert all(verdict["ok"] for verdict in draft["verdicts"])


async def test_draft_lint_lists_problems(tmp_path: Path) -> None:
    (tmp_path / "brief.yaml").write_text(
        "account: acme\ntopic: sale\nfacts:\n"
        "  - {id: a, text: The sale has begun., valid_until: 2020-01-01}\n",
        "utf-8",
    )
    result = await run_roost("draft", "--brief", "brief.yaml", "--lint", "--json", folder=tmp_path)
    codes = [finding["code"] for finding in result.answer["findings"]]
    assert (result.code, result.answer["valid"]) == (2, False)
    assert codes == ["no_fact_left", "fact_expired"]


async def test_posts_are_listed_in_due_order(publisher: Publisher, tmp_path: Path) -> None:
    await publisher.schedule("Later", after_s=60)
    await publisher.schedule("Sooner", after_s=30)
    result = await run(publisher, tmp_path, "posts")
    texts = [post["parts"][0]["text"] for post in result.answer["posts"]]
    assert (result.code, texts) == (0, ["Sooner", "Later"])


async def test_posts_history_lists_every_event(publisher: Publisher, tmp_path: Path) -> None:
    post_id = await publisher.schedule("Out")
    await publisher.run_due_jobs()
    result = await run(publisher, tmp_path, "posts", str(post_id), "--history")
    assert result.answer["post"]["state"] == "published"
    assert [event["to_state"] for event in result.answer["history"]] == [
        "scheduled",
        "publishing",
        "sending",
        "sent",
        "published",
    ]


async def test_metrics_and_report_show_stored_snapshots(
    publisher: Publisher, tmp_path: Path
) -> None:
    await collect.collect_account(publisher.runtime, publisher.scope, publisher.account.id)
    metrics, report = await asyncio.gather(
        run(publisher, tmp_path, "metrics"),
        run(publisher, tmp_path, "report", "--output", "report.html"),
    )
    (account,) = metrics.answer["accounts"]
    assert account["account"] == "larkbooks"
    assert len(account["snapshots"]) == 1
    assert (metrics.code, report.code) == (0, 0)
    assert "@larkbooks" in (tmp_path / report.answer["report"]).read_text("utf-8")


async def test_import_lists_scheduled_posts_and_refused_rows(
    publisher: Publisher, tmp_path: Path
) -> None:
    (tmp_path / "plan.csv").write_text(
        "account,at,text,media,alt,thread\n"
        f"@larkbooks,+60s,Good,,,\n@larkbooks,+60s,{'x' * 300},,,\n",
        "utf-8",
    )
    dry = await run(publisher, tmp_path, "import", "plan.csv", "--dry-run")
    real = await run(publisher, tmp_path, "import", "plan.csv")
    assert (dry.code, real.code) == (1, 1)
    (planned,), (scheduled,) = dry.answer["posts"], real.answer["posts"]
    assert planned == scheduled | {"id": None}
    assert dry.answer | {"posts": []} == real.answer | {"posts": []}
    post = await publisher.get_post(PostId(scheduled["id"]))
    assert post.due_at == datetime.fromisoformat(scheduled["due_at"])
    assert [(row["line"], row["code"]) for row in real.answer["refused"]] == [(3, "text_too_long")]


async def test_edit_and_cancel_show_the_post(publisher: Publisher, tmp_path: Path) -> None:
    post_id = await publisher.schedule("Old", after_s=600)
    edited = await run(publisher, tmp_path, "edit", str(post_id), "--text", "New", "--at", "+1h")
    assert edited.answer["parts"][0]["text"] == "New"
    cancelled = await run(publisher, tmp_path, "cancel", str(post_id))
    assert (edited.code, cancelled.code) == (0, 0)
    assert cancelled.answer["state"] == "cancelled"


async def test_edit_into_a_thread_keeps_the_media_of_part_1(
    publisher: Publisher, tmp_path: Path, teal: Path
) -> None:
    post_id = await publisher.schedule("Old", after_s=600, media=teal)
    (tmp_path / "thread.txt").write_text("One. " * 70, "utf-8")
    result = await run(publisher, tmp_path, "edit", str(post_id), "--thread", "thread.txt")
    assert result.code == 0
    first, *later = (await publisher.get_post(post_id)).parts
    assert [(Path(one.path).name, one.alt_text) for one in first.media] == [
        ("teal.png", "A teal square")
    ]
    assert [part.media for part in later] == [()] * len(later) != []
    result = await run(
        publisher, tmp_path, "edit", str(post_id), "--thread", "thread.txt", "--alt", "Another"
    )
    assert [one.alt_text for one in (await publisher.get_post(post_id)).parts[0].media] == [
        "Another"
    ]


async def test_edit_into_a_thread_does_not_remove_anything_from_later_parts(
    publisher: Publisher, tmp_path: Path, teal: Path
) -> None:
    (tmp_path / "plan.csv").write_text(
        "account,at,text,media,alt,thread,poll,poll_duration\n"
        "@larkbooks,+60s,One,,,w,,\n,,Two,teal.png,,w,,\n"
        "@larkbooks,+90s,Three,,,v,,\n,,Four?,,,v,Yes|No,1d\n",
        "utf-8",
    )
    (tmp_path / "thread.txt").write_text("Five", "utf-8")
    assert (await run(publisher, tmp_path, "import", "plan.csv")).code == 0
    for post_id in (1, 2):
        before = await publisher.get_post(PostId(post_id))
        result = await run(publisher, tmp_path, "edit", str(post_id), "--thread", "thread.txt")
        assert (result.code, result.error) == (2, "thread_not_replaceable")
        assert await publisher.get_post(PostId(post_id)) == before


async def test_edit_of_one_alt_text_keeps_the_others(
    publisher: Publisher, tmp_path: Path, teal: Path
) -> None:
    (tmp_path / "plan.csv").write_text(
        "account,at,text,media,alt,thread\n@larkbooks,+60s,Two,teal.png|teal.png,A|B,\n", "utf-8"
    )
    assert (await run(publisher, tmp_path, "import", "plan.csv")).code == 0
    result = await run(publisher, tmp_path, "edit", "1", "--alt", "C")
    assert result.code == 0
    assert [one.alt_text for one in (await publisher.get_post(PostId(1))).parts[0].media] == [
        "C",
        "B",
    ]


async def test_a_thread_file_without_a_text_is_refused(
    publisher: Publisher, tmp_path: Path
) -> None:
    (tmp_path / "thread.txt").write_text(" \n\n", "utf-8")
    result = await run(publisher, tmp_path, "publish", "--thread", "thread.txt", "--at", "+1h")
    assert (result.code, result.error) == (2, "invalid_input")


async def test_edit_of_the_text_keeps_the_media(
    publisher: Publisher, tmp_path: Path, teal: Path
) -> None:
    post_id = await publisher.schedule("Old", after_s=600, media=teal)
    result = await run(publisher, tmp_path, "edit", str(post_id), "--text", "New")
    assert result.code == 0
    (part,) = (await publisher.get_post(post_id)).parts
    assert part.text == "New"
    assert [Path(asset.path).name for asset in part.media] == ["teal.png"]


async def test_doctor_lists_every_finding(publisher: Publisher, tmp_path: Path) -> None:
    result = await run(publisher, tmp_path, "doctor")
    by_name = {one["what"]: one["status"] for one in result.answer["findings"]}
    assert by_name["@larkbooks"] == "ok"
    assert by_name["workers"] == "error"
    assert (result.code, result.answer["ok"]) == (5, False)
    assert [what for what, status in by_name.items() if status != "ok"] == ["workers"]
    assert await publisher.list_statuses("read_me") == []


async def test_doctor_live_asks_x_only_if_the_price_is_agreed(
    publisher: Publisher, tmp_path: Path
) -> None:
    declined = await run(publisher, tmp_path, "doctor", "--live")
    assert "$0.010" in declined.err
    assert await publisher.list_statuses("read_me") == []
    agreed = await run(publisher, tmp_path, "doctor", "--live", "--yes")
    # Both commands end with 5, because `roost doctor` reports as an error that no worker is alive.
    assert (declined.code, agreed.code) == (5, 5)
    assert await publisher.list_statuses("read_me") == [200]


async def test_doctor_reports_a_late_post_as_an_error(publisher: Publisher, tmp_path: Path) -> None:
    await publisher.schedule("Late")
    await publisher.emulator.jump(seconds=200)
    result = await run(publisher, tmp_path, "doctor")
    assert (result.code, result.answer["ok"]) == (5, False)
    assert any("late" in one["message"] for one in result.answer["findings"])


@pytest.mark.parametrize(
    "arguments",
    [
        ("edit", "404", "--at", "+1h"),
        ("posts", "--account", "@missing"),
        ("posts", "--tenant", "missing"),
    ],
    ids=lambda arguments: "_".join(arguments).replace("--", ""),
)
async def test_a_missing_thing_ends_with_1(
    publisher: Publisher, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    result = await run(publisher, tmp_path, *arguments)
    assert result.code == 1
    assert result.answer["error"]["kind"] == "not_found"


async def test_a_conflict_with_the_posts_state_ends_with_1(
    publisher: Publisher, tmp_path: Path
) -> None:
    post_id = await publisher.schedule("Out")
    await publisher.run_due_jobs()
    result = await run(publisher, tmp_path, "cancel", str(post_id))
    assert (result.code, result.error) == (1, "post_not_editable")
    assert (await publisher.get_post(post_id)).state is PostState.PUBLISHED


@pytest.mark.parametrize(
    "arguments",
    [("nonsense",), ("check",)],
    ids=["unknown_command", "missing_argument"],
)
async def test_an_invalid_command_line_is_reported_as_json_too(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    result = await run_roost(*arguments, "--json", folder=tmp_path)
    assert result.code == 2
    assert result.answer["error"]["kind"] == "invalid"


@pytest.mark.timing
@pytest.mark.parametrize(
    ("arguments", "key"),
    [
        (("worker",), "worker"),
        (("serve", "--port", "0"), "url"),
        (("emulator", "--port", "0"), "url"),
    ],
    ids=["worker", "serve", "emulator"],
)
async def test_a_long_running_command_reports_when_it_is_ready_and_ends_on_sigterm(
    publisher: Publisher, tmp_path: Path, arguments: tuple[str, ...], key: str
) -> None:
    environment = environment_of(publisher.runtime.settings)
    async with (
        piped_python(
            "-m", "roost", *arguments, "--json", environment=environment, folder=tmp_path
        ) as process,
        asyncio.timeout(120),
    ):
        assert process.stdout is not None
        first_line = json.loads(await process.stdout.readline())
        process.send_signal(signal.SIGTERM)
        result = await wait_for_result(process)
    assert key in first_line
    assert result.out == ""
    assert result.code in (0, 130)
