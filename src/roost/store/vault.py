"""Seals secrets at rest: AES-256-GCM, a ring of keys, a data key per tenant, bound to their place.

A ring key seals only tenants' data keys; a data key seals a tenant's secrets. What is sealed is
bound to tenant, integration and field, and a token besides to environment, X user and X app (as
associated data), so that a ciphertext moved to another row, or whose row was changed in one of
these, does not open.
"""

import base64
import binascii
import hashlib
import hmac
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from roost.errors import SettingInvalid, VaultDamaged, VaultKeyMissing
from roost.file_trust import read_private_file
from roost.models import TenantId
from roost.store.database import Statements

_NONCE_BYTES = 12
_KEY_BYTES = 32
#: Keeps what proves that a service is this home's apart from all that the key seals.
_PROOF_PURPOSE = b"roost: proof that a service has this home's key"


@dataclass(frozen=True, slots=True)
class RingKey:
    """One key of the ring, by its name."""

    id: str
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class SealedKey:
    """A tenant's data key as it lies in the database."""

    ring_key_id: str
    sealed: str = field(repr=False)


def make_key_line() -> str:
    """A fresh key in the form of key file and setting: `id:base64`."""
    name = f"k{binascii.hexlify(os.urandom(4)).decode()}"
    return f"{name}:{base64.b64encode(os.urandom(_KEY_BYTES)).decode()}"


def read_ring(lines: Sequence[str], *, source: str) -> tuple[RingKey, ...]:
    """Keys from `id:base64` lines; the first encrypts. Raises: SettingInvalid (no value shown)."""
    ring = []
    for number, line in enumerate((line.strip() for line in lines if line.strip()), start=1):
        name, colon, encoded = line.partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            key = b""
        if not colon or not name or len(key) != _KEY_BYTES:
            raise SettingInvalid(
                f"Key {number} of {source} is not `id:base64` of {_KEY_BYTES} bytes.",
                setting="ROOST_VAULT_KEYS",
            )
        ring.append(RingKey(name, key))
    return tuple(ring)


def key_file(home: Path) -> Path:
    """Where `roost init` keeps the ring."""
    return home / "keys"


def load_ring(home: Path, from_settings: str | None) -> tuple[RingKey, ...]:
    """The ring from `ROOST_VAULT_KEYS`, else from the key file; empty where there is neither.

    Raises: SettingInvalid (malformed, unreadable), UntrustedPath.
    """
    if from_settings is not None:
        return read_ring(from_settings.split(","), source="ROOST_VAULT_KEYS")
    path = key_file(home)
    try:
        content = read_private_file(path)
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise SettingInvalid(
            f"The vault's keys in {path} cannot be read ({type(error).__name__}).",
            next="Run Roost as the owner of that file, or set ROOST_VAULT_KEYS.",
            setting="ROOST_VAULT_KEYS",
        ) from None
    # Every byte is a character of latin-1: what is no key is told as a malformed line.
    return read_ring(content.decode("latin-1").splitlines(), source=str(path))


def _seal(key: bytes, secret: bytes, associated: bytes) -> str:
    nonce = os.urandom(_NONCE_BYTES)
    sealed = AESGCM(key).encrypt(nonce, secret, associated)
    return "v1." + base64.urlsafe_b64encode(nonce + sealed).decode()


def _open(key: bytes, sealed: str, associated: bytes, place: str) -> bytes:
    """The secret; `place` names it in the error."""
    try:
        version, _, body = sealed.partition(".")
        raw = base64.urlsafe_b64decode(body)
        if version != "v1":
            raise ValueError(version)
        return AESGCM(key).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], associated)
    except (InvalidTag, ValueError) as error:
        raise VaultDamaged(
            f"The secret kept for {place} does not open ({type(error).__name__}).",
            did="Roost left it as it is.",
            next="See that ROOST_VAULT_KEYS or the key file is the one it was sealed with. If so,"
            " the row was changed, or comes from an earlier version: connect the account again.",
        ) from None


