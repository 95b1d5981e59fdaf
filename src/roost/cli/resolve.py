"""`roost resolve`: records a person's decision about a post that Roost cannot finish."""

from typing import Annotated

from cyclopts import Parameter

from roost.cli.arguments import Json, PostNumber, TenantName, choose_tenant, parse_post_id
from roost.cli.command import open_for_command, run_async
from roost.cli.confirm import confirm
from roost.cli.outcome import warn_without_worker
from roost.cli.output import describe_price, print_note
from roost.cli.post_status import print_post
from roost.cli.text_input import read_text
from roost.errors import InvalidInput
from roost.formats import format_count
from roost.models import Post, PostId, Scope
from roost.publishing.decisions import Choice, list_choices, list_deletable, price_deletion
from roost.runtime import Runtime
from roost.services import queries
from roost.services import resolve as decisions


class DecisionUnclear(InvalidInput):
    """The choice given to `roost resolve` lacks an address, or does not accept an argument."""


class PriceNotAgreed(InvalidInput):
    """The user has not agreed to the price that X would bill."""

    default_next = "Add --yes to agree to the price."


def resolve(
    post: PostNumber,
    choice: Choice,
    url: Annotated[
        str | None, Parameter(help="With `found`: the post's address or id on X.")
    ] = None,
    /,
    *,
    text: Annotated[
        str | None,
        Parameter(
            help="With `continue`: a new text for the part that X refused; `-` reads it from"
            " standard input."
        ),
    ] = None,
    yes: Annotated[bool, Parameter(negative="", help="Agree to the price of `delete`.")] = False,
    tenant: TenantName = "default",
    as_json: Json = False,
) -> int:
    """Decide about a post that Roost cannot finish; `roost posts POST --history` shows why.

    The choices depend on the post's state. `needs_decision`: `found URL` (the post is on X; give
    its address or id), `resend` (it is not on X) or `discard`. `missed`: `resend` or `discard`.
    `partly_published`: `continue`, `delete` (from X) or `acknowledge`. `failed`: `acknowledge`.
    The command does not wait until the decision has been carried out.
    """

    text = None if text is None else read_text(text)

    async def work() -> None:
        _validate_arguments(choice, url, text)
        async with open_for_command(with_secrets=choice is Choice.DELETE) as runtime:
            owner, scope = await choose_tenant(runtime, tenant)
            if choice is Choice.DELETE:
                await _confirm_price(runtime, scope, parse_post_id(post), yes)
            resolved = await _apply(runtime, scope, parse_post_id(post), choice, url, text)
            await warn_without_worker(runtime, resolved)
            status = await queries.get_status_of(runtime, scope, resolved)
        if choice is Choice.ACKNOWLEDGE:
            print_note(f"Post {post} is acknowledged: it no longer counts as needing attention.")
        print_post(status, owner, as_json=as_json)

    return run_async(work)


def _validate_arguments(choice: Choice, url: str | None, text: str | None) -> None:
    found = Choice.FOUND
    if choice is Choice.FOUND and url is None:
        raise DecisionUnclear(
            f"`{found}` needs the post's address or id on X.",
            next="Copy it from the account's timeline on X.",
        )
    if choice is not Choice.FOUND and url is not None:
        raise DecisionUnclear(
            f"`{choice}` takes no address.", next=f"Omit the address, or use `{found}`."
        )
    if choice is not Choice.CONTINUE and text is not None:
        raise DecisionUnclear(
            f"`{choice}` takes no text.", next="Omit the text, or use `continue`."
        )


async def _confirm_price(runtime: Runtime, scope: Scope, post_id: PostId, yes: bool) -> None:
    post = await queries.get_post(runtime, scope, post_id)
    if Choice.DELETE not in list_choices(post):
        return  # The service will refuse to delete, so there is no price to confirm.
    parts = list_deletable(post)
    price = price_deletion(parts)
    cost = (
        f"Deleting {format_count(len(parts), 'part')} of post {post_id} from X costs"
        f" {describe_price(price)}."
    )
    if not await confirm(cost, yes=yes):
        raise PriceNotAgreed(cost)


async def _apply(
    runtime: Runtime, scope: Scope, post_id: PostId, choice: Choice, url: str | None,
    text: str | None,
) -> Post:  # fmt: skip
    match choice:
        case Choice.FOUND:
            return await decisions.confirm_sent(runtime, scope, post_id, url or "")
        case Choice.RESEND:
            return await decisions.confirm_absent(runtime, scope, post_id)
        case Choice.DISCARD:
            return await decisions.discard(runtime, scope, post_id)
        case Choice.CONTINUE:
            return await decisions.continue_thread(runtime, scope, post_id, text)
        case Choice.DELETE:
            return await decisions.delete_sent(runtime, scope, post_id)
        case Choice.ACKNOWLEDGE:
            return await decisions.acknowledge(runtime, scope, post_id)
