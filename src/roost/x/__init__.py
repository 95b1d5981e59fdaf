"""X on one hand: requests to its API as one account sees it. Every call may cost money."""

from roost.endpoint import LIVE_X, XApp, XEndpoint
from roost.x import analytics, auth, errors, media, metrics, posts, threelegs, usage, users
from roost.x.client import Client
from roost.x.request import Exchange
from roost.x.tokens import FixedToken, MemoryTokens, TokenSource

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
    "threelegs",
    "usage",
    "users",
]
