"""A plan: the rows of its table understood as posts, and those that are wrong told apart."""

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

from roost.models import NO_OPTIONS, PartOptions, Violation
from roost.planfile.options import list_cells, read_options
from roost.planfile.table import StrayLine, read_file, read_table
from roost.planfile.times import TimeInvalid, due_in, read_zone

_BETWEEN: Final = "|"
_SHOWN: Final = 40
_account_name = re.compile(r"@?([A-Za-z0-9_]{1,15})").fullmatch


@dataclass(frozen=True, slots=True)
class PlannedPart:
    """One tweet of a plan."""

    text: str
    media: tuple[tuple[Path, str | None], ...] = ()
    """Files by absolute path, each with its alt text: in the plan's folder, not yet looked at."""
    options: PartOptions = NO_OPTIONS


@dataclass(frozen=True, slots=True)
class PlannedPost:
    """One post of a plan: a row, or the rows of a thread."""

    line: int
    """Where its first row begins in the file, counted from 1."""
    lines: tuple[int, ...]
    """Where the row of each part begins."""
    account: str
    """As `@name`, in the file's spelling."""
    due_at: datetime
    """In UTC."""
    parts: tuple[PlannedPart, ...]
    key: str
    """Unique in its plan, and the same for the same rows in every later reading."""


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that does not go in, and why."""

    line: int
    """Where it begins in the file, counted from 1."""
    code: str
    """That of the first reason."""
    message: str
    """Every reason, a sentence each."""
    reasons: tuple[Violation, ...]

    @classmethod
    def from_violations(cls, line: int, violations: Sequence[Violation]) -> "RefusedRow":
        """The row that begins on `line`, with one reason or more."""
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
    """A row on its way: what it says, what of it could be understood, and what is wrong."""

    line: int
    cells: Mapping[str, str]
    account: str = ""
    due_at: datetime | None = None
    media: tuple[tuple[Path, str | None], ...] = ()
    options: PartOptions = NO_OPTIONS
    reasons: list[Violation] = field(default_factory=list)

    @property
    def thread(self) -> str:
        return self.cells["thread"].strip()

    @property
    def text(self) -> str:
        # A spreadsheet's line ends would count twice and reach X as two.
        return self.cells["text"].replace("\r\n", "\n").replace("\r", "\n")


def read_plan(path: Path, *, time_zone: str, now: datetime) -> Plan:
    """Read a plan; times without an offset are in `time_zone`, `+20s` counts from `now`.

    Raises: PlanInvalid where the file as a whole cannot be understood (nothing of it goes in);
    TimeZoneUnknown.
    """
    zone = read_zone(time_zone)
    data = read_file(path)
    lines, strays = read_table(data, path.name)
    posts: list[PlannedPost] = []
    refused = [RefusedRow.from_violations(one.number, [_miscounted(one)]) for one in strays]
    seen: Counter[str] = Counter()
    stray_lines = _first_stray_lines(strays)
    for group in _group([_Row(line.number, line.cells) for line in lines]):
        _understand(group, path.absolute().parent, zone, now)
        _blame_stray(group, stray_lines)
        if any(row.reasons for row in group):
            refused += _refuse_together({row.line: row.reasons for row in group})
            continue
        identity = _identity(group)
        seen[identity] += 1
        posts.append(_planned(group, f"{identity} {seen[identity]}"))
    refused.sort(key=lambda row: row.line)
    return Plan(tuple(posts), tuple(refused), hashlib.sha256(data).hexdigest())


def refuse_post(post: PlannedPost, violations: Sequence[Violation]) -> list[RefusedRow]:
    """The rows of a planned post that breaks a rule: one bad part refuses its whole thread.

    A violation without a part concerns every row.
    """
    return _refuse_together(
        {
            line: [one for one in violations if one.part in (position, None)]
            for position, line in enumerate(post.lines, start=1)
        }
    )


def _miscounted(stray: StrayLine) -> Violation:
    return Violation(
        "columns_miscounted",
        f"The row has {len(stray.cells)} columns; the plan's first line has {stray.expected}.",
        limit=stray.expected,
        found=len(stray.cells),
        next="Put a text that holds commas in quotes, and keep the commas of empty columns.",
    )


def _group(rows: list[_Row]) -> list[list[_Row]]:
    """The rows of each post, by the thread they name, in the order of the file."""
    groups: dict[str | int, list[_Row]] = {}
    for row in rows:
        groups.setdefault(_folded(row.thread) or row.line, []).append(row)
    return list(groups.values())


def _folded(thread: str) -> str:
    """A thread's name without what people do not see as another name: case, width, spaces."""
    return " ".join(unicodedata.normalize("NFKC", thread).casefold().split())


def _understand(group: list[_Row], folder: Path, zone: ZoneInfo, now: datetime) -> None:
    """Fill in what the rows of one post say; a later part may leave out account and time."""
    first = group[0]
    for row in group:
        if row is first or row.cells["account"].strip():
            row.account = _read_account(row)
        if row is first or row.cells["at"].strip():
            row.due_at = _read_due(row, zone, now)
        row.media = _read_media(row, folder)
        row.options, wrong = read_options(row.cells)
        row.reasons += wrong
    for row in group[1:]:
        if row.thread != first.thread:
            row.reasons.append(_respelled(row, first))
        if row.account and first.account and row.account.lower() != first.account.lower():
            row.reasons.append(_differing(row, first, "account", row.account, first.account))
        if row.due_at and first.due_at and row.due_at != first.due_at:
            row.reasons.append(_differing(row, first, "at", row.cells["at"], first.cells["at"]))


