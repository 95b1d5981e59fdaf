"""Reads a text from standard input, if the command line has `-` instead of the text."""

import sys
from collections.abc import Sequence
from typing import Final

from roost.cli.output import print_note
from roost.errors import InvalidInput

#: Replaces `-` before the command line is parsed. No real argument has this value, because the
#: arguments of a process cannot contain the character NUL.
_STANDARD_INPUT: Final = "\0standard input"
#: The commands that read a text.
_COMMANDS: Final = frozenset({"publish", "check", "edit", "resolve"})
#: The options of these commands that take no value. A `-` after such an option is the text.
FLAGS: Final = frozenset({"--wait", "--no-wait", "--dry-run", "--yes", "--json", "--premium"})
#: The option whose value may be read from standard input.
_TEXT_OPTION: Final = "--text"
#: The maximum length of standard input in bytes; longer than any text that X accepts.
_MAX_BYTES: Final = 1 << 20


def mark_standard_input(tokens: Sequence[str]) -> list[str]:
    """Replace `-` where a command expects a text; the parser would take `-` for an option.

    `--` ends the options, so a `-` that follows `--` is the text `-`.
    """
    if not _COMMANDS.intersection(tokens):
        return list(tokens)
    end = tokens.index("--") if "--" in tokens else len(tokens)
    return [
        _STANDARD_INPUT if _is_mark(tokens, position) and position < end else word
        for position, word in enumerate(tokens)
    ]


def _is_mark(tokens: Sequence[str], position: int) -> bool:
    """Whether the argument at a position is `-` and stands for a text."""
    if tokens[position] != "-":
        return False
    before = tokens[position - 1] if position else ""
    takes_value = before.startswith("--") and "=" not in before and before not in FLAGS
    return not takes_value or before == _TEXT_OPTION


def read_text(text: str) -> str:
    """Return the text; if the command line had `-` instead, return standard input.

    Line ends at the end of standard input are removed. Raises: InvalidInput.
    """
    if text != _STANDARD_INPUT:
        return text
    if sys.stdin.isatty():
        print_note("Write the text. Ctrl-D on an empty line ends it.")
    content = sys.stdin.buffer.read(_MAX_BYTES + 1)
    if len(content) > _MAX_BYTES:
        raise InvalidInput("The text on standard input is longer than 1 MiB.")
    try:
        decoded = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInput(
            "The text on standard input is not UTF-8.", next="Convert the text to UTF-8."
        ) from None
    # Windows ends a line with two characters, CR and LF, and X would count both.
    return decoded.replace("\r\n", "\n").rstrip("\n")
