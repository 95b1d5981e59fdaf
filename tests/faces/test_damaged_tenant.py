"""A damaged row of one tenant does not affect other tenants."""

from pathlib import Path

import aiohttp

from fix_emulator import Emulator
from fix_publishing import Publisher, run_roost
from fix_runtime import connect_account, make_tenant
from fix_web import get
from roost.models import Tenant
from roost.services import monitor


async def damage(publisher: Publisher, emulator: Emulator) -> Tenant:
    """Make a second tenant whose only account and only alert cannot be read."""
    other = await make_tenant(publisher.runtime, "bakery")
    await connect_account(publisher.runtime, other, emulator, "tidewatcher")
    async with publisher.runtime.database.for_tenant(other.id) as transaction:
        await transaction.raw.execute("UPDATE integrations SET connected_at = 'infinity'")
        await transaction.raw.execute(
            "INSERT INTO alerts (tenant_id, kind, subject_type, subject_id, raised_at)"
            " VALUES (%s, 'failed', 'post', '1', 'infinity')",
            (other.id,),
        )
    return other


async def test_pages_show_other_tenants(
    publisher: Publisher, emulator: Emulator, web: str, browser: aiohttp.ClientSession
) -> None:
    await damage(publisher, emulator)
    answer, body = await get(browser, f"{web}/")
    assert answer.status == 200
    assert f"@{publisher.account.username}" in body
    assert "The accounts of this tenant cannot be shown." in body
    answer, _ = await get(browser, f"{web}/posts", tenant=publisher.tenant.name)
    assert answer.status == 200
    answer, _ = await get(browser, f"{web}/posts", tenant="bakery")
    assert answer.status == 500


async def test_doctor_names_the_tenant_and_checks_the_others(
    publisher: Publisher, emulator: Emulator, tmp_path: Path
) -> None:
    other = await damage(publisher, emulator)
    result = await run_roost(
        "doctor", "--json", settings=publisher.runtime.settings, folder=tmp_path
    )
    findings = {one["what"]: one for one in result.answer["findings"]}
    assert findings[f"accounts of tenant {other.id}"]["status"] == "error"
    assert f"@{publisher.account.username}" in findings


async def test_alerts_of_other_tenants_are_listed(publisher: Publisher, emulator: Emulator) -> None:
    await damage(publisher, emulator)
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        await transaction.raw.execute(
            "INSERT INTO alerts (tenant_id, kind, subject_type, subject_id, raised_at)"
            " VALUES (%s, 'failed', 'post', '1', '2026-11-24')",
            (publisher.tenant.id,),
        )
    found = await monitor.list_alerts(publisher.runtime)
    assert [tenant and tenant.name for tenant, _ in found] == [publisher.tenant.name]
