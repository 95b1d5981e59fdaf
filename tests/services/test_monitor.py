"""Late posts open an alert until they are published, without the help of a worker."""

from fix_publishing import Desk
from fix_runtime import make_tenant
from roost import store
from roost.models import Alert, AlertKind, PostId
from roost.models.alerts import SERVICE, about_app, about_post
from roost.publishing.alerts import describe_alert
from roost.services import monitor, pause


async def everybodys(desk: Desk) -> list[Alert]:
    """The open alerts of no tenant."""
    return [alert for tenant, alert in await monitor.list_alerts(desk.runtime) if tenant is None]


async def test_check_lateness_opens_an_alert_until_the_post_is_published(desk: Desk) -> None:
    due_at = desk.runtime.clock.now()
    await desk.plan("Late")
    await desk.emulator.jump(seconds=121)
    assert await monitor.check_lateness(desk.runtime) == due_at
    assert await monitor.check_lateness(desk.runtime) == due_at
    (alert,) = await everybodys(desk)
    assert (alert.kind, alert.subject) == ("late", SERVICE)
    assert due_at.isoformat(timespec="seconds") in describe_alert(alert)
    await desk.work()
    assert await monitor.check_lateness(desk.runtime) is None
    assert await everybodys(desk) == []


async def test_check_lateness_allows_two_minutes(desk: Desk) -> None:
    await desk.plan("Just now")
    await desk.emulator.jump(seconds=119)
    assert await monitor.check_lateness(desk.runtime) is None
    assert await everybodys(desk) == []


async def test_check_lateness_ignores_paused_posts(desk: Desk) -> None:
    await desk.plan("Held")
    await pause.pause_account(desk.runtime, desk.scope, desk.account)
    await desk.emulator.jump(hours=1)
    assert await monitor.check_lateness(desk.runtime) is None


async def test_list_alerts_lists_unscoped_alerts_once(
    desk: Desk,
) -> None:
    await make_tenant(desk.runtime, "bakery")
    at = desk.runtime.clock.now()
    async with desk.runtime.database.unscoped() as transaction:
        await store.alerts.open_alert(transaction, None, AlertKind.CREDITS, about_app("app"), at=at)
    async with desk.runtime.database.for_tenant(desk.tenant.id) as transaction:
        await store.alerts.open_alert(
            transaction, desk.tenant.id, AlertKind.FAILED, about_post(PostId(1)), at=at
        )
    listed = await monitor.list_alerts(desk.runtime)
    assert [(tenant and tenant.name, alert.kind) for tenant, alert in listed] == [
        (None, "credits"),
        ("default", "failed"),
    ]
