"""`roost draft`: drafts posts from a brief."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from roost.agents.brief import Brief, read_brief
from roost.agents.brief_lint import lint_brief
from roost.agents.budget import MemoryBudget
from roost.agents.writer import write_drafts
from roost.agents.written import Writing, WrittenDraft
from roost.cli.arguments import Json, command_settings
from roost.cli.command import run_async
from roost.cli.output import print_note, print_result
from roost.cli.schemas.drafts import BriefLintOutput, DraftListOutput
from roost.clock import wall_now
from roost.escaping import indented
from roost.text import weigh

if TYPE_CHECKING:
    from roost.agents.openai_model import OpenAIModel
    from roost.settings import Settings


def draft(
    *,
    brief: Annotated[
        Path, Parameter(help="A YAML or JSON file with account, topic, facts, link, tags …")
    ],
    lint: Annotated[
        bool, Parameter(negative="", help="List what is wrong with the brief; draft nothing.")
    ] = False,
    as_json: Json = False,
) -> int:
    """Draft posts from the facts of a brief, each under 240 weighted characters by default.

    With ROOST_MODEL, a model writes the drafts and the composer those that are missing; otherwise
    the composer writes all of them.
    """

    async def work() -> int:
        read = read_brief(brief)
        if lint:
            return _print_findings(read, as_json=as_json)
        settings = command_settings()
        budget = MemoryBudget(settings.model_tokens_per_month, settings.model_usd_per_month)
        async with _open_model(settings) as model:
            if model is not None and model.price() is None:
                print_note(
                    f"The price of {model.name} is not known: only the cap of tokens applies."
                )
            writing = await write_drafts(read, model, budget=budget, now=wall_now())
        _print_drafts(read, writing, as_json=as_json)
        return 0

    return run_async(work)


@contextlib.asynccontextmanager
async def _open_model(settings: "Settings") -> "AsyncIterator[OpenAIModel | None]":
    """Open the model of the settings; None if no model is set.

    Raises: ExtraMissing; SettingInvalid.
    """
    if settings.model is None:
        yield None
        return
    from roost.agents.openai_model import OpenAIModel

    timeout = settings.model_timeout.total_seconds()
    model = OpenAIModel(settings.model, settings.model_url, settings.model_key, timeout)
    async with model:
        yield model


def _print_findings(brief: Brief, *, as_json: bool) -> int:
    findings = lint_brief(brief, today=wall_now().date())
    lines = [
        f"{'✗' if each.is_error else '!'} {each.code}: {each.message}" for each in findings
    ] or ["The brief is fine."]
    is_valid = not any(each.is_error for each in findings)
    result = BriefLintOutput.model_validate({"valid": is_valid, "findings": findings})
    print_result(result, "\n".join(lines), as_json=as_json)
    return 0 if is_valid else 2


def _print_drafts(brief: Brief, writing: Writing, *, as_json: bool) -> None:
    result = DraftListOutput.model_validate(
        {
            "drafts": [_describe(each) for each in writing.drafts],
            "refused": writing.refused,
            "calls": writing.calls,
        }
    )
    text = "\n\n".join(
        f"{indented(each.text, '  ')}\n  ({each.weighted_length} of {brief.limit}, {each.origin})"
        for each in result.drafts
    )
    print_result(result, text, as_json=as_json)
    for call in writing.calls:
        if call.error:
            print_note(f"{call.error}: {call.reason}")
    if writing.has_useless_replies:
        print_note("No draft of the model was valid; `--json` says why. The composer wrote all.")
    if len(writing.drafts) < brief.n:
        print_note(
            f"The facts give {len(writing.drafts)} different drafts; the brief asks for {brief.n}."
        )


def _describe(draft: WrittenDraft) -> dict[str, Any]:
    """Return the fields of a `DraftOutput`, with the whole text and the facts that it cites."""
    return {
        "text": "\n\n".join(draft.parts),
        "parts": draft.parts,
        "weighted_length": max(weigh(part).weighted_length for part in draft.parts),
        "fact_ids": list(
            dict.fromkeys(each for sentence in draft.sentences for each in sentence.fact_ids)
        ),
        "sentences": draft.sentences,
        "origin": draft.origin,
        "verdicts": draft.verdicts,
        "provenance": draft.provenance,
    }
