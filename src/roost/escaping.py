"""Text that others wrote, made harmless for where it is shown: terminal, table, log, page, chart.

Posts, names, X's sentences, file names and cells of plans are foreign. A control character moves
the cursor, writes the clipboard or breaks a picture; a direction override shows a text in another
order than X will. Each is written as what it is: `\\x1b`, `\\u202e`. Pure.
"""

import re
from typing import Final

#: C0 and C1 but tab and line end, line and paragraph separators, embeddings, overrides and
#: isolates of direction, annotation marks, halves of surrogate pairs, and non-characters.
_ACTIVE: Final = re.compile(
    "[\0-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufff9-\ufffb"
    "\ud800-\udfff\ufffe\uffff]"
)
#: What no post holds: every control character but tab and line end.
_CONTROL: Final = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_CRLF: Final = "\r\n"


def find_controls(text: str) -> list[str]:
    """The control characters that no post may hold, as `U+001B`, each once."""
    return sorted({f"U+{ord(char):04X}" for char in _CONTROL.findall(text)})


def terminal(text: str) -> str:
    """For a terminal: tabs and line ends stay, nothing else acts."""
    return _ACTIVE.sub(_spelled, text.replace(_CRLF, "\n"))


def indented(text: str, by: str) -> str:
    """For a terminal, over several lines: no further line can pass for one of Roost's own."""
    return terminal(text).replace("\n", f"\n{by}")


def one_line(text: str) -> str:
    """For a cell of a table, or within a line: line ends and tabs become spaces."""
    return terminal(text).replace("\n", " ").replace("\t", " ")


def log_line(text: str) -> str:
    """For a log: one line, in which a line end is seen as `\\n`."""
    return _ACTIVE.sub(_spelled, text).replace("\n", "\\n").replace("\t", "\\t")


def markup(text: str) -> str:
    """For a page or a chart, before `<`, `&` and quotes are escaped: XML forbids most controls."""
    return terminal(text)


def editable(text: str) -> str:
    """For a form that sends the text back: marks of direction stay, as they belong to it."""
    return _CONTROL.sub(_spelled, text)


def json_text(encoded: str) -> str:
    """For JSON that a person may see: the same value, with what would act escaped."""
    return _ACTIVE.sub(lambda found: f"\\u{ord(found[0]):04x}", encoded)


def _spelled(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
