"""A real server of the OpenAI protocol, whose replies a test gives."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

#: A reply of the server: a text for a completion, or a status, or a delay in seconds, or an event
#: for which the server waits.
Answer = str | int | float | bytes | asyncio.Event


class ModelServer:
    """The server: `answers` are given in order, the last one again and again."""

    def __init__(self) -> None:
        self.url = ""
        self.answers: list[Answer] = []
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.usage: dict[str, int] | None = {
            "prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150,
        }  # fmt: skip

    async def complete(self, request: web.Request) -> web.StreamResponse:
        """Answer a request for a completion."""
        self.requests.append(await request.json())
        self.keys.append(request.headers.get("Authorization"))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, bytes):
            return web.Response(body=answer, content_type="application/json")
        if isinstance(answer, int):
            return web.Response(status=answer, text="the key is sk-secret-of-the-test")
        if isinstance(answer, asyncio.Event):
            await answer.wait()
            answer = ""
        if isinstance(answer, float):
            await asyncio.sleep(answer)
            answer = ""
        message = {"role": "assistant", "content": answer}
        return web.json_response(
            {
                "id": "1",
                "object": "chat.completion",
                "created": 1,
                "model": "test",
                "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
            }
            | ({"usage": self.usage} if self.usage else {})
        )


@pytest.fixture
async def model_server() -> AsyncIterator[ModelServer]:
    """Run the server on a free port of this machine."""
    server = ModelServer()
    app = web.Application()
    app.router.add_post("/v1/chat/completions", server.complete)
    # A reply with a long delay ends when the client leaves, so that the server can end too.
    runner = web.AppRunner(app, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    yield server
    await runner.cleanup()
