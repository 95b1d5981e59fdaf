"""`roost resolve`: a person settles what Roost cannot know, or must not do by itself."""

from typing import Annotated

from cyclopts import Parameter

from roost import store
from roost.cli.confirm import agree
from roost.cli.output import Json, TenantName, complete, open_for_command, say
from roost.cli.post_status import post_as_json, see_standing, tell_standing
from roost.errors import InvalidInput
from roost.models import Post, PostId, Tenant
from roost.runtime import Runtime
from roost.services import resolve as decisions
from roost.services.resolve import Choice


class DecisionUnclear(InvalidInput):
    """What was decided lacks something, or has too much."""


class PriceNotAgreed(InvalidInput):
    """Nobody agreed to what X would bill."""

    default_next = "Say --yes to agree."


def decide(
    post: int,
    choice: Choice,
    address: Annotated[str | None, Parameter(help="With `sent`: its address or id on X.")] = None,
    /,
    *,
    text: Annotated[
        str | None, Parameter(help="With `continue`: another text for the part that X refused.")
    ] = None,
    yes: Annotated[bool, Parameter(negative="", help="Agree to the price of `delete`.")] = False,
    tenant: TenantName = "default",
    as_json: Json = False,
) -> int:
    """Settle a post that waits for a person; `roost posts POST --history` shows what is known.

    Needs a decision: `sent ADDRESS`, `send` or `drop`. Missed: `send` or `drop`. Partly published:
    `continue`, `delete` (from X) or `leave`. Failed: `leave`. Waits for nothing: what follows is
    the workers' business.
    """

    async def work() -> None:
        _require_clear(choice, address, text)
        async with open_for_command(with_secrets=choice is Choice.DELETE) as runtime:
            whose = await store.tenants.get(runtime.database, tenant)
            if choice is Choice.DELETE:
                await _require_agreement(runtime, whose, PostId(post), yes)
            decided = await _settle(runtime, whose, PostId(post), choice, address, text)
            standing = await see_standing(runtime, whose, decided)
        told = tell_standing(decided, whose, standing)
        say(post_as_json(decided, standing), told, as_json=as_json)

    return complete(work)


def _require_clear(choice: Choice, address: str | None, text: str | None) -> None:
    if choice is Choice.FOUND and address is None:
        raise DecisionUnclear(
            "`sent` needs the post's address or id on X.",
            next="Copy it from the account's timeline on X.",
        )
    if choice is not Choice.FOUND and address is not None:
        raise DecisionUnclear(f"`{choice}` takes no address.", next="Leave it out, or say `sent`.")
    if choice is not Choice.CONTINUE and text is not None:
        raise DecisionUnclear(f"`{choice}` takes no text.", next="Leave it out, or say `continue`.")


async def _require_agreement(runtime: Runtime, tenant: Tenant, post_id: PostId, yes: bool) -> None:
    async with runtime.database.for_tenant(tenant.id) as transaction:
        post = await store.posts.get(transaction, post_id)
    if Choice.DELETE not in decisions.list_choices(post):
        return  # it is refused for that, whatever it would cost
    parts = decisions.list_deletable(post)
    price = decisions.price_deletion(parts)
    cost = f"Deleting {len(parts)} parts of post {post_id} from X costs ${price.low:.3f}."
    if not await agree(cost, yes=yes):
        raise PriceNotAgreed(cost)


async def _settle(
    runtime: Runtime, tenant: Tenant, post_id: PostId, choice: Choice, address: str | None,
    text: str | None,
) -> Post:  # fmt: skip
    match choice:
        case Choice.FOUND:
            return await decisions.confirm_sent(runtime, tenant, post_id, address or "")
        case Choice.RESEND:
            return await decisions.confirm_absent(runtime, tenant, post_id)
        case Choice.DISCARD:
            return await decisions.discard(runtime, tenant, post_id)
        case Choice.CONTINUE:
            return await decisions.continue_thread(runtime, tenant, post_id, text)
        case Choice.DELETE:
            return await decisions.delete_sent(runtime, tenant, post_id)
        case Choice.ACKNOWLEDGE:
            return await decisions.acknowledge(runtime, tenant, post_id)
