"""Pages about drafts: the list, the form for a brief, a run of the writer, and one draft."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Path, Query
from fastapi.responses import HTMLResponse, Response, StreamingResponse

from roost.agents.lexicons import LANGUAGES
from roost.errors import RoostError
from roost.models import DraftId, DraftState, IntegrationStatus, Post, PostFinding, Scope, Tenant
from roost.runtime import Runtime
from roost.services import drafts, queries
from roost.services.drafts import Draft
from roost.web import error_handlers, templating
from roost.web.brief_form import BriefForm, CheckedForm, find_account
from roost.web.dependencies import KnownRuns, NamedTenant, OpenRuntime, RowId, TenantScope, scope_of
from roost.web.draft_cards import DraftCard, language_tag, show_parts
from roost.web.draft_runs import DraftRun

router = APIRouter()

#: The short list of drafts shows at most this many waiting drafts, and at most `_MAX_DONE` approved
#: and discarded drafts.
_MAX_CARDS: Final = 20
_MAX_DONE: Final = 50
#: The states of the drafts that no longer wait for a person.
_DONE: Final = (DraftState.APPROVED, DraftState.DISCARDED)
#: Marks the two places of `draft_run.html.j2` at which drafts are inserted. A user's text cannot
#: contain the mark, because the template escapes `<`.
_GAP: Final = "<!-- gap -->"

RunId = Annotated[str, Path(max_length=64)]
RevisionNumber = Annotated[int | None, Query(ge=1, le=2**31 - 1)]


@router.get("/drafts", response_class=HTMLResponse)
async def show_drafts(
    runtime: OpenRuntime,
    tenant: NamedTenant,
    scope: TenantScope,
    show: Annotated[Literal["newest", "all"], Query()] = "newest",
) -> Response:
    """Show the tenant's drafts: those that wait for a person in full, the others as a list."""
    is_short = show == "newest"
    waiting = await drafts.list_drafts(
        runtime, scope, DraftState.DRAFT, limit=_MAX_CARDS if is_short else None
    )
    done = await drafts.list_drafts(runtime, scope, *_DONE, limit=_MAX_DONE if is_short else None)
    return templating.page(
        "drafts.html.j2",
        tenant=tenant,
        waiting=[_card(runtime, each) for each in waiting],
        all_waiting=await drafts.count_drafts(runtime, scope, DraftState.DRAFT),
        done=done,
        all_done=await drafts.count_drafts(runtime, scope, *_DONE),
    )


@router.get("/drafts/new", response_class=HTMLResponse)
async def show_form(runtime: OpenRuntime, tenant: NamedTenant) -> Response:
    """Show an empty form for a brief."""
    return await form_page(runtime, tenant, CheckedForm(BriefForm()))


async def form_page(
    runtime: Runtime,
    tenant: Tenant,
    checked: CheckedForm,
    *,
    was_checked: bool = False,
    status: int = 200,
) -> Response:
    """Return the page with the form for a brief, with each finding at its field."""
    accounts = await queries.list_accounts(runtime, scope_of(tenant))
    return templating.page(
        "draft_form.html.j2",
        status=status,
        tenant=tenant,
        accounts=[each for each in accounts if each.status is not IntegrationStatus.DISCONNECTED],
        chosen=find_account(accounts, checked.form.account),
        form=checked.form,
        findings=checked.findings,
        was_checked=was_checked,
        is_valid=checked.is_valid,
        languages=LANGUAGES,
        model=runtime.settings.model,
    )


@router.get("/drafts/runs/{run_id}", response_class=HTMLResponse)
async def show_run(
    runtime: OpenRuntime, tenant: NamedTenant, scope: TenantScope, runs: KnownRuns, run_id: RunId
) -> Response:
    """Stream the page of a run of the writer; the page ends when all drafts are stored."""
    run = runs.get(run_id, scope.tenant_id)
    return StreamingResponse(
        _stream_run(runtime, tenant, run),
        media_type="text/html",
        # A proxy that buffers the response would hold the drafts back until its end.
        headers={"x-accel-buffering": "no"},
    )


async def _stream_run(runtime: Runtime, tenant: Tenant, run: DraftRun) -> AsyncIterator[str]:
    """Yield the page in pieces: its start, each draft as it arrives, and the stored drafts.

    As soon as the stored drafts follow, a CSS rule hides the drafts that arrived before. The page
    therefore needs no script.
    """
    page = templating.render(
        "draft_run.html.j2",
        tenant=tenant,
        run=run,
        is_finished=run.is_finished,
        model=runtime.settings.model,
    )
    start, middle, end = page.split(_GAP)
    yield start
    if not run.is_finished:
        async for draft in run.follow():
            yield templating.render(
                "draft_arrived.html.j2",
                parts=show_parts(draft.parts),
                origin=draft.origin,
                language=language_tag(run.brief),
            )
    yield middle
    stored = () if run.written is None else run.written.drafts
    yield templating.render(
        "draft_run_result.html.j2",
        tenant=tenant,
        run=run,
        cards=[_card(runtime, each) for each in stored],
    )
    yield end


@router.get("/drafts/{draft_id}", response_class=HTMLResponse)
async def show_draft(
    runtime: OpenRuntime,
    tenant: NamedTenant,
    draft_id: RowId,
    revision: RevisionNumber = None,
    cancelled: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
) -> Response:
    """Show one draft with its current revision, or with an older revision.

    `cancelled` is the id of the post that a change to the draft has just cancelled.
    """
    return await draft_page(
        runtime, tenant, DraftId(draft_id), revision=revision,
        result=ActionResult(cancelled=cancelled),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class ActionResult:
    """What the draft's page shows after an action: an error, findings, a cancelled post."""

    error: RoostError | None = None
    """Why the action has failed; None if it has not."""
    typed: Mapping[str, str] = field(default_factory=dict)
    """The texts of the fields `due` and `instruction`, which an error keeps."""
    cancelled: int | None = None
    """The post that the action has cancelled."""
    findings: Sequence[PostFinding] = ()
    """Probable mistakes in the post that an approval has scheduled."""


NO_ACTION: Final = ActionResult()


async def draft_page(
    runtime: Runtime,
    tenant: Tenant,
    draft_id: DraftId,
    *,
    revision: int | None = None,
    result: ActionResult = NO_ACTION,
) -> Response:
    """Return the page of a draft; after an action on the draft, with the result."""
    scope = scope_of(tenant)
    current = await drafts.get_draft(runtime, scope, draft_id)
    draft = current
    if revision is not None and revision != current.revision:
        draft = await drafts.get_draft(runtime, scope, draft_id, revision=revision)
    return templating.page(
        "draft.html.j2",
        status=200 if result.error is None else error_handlers.STATUS[result.error.kind],
        tenant=tenant,
        card=_card(runtime, draft, await _find_post(runtime, scope, current)),
        current=current,
        cancelled=result.cancelled,
        error=result.error,
        typed=result.typed,
        findings=result.findings,
    )


def _card(runtime: Runtime, draft: Draft, post: Post | None = None) -> DraftCard:
    return DraftCard(draft, runtime.settings.model is not None, post)


async def _find_post(runtime: Runtime, scope: Scope, draft: Draft) -> Post | None:
    """Return the post that the draft's approval scheduled; None if there is none."""
    if draft.state is not DraftState.APPROVED or draft.post_id is None:
        return None
    return await queries.find_post(runtime, scope, draft.post_id)
