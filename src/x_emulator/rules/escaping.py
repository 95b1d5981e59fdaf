"""HTML's three characters in texts: X returns `&`, `<` and `>` escaped, entities moved along."""

import bisect
import re
from typing import Any

from x_emulator.rules.links import Wrapped

_ESCAPED = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_SPECIAL = re.compile("[&<>]")


def escape(wrapped: Wrapped) -> Wrapped:
    """The same text as X returns it; positions are those in the escaped text."""
    found = [match.start() for match in _SPECIAL.finditer(wrapped.text)]
    if not found:
        return wrapped
    added = [0]
    for position in found:
        added.append(added[-1] + len(_ESCAPED[wrapped.text[position]]) - 1)

    def moved(entity: dict[str, Any]) -> dict[str, Any]:
        start, end = entity["start"], entity["end"]
        return entity | {
            "start": start + added[bisect.bisect_left(found, start)],
            "end": end + added[bisect.bisect_left(found, end)],
        }

    text = _SPECIAL.sub(lambda match: _ESCAPED[match.group()], wrapped.text)
    entities = {name: [moved(each) for each in some] for name, some in wrapped.entities.items()}
    return Wrapped(text, entities, wrapped.has_link)


def cut(text: str, at: int) -> int:
    """Where a text may be cut at or before a position, so that no escape is torn."""
    start = text.rfind("&", max(0, at - 4), at)
    return start if start >= 0 and ";" not in text[start:at] else at
