"""OAuth 1.0a signatures: what a request's signature must be, from its parts alone.

Written from RFC 5849, without a look at the library that Roost signs with. Query and
form-urlencoded parameters are signed; JSON and multipart bodies are not.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable
from urllib.parse import quote, unquote, urlsplit

Parameters = list[tuple[str, str]]


def read_header(authorization: str | None) -> dict[str, str] | None:
    """The parameters of an `Authorization: OAuth …` header; None: it is no such header."""
    scheme, _, rest = (authorization or "").partition(" ")
    if scheme.lower() != "oauth":
        return None
    found: dict[str, str] = {}
    for part in rest.split(","):
        name, equals, value = part.strip().partition("=")
        if equals:
            found[unquote(name)] = unquote(value.strip('"'))
    return found


def is_signed_by(
    signature: str,
    *,
    method: str,
    urls: Iterable[str],
    header: dict[str, str],
    parameters: Parameters,
    secrets: tuple[str, str],
) -> bool:
    """Whether a request bears the right signature, for one of the URLs that it may mean.

    A parameter that stands both in the header and in the query or form counts twice, as the RFC
    says, or once, as some clients that X serves sign it.
    """
    own = [(name, value) for name, value in header.items() if name not in _UNSIGNED]
    given = [
        [*own, *parameters],
        [*own, *(pair for pair in parameters if pair not in own)],
    ]
    key = "&".join(map(escape, secrets)).encode()
    return any(
        hmac.compare_digest(_signature(key, method, url, each).encode(), signature.encode())
        for url in urls
        for each in given
    )


def escape(text: str) -> str:
    """Percent-encode as RFC 3986: all but letters, digits and `-._~`."""
    return quote(text, safe="-._~")


_UNSIGNED = ("oauth_signature", "realm")


def _signature(key: bytes, method: str, url: str, parameters: Parameters) -> str:
    pairs = sorted((escape(name), escape(value)) for name, value in parameters)
    normal = "&".join(f"{name}={value}" for name, value in pairs)
    base = "&".join((method.upper(), escape(_base_url(url)), escape(normal)))
    return base64.b64encode(hmac.digest(key, base.encode(), hashlib.sha1)).decode()


def _base_url(url: str) -> str:
    """Scheme and host in lower case, no standard port, no query."""
    parts = urlsplit(url)
    host = parts.netloc.lower()
    standard = {"http": ":80", "https": ":443"}.get(parts.scheme.lower(), "")
    return f"{parts.scheme.lower()}://{host.removesuffix(standard)}{parts.path}"
