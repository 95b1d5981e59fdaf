"""Shows one stored draft: the evidence rail, the verdicts and how the draft was written."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from roost.agents.doubts import describe_doubt, doubts_of_sentence
from roost.agents.written import ModelCall
from roost.cli.draft_output import cited_facts, draft_fields
from roost.cli.output import describe_price, print_result
from roost.cli.schemas.drafts import DraftDetailOutput
from roost.cli.tenant_option import name_tenant
from roost.escaping import indented, one_line
from roost.formats import format_count, format_time
from roost.models import DraftOrigin, PostId, Tenant
from roost.services.drafts import Draft
from roost.text import weigh

_HASH_WIDTH = 12


def print_detail(
    draft: Draft,
    tenant: Tenant,
    *,
    due_at: datetime | None = None,
    calls: Sequence[ModelCall] = (),
    cancelled: PostId | None = None,
    as_json: bool,
) -> None:
    """Print a draft with its evidence; with `due_at`, also the hash that approves it."""
    approval = None if due_at is None else {"at": due_at, "hash": draft.approval_hash(due_at)}
    result = DraftDetailOutput.model_validate(
        {
            "draft": stored_fields(draft),
            "approval": approval,
            "calls": calls,
            "cancelled_post": cancelled,
        }
    )
    lines = list(describe_draft(draft, tenant))
    if due_at is not None:
        at = due_at.astimezone(UTC).isoformat()
        command = name_tenant(
            f"`roost approve {draft.id} --at {at} --hash {draft.approval_hash(due_at)}`"
        )
        lines.append(f"\n{command} schedules exactly this text.")
    print_result(result, "\n".join(lines), as_json=as_json)


def stored_fields(draft: Draft) -> dict[str, Any]:
    """Return the fields of a `StoredDraftOutput`."""
    cited = cited_facts(draft.sentences)
    return draft_fields(draft) | {
        "account": draft.account.username,
        "state": draft.state,
        "post_id": draft.post_id,
        "revision": draft.revision,
        "previous": draft.previous,
        "instruction": draft.instruction,
        "language": draft.brief.language,
        "media": draft.media,
        "facts": [fact for fact in draft.brief.facts if fact.id in cited],
        "price": draft.price,
        "content_hash": draft.content_hash,
        "created_at": draft.created_at,
        "created_by": str(draft.created_by),
    }


def describe_text(draft: Draft) -> str:
    """Return the parts and the files of a draft, indented."""
    lines = []
    for number, part in enumerate(draft.parts, 1):
        label = f"part {number}: " if len(draft.parts) > 1 else ""
        lines.append(f"  {label}{indented(part, '  ')}")
        lines += [
            one_line(f"  file: {each.path}") for each in draft.media if each.part == number - 1
        ]
    return "\n".join(lines)


def describe_draft(draft: Draft, tenant: Tenant) -> Iterator[str]:
    """Return lines with the text, the price, the evidence, the verdicts and the provenance."""
    state = draft.state if draft.post_id is None else f"{draft.state} as post {draft.post_id}"
    instruction = f" ({draft.instruction!r})" if draft.instruction else ""
    yield one_line(
        f"Draft {draft.id} for @{draft.account.username}: {state},"
        f" revision {draft.revision}{instruction}"
    )
    yield ""
    yield describe_text(draft)
    yield ""
    lengths = " + ".join(str(weigh(part).weighted_length) for part in draft.parts)
    yield f"{lengths} characters as X counts them. X charges {describe_price(draft.price)}."
    yield ""
    yield "Evidence"
    facts = {fact.id: fact for fact in draft.brief.facts}
    for index, sentence in enumerate(draft.sentences):
        yield one_line(f"  “{sentence.text}”")
        for fact_id in sentence.fact_ids:
            fact = facts.get(fact_id)
            source = f" ({fact.source})" if fact is not None and fact.source else ""
            text = fact.text if fact is not None else "not in the brief any more"
            yield one_line(f"    {fact_id}: {text}{source}")
        if not sentence.fact_ids:
            yield "    no fact"
        for doubt in doubts_of_sentence(draft.doubts, index):
            yield one_line(f"    ? {describe_doubt(doubt)}")
    yield ""
    yield "Checks"
    yield from _describe_verdicts(draft)
    yield ""
    yield "Provenance"
    yield from _describe_provenance(draft, tenant)


def _describe_verdicts(draft: Draft) -> Iterator[str]:
    passed = [each.validator for each in draft.verdicts if each.judged and each.ok]
    yield f"  passed: {', '.join(passed) or 'none'}"
    for verdict in draft.verdicts:
        if not verdict.ok:
            yield one_line(f"  ✗ {verdict.validator}: {'; '.join(verdict.findings)}")
    unjudged = [each.validator for each in draft.verdicts if not each.judged]
    if unjudged:
        yield one_line(
            f"  cannot be judged in this language ({draft.brief.language}): {', '.join(unjudged)}"
        )


def _describe_provenance(draft: Draft, tenant: Tenant) -> Iterator[str]:
    provenance = draft.provenance
    brief_hash = provenance.brief_hash[:_HASH_WIDTH]
    yield f"  brief version {provenance.brief_version} ({brief_hash})"
    if draft.origin is DraftOrigin.MODEL:
        tokens = provenance.input_tokens + provenance.output_tokens
        cost = "an unknown price" if provenance.usd is None else f"${provenance.usd:.6f}"
        yield one_line(
            f"  written by {provenance.model}, prompt {provenance.prompt_hash[:_HASH_WIDTH]},"
            f" {format_count(provenance.repairs, 'repair')}; the call used {tokens} tokens for"
            f" {cost}"
        )
    else:
        by = "a person" if draft.origin is DraftOrigin.PERSON else "the composer, without a model"
        yield f"  written by {by}"
    when = format_time(draft.created_at, tenant.time_zone)
    yield one_line(f"  stored on {when} by {draft.created_by}")
