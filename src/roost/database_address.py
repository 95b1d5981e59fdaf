"""Whether DATABASE_URL is an address that PostgreSQL's client reads as it was meant. Pure.

The client takes what stands behind a stray `@`, `/` or `?` of a password for a host, a database or
an option, asks for it and names it in its error: part of the password would be shown.
"""

import re
from typing import Final

_SCHEME: Final = re.compile(r"postgres(?:ql)?://")
_BROKEN_PERCENT: Final = re.compile(r"%(?![0-9A-Fa-f]{2})|%00")
_PLAIN: Final = r"[A-Za-z0-9._~!$'()*+;=,%-]"
_PORT: Final = r"(?::[0-9]{1,5})?"
_HOST: Final = rf"(?:\[[0-9A-Fa-f:.%a-z]+\]|[A-Za-z0-9._~%-]*){_PORT}"
_PARAMETER: Final = r"[a-z_]+=[A-Za-z0-9._~!$'()*+;,:/%-]*"
_ADDRESS: Final = re.compile(
    rf"postgres(?:ql)?://(?:{_PLAIN}*(?::(?:{_PLAIN}|[&:])*)?@)?{_HOST}(?:,{_HOST})*"
    rf"(?:/(?:{_PLAIN}|[&:])*)?(?:\?(?:{_PARAMETER}(?:&{_PARAMETER})*)?)?"
)


def describe_malformed(address: str) -> str | None:
    """What is wrong with an address, in words that hold nothing of it; None: nothing is."""
    if not _SCHEME.match(address):
        return "a postgresql:// address is expected"
    if _BROKEN_PERCENT.search(address):
        return "a `%` in it begins no percent-encoded character; a `%` itself is written %25"
    if not _ADDRESS.fullmatch(address):
        return (
            "it cannot be read as an address; in its user and password, percent-encode what is"
            " no letter or digit (`@` is %40, `/` %2F, `?` %3F, `#` %23, `[` %5B, a blank %20)"
        )
    return None
