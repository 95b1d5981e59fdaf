"""`roost alerts`: lists the problems on which an operator must act."""

from roost.cli.arguments import Json, list_tenant_options
from roost.cli.command import open_for_command, run_async
from roost.cli.next_actions import describe_action
from roost.cli.output import print_result
from roost.cli.schemas.health import AlertListOutput
from roost.escaping import one_line
from roost.formats import format_time
from roost.publishing.alerts import action_for, alert_as_json, describe_alert
from roost.services import monitor


def alerts(*, as_json: Json = False) -> int:
    """List the open alerts, and what to do about each alert; `roost doctor` checks more."""

    async def work() -> None:
        async with open_for_command() as runtime:
            await monitor.check_lateness(runtime)
            open_alerts = await monitor.list_alerts(runtime)
            options = await list_tenant_options(runtime)
        advice = [
            describe_action(action_for(alert), options[tenant.id] if tenant else "")
            for tenant, alert in open_alerts
        ]
        result = [
            alert_as_json(alert, next_text=sentence) | {"tenant": tenant and tenant.name}
            for (tenant, alert), sentence in zip(open_alerts, advice, strict=True)
        ]
        lines = [
            one_line(
                f"{format_time(alert.raised_at, tenant.time_zone if tenant else 'UTC')},"
                f" {tenant.name if tenant else 'all tenants'}: {describe_alert(alert)}"
            )
            + f"\n    → {one_line(sentence)}"
            for (tenant, alert), sentence in zip(open_alerts, advice, strict=True)
        ]
        shown = AlertListOutput.model_validate({"alerts": result})
        print_result(shown, "\n".join(lines) or "No alert is open.", as_json=as_json)

    return run_async(work)
