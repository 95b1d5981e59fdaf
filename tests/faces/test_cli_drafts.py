"""`roost draft`, `drafts`, `approve` and `tenant` with stored drafts and a real model server."""

import os
from datetime import time
from pathlib import Path
from typing import Any

import pytest

from faces.terminal import question_at_a_terminal
from fix_model import ModelServer
from fix_publishing import CommandResult, Publisher, run_roost
from roost import store
from roost.models import PostState
from services.test_drafts import BOTH, LINK, ONE, reply

BRIEF = f"""\
account: "@larkbooks"
topic: repairs
link: {LINK}
facts:
  - {{id: hours, text: The shop is open from 10 am to 6 pm., source: shop sign}}
  - {{id: price, text: "A repair costs £60, VAT included."}}
"""
TEXT = f"The shop is open from 10 am to 6 pm. {LINK} A repair costs £60."


class Commands:
    """Runs commands against the publisher's database and the model server."""

    def __init__(self, publisher: Publisher, server: ModelServer, folder: Path) -> None:
        self.publisher, self.server, self.folder = publisher, server, folder
        self.server.answers = [reply(*BOTH)]
        (folder / "brief.yaml").write_text(BRIEF, "utf-8")

    async def run(self, *arguments: str, with_model: bool = True) -> CommandResult:
        model = {"ROOST_MODEL": "small", "ROOST_MODEL_URL": self.server.url} if with_model else {}
        return await run_roost(
            *arguments, settings=self.publisher.runtime.settings, folder=self.folder, **model
        )

    async def answer(self, *arguments: str, with_model: bool = True) -> dict[str, Any]:
        result = await self.run(*arguments, "--json", with_model=with_model)
        assert result.code == 0, result.out
        return result.answer

    async def draft(self) -> str:
        """Store a draft and return its number."""
        (draft,) = (await self.answer("draft", "--brief", "brief.yaml"))["drafts"]
        return str(draft["id"])


@pytest.fixture
def commands(publisher: Publisher, model_server: ModelServer, tmp_path: Path) -> Commands:
    return Commands(publisher, model_server, tmp_path)


async def test_draft_stores_drafts_and_reports_each_that_arrives(commands: Commands) -> None:
    result = await commands.run("draft", "--brief", "brief.yaml")
    assert result.out.startswith("Draft 1\n")
    assert "Asking small …" in result.err
    assert "Draft 1 of 1 (model)" in result.err
    listed = await commands.run("drafts")
    assert [line.split()[0] for line in listed.out.splitlines()] == ["draft", "1"]
    assert "@larkbooks" in listed.out
    none = await commands.answer("drafts", "--state", "approved")
    assert none == {"drafts": []}


async def test_draft_offers_what_the_posts_earned_to_the_model(commands: Commands) -> None:
    publisher = commands.publisher
    await publisher.set_next_collection(publisher.runtime.clock.now())
    for number in range(5):
        await publisher.schedule(f"News number {number} #books")
        await publisher.schedule(f"A quiet day in the shop, {number}")
    for _ in range(3):
        await publisher.run_due_jobs()
        await publisher.emulator.move_to_time(time(23, 30))
    await publisher.run_due_jobs()
    await commands.draft()
    prompt = commands.server.requests[0]["messages"][1]["content"]
    assert '"patterns"' in prompt
    assert "By hashtag, posts of the group with" in prompt


async def test_show_prints_the_evidence_rail(commands: Commands) -> None:
    number = await commands.draft()
    shown = (await commands.run("draft", "--show", number)).out
    assert f"\n  {TEXT}\n" in shown
    assert f"  “The shop is open from 10 am to 6 pm. {LINK}”\n    hours: The shop is open" in shown
    assert "(shop sign)" in shown
    assert "passed: length, " in shown
    assert "cannot be judged" not in shown
    assert "written by small, prompt " in shown
    assert "X charges $0.200" in shown


async def test_show_says_what_cannot_be_judged(commands: Commands) -> None:
    path = commands.folder / "brief.yaml"
    path.write_text(BRIEF.replace("topic:", "language: et\ntopic:"), "utf-8")
    await commands.run("draft", "--brief", "brief.yaml", with_model=False)
    shown = (await commands.run("draft", "--show", "1")).out
    assert "cannot be judged in this language (et): " in shown
    assert "written by the composer, without a model" in shown


