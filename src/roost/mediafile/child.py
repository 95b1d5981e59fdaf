"""The decoding process: its standard input is a Unix socket, its environment is empty.

Each request is one line of JSON with the descriptors it is about; each answer is one line. A fork
serves each request, confined, and ends with it: what one tenant's file does to a decoder reaches no
other file. End of input, or minutes without a request, ends the process.
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

from roost.mediafile.confine import confine, tune_memory
from roost.mediafile.facts import Refusal, Unreadable

_ADDRESS_SPACE: Final = 512 << 20
_LARGEST_OUTPUT: Final = 64 << 20
_IDLE_SECONDS: Final = 300
_MOST_DESCRIPTORS: Final = 2
_REQUEST_BYTES: Final = 4096
_ANSWER_BYTES: Final = 64 << 10
_LOADED_LATE: Final = (
    "encodings.latin_1", "encodings.utf_16", "encodings.utf_16_be", "encodings.utf_16_le",
    "av.audio.frame", "av.audio.stream", "av.sidedata.sidedata", "av.subtitles.stream",
    "av.video.frame", "av.video.stream",
    "PIL.ImageCms", "PIL.ImageMode", "PIL.ImageOps", "PIL.TiffImagePlugin",
)  # fmt: skip

_Operations = dict[str, Callable[..., dict[str, Any]]]


def main() -> None:
    """Serve requests until there is nobody left to serve."""
    _restrict_process()
    tune_memory()
    connection = socket.socket(fileno=os.dup(0))
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.close(nothing)
    try:
        # Now, so that no file's time is spent on loading the decoders, and no fork has to.
        from roost.mediafile import decode, reencode
    except ImportError as error:
        connection.sendall(json.dumps({"broken": str(error)}).encode() + b"\n")
        return
    operations: _Operations = {
        "probe": decode.read_media,
        "prepare": reencode.prepare_image,
    }
    load_lazy_modules()
    connection.sendall(b'{"ready": true}\n')
    while True:
        signal.alarm(_IDLE_SECONDS)
        received, descriptors, _, _ = socket.recv_fds(connection, _REQUEST_BYTES, _MOST_DESCRIPTORS)
        signal.alarm(0)
        if not received:
            return
        try:
            answer = _serve_apart(operations, json.loads(received), descriptors, connection)
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        connection.sendall(answer)


def load_lazy_modules() -> None:
    """What decoders would import at the first file that needs it: a confined fork cannot."""
    for name in _LOADED_LATE:
        importlib.import_module(name)
    from PIL import Image

    Image.preinit()


def _serve_apart(
    operations: _Operations,
    request: dict[str, Any],
    descriptors: list[int],
    connection: socket.socket,
) -> bytes:
    """The line that a fork answers, or one that says how it ended without an answer."""
    mine, theirs = os.pipe()
    here = os.getpid()
    fork = os.fork()
    if fork == 0:
        os.close(mine)
        connection.close()
        _serve_and_end(operations, request, descriptors, theirs, here)
    os.close(theirs)
    try:
        answer = _read_line(mine, time.monotonic() + request["wall_seconds"] + 1)
    finally:
        os.close(mine)
        with contextlib.suppress(ProcessLookupError):
            os.kill(fork, signal.SIGKILL)
        status = os.waitstatus_to_exitcode(os.waitpid(fork, 0)[1])
    if answer is not None:
        return answer
    is_late = status in (-signal.SIGXCPU, -signal.SIGALRM)
    return json.dumps({"ended": "late" if is_late else "died"}).encode() + b"\n"


def _serve_and_end(
    operations: _Operations,
    request: dict[str, Any],
    descriptors: list[int],
    answers: int,
    parent: int,
) -> NoReturn:
    try:
        try:
            confine(
                wall_seconds=request["wall_seconds"],
                cpu_seconds=request["cpu_seconds"],
                parent=parent,
            )
        except (OSError, ValueError) as error:
            answer = {"broken": f"it cannot be confined ({type(error).__name__})"}
        else:
            answer = _serve(operations[request["operation"]], request, descriptors)
        left = memoryview(json.dumps(answer).encode() + b"\n")
        while left:
            left = left[os.write(answers, left) :]
    finally:
        os._exit(0)


def _read_line(pipe: int, deadline: float) -> bytes | None:
    """A whole line, and nothing behind it; None where none comes in time."""
    received = bytearray()
    while not received.endswith(b"\n"):
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([pipe], [], [], left)[0]:
            return None
        more = os.read(pipe, _ANSWER_BYTES)
        received += more
        if not more or len(received) > _ANSWER_BYTES:
            return None
    return bytes(received) if received.count(b"\n") == 1 else None


def _serve(
    operate: Callable[..., dict[str, Any]], request: dict[str, Any], descriptors: list[int]
) -> dict[str, Any]:
    try:
        with contextlib.ExitStack() as files:
            opened = [
                files.enter_context(os.fdopen(descriptor, mode, closefd=False))
                for descriptor, mode in zip(descriptors, ("rb", "wb"), strict=False)
            ]
            return {"found": operate(*opened, **request["arguments"])}
    except Refusal as refusal:
        return {"refused": refusal.reason, "detail": refusal.detail}
    except MemoryError:
        return {
            "refused": Unreadable.DECODER_OUT_OF_MEMORY,
            "detail": "decoding it takes more memory than any post is worth",
        }
    except Exception as error:
        # Decoders raise anything over damaged input; their texts may quote the file, so the
        # class alone goes out.
        return {
            "refused": Unreadable.DAMAGED,
            "detail": f"decoding it ends in {type(error).__name__}",
        }


def _restrict_process() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_LARGEST_OUTPUT, _LARGEST_OUTPUT))
    if sys.platform == "linux":  # Elsewhere the kernel does not know this limit.
        resource.setrlimit(resource.RLIMIT_AS, (_ADDRESS_SPACE, _ADDRESS_SPACE))
