"""Drafts are stored, improved, undone and discarded, with a test model served over HTTP."""

import json
from typing import Any

import psycopg
import pytest

from fix_emulator import Emulator
from fix_model import ModelServer
from fix_publishing import Publisher
from fix_runtime import connect_account, make_tenant, scope_of
from roost.agents.brief import Brief
from roost.agents.errors import ModelNeeded
from roost.agents.model import Prompt, Reply
from roost.agents.openai_model import OpenAIModel
from roost.agents.written import WrittenDraft
from roost.errors import AccountNotFound, BriefInvalid, InvalidInput, PostRefused
from roost.models import DraftId, DraftOrigin, DraftState, Scope
from roost.publishing.part_input import MediaInput, PartInput
from roost.services.drafts import (
    Draft,
    DraftChanged,
    DraftNotEditable,
    DraftNotFound,
    DraftsWritten,
    ImprovementFailed,
    NothingToUndo,
    discard_draft,
    edit_draft,
    get_draft,
    improve_draft,
    list_drafts,
    undo_improvement,
    write_drafts,
)

LINK = "https://lark.example.com/a"
FACTS = [
    {"id": "hours", "text": "The shop is open from 10 am to 6 pm."},
    {"id": "price", "text": "A repair costs £60, VAT included."},
]
BOTH = ("The shop is open from 10 am to 6 pm. {link}", "hours"), ("A repair costs £60.", "price")
ONE = ("Visit our shop: it is open from 10 am to 6 pm. {link}", "hours")


def make_brief(**fields: Any) -> Brief:
    defaults = {"account": "@LarkBooks", "topic": "repairs", "facts": FACTS, "link": LINK}
    return Brief.model_validate(defaults | fields)


def reply(*sentences: tuple[str, str]) -> str:
    part = [{"text": text, "facts": [fact]} for text, fact in sentences]
    return json.dumps({"drafts": [{"parts": [part]}]})


def open_model(server: ModelServer) -> OpenAIModel:
    return OpenAIModel("small", server.url, None, 20)


async def write(publisher: Publisher, brief: Brief | None = None, **options: Any) -> DraftsWritten:
    return await write_drafts(publisher.runtime, publisher.scope, brief or make_brief(), **options)


async def write_one(publisher: Publisher, server: ModelServer) -> Draft:
    """Store one draft with two sentences; the link is in the first sentence."""
    server.answers = [reply(*BOTH)]
    async with open_model(server) as model:
        (draft,) = (await write(publisher, model=model)).drafts
    return draft


async def improve(
    publisher: Publisher, draft: Draft, instruction: str, server: ModelServer | None = None
) -> Draft:
    if server is None:
        return (
            await improve_draft(publisher.runtime, publisher.scope, draft.id, instruction)
        ).draft
    async with open_model(server) as model:
        result = await improve_draft(
            publisher.runtime, publisher.scope, draft.id, instruction, model=model
        )
    return result.draft


async def test_drafts_are_stored_with_evidence_verdicts_and_provenance(
    publisher: Publisher, model_server: ModelServer
) -> None:
    written = await write_one(publisher, model_server)
    draft = await get_draft(publisher.runtime, publisher.scope, written.id)
    assert draft == written
    assert draft.state is DraftState.DRAFT
    assert draft.account.username == "larkbooks"
    assert draft.parts == (f"The shop is open from 10 am to 6 pm. {LINK} A repair costs £60.",)
    assert [each.fact_ids for each in draft.sentences] == [("hours",), ("price",)]
    assert all(verdict.ok for verdict in draft.verdicts)
    assert draft.origin is DraftOrigin.MODEL
    assert (draft.provenance.model, draft.provenance.usd) == ("small", None)
    assert draft.provenance.input_tokens == 100
    assert draft.brief == make_brief()
    assert draft.created_by == publisher.scope.actor


async def test_without_a_model_the_composers_drafts_are_stored(publisher: Publisher) -> None:
    arrived: list[WrittenDraft] = []
    written = await write(publisher, make_brief(n=2), on_draft=arrived.append)
    assert [draft.origin for draft in written.drafts] == [DraftOrigin.COMPOSER] * 2
    assert {each.parts for each in arrived} == {draft.parts for draft in written.drafts}
    listed = await list_drafts(publisher.runtime, publisher.scope)
    assert [draft.id for draft in listed] == [draft.id for draft in written.drafts][::-1]