class TenantVault:
    """Seals and opens one tenant's secrets; holds the tenant's data key in memory."""

    def __init__(self, tenant_id: TenantId, data_key: bytes) -> None:
        self._tenant_id = tenant_id
        self._data_key = data_key

    def seal(self, secret: str, *, owner: str, field: str, bound_to: Sequence[str] = ()) -> str:
        """Ciphertext of `secret`, to be opened only as this owner's field, with the same values."""
        return _seal(self._data_key, secret.encode(), self._associated(owner, field, bound_to))

    def open(self, sealed: str, *, owner: str, field: str, bound_to: Sequence[str] = ()) -> str:
        """The secret.

        Raises: VaultDamaged (another key, row, field or value it is bound to, or changed bytes).
        """
        associated = self._associated(owner, field, bound_to)
        place = f"tenant {self._tenant_id}, {owner}, {field}"
        return _open(self._data_key, sealed, associated, place).decode()

    def _associated(self, owner: str, field: str, bound_to: Sequence[str]) -> bytes:
        """Every value by itself: none can run over into the next."""
        return json.dumps([self._tenant_id, owner, field, *bound_to]).encode()


class Vault:
    """Opens tenants' vaults with the ring."""

    def __init__(self, ring: Sequence[RingKey]) -> None:
        self._ring = {key.id: key for key in ring}
        self._first = ring[0] if ring else None
        # A data key never changes: rotating the ring seals the same one anew.
        self._opened: dict[TenantId, TenantVault] = {}

    def require_key(self) -> RingKey:
        """The key that encrypts. Raises: VaultKeyMissing."""
        if self._first is None:
            raise VaultKeyMissing("No vault key is there, so no secret can be sealed or opened.")
        return self._first

    async def of(self, transaction: Statements, tenant_id: TenantId) -> TenantVault:
        """The tenant's vault; its data key is made at first use, in this transaction.

        Raises: VaultKeyMissing (no ring, or not the key that sealed the data key), VaultDamaged.
        """
        first = self.require_key()
        if tenant_id in self._opened:
            return self._opened[tenant_id]
        row = await transaction.run_one("find_tenant_key")
        if row is None:
            fresh = os.urandom(_KEY_BYTES)
            await transaction.run(
                "add_tenant_key",
                tenant=tenant_id,
                keyring_key=first.id,
                sealed=_seal(first.key, fresh, _place_of(tenant_id).encode()),
            )
            row = await transaction.run_one("find_tenant_key")
            assert row is not None
            # What this transaction may still roll back is not remembered.
            return self._open_key(tenant_id, SealedKey(row["keyring_key_id"], row["sealed"]))
        return self.open(tenant_id, SealedKey(row["keyring_key_id"], row["sealed"]))

    def open(self, tenant_id: TenantId, key: SealedKey) -> TenantVault:
        """The vault of a tenant whose data key is at hand. Raises as `of` does."""
        if tenant_id not in self._opened:
            self._opened[tenant_id] = self._open_key(tenant_id, key)
        return self._opened[tenant_id]

    def _open_key(self, tenant_id: TenantId, key: SealedKey) -> TenantVault:
        ring_key = self._ring.get(key.ring_key_id)
        if ring_key is None:
            raise VaultKeyMissing(
                f"The vault key {key.ring_key_id} of tenant {tenant_id} is not in the ring.",
                next="Put the old key back behind the first in ROOST_VAULT_KEYS or the key file.",
            )
        place = _place_of(tenant_id)
        return TenantVault(tenant_id, _open(ring_key.key, key.sealed, place.encode(), place))

    def prove(self, statement: bytes) -> str:
        """What only a process with this home's key can answer to a statement.

        Raises: VaultKeyMissing.
        """
        proof_key = hmac.digest(self.require_key().key, _PROOF_PURPOSE, hashlib.sha256)
        return hmac.new(proof_key, statement, hashlib.sha256).hexdigest()


def _place_of(tenant_id: TenantId) -> str:
    return f"tenant {tenant_id}, data key"
