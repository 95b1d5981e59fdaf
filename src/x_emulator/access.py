"""Access control for the control API, the dashboard and the consent screens.

If the emulator listens on an address other than loopback, requests to these pages and routes need
the emulator's secret. Requests to paths of the X API need only the credentials that X requires. On
any address, even on loopback, the emulator refuses requests that a browser sends for a page of
another site.
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

#: The environment variable that holds the secret if no file is given.
ENVIRONMENT_VARIABLE: Final = "X_EMULATOR_SECRET"
_PROTECTED = ("/_emulator", "/i/oauth2/authorize", "/oauth/authorize", "/oauth/authenticate")
#: Host names that requests may use. X's host names are included, because a client that is
#: redirected to the emulator's address still sends the host name of X.
_KNOWN_HOSTS = frozenset(
    {"localhost"}
    | {f"{part}{site}" for part in ("", "api.", "upload.") for site in ("x.com", "twitter.com")}
)


class SecretMiddleware:
    """ASGI middleware that protects paths by HTTP Basic authentication.

    The password is the emulator's secret. Any user name is accepted.
    """

    def __init__(self, app: ASGIApp, secret: str) -> None:
        self._app = app
        self._secret = secret.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward the request, or respond 401 if the secret is required but missing."""
        if scope["type"] != "http" or not is_protected(scope["path"]) or self._has_secret(scope):
            await self._app(scope, receive, send)
            return
        response = PlainTextResponse(
            "The control API and the pages of this emulator need its secret:"
            " HTTP Basic with any user name and the secret as password.",
            401,
            {"www-authenticate": 'Basic realm="x-emulator"'},
        )
        await response(scope, receive, send)

    def _has_secret(self, scope: Scope) -> bool:
        scheme, _, encoded = Headers(scope=scope).get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return False
        try:
            _, _, password = base64.b64decode(encoded, validate=True).partition(b":")
        except binascii.Error:
            return False
        return hmac.compare_digest(password, self._secret)


def is_protected(path: str) -> bool:
    """Return whether a path belongs to the control API, the dashboard or a consent screen."""
    return path == "/" or path.startswith(_PROTECTED)


def is_cross_site(scope: Scope) -> bool:
    """Return whether a browser sent this request from a page of another site."""
    headers = Headers(scope=scope)
    if scope["method"] in ("GET", "HEAD", "OPTIONS"):
        return False
    if "sec-fetch-site" in headers:
        return headers["sec-fetch-site"] not in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is not None and origin.partition("://")[2] != headers.get("host")


def has_foreign_host(scope: Scope) -> bool:
    """Return whether the `Host` header names neither this machine nor one of X's hosts.

    An attacker can make the name of a site resolve to this machine (DNS rebinding). The browser
    then treats the attacker's site and the emulator as one origin. If the emulator has no secret,
    only the host name in the request reveals the attack.
    """
    netloc = Headers(scope=scope).get("host", "")
    name = netloc[1:].partition("]")[0] if netloc[:1] == "[" else netloc.partition(":")[0]
    name = name.lower()
    if not name or name in _KNOWN_HOSTS or name.endswith(".localhost"):
        return False
    try:
        return not ipaddress.ip_address(name).is_loopback
    except ValueError:
        return True


async def refuse_cross_site(scope: Scope, receive: Receive, send: Send) -> None:
    """Respond 403 to a request that a page of another site has sent."""
    response = PlainTextResponse(
        "Requests from another site's page are refused."
        " Open the emulator at 127.0.0.1 or localhost.",
        403,
    )
    await response(scope, receive, send)


def read_secret(file: Path | None) -> str | None:
    """Read the secret from a file, or from the environment if no file is given.

    The secret is never a command-line argument, because every user of a machine can read the
    arguments of its processes. The file must not be accessible to other users. Returns None if no
    file is given and the environment has no secret.

    Raises: ValueError (the error message never contains the secret), OSError.
    """
    if file is None:
        return os.environ.get(ENVIRONMENT_VARIABLE) or None
    descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as opened:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise ValueError(f"{file} is not a regular file.")
        if status.st_uid not in (0, os.geteuid()):
            raise ValueError(f"{file} belongs to another user.")
        # Other users may read a file that belongs to root, because only root can have permitted it.
        # Other users must not be able to write to the file. A file of this user must be private.
        forbidden_bits = 0o077 if status.st_uid == os.geteuid() else 0o022
        if status.st_mode & forbidden_bits:
            raise ValueError(f"{file} is accessible to other users. Run: chmod 600 {file}")
        content = opened.read()
    try:
        secret = content.decode().strip()
    except UnicodeDecodeError:
        raise ValueError(f"{file} is not a text file.") from None
    if not secret:
        raise ValueError(f"{file} is empty.")
    return secret