async def test_a_text_that_is_planned_on_another_account_is_not_drafted(
    publisher: Publisher, emulator: Emulator
) -> None:
    other = await connect_account(publisher.runtime, publisher.tenant, emulator, "acmeplumbing")
    await publisher.schedule(FACTS[0]["text"], after_s=3600, account=other)
    written = await write(publisher, make_brief(n=2))
    assert [draft.sentences[0].fact_ids for draft in written.drafts] == [("price",)]


async def test_an_account_that_is_not_connected_is_refused(publisher: Publisher) -> None:
    with pytest.raises(AccountNotFound):
        await write(publisher, make_brief(account="nobody"))
    assert await list_drafts(publisher.runtime, publisher.scope) == []


async def test_a_brief_that_cannot_be_stored_is_refused(publisher: Publisher) -> None:
    with pytest.raises(BriefInvalid, match="NUL"):
        await write(publisher, make_brief(goal="a\0b"))
    assert (await write(publisher, make_brief(goal=r"a\u0000b"))).drafts


async def test_a_model_improves_a_draft_and_undo_returns(
    publisher: Publisher, model_server: ModelServer
) -> None:
    draft = await write_one(publisher, model_server)
    model_server.answers = [reply(ONE)]
    better = await improve(publisher, draft, "Shorter!", model_server)
    assert better.id == draft.id
    assert (better.revision, better.previous, better.instruction) == (2, 1, "Shorter!")
    assert better.parts == (ONE[0].replace("{link}", LINK),)
    assert better.content_hash != draft.content_hash
    asked = model_server.requests[-1]["messages"][1]["content"]
    assert '"wish": "Shorter!"' in asked
    assert "from 10 am to 6 pm. {link}" in asked
    assert LINK not in asked
    undone = (await undo_improvement(publisher.runtime, publisher.scope, draft.id)).draft
    assert undone == draft
    kept = await get_draft(publisher.runtime, publisher.scope, draft.id, revision=2)
    assert kept.parts == better.parts
    with pytest.raises(NothingToUndo):
        await undo_improvement(publisher.runtime, publisher.scope, draft.id)


async def test_an_improvement_after_an_undo_continues_from_the_old_revision(
    publisher: Publisher, model_server: ModelServer
) -> None:
    draft = await write_one(publisher, model_server)
    await improve(publisher, draft, "shorter")
    await undo_improvement(publisher.runtime, publisher.scope, draft.id)
    again = await improve(publisher, draft, "without the link")
    assert (again.revision, again.previous) == (3, 1)


@pytest.mark.parametrize(
    ("instruction", "text"),
    [
        ("shorter", f"The shop is open from 10 am to 6 pm. {LINK}"),
        ("without the link", "The shop is open from 10 am to 6 pm. A repair costs £60."),
    ],
)
async def test_rules_improve_a_draft_without_a_model(
    publisher: Publisher, model_server: ModelServer, instruction: str, text: str
) -> None:
    draft = await write_one(publisher, model_server)
    better = await improve(publisher, draft, instruction)
    assert better.parts == (text,)
    assert better.origin is DraftOrigin.COMPOSER
    assert all(verdict.ok for verdict in better.verdicts)


async def test_other_instructions_need_a_model(
    publisher: Publisher, model_server: ModelServer
) -> None:
    draft = await write_one(publisher, model_server)
    with pytest.raises(ModelNeeded):
        await improve(publisher, draft, "warmer")
    for wrong in (" ", "x" * 501):
        with pytest.raises(InvalidInput):
            await improve(publisher, draft, wrong)


async def test_a_longer_text_of_the_model_is_no_shorter_draft(
    publisher: Publisher, model_server: ModelServer
) -> None:
    draft = await write_one(publisher, model_server)
    longer = ("We repair books on every weekday. The shop is open from 10 am to 6 pm, and a repair"
              " costs £60 with VAT. {link}", "hours")  # fmt: skip
    model_server.answers = [reply(longer)]
    better = await improve(publisher, draft, "shorter", model_server)
    assert better.parts == (f"The shop is open from 10 am to 6 pm. {LINK}",)
    assert better.origin is DraftOrigin.COMPOSER


