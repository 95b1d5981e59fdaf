"""A client of the X API for one account. Every call may cost money.

The module of a public name is loaded when the name is first used, so that a command that sends
nothing to X imports no HTTP client.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from roost.endpoint import LIVE_X, XApp, XEndpoint

if TYPE_CHECKING:
    from roost.x import analytics, auth, errors, media, metrics, posts, server_time, usage, users
    from roost.x.auth.tokens import FixedToken, MemoryTokens, TokenSource
    from roost.x.client import Client
    from roost.x.request import Exchange

_MODULES = {
    "Client": "roost.x.client",
    "Exchange": "roost.x.request",
    "FixedToken": "roost.x.auth.tokens",
    "MemoryTokens": "roost.x.auth.tokens",
    "TokenSource": "roost.x.auth.tokens",
}

__all__ = [
    "LIVE_X",
    "Client",
    "Exchange",
    "FixedToken",
    "MemoryTokens",
    "TokenSource",
    "XApp",
    "XEndpoint",
    "analytics",
    "auth",
    "errors",
    "media",
    "metrics",
    "posts",
    "server_time",
    "usage",
    "users",
]


def __getattr__(name: str) -> object:
    """Load a public name from the module that defines it (PEP 562)."""
    if name in _MODULES:
        return getattr(import_module(_MODULES[name]), name)
    if name in __all__:
        return import_module(f"roost.x.{name}")
    raise AttributeError(f"module 'roost.x' has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the public names, so that a shell completes those that are not loaded yet."""
    return sorted({*globals(), *__all__})
