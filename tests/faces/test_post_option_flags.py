"""Replies, quotes and polls in commands, plan files, pages and the JSON API."""

import json
from pathlib import Path
from typing import Any

import aiohttp

from fix_publishing import CommandResult, Publisher, run_roost
from fix_web import get
from roost.models import PartOptions, Poll, PostState, ReplySettings, TweetId
from roost.post_options import DEFAULT_POLL_DURATION
from roost.services.schedule import PartInput, schedule_post

ADDRESS = "https://x.com/tidewatcher/status/{}?s=20"
NONE: dict[str, Any] = {"reply_to": None, "quote_of": None, "poll": None, "reply_settings": None}
DAY_S = 86_400.0


async def roost(
    publisher: Publisher, folder: Path, *arguments: str, **environment: str
) -> CommandResult:
    return await run_roost(
        *arguments, settings=publisher.runtime.settings, folder=folder, **environment
    )


def options_of(post: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the options of each part."""
    return [
        {name: value for name, value in part["options"].items() if value is not None}
        for part in post["parts"]
    ]


async def mention(publisher: Publisher) -> str:
    """Make a post of another author that mentions the account; return its id."""
    post = await publisher.emulator.act("post", username="tidewatcher", text="When, @larkbooks?")
    return str(post["id"])


async def test_publish_sends_reply_poll_and_reply_settings(
    publisher: Publisher, tmp_path: Path
) -> None:
    parent = await mention(publisher)
    result = await roost(
        publisher, tmp_path, "publish", "At six?", "--reply-to", ADDRESS.format(parent),
        "--poll", "Yes", "--poll", "No ", "--poll-duration", "12h",
        "--reply-settings", "mentionedusers", "--json",
    )  # fmt: skip
    assert (result.code, result.answer["state"]) == (0, "published"), result.err
    assert options_of(result.answer) == [
        {
            "reply_to": parent,
            "poll": {"options": ["Yes", "No"], "duration": DAY_S / 2},
            "reply_settings": "mentionedUsers",
        }
    ]
    made = (await publisher.emulator.ground_truth())["posts"][-1]
    assert (made["reply_to"], made["poll"], made["reply_settings"]) == (
        parent, ["Yes", "No", 720], "mentionedUsers",
    )  # fmt: skip
    shown = await roost(publisher, tmp_path, "posts", "1")
    assert f"replies to {parent}" in shown.out
    assert "poll, open for 12 h: Yes / No" in shown.out
    assert "who may reply: mentionedUsers" in shown.out


async def test_a_threads_options_belong_to_its_first_part(
    publisher: Publisher, tmp_path: Path
) -> None:
    parent, whole = await mention(publisher), tmp_path / "thread.txt"
    paragraphs = [f"Part {n}: one sentence after another. " * 7 for n in ("one", "two")]
    whole.write_text("\n\n".join(paragraphs), "utf-8")
    result = await roost(
        publisher, tmp_path, "publish", "--thread", str(whole), "--reply-to", parent, "--at", "+1h",
        "--json",
    )  # fmt: skip
    assert result.code == 0, result.err
    first, *later = options_of(result.answer)
    assert first == {"reply_to": parent}
    assert later
    assert not any(later)


async def test_invalid_options_are_refused_and_nothing_is_stored(
    publisher: Publisher, tmp_path: Path
) -> None:
    for code, flags in {
        "poll_options": ["--poll", "Yes"],
        "poll_duration": ["--poll", "Yes", "--poll", "No", "--poll-duration", "8d"],
        "poll_missing": ["--poll-duration", "1d"],
        "span_invalid": ["--poll", "Yes", "--poll", "No", "--poll-duration", "soon"],
        "post_address_invalid": ["--reply-to", "https://example.com/status/1"],
        "reply_settings_invalid": ["--reply-settings", "friends"],
        "quote_not_allowed": ["--quote", "77"],
    }.items():
        result = await roost(publisher, tmp_path, "publish", "Six", *flags, "--json")
        assert (result.code, result.error) == (2, code)
    listed = await roost(publisher, tmp_path, "posts", "--json")
    assert listed.answer == {"posts": []}


async def test_a_quote_is_published_with_the_enterprise_tier(
    publisher: Publisher, tmp_path: Path
) -> None:
    await publisher.emulator.switch(tier="enterprise")
    parent = await mention(publisher)
    flags = ("--quote", ADDRESS.format(parent))
    result = await roost(
        publisher, tmp_path, "publish", "Look", *flags, "--json", ROOST_X_TIER="enterprise"
    )
    assert (result.code, options_of(result.answer)) == (0, [{"quote_of": parent}])
    assert (await publisher.emulator.ground_truth())["posts"][-1]["quote_of"] == parent


async def test_check_and_dry_run_validate_and_price_options(
    publisher: Publisher, tmp_path: Path
) -> None:
    flags = ("Six", "--reply-to", "77", "--poll", "Yes", "--poll", "No")
    checked = await roost(publisher, tmp_path, "check", *flags, "--json")
    assert (checked.code, checked.answer["valid"]) == (0, True)
    assert checked.answer["options"]["poll"] == {"options": ["Yes", "No"], "duration": DAY_S}
    assert (checked.answer["price"]["low"], checked.answer["price"]["high"]) == (0.010, 0.015)
    dry_run = await roost(publisher, tmp_path, "publish", *flags, "--dry-run", "--json")
    assert dry_run.answer["price"] == checked.answer["price"]
    assert dry_run.answer["options"] == [checked.answer["options"]]
    refused = await roost(publisher, tmp_path, "check", "Six", "--quote", "77", "--json")
    assert refused.code == 2
    assert [one["code"] for one in refused.answer["violations"]] == ["quote_not_allowed"]
    text = await roost(publisher, tmp_path, "check", *flags)
    assert "replies to 77" in text.out
    assert "poll, open for 1 d: Yes / No" in text.out


async def test_edit_changes_the_named_options_and_keeps_the_rest(
    publisher: Publisher, tmp_path: Path
) -> None:
    flags = ("--poll", "Yes", "--poll", "No", "--poll-duration", "2d", "--reply-to", "77")
    await roost(publisher, tmp_path, "publish", "Six", *flags, "--at", "+1h")

    async def edit(*arguments: str) -> list[dict[str, Any]]:
        result = await roost(publisher, tmp_path, "edit", "1", *arguments, "--json")
        assert result.code == 0, result.out
        return options_of(result.answer)

    poll = {"options": ["Yes", "No"], "duration": 2 * DAY_S}
    assert await edit("--text", "Seven") == [{"reply_to": "77", "poll": poll}]
    assert await edit("--reply-to", "none") == [{"poll": poll}]
    assert await edit("--poll-duration", "1h") == [{"poll": poll | {"duration": 3600.0}}]
    assert await edit("--reply-settings", "verified", "--poll", "none") == [
        {"reply_settings": "verified"}
    ]
    assert await edit("--reply-settings", "everyone", "--reply-to", "8") == [{"reply_to": "8"}]


async def test_a_plan_imports_options(publisher: Publisher, tmp_path: Path) -> None:
    plan = tmp_path / "plan.csv"
    plan.write_text(
        "account,at,text,media,alt,thread,reply_to,quote,poll,poll_duration,reply_settings\n"
        "larkbooks,+1h,Six,,,,https://x.com/a/status/77,,Yes|No,2d,following\n"
        "larkbooks,+1h,Look,,,,,77,,,\n"
        "larkbooks,+1h,One,,,t,,,,,\n"
        ",,Two,,,t,77,,,,\n",
        "utf-8",
    )
    result = await roost(publisher, tmp_path, "import", str(plan), "--json")
    assert [(row["line"], row["code"]) for row in result.answer["refused"]] == [
        (3, "quote_not_allowed"),
        (4, "thread_refused"),
        (5, "reply_in_thread"),
    ]
    again = await roost(publisher, tmp_path, "import", str(plan), "--json")
    assert len(result.answer["posts"]) == 1
    assert (again.answer["posts"], again.answer["already_imported"]) == ([], 1)
    listed = await roost(publisher, tmp_path, "posts", "--json")
    [post] = listed.answer["posts"]
    assert options_of(post) == [
        {
            "reply_to": "77",
            "poll": {"options": ["Yes", "No"], "duration": 2 * DAY_S},
            "reply_settings": "following",
        }
    ]


async def test_pages_and_api_show_options(
    publisher: Publisher, web: str, browser: aiohttp.ClientSession
) -> None:
    hostile = "<b>[/b]{{ 7 }}"
    options = PartOptions(
        reply_to=TweetId("77"),
        poll=Poll((hostile, "No"), DEFAULT_POLL_DURATION),
        reply_settings=ReplySettings.SUBSCRIBERS,
    )
    post = await schedule_post(
        publisher.runtime, publisher.scope, publisher.account,
        [PartInput("Six", (), options)], due_at=None,
    )  # fmt: skip
    assert post.state is PostState.DRAFT
    _, page = await get(browser, f"{web}/posts/{post.id}?tenant=default")
    for words in (
        "Replies to post 77 on the emulator",
        "Poll, open for 1 d",
        "&lt;b&gt;[/b]{{ 7 }}",
        "Who may reply: subscribers of the author",
    ):
        assert words in page
    assert hostile not in page
    _, listed = await get(browser, f"{web}/posts?tenant=default")
    assert "· reply · poll" in " ".join(listed.split())
    _, api = await get(browser, f"{web}/api/posts?tenant=default")
    [shown] = json.loads(api)["posts"]
    assert shown["parts"][0]["options"] == NONE | {
        "reply_to": "77",
        "poll": {"options": [hostile, "No"], "duration": "P1D"},
        "reply_settings": "subscribers",
    }
