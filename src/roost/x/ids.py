"""X's ids, checked before they go into a path, a query or a body.

Source: OpenAPI 2.167, the patterns of its ids. An id is a string: as a number it is too large for
some of the programs that it passes through.
"""

import re
from collections.abc import Iterable
from typing import Final, TypeVar

from roost.errors import InvalidInput

_ID: Final = re.compile(r"[0-9]{1,19}")
_MEDIA_KEY: Final = re.compile(r"[0-9]+_[0-9]+")
_SHOWN: Final = 40

T = TypeVar("T", bound=str)


class IdMalformed(InvalidInput):
    """An id is not one of X: a string of 1 to 19 digits; nothing was sent."""

    default_next = "Give the id as a string, as X's answers and addresses have it."


def require_id(name: str, value: T) -> T:
    """The id itself. Raises: IdMalformed."""
    return _require(name, value, find_id_problem(name, value))


def require_ids(name: str, values: Iterable[T]) -> list[T]:
    """The ids themselves. Raises: IdMalformed (also where it is one string instead of several)."""
    return [require_id(name, each) for each in _several(name, values)]


def require_media_keys(name: str, values: Iterable[str]) -> list[str]:
    """Media keys themselves, such as `3_1880028106020515840`. Raises: IdMalformed."""
    keys = []
    for each in _several(name, values):
        is_key = isinstance(each, str) and _MEDIA_KEY.fullmatch(each)
        problem = None if is_key else f"`{name}` has {_show(each)}, which is no media key."
        keys.append(_require(name, each, problem))
    return keys


def find_id_problem(name: str, value: object) -> str | None:
    """What is wrong with an id, in a sentence."""
    if not isinstance(value, str):
        return f"`{name}` has {_show(value)}, which is no string: X's ids are strings of digits."
    if not _ID.fullmatch(value):
        return f"`{name}` has {_show(value)}, which is no id of X: 1 to 19 digits."
    return None


def _several(name: str, values: Iterable[T]) -> Iterable[T]:
    if isinstance(values, str):
        raise IdMalformed(
            f"`{name}` is the string {_show(values)}, where a list of ids is wanted.",
            next="Put it into a list.",
        )
    return values


def _require(name: str, value: T, problem: str | None) -> T:
    if problem is not None:
        raise IdMalformed(problem, field=name)
    return value


def _show(value: object) -> str:
    shown = ascii(value)
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}…"
