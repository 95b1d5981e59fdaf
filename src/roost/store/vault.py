"""Encrypts secrets at rest with AES-256-GCM, a keyring, and one data key per tenant.

A key of the keyring encrypts only the data keys of tenants; a data key encrypts one tenant's
secrets. The associated data of the cipher bind a secret to its tenant, owner and field, and a token
also to its environment, X user and X app. If a ciphertext was moved to another row, or if one of
these values in its row was changed, the ciphertext cannot be decrypted.
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
#: The vault key also proves that a server belongs to this `ROOST_HOME`. The key of the proof is
#: derived from the vault key with this text, so that a proof reveals nothing about the data that
#: the vault key encrypts.
_PROOF_PURPOSE = b"roost: proof that a service has this home's key"


@dataclass(frozen=True, slots=True)
class KeyringKey:
    """A key of the keyring, with its name in the key file."""

    id: str
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class SealedKey:
    """A tenant's data key, encrypted with the key of the keyring that `keyring_key_id` names."""

    keyring_key_id: str
    sealed: str = field(repr=False)


def make_key_line() -> str:
    """Make a new key, in the format of the key file and of `ROOST_VAULT_KEYS`: `id:base64`."""
    name = f"k{binascii.hexlify(os.urandom(4)).decode()}"
    return f"{name}:{base64.b64encode(os.urandom(_KEY_BYTES)).decode()}"


def read_keyring(lines: Sequence[str], *, source: str) -> tuple[KeyringKey, ...]:
    """Read keys from `id:base64` lines; the first key encrypts.

    Raises: SettingInvalid, whose message contains no key.
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
                f"Key {number} of {source} is not `id:base64` with {_KEY_BYTES} bytes in base64.",
                setting="ROOST_VAULT_KEYS",
            )
        keyring.append(KeyringKey(name, key))
    return tuple(keyring)


def key_file(home: Path) -> Path:
    """Return the path of the file in which `roost init` stores the keyring."""
    return home / "keys"


def load_keyring(home: Path, from_settings: str | None) -> tuple[KeyringKey, ...]:
    """Return the keys of `ROOST_VAULT_KEYS`, or else of the key file; none if neither exists.

    Raises: SettingInvalid if the keys are malformed or the file is unreadable, UntrustedPath.
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
            next="Run Roost as the owner of the file, or set ROOST_VAULT_KEYS.",
            setting="ROOST_VAULT_KEYS",
        ) from None
    # The encoding latin-1 accepts any bytes, so a file with other content is reported as malformed.
    return read_keyring(content.decode("latin-1").splitlines(), source=str(path))


def _seal(key: bytes, secret: bytes, associated: bytes) -> str:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = os.urandom(_NONCE_BYTES)
    sealed = AESGCM(key).encrypt(nonce, secret, associated)
    return "v1." + base64.urlsafe_b64encode(nonce + sealed).decode()


def _open(key: bytes, sealed: str, associated: bytes, description: str) -> bytes:
    """Decrypt a secret; `description` names the secret in the error."""
    # The cipher is imported only here and in `_seal`, so that a command without secrets starts
    # faster.
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        version, _, body = sealed.partition(".")
        raw = base64.urlsafe_b64decode(body)
        # `urlsafe_b64decode` skips invalid characters. The result is therefore encoded again and
        # compared, to detect altered text.
        if version != "v1" or base64.urlsafe_b64encode(raw).decode() != body:
            raise ValueError(version)
        return AESGCM(key).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], associated)
    except (InvalidTag, ValueError) as error:
        raise VaultDamaged(
            f"The secret of {description} cannot be decrypted ({type(error).__name__}).",
            did="The stored secret was not changed.",
            next="Check that ROOST_VAULT_KEYS or the key file has the key that encrypted the"
            " secret. If it does, the row was changed, or comes from an earlier version: connect"
            " the account again.",
        ) from None