async def test_a_draft_is_improved_and_the_improvement_undone(commands: Commands) -> None:
    number = await commands.draft()
    commands.server.answers = [reply(ONE)]
    improved = await commands.answer("draft", number, "--improve", "warmer")
    assert improved["draft"]["revision"] == 2
    assert improved["draft"]["instruction"] == "warmer"
    assert [call["error"] for call in improved["calls"]] == [""]
    undone = await commands.answer("draft", number, "--undo")
    assert (undone["draft"]["revision"], undone["draft"]["text"]) == (1, TEXT)
    again = await commands.run("draft", number, "--undo", "--json")
    assert again.error == "nothing_to_undo"


async def test_without_a_model_only_rules_improve(commands: Commands) -> None:
    number = await commands.draft()
    result = await commands.run("draft", number, "--improve", "warmer", "--json", with_model=False)
    assert (result.code, result.error) == (2, "model_needed")
    shorter = await commands.answer("draft", number, "--improve", "shorter", with_model=False)
    assert shorter["draft"]["text"] == BOTH[0][0].replace("{link}", LINK)


async def list_states(publisher: Publisher) -> list[PostState]:
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        return [post.state for post in await store.posts.list_all(transaction)]


async def test_a_program_needs_the_hash_and_the_tenants_permission(commands: Commands) -> None:
    number = await commands.draft()
    at = commands.publisher.runtime.clock.now().isoformat()
    unclear = await commands.run("approve", number, "--at", at, "--json")
    assert (unclear.code, unclear.error) == (2, "approval_hash_needed")
    shown = await commands.answer("draft", "--show", number, "--at", at)
    approval = ("approve", number, "--at", at, "--hash", shown["approval"]["hash"])
    refused = await commands.run(*approval, "--json")
    assert (refused.code, refused.error) == (1, "person_needed")
    assert await list_states(commands.publisher) == []
    allowed = await commands.answer("tenant", "--drafts-without-person")
    assert allowed["drafts_without_person"] is True
    posts = [await commands.answer(*approval) for _ in range(2)]
    assert posts[0]["id"] == posts[1]["id"]
    assert [part["text"] for part in posts[0]["parts"]] == [TEXT]
    assert await list_states(commands.publisher) == [PostState.SCHEDULED]


async def test_doubts_are_shown_beside_their_sentence(commands: Commands) -> None:
    commands.server.answers = [reply(("The shop of a retired admiral opens at 10 am.", "hours"))]
    drafts = (await commands.answer("draft", "--brief", "brief.yaml"))["drafts"]
    (draft,) = (each for each in drafts if each["doubts"])
    doubt = {"code": "words_in_no_fact", "sentence": 0, "value": "retired, admiral", "fact_id": ""}
    assert draft["doubts"] == [doubt]
    number = str(draft["id"])
    shown = await commands.run("draft", "--show", number)
    evidence = shown.out.partition("Evidence")[2].partition("Checks")[0]
    assert "? No fact says: retired, admiral." in evidence
    await commands.answer("tenant", "--drafts-without-person")
    at = commands.publisher.runtime.clock.now().isoformat()
    approval = (await commands.answer("draft", "--show", number, "--at", at))["approval"]
    refused = await commands.run(
        "approve", number, "--at", at, "--hash", approval["hash"], "--json"
    )
    assert (refused.code, refused.error) == (1, "draft_has_doubts")
    assert await list_states(commands.publisher) == []


async def test_an_improvement_makes_the_hash_invalid_and_cancels_the_post(
    commands: Commands,
) -> None:
    number = await commands.draft()
    await commands.answer("tenant", "--drafts-without-person")
    at = commands.publisher.runtime.clock.now().isoformat()
    shown = await commands.answer("draft", "--show", number, "--at", at)
    approval = ("approve", number, "--at", at, "--hash", shown["approval"]["hash"])
    post = await commands.answer(*approval)
    improved = await commands.run("draft", number, "--improve", "without the link")
    assert f"Post {post['id']} was cancelled" in improved.err
    refused = await commands.run(*approval, "--json")
    assert (refused.code, refused.error) == (1, "draft_changed")
    assert await list_states(commands.publisher) == [PostState.CANCELLED]


@pytest.mark.parametrize(("typed", "count"), [(b"y\n", 1), (b"\n", 0)])
async def test_a_person_at_a_terminal_reads_the_text_and_confirms(
    commands: Commands, typed: bytes, count: int
) -> None:
    number = await commands.draft()
    arguments = ("approve", number, "--at", "+1h")
    async with question_at_a_terminal(commands.publisher, commands.folder, *arguments) as (
        process,
        terminal,
    ):
        os.write(terminal, typed)
        out, err = await process.communicate()
    assert process.returncode == (0 if count else 1), err
    assert len(await list_states(commands.publisher)) == count
    assert (TEXT in out.decode()) is bool(count)
    assert ("not_approved" in err.decode()) is not bool(count)


