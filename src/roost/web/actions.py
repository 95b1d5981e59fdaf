"""Routes for the pages' buttons: decide about, cancel and retry posts; pause and resume.

Each button is an HTML form, and the response is a redirect (303). Programs use the command line
instead.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from roost.errors import InvalidInput, NotFound, RoostError
from roost.models import IntegrationId, PostId, Scope, Tenant
from roost.publishing.decisions import Choice
from roost.runtime import Runtime
from roost.services import pause, queries, resolve, resume, schedule
from roost.web import error_handlers, pages
from roost.web.dependencies import ACTOR, NamedTenant, OpenRuntime, RowId, TenantScope, scope_of

router = APIRouter()

#: The maximum length of a form's text, in characters. It is above the length of X's longest text,
#: because X's rules, and not this limit, decide whether a text is valid.
_MAX_TEXT_LENGTH: Final = 30_000

Text = Annotated[str, Form(max_length=_MAX_TEXT_LENGTH)]


class AddressMissing(InvalidInput):
    """The submitted HTML form says that a post is on X, but lacks the post's address."""

    default_next = "Copy the address of the post from the account's timeline on X."


@router.post("/posts/{post_id}/resolve")
async def resolve_post(
    request: Request,
    runtime: OpenRuntime,
    tenant: NamedTenant,
    post_id: RowId,
    choice: Annotated[Choice, Form()],
    address: Text = "",
    text: Text = "",
) -> Response:
    """Carry out a person's decision about a post; show any error on the post's page."""
    scope = scope_of(tenant)
    # FastAPI does not distinguish an empty field from a missing field, but an empty text is valid.
    new_text = text if "text" in await request.form() else None
    try:
        await _resolve(runtime, scope, PostId(post_id), choice, address, new_text)
    except NotFound:
        raise
    except RoostError as error:
        return await _show_error(runtime, tenant, post_id, error)
    return _redirect(f"/posts/{post_id}", tenant)


async def _resolve(
    runtime: Runtime,
    scope: Scope,
    post_id: PostId,
    choice: Choice,
    address: str,
    text: str | None,
) -> None:
    match choice:
        case Choice.FOUND:
            if not address.strip():
                raise AddressMissing("The post's address on X is missing.")
            await resolve.confirm_sent(runtime, scope, post_id, address)
        case Choice.RESEND:
            await resolve.confirm_absent(runtime, scope, post_id)
        case Choice.DISCARD:
            await resolve.discard(runtime, scope, post_id)
        case Choice.CONTINUE:
            # A browser sends line ends as CRLF.
            new_text = None if text is None else text.replace("\r\n", "\n")
            await resolve.continue_thread(runtime, scope, post_id, new_text)
        case Choice.DELETE:
            await resolve.delete_sent(runtime, scope, post_id)
        case Choice.ACKNOWLEDGE:
            await resolve.acknowledge(runtime, scope, post_id)


@router.post("/posts/{post_id}/pause")
async def pause_post(
    runtime: OpenRuntime, tenant: NamedTenant, scope: TenantScope, post_id: RowId
) -> Response:
    """Pause a post."""
    await pause.pause_post(runtime, scope, PostId(post_id))
    return _redirect(f"/posts/{post_id}", tenant)


@router.post("/posts/{post_id}/resume")
async def resume_post(
    runtime: OpenRuntime, tenant: NamedTenant, scope: TenantScope, post_id: RowId
) -> Response:
    """Resume a post."""
    await pause.resume_post(runtime, scope, PostId(post_id))
    return _redirect(f"/posts/{post_id}", tenant)


@router.post("/posts/{post_id}/cancel")
async def cancel_post(
    runtime: OpenRuntime, tenant: NamedTenant, scope: TenantScope, post_id: RowId
) -> Response:
    """Cancel a post of which no part is on X; show any error on the post's page."""
    return await _change_post(
        runtime, tenant, post_id, lambda post: schedule.cancel_post(runtime, scope, post)
    )


@router.post("/posts/{post_id}/retry")
async def retry_post(
    runtime: OpenRuntime, tenant: NamedTenant, scope: TenantScope, post_id: RowId
) -> Response:
    """Schedule a failed post for now, without a change; show any error on the post's page."""
    now = runtime.clock.now()
    return await _change_post(
        runtime,
        tenant,
        post_id,
        lambda post: schedule.edit_post(runtime, scope, post, parts=None, due_at=now),
    )


async def _change_post(
    runtime: Runtime, tenant: Tenant, post_id: int, change: Callable[[PostId], Awaitable[object]]
) -> Response:
    try:
        await change(PostId(post_id))
    except NotFound:
        raise
    except RoostError as error:
        return await _show_error(runtime, tenant, post_id, error)
    return _redirect(f"/posts/{post_id}", tenant)


async def _show_error(
    runtime: Runtime, tenant: Tenant, post_id: int, error: RoostError
) -> Response:
    """Return the post's page, which shows the error of an action on the post."""
    status = error_handlers.STATUS[error.kind]
    return await pages.post_page(
        runtime, scope_of(tenant), tenant, PostId(post_id), error=error, status=status
    )


@router.post("/accounts/{account_id}/pause")
async def pause_account(
    runtime: OpenRuntime, tenant: NamedTenant, scope: TenantScope, account_id: RowId
) -> Response:
    """Pause all posts of an account."""
    account = await queries.get_account(runtime, scope, IntegrationId(account_id))
    await pause.pause_account(runtime, scope, account)
    return _redirect(f"/accounts/{account_id}", tenant)


@router.post("/accounts/{account_id}/resume")
async def resume_account(
    runtime: OpenRuntime, tenant: NamedTenant, scope: TenantScope, account_id: RowId
) -> Response:
    """Resume all posts of an account."""
    account = await queries.get_account(runtime, scope, IntegrationId(account_id))
    await pause.resume_account(runtime, scope, account)
    return _redirect(f"/accounts/{account_id}", tenant)


@router.post("/pause")
async def pause_everything(runtime: OpenRuntime) -> Response:
    """Pause all posts of all tenants."""
    await pause.pause_everything(runtime, ACTOR)
    return RedirectResponse("/", 303)


@router.post("/resume")
async def resume_everything(
    runtime: OpenRuntime, accept_copy: Annotated[bool, Form()] = False
) -> Response:
    """Resume everything; after a restore of the database, Roost searches X first.

    `accept_copy` confirms that this database, a copy of another one, replaces the original.
    """
    await resume.resume_everything(runtime, ACTOR, accept_copy=accept_copy)
    return RedirectResponse("/", 303)


def _redirect(path: str, tenant: Tenant) -> Response:
    return RedirectResponse(f"{path}?{urlencode({'tenant': tenant.name})}", 303)
