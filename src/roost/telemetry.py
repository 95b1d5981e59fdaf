"""Logs without secrets, and the named steps that work passes through.

Secrets never reach a log because nothing logs them; the scrubber is the second net.
"""

import logging
import re
import sys
import textwrap
from collections.abc import Callable
from typing import Any, Final

from roost import escaping

#: Names whose values are secret, wherever they appear (form fields, JSON keys, headers, settings).
SECRET_NAMES: Final = frozenset(
    {
        "access_token", "accesstoken", "refresh_token", "client_secret", "code", "code_verifier",
        "authorization", "api_key", "api_secret", "oauth_token", "oauth_token_secret",
        "oauth_verifier", "password", "twitter_client_secret", "twitter_api_key",
        "twitter_api_secret", "roost_keys",
    }
)  # fmt: skip

_NAMES = "|".join(sorted(SECRET_NAMES, key=len, reverse=True))
_PATTERNS: Final = (
    re.compile(rf"""(?i)(["']?\b(?:{_NAMES})\b["']?\s*[=:]\s*)("[^"]*"|'[^']*'|[^\s,;&}}]+)"""),
    re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/%=-]{8,}"),
    re.compile(r"(postgres(?:ql)?://[^:/@\s]+:)\S+(?=@)"),
)


def scrub(text: str) -> str:
    """The text with the value of anything that looks like a secret replaced by `***`."""
    # The scheme's credentials first: by its name alone, a header would lose only its first word.
    text = _PATTERNS[1].sub(r"\1 ***", text)
    text = _PATTERNS[0].sub(r"\1***", text)
    return _PATTERNS[2].sub(r"\1***", text)


class _ScrubbingFormatter(logging.Formatter):
    """A record is one line without secrets; the lines of a traceback are set off below it."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  the base's name
        return escaping.log_line(scrub(super().formatMessage(record)))

    def formatException(self, ei: Any) -> str:  # noqa: N802  the base's name
        told = escaping.terminal(scrub(super().formatException(ei)))
        return textwrap.indent(told, "    ")


def log_to_stderr(level: int = logging.INFO) -> None:
    """Send Roost's log to standard error, scrubbed; standard output stays for answers."""
    shown = logging.StreamHandler(sys.stderr)
    shown.setFormatter(_ScrubbingFormatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [shown]
    root.setLevel(level)
    # The job engine tells every job at INFO, with its arguments; ours say what matters.
    logging.getLogger("procrastinate").setLevel(logging.WARNING)


_observers: list[Callable[[str], None]] = []


def reached(step: str) -> None:
    """Tell observers that work has come to a named step (tests end processes exactly there)."""
    for observer in _observers:
        observer(step)


def observe(observer: Callable[[str], None]) -> None:
    """Call `observer` with each step's name, in the thread that reaches it."""
    _observers.append(observer)
