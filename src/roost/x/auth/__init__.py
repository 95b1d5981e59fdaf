"""Credentials of the X API: OAuth 2.0, OAuth 1.0a, and sources of access tokens."""

from roost.settings import DEFAULT_SCOPES
from roost.x.auth import oauth1_flow, oauth2
from roost.x.auth.oauth2 import TokenGrant
from roost.x.auth.signing import OAuth1, OAuth1UserToken
from roost.x.auth.tokens import EXPIRY_MARGIN

__all__ = [
    "DEFAULT_SCOPES",
    "EXPIRY_MARGIN",
    "OAuth1",
    "OAuth1UserToken",
    "TokenGrant",
    "oauth1_flow",
    "oauth2",
]
