"""The program of a decoder process, which serves requests from a socket on standard input.

A request is one line of JSON with file descriptors; a response is one line of JSON. A sandboxed
fork serves each request and then exits, so one tenant's file cannot affect the decoding of another
file. The process exits if the socket is closed, or after 300 seconds without a request.
"""

import contextlib
import importlib
import json
import os
import resource
import select
import signal
import socket
import sys
import time
from collections.abc import Callable
from typing import Any, Final, NoReturn

from roost.mediafile.media_info import Refusal, Unreadable
from roost.mediafile.sandbox import enter_sandbox, tune_memory

_ADDRESS_SPACE: Final = 512 << 20
_MAX_OUTPUT_BYTES: Final = 64 << 20
_IDLE_SECONDS: Final = 300
_MAX_DESCRIPTORS: Final = 2
_MAX_REQUEST_BYTES: Final = 4096
_MAX_RESPONSE_BYTES: Final = 64 << 10
#: Modules that the decoders import on first use.
_LAZY_MODULES: Final = (
    "encodings.latin_1", "encodings.utf_16", "encodings.utf_16_be", "encodings.utf_16_le",
    "av.audio.frame", "av.audio.stream", "av.sidedata.sidedata", "av.subtitles.stream",
    "av.video.frame", "av.video.stream",
    "PIL.ImageCms", "PIL.ImageMode", "PIL.ImageOps", "PIL.TiffImagePlugin",
)  # fmt: skip

_Operations = dict[str, Callable[..., dict[str, Any]]]


def main() -> None:
    """Serve requests until the parent closes the socket."""
    _restrict_process()
    tune_memory()
    connection = socket.socket(fileno=os.dup(0))
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.close(null)
    try:
        # The modules are imported before the first request, so that the time limit of a request
        # does not include the import.
        from roost.mediafile import decode, reencode
    except ImportError as error:
        connection.sendall(json.dumps({"error": str(error)}).encode() + b"\n")
        return
    operations: _Operations = {
        "probe": decode.read_media,
        "prepare": reencode.reencode_image,
    }
    preload_modules()
    connection.sendall(b'{"ready": true}\n')
    while True:
        signal.alarm(_IDLE_SECONDS)
        received, descriptors, _, _ = socket.recv_fds(
            connection, _MAX_REQUEST_BYTES, _MAX_DESCRIPTORS
        )
        signal.alarm(0)
        if not received:
            return
        try:
            response = _serve_in_fork(operations, json.loads(received), descriptors, connection)
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        connection.sendall(response)


def preload_modules() -> None:
    """Import the modules that decoders import on first use.

    A sandboxed fork cannot import modules, because it cannot open files.
    """
    for name in _LAZY_MODULES:
        importlib.import_module(name)
    from PIL import Image

    Image.preinit()


def _serve_in_fork(
    operations: _Operations,
    request: dict[str, Any],
    descriptors: list[int],
    connection: socket.socket,
) -> bytes:
    """Serve a request in a fork, and return its response.

    If the fork exits without a response, the result is a response with its exit status.
    """
    read_end, write_end = os.pipe()
    parent = os.getpid()
    fork = os.fork()
    if fork == 0:
        os.close(read_end)
        connection.close()
        _serve_and_exit(operations, request, descriptors, write_end, parent)
    os.close(write_end)
    try:
        response = _read_line(read_end, time.monotonic() + request["wall_seconds"] + 1)
    finally:
        os.close(read_end)
        with contextlib.suppress(ProcessLookupError):
            os.kill(fork, signal.SIGKILL)
        status = os.waitstatus_to_exitcode(os.waitpid(fork, 0)[1])
    if response is not None:
        return response
    timed_out = status in (-signal.SIGXCPU, -signal.SIGALRM)
    return json.dumps({"exit": "timeout" if timed_out else "died"}).encode() + b"\n"


def _serve_and_exit(
    operations: _Operations,
    request: dict[str, Any],
    descriptors: list[int],
    output: int,
    parent: int,
) -> NoReturn:
    try:
        try:
            enter_sandbox(
                wall_seconds=request["wall_seconds"],
                cpu_seconds=request["cpu_seconds"],
                parent=parent,
            )
        except (OSError, ValueError) as error:
            response = {"error": f"it cannot be sandboxed ({type(error).__name__})"}
        else:
            response = _serve(operations[request["operation"]], request, descriptors)
        unsent = memoryview(json.dumps(response).encode() + b"\n")
        while unsent:
            unsent = unsent[os.write(output, unsent) :]
    finally:
        os._exit(0)


def _read_line(pipe: int, deadline: float) -> bytes | None:
    """Return one complete line from a pipe.

    Returns None if the line is late, too long, or followed by more bytes.
    """
    received = bytearray()
    while not received.endswith(b"\n"):
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([pipe], [], [], left)[0]:
            return None
        more = os.read(pipe, _MAX_RESPONSE_BYTES)
        received += more
        if not more or len(received) > _MAX_RESPONSE_BYTES:
            return None
    return bytes(received) if received.count(b"\n") == 1 else None


def _serve(
    operate: Callable[..., dict[str, Any]], request: dict[str, Any], descriptors: list[int]
) -> dict[str, Any]:
    try:
        with contextlib.ExitStack() as files:
            streams = [
                files.enter_context(os.fdopen(descriptor, mode, closefd=False))
                for descriptor, mode in zip(descriptors, ("rb", "wb"), strict=False)
            ]
            return {"result": operate(*streams, **request["arguments"])}
    except Refusal as refusal:
        return {"refused": refusal.reason, "detail": refusal.detail}
    except MemoryError:
        return {
            "refused": Unreadable.DECODER_OUT_OF_MEMORY,
            "detail": "decoding it needs more memory than Roost allows",
        }
    except Exception as error:
        # Decoders may raise any exception on damaged input. Only the exception's class is returned,
        # because its message may quote the file.
        return {
            "refused": Unreadable.DAMAGED,
            "detail": f"decoding it fails with {type(error).__name__}",
        }


def _restrict_process() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_MAX_OUTPUT_BYTES, _MAX_OUTPUT_BYTES))
    if sys.platform == "linux":  # Other kernels do not support RLIMIT_AS.
        resource.setrlimit(resource.RLIMIT_AS, (_ADDRESS_SPACE, _ADDRESS_SPACE))