@pytest.mark.parametrize(
    "arguments",
    [(), ("1",), ("1", "--show", "1"), ("--undo",), ("1", "--improve", "x", "--undo"),
     ("--lint",), ("1", "--undo", "--at", "+1h")],
)  # fmt: skip
async def test_unclear_options_are_refused(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    result = await run_roost("draft", *arguments, folder=tmp_path)
    assert result.code == 2
    assert "draft_unclear" in result.err
    assert "`--brief FILE`" in result.err


async def test_without_a_database_drafts_are_printed(tmp_path: Path) -> None:
    (tmp_path / "brief.yaml").write_text(BRIEF, "utf-8")
    result = await run_roost("draft", "--brief", "brief.yaml", folder=tmp_path)
    assert result.code == 0
    assert "he shop is open" in result.out
    assert "not stored, because Roost is not set up: run `roost init`" in result.err
    shown = await run_roost("draft", "--show", "1", "--json", folder=tmp_path)
    assert shown.error == "not_set_up"


async def test_drafts_for_an_account_that_is_not_connected_are_printed(commands: Commands) -> None:
    path = commands.folder / "brief.yaml"
    path.write_text(BRIEF.replace("@larkbooks", "@nobody"), "utf-8")
    result = await commands.run("draft", "--brief", "brief.yaml", with_model=False)
    assert (result.code, "he shop is open" in result.out) == (0, True)
    assert "not stored, because @nobody is not connected" in result.err
    assert await commands.answer("drafts") == {"drafts": []}


async def test_tenant_shows_what_models_have_used(commands: Commands) -> None:
    await commands.draft()
    usage = (await commands.answer("tenant"))["model_usage"]
    assert (usage["calls"], usage["tokens"], usage["unpriced"]) == (1, 150, 1)
    shown = await commands.run("tenant")
    assert "1 call, 150 tokens, $0.000000 (1 without a known price)." in shown.out
    assert "Only a person may approve drafts." in shown.out


async def test_a_draft_is_edited__one_part(commands: Commands) -> None:
    number = await commands.draft()
    edited = await commands.answer("draft", number, "--text", "Open from 10 am to 6 pm.")
    assert (edited["draft"]["revision"], edited["draft"]["text"]) == (2, "Open from 10 am to 6 pm.")
    undone = await commands.answer("draft", number, "--undo")
    assert undone["draft"]["text"] == TEXT


async def test_an_edit_makes_a_thread__which_one_text_does_not_replace(commands: Commands) -> None:
    number = await commands.draft()
    sentences = [f"Sentence {each} of a text that is too long for one post." for each in range(9)]
    (commands.folder / "thread.txt").write_text(" ".join(sentences), "utf-8")
    edited = await commands.answer("draft", number, "--thread", "thread.txt")
    assert len(edited["draft"]["parts"]) == 2
    refused = await commands.run("draft", number, "--text", "Short", "--json")
    assert (refused.code, refused.error) == (2, "invalid_input")
    assert "is a thread" in refused.answer["error"]["message"]


async def test_an_edit_cancels_the_post_of_the_approval(commands: Commands) -> None:
    number = await commands.draft()
    await commands.answer("tenant", "--drafts-without-person")
    at = commands.publisher.runtime.clock.now().isoformat()
    shown = await commands.answer("draft", "--show", number, "--at", at)
    post = await commands.answer("approve", number, "--at", at, "--hash", shown["approval"]["hash"])
    edited = await commands.answer("draft", number, "--text", "Open from 10 am to 6 pm.")
    assert (edited["cancelled_post"], edited["draft"]["state"]) == (post["id"], "draft")
    assert await list_states(commands.publisher) == [PostState.CANCELLED]


async def test_an_edit_that_x_would_refuse_changes_nothing(commands: Commands) -> None:
    number = await commands.draft()
    refused = await commands.run("draft", number, "--text", "x" * 300, "--json")
    assert (refused.code, refused.error) == (2, "text_too_long")
    shown = await commands.answer("draft", "--show", number)
    assert (shown["draft"]["revision"], shown["draft"]["text"]) == (1, TEXT)


async def test_a_draft_is_discarded(commands: Commands) -> None:
    number = await commands.draft()
    discarded = await commands.answer("draft", number, "--discard")
    assert discarded["draft"]["state"] == "discarded"
    refused = await commands.run("draft", number, "--text", "Open", "--json")
    assert (refused.code, refused.error) == (1, "draft_not_editable")
    unclear = await commands.run("draft", number, "--discard", "--undo", "--json")
    assert (unclear.code, unclear.error) == (2, "draft_unclear")
