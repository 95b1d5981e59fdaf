"""The decoding processes as their parent sees them: started when needed, kept warm, given up on.

At most two work at a time. One that dies, hangs or asks for too much memory is ended and never
asked again. Nothing here touches an event loop; callers in one use a thread.
"""

import atexit
import contextlib
import json
import os
import signal
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

#: After so many requests a process is replaced: what decoders leak ends with it.
_REQUESTS_A_CHILD: Final = 200
_CHILDREN: Final = 2
#: Loading the decoders from a cold disk on a busy machine; no file is to blame for it.
_START_SECONDS: Final = 60
#: A process ends by itself after 300 idle seconds; one that may be about to is not asked.
_WARM_SECONDS: Final = 240
_ANSWER_BYTES: Final = 64 << 10


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
        # Only what an interpreter needs: secrets of the environment have no business near a
        # decoder of strangers' files.
        environment = {
            name: value
            for name, value in os.environ.items()
            if name in ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LANG", "LC_ALL")
        }
        environment["PYTHONPATH"] = str(Path(roost.__file__).resolve().parents[1])
        # One arena: the address space, which is limited, is not spent on reserves.
        environment["MALLOC_ARENA_MAX"] = "1"
        # Memory of one picture is kept for the next: fresh pages cost as much as decoding.
        environment["MALLOC_MMAP_THRESHOLD_"] = str(16 << 20)
        environment["MALLOC_TRIM_THRESHOLD_"] = str(32 << 20)
        with theirs:
            try:
                self._process = subprocess.Popen(
                    [sys.executable, "-P", "-m", "roost.mediafile.child"],
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    env=environment,
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
        try:
            answer = self._receive(deadline)
        except _Gone as error:
            if self._ended_by_limit():
                raise TimeoutError from error
            raise
        self._used_at = time.monotonic()
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

    def _ended_by_limit(self) -> bool:
        """Whether the kernel ended it for using up its time; asked after its end was noticed."""
        try:
            return self._process.wait(1) in (-signal.SIGXCPU, -signal.SIGALRM)
        except subprocess.TimeoutExpired:
            return False

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
                # A used process may have ended just before, or of what earlier files left in
                # it: whether this file is to blame shows in a fresh one.
                child = self._start()
                answer = self._ask(child, request, descriptors, deadline)
            exhausted = answer.get("refused") == Unreadable.DECODER_OUT_OF_MEMORY
            if exhausted or child.requests >= _REQUESTS_A_CHILD:
                self._drop(child)
            else:
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


def ask_child(request: Request, descriptors: list[int]) -> dict[str, Any]:
    """Have a limited process do this; what it found.

    Raises: Refusal (with the process's own reason, or that it died or took too long),
    DecoderUnavailable.
    """
    try:
        answer = _children.ask(request, descriptors)
    except _Gone:
        raise Refusal(Unreadable.DECODER_DIED, "the decoder's process ended over it") from None
    except TimeoutError:
        raise Refusal(
            Unreadable.DECODER_TOO_SLOW,
            f"decoding it did not end within {request.wall_seconds} seconds",
        ) from None
    found = answer.get("found")
    if isinstance(found, dict):
        return found
    if answer.get("refused") not in set(Unreadable):
        raise Refusal(Unreadable.DECODER_DIED, "the decoder's process answered nonsense")
    raise Refusal(Unreadable(answer["refused"]), str(answer.get("detail")))


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
