"""How much X takes in one request: lists of 100 ids, and spans of time as RFC 3339."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Final, TypeVar

#: Source: OpenAPI, `maxItems` of every list of ids.
_MOST_IDS: Final = 100

T = TypeVar("T")


def of_100(ids: Iterable[T]) -> Iterator[Sequence[T]]:
    """The ids in their order, each once, in lists that X takes."""
    wanted = list(dict.fromkeys(ids))
    return (wanted[start : start + _MOST_IDS] for start in range(0, len(wanted), _MOST_IDS))


def instant(at: datetime) -> str:
    """An aware instant in the letters of a query: whole seconds, UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
