"""Corrupts responses for faults: truncates or slows them, or changes the content type."""

import asyncio
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from x_emulator.faults.fault_specs import Fault

#: The number of pieces in which a slow response is sent.
_PIECES = 20


def corrupt(response: Response, fault: Fault | None, connection: asyncio.Transport) -> Response:
    """Return the response that the client receives after a fault has corrupted it."""
    if fault is None or not response.body:
        return response
    if fault.kind == "cut":
        return _TruncatedResponse(response, connection)
    if fault.kind == "slow":
        return _SlowResponse(response, fault.seconds)
    if fault.kind == "wrong_type":
        headers = [each for each in response.raw_headers if each[0] != b"content-type"]
        response.raw_headers = [*headers, (b"content-type", b"text/html; charset=utf-8")]
    return response


class _TruncatedResponse(Response):
    """A response that ends early, after half of the body that its headers announce.

    The connection is then closed.
    """

    def __init__(self, original: Response, connection: asyncio.Transport) -> None:
        super().__init__(status_code=original.status_code)
        self._original = original
        self._connection = connection

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send(_start_message(self._original))
        half = bytes(self._original.body)[: len(self._original.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})
        self._connection.close()
        while (await receive())["type"] != "http.disconnect":
            pass


class _SlowResponse(Response):
    """A response whose body is sent in small pieces, spread over `seconds` of wall time."""

    def __init__(self, original: Response, seconds: float) -> None:
        super().__init__(status_code=original.status_code)
        self._original = original
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send(_start_message(self._original))
        body = bytes(self._original.body)
        size = -(-len(body) // _PIECES)
        for begin in range(0, len(body), size):
            await asyncio.sleep(self._seconds / _PIECES)
            piece = body[begin : begin + size]
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


def _start_message(response: Response) -> dict[str, Any]:
    return {
        "type": "http.response.start",
        "status": response.status_code,
        "headers": response.raw_headers,
    }
