"""Seals secrets at rest: AES-256-GCM, a keyring, and one data key per tenant.

A key of the keyring seals only tenants' data keys; a data key seals a tenant's secrets. A secret is
bound to its tenant, integration and field by associated data, and a token also to its environment,
X user and X app. A ciphertext that was moved to another row, or whose row was changed in one of
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

from roost.errors import SettingInvalid, VaultDamaged, VaultKeyMissing
from roost.file_trust import read_private_file
from roost.models import TenantId
from roost.store.database import Queries

_NONCE_BYTES = 12
_KEY_BYTES = 32
#: Separates the proof that a service belongs to this home from all that the key seals.
_PROOF_PURPOSE = b"roost: proof that a service has this home's key"


@dataclass(frozen=True, slots=True)
class KeyringKey:
    """One key of the keyring."""

    id: str
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class SealedKey:
    """A tenant's data key as it is stored."""

    keyring_key_id: str
    sealed: str = field(repr=False)


def make_key_line() -> str:
    """A new key as the key file and the setting have it: `id:base64`."""
    name = f"k{binascii.hexlify(os.urandom(4)).decode()}"
    return f"{name}:{base64.b64encode(os.urandom(_KEY_BYTES)).decode()}"


def read_keyring(lines: Sequence[str], *, source: str) -> tuple[KeyringKey, ...]:
    """Keys from `id:base64` lines; the first one encrypts.

    Raises: SettingInvalid, which shows no key.
    """
    keyring = []
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
        keyring.append(KeyringKey(name, key))
    return tuple(keyring)


def key_file(home: Path) -> Path:
    """The file in which `roost init` stores the keyring."""
    return home / "keys"


def load_keyring(home: Path, from_settings: str | None) -> tuple[KeyringKey, ...]:
    """The keyring from `ROOST_VAULT_KEYS`, else from the key file; empty where there is neither.

    Raises: SettingInvalid (malformed, unreadable), UntrustedPath.
    """
    if from_settings is not None:
        return read_keyring(from_settings.split(","), source="ROOST_VAULT_KEYS")
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
    # latin-1 decodes any bytes, so that other content is reported as a malformed line.
    return read_keyring(content.decode("latin-1").splitlines(), source=str(path))


def _seal(key: bytes, secret: bytes, associated: bytes) -> str:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = os.urandom(_NONCE_BYTES)
    sealed = AESGCM(key).encrypt(nonce, secret, associated)
    return "v1." + base64.urlsafe_b64encode(nonce + sealed).decode()


def _open(key: bytes, sealed: str, associated: bytes, description: str) -> bytes:
    """The secret; the description names it in the error."""
    # Only here and in `_seal`: a command that opens no secret starts without it.
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        version, _, body = sealed.partition(".")
        raw = base64.urlsafe_b64decode(body)
        # The decoder ignores characters outside of its alphabet: only the exact text is accepted.
        if version != "v1" or base64.urlsafe_b64encode(raw).decode() != body:
            raise ValueError(version)
        return AESGCM(key).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], associated)
    except (InvalidTag, ValueError) as error:
        raise VaultDamaged(
            f"The secret of {description} does not open ({type(error).__name__}).",
            did="Roost left it as it is.",
            next="See that ROOST_VAULT_KEYS or the key file is the one it was sealed with. If so,"
            " the row was changed, or comes from an earlier version: connect the account again.",
        ) from None


class TenantVault:
    """Seals and opens one tenant's secrets, with the tenant's data key in memory."""

    def __init__(self, tenant_id: TenantId, data_key: bytes) -> None:
        self._tenant_id = tenant_id
        self._data_key = data_key

    def seal(self, secret: str, *, owner: str, field: str, bound_to: Sequence[str] = ()) -> str:
        """The ciphertext of `secret`, which opens only for this owner, field and bound values."""
        return _seal(self._data_key, secret.encode(), self._aad(owner, field, bound_to))

    def open(self, sealed: str, *, owner: str, field: str, bound_to: Sequence[str] = ()) -> str:
        """The secret.

        Raises: VaultDamaged (another key, row, field or bound value, or changed bytes).
        """
        aad = self._aad(owner, field, bound_to)
        description = f"tenant {self._tenant_id}, {owner}, {field}"
        return _open(self._data_key, sealed, aad, description).decode()

    def _aad(self, owner: str, field: str, bound_to: Sequence[str]) -> bytes:
        """The associated data, as JSON, so that no value can run into the next."""
        return json.dumps([self._tenant_id, owner, field, *bound_to]).encode()


class Vault:
    """Opens tenants' vaults with the keyring."""

    def __init__(self, keyring: Sequence[KeyringKey]) -> None:
        self._keyring = {key.id: key for key in keyring}
        self._first = keyring[0] if keyring else None
        # A data key never changes: a rotation of the keyring seals the same one again.
        self._opened: dict[TenantId, TenantVault] = {}

    def require_key(self) -> KeyringKey:
        """The key that encrypts. Raises: VaultKeyMissing."""
        if self._first is None:
            raise VaultKeyMissing("There is no vault key, so no secret can be sealed or opened.")
        return self._first

    async def for_tenant(self, transaction: Queries, tenant_id: TenantId) -> TenantVault:
        """The tenant's vault; its data key is created at first use, in this transaction.

        Raises: VaultKeyMissing (no keyring, or without the key that sealed the data key),
        VaultDamaged.
        """
        first = self.require_key()
        if tenant_id in self._opened:
            return self._opened[tenant_id]
        sealed = await transaction.fetch_one(SealedKey, "find_tenant_key")
        if sealed is not None:
            return self.open(tenant_id, sealed)
        data_key = os.urandom(_KEY_BYTES)
        await transaction.run(
            "add_tenant_key",
            tenant=tenant_id,
            keyring_key=first.id,
            sealed=_seal(first.key, data_key, _describe_data_key(tenant_id).encode()),
        )
        sealed = await transaction.fetch_one(SealedKey, "find_tenant_key")
        assert sealed is not None
        # It is not cached: this transaction may still be rolled back.
        return self._open_key(tenant_id, sealed)

    def open(self, tenant_id: TenantId, key: SealedKey) -> TenantVault:
        """The vault of a tenant with this data key. Raises the same errors as `for_tenant`."""
        if tenant_id not in self._opened:
            self._opened[tenant_id] = self._open_key(tenant_id, key)
        return self._opened[tenant_id]

    def _open_key(self, tenant_id: TenantId, key: SealedKey) -> TenantVault:
        keyring_key = self._keyring.get(key.keyring_key_id)
        if keyring_key is None:
            raise VaultKeyMissing(
                f"The vault key {key.keyring_key_id} of tenant {tenant_id} is not in the keyring.",
                next="Put the old key back behind the first in ROOST_VAULT_KEYS or the key file.",
            )
        description = _describe_data_key(tenant_id)
        data_key = _open(keyring_key.key, key.sealed, description.encode(), description)
        return TenantVault(tenant_id, data_key)

    def prove(self, statement: bytes) -> str:
        """A signature of the statement, which only a process with this home's key can make.

        Raises: VaultKeyMissing.
        """
        proof_key = hmac.digest(self.require_key().key, _PROOF_PURPOSE, hashlib.sha256)
        return hmac.new(proof_key, statement, hashlib.sha256).hexdigest()


def _describe_data_key(tenant_id: TenantId) -> str:
    """Names the data key in errors, and is its associated data: a change would damage vaults."""
    return f"tenant {tenant_id}, data key"
