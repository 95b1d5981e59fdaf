"""Escapes `&`, `<` and `>` in texts as X does, and adapts the positions of the entities."""

import bisect
import re
from typing import Any

from x_emulator.rules.links import WrappedText

_ESCAPED = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_SPECIAL = re.compile("[&<>]")


def escape(wrapped: WrappedText) -> WrappedText:
    """Escape a text, and move its entities to their positions in the escaped text."""
    positions = [match.start() for match in _SPECIAL.finditer(wrapped.text)]
    if not positions:
        return wrapped
    offsets = [0]
    for position in positions:
        offsets.append(offsets[-1] + len(_ESCAPED[wrapped.text[position]]) - 1)

    def move(entity: dict[str, Any]) -> dict[str, Any]:
        start, end = entity["start"], entity["end"]
        return entity | {
            "start": start + offsets[bisect.bisect_left(positions, start)],
            "end": end + offsets[bisect.bisect_left(positions, end)],
        }

    text = _SPECIAL.sub(lambda match: _ESCAPED[match.group()], wrapped.text)
    entities = {name: [move(each) for each in group] for name, group in wrapped.entities.items()}
    return WrappedText(text, entities, wrapped.has_link)


def cut(text: str, at: int) -> int:
    """Return the last position up to `at` that is not inside an escape such as `&amp;`."""
    start = text.rfind("&", max(0, at - 4), at)
    return start if start >= 0 and ";" not in text[start:at] else at
