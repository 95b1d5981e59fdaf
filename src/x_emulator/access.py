"""Keeps strangers from what X does not have: the doors, the page and the pages of consent.

Where the emulator listens on another address than loopback, X's own paths are open to whoever has
a token, and the rest to whoever knows the secret. Everywhere, a page of somebody else's that is
open in the same browser may change nothing here.
"""

import base64
import binascii
import hmac
import ipaddress
import os
import stat
from pathlib import Path
from typing import Final

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_KEPT = ("/_emulator", "/i/oauth2/authorize", "/oauth/authorize", "/oauth/authenticate")
#: What a client of this emulator may call it: clients that replace X's address keep X's names.
_OWN_NAMES = frozenset(
    {"localhost"}
    | {f"{part}{site}" for part in ("", "api.", "upload.") for site in ("x.com", "twitter.com")}
)


class Doorkeeper:
    """An ASGI application in front of another: HTTP Basic, any name, the secret as password."""

    def __init__(self, app: ASGIApp, secret: str) -> None:
        self._app = app
        self._secret = secret.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let through, or ask for the secret."""
        if scope["type"] != "http" or not is_kept(scope["path"]) or self._is_known(scope):
            await self._app(scope, receive, send)
            return
        answer = PlainTextResponse(
            "This emulator listens to others, so its doors ask for its secret:"
            " HTTP Basic, any name, the secret as password.",
            401,
            {"www-authenticate": 'Basic realm="x-emulator"'},
        )
        await answer(scope, receive, send)

    def _is_known(self, scope: Scope) -> bool:
        scheme, _, encoded = Headers(scope=scope).get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return False
        try:
            _, _, password = base64.b64decode(encoded, validate=True).partition(b":")
        except binascii.Error:
            return False
        return hmac.compare_digest(password, self._secret)


def is_kept(path: str) -> bool:
    """Whether a path is one of those that X does not have, or that a person decides on."""
    return path == "/" or path.startswith(_KEPT)


def is_foreign(scope: Scope) -> bool:
    """Whether a browser sends this from the page of another site; other clients never do."""
    headers = Headers(scope=scope)
    if scope["method"] in ("GET", "HEAD", "OPTIONS"):
        return False
    if "sec-fetch-site" in headers:
        return headers["sec-fetch-site"] not in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is not None and origin.partition("://")[2] != headers.get("host")


def is_rebound(scope: Scope) -> bool:
    """Whether the request names a host that is neither this machine nor one of X's.

    Another site's name can be made to resolve to this machine (DNS rebinding); its page would
    then be of the same origin as the emulator. Without a secret only the name tells them apart.
    """
    netloc = Headers(scope=scope).get("host", "")
    name = netloc[1:].partition("]")[0] if netloc[:1] == "[" else netloc.partition(":")[0]
    name = name.lower()
    if not name or name in _OWN_NAMES or name.endswith(".localhost"):
        return False
    try:
        return not ipaddress.ip_address(name).is_loopback
    except ValueError:
        return True


async def refuse_foreign(scope: Scope, receive: Receive, send: Send) -> None:
    """Refuse a request that comes from another site's page."""
    answer = PlainTextResponse(
        "Another site's page may not do this. Open the emulator by 127.0.0.1 or localhost.", 403
    )
    await answer(scope, receive, send)


#: The variable that holds the secret where no file is named.
VARIABLE: Final = "X_EMULATOR_SECRET"


def read_secret(file: Path | None) -> str | None:
    """The secret; None where there is none. Raises: ValueError (without the secret), OSError."""
    if file is None:
        return os.environ.get(VARIABLE) or None
    descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as opened:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise ValueError(f"{file} is not a regular file.")
        if found.st_uid not in (0, os.geteuid()):
            raise ValueError(f"{file} belongs to another user.")
        # ssh's rule: a file of root's that others read was meant for them.
        closed = 0o077 if found.st_uid == os.geteuid() else 0o022
        if found.st_mode & closed:
            raise ValueError(f"{file} can be used by others; chmod 600 {file}")
        content = opened.read()
    try:
        secret = content.decode().strip()
    except UnicodeDecodeError:
        raise ValueError(f"{file} holds no text.") from None
    if not secret:
        raise ValueError(f"{file} is empty.")
    return secret
