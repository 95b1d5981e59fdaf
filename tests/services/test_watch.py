"""Late posts are noticed from outside the worker, and told until they are out."""

from fix_house import make_tenant
from fix_publishing import Desk
from roost import store
from roost.models import Alarm, AlertKind
from roost.services import pause, watch


async def everybodys(desk: Desk) -> list[Alarm]:
    """The alarms that concern everybody."""
    return [alarm for tenant, alarm in await watch.list_alarms(desk.house) if tenant is None]


async def test_a_late_post_is_an_alarm_until_it_is_out(desk: Desk) -> None:
    due_at = desk.house.clock.now()
    await desk.plan("Late")
    await desk.emulator.jump(seconds=121)
    assert await watch.check_alerts(desk.house) == due_at
    assert await watch.check_alerts(desk.house) == due_at
    (alarm,) = await everybodys(desk)
    assert (alarm.kind, alarm.subject) == ("late", "posts")
    assert due_at.isoformat(timespec="seconds") in alarm.message
    await desk.work()
    assert await watch.check_alerts(desk.house) is None
    assert await everybodys(desk) == []


async def test_two_minutes_are_not_late(desk: Desk) -> None:
    await desk.plan("Just now")
    await desk.emulator.jump(seconds=119)
    assert await watch.check_alerts(desk.house) is None
    assert await everybodys(desk) == []


async def test_what_is_paused_is_not_late(desk: Desk) -> None:
    await desk.plan("Held")
    await pause.hold_account(desk.house, desk.account, paused=True)
    await desk.emulator.jump(hours=1)
    assert await watch.check_alerts(desk.house) is None


async def test_alarms_are_listed_with_their_tenant_and_those_of_everybody_once(
    desk: Desk,
) -> None:
    await make_tenant(desk.house, "bakery")
    at = desk.house.clock.now()
    async with desk.house.database.statements(None) as transaction:
        await store.alarms.sound(
            transaction, None, AlertKind.CREDITS, "app", at=at, message="m", next="n"
        )
    async with desk.house.database.statements(desk.tenant.id) as transaction:
        await store.alarms.sound(
            transaction, desk.tenant.id, AlertKind.FAILED, "post 1", at=at, message="m", next="n"
        )
    listed = await watch.list_alarms(desk.house)
    assert [(tenant and tenant.name, alarm.kind) for tenant, alarm in listed] == [
        (None, "credits"),
        ("default", "failed"),
    ]
