"""Logs have one line per event on standard error, without secrets and exception messages."""

import asyncio
import gc
import logging
import re
import sys
import threading
import warnings
from collections.abc import Callable, Iterator

import pytest

from roost import failpoints
from roost.escaping import log_line
from roost.failpoints import failpoint, on_failpoint
from roost.telemetry import log_lost_exceptions, log_to_stderr

TOKEN = "dGhpcy1pcy1hLXRva2VuOjE3OTU1MjE2"


@pytest.fixture
def root_logger() -> Iterator[logging.Logger]:
    """The root logger; its handlers and level are restored after the test."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield root
    root.handlers[:] = handlers
    root.setLevel(level)


#: Characters at which programs that read logs may end a line, or that move a terminal's cursor.
LINE_ENDS = ("\n", "\r", "\r\n", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029")
CONTROLS = (*LINE_ENDS, "\x00", "\x07", "\x08", "\x1b[2J", "\x9b31m", "\u202e", "\u2066", "\ud800")
FORGED = "2026-11-23 12:00:00,000 INFO roost.worker all is well"
LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} [A-Z]+ [\w.]+ .+")


class Unforeseen(Exception):
    """An exception of a library, whose message may contain texts of tenants."""


def in_message(words: str) -> None:
    logging.getLogger("roost.test").warning("X said: %s", words)


def in_exception(words: str) -> None:
    for name in ("roost.test", "procrastinate.worker", "uvicorn.error", "sqlalchemy.pool"):
        try:
            try:
                raise Unforeseen(words)
            except Unforeseen as error:
                raise ValueError(f"after {words}") from error
        except ValueError:
            logging.getLogger(name).exception("it did not end well")


def in_stack(words: str) -> None:
    logging.getLogger("roost.test").warning(words, stack_info=True)


def in_warning(words: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn(words, UserWarning, stacklevel=1)


def in_thread(words: str) -> None:
    def work() -> None:
        raise Unforeseen(words)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def in_lost_task(words: str) -> None:
    async def work() -> None:
        raise Unforeseen(words)

    async def body() -> None:
        log_lost_exceptions(asyncio.get_running_loop())
        task = asyncio.create_task(work())
        await asyncio.wait([task])
        del task
        gc.collect()

    asyncio.run(body())


def in_callback(words: str) -> None:
    def work(_: str) -> None:
        raise Unforeseen(words)

    async def body() -> None:
        log_lost_exceptions(asyncio.get_running_loop())
        asyncio.get_running_loop().call_soon(work, words)
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    asyncio.run(body())


def in_destructor(words: str) -> None:
    class Lost:
        def __del__(self) -> None:
            raise Unforeseen(words)

    Lost()
    gc.collect()


def in_arguments(words: str) -> None:
    logging.getLogger("roost.test").warning("two of them: %s %d", words, words)


PLACES = (
    in_message, in_exception, in_stack, in_warning, in_thread, in_lost_task, in_callback,
    in_destructor, in_arguments,
)  # fmt: skip
#: The ways in which a text that Roost has not written gets to the logger. The log must not contain
#: such a text.
WORDLESS = (in_exception, in_thread, in_lost_task, in_callback, in_destructor, in_arguments)


@pytest.fixture
def to_stderr(
    root_logger: logging.Logger, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], None]]:
    """Send the log to standard error, like every command; this is undone after the test."""
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    yield log_to_stderr
    logging.captureWarnings(capture=False)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("control", CONTROLS, ids=ascii)
def test_each_log_line_is_one_line(
    to_stderr: Callable[[], None],
    capsys: pytest.CaptureFixture[str],
    place: Callable[[str], None],
    control: str,
) -> None:
    to_stderr()
    place(f"words{control}{FORGED}")
    shown = capsys.readouterr().err
    assert shown.endswith("\n")
    lines = shown.removesuffix("\n").splitlines()
    assert len(lines) == (4 if place is in_exception else 1)
    for line in lines:
        assert LINE.fullmatch(line)
        assert not [mark for mark in CONTROLS if mark in line]


@pytest.mark.parametrize("place", WORDLESS)
def test_words_of_exceptions_stay_out_of_the_log(
    to_stderr: Callable[[], None], capsys: pytest.CaptureFixture[str], place: Callable[[str], None]
) -> None:
    to_stderr()
    place("a post's very own words")
    shown = capsys.readouterr().err
    assert "very own" not in shown
    if place is not in_arguments:
        assert "Unforeseen at " in shown
        assert "test_telemetry.py:" in shown


def test_what_led_to_an_exception_is_logged(
    to_stderr: Callable[[], None], capsys: pytest.CaptureFixture[str]
) -> None:
    to_stderr()
    in_exception("words")
    assert "ValueError at test_telemetry.py:" in capsys.readouterr().err


def test_one_line_leaves_ordinary_text_as_it_is() -> None:
    text = "Ordinary: é, 日本語, עברית and 👩\u200d🚀."
    assert log_line(text) == text


def test_the_log_goes_to_standard_error_scrubbed(
    to_stderr: Callable[[], None], capsys: pytest.CaptureFixture[str]
) -> None:
    to_stderr()
    try:
        raise ValueError(f"access_token={TOKEN}")
    except ValueError:
        logging.getLogger("roost.test").exception("refresh_token=%s", TOKEN)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "ERROR roost.test refresh_token=***" in shown.err
    assert "ValueError" in shown.err
    assert TOKEN not in shown.err


def test_job_engine_does_not_log_every_job(
    root_logger: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    log_to_stderr()
    logging.getLogger("procrastinate.worker").info("a job with its arguments")
    logging.getLogger("roost.test").info("a line of ours")
    shown = capsys.readouterr().err
    assert "arguments" not in shown
    assert "a line of ours" in shown


def test_observers_hear_each_step_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failpoints, "_observers", [])
    heard: list[str] = []
    on_failpoint(heard.append)
    failpoint("upload.before_send")
    failpoint("create.before_send")
    assert heard == ["upload.before_send", "create.before_send"]
