"""The vault: what is sealed opens only in its place and with its key."""

import base64

import pytest

from roost.errors import SettingInvalid, VaultDamaged, VaultKeyMissing
from roost.house import House
from roost.models import Tenant, TenantId
from roost.store.vault import TenantVault, Vault, make_key_line, read_ring

KEY = bytes(range(32))


def test_a_secret_opens_in_its_place() -> None:
    vault = TenantVault(TenantId(1), KEY)
    sealed = vault.seal("a secret", owner="integration 1", field="api_key")
    assert "secret" not in sealed
    assert vault.open(sealed, owner="integration 1", field="api_key") == "a secret"


@pytest.mark.parametrize(
    ("tenant", "owner", "field"),
    [(2, "integration 1", "api_key"), (1, "integration 2", "api_key"), (1, "integration 1", "x")],
    ids=["another tenant", "another row", "another field"],
)
def test_a_secret_does_not_open_elsewhere(tenant: int, owner: str, field: str) -> None:
    sealed = TenantVault(TenantId(1), KEY).seal("s", owner="integration 1", field="api_key")
    with pytest.raises(VaultDamaged):
        TenantVault(TenantId(tenant), KEY).open(sealed, owner=owner, field=field)


def test_a_changed_byte_is_noticed() -> None:
    vault = TenantVault(TenantId(1), KEY)
    sealed = vault.seal("a secret", owner="o", field="f")
    raw = bytearray(base64.urlsafe_b64decode(sealed[3:]))
    raw[-1] ^= 1
    with pytest.raises(VaultDamaged):
        vault.open("v1." + base64.urlsafe_b64encode(raw).decode(), owner="o", field="f")


def test_the_same_secret_is_sealed_differently_each_time() -> None:
    vault = TenantVault(TenantId(1), KEY)
    assert vault.seal("s", owner="o", field="f") != vault.seal("s", owner="o", field="f")


@pytest.mark.parametrize("line", ["k1", "k1:", "k1:!!!", ":aaaa", "k1:c2hvcnQ="])
def test_a_malformed_key_is_named_without_its_value(line: str) -> None:
    with pytest.raises(SettingInvalid) as caught:
        read_ring([line], source="ROOST_KEYS")
    assert "Key 1 of ROOST_KEYS" in caught.value.message
    assert line not in caught.value.message or line == "k1"


async def test_a_new_first_key_still_opens_what_the_old_one_sealed(
    house: House, tenant: Tenant
) -> None:
    old, new = make_key_line(), make_key_line()
    async with house.database.tenant(tenant.id) as transaction:
        first = await Vault(read_ring([old], source="s")).of(transaction, tenant.id)
        sealed = first.seal("s", owner="o", field="f")
        rotated = await Vault(read_ring([new, old], source="s")).of(transaction, tenant.id)
        assert rotated.open(sealed, owner="o", field="f") == "s"


async def test_without_its_key_a_tenants_vault_stays_shut(house: House, tenant: Tenant) -> None:
    async with house.database.tenant(tenant.id) as transaction:
        await Vault(read_ring([make_key_line()], source="s")).of(transaction, tenant.id)
        with pytest.raises(VaultKeyMissing):
            await Vault(read_ring([make_key_line()], source="s")).of(transaction, tenant.id)
        with pytest.raises(VaultKeyMissing):
            await Vault(()).of(transaction, tenant.id)
