"""`roost tenant`: shows or changes the settings of a tenant."""

import logging
from typing import Annotated

from cyclopts import Parameter

from roost.cli.arguments import Json, TenantName, choose_tenant
from roost.cli.command import open_for_command, run_async
from roost.cli.output import print_result
from roost.cli.schemas.drafts import TenantOutput
from roost.formats import format_count
from roost.services.tenant import get_model_usage, set_drafts_without_person


def tenant(
    *,
    drafts_without_person: Annotated[
        bool | None,
        Parameter(
            negative="--no-drafts-without-person",
            help="Whether programs may approve drafts; otherwise only a person at a terminal or a"
            " page may. Default: no change.",
        ),
    ] = None,
    tenant: TenantName = "default",
    as_json: Json = False,
) -> int:
    """Show the settings of a tenant, and what its models have used this month; or change them."""

    async def work() -> None:
        async with open_for_command(logging.WARNING) as runtime:
            owner, scope = await choose_tenant(runtime, tenant)
            if drafts_without_person is not None:
                owner = await set_drafts_without_person(
                    runtime, scope, allowed=drafts_without_person
                )
            usage = await get_model_usage(runtime, scope)
            max_tokens = runtime.settings.model_tokens_per_month
            max_usd = runtime.settings.model_usd_per_month
        result = TenantOutput.model_validate(
            {
                "tenant": owner.name,
                "time_zone": owner.time_zone,
                "drafts_without_person": owner.drafts_without_person,
                "model_usage": {
                    "calls": usage.calls,
                    "tokens": usage.tokens,
                    "usd": usage.usd,
                    "unpriced": usage.unpriced,
                    "max_tokens": max_tokens,
                    "max_usd": max_usd,
                },
            }
        )
        who = "Programs may" if owner.drafts_without_person else "Only a person may"
        tokens = "" if max_tokens is None else f" of {max_tokens}"
        dollars = "" if max_usd is None else f" of ${max_usd}"
        text = (
            f"Tenant {owner.name!r}: its time zone is {owner.time_zone}.\n"
            f"{who} approve drafts.\n"
            f"Models this month: {format_count(usage.calls, 'call')}, {usage.tokens}{tokens}"
            f" tokens, ${usage.usd:.6f}{dollars}"
            + (f" ({usage.unpriced} without a known price)." if usage.unpriced else ".")
        )
        print_result(result, text, as_json=as_json)

    return run_async(work)
