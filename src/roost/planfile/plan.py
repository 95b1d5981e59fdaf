"""Converts the rows of a plan file into posts, and refuses invalid rows."""

import hashlib
import json
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path, PureWindowsPath
from typing import Final
from zoneinfo import ZoneInfo

from roost.formats import format_count
from roost.models import NO_OPTIONS, PartOptions, Violation
from roost.planfile.options import list_cells, read_options
from roost.planfile.table import MiscountedRow, read_file, read_table
from roost.planfile.times import TimeInvalid, get_time_zone, parse_due_in_zone
from roost.publishing.part_input import MediaInput, PartInput

_SEPARATOR: Final = "|"
_MAX_QUOTED: Final = 40
_account_name = re.compile(r"@?([A-Za-z0-9_]{1,15})").fullmatch


@dataclass(frozen=True, slots=True)
class PlannedPost:
    """One post of a plan: a row, or the rows of a thread."""

    line: int
    """The line of the file on which the post's first row begins, counted from 1."""
    lines: tuple[int, ...]
    """The line on which the row of each part begins."""
    account: str
    """The account as `@name`, spelled as in the file."""
    due_at: datetime
    """The due time in UTC."""
    parts: tuple[PartInput, ...]
    key: str
    """The key that identifies the post in the plan. Rows that are read again get the same key."""


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that is not imported, and the reasons."""

    line: int
    """The line of the file on which the row begins, counted from 1."""
    code: str
    """The code of the first reason."""
    message: str
    """The messages of all reasons."""
    reasons: tuple[Violation, ...]

    @classmethod
    def from_violations(cls, line: int, violations: Sequence[Violation]) -> "RefusedRow":
        """Return the refusal of the row on `line`; there must be at least one violation."""
        message = " ".join(violation.message for violation in violations)
        return cls(line, violations[0].code, message, tuple(violations))


@dataclass(frozen=True, slots=True)
class Plan:
    """The content of a plan file: the posts to import, and the refused rows."""

    posts: tuple[PlannedPost, ...]
    """The posts, in the order of the file."""
    refused: tuple[RefusedRow, ...]
    """The refused rows, sorted by line."""
    sha256: str
    """The hash of the file's content."""


@dataclass(slots=True)
class _Row:
    """A row that is being converted: cells, parsed values, and reasons for a refusal."""

    line: int
    cells: Mapping[str, str]
    account: str = ""
    due_at: datetime | None = None
    media: tuple[MediaInput, ...] = ()
    options: PartOptions = NO_OPTIONS
    reasons: list[Violation] = field(default_factory=list)

    @property
    def thread(self) -> str:
        return self.cells["thread"].strip()

    @property
    def text(self) -> str:
        # Spreadsheets write two characters (CR and LF) for a line end, and X would count both.
        return self.cells["text"].replace("\r\n", "\n").replace("\r", "\n")


def read_plan(path: Path, *, time_zone: str, now: datetime) -> Plan:
    """Read a plan file.

    Times without an offset are in `time_zone`; times such as `+20s` are relative to `now`.
    Raises: PlanInvalid if the file as a whole is invalid, so that nothing can be imported;
    TimeZoneUnknown.
    """
    zone = get_time_zone(time_zone)
    data = read_file(path)
    rows, miscounted = read_table(data, path.name)
    posts: list[PlannedPost] = []
    refused = [
        RefusedRow.from_violations(row.line, [_columns_miscounted(row)]) for row in miscounted
    ]
    identities: Counter[str] = Counter()
    miscounted_lines = _lines_by_cell(miscounted)
    for group in _group([_Row(row.line, row.cells) for row in rows]):
        _parse_rows(group, path.absolute().parent, zone, now)
        _refuse_incomplete_thread(group, miscounted_lines)
        if any(row.reasons for row in group):
            refused += _refuse_together({row.line: row.reasons for row in group})
            continue
        identity = _identity(group)
        identities[identity] += 1
        posts.append(_planned_post(group, f"{identity} {identities[identity]}"))
    refused.sort(key=lambda row: row.line)
    return Plan(tuple(posts), tuple(refused), hashlib.sha256(data).hexdigest())