def _read_account(row: _Row) -> str:
    name = row.cells["account"].strip()
    if match := _account_name(name):
        return f"@{match[1]}"
    row.reasons.append(
        Violation(
            "account_invalid",
            f"{name[:_SHOWN]!r} is not the name of an X account."
            if name
            else "The account is missing.",
            next="Write it as @name.",
        )
    )
    return ""


def _read_due(row: _Row, zone: ZoneInfo, now: datetime) -> datetime | None:
    try:
        return due_in(zone, row.cells["at"].strip(), now)
    except TimeInvalid as error:
        row.reasons.append(Violation(error.code, error.message, next=error.next))
        return None


def _read_media(row: _Row, folder: Path) -> tuple[tuple[Path, str | None], ...]:
    names, alts = (_split(row.cells[column]) for column in ("media", "alt"))
    if len(alts) > len(names):
        row.reasons.append(
            Violation(
                "alt_text_without_media",
                f"The row has {len(alts)} alt texts for {len(names)} media.",
                limit=len(names),
                found=len(alts),
                next="Give each file one alt text; `|` separates them and cannot be part of one.",
            )
        )
    alts += [""] * (len(names) - len(alts))
    found = []
    for name, alt in zip(names, alts, strict=False):
        if reason := _outside(name, folder):
            row.reasons.append(reason)
        else:
            found.append((folder / name, alt or None))
    return tuple(found)


def _split(cell: str) -> list[str]:
    return [part.strip() for part in cell.split(_BETWEEN)] if cell.strip() else []


def _outside(name: str, folder: Path) -> Violation | None:
    """A plan may come from elsewhere: it names files beside itself and no others."""
    if not name:
        return Violation(
            "media_path_missing",
            "Between two `|` no file is named.",
            next="Take out the `|` that is too many.",
        )
    if _is_address(name):
        return Violation(
            "media_path_address",
            f"{name[:_SHOWN]!r} is an address; a plan carries files.",
            found=name,
            next="Save the file into the plan's folder and name it from there.",
        )
    if "\\" in name and not PureWindowsPath(name).drive:
        return Violation(
            "media_path_backslash",
            f"{name[:_SHOWN]!r} holds a backslash, which separates folders on Windows alone.",
            found=name,
            next=f"Write {name.replace(chr(92), '/')!r}.",
        )
    if Path(name).is_absolute() or PureWindowsPath(name).drive:
        why = "is an absolute path"
    elif not _is_inside(folder / name, folder):
        why = "leads out of the plan's folder"
    else:
        return None
    return Violation(
        "media_path_outside",
        f"{name!r} {why}.",
        found=name,
        next="Put the file into the plan's folder and name it from there.",
    )


_is_address = re.compile(r"(?:[a-z][a-z0-9+.-]*://|www\.|data:)", re.IGNORECASE).match


def _is_inside(path: Path, folder: Path) -> bool:
    # Path.resolve raises for links in a circle; such a path is the prober's to refuse.
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))


def _differing(row: _Row, first: _Row, column: str, found: str, expected: str) -> Violation:
    return Violation(
        f"thread_{column}_differs",
        f"Its thread {row.thread!r} began on line {first.line} with {expected}; "
        f"this part says {found}.",
        limit=expected,
        found=found,
        next="Leave it empty in the later parts, or name another thread.",
    )


def _respelled(row: _Row, first: _Row) -> Violation:
    """One thread or two: a wrong guess would publish what nobody meant."""
    return Violation(
        "thread_name_differs",
        f"Its thread is {row.thread[:_SHOWN]!r} here and {first.thread[:_SHOWN]!r} on line"
        f" {first.line}: one thread or two?",
        limit=first.thread,
        found=row.thread,
        next="Spell it alike in every part, or name another thread.",
    )


def _first_stray_lines(strays: Sequence[StrayLine]) -> dict[str, int]:
    """For each cell of the stray lines, folded, the number of the first line that has it."""
    found: dict[str, int] = {}
    for stray in strays:
        for cell in stray.cells:
            found.setdefault(_folded(cell), stray.number)
    return found


def _blame_stray(group: list[_Row], stray_lines: Mapping[str, int]) -> None:
    """A row whose columns are lost may be a part of this thread: then the thread has a hole."""
    number = stray_lines.get(_folded(group[0].thread))
    if group[0].thread and number is not None:
        for row in group:
            row.reasons.append(_broken_thread(number))


def _broken_thread(line: int) -> Violation:
    return Violation(
        "thread_refused",
        f"Line {line} of its thread is refused, and a thread goes in whole or not at all.",
        next=f"Correct line {line}.",
    )


def _refuse_together(reasons: Mapping[int, Sequence[Violation]]) -> list[RefusedRow]:
    """Refuse all rows of a post; one without a reason of its own is told whose it shares."""
    guilty = next(line for line, found in reasons.items() if found)
    return [
        RefusedRow.from_violations(line, found or [_broken_thread(guilty)])
        for line, found in reasons.items()
    ]


def _identity(group: list[_Row]) -> str:
    """What makes a post the same post when its plan is read again."""
    first = group[0]
    said = [
        first.account.lower(),
        first.cells["at"].strip(),
        first.thread,
        [[row.text, _split(row.cells["media"])] for row in group],
    ]
    # A plan without such columns keeps the keys under which it was imported before there were any.
    options = [list_cells(row.cells) for row in group]
    return json.dumps([*said, options] if any(options) else said)


def _planned(group: list[_Row], identity: str) -> PlannedPost:
    first = group[0]
    assert first.due_at is not None, "a row without a time has a reason to be refused"
    return PlannedPost(
        line=first.line,
        lines=tuple(row.line for row in group),
        account=first.account,
        due_at=first.due_at,
        parts=tuple(PlannedPart(row.text, row.media, row.options) for row in group),
        key=hashlib.sha256(identity.encode()).hexdigest(),
    )
