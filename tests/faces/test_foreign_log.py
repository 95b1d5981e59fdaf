"""Hostile text in the log: each record stays one line, and the text controls no terminal."""

import contextlib
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from fix_foreign import HOSTILE, acts_on_terminal, fill_with_hostile
from fix_publishing import Publisher
from fix_runtime import connect_account
from roost.telemetry import log_to_stderr

_RECORD = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} [A-Z]+ \S+ .*")


@contextlib.contextmanager
def logging_to_stderr() -> Iterator[None]:
    """Log everything to standard error, as a command does."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    log_to_stderr(logging.DEBUG)
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)


def forged(log: str) -> list[str]:
    """Return the lines that are neither records nor indented lines below a record."""
    lines = [line for line in log.splitlines() if not line.startswith("    ")]
    return [line for line in lines if not _RECORD.fullmatch(line)]


async def test_no_response_of_x_forges_a_record(
    publisher: Publisher, admin_url: str, teal: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await publisher.emulator.control("users", username="pays", name=HOSTILE)
    account = await connect_account(publisher.runtime, publisher.tenant, publisher.emulator, "pays")
    await publisher.emulator.switch(quote_request_in_errors=True)
    with logging_to_stderr():
        for kind in ("400quote", "401", "402", "429", "503", "403html"):
            await publisher.emulator.fail("create_post", "before", kind)
            await publisher.schedule(f"Low tide {kind}", account=account)
            await publisher.run_due_jobs()
            await publisher.emulator.jump(hours=0.1)
        await fill_with_hostile(publisher, admin_url, teal)
        await publisher.emulator.jump(hours=30)
        await publisher.run_due_jobs()
    log = capsys.readouterr().err
    assert "alert failed" in log
    assert (forged(log), acts_on_terminal(log)) == ([], [])


def test_neither_arguments_nor_tracebacks_forge_a_record(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log = logging.getLogger("roost.test")
    with logging_to_stderr():
        log.warning("post %s: %s", 1, HOSTILE)
        log.warning(HOSTILE)
        try:
            raise ValueError(HOSTILE)
        except ValueError:
            log.exception("failed")
    output = capsys.readouterr().err
    assert output.count("{{7*7}}") == 2
    assert "failed\\nValueError at test_foreign_log.py:" in output
    assert (forged(output), acts_on_terminal(output)) == ([], [])
