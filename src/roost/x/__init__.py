"""Client of the X API for one account. Every call may cost money."""

from roost.endpoint import LIVE_X, XApp, XEndpoint
from roost.x import analytics, auth, errors, media, metrics, posts, usage, users
from roost.x.auth.tokens import FixedToken, MemoryTokens, TokenSource
from roost.x.client import Client
from roost.x.request import Exchange

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
    "usage",
    "users",
]
