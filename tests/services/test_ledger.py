"""The ledger equals what the emulator bills, also after failures."""

from datetime import time
from decimal import Decimal
from pathlib import Path

from fix_emulator import Emulator
from fix_publishing import Publisher
from fix_runtime import connect_account, make_tenant, scope_of
from roost import store
from roost.models import Tenant
from roost.services import collect


async def ledger_of(publisher: Publisher, tenant: Tenant | None = None) -> Decimal:
    """Return the dollars in the ledger of one tenant."""
    whose = tenant or publisher.tenant
    async with publisher.runtime.database.for_tenant(whose.id) as transaction:
        return (await store.ledger.get_total(transaction))[1]


async def emulator_total(emulator: Emulator) -> Decimal:
    """Return the dollars that the emulator has billed."""
    apps = (await emulator.ground_truth())["apps"]
    return Decimal(apps[emulator.app.client_id]["dollars"])


async def list_entries(publisher: Publisher, operation: str) -> list[tuple[int | None, Decimal]]:
    """Return status and dollars of each request of one operation in the ledger."""
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        rows = await transaction.raw.execute(
            "SELECT status, usd FROM ledger WHERE operation = %s ORDER BY id", [operation]
        )
        return await rows.fetchall()


async def test_ledger_equals_the_bill_of_x__mixed_run(publisher: Publisher, teal: Path) -> None:
    await publisher.emulator.fail("create_post", "after", "drop")
    await publisher.emulator.fail("create_post", "before", "500")
    await publisher.emulator.fail("read_timeline", "after", "drop")
    await publisher.emulator.fail("media_initialize", "before", "401")
    await publisher.schedule("Plain")
    await publisher.schedule("See https://example.com/tides", after_s=1)
    await publisher.schedule("With a picture", after_s=2, media=teal)
    await publisher.schedule("One", "Two", "Three", after_s=3)
    await publisher.schedule("With a picture", after_s=4)
    await publisher.emulator.jump(seconds=10)
    await publisher.run_to_completion()
    for _ in range(3):
        await collect.collect_account(publisher.runtime, publisher.scope, publisher.account.id)
        await publisher.emulator.jump(days=1)
    assert len(await publisher.published_texts()) == 6
    assert await ledger_of(publisher) == await emulator_total(publisher.emulator)
    assert await ledger_of(publisher) > Decimal("0.275")


async def test_ledger_prices_each_part(publisher: Publisher) -> None:
    await publisher.schedule("Plain")
    await publisher.schedule("See example.com", after_s=1)
    await publisher.emulator.jump(seconds=2)
    await publisher.run_due_jobs()
    assert await list_entries(publisher, "create_post") == [
        (201, Decimal("0.015000")),
        (201, Decimal("0.200000")),
    ]


async def test_ledger_counts_an_adopted_part_once(publisher: Publisher) -> None:
    await publisher.emulator.fail("create_post", "after", "drop")
    await publisher.schedule("Plain")
    await publisher.run_to_completion()
    assert [line for line in await list_entries(publisher, "create_post") if line[1]] == [
        (201, Decimal("0.015000"))
    ]
    assert await ledger_of(publisher) == await emulator_total(publisher.emulator)


async def test_ledger_charges_nothing_for_an_empty_timeline(publisher: Publisher) -> None:
    await publisher.emulator.fail("create_post", "before", "drop")
    await publisher.schedule("Plain")
    await publisher.run_to_completion()
    assert [usd for _, usd in await list_entries(publisher, "read_timeline")] == [Decimal(0)] * 4


async def test_ledger_charges_nothing_for_a_refused_create(publisher: Publisher) -> None:
    await publisher.schedule("Plain")
    await publisher.schedule("Plain", after_s=1)
    await publisher.run_to_completion()
    assert await list_entries(publisher, "create_post") == [
        (201, Decimal("0.015000")),
        (403, Decimal("0.000000")),
    ]


async def test_ledger_counts_a_read_once_per_utc_day(publisher: Publisher) -> None:
    await publisher.emulator.move_to_time(time(23))
    for _ in range(2):
        await collect.collect_account(publisher.runtime, publisher.scope, publisher.account.id)
    await publisher.emulator.jump(hours=2)  # It is now 01:00 of the next day.
    await collect.collect_account(publisher.runtime, publisher.scope, publisher.account.id)
    assert [usd for _, usd in await list_entries(publisher, "read_user")] == [
        Decimal("0.010000"),
        Decimal("0.000000"),
        Decimal("0.010000"),
    ]
    assert await ledger_of(publisher) == await emulator_total(publisher.emulator)


async def test_ledger_equals_the_bill_of_x__two_tenants_of_one_app(
    publisher: Publisher, emulator: Emulator
) -> None:
    other = await make_tenant(publisher.runtime, "other")
    again = await connect_account(publisher.runtime, other, emulator, "larkbooks")
    await publisher.schedule("Plain")
    await publisher.run_due_jobs()
    await collect.collect_account(publisher.runtime, publisher.scope, publisher.account.id)
    await collect.collect_account(publisher.runtime, scope_of(other), again.id)
    both = await ledger_of(publisher) + await ledger_of(publisher, other)
    assert both == await emulator_total(emulator) == Decimal("0.025")
