"""The vault: a secret is decrypted only for its owner and field, and with its key."""

import base64
from typing import LiteralString

import pytest
from psycopg.sql import SQL

from fix_emulator import Emulator, RegisteredApp
from fix_runtime import connect_account
from roost import store
from roost.errors import SettingInvalid, VaultDamaged, VaultKeyMissing
from roost.models import Tenant, TenantId
from roost.runtime import Runtime
from roost.store.vault import TenantVault, Vault, make_key_line, read_keyring

KEY = bytes(range(32))


def test_a_secret_opens_for_its_owner_and_field() -> None:
    vault = TenantVault(TenantId(1), KEY)
    sealed = vault.seal("a secret", owner="integration 1", field="api_key")
    assert "secret" not in sealed
    assert vault.open(sealed, owner="integration 1", field="api_key") == "a secret"


@pytest.mark.parametrize(
    ("tenant", "owner", "field"),
    [(2, "integration 1", "api_key"), (1, "integration 2", "api_key"), (1, "integration 1", "x")],
    ids=["another tenant", "another row", "another field"],
)
def test_a_secret_does_not_open_for_another_owner_or_field(
    tenant: int, owner: str, field: str
) -> None:
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


@pytest.mark.parametrize("added", ["!!!!", "\n", " ", "===="])
def test_added_characters_are_noticed(added: str) -> None:
    vault = TenantVault(TenantId(1), KEY)
    sealed = vault.seal("a secret", owner="o", field="f")
    with pytest.raises(VaultDamaged):
        vault.open(sealed + added, owner="o", field="f")


def test_the_same_secret_is_sealed_differently_each_time() -> None:
    vault = TenantVault(TenantId(1), KEY)
    assert vault.seal("s", owner="o", field="f") != vault.seal("s", owner="o", field="f")


@pytest.mark.parametrize("line", ["k1", "k1:", "k1:!!!", ":aaaa", "k1:c2hvcnQ="])
def test_a_malformed_key_is_named_without_its_value(line: str) -> None:
    with pytest.raises(SettingInvalid) as caught:
        read_keyring([line], source="ROOST_VAULT_KEYS")
    assert "Key 1 of ROOST_VAULT_KEYS" in caught.value.message
    assert line not in caught.value.message or line == "k1"


async def test_a_new_first_key_still_opens_what_the_old_one_sealed(
    runtime: Runtime, tenant: Tenant
) -> None:
    old, new = make_key_line(), make_key_line()
    async with runtime.database.for_tenant(tenant.id) as transaction:
        first = await Vault(read_keyring([old], source="s")).for_tenant(transaction, tenant.id)
        sealed = first.seal("s", owner="o", field="f")
        rotated = await Vault(read_keyring([new, old], source="s")).for_tenant(
            transaction, tenant.id
        )
        assert rotated.open(sealed, owner="o", field="f") == "s"


async def test_a_tenants_vault_does_not_open_without_its_key(
    runtime: Runtime, tenant: Tenant
) -> None:
    async with runtime.database.for_tenant(tenant.id) as transaction:
        await Vault(read_keyring([make_key_line()], source="s")).for_tenant(transaction, tenant.id)
        with pytest.raises(VaultKeyMissing):
            await Vault(read_keyring([make_key_line()], source="s")).for_tenant(
                transaction, tenant.id
            )
        with pytest.raises(VaultKeyMissing):
            await Vault(()).for_tenant(transaction, tenant.id)


def test_a_secret_opens_only_with_the_values_it_is_bound_to() -> None:
    vault = TenantVault(TenantId(1), KEY)
    place = {"owner": "integration 1", "field": "api_key"}
    bound = ("live", "12", "an app")
    sealed = vault.seal("s", **place, bound_to=bound)
    assert vault.open(sealed, **place, bound_to=bound) == "s"
    for other in [
        ("emulator", "12", "an app"),
        ("live", "13", "an app"),
        ("live", "12", "another app"),
        ("live", "12, an app"),
        ("live", "12", "an app", ""),
        ("live", "12"),
        (),
    ]:
        with pytest.raises(VaultDamaged):
            vault.open(sealed, **place, bound_to=other)


def test_bound_values_cannot_run_into_each_other() -> None:
    vault = TenantVault(TenantId(1), KEY)
    sealed = vault.seal("s", owner="a", field="b", bound_to=["c"])
    for owner, field in [("a, b", "c"), ("a", "b, c"), ('a", "b', "c")]:
        with pytest.raises(VaultDamaged):
            vault.open(sealed, owner=owner, field=field)


@pytest.mark.parametrize(
    "change",
    [
        "environment = 'live'",
        'metadata = metadata || \'{"userId": "1"}\'',
        "client_id = 'another'",
        "api_key = metadata ->> 'accessToken'",
    ],
    ids=["environment", "x_user", "x_app", "field"],
)
async def test_tokens_of_a_row_that_was_changed_do_not_open(
    runtime: Runtime, tenant: Tenant, emulator: Emulator, change: LiteralString
) -> None:
    account = await connect_account(runtime, tenant, emulator, "larkbooks")
    async with runtime.database.for_tenant(tenant.id) as transaction:
        vault = await runtime.vault.for_tenant(transaction, tenant.id)
        assert (
            await store.integrations.decrypt_tokens(transaction, vault, account.id)
        ).refresh_token
        await transaction.raw.execute(
            SQL("UPDATE integrations SET {} WHERE id = %s").format(SQL(change)), [account.id]
        )
        with pytest.raises(VaultDamaged):
            await store.integrations.decrypt_tokens(transaction, vault, account.id)


async def test_tokens_of_another_app_replace_the_old_ones(
    runtime: Runtime, tenant: Tenant, emulator: Emulator
) -> None:
    """A reconnect by another X app replaces the tokens; the connection keeps its id."""
    first = await connect_account(runtime, tenant, emulator, "larkbooks")
    app = await emulator.control("apps", callbacks=[emulator.app.callback], name="Another")
    emulator.app = RegisteredApp(app["client_id"], app["client_secret"], emulator.app.callback)
    again = await connect_account(runtime, tenant, emulator, "larkbooks")
    assert (again.id, again.client_id) == (first.id, app["client_id"])
    async with runtime.database.for_tenant(tenant.id) as transaction:
        vault = await runtime.vault.for_tenant(transaction, tenant.id)
        assert (await store.integrations.decrypt_tokens(transaction, vault, again.id)).access_token


def test_a_proof_needs_the_key_and_the_statement() -> None:
    one, other = (Vault(read_keyring([make_key_line()], source="s")) for _ in range(2))
    assert one.prove(b"a") == one.prove(b"a")
    assert len({one.prove(b"a"), one.prove(b"b"), other.prove(b"a")}) == 3
    with pytest.raises(VaultKeyMissing):
        Vault(()).prove(b"a")
