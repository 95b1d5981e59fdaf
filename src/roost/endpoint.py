"""`XEndpoint`: the X API (the real one or an emulator's) that a secret belongs to.

A token, an app's secret and a signing key each have an endpoint, which consists of an environment
and a base URL. Only this module creates URLs of X (`XUrl`), so no request can go to another host.
"""

import ipaddress
import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, NewType
from urllib.parse import SplitResult, urlsplit

from roost.errors import UnsafeHost
from roost.models import Environment

#: A URL that a validated endpoint has created.
XUrl = NewType("XUrl", str)

#: X's API hosts, the current and the older one.
_API_HOSTS: Final = frozenset({"api.x.com", "api.twitter.com"})
#: X's own domains; a host in one of them is never an emulator.
_X_DOMAINS: Final = frozenset({"x.com", "twitter.com", "twimg.com", "t.co"})
_UPLOAD_URL: Final = "https://upload.twitter.com"
_CONSENT_URL: Final = "https://x.com/i/oauth2/authorize"
#: A host name in normalized form. Resolvers and URL libraries also accept other spellings (a
#: trailing dot, full-width letters, `%2e`), which a string comparison would take for another host.
_HOST: Final = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
_PATH: Final = re.compile(r"(/[A-Za-z0-9._~-]+)*")
_NEXT: Final = (
    "Set ROOST_X_BASE_URL to https://api.x.com or to an emulator on this machine. An emulator on"
    " another machine needs https, and its host in ROOST_X_EMULATOR_HOST."
)


def is_loopback(host: str) -> bool:
    """Whether a host name or IP address is the local machine's loopback."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class XEndpoint:
    """The address of the X API, on the real X or on one emulator.

    The host of `base_url` must be X's, this machine's loopback, or `emulator_host`.
    Raises: UnsafeHost if `base_url` has another host or is not in normalized form.
    """

    base_url: str = "https://api.x.com"
    emulator_host: str | None = field(default=None, compare=False)
    environment: Environment = field(init=False)

    def __post_init__(self) -> None:
        base_url, environment = _parse_base_url(self.base_url, self.emulator_host)
        object.__setattr__(self, "base_url", base_url)
        object.__setattr__(self, "environment", environment)

    def url(self, path: str) -> XUrl:
        """Return the URL of an API path."""
        return XUrl(self.base_url + _require_path(path))

    def upload_url(self, path: str) -> XUrl:
        """Return the URL of a media upload path of API v1.1; an emulator has only one host."""
        if self.environment is Environment.LIVE:
            return XUrl(_UPLOAD_URL + _require_path(path))
        return self.url(path)

    @property
    def consent_url(self) -> str:
        """The URL of the OAuth 2.0 consent page; an emulator serves it under the same path."""
        if self.environment is Environment.LIVE:
            return _CONSENT_URL
        return f"{self.base_url}/i/oauth2/authorize"

    def require_environment(self, environment: Environment, owner: str) -> "XEndpoint":
        """Return this endpoint if its environment equals `environment`.

        `owner` is the name of the account that belongs to `environment`, for the error's message.
        Raises: UnsafeHost.
        """
        if environment is self.environment:
            return self
        if environment is Environment.LIVE:
            raise UnsafeHost(
                f"{owner} belongs to the real X; none of its secrets is sent to {self.base_url}.",
                next=f"Unset ROOST_X_BASE_URL to use {owner}.",
            )
        raise UnsafeHost(
            f"{owner} belongs to an emulator; none of its secrets is sent to the real X.",
            next="Set ROOST_X_BASE_URL to the emulator, or connect the account to the real X.",
        )

    def require_same(self, other: "XEndpoint") -> None:
        """Check that a secret that belongs to `other` may be sent to this endpoint.

        The endpoints of X's two API hosts count as the same. Raises: UnsafeHost.
        """
        both_live = self.environment is other.environment is Environment.LIVE
        if not both_live and self.base_url != other.base_url:
            raise UnsafeHost(
                f"A secret that belongs to {other.base_url} is not sent to {self.base_url}.",
                next="Create the token, the app and the keys with the same endpoint.",
            )


@dataclass(frozen=True, slots=True)
class XApp:
    """The X app through which accounts are connected; it is registered at `endpoint`."""

    endpoint: XEndpoint
    client_id: str
    client_secret: str | None = field(default=None, repr=False)
    """None for a public client, which has no secret."""


@lru_cache(maxsize=64)
def _parse_base_url(base_url: str, emulator_host: str | None) -> tuple[str, Environment]:
    """Return a base URL in normalized form, and its environment. Raises: UnsafeHost."""
    parts, port = _split(base_url)
    host = parts.hostname or ""
    url_host = f"[{host}]" if ":" in host else host
    if host in _API_HOSTS:
        if parts.scheme != "https" or port not in {None, 443} or parts.path.strip("/"):
            raise _unsafe("X itself needs https, the default port and no path")
        return f"https://{url_host}", Environment.LIVE
    if any(host == domain or host.endswith(f".{domain}") for domain in _X_DOMAINS):
        raise _unsafe(f"{host} is a host of X, but not of its API")
    if not is_loopback(host):
        if host != (emulator_host or "").lower():
            raise _unsafe(f"{host} is neither X nor this machine, and no setting allows it")
        if parts.scheme != "https":
            raise _unsafe(f"{host} is another machine, to which secrets are sent by https only")
    port_suffix = "" if port is None else f":{port}"
    return f"{parts.scheme}://{url_host}{port_suffix}{parts.path.rstrip('/')}", Environment.EMULATOR


def _split(base_url: str) -> tuple[SplitResult, int | None]:
    """Split a URL. Raises: UnsafeHost if URL libraries could split it in different ways."""
    try:
        parts = urlsplit(base_url)
        port = parts.port
    except ValueError:
        raise _unsafe("it is not a valid URL") from None
    host = parts.hostname or ""
    is_plain = (
        base_url.isascii()
        and base_url.isprintable()
        and parts.scheme in {"http", "https"}
        and not any(each in base_url for each in "@?#\\% ")
        and bool(_HOST.fullmatch(host) or _is_ipv6(host))
        and bool(_PATH.fullmatch(parts.path.rstrip("/")))
    )
    if not is_plain:
        raise _unsafe("a URL of the form https://host[:port] is expected")
    return parts, port


def _is_ipv6(host: str) -> bool:
    try:
        return str(ipaddress.IPv6Address(host)) == host
    except ValueError:
        return False


def _require_path(path: str) -> str:
    """Return `path`. Raises: UnsafeHost if appending `path` could change the URL's host."""
    if not path.startswith("/") or path.startswith("//") or "\\" in path:
        raise _unsafe("a path starts with exactly one slash")
    return path


def _unsafe(reason: str) -> UnsafeHost:
    return UnsafeHost(f"Roost sends no secret to this address: {reason}.", next=_NEXT)


#: The endpoint of the real X.
LIVE_X: Final = XEndpoint()
