"""`roost alerts`: what a person has to see to."""

from roost.cli.output import Json, complete, open_for_command, plain, say
from roost.escaping import one_line
from roost.services import monitor


def alerts(*, as_json: Json = False) -> int:
    """List what a person has to see to, with what to do; `roost doctor` looks at more."""

    async def work() -> None:
        async with open_for_command() as runtime:
            await monitor.check_lateness(runtime)
            found = await monitor.list_alerts(runtime)
        answer = [plain(one) | {"tenant": tenant and tenant.name} for tenant, one in found]
        lines = [
            one_line(
                f"{one.raised_at.isoformat(timespec='seconds')} "
                f"{tenant.name if tenant else 'everybody'}: {one.message}"
            )
            + f"\n    → {one_line(one.next)}"
            for tenant, one in found
        ]
        told = "\n".join(lines) or "There is nothing to see to."
        say({"alerts": answer}, told, as_json=as_json)

    return complete(work)