def refuse_post(post: PlannedPost, violations: Sequence[Violation]) -> list[RefusedRow]:
    """Return the refused rows of a post; if one part is invalid, its whole thread is refused.

    A violation without a part applies to every row.
    """
    return _refuse_together(
        {
            line: [violation for violation in violations if violation.part in (position, None)]
            for position, line in enumerate(post.lines, start=1)
        }
    )


def _columns_miscounted(row: MiscountedRow) -> Violation:
    return Violation(
        "columns_miscounted",
        f"The row has {format_count(len(row.cells), 'column')}; the plan's first line has"
        f" {row.expected}.",
        limit=row.expected,
        found=len(row.cells),
        next="Put a text that contains commas in quotes, and keep the commas of empty columns.",
    )


def _group(rows: list[_Row]) -> list[list[_Row]]:
    """Group the rows into posts by their thread name, in the order of the file."""
    groups: dict[str | int, list[_Row]] = {}
    for row in rows:
        groups.setdefault(_folded(row.thread) or row.line, []).append(row)
    return list(groups.values())


def _folded(thread: str) -> str:
    """Return a normalized thread name, so that case, width and spaces make no difference."""
    return " ".join(unicodedata.normalize("NFKC", thread).casefold().split())


def _parse_rows(group: list[_Row], folder: Path, zone: ZoneInfo, now: datetime) -> None:
    """Parse the cells of one post's rows. Only the first row needs an account and a time."""
    first = group[0]
    for row in group:
        if row is first or row.cells["account"].strip():
            row.account = _read_account(row)
        if row is first or row.cells["at"].strip():
            row.due_at = _read_due(row, zone, now)
        row.media = _read_media(row, folder)
        row.options, violations = read_options(row.cells)
        row.reasons += violations
    for row in group[1:]:
        if row.thread != first.thread:
            row.reasons.append(_name_differs(row, first))
        if row.account and first.account and row.account.lower() != first.account.lower():
            row.reasons.append(_value_differs(row, first, "account", row.account, first.account))
        if row.due_at and first.due_at and row.due_at != first.due_at:
            row.reasons.append(_value_differs(row, first, "at", row.cells["at"], first.cells["at"]))


def _read_account(row: _Row) -> str:
    name = row.cells["account"].strip()
    if match := _account_name(name):
        return f"@{match[1]}"
    row.reasons.append(
        Violation(
            "account_invalid",
            f"{name[:_MAX_QUOTED]!r} is not the name of an X account."
            if name
            else "The account is missing.",
            next="Write the account as @name.",
        )
    )
    return ""


def _read_due(row: _Row, zone: ZoneInfo, now: datetime) -> datetime | None:
    try:
        return parse_due_in_zone(zone, row.cells["at"].strip(), now)
    except TimeInvalid as error:
        row.reasons.append(Violation(error.code, error.message, next=error.next))
        return None


def _read_media(row: _Row, folder: Path) -> tuple[MediaInput, ...]:
    names, alts = (_split(row.cells[column]) for column in ("media", "alt"))
    if len(alts) > len(names):
        row.reasons.append(
            Violation(
                "alt_text_without_media",
                f"The row has {format_count(len(alts), 'alt text')} for"
                f" {format_count(len(names), 'media file')}.",
                limit=len(names),
                found=len(alts),
                next="Give each file one alt text; none may contain `|`, the separator.",
            )
        )
    alts += [""] * (len(names) - len(alts))
    media = []
    for name, alt in zip(names, alts, strict=False):
        if violation := _validate_path(name, folder):
            row.reasons.append(violation)
        else:
            media.append(MediaInput(folder / name, alt or None))
    return tuple(media)


def _split(cell: str) -> list[str]:
    return [part.strip() for part in cell.split(_SEPARATOR)] if cell.strip() else []


def _quote(name: str) -> str:
    """Quote the beginning of a file name as it is written in the plan."""
    return f"'{name[:_MAX_QUOTED]}'"


