"""Escapes untrusted text for a terminal, a table, a log, a page or a chart. Pure.

Posts, names, X's messages, file names and cells of plans are untrusted. A control character can
move the cursor, write the clipboard or break a chart; a direction override makes a text look
different from the post on X. Each such character is replaced by its escape, for example `\\x1b` or
`\\u202e`.
"""

import re
from typing import Final

#: Control characters (C0 and C1) except tab and newline, line and paragraph separators, direction
#: embeddings, overrides and isolates, annotation marks, lone surrogates, and non-characters.
_ACTIVE: Final = re.compile(
    "[\0-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufff9-\ufffb"
    "\ud800-\udfff\ufffe\uffff]"
)
#: The characters that a post cannot contain: every control character except tab and newline.
_CONTROL: Final = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_CRLF: Final = "\r\n"


def find_controls(text: str) -> list[str]:
    """Return each control character in a text that X refuses in posts, in the form `U+001B`."""
    return sorted({f"U+{ord(char):04X}" for char in _CONTROL.findall(text)})


def terminal(text: str) -> str:
    """Escape a text for a terminal; tabs and newlines stay."""
    return _ACTIVE.sub(_spelled, text.replace(_CRLF, "\n"))


def indented(text: str, by: str) -> str:
    """Escape a text for a terminal, and indent every line after the first.

    Without the indent, a line of the text could look like output of Roost.
    """
    return terminal(text).replace("\n", f"\n{by}")


def one_line(text: str) -> str:
    """Escape a text for a table cell or a part of a line; newlines and tabs become spaces."""
    return terminal(text).replace("\n", " ").replace("\t", " ")


def log_line(text: str) -> str:
    """Escape a text for a log: the result is one line, in which a newline is shown as `\\n`."""
    return _ACTIVE.sub(_spelled, text).replace("\n", "\\n").replace("\t", "\\t")


def markup(text: str) -> str:
    """Escape the control characters that XML forbids; the caller escapes `<`, `&` and quotes."""
    return terminal(text)


def form_value(text: str) -> str:
    """Escape control characters in the value of a form field.

    Unicode's bidirectional control characters are not escaped, so that the form submits them
    unchanged.
    """
    return _CONTROL.sub(_spelled, text)


def json_text(encoded: str) -> str:
    """In encoded JSON, replace characters that affect a terminal with their JSON escapes.

    The result decodes to the same value.
    """
    return _ACTIVE.sub(lambda found: f"\\u{ord(found[0]):04x}", encoded)


def _spelled(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
