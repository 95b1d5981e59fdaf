"""Runs a command: opens the runtime, runs the body, and turns an error into an exit code.

`roost --help` imports this module, so the module imports the settings and the runtime only when a
command needs them.
"""

import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Final

import cyclopts
from cyclopts import App

from roost import changes
from roost.cli import require_extras
from roost.cli.output import print_error
from roost.cli.streams import safe_output, set_least_width
from roost.cli.tenant_option import running_command
from roost.cli.text_input import mark_standard_input
from roost.errors import AdministratorNeeded, Broken, Kind, RoostError, SchemaOutdated
from roost.extras import ExtraMissing
from roost.telemetry import log_lost_exceptions, log_to_stderr
from roost.unexpected import to_roost_error

if TYPE_CHECKING:
    from roost.runtime import Runtime

#: The exit code for each kind of error.
EXIT_CODES: Final = {
    Kind.REFUSED: 1,
    Kind.CONFLICT: 1,
    Kind.NOT_FOUND: 1,
    Kind.INVALID: 2,
    Kind.BUSY: 4,
    Kind.BROKEN: 5,
}
NEEDS_ADMINISTRATOR: Final = 3
INTERRUPTED: Final = 130


class OutputFailed(Broken):
    """The result cannot be written to standard output, for example to a full disk."""

    default_next = "Free space on the disk, or use another file; then run the command again."


def exit_code(error: RoostError) -> int:
    """Return the exit code of a command that fails with this error."""
    if isinstance(error, AdministratorNeeded | SchemaOutdated | ExtraMissing):
        return NEEDS_ADMINISTRATOR
    return EXIT_CODES[error.kind]


def run_command_line(app: App, arguments: list[str] | None) -> int:
    """Run a command line, print any error, and return the exit code.

    If the result cannot be written, the command still completes. If the command has changed
    something, its exit code stays the same, so that no script runs the command again.
    """
    set_least_width()
    with safe_output() as (stdout, _), changes.recording() as made, running_command():
        code = _run(app, arguments)
        stdout.flush()
        if stdout.failure is None or stdout.is_reader_gone:
            return code
        reason = getattr(stdout.failure, "strerror", None) or type(stdout.failure).__name__
        error = OutputFailed(f"The result cannot be written: {reason}.")
        if made.made:
            error.did = "The command has done its work; only its result is lost."
            error.next = "Look at the present state; do not run the command again."
        print_error(error, as_json=False)
        return code if made.made else exit_code(error)


def _run(app: App, arguments: list[str] | None) -> int:
    tokens = sys.argv[1:] if arguments is None else arguments
    as_json = "--json" in tokens
    try:
        require_extras(tokens)
        result = app(
            mark_standard_input(tokens),
            exit_on_error=False,
            print_error=False,
            result_action="return_value",
        )
    except cyclopts.CycloptsError as error:
        from roost.cli.usage import describe_usage

        usage = describe_usage(error, tokens)
        print_error(usage, as_json=as_json)
        return exit_code(usage)
    except RoostError as error:
        print_error(error, as_json=as_json)
        return exit_code(error)
    except (KeyboardInterrupt, asyncio.CancelledError):
        return INTERRUPTED
    except Exception as unexpected:
        wrapped = to_roost_error(unexpected)
        print_error(wrapped, as_json=as_json)
        return exit_code(wrapped)
    return result if isinstance(result, int) else 0


def run_async(work: Callable[[], Awaitable[int | None]]) -> int:
    """Run a command's asynchronous body and return the exit code.

    SIGTERM cancels the body as Ctrl-C does, so that everything that the body opened is closed. If
    a thread does not end afterwards, the process exits after a minute.
    """
    from roost.watchdog import limit_exit_time

    with limit_exit_time() as work_is_over:

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


@contextlib.asynccontextmanager
async def open_for_command(
    level: int = logging.INFO,
    *,
    with_secrets: bool = False,
    wait: bool = False,
) -> "AsyncIterator[Runtime]":
    """Open the runtime, and write log records of at least `level` to standard error.

    With `wait`, the runtime waits until the database can be reached, however long that takes.

    Raises: the errors of `open_runtime`; VaultKeyMissing if `with_secrets` and there is no key.
    """
    from roost.cli.arguments import command_settings
    from roost.runtime import open_runtime

    log_to_stderr(level)
    async with open_runtime(command_settings(), wait=wait) as runtime:
        if with_secrets:
            runtime.vault.require_key()
        yield runtime
