"""X on one hand: requests to its API as one account sees it. Every call may cost money."""

from roost.x import auth, errors, media, metrics, posts, users
from roost.x.client import Client, TokenSource
from roost.x.request import Exchange

__all__ = [
    "Client",
    "Exchange",
    "TokenSource",
    "auth",
    "errors",
    "media",
    "metrics",
    "posts",
    "users",
]
