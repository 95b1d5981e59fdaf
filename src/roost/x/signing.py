"""OAuth 1.0a: a credential, and the header that signs one request with it.

Query and form fields go into the signature; JSON and multipart bodies do not.
Source: docs.x.com, oauth-1-0a/creating-a-signature; RFC 5849.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal
from urllib.parse import quote, urlencode

import oauthlib.oauth1

from roost.endpoint import LIVE_X, XEndpoint

# At DEBUG the signer tells tokens and what is signed.
logging.getLogger("oauthlib").setLevel(logging.INFO)

FORM: Final = "application/x-www-form-urlencoded"
Method = Literal["GET", "POST", "DELETE"]


@dataclass(frozen=True, slots=True)
class OAuth1:
    """An app's key and, where it speaks for a user, that user's token; they do not expire."""

    api_key: str
    api_secret: str = field(repr=False)
    token: str | None = field(default=None, repr=False)
    """None: the app alone, as the first of the three legs wants it."""
    token_secret: str | None = field(default=None, repr=False)
    endpoint: XEndpoint = field(default=LIVE_X, repr=False)
    """The X that it belongs to; it signs for no other."""


def authorization(
    credential: OAuth1,
    method: Method,
    url: str,
    *,
    params: Mapping[str, str] | None = None,
    form: Mapping[str, str] | None = None,
    callback: str | None = None,
    verifier: str | None = None,
    nonce: str | None = None,
    timestamp: str | None = None,
) -> str:
    """The `Authorization` header for one sending of a request; its nonce serves once.

    `url` is without a query; `params` and `form` are what is sent, not yet escaped. `callback` and
    `verifier` belong to the three legs. `nonce` and `timestamp` (Unix seconds) are made where they
    are not given; only a published example has reason to give them.
    """
    signer = oauthlib.oauth1.Client(
        credential.api_key,
        client_secret=credential.api_secret,
        resource_owner_key=credential.token,
        resource_owner_secret=credential.token_secret,
        callback_uri=callback,
        verifier=verifier,
        nonce=nonce,
        timestamp=timestamp,
    )
    asked = f"{url}?{urlencode(params, quote_via=quote)}" if params else url
    body, headers = (urlencode(form), {"Content-Type": FORM}) if form else (None, {})
    _, signed, _ = signer.sign(asked, http_method=method, body=body, headers=headers)
    return str(signed["Authorization"])
