"""The model's server of `./dev bench writer` answers as OpenAI-compatible servers do."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import ClientSession, web

from harness.writer.model_server import count_tokens, find_echoes, make_app


@contextlib.asynccontextmanager
async def _open() -> AsyncIterator[tuple[ClientSession, str]]:
    runner = web.AppRunner(make_app(), shutdown_timeout=0, handler_cancellation=True)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        async with ClientSession() as session:
            yield session, f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def _set(session: ClientSession, url: str, *replies: dict[str, Any]) -> None:
    async with session.put(f"{url}/control/lanes/a", json=list(replies)) as response:
        assert response.status == 204


def _ask(
    session: ClientSession, url: str, user: str = "Write.", **more: Any
) -> contextlib.AbstractAsyncContextManager[aiohttp.ClientResponse]:
    messages = [{"role": "system", "content": "Rules."}, {"role": "user", "content": user}]
    body = {"model": "m", "messages": messages, "max_tokens": 100} | more
    return session.post(f"{url}/lanes/a/v1/chat/completions", json=body)


async def test_server_sends_replies_in_order_and_logs_tokens() -> None:
    async with _open() as (session, url):
        await _set(session, url, {"form": "text", "text": "one"}, {"form": "text", "text": "two"})
        texts = []
        for _ in range(3):
            async with _ask(session, url) as response:
                payload = await response.json()
                texts.append(payload["choices"][0]["message"]["content"])
        assert texts == ["one", "two", "two"]
        assert payload["usage"] == {"prompt_tokens": 12, "completion_tokens": 1, "total_tokens": 13}
        async with session.get(f"{url}/control/lanes/a", params={"since": 2}) as response:
            assert await response.json() == [
                {
                    "input_tokens": 12,
                    "output_tokens": 1,
                    "billed": True,
                    "echo": "",
                    "finish": "stop",
                }
            ]


async def test_server_streams_chunks_with_usage() -> None:
    async with _open() as (session, url):
        await _set(session, url, {"form": "text", "text": "x" * 60})
        options: dict[str, Any] = {"stream": True, "stream_options": {"include_usage": True}}
        async with _ask(session, url, **options) as response:
            lines = [line for line in (await response.text()).split("\n\n") if line]
    assert lines[-1] == "data: [DONE]"
    chunks = [json.loads(line.removeprefix("data: ")) for line in lines[:-1]]
    deltas = [choice["delta"].get("content", "") for c in chunks for choice in c["choices"]]
    assert "".join(deltas) == "x" * 60
    assert chunks[-1]["usage"]["completion_tokens"] == 15


async def test_server_truncates_at_max_tokens() -> None:
    async with _open() as (session, url):
        await _set(session, url, {"form": "text", "text": "x" * 4000})
        async with _ask(session, url, max_tokens=10) as response:
            payload = await response.json()
    assert payload["choices"][0]["finish_reason"] == "length"
    assert payload["usage"]["completion_tokens"] <= 10


async def test_server_fails_as_planned() -> None:
    async with _open() as (session, url):
        limited = {"form": "status", "status": 429, "headers": {"Retry-After": "1"}, "text": ""}
        garbage, no_choices = {"form": "garbage", "text": ""}, {"form": "no_choices", "text": ""}
        cut = {"form": "cut", "text": "x" * 400}
        await _set(session, url, limited, garbage, no_choices, cut)
        async with _ask(session, url) as response:
            assert (response.status, response.headers["Retry-After"]) == (429, "1")
        async with _ask(session, url) as response:
            assert response.content_type == "text/html"
        async with _ask(session, url) as response:
            assert (await response.json())["choices"] == []
        with pytest.raises(aiohttp.ClientPayloadError):
            async with _ask(session, url, max_tokens=1000) as response:
                await response.read()


@pytest.mark.timing
async def test_server_is_silent_for_longer_than_the_client_waits() -> None:
    async with _open() as (session, url):
        await _set(session, url, {"form": "timeout", "seconds": 60, "text": "late"})
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2), _ask(session, url):
                pass


async def test_server_repeats_what_a_second_prompt_adds() -> None:
    async with _open() as (session, url):
        echo = {"form": "text", "text": '{"a": "@@ECHO@@"}', "echo": "findings", "fallback": "None"}
        await _set(session, url, echo)
        texts = []
        finding = "- The draft says 12, which no cited fact contains."
        for user in ("Facts: we open at 7.", f"Facts: we open at 7.\n{finding}"):
            async with _ask(session, url, user) as response:
                texts.append((await response.json())["choices"][0]["message"]["content"])
    assert texts[0] == '{"a": "None"}'
    assert texts[1] == '{"a": "The draft says 12, which no cited fact contains."}'


def test_find_echoes_has_findings_first_and_no_keys_of_json() -> None:
    known = 'One line is known. {"drafts": ["We open at 8."]}'
    prompt = f'{known}\nAnother line is new.\n{{"codes of drafts": ["NUMBER: 8 is wrong", "TAG"]}}'
    assert find_echoes(prompt, known) == ["NUMBER: 8 is wrong", "Another line is new."]


def test_count_tokens_counts_wide_letters_as_one_each() -> None:
    assert count_tokens("abcd" * 10) == 10
    assert count_tokens("営業中です") == 5
