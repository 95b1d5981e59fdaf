"""Verification of OAuth 1.0a signatures (HMAC-SHA1).

This module was written from RFC 5849 and shares no code with the library that Roost signs with.
The signature covers the parameters of the query and of a form-urlencoded body. It does not cover
JSON and multipart bodies.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable
from urllib.parse import quote, unquote, urlsplit

Parameters = list[tuple[str, str]]


def read_header(authorization: str | None) -> dict[str, str] | None:
    """Parse an `Authorization: OAuth …` header; return None if the scheme is not OAuth."""
    scheme, _, rest = (authorization or "").partition(" ")
    if scheme.lower() != "oauth":
        return None
    parameters: dict[str, str] = {}
    for part in rest.split(","):
        name, equals, value = part.strip().partition("=")
        if equals:
            parameters[unquote(name)] = unquote(value.strip('"'))
    return parameters


def is_signed_by(
    signature: str,
    *,
    method: str,
    urls: Iterable[str],
    header: dict[str, str],
    parameters: Parameters,
    secrets: tuple[str, str],
) -> bool:
    """Return whether the signature is valid for one of the URLs.

    A parameter can be both in the header and in the query or form. The RFC requires that the
    signature covers such a parameter twice. Some clients that X accepts include the parameter only
    once, so both signatures are valid here.
    """
    from_header = [(name, value) for name, value in header.items() if name not in _UNSIGNED]
    variants = [
        [*from_header, *parameters],
        [*from_header, *(pair for pair in parameters if pair not in from_header)],
    ]
    key = "&".join(map(escape, secrets)).encode()
    return any(
        hmac.compare_digest(_signature(key, method, url, each).encode(), signature.encode())
        for url in urls
        for each in variants
    )


def escape(text: str) -> str:
    """Percent-encode all characters except ASCII letters, digits and `-._~` (RFC 3986)."""
    return quote(text, safe="-._~")


_UNSIGNED = ("oauth_signature", "realm")


def _signature(key: bytes, method: str, url: str, parameters: Parameters) -> str:
    pairs = sorted((escape(name), escape(value)) for name, value in parameters)
    normalized = "&".join(f"{name}={value}" for name, value in pairs)
    base = "&".join((method.upper(), escape(_base_url(url)), escape(normalized)))
    return base64.b64encode(hmac.digest(key, base.encode(), hashlib.sha1)).decode()


def _base_url(url: str) -> str:
    """Return the URL to sign (RFC 5849, 3.4.1.2).

    The scheme and host are in lower case. The query is left out, and so is the scheme's default
    port.
    """
    parts = urlsplit(url)
    host = parts.netloc.lower()
    default_port = {"http": ":80", "https": ":443"}.get(parts.scheme.lower(), "")
    return f"{parts.scheme.lower()}://{host.removesuffix(default_port)}{parts.path}"
