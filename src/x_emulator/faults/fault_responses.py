"""Answers that do not arrive as they were meant: cut in the middle, slow, or of a wrong type."""

import asyncio
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from x_emulator.faults.fault_specs import Fault

#: In how many pieces a slow answer arrives.
_PIECES = 20


def spoil(answer: Response, fault: Fault | None, connection: asyncio.Transport) -> Response:
    """The answer as the client will see it after this fault."""
    if fault is None or not answer.body:
        return answer
    if fault.kind == "cut":
        return _Cut(answer, connection)
    if fault.kind == "slow":
        return _Slow(answer, fault.seconds)
    if fault.kind == "mistyped":
        kept = [each for each in answer.raw_headers if each[0] != b"content-type"]
        answer.raw_headers = [*kept, (b"content-type", b"text/html; charset=utf-8")]
    return answer


class _Cut(Response):
    """Promises all of its bytes, sends half of them and closes the connection."""

    def __init__(self, whole: Response, connection: asyncio.Transport) -> None:
        super().__init__(status_code=whole.status_code)
        self._whole = whole
        self._connection = connection

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send(_start(self._whole))
        half = bytes(self._whole.body)[: len(self._whole.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})
        self._connection.close()
        while (await receive())["type"] != "http.disconnect":
            pass


class _Slow(Response):
    """Sends its bytes in small pieces, over some seconds of the machine's time."""

    def __init__(self, whole: Response, seconds: float) -> None:
        super().__init__(status_code=whole.status_code)
        self._whole = whole
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send(_start(self._whole))
        body = bytes(self._whole.body)
        size = -(-len(body) // _PIECES)
        for begin in range(0, len(body), size):
            await asyncio.sleep(self._seconds / _PIECES)
            piece = body[begin : begin + size]
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


def _start(whole: Response) -> dict[str, Any]:
    return {
        "type": "http.response.start",
        "status": whole.status_code,
        "headers": whole.raw_headers,
    }
