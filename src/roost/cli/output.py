"""Output of all commands: results as JSON or text, notes, prices, warnings and errors."""

import dataclasses
import json
import sys
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from roost import escaping
from roost.cli.next_actions import describe_next, error_as_json
from roost.errors import RoostError

if TYPE_CHECKING:  # these modules are imported where they are needed: every command loads this file
    from rich.console import Console

    from roost.models import PostFinding
    from roost.prices import Price

#: The progress of copying is reported for files of at least this size. A smaller file is copied
#: before a person could read the report.
_LARGE_BYTES: Final = 64 << 20
_MIB: Final = 1 << 20


def to_json(value: Any) -> Any:
    """Return a value as JSON types.

    A model of `roost.cli.schemas` is converted by its own rules. Dataclasses become objects,
    reasons become objects with a sentence, instants and days become ISO 8601 strings, dollars
    become numbers, and durations become numbers of seconds.
    """
    from roost.models import Reason

    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if isinstance(value, Reason):
        from roost.publishing.history import reason_as_json

        return to_json(reason_as_json(value))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value) if f.repr}
        return to_json(fields)
    if isinstance(value, dict):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [to_json(item) for item in value]
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, Path):
        return str(value)
    return value


def print_result(value: Any, text: str | None = None, *, as_json: bool) -> None:
    """Print the command's result on standard output: `value` as JSON, or `text`."""
    if as_json:
        is_unicode = sys.stdout.encoding.lower().startswith("utf")
        encoded = json.dumps(to_json(value), ensure_ascii=not is_unicode)
        print(escaping.json_text(encoded), flush=True)  # noqa: T201  the result
    elif text is not None:
        print(escaping.terminal(text), flush=True)  # noqa: T201


def print_note(text: str) -> None:
    """Print a note on standard error, because standard output is for the command's result."""
    print(escaping.terminal(text), file=sys.stderr, flush=True)  # noqa: T201


def make_console(*, stderr: bool = False, quiet: bool = False) -> "Console":
    """Return a console for tables, which does not interpret any text as markup.

    The caller escapes the text of each cell with `escaping.one_line`.
    """
    from rich.console import Console

    return Console(stderr=stderr, quiet=quiet, markup=False, emoji=False, highlight=False)


def describe_price(price: "Price") -> str:
    """Return a price in dollars with its reason; a range if X's documents are ambiguous."""
    from roost.prices import format_range

    reason = f" ({price.reason})" if price.reason else ""
    return format_range(price.low, price.high) + reason


def describe_finding(finding: "PostFinding") -> str:
    """Return a warning about a post as one line."""
    part = f"part {finding.part}: " if finding.part is not None else ""
    return escaping.one_line(f"! {part}{finding.code}: {finding.message} {finding.next}".rstrip())


def print_findings(findings: "Sequence[PostFinding]") -> None:
    """Print the findings about a post, which is stored anyway, as warnings on standard error."""
    for finding in findings:
        print_note(describe_finding(finding))


def print_error(error: RoostError, *, as_json: bool) -> None:
    """Print an error: as JSON on standard output, or as sentences on standard error."""
    if as_json:
        from roost.cli.schemas.errors import describe_error

        print_result(describe_error(error_as_json(error)), as_json=True)
        return
    print_note(escaping.one_line(f"{error.code}: {error.message}"))
    violations = error.facts.get("violations", [])
    for violation in violations:
        # `error.message` is the message of the first violation, so a single one is not repeated.
        reason = violation["message"] if len(violations) > 1 else ""
        if listed := f"{reason} {violation.get('next') or ''}".strip():
            print_note(escaping.one_line(f"  · {listed}"))
    if "sql" in error.facts:
        print_note(error.facts["sql"])
    if error.did:
        print_note(escaping.one_line(error.did))
    if advice := describe_next(error):
        print_note(escaping.one_line(advice))


class CopyProgress:
    """Reports the copying of a large file by a line on standard error for each quarter."""

    def __init__(self) -> None:
        self._reported = (Path(), 0)

    def __call__(self, path: Path, done: int, size: int) -> None:
        """Report that `done` of `size` bytes are copied, if another quarter is complete."""
        quarter = 4 * done // size
        if size < _LARGE_BYTES or self._reported == (path, quarter) or not quarter:
            return
        from roost.mediafile.probe import printable_name

        self._reported = (path, quarter)
        print_note(f"{printable_name(path)}: {done // _MIB} of {size // _MIB} MB copied")
