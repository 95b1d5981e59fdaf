"""Validation of X's ids before they go into a path, a query or a body.

Ids are strings, because some programs round numbers as large as X's ids. Source: the patterns of
ids in version 2.167 of X's OpenAPI document.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, TypeVar

from roost.errors import InvalidInput

_ID: Final = re.compile(r"[0-9]{1,19}")
_MEDIA_KEY: Final = re.compile(r"[0-9]+_[0-9]+")
_MAX_SHOWN: Final = 40
#: The maximum number of ids in a request. Source: `maxItems` of the lists of ids in X's
#: OpenAPI document.
_MAX_IDS: Final = 100

S = TypeVar("S", bound=str)
T = TypeVar("T")


class IdMalformed(InvalidInput):
    """An id is not a string of 1 to 19 digits, as X's ids are; nothing was sent."""

    default_next = "Pass the id as a string of digits, as in X's responses and URLs."


def require_id(name: str, value: S) -> S:
    """Return `value` unchanged if it is a valid id. Raises: IdMalformed, which quotes `name`."""
    return _require(name, value, find_id_problem(name, value))


def require_ids(name: str, values: Iterable[S]) -> list[S]:
    """Return ids as a list. Raises: IdMalformed, also if `values` is a single string."""
    return [require_id(name, each) for each in _require_several(name, values)]


def require_media_keys(name: str, values: Iterable[str]) -> list[str]:
    """Return media keys, such as `3_1880028106020515840`, as a list. Raises: IdMalformed."""
    keys = []
    for each in _require_several(name, values):
        is_key = isinstance(each, str) and _MEDIA_KEY.fullmatch(each)
        problem = f"`{name}` has {short_repr(each)}, which is not a media key."
        keys.append(_require(name, each, None if is_key else problem))
    return keys


def find_id_problem(name: str, value: object) -> str | None:
    """Return a sentence that says what is wrong with an id; None if it is valid."""
    if not isinstance(value, str):
        return f"`{name}` has {short_repr(value)}, not a string: X's ids are strings of digits."
    if not _ID.fullmatch(value):
        return f"`{name}` has {short_repr(value)}, which is not an X id: 1 to 19 digits."
    return None


def chunk_ids(ids: Iterable[T]) -> Iterator[Sequence[T]]:
    """Split ids into lists of at most 100, X's maximum per request; drop repeated ids."""
    unique = list(dict.fromkeys(ids))
    return (unique[start : start + _MAX_IDS] for start in range(0, len(unique), _MAX_IDS))


def _require_several(name: str, values: Iterable[S]) -> Iterable[S]:
    if isinstance(values, str):
        raise IdMalformed(
            f"`{name}` is the string {short_repr(values)} instead of a list of ids.",
            next="Put the string into a list.",
        )
    return values


def _require(name: str, value: S, problem: str | None) -> S:
    if problem is not None:
        raise IdMalformed(problem, field=name)
    return value


def short_repr(value: object) -> str:
    """Return a value as ASCII for an error message, shortened to 40 characters."""
    text = ascii(value)
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"
