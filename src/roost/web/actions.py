"""What a person can do on the page: decide about a post, hold posts back, stop everything.

Plain forms that answer with 303; nothing here is for programs.
"""

from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from roost import store
from roost.errors import InvalidInput, NotFound, RoostError
from roost.models import IntegrationId, PostId, Tenant
from roost.runtime import Runtime
from roost.services import pause, resolve, resume
from roost.services.resolve import Choice
from roost.web import error_handlers, pages
from roost.web.dependencies import NamedTenant, OpenRuntime, RowId

router = APIRouter()

#: X's longest text in weighted characters, and some more; the rules of X judge it.
_LONGEST_TEXT: Final = 30_000

Text = Annotated[str, Form(max_length=_LONGEST_TEXT)]


class AddressMissing(InvalidInput):
    """A post is said to be on X, but not under which address."""

    default_next = "Copy the address of the post from the account's timeline on X."


@router.post("/posts/{post_id}/decide")
async def decide_post(
    request: Request,
    runtime: OpenRuntime,
    tenant: NamedTenant,
    post_id: RowId,
    choice: Annotated[Choice, Form()],
    address: Text = "",
    text: Text = "",
) -> Response:
    """Settle a post that waits for a person; what goes wrong is told on its page."""
    # FastAPI takes an emptied field for one that was not sent; an emptied text is meant.
    asked = text if "text" in await request.form() else None
    try:
        await _settle(runtime, tenant, PostId(post_id), choice, address, asked)
    except NotFound:
        raise
    except RoostError as error:
        status = error_handlers.STATUS[error.kind]
        return await pages.post_page(runtime, tenant, PostId(post_id), error=error, status=status)
    return _back(f"/posts/{post_id}", tenant)


async def _settle(
    runtime: Runtime,
    tenant: Tenant,
    post_id: PostId,
    choice: Choice,
    address: str,
    text: str | None,
) -> None:
    match choice:
        case Choice.FOUND:
            if not address.strip():
                raise AddressMissing("The post's address on X is missing.")
            await resolve.confirm_sent(runtime, tenant, post_id, address)
        case Choice.RESEND:
            await resolve.confirm_absent(runtime, tenant, post_id)
        case Choice.DISCARD:
            await resolve.discard(runtime, tenant, post_id)
        case Choice.CONTINUE:
            # A browser sends line ends as CRLF.
            new = None if text is None else text.replace("\r\n", "\n")
            await resolve.continue_thread(runtime, tenant, post_id, new)
        case Choice.DELETE:
            await resolve.delete_sent(runtime, tenant, post_id)
        case Choice.ACKNOWLEDGE:
            await resolve.acknowledge(runtime, tenant, post_id)


@router.post("/posts/{post_id}/pause")
async def pause_post(runtime: OpenRuntime, tenant: NamedTenant, post_id: RowId) -> Response:
    """Hold a post back."""
    await pause.pause_post(runtime, tenant, PostId(post_id))
    return _back(f"/posts/{post_id}", tenant)


@router.post("/posts/{post_id}/resume")
async def resume_post(runtime: OpenRuntime, tenant: NamedTenant, post_id: RowId) -> Response:
    """Let a post go on."""
    await pause.resume_post(runtime, tenant, PostId(post_id))
    return _back(f"/posts/{post_id}", tenant)


@router.post("/accounts/{account_id}/pause")
async def pause_account(runtime: OpenRuntime, tenant: NamedTenant, account_id: RowId) -> Response:
    """Hold all posts of an account back."""
    return await _hold_account(runtime, tenant, account_id, paused=True)


@router.post("/accounts/{account_id}/resume")
async def resume_account(runtime: OpenRuntime, tenant: NamedTenant, account_id: RowId) -> Response:
    """Let all posts of an account go on."""
    return await _hold_account(runtime, tenant, account_id, paused=False)


async def _hold_account(runtime: Runtime, tenant: Tenant, number: int, *, paused: bool) -> Response:
    async with runtime.database.for_tenant(tenant.id) as transaction:
        account = await store.integrations.get(transaction, IntegrationId(number))
    await (pause.pause_account if paused else pause.resume_account)(runtime, account)
    return _back(f"/accounts/{number}", tenant)


@router.post("/stop")
async def stop(runtime: OpenRuntime) -> Response:
    """The stop switch: nothing of anybody goes out."""
    await pause.pause_everything(runtime)
    return RedirectResponse("/", 303)


@router.post("/go-on")
async def go_on(runtime: OpenRuntime) -> Response:
    """Let everything go on; after a restore, X is asked first."""
    await resume.resume_everything(runtime)
    return RedirectResponse("/", 303)


def _back(path: str, tenant: Tenant) -> Response:
    return RedirectResponse(f"{path}?{urlencode({'tenant': tenant.name})}", 303)
