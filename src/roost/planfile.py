"""Reads a content plan (CSV) into posts with their times; a wrong row is refused alone.

Only the file is judged here: X's rules for texts and media are `roost.guards`' business, and
whoever imports a plan tells their violations with `refuse`.
"""

import csv
import hashlib
import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path, PureWindowsPath
from typing import Final

from roost.duetime import TimeInvalid, parse_due, read_zone
from roost.errors import PlanInvalid
from roost.models import Violation

COLUMNS: Final = ("account", "at", "text", "media", "alt", "thread")
_BETWEEN: Final = "|"
_account_name = re.compile(r"@?([A-Za-z0-9_]{1,15})").fullmatch


@dataclass(frozen=True, slots=True)
class PlannedPart:
    """One tweet of a plan."""

    text: str
    media: tuple[tuple[Path, str | None], ...] = ()
    """Files, each with its alt text; inside the plan's folder, not yet looked at."""


@dataclass(frozen=True, slots=True)
class PlannedPost:
    """One post of a plan: a row, or the rows of a thread."""

    line: int
    """Where its first row begins in the file, counted from 1."""
    lines: tuple[int, ...]
    """Where each part's row begins."""
    account: str
    """As `@name`, spelled as in the file."""
    due_at: datetime
    """In UTC."""
    parts: tuple[PlannedPart, ...]
    key: str
    """The same for the same rows in every reading, whatever the time; unique in a plan."""


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that does not go in, and why."""

    line: int
    code: str
    """Of the first reason."""
    message: str
    """Every reason, each a sentence."""
    reasons: tuple[Violation, ...]

    @classmethod
    def from_violations(cls, line: int, violations: Sequence[Violation]) -> "RefusedRow":
        """The row that begins on `line`, refused for at least one violation."""
        message = " ".join(violation.message for violation in violations)
        return cls(line, violations[0].code, message, tuple(violations))


@dataclass(frozen=True, slots=True)
class Plan:
    """What a plan file holds."""

    posts: tuple[PlannedPost, ...]
    """In the order of the file."""
    refused: tuple[RefusedRow, ...]
    """By line."""
    sha256: str
    """Of the file's bytes."""


@dataclass(slots=True)
class _Row:
    """A row on its way: what could be read of it, and what is wrong with it."""

    line: int
    cells: dict[str, str]
    reasons: list[Violation] = field(default_factory=list)
    account: str = ""
    due_at: datetime | None = None
    media: tuple[tuple[Path, str | None], ...] = ()


def read_plan(path: Path, *, time_zone: str, now: datetime) -> Plan:
    """Read a plan; times without an offset are in `time_zone`, `+20s` counts from `now`.

    Raises: PlanInvalid where the file as a whole cannot be understood; nothing of it goes in.
    """
    data = _read_file(path)
    zone = read_zone(time_zone)
    rows, strays = _read_rows(data, path.name)
    groups = _group(rows)
    lost = {cell.strip() for stray, cells in strays for cell in cells}
    refused = [RefusedRow.from_violations(stray, [_wrong_columns(cells)]) for stray, cells in strays]
    posts = []
    seen: Counter[str] = Counter()
    for group in groups:
        _read_cells(group, path.parent, zone=zone.key, now=now)
        thread = group[0].cells["thread"].strip()
        if thread and thread in lost:
            _blame_stray(group, thread, strays)
        if any(row.reasons for row in group):
            refused += _refuse_group({row.line: row.reasons for row in group})
            continue
        identity = _identity(group)
        seen[identity] += 1
        posts.append(_planned(group, f"{identity}-{seen[identity]}"))
    refused.sort(key=lambda row: row.line)
    return Plan(tuple(posts), tuple(refused), hashlib.sha256(data).hexdigest())