def _validate_path(name: str, folder: Path) -> Violation | None:
    """Allow only files in the plan's folder, because a plan may come from a third party."""
    if not name:
        return Violation(
            "media_path_missing",
            "There is no file name between two `|` signs.",
            next="Remove the extra `|`.",
        )
    if _is_url(name):
        return Violation(
            "media_path_address",
            f"{_quote(name)} is a URL; a plan contains paths of files.",
            found=name,
            next="Save the file in the plan's folder and write its path relative to that folder.",
        )
    if "\\" in name and not PureWindowsPath(name).drive:
        return Violation(
            "media_path_backslash",
            f"{_quote(name)} contains a backslash, which is a separator only on Windows.",
            found=name,
            next=f"Write {_quote(name.replace(chr(92), '/'))}.",
        )
    if Path(name).is_absolute() or PureWindowsPath(name).drive:
        problem = "is an absolute path"
    elif not _is_inside(folder / name, folder):
        problem = "leads out of the plan's folder"
    else:
        return None
    return Violation(
        "media_path_outside",
        f"{_quote(name)} {problem}.",
        found=name,
        next="Put the file into the plan's folder and write its path relative to that folder.",
    )


_is_url = re.compile(r"(?:[a-z][a-z0-9+.-]*://|www\.|data:)", re.IGNORECASE).match


def _is_inside(path: Path, folder: Path) -> bool:
    # `Path.resolve` would raise an exception for circular links. `realpath` accepts them, and
    # probing the file refuses them later.
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))


def _value_differs(row: _Row, first: _Row, column: str, found: str, expected: str) -> Violation:
    return Violation(
        f"thread_{column}_differs",
        f"Its thread {row.thread!r} began on line {first.line} with {expected}; "
        f"this part has {found}.",
        limit=expected,
        found=found,
        next="Leave the cell empty in the later parts, or use another thread name.",
    )


def _name_differs(row: _Row, first: _Row) -> Violation:
    """Return a violation for a row whose thread name is spelled differently than in `first`.

    Roost does not guess whether both rows belong to one thread, because a wrong guess would publish
    an unintended thread.
    """
    return Violation(
        "thread_name_differs",
        f"Its thread is {row.thread[:_MAX_QUOTED]!r} here and {first.thread[:_MAX_QUOTED]!r} on"
        f" line {first.line}: one thread or two?",
        limit=first.thread,
        found=row.thread,
        next="Use the same spelling in every part, or use another thread name.",
    )


def _lines_by_cell(rows: Sequence[MiscountedRow]) -> dict[str, int]:
    """Map each cell of the rows with a wrong number of cells to the line of its first use.

    The cells are normalized like thread names, by `_folded`.
    """
    lines: dict[str, int] = {}
    for row in rows:
        for cell in row.cells:
            lines.setdefault(_folded(cell), row.line)
    return lines


def _refuse_incomplete_thread(group: list[_Row], miscounted_lines: Mapping[str, int]) -> None:
    """Refuse a thread if its name is in a cell of a row with a wrong number of cells.

    Such a row may be one of the thread's parts.
    """
    line = miscounted_lines.get(_folded(group[0].thread))
    if group[0].thread and line is not None:
        for row in group:
            row.reasons.append(_thread_refused(line))


def _thread_refused(line: int) -> Violation:
    return Violation(
        "thread_refused",
        f"Line {line}, in the same thread, is refused; a thread is imported completely or not at"
        " all.",
        next=f"Correct line {line}.",
    )


def _refuse_together(reasons: Mapping[int, Sequence[Violation]]) -> list[RefusedRow]:
    """Refuse all rows of a post. The message of a valid row refers to the first invalid row."""
    first_invalid = next(line for line, violations in reasons.items() if violations)
    return [
        RefusedRow.from_violations(line, violations or [_thread_refused(first_invalid)])
        for line, violations in reasons.items()
    ]


def _identity(group: list[_Row]) -> str:
    """Return the content by which a post is recognized when its plan is read again."""
    first = group[0]
    required = [
        first.account.lower(),
        first.cells["at"].strip(),
        first.thread,
        [[row.text, _split(row.cells["media"])] for row in group],
    ]
    # Posts that were imported before the optional columns existed must keep their keys.
    options = [list_cells(row.cells) for row in group]
    return json.dumps([*required, options] if any(options) else required)


def _planned_post(group: list[_Row], identity: str) -> PlannedPost:
    first = group[0]
    assert first.due_at is not None, "a row without a time is refused"
    return PlannedPost(
        line=first.line,
        lines=tuple(row.line for row in group),
        account=first.account,
        due_at=first.due_at,
        parts=tuple(PartInput(row.text, row.media, row.options) for row in group),
        key=hashlib.sha256(identity.encode()).hexdigest(),
    )
