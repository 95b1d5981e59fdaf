"""Checks that PostgreSQL's client parses DATABASE_URL as intended. Pure.

The client takes the text after an unencoded `@`, `/` or `?` of a password for a host, a database
or an option, and names it in its error message. That would show part of the password.
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
    """Describe what is wrong with a URL, without quoting any of it; None if it is valid."""
    if not _SCHEME.match(address):
        return "a postgresql:// URL is expected"
    if _BROKEN_PERCENT.search(address):
        return "a `%` in it does not start a percent-encoded character; write `%` itself as %25"
    if not _ADDRESS.fullmatch(address):
        return (
            "it is not a valid URL; in its user and password, percent-encode every character that"
            " is not a letter or digit (`@` is %40, `/` %2F, `?` %3F, `#` %23, `[` %5B, space %20)"
        )
    return None
