"""Checks that PostgreSQL's client parses DATABASE_URL as intended. Pure.

If a password contains an unencoded `@`, `/` or `?`, the client takes the rest of the password for
a host, a database or an option. The client's error message would then show part of the password.
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
    """Describe what is wrong with a URL, without quoting the URL; None if the URL is valid."""
    if not _SCHEME.match(address):
        return "a postgresql:// URL is expected"
    if _BROKEN_PERCENT.search(address):
        return "a `%` does not start a percent-encoded character; write a literal `%` as %25"
    if not _ADDRESS.fullmatch(address):
        return (
            "it is not a valid URL; in its user and password, percent-encode every character that"
            " is not a letter or digit (`@` is %40, `/` %2F, `?` %3F, `#` %23, `[` %5B, space %20)"
        )
    return None
