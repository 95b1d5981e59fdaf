"""The decoding process: `python -P -m roost.mediafile.child`, its standard input a Unix socket.

Each request is one line of JSON with the descriptors it is about; each answer is one line. A
request sets its own limits of processor and wall time. End of input, or minutes without a
request, ends the process: it never outlives the one it works for.
"""

import contextlib
import json
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable
from typing import Any, Final

from roost.mediafile.facts import Refusal, Unreadable

_ADDRESS_SPACE: Final = 512 << 20
_LARGEST_OUTPUT: Final = 64 << 20
_IDLE_SECONDS: Final = 300
_MOST_DESCRIPTORS: Final = 2
_REQUEST_BYTES: Final = 4096


def main() -> None:
    """Serve requests until there is nobody left to serve."""
    _restrict_process()
    connection = socket.socket(fileno=os.dup(0))
    try:
        # Now, so that no file's time is spent on loading the decoders.
        from roost.mediafile import decode, reencode
    except ImportError as error:
        connection.sendall(json.dumps({"broken": str(error)}).encode() + b"\n")
        return
    operations: dict[str, Callable[..., dict[str, Any]]] = {
        "probe": decode.read_media,
        "prepare": reencode.prepare_image,
    }
    connection.sendall(b'{"ready": true}\n')
    while True:
        signal.alarm(_IDLE_SECONDS)
        received, descriptors, _, _ = socket.recv_fds(connection, _REQUEST_BYTES, _MOST_DESCRIPTORS)
        if not received:
            return
        request = json.loads(received)
        _restrict_request(request["wall_seconds"], request["cpu_seconds"])
        try:
            answer = _serve(operations[request["operation"]], request, descriptors)
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        connection.sendall(json.dumps(answer).encode() + b"\n")


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


def _restrict_request(wall_seconds: int, cpu_seconds: int) -> None:
    """End this process when a request takes longer, even if nobody is left to end it."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    spent = int(used.ru_utime + used.ru_stime)
    resource.setrlimit(resource.RLIMIT_CPU, (spent + cpu_seconds, resource.RLIM_INFINITY))
    signal.alarm(wall_seconds + 1)


if __name__ == "__main__":
    main()
