"""The decoding processes as their parent sees them: started when needed, kept warm, given up on.

At most two work at a time, each in a fork for one file. One that hangs is ended and never asked
again. Nothing here touches an event loop; callers in one use a thread.
"""

import atexit
import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import roost
from roost.errors import Broken
from roost.mediafile.facts import Refusal, Unreadable

_CHILDREN: Final = 2
#: Loading the decoders from a cold disk on a busy machine; no file is to blame for it.
_START_SECONDS: Final = 60
#: A process ends by itself after 300 idle seconds; one that may be about to is not asked.
_WARM_SECONDS: Final = 240
_ANSWER_BYTES: Final = 64 << 10
#: Its environment is empty, so it is told by its words where this package lies.
_PROGRAM: Final = (
    "import sys; sys.path.insert(0, sys.argv[1]); from roost.mediafile.child import main; main()"
)
_SOURCE: Final = str(Path(roost.__file__).resolve().parents[1])


class DecoderUnavailable(Broken):
    """The decoding process cannot be started, or lacks a library."""

    default_next = "Install Roost again; Pillow and PyAV belong to it."


@dataclass(frozen=True, slots=True)
class Request:
    """One thing to do with open files, and how long it may take."""

    operation: str
    wall_seconds: int
    cpu_seconds: int
    arguments: dict[str, Any]


class _Gone(Exception):
    """The process ended without an answer."""


class _Child:
    def __init__(self) -> None:
        self.requests = 0
        self._used_at = time.monotonic()
        self._socket, theirs = socket.socketpair()
        with theirs:
            try:
                self._process = subprocess.Popen(  # noqa: S603  our own interpreter and module
                    [sys.executable, "-P", "-c", _PROGRAM, _SOURCE],
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    env={},
                    cwd="/",
                    start_new_session=True,
                )
            except OSError as error:
                self._socket.close()
                raise DecoderUnavailable(
                    f"The decoding process cannot be started: {error}."
                ) from error
        try:
            told = self._receive(time.monotonic() + _START_SECONDS)
        except (_Gone, TimeoutError) as error:
            self.end()
            raise DecoderUnavailable("The decoding process does not start.") from error
        if "broken" in told:
            self.end()
            raise DecoderUnavailable(f"The decoding process lacks a library: {told['broken']}.")

    def ask(self, request: Request, descriptors: list[int], deadline: float) -> dict[str, Any]:
        """Raises: _Gone, TimeoutError."""
        self.requests += 1
        line = json.dumps(
            {
                "operation": request.operation,
                "wall_seconds": request.wall_seconds,
                "cpu_seconds": request.cpu_seconds,
                "arguments": request.arguments,
            }
        ).encode()
        self._socket.settimeout(request.wall_seconds)
        try:
            socket.send_fds(self._socket, [line], descriptors)
        except TimeoutError:
            raise
        except OSError as error:
            raise _Gone from error
        answer = self._receive(deadline)
        self._used_at = time.monotonic()
        if "broken" in answer:
            raise DecoderUnavailable(
                f"The decoding process gave up: {answer['broken']}.",
                next="Run Roost as a user other than root, or let root change users (CAP_SETUID).",
            )
        return answer

    def _receive(self, deadline: float) -> dict[str, Any]:
        received = bytearray()
        while not received.endswith(b"\n"):
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self._socket.settimeout(left)
            try:
                more = self._socket.recv(_ANSWER_BYTES)
            except TimeoutError:
                raise
            except OSError as error:
                raise _Gone from error
            received += more
            if not more or len(received) > _ANSWER_BYTES:
                raise _Gone
        try:
            answer = json.loads(received)
        except ValueError as error:
            raise _Gone from error
        if not isinstance(answer, dict):
            raise _Gone
        return answer

    def is_warm(self) -> bool:
        return self._process.poll() is None and time.monotonic() - self._used_at < _WARM_SECONDS

    def end(self) -> None:
        self._socket.close()
        self._process.kill()
        self._process.wait()

    def forget(self) -> None:
        """Let go of a process that belongs to the process this one was forked from."""
        self._socket.close()
        self._process.returncode = 0  # Keeps Popen from waiting for what is not our child.


class _Children:
    def __init__(self) -> None:
        self._turn = threading.BoundedSemaphore(_CHILDREN)
        self._lock = threading.Lock()
        self._idle: list[_Child] = []
        self._all: set[_Child] = set()

    def ask(self, request: Request, descriptors: list[int]) -> dict[str, Any]:
        with self._turn:
            child = self._take()
            was_used = child.requests > 0
            deadline = time.monotonic() + request.wall_seconds
            try:
                answer = self._ask(child, request, descriptors, deadline)
            except _Gone:
                if not was_used:
                    raise
                # A used process may have ended just before: no file is to blame for that.
                child = self._start()
                answer = self._ask(child, request, descriptors, deadline)
            with self._lock:
                self._idle.append(child)
            return answer

    def _ask(
        self, child: _Child, request: Request, descriptors: list[int], deadline: float
    ) -> dict[str, Any]:
        try:
            return child.ask(request, descriptors, deadline)
        except BaseException:
            self._drop(child)
            raise

    def _take(self) -> _Child:
        while True:
            with self._lock:
                if not self._idle:
                    break
                child = self._idle.pop()
            if child.is_warm():
                return child
            self._drop(child)
        return self._start()

    def _start(self) -> _Child:
        child = _Child()
        with self._lock:
            self._all.add(child)
        return child

    def _drop(self, child: _Child) -> None:
        child.end()
        with self._lock:
            self._all.discard(child)

    def end_idle(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for child in idle:
            self._drop(child)

    def forget(self) -> None:
        for child in self._all:
            child.forget()


_children = _Children()
_DIED: Final = "the decoder's process ended over it"


def ask_child(request: Request, descriptors: list[int]) -> dict[str, Any]:
    """Have a limited process do this; what it found.

    Raises: Refusal (with the process's own reason, or that it died or took too long),
    DecoderUnavailable.
    """
    try:
        answer = _children.ask(request, descriptors)
    except _Gone:
        raise Refusal(Unreadable.DECODER_DIED, _DIED) from None
    except TimeoutError:
        raise _too_slow(request) from None
    ended = answer.get("ended")
    if ended == "late":
        raise _too_slow(request)
    if ended is not None:
        raise Refusal(Unreadable.DECODER_DIED, _DIED)
    found = answer.get("found")
    if isinstance(found, dict):
        return found
    if answer.get("refused") not in set(Unreadable):
        raise Refusal(Unreadable.DECODER_DIED, "the decoder's process answered nonsense")
    raise Refusal(Unreadable(answer["refused"]), str(answer.get("detail")))


def _too_slow(request: Request) -> Refusal:
    return Refusal(
        Unreadable.DECODER_TOO_SLOW,
        f"decoding it did not end within {request.wall_seconds} seconds",
    )


def close() -> None:
    """End the processes that wait for work; the next file starts another."""
    _children.end_idle()


def _begin_anew_after_fork() -> None:
    global _children
    _children.forget()
    _children = _Children()


atexit.register(close)
with contextlib.suppress(AttributeError):
    os.register_at_fork(after_in_child=_begin_anew_after_fork)