@pytest.mark.parametrize(
    "answer",
    [reply(("A repair costs £10. {link}", "price")), reply(*BOTH), 400, "No."],
    ids=["invalid", "unchanged", "unavailable", "unreadable"],
)
async def test_a_failed_improvement_changes_nothing(
    publisher: Publisher, model_server: ModelServer, answer: str | int
) -> None:
    draft = await write_one(publisher, model_server)
    model_server.answers = [answer]
    with pytest.raises(ImprovementFailed):
        await improve(publisher, draft, "warmer", model_server)
    assert await get_draft(publisher.runtime, publisher.scope, draft.id) == draft


async def test_a_translation_says_which_rules_cannot_be_judged(
    publisher: Publisher, model_server: ModelServer
) -> None:
    draft = await write_one(publisher, model_server)
    french = ("Notre réparation coûte 60 £, taxes comprises, et nous vous attendons. {link}",
              "price")  # fmt: skip
    model_server.answers = [reply(french)]
    better = await improve(publisher, draft, "in French", model_server)
    assert better.brief.language == "fr"
    unjudged = {verdict.validator for verdict in better.verdicts if not verdict.judged}
    assert {"claims", "negations"} <= unjudged


class SlowModel:
    """A model that improves the draft before it replies, as a concurrent improvement would."""

    def __init__(self, publisher: Publisher, draft: Draft) -> None:
        self.name = "slow"
        self._publisher, self._draft = publisher, draft

    async def complete(self, prompt: Prompt) -> Reply:
        await improve(self._publisher, self._draft, "shorter")
        return Reply(reply(ONE), 10, 10)

    def price(self) -> None:
        return None


async def test_an_improvement_of_a_draft_that_changed_meanwhile_is_refused(
    publisher: Publisher, model_server: ModelServer
) -> None:
    draft = await write_one(publisher, model_server)
    with pytest.raises(DraftChanged):
        await improve_draft(
            publisher.runtime, publisher.scope, draft.id, "warmer",
            model=SlowModel(publisher, draft),
        )  # fmt: skip
    kept = await get_draft(publisher.runtime, publisher.scope, draft.id)
    assert (kept.revision, kept.instruction) == (2, "shorter")


async def test_an_edit_is_a_revision_by_a_person(
    publisher: Publisher, model_server: ModelServer, teal: Any
) -> None:
    draft = await write_one(publisher, model_server)
    part = PartInput("Open from 9 am!", (MediaInput(teal, "Teal"),))
    edited = (await edit_draft(publisher.runtime, publisher.scope, draft.id, [part])).draft
    assert edited.parts == ("Open from 9 am!",)
    assert edited.origin is DraftOrigin.PERSON
    assert [(each.part, each.alt_text) for each in edited.media] == [(0, "Teal")]
    assert "numbers" in {verdict.validator for verdict in edited.verdicts if not verdict.ok}
    with pytest.raises(PostRefused):
        await edit_draft(publisher.runtime, publisher.scope, draft.id, [PartInput("x" * 281)])


async def test_a_discarded_draft_does_not_change(publisher: Publisher) -> None:
    (draft,) = (await write(publisher)).drafts
    discarded = await discard_draft(publisher.runtime, publisher.scope, draft.id)
    assert discarded.state is DraftState.DISCARDED
    for states, count in (([DraftState.DRAFT], 0), ([DraftState.DISCARDED], 1), ([], 1)):
        assert len(await list_drafts(publisher.runtime, publisher.scope, *states)) == count
    with pytest.raises(DraftNotEditable):
        await improve(publisher, draft, "without the link")


async def test_another_tenant_sees_no_draft(publisher: Publisher) -> None:
    (draft,) = (await write(publisher)).drafts
    neighbour = await make_tenant(publisher.runtime, "neighbour")
    scope: Scope = scope_of(neighbour)
    assert await list_drafts(publisher.runtime, scope) == []
    for use in (get_draft, undo_improvement, discard_draft):
        with pytest.raises(DraftNotFound):
            await use(publisher.runtime, scope, draft.id)
    with pytest.raises(DraftNotFound):
        await improve_draft(publisher.runtime, scope, DraftId(draft.id), "shorter")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE draft_revisions SET parts = '{other}'",
        "DELETE FROM draft_revisions",
        "DELETE FROM drafts",
        "DELETE FROM model_calls",
        "UPDATE tenants SET name = 'other'",
    ],
)
async def test_the_application_cannot_rewrite_what_was_drafted(
    publisher: Publisher, statement: str
) -> None:
    await write(publisher)
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await transaction.raw.execute(statement.encode())
        await transaction.raw.rollback()
