"""An alert is open while a post is late, even if no worker runs."""

from fix_publishing import Publisher
from fix_runtime import make_tenant
from roost import store
from roost.formats import format_time
from roost.models import Alert, AlertKind, PostId
from roost.models.alerts import SERVICE, about_app, about_post
from roost.publishing.alerts import describe_alert
from roost.services import monitor, pause


async def list_global_alerts(publisher: Publisher) -> list[Alert]:
    """Return the open alerts that concern all tenants."""
    return [
        alert for tenant, alert in await monitor.list_alerts(publisher.runtime) if tenant is None
    ]


async def test_check_lateness_opens_an_alert_until_the_post_is_published(
    publisher: Publisher,
) -> None:
    due_at = publisher.runtime.clock.now()
    await publisher.schedule("Late")
    await publisher.emulator.jump(seconds=121)
    assert await monitor.check_lateness(publisher.runtime) == due_at
    assert await monitor.check_lateness(publisher.runtime) == due_at
    (alert,) = await list_global_alerts(publisher)
    assert (alert.kind, alert.subject) == ("late", SERVICE)
    assert describe_alert(alert) == f"A post due on {format_time(due_at, 'UTC')} is not published."
    await publisher.run_due_jobs()
    assert await monitor.check_lateness(publisher.runtime) is None
    assert await list_global_alerts(publisher) == []


async def test_check_lateness_allows_two_minutes(publisher: Publisher) -> None:
    await publisher.schedule("Just now")
    await publisher.emulator.jump(seconds=119)
    assert await monitor.check_lateness(publisher.runtime) is None
    assert await list_global_alerts(publisher) == []


async def test_check_lateness_ignores_paused_posts(publisher: Publisher) -> None:
    await publisher.schedule("Held")
    await pause.pause_account(publisher.runtime, publisher.scope, publisher.account)
    await publisher.emulator.jump(hours=1)
    assert await monitor.check_lateness(publisher.runtime) is None


async def test_list_alerts_lists_unscoped_alerts_once(
    publisher: Publisher,
) -> None:
    await make_tenant(publisher.runtime, "bakery")
    at = publisher.runtime.clock.now()
    async with publisher.runtime.database.unscoped() as transaction:
        await store.alerts.open_alert(transaction, None, AlertKind.CREDITS, about_app("app"), at=at)
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        await store.alerts.open_alert(
            transaction, publisher.tenant.id, AlertKind.FAILED, about_post(PostId(1)), at=at
        )
    listed = await monitor.list_alerts(publisher.runtime)
    assert [(tenant and tenant.name, alert.kind) for tenant, alert in listed] == [
        (None, "credits"),
        ("default", "failed"),
    ]
