"""How every command answers: JSON or text, failures in four sentences, the exit code's table."""

import asyncio
import contextlib
import dataclasses
import getpass
import json
import logging
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import cyclopts
from cyclopts import App, Parameter
from rich.console import Console

from roost import escaping
from roost.cli.command_settings import command_settings
from roost.errors import (
    AdministratorNeeded,
    InvalidInput,
    Kind,
    RoostError,
    SchemaOutdated,
)
from roost.models import PostFinding
from roost.prices import Price
from roost.runtime import Runtime, open_runtime, wrap_unexpected
from roost.telemetry import log_lost_exceptions, log_to_stderr
from roost.watchdog import bounded_end

#: What each kind of failure ends a command with.
EXIT_CODES = {
    Kind.REFUSED: 1,
    Kind.CONFLICT: 1,
    Kind.NOT_FOUND: 1,
    Kind.INVALID: 2,
    Kind.BUSY: 4,
    Kind.BROKEN: 5,
}
NEEDS_ADMINISTRATOR = 3
INTERRUPTED = 130

Json = Annotated[
    bool, Parameter(name="--json", negative="", help="Print one JSON object and nothing else.")
]
TenantName = Annotated[str, Parameter(name="--tenant", help="Whose accounts and posts.")]
AccountName = Annotated[
    str | None,
    Parameter(name="--account", help="Which account, as @name; not needed where there is one."),
]


class UsageInvalid(InvalidInput):
    """A command line that the command does not take."""


def exit_code(error: RoostError) -> int:
    """The exit code of a failure."""
    if isinstance(error, AdministratorNeeded | SchemaOutdated):
        return NEEDS_ADMINISTRATOR
    return EXIT_CODES[error.kind]


def plain(value: Any) -> Any:
    """A value as JSON holds it: dataclasses as objects, instants ISO 8601, dollars numbers,
    lengths of time in seconds."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        shown = {f.name: getattr(value, f.name) for f in dataclasses.fields(value) if f.repr}
        return plain(shown)
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, Path):
        return str(value)
    return value


def say(value: Any, text: str | None = None, *, as_json: bool) -> None:
    """Print the answer: JSON of `value`, or `text` for a person."""
    if as_json:
        encoded = json.dumps(plain(value), ensure_ascii=False)
        print(escaping.json_text(encoded), flush=True)  # noqa: T201  the answer
    elif text is not None:
        print(escaping.terminal(text), flush=True)  # noqa: T201


def make_console(*, stderr: bool = False, quiet: bool = False) -> Console:
    """Where tables are printed: no text of a cell is markup, whoever wrote it.

    Escape each cell with `escaping.one_line`.
    """
    return Console(stderr=stderr, quiet=quiet, markup=False, emoji=False, highlight=False)


def show_price(price: Price) -> str:
    """Dollars, as a range where X's documents leave a doubt, and why."""
    if price.is_certain:
        return f"${price.low:.3f} ({price.reason})"
    return f"${price.low:.3f} to ${price.high:.3f} ({price.reason})"


def tell(text: str) -> None:
    """Say something that is not the answer, on standard error."""
    print(escaping.terminal(text), file=sys.stderr, flush=True)  # noqa: T201


def describe_finding(finding: PostFinding) -> str:
    """A warning in a line: what is probably not meant, and what to do about it."""
    part = f"part {finding.part}: " if finding.part is not None else ""
    return escaping.one_line(f"! {part}{finding.code}: {finding.message} {finding.next}".rstrip())


def show_findings(findings: Sequence[PostFinding]) -> None:
    """Warnings about a post that is taken all the same, on standard error."""
    for finding in findings:
        tell(describe_finding(finding))


def show_failure(error: RoostError, *, as_json: bool) -> None:
    """A failure: as JSON on standard output, or in sentences on standard error."""
    if as_json:
        say({"error": error.as_dict()}, as_json=True)
        return
    tell(escaping.one_line(f"{error.code}: {error.message}"))
    for violation in error.facts.get("violations", []):
        reason = f"  · {violation['message']} {violation.get('next') or ''}".rstrip()
        tell(escaping.one_line(reason))
    if "sql" in error.facts:
        tell(error.facts["sql"])
    tell(escaping.one_line(error.did))
    if error.next:
        tell(escaping.one_line(error.next))


def run(app: App, arguments: list[str] | None) -> int:
    """Run a command line; its exit code, whatever happened."""
    wanted = sys.argv[1:] if arguments is None else arguments
    as_json = "--json" in wanted
    try:
        result = app(wanted, exit_on_error=False, print_error=False, result_action="return_value")
    except cyclopts.CycloptsError as error:
        message = str(error).strip() or type(error).__name__
        usage = UsageInvalid(message, next="`roost --help` lists the commands.")
        show_failure(usage, as_json=as_json)
        return 2
    except RoostError as error:
        show_failure(error, as_json=as_json)
        return exit_code(error)
    except (KeyboardInterrupt, asyncio.CancelledError):
        return INTERRUPTED
    except BrokenPipeError:
        return 0
    except Exception as unforeseen:
        told = wrap_unexpected(unforeseen)
        show_failure(told, as_json=as_json)
        return exit_code(told)
    return result if isinstance(result, int) else 0


def complete(work: Callable[[], Awaitable[int | None]]) -> int:
    """Run a command's asynchronous body to its end; its exit code.

    SIGTERM ends it as Ctrl-C does: cancelled, so that what it opened is closed. A thread that is
    stuck then keeps the process alive for a minute at most.
    """
    with bounded_end() as work_is_over:

        async def body() -> int:
            this = asyncio.current_task()
            assert this is not None
            log_lost_exceptions(asyncio.get_running_loop())
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, this.cancel)
            try:
                return await work() or 0
            finally:
                work_is_over()

        return asyncio.run(body())


def actor_name() -> str:
    """What a command signs with: the person at the terminal."""
    try:
        return f"{getpass.getuser()} at the terminal"
    except (OSError, KeyError):  # Of a user that the machine has no name for.
        return "somebody at the terminal"


@contextlib.asynccontextmanager
async def open_for_command(
    level: int = logging.INFO,
    *,
    with_secrets: bool = False,
    actor: str | None = None,
    wait: bool = False,
) -> AsyncIterator[Runtime]:
    """The runtime, with the log from `level` on standard error.

    `who` signs what is written; without it, the person at the terminal does. With `wait`, a
    database that is away is waited for.

    Raises: what `open_runtime` raises; VaultKeyMissing where a key is needed and there is none.
    """
    log_to_stderr(level)
    async with open_runtime(command_settings(), actor=actor or actor_name(), wait=wait) as runtime:
        if with_secrets:
            runtime.vault.require_key()
        yield runtime
