"""Commands print correct sentences, in which no wording comes from a library."""

import asyncio
import re
from datetime import timedelta
from pathlib import Path

import pytest

from fix_model import ModelServer
from fix_publishing import CommandResult, Publisher, run_roost
from roost.formats import format_time
from roost.models import PostState
from roost.publishing.history import describe_state

HEADER = "account,at,text,media,alt,thread\n"


async def run(publisher: Publisher, folder: Path, *arguments: str) -> CommandResult:
    """Run a command for the publisher's tenant."""
    return await run_roost(*arguments, settings=publisher.runtime.settings, folder=folder)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("", "No post was scheduled.\n"),
        (
            "@larkbooks,+1h,One.,,,\n",
            "1 post was scheduled; X will charge $0.015 (no link).\n",
        ),
        (
            "@larkbooks,+1h,One.,,,\n@larkbooks,+2h,See a.com,,,\n@larkbooks,+3h,Three.,,,\n",
            "3 posts were scheduled; X will charge $0.230 (2 × $0.015: no link; $0.200: links to"
            " a.com).\n",
        ),
    ],
    ids=["no row", "one row", "three rows"],
)
async def test_import_counts_posts_and_prices(
    publisher: Publisher, tmp_path: Path, rows: str, expected: str
) -> None:
    (tmp_path / "plan.csv").write_text(HEADER + rows)
    count = rows.count("\n")
    dry = await run(publisher, tmp_path, "import", "plan.csv", "--dry-run")
    first, again = [await run(publisher, tmp_path, "import", "plan.csv") for _ in range(2)]
    assert dry.out == expected.replace("was sched", "would be sched").replace("were", "would be")
    head, *listed = first.out.splitlines(keepends=True)
    assert head == expected
    assert [re.sub(r"post \d+, (.*): .*,", r"\1:", line) for line in listed] == [
        f"line {number}: @larkbooks\n" for number in range(2, count + 2)
    ]
    assert "()" not in again.out
    before = {0: "", 1: "1 post was imported before and did not change.\n"}
    assert again.out == "No post was scheduled.\n" + before.get(
        count, f"{count} posts were imported before and did not change.\n"
    )


async def test_time_in_the_past_is_shown_in_the_tenants_time_zone(
    publisher: Publisher, tmp_path: Path
) -> None:
    past = publisher.runtime.clock.now() - timedelta(days=1)
    shown = format_time(past, "UTC")
    (tmp_path / "plan.csv").write_text(f"{HEADER}@larkbooks,{past.isoformat()},One.,,,\n")
    published, previewed, imported = await asyncio.gather(
        run(publisher, tmp_path, "publish", "Hello", "--at", past.isoformat()),
        run(publisher, tmp_path, "publish", "Hello", "--at", past.isoformat(), "--dry-run"),
        run(publisher, tmp_path, "import", "plan.csv"),
    )
    assert f"time_past: The due time {shown} is in the past." in published.err
    assert f"The due time {shown} is in the past." in previewed.out
    assert f"The row's time, {shown}, is in the past." in imported.out


async def test_preview_names_the_zone(publisher: Publisher, tmp_path: Path) -> None:
    result = await run(publisher, tmp_path, "publish", "Hello", "--at", "+1h", "--dry-run")
    shown = format_time(publisher.runtime.clock.now() + timedelta(hours=1), "UTC")
    assert f"The post would be published on {shown} as @larkbooks (" in result.out


async def test_one_violation_is_said_once(publisher: Publisher, tmp_path: Path) -> None:
    result = await run(publisher, tmp_path, "publish", "x" * 281)
    assert result.code == 2
    assert result.err.count("The text has 281 characters") == 1
    assert "  · Shorten the text by 1, or make it a thread.\n" in result.err


async def test_several_violations_are_listed(publisher: Publisher, tmp_path: Path) -> None:
    result = await run(publisher, tmp_path, "publish", "$A $B " + "x" * 281)
    assert "(and 1 more)" in result.err
    assert "  · The text has 2 cashtags; X allows one." in result.err


@pytest.mark.parametrize("state", list(PostState))
def test_state_of_a_post_reads_as_a_sentence(state: PostState) -> None:
    sentence = f"Post 17 {describe_state(state)}."
    assert "_" not in sentence
    assert "is needs" not in sentence


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("publish", "a", "b"), "`roost publish` does not take another argument: 'b'."),
        (("posts", "x"), "POST: 'x' is not a whole number."),
        (("posts", "--histroy"), "`roost posts` has no option --histroy. Did you mean --history?"),
        (("pots",), "Roost has no command pots. Did you mean posts?"),
        (("decide", "1"), "Roost has no command decide. Did you mean `roost resolve`?"),
        (("resolve", "1", "fond"), "CHOICE: 'fond' is not one of found, resend, "),
        (("resolve",), "`roost resolve` needs POST."),
        (("publish", "a", "--at"), "--at needs a value."),
        (("metrics", "--days", "0"), "--days must be at least 1."),
        (("metrics", "--days", "1", "--days", "2"), "--days is given more than once."),
        (("emulator", "--scenario", "stedy"), "--scenario: 'stedy' is not one of "),
    ],
)
async def test_wrong_usage_is_explained_in_plain_words(
    tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    result = await run_roost(*arguments, folder=tmp_path)
    assert result.code == 2
    assert f"usage_invalid: {message}" in result.err
    for word in ("Token", "int", "parameter", "unable to convert"):
        assert word not in result.err.split()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("facts: hello", "facts: must be a list"),
        ("facts: [hello]", "facts.0: must be a group of fields"),
        ("n: many", "n: must be a whole number"),
    ],
)
async def test_brief_is_refused_without_words_of_pydantic(
    tmp_path: Path, line: str, message: str
) -> None:
    (tmp_path / "brief.yaml").write_text(f"account: '@x'\ntopic: t\n{line}\n")
    result = await run_roost("draft", "--brief", "brief.yaml", folder=tmp_path)
    assert result.code == 2
    assert message in result.err
    assert "Input should" not in result.err
    assert "tuple" not in result.err


@pytest.mark.parametrize(
    ("answer", "note"),
    [
        (400, "model_unavailable: The server of the model small answered with status 400"),
        ("Sure, I will.", "No draft of the model was valid; `--json` says why."),
    ],
)
async def test_draft_says_why_the_model_wrote_nothing(
    model_server: ModelServer, tmp_path: Path, answer: int | str, note: str
) -> None:
    fact = "{id: a, text: We open at 7 am.}"
    (tmp_path / "brief.yaml").write_text(f"account: '@x'\ntopic: hours\nfacts: [{fact}]\n")
    model_server.answers = [answer]
    command = ("draft", "--brief", "brief.yaml")
    url = model_server.url
    result = await run_roost(*command, folder=tmp_path, ROOST_MODEL="small", ROOST_MODEL_URL=url)
    assert result.code == 0
    assert "We open at 7 am." in result.out
    assert note in result.err


async def test_setting_is_refused_without_words_of_pydantic(tmp_path: Path) -> None:
    result = await run_roost("posts", folder=tmp_path, ROOST_X_TIER="gold", ROOST_HEARTBEAT_S="a")
    assert "ROOST_X_TIER: must be 'self-serve' or 'enterprise'." in result.err
    assert "ROOST_HEARTBEAT_S: must be a number of seconds." in result.err


async def test_emulator_keeps_its_state_in_a_file(tmp_path: Path) -> None:
    result = await run_roost("emulator", "--help", folder=tmp_path)
    assert "A file that keeps the state between runs." in result.out
