"""Proof that a service is this home's: the answer to a challenge that only its key can make.

The statement holds everything that both sides have to agree on, and the address that the service
was reached at: a stranger who passes the challenge on to the real service gets the answer for
another address.
"""

import json
import re
import secrets
from typing import Final
from urllib.parse import urlsplit

from roost import store
from roost.errors import InvalidInput
from roost.runtime import Runtime

_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}")


class ChallengeInvalid(InvalidInput):
    """What asks a service for its proof sends a challenge of another form."""

    default_next = "Use the `roost connect` of the service's own version."


def make_challenge() -> str:
    """256 random bits; each serves once."""
    return secrets.token_urlsafe(32)


async def prove(runtime: Runtime, challenge: str, address: tuple[str, int]) -> str:
    """The proof of a service at this address (of the socket that was connected to).

    With https the browser checks who answers, and a proxy may stand before the service: the address
    is left out then. Raises: ChallengeInvalid, VaultKeyMissing.
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
