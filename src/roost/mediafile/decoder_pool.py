"""A pool of decoder processes, which are started on demand and killed if they hang.

At most two processes work at a time. Each process decodes each file in a fork of its own. A process
that hangs is killed and not reused. The functions of this module block, so callers in an event loop
call them in a thread.
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
from roost.extras import require_extra
from roost.mediafile.media_info import Refusal, Unreadable

_MAX_PROCESSES: Final = 2
#: The maximum time to load the decoders, sufficient for a slow disk on a busy machine.
_START_SECONDS: Final = 60
#: A decoder process that has been idle for longer than this is not reused, because a decoder
#: process exits after 300 idle seconds.
_WARM_SECONDS: Final = 240
_MAX_RESPONSE_BYTES: Final = 64 << 10
#: The process has no environment variables, so it gets the path of this package as an argument.
_PROGRAM: Final = (
    "import sys; sys.path.insert(0, sys.argv[1]);"
    " from roost.mediafile.decoder_process import main; main()"
)
_SOURCE: Final = str(Path(roost.__file__).resolve().parents[1])


class DecoderUnavailable(Broken):
    """The decoder process cannot be started, or cannot load its libraries."""

    default_next = "Reinstall Roost's extra `media`, which has Pillow and PyAV."


@dataclass(frozen=True, slots=True)
class Request:
    """A request to a decoder process: an operation on open files, with its time limits."""

    operation: str
    wall_seconds: int
    cpu_seconds: int
    arguments: dict[str, Any]


class _ProcessExited(Exception):
    """The decoder process exited without a response."""


class _DecoderProcess:
    def __init__(self) -> None:
        self.requests = 0
        self._used_at = time.monotonic()
        self._socket, process_socket = socket.socketpair()
        with process_socket:
            try:
                self._process = subprocess.Popen(  # noqa: S603  our own interpreter and module
                    [sys.executable, "-P", "-c", _PROGRAM, _SOURCE],
                    stdin=process_socket.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    env={},
                    cwd="/",
                    start_new_session=True,
                )
            except OSError as error:
                self._socket.close()
                raise DecoderUnavailable(
                    f"The decoder process cannot be started: {error}."
                ) from error
        try:
            greeting = self._receive(time.monotonic() + _START_SECONDS)
        except (_ProcessExited, TimeoutError) as error:
            self.kill()
            raise DecoderUnavailable("The decoder process does not start.") from error
        if "error" in greeting:
            self.kill()
            raise DecoderUnavailable(
                f"The decoder process cannot load a library: {greeting['error']}."
            )

    def run(self, request: Request, descriptors: list[int], deadline: float) -> dict[str, Any]:
        """Send a request and return the response.

        Raises: _ProcessExited, TimeoutError, DecoderUnavailable.
        """
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
            raise _ProcessExited from error
        response = self._receive(deadline)
        self._used_at = time.monotonic()
        if "error" in response:
            raise DecoderUnavailable(
                f"The decoder process failed: {response['error']}.",
                next="Run Roost as a user other than root, or let root change users (CAP_SETUID).",
            )
        return response

    def _receive(self, deadline: float) -> dict[str, Any]:
        received = bytearray()
        while not received.endswith(b"\n"):
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self._socket.settimeout(left)
            try:
                more = self._socket.recv(_MAX_RESPONSE_BYTES)
            except TimeoutError:
                raise
            except OSError as error:
                raise _ProcessExited from error
            received += more
            if not more or len(received) > _MAX_RESPONSE_BYTES:
                raise _ProcessExited
        try:
            response = json.loads(received)
        except ValueError as error:
            raise _ProcessExited from error
        if not isinstance(response, dict):
            raise _ProcessExited
        return response

    def is_warm(self) -> bool:
        return self._process.poll() is None and time.monotonic() - self._used_at < _WARM_SECONDS

    def kill(self) -> None:
        self._socket.close()
        self._process.kill()
        self._process.wait()

    def forget(self) -> None:
        """Close this fork's connection to a decoder process that the parent process started."""
        self._socket.close()
        # The decoder process is no child of this fork, so Popen must not wait for it. A return
        # code makes Popen treat the decoder process as ended.
        self._process.returncode = 0


class _DecoderPool:
    def __init__(self) -> None:
        self._slots = threading.BoundedSemaphore(_MAX_PROCESSES)
        self._lock = threading.Lock()
        self._idle: list[_DecoderProcess] = []
        self._all: set[_DecoderProcess] = set()

    def run(self, request: Request, descriptors: list[int]) -> dict[str, Any]:
        with self._slots:
            process = self._acquire()
            was_used = process.requests > 0
            deadline = time.monotonic() + request.wall_seconds
            try:
                response = self._run_in(process, request, descriptors, deadline)
            except _ProcessExited:
                if not was_used:
                    raise
                # A reused process may have exited because it was idle, so another process tries the
                # file again.
                process = self._start()
                response = self._run_in(process, request, descriptors, deadline)
            with self._lock:
                self._idle.append(process)
            return response

    def _run_in(
        self, process: _DecoderProcess, request: Request, descriptors: list[int], deadline: float
    ) -> dict[str, Any]:
        try:
            return process.run(request, descriptors, deadline)
        except BaseException:
            self._kill(process)
            raise

    def _acquire(self) -> _DecoderProcess:
        while True:
            with self._lock:
                if not self._idle:
                    break
                process = self._idle.pop()
            if process.is_warm():
                return process
            self._kill(process)
        return self._start()

    def _start(self) -> _DecoderProcess:
        require_extra("media", purpose="Reading an image or a video")
        process = _DecoderProcess()
        with self._lock:
            self._all.add(process)
        return process

    def _kill(self, process: _DecoderProcess) -> None:
        process.kill()
        with self._lock:
            self._all.discard(process)

    def kill_idle(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for process in idle:
            self._kill(process)

    def forget(self) -> None:
        for process in self._all:
            process.forget()


_pool = _DecoderPool()
_DIED: Final = "the decoder process crashed on it"


def run_decoder(request: Request, descriptors: list[int]) -> dict[str, Any]:
    """Run a request in a decoder process and return the result.

    Raises: Refusal if the process refused the file, crashed, or took too long; ExtraMissing,
    DecoderUnavailable.
    """
    try:
        response = _pool.run(request, descriptors)
    except _ProcessExited:
        raise Refusal(Unreadable.DECODER_DIED, _DIED) from None
    except TimeoutError:
        raise _too_slow(request) from None
    exit_reason = response.get("exit")
    if exit_reason == "timeout":
        raise _too_slow(request)
    if exit_reason is not None:
        raise Refusal(Unreadable.DECODER_DIED, _DIED)
    result = response.get("result")
    if isinstance(result, dict):
        return result
    if response.get("refused") not in set(Unreadable):
        raise Refusal(Unreadable.DECODER_DIED, "the response of the decoder process is invalid")
    raise Refusal(Unreadable(response["refused"]), str(response.get("detail")))


def _too_slow(request: Request) -> Refusal:
    return Refusal(
        Unreadable.DECODER_TOO_SLOW,
        f"decoding it takes more than {request.wall_seconds} seconds",
    )


def close() -> None:
    """Kill the idle decoder processes. A new process is started for the next file."""
    _pool.kill_idle()


def _reset_after_fork() -> None:
    global _pool
    _pool.forget()
    _pool = _DecoderPool()


atexit.register(close)
with contextlib.suppress(AttributeError):
    os.register_at_fork(after_in_child=_reset_after_fork)
