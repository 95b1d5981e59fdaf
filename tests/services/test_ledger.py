"""The ledger equals X's own billing, also after failures."""

from datetime import time
from decimal import Decimal
from pathlib import Path

from fix_emulator import Emulator
from fix_publishing import Desk
from fix_runtime import connect_account, make_tenant, scope_of
from roost import store
from roost.models import Tenant
from roost.services import collect


async def ledger_of(desk: Desk, tenant: Tenant | None = None) -> Decimal:
    """Dollars of one tenant."""
    whose = tenant or desk.tenant
    async with desk.runtime.database.for_tenant(whose.id) as transaction:
        return (await store.ledger.get_total(transaction))[1]


async def meter_of(emulator: Emulator) -> Decimal:
    """Dollars by X's own count."""
    apps = (await emulator.ground_truth())["apps"]
    return Decimal(apps[emulator.app.client_id]["dollars"])


async def lines_of(desk: Desk, operation: str) -> list[tuple[int | None, Decimal]]:
    """Status and dollars of each request of one kind."""
    async with desk.runtime.database.for_tenant(desk.tenant.id) as transaction:
        rows = await transaction.raw.execute(
            "SELECT status, usd FROM ledger WHERE operation = %s ORDER BY id", [operation]
        )
        return await rows.fetchall()


async def test_ledger_equals_the_bill_of_x__mixed_run(desk: Desk, teal: Path) -> None:
    await desk.emulator.fail("create_post", "after", "drop")
    await desk.emulator.fail("create_post", "before", "500")
    await desk.emulator.fail("read_timeline", "after", "drop")
    await desk.emulator.fail("media_initialize", "before", "401")
    await desk.plan("Plain")
    await desk.plan("See https://example.com/tides", after_s=1)
    await desk.plan("With a picture", after_s=2, media=teal)
    await desk.plan("One", "Two", "Three", after_s=3)
    await desk.plan("With a picture", after_s=4)
    await desk.emulator.jump(seconds=10)
    await desk.work_through()
    for _ in range(3):
        await collect.collect_account(desk.runtime, desk.scope, desk.account.id)
        await desk.emulator.jump(days=1)
    assert len(await desk.on_x()) == 6
    assert await ledger_of(desk) == await meter_of(desk.emulator)
    assert await ledger_of(desk) > Decimal("0.275")


async def test_ledger_prices_each_part(desk: Desk) -> None:
    await desk.plan("Plain")
    await desk.plan("See example.com", after_s=1)
    await desk.emulator.jump(seconds=2)
    await desk.work()
    assert await lines_of(desk, "create_post") == [
        (201, Decimal("0.015000")),
        (201, Decimal("0.200000")),
    ]


async def test_ledger_counts_an_adopted_part_once(desk: Desk) -> None:
    await desk.emulator.fail("create_post", "after", "drop")
    await desk.plan("Plain")
    await desk.work_through()
    assert [line for line in await lines_of(desk, "create_post") if line[1]] == [
        (201, Decimal("0.015000"))
    ]
    assert await ledger_of(desk) == await meter_of(desk.emulator)


async def test_ledger_charges_nothing_for_an_empty_timeline(desk: Desk) -> None:
    await desk.emulator.fail("create_post", "before", "drop")
    await desk.plan("Plain")
    await desk.work_through()
    assert [usd for _, usd in await lines_of(desk, "read_timeline")] == [Decimal(0)] * 4


async def test_ledger_charges_nothing_for_a_refused_create(desk: Desk) -> None:
    await desk.plan("Plain")
    await desk.plan("Plain", after_s=1)
    await desk.work_through()
    assert await lines_of(desk, "create_post") == [
        (201, Decimal("0.015000")),
        (403, Decimal("0.000000")),
    ]


async def test_ledger_counts_a_read_once_per_utc_day(desk: Desk) -> None:
    await desk.emulator.move_to_time(time(23))
    for _ in range(2):
        await collect.collect_account(desk.runtime, desk.scope, desk.account.id)
    await desk.emulator.jump(hours=2)  # 01:00 of the next day
    await collect.collect_account(desk.runtime, desk.scope, desk.account.id)
    assert [usd for _, usd in await lines_of(desk, "read_user")] == [
        Decimal("0.010000"),
        Decimal("0.000000"),
        Decimal("0.010000"),
    ]
    assert await ledger_of(desk) == await meter_of(desk.emulator)


async def test_ledger_equals_the_bill_of_x__two_tenants_of_one_app(
    desk: Desk, emulator: Emulator
) -> None:
    other = await make_tenant(desk.runtime, "other")
    again = await connect_account(desk.runtime, other, emulator, "larkbooks")
    await desk.plan("Plain")
    await desk.work()
    await collect.collect_account(desk.runtime, desk.scope, desk.account.id)
    await collect.collect_account(desk.runtime, scope_of(other), again.id)
    both = await ledger_of(desk) + await ledger_of(desk, other)
    assert both == await meter_of(emulator) == Decimal("0.025")
