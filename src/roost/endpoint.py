"""Which X a secret belongs to: one value of environment and base URL, the only source of addresses.

A token, an app's secret and a signing key each carry the endpoint that they belong to. An address
of X (`XUrl`) is made here alone, so no request can be sent anywhere else.
"""

import ipaddress
import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, NewType
from urllib.parse import SplitResult, urlsplit

from roost.errors import UnsafeHost
from roost.models import Environment

#: An address below an endpoint that was checked.
XUrl = NewType("XUrl", str)

#: X's hosts for its API, its older name included.
_API_HOSTS: Final = frozenset({"api.x.com", "api.twitter.com"})
#: X's own domains: a host in one of them is never an emulator.
_X_DOMAINS: Final = frozenset({"x.com", "twitter.com", "twimg.com", "t.co"})
_UPLOAD_URL: Final = "https://upload.twitter.com"
_CONSENT_URL: Final = "https://x.com/i/oauth2/authorize"
#: Names and addresses in their one plain spelling: resolvers and URL libraries read others (a dot
#: at the end, full-width letters, `%2e`) as a name that a comparison would miss.
_HOST: Final = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
_PATH: Final = re.compile(r"(/[A-Za-z0-9._~-]+)*")
_NEXT: Final = (
    "Set ROOST_X_BASE_URL to https://api.x.com or to an emulator on this machine; an emulator on"
    " another machine needs https and its host in ROOST_X_EMULATOR_HOST."
)


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine and no other."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class XEndpoint:
    """The real X, or one emulator.

    `emulator_host` is the one host besides X's and this machine's that `base_url` may name.
    Raises: UnsafeHost, where the address is none of these, or not in its plain spelling.
    """

    base_url: str = "https://api.x.com"
    emulator_host: str | None = field(default=None, compare=False)
    environment: Environment = field(init=False)

    def __post_init__(self) -> None:
        base_url, environment = _read_base_url(self.base_url, self.emulator_host)
        object.__setattr__(self, "base_url", base_url)
        object.__setattr__(self, "environment", environment)

    def url(self, path: str) -> XUrl:
        """The address of a path of the API."""
        return XUrl(self.base_url + _checked_path(path))

    def upload_url(self, path: str) -> XUrl:
        """The address at which the API 1.1 takes media; an emulator has everything at one."""
        if self.environment is Environment.LIVE:
            return XUrl(_UPLOAD_URL + _checked_path(path))
        return self.url(path)

    @property
    def consent_url(self) -> str:
        """The page of consent of OAuth 2.0; an emulator serves it under the same path."""
        if self.environment is Environment.LIVE:
            return _CONSENT_URL
        return f"{self.base_url}/i/oauth2/authorize"

    def require_environment(self, environment: Environment, whose: str) -> "XEndpoint":
        """This endpoint, for what belongs to that environment. Raises: UnsafeHost."""
        if environment is self.environment:
            return self
        if environment is Environment.LIVE:
            raise UnsafeHost(
                f"{whose} belongs to the real X; nothing of it is sent to {self.base_url}.",
                next="Unset ROOST_X_BASE_URL to work with it.",
            )
        raise UnsafeHost(
            f"{whose} belongs to an emulator; nothing of it is sent to the real X.",
            next="Set ROOST_X_BASE_URL to the emulator, or connect the account to the real X.",
        )

    def require_same(self, other: "XEndpoint") -> None:
        """Refuse to send what belongs to `other` here; the two names of X's API are one X.

        Raises: UnsafeHost.
        """
        both_live = self.environment is other.environment is Environment.LIVE
        if not both_live and self.base_url != other.base_url:
            raise UnsafeHost(
                f"A secret that belongs to {other.base_url} is not sent to {self.base_url}.",
                next="Give the token, the app and the keys the same endpoint.",
            )


@dataclass(frozen=True, slots=True)
class XApp:
    """The X app that accounts are connected through, and the X that knows its secret."""

    endpoint: XEndpoint
    client_id: str
    client_secret: str | None = field(default=None, repr=False)
    """None: a public client."""


@lru_cache(maxsize=64)
def _read_base_url(base_url: str, emulator_host: str | None) -> tuple[str, Environment]:
    """A base URL in its plain spelling, and which X it is. Raises: UnsafeHost."""
    parts, port = _split(base_url)
    host = parts.hostname or ""
    at = f"[{host}]" if ":" in host else host
    if host in _API_HOSTS:
        if parts.scheme != "https" or port not in {None, 443} or parts.path.strip("/"):
            raise _unsafe("X itself is asked by https, at its own port and without a path")
        return f"https://{at}", Environment.LIVE
    if any(host == domain or host.endswith(f".{domain}") for domain in _X_DOMAINS):
        raise _unsafe(f"{host} is X's, but not a host of its API")
    if not is_loopback(host):
        if host != (emulator_host or "").lower():
            raise _unsafe(f"{host} is neither X nor this machine, and no setting allows it")
        if parts.scheme != "https":
            raise _unsafe(f"{host} is another machine, and only https keeps secrets on the way")
    shown_port = "" if port is None else f":{port}"
    return f"{parts.scheme}://{at}{shown_port}{parts.path.rstrip('/')}", Environment.EMULATOR


def _split(base_url: str) -> tuple[SplitResult, int | None]:
    """The parts of an address without anything that another reader could take differently."""
    try:
        parts = urlsplit(base_url)
        port = parts.port
    except ValueError:
        raise _unsafe("the address cannot be read") from None
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
        raise _unsafe("an address of the form https://host[:port] is expected")
    return parts, port


def _is_ipv6(host: str) -> bool:
    try:
        return str(ipaddress.IPv6Address(host)) == host
    except ValueError:
        return False


def _checked_path(path: str) -> str:
    """A path may not move the request to another host (`@`, `//`, `\\`)."""
    if not path.startswith("/") or path.startswith("//") or "\\" in path:
        raise _unsafe("a path begins with one slash")
    return path


def _unsafe(what: str) -> UnsafeHost:
    return UnsafeHost(f"Roost sends no secret there: {what}.", next=_NEXT)


#: The real X.
LIVE_X: Final = XEndpoint()