class TenantVault:
    """Encrypts and decrypts one tenant's secrets, with the tenant's data key in memory."""

    def __init__(self, tenant_id: TenantId, data_key: bytes) -> None:
        self._tenant_id = tenant_id
        self._data_key = data_key

    def seal(self, secret: str, *, owner: str, field: str, bound_to: Sequence[str] = ()) -> str:
        """Encrypt `secret`. To decrypt it, `open` needs the same owner, field and `bound_to`."""
        return _seal(self._data_key, secret.encode(), self._aad(owner, field, bound_to))

    def open(self, sealed: str, *, owner: str, field: str, bound_to: Sequence[str] = ()) -> str:
        """Decrypt a secret that `seal` has encrypted with the same arguments.

        Raises: VaultDamaged if the key, owner, field or a bound value differs, or if the bytes have
        changed.
        """
        aad = self._aad(owner, field, bound_to)
        description = f"tenant {self._tenant_id}, {owner}, {field}"
        return _open(self._data_key, sealed, aad, description).decode()

    def _aad(self, owner: str, field: str, bound_to: Sequence[str]) -> bytes:
        """Return the associated data as JSON, so that different values never give equal bytes."""
        return json.dumps([self._tenant_id, owner, field, *bound_to]).encode()


class Vault:
    """Opens the `TenantVault` of each tenant, by decrypting its data key with the keyring."""

    def __init__(self, keyring: Sequence[KeyringKey]) -> None:
        self._keyring = {key.id: key for key in keyring}
        self._first = keyring[0] if keyring else None
        # Cached vaults stay valid, because a rotation of the keyring does not change the data keys,
        # but only encrypts them again.
        self._opened: dict[TenantId, TenantVault] = {}

    def require_key(self) -> KeyringKey:
        """Return the first key, which encrypts. Raises: VaultKeyMissing if there is no key."""
        if self._first is None:
            raise VaultKeyMissing("Without a vault key, no secret can be encrypted or decrypted.")
        return self._first

    async def for_tenant(self, transaction: Queries, tenant_id: TenantId) -> TenantVault:
        """Return the tenant's vault. If the tenant has no data key, create one.

        Raises: VaultKeyMissing if the keyring is empty, or lacks the key that encrypted the data
        key; VaultDamaged.
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
        # The new data key is not cached, because this transaction may still be rolled back.
        return self._open_key(tenant_id, sealed)

    def open(self, tenant_id: TenantId, key: SealedKey) -> TenantVault:
        """Return the vault of a tenant, given its encrypted data key. Raises: as `for_tenant`."""
        if tenant_id not in self._opened:
            self._opened[tenant_id] = self._open_key(tenant_id, key)
        return self._opened[tenant_id]

    def _open_key(self, tenant_id: TenantId, key: SealedKey) -> TenantVault:
        keyring_key = self._keyring.get(key.keyring_key_id)
        if keyring_key is None:
            raise VaultKeyMissing(
                f"The vault key {key.keyring_key_id} of tenant {tenant_id} is not in the keyring.",
                next="Add the old key to ROOST_VAULT_KEYS or the key file again, after the first"
                " key.",
            )
        description = _describe_data_key(tenant_id)
        data_key = _open(keyring_key.key, key.sealed, description.encode(), description)
        return TenantVault(tenant_id, data_key)

    def prove(self, statement: bytes) -> str:
        """Return a signature of a statement, which only the first vault key can produce.

        Raises: VaultKeyMissing.
        """
        proof_key = hmac.digest(self.require_key().key, _PROOF_PURPOSE, hashlib.sha256)
        return hmac.new(proof_key, statement, hashlib.sha256).hexdigest()


def _describe_data_key(tenant_id: TenantId) -> str:
    """Return the name of a tenant's data key in errors.

    The name is also the associated data of the data key, so it must never change.
    """
    return f"tenant {tenant_id}, data key"
