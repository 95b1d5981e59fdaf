"""Proves to a client that a web server belongs to its `ROOST_HOME`.

The client sends a challenge, and only the vault's key can compute the response. The signed
statement includes everything that both sides have to agree on, and the address at which the server
was reached: if another server relays the challenge to the real one, the response is for another
address.
"""

import json
import re
import secrets
from typing import Final
from urllib.parse import urlsplit

from roost import store
from roost.errors import InvalidInput
from roost.next_actions import ActionCode
from roost.runtime import Runtime

_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}")


class ChallengeInvalid(InvalidInput):
    """The challenge does not have the format of this version."""

    default_action = ActionCode.USE_SAME_VERSION


def make_challenge() -> str:
    """Return 256 random bits, for one use."""
    return secrets.token_urlsafe(32)


async def prove(runtime: Runtime, challenge: str, address: tuple[str, int]) -> str:
    """Return the proof for a server at this address, that of the socket that was connected to.

    With https the browser verifies the server, and a proxy may be in front of it, so the address
    is left out. Raises: ChallengeInvalid, VaultKeyMissing.
    """
    if not _CHALLENGE.fullmatch(challenge):
        raise ChallengeInvalid("The challenge is not one of Roost's.")
    settings = runtime.settings
    database = await store.installation.read(runtime.database.autocommit)
    is_https = urlsplit(settings.twitter_callback_url).scheme == "https"
    statement = [
        challenge,
        settings.twitter_callback_url,
        settings.x_endpoint.base_url,
        settings.require_x_app(),
        database.system_identifier,
        database.database_oid,
        None if is_https else list(address),
    ]
    return runtime.vault.prove(json.dumps(statement).encode())
