"""Handles the forms of the draft pages: checks briefs, and writes or changes drafts.

After most actions, the response is a redirect (303). After an error, it is the form's page with the
error.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from roost.agents.configured_model import open_model
from roost.errors import InvalidInput, NotFound, RoostError
from roost.models import DraftId, PostFinding, PostId, Tenant
from roost.planfile import TimeAmbiguous, TimeInvalid, TimeSkipped, parse_due
from roost.runtime import Runtime
from roost.services import drafts, queries
from roost.services.drafts.records import DraftImproved, hash_approval
from roost.web import draft_pages
from roost.web.brief_form import BriefForm, CheckedForm, check_form
from roost.web.dependencies import KnownRuns, NamedTenant, OpenRuntime, RowId, TenantScope, scope_of
from roost.web.draft_pages import ActionResult

router = APIRouter()

_MAX_INSTRUCTION: Final = 500


class InstructionMissing(InvalidInput):
    """The submitted HTML form says that a draft is to be improved, but not how."""

    default_next = "Say what to change, for example “shorter”."


@router.post("/drafts/check")
async def check_brief(request: Request, runtime: OpenRuntime, tenant: NamedTenant) -> Response:
    """Check the brief in the form, and show the form again with the findings."""
    checked = await _check(request, runtime, tenant)
    return await draft_pages.form_page(runtime, tenant, checked, was_checked=True)


@router.post("/drafts")
async def write_drafts(
    request: Request,
    runtime: OpenRuntime,
    tenant: NamedTenant,
    scope: TenantScope,
    runs: KnownRuns,
) -> Response:
    """Start a run that writes drafts, and redirect to the page of the run.

    If the brief has an error, the response is the form with the findings.
    """
    checked = await _check(request, runtime, tenant)
    if checked.brief is None or not checked.is_valid:
        return await draft_pages.form_page(runtime, tenant, checked, was_checked=True, status=422)
    run = runs.start(runtime, scope, checked.brief, checked.warnings)
    return _redirect(f"/drafts/runs/{run.id}", tenant)


async def _check(request: Request, runtime: Runtime, tenant: Tenant) -> CheckedForm:
    form = BriefForm.of(await request.form())
    accounts = await queries.list_accounts(runtime, scope_of(tenant))
    # The check runs in a thread, because it composes a draft, which takes computation.
    return await asyncio.to_thread(check_form, form, accounts, today=runtime.clock.now().date())


@router.post("/drafts/{draft_id}/approve")
async def approve_draft(
    runtime: OpenRuntime,
    tenant: NamedTenant,
    draft_id: RowId,
    content_hash: Annotated[str, Form(max_length=64)],
    due: Annotated[str, Form(max_length=64)] = "",
) -> Response:
    """Approve a draft: schedule exactly the content that the page showed (`content_hash`).

    If the scheduled post has findings, the response is the draft's page with the findings. It is
    safe to reload this page, because a second approval with the same hash schedules nothing.
    """
    findings: list[PostFinding] = []

    async def approve() -> None:
        at = _parse_due(due, runtime, tenant)
        await drafts.approve_draft(
            runtime,
            scope_of(tenant),
            DraftId(draft_id),
            at=at,
            approval_hash=hash_approval(content_hash, at),
            by_person=True,
            on_findings=findings.extend,
        )

    response = await _change(runtime, tenant, draft_id, approve, due=due)
    if not findings or response.status_code != HTTPStatus.SEE_OTHER:
        return response
    return await draft_pages.draft_page(
        runtime, tenant, DraftId(draft_id), result=ActionResult(findings=findings)
    )


@router.post("/drafts/{draft_id}/improve")
async def improve_draft(
    runtime: OpenRuntime,
    tenant: NamedTenant,
    draft_id: RowId,
    instruction: Annotated[str, Form(max_length=_MAX_INSTRUCTION)] = "",
) -> Response:
    """Improve a draft by an instruction, which adds a revision to the draft."""

    async def improve() -> DraftImproved:
        wish = " ".join(instruction.split())
        if not wish:
            raise InstructionMissing("The instruction is missing.")
        async with open_model(runtime.settings) as model:
            return await drafts.improve_draft(
                runtime, scope_of(tenant), DraftId(draft_id), wish, model=model
            )

    return await _change(runtime, tenant, draft_id, improve, instruction=instruction)


@router.post("/drafts/{draft_id}/undo")
async def undo_improvement(runtime: OpenRuntime, tenant: NamedTenant, draft_id: RowId) -> Response:
    """Undo a draft's last improvement: make the revision before it the current one again."""
    return await _change(
        runtime,
        tenant,
        draft_id,
        lambda: drafts.undo_improvement(runtime, scope_of(tenant), DraftId(draft_id)),
    )


@router.post("/drafts/{draft_id}/discard")
async def discard_draft(runtime: OpenRuntime, tenant: NamedTenant, draft_id: RowId) -> Response:
    """Discard a draft, and redirect to its page."""
    return await _change(
        runtime,
        tenant,
        draft_id,
        lambda: drafts.discard_draft(runtime, scope_of(tenant), DraftId(draft_id)),
    )


def _parse_due(due: str, runtime: Runtime, tenant: Tenant) -> datetime:
    """Convert the form's local time to an instant, in the tenant's time zone.

    Raises: TimeInvalid and its subclasses.
    """
    try:
        return parse_due(due, time_zone=tenant.time_zone, now=runtime.clock.now())
    except (TimeAmbiguous, TimeSkipped) as error:
        # A UTC offset would help, but a browser's field for a local time cannot contain one.
        raise type(error)(error.message, next="Choose a time an hour earlier or later.") from None
    except TimeInvalid as error:
        raise TimeInvalid(error.message, next="Choose a day and a time.") from None


async def _change(
    runtime: Runtime,
    tenant: Tenant,
    draft_id: int,
    change: Callable[[], Awaitable[object]],
    **typed: str,
) -> Response:
    """Apply a change to a draft, and redirect to its page.

    After an error, the response is the draft's page with the error. `typed` are the texts of the
    form's fields, which this page keeps.
    """
    try:
        result = await change()
    except NotFound:
        raise
    except RoostError as error:
        return await draft_pages.draft_page(
            runtime, tenant, DraftId(draft_id), result=ActionResult(error=error, typed=typed)
        )
    cancelled = result.cancelled if isinstance(result, DraftImproved) else None
    return _redirect(f"/drafts/{draft_id}", tenant, cancelled)


def _redirect(path: str, tenant: Tenant, cancelled: PostId | None = None) -> Response:
    query = {"tenant": tenant.name} | ({"cancelled": str(cancelled)} if cancelled else {})
    return RedirectResponse(f"{path}?{urlencode(query)}", 303)
