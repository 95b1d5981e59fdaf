"""Shortens texts to labels for charts and pages, without splitting words or emoji."""

import unicodedata

#: The length of a label in widths of a Latin letter; a wide character counts twice.
_LABEL_COLUMNS = 50
#: Unicode's categories of marks, joiners and selectors, which take no width.
_ZERO_WIDTH = ("Mn", "Me", "Cf")


def shorten(text: str, columns: int = _LABEL_COLUMNS) -> str:
    """Return a text as one line; cut it after at most `columns` columns, and add `…`.

    A column is the width of a Latin letter. The text is cut between words if possible; a text that
    fits is not cut.
    """
    line = " ".join(text.split())
    used = 0
    for position, character in enumerate(line):
        if unicodedata.category(character) in _ZERO_WIDTH:
            continue
        used += 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if used > columns:
            return _cut(line, position) + "…"
    return line


def _cut(line: str, position: int) -> str:
    # Joiners, selectors, marks and skin tones are not separated from their emoji.
    while position and (
        unicodedata.category(line[position]) in (*_ZERO_WIDTH, "Sk")
        or line[position - 1] == "\u200d"
    ):
        position -= 1
    head = line[:position]
    words, space, _ = head.rpartition(" ")
    return words.rstrip(",;:.") if space and len(words) > 2 * position / 3 else head
