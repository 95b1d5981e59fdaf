"""Proves to a client that a web server belongs to the client's `ROOST_HOME`.

The client sends a challenge, and the server signs a statement. Only a program that has the vault's
key can make this signature. The statement contains the challenge, the settings that client and
server must have in common, and the address at which the server was reached. If another server
relays the challenge to the real server, the signed address differs from the address that the client
has connected to.
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
    """The challenge with which `roost connect` checks the web server has an unknown format."""

    default_action = ActionCode.USE_SAME_VERSION


def make_challenge() -> str:
    """Return a challenge of 256 random bits, to be used once."""
    return secrets.token_urlsafe(32)


async def prove(runtime: Runtime, challenge: str, address: tuple[str, int]) -> str:
    """Return the proof for a challenge.

    `address` is the server's own address in the connection with the client. If the callback URL
    uses https, the proof leaves the address out: a proxy may be in front of the server, and the
    browser verifies the server's certificate. Raises: ChallengeInvalid, VaultKeyMissing.
    """
    if not _CHALLENGE.fullmatch(challenge):
        raise ChallengeInvalid("The challenge does not have Roost's format.")
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
