"""`roost draft`: drafts posts from a brief, and shows or changes one draft."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from roost.agents.brief import Brief, read_brief
from roost.agents.brief_lint import lint_brief
from roost.agents.budget import MemoryBudget
from roost.agents.configured_model import open_model
from roost.agents.writer import write_drafts
from roost.cli.arguments import DraftNumber, Json, TenantName, command_settings
from roost.cli.command import run_async
from roost.cli.draft_output import DraftProgress, print_drafts
from roost.cli.output import print_note, print_result
from roost.cli.part_arguments import read_parts
from roost.cli.schemas.drafts import BriefLintOutput
from roost.cli.text_input import read_text
from roost.clock import wall_now
from roost.errors import InvalidInput
from roost.extras import ExtraMissing, require_extra

if TYPE_CHECKING:
    from roost.settings import Settings


class DraftUnclear(InvalidInput):
    """The options of `roost draft` do not select exactly one action."""

    default_next = (
        "Use `--brief FILE` to draft, `--show DRAFT` to read a draft, and `roost draft DRAFT` with"
        " `--improve`, `--text`, `--thread`, `--undo` or `--discard` to change it."
    )


def draft(
    draft: DraftNumber | None = None,
    /,
    *,
    brief: Annotated[
        Path | None,
        Parameter(help="A YAML or JSON file with account, topic, facts, link, tags …"),
    ] = None,
    lint: Annotated[
        bool, Parameter(negative="", help="List what is wrong with the brief; draft nothing.")
    ] = False,
    show: Annotated[
        int | None,
        Parameter(help="Show a draft: each sentence with its facts, the verdicts, the cost."),
    ] = None,
    at: Annotated[
        str | None,
        Parameter(help="With --show: also print the hash that approves the draft for this time."),
    ] = None,
    improve: Annotated[
        str | None,
        Parameter(help="Improve the draft: `shorter`, `warmer`, `as a thread`, `in French` …"),
    ] = None,
    undo: Annotated[
        bool, Parameter(negative="", help="Return to the text before the last improvement.")
    ] = False,
    text: Annotated[
        str | None,
        Parameter(help="A new text, for a draft of one part; `-` reads it from standard input."),
    ] = None,
    thread: Annotated[
        Path | None,
        Parameter(help="A text file with the new parts, split between sentences."),
    ] = None,
    discard: Annotated[bool, Parameter(negative="", help="Discard the draft.")] = False,
    tenant: TenantName = "default",
    as_json: Json = False,
) -> int:
    """Draft posts from the facts of a brief, or show, change or discard one draft.

    If ROOST_MODEL is set, a model writes the drafts, and the composer writes those that are then
    missing. Otherwise, the composer writes all drafts. The drafts are stored, and wait for your
    approval. If Roost is not set up, they are only printed. A change to an approved draft ends the
    approval, and cancels the draft's post if no part of the post is on X.
    """
    changes = [improve is not None, undo, text is not None, thread is not None, discard]
    if sum([brief is not None, show is not None, *changes]) != 1 or (draft is None) == any(changes):
        raise DraftUnclear("The options do not select exactly one action.")
    if (lint and brief is None) or (at is not None and show is None):
        raise DraftUnclear("--lint needs --brief, and --at needs --show.")

    text = None if text is None else read_text(text)

    async def work() -> int:
        if brief is not None:
            read = read_brief(brief)
            if lint:
                return _print_findings(read, as_json=as_json)
            await _draft(read, tenant, as_json=as_json)
            return 0
        require_extra("server", purpose="A stored draft")
        from roost.cli import stored_drafts

        if show is not None:
            await stored_drafts.show_draft(show, at, tenant, as_json=as_json)
        elif draft is not None:
            if thread is not None or text is not None:
                change = stored_drafts.edit(read_parts(text or "", None, None, thread))
            elif discard:
                change = stored_drafts.discard
            else:
                change = stored_drafts.undo if improve is None else stored_drafts.improve(improve)
            await stored_drafts.change_draft(draft, change, tenant, as_json=as_json)
        return 0

    return run_async(work)


async def _draft(brief: Brief, tenant: str, *, as_json: bool) -> None:
    """Write the drafts of a brief; store them if Roost is set up and the account is connected."""
    settings = command_settings()
    if not _is_set_up(settings):
        await print_unstored(brief, settings, as_json=as_json)
        print_note("The drafts are not stored, because Roost is not set up: run `roost init`.")
        return
    from roost.cli import stored_drafts

    if not await stored_drafts.write_and_store(brief, tenant, as_json=as_json):
        await print_unstored(brief, settings, as_json=as_json)
        print_note(
            f"The drafts are not stored, because @{brief.account.lstrip('@')} is not connected:"
            " `roost connect` connects an account."
        )


async def print_unstored(brief: Brief, settings: "Settings", *, as_json: bool) -> None:
    """Write the drafts of a brief and print them, without a database."""
    budget = MemoryBudget(settings.model_tokens_per_month, settings.model_usd_per_month)
    async with open_model(settings) as model:
        progress = DraftProgress(brief, model)
        writing = await write_drafts(
            brief, model, budget=budget, now=wall_now(), on_draft=progress.report
        )
    print_drafts(brief, writing, as_json=as_json)


def _is_set_up(settings: "Settings") -> bool:
    """Whether drafts can be stored: the extra `server` is installed, and there is a database."""
    try:
        require_extra("server", purpose="A stored draft")
    except ExtraMissing:
        return False
    from roost.runtime import is_set_up

    return is_set_up(settings)


def _print_findings(brief: Brief, *, as_json: bool) -> int:
    findings = lint_brief(brief, today=wall_now().date())
    lines = [
        f"{'✗' if each.is_error else '!'} {each.code}: {each.message}" for each in findings
    ] or ["The brief is fine."]
    is_valid = not any(each.is_error for each in findings)
    result = BriefLintOutput.model_validate({"valid": is_valid, "findings": findings})
    print_result(result, "\n".join(lines), as_json=as_json)
    return 0 if is_valid else 2
