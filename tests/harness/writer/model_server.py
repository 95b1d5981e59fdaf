"""An OpenAI-compatible server whose replies the benchmark writes, in a process of its own.

Each lane (`/lanes/NAME/v1`) sends the replies that `PUT /control/lanes/NAME` gave it, one for each
request, and keeps a log that `GET /control/lanes/NAME` returns. A lane without replies left repeats
its last one. The server truncates a reply at the request's `max_tokens`, as real servers do.
"""

import asyncio
import json
import math
import re
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

_GARBAGE = b"<html><body>502 Bad Gateway: upstream sent no valid response</body></html>"
_MIN_ECHO = 3
_LONGEST_FINDING = 60
_CONTROL = "/control/lanes/{lane}"


@dataclass
class Lane:
    """The replies of a lane, and what happened to each request."""

    replies: list[dict[str, Any]] = field(default_factory=list)
    log: list[dict[str, Any]] = field(default_factory=list)
    known: str = ""
    """The last prompt and its reply: whatever a second prompt adds is new."""


_LANES = web.AppKey("lanes", dict[str, Lane])


def count_tokens(text: str) -> int:
    """Return the tokens of a text, as tokenizers of current models count on average."""
    plain = sum(letter.isascii() for letter in text)
    wide = sum(ord(letter) > 0x2FFF for letter in text)
    return math.ceil(plain / 4 + wide + (len(text) - plain - wide) / 2)


def find_echoes(prompt: str, known: str) -> list[str]:
    """Return the new pieces of a prompt that a model could repeat, those of JSON first.

    A piece has at least three words. Keys of JSON and long strings, which are drafts, are left out.
    """
    found = list(re.finditer(r'"(?:[^"\\\n]|\\.)*"(\s*:)?', prompt))
    strings = [json.loads(each.group()) for each in found if not each[1]]
    strings = [each for each in strings if len(each) <= _LONGEST_FINDING]
    findings = sorted({each for each in strings if each not in known}, key=len, reverse=True)
    joined = [" ".join(findings)] if findings and len(findings[0].split()) < _MIN_ECHO else []
    lines = [line for line in prompt.splitlines() if '"' not in line and "{" not in line]
    sentences = [each.strip(" -*•\t") for line in lines for each in re.split(r"(?<=[.:]) ", line)]
    pieces = [*findings[:1], *joined, *(each for each in sentences if each not in known)]
    return [" ".join(each.split()[:25]) for each in pieces if len(each.split()) >= _MIN_ECHO]


def _fill_echo(reply: dict[str, Any], system: str, user: str, lane: Lane) -> tuple[str, str]:
    """Return the reply's text with the echo of the prompt in its place, and the echo."""
    if "echo" not in reply:
        return reply["text"], ""
    echoes: list[str] = []
    if reply["echo"] == "prompt":
        echoes = find_echoes(system, "")[1:]
    elif lane.known:
        echoes = find_echoes(f"{system}\n{user}", lane.known)
        # A finding is repeated in every second reply, a line of the instructions in the others.
        echoes = echoes[:1] if len(lane.log) % 2 else echoes
    echo = echoes[len(lane.log) % len(echoes)] if echoes else reply["fallback"]
    return reply["text"].replace("@@ECHO@@", json.dumps(echo, ensure_ascii=False)[1:-1]), echo


def _read_texts(reply: str) -> str:
    """Return the texts of a reply's drafts, in one line, as a second prompt may quote them."""
    texts = re.findall(r'"text":\s*("(?:[^"\\]|\\.)*")', reply)
    return " ".join(json.loads(each, strict=False) for each in texts)


def _truncate(text: str, max_tokens: int) -> tuple[str, str]:
    if count_tokens(text) <= max_tokens:
        return text, "stop"
    while count_tokens(text) > max_tokens:
        text = text[: max(int(len(text) * max_tokens / (count_tokens(text) + 1)), 0)]
    return text, "length"


async def _complete(request: web.Request) -> web.StreamResponse:
    lane = request.app[_LANES][request.match_info["lane"]]
    body = await request.json()
    messages = {each["role"]: _to_text(each["content"]) for each in body["messages"]}
    system, user = messages.get("system", ""), messages.get("user", "")
    reply = lane.replies[min(len(lane.log), len(lane.replies) - 1)]
    input_tokens = sum(count_tokens(text) for text in messages.values()) + 8
    entry: dict[str, Any] = {"input_tokens": input_tokens, "output_tokens": 0, "billed": False}
    lane.log.append(entry)
    text, entry["echo"] = _fill_echo(reply, system, user, lane)
    lane.known = f"{system}\n{user}\n{text}\n{_read_texts(text)}"
    match reply["form"]:
        case "status":
            headers = reply.get("headers", {})
            error = {"error": {"message": "The server is overloaded.", "type": "server_error"}}
            return web.json_response(error, status=reply["status"], headers=headers)
        case "garbage":
            return web.Response(body=_GARBAGE, content_type="text/html")
        case "no_choices":
            return web.json_response({"id": "c1", "object": "chat.completion", "choices": []})
    max_tokens = body.get("max_completion_tokens") or body.get("max_tokens") or 4096
    text, finish = _truncate(text, max_tokens)
    entry |= {"output_tokens": count_tokens(text), "billed": True, "finish": finish}
    if reply["form"] == "timeout":
        await asyncio.sleep(reply["seconds"])
    usage = {
        "prompt_tokens": input_tokens,
        "completion_tokens": entry["output_tokens"],
        "total_tokens": input_tokens + entry["output_tokens"],
    }
    if body.get("stream"):
        return await _stream(request, body, text, (finish, usage), cut=reply["form"] == "cut")
    payload = json.dumps(
        _head(body, "chat.completion")
        | {
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": text},
                    "finish_reason": finish,
                    "logprobs": None,
                }
            ],
            "usage": usage,
        }
    ).encode()
    if reply["form"] == "cut":
        response = web.StreamResponse(
            headers={"content-type": "application/json", "content-length": str(len(payload))}
        )
        await response.prepare(request)
        await response.write(payload[: len(payload) // 2])
        assert request.transport is not None
        request.transport.abort()
        return response
    return web.Response(body=payload, content_type="application/json")


async def _stream(
    request: web.Request,
    body: dict[str, Any],
    text: str,
    end: tuple[str, dict[str, int]],
    *,
    cut: bool,
) -> web.StreamResponse:
    response = web.StreamResponse(headers={"content-type": "text/event-stream"})
    await response.prepare(request)
    head = _head(body, "chat.completion.chunk")

    async def send(choices: list[dict[str, Any]], **more: Any) -> None:
        chunk = json.dumps(head | {"choices": choices} | more)
        await response.write(f"data: {chunk}\n\n".encode())

    pieces = [text[at : at + 24] for at in range(0, len(text), 24)]
    for piece in pieces[: len(pieces) // 2] if cut else pieces:
        delta = {"role": "assistant", "content": piece}
        await send([{"index": 0, "delta": delta, "finish_reason": None}])
    if cut:
        assert request.transport is not None
        request.transport.abort()
        return response
    await send([{"index": 0, "delta": {}, "finish_reason": end[0]}])
    if (body.get("stream_options") or {}).get("include_usage"):
        await send([], usage=end[1])
    await response.write(b"data: [DONE]\n\n")
    return response


def _head(body: dict[str, Any], kind: str) -> dict[str, Any]:
    return {"id": "chatcmpl-1", "object": kind, "created": int(time.time()), "model": body["model"]}


def _to_text(content: str | list[dict[str, Any]] | None) -> str:
    if isinstance(content, str) or content is None:
        return content or ""
    return "\n".join(each.get("text", "") for each in content)


async def _list_models(_: web.Request) -> web.Response:
    return web.json_response({"object": "list", "data": [{"id": "bench", "object": "model"}]})


async def _set_replies(request: web.Request) -> web.Response:
    request.app[_LANES][request.match_info["lane"]] = Lane(await request.json())
    return web.Response(status=204)


async def _get_log(request: web.Request) -> web.Response:
    since = int(request.query.get("since", 0))
    return web.json_response(request.app[_LANES][request.match_info["lane"]].log[since:])


def make_app() -> web.Application:
    """Return the server's application."""
    app = web.Application(client_max_size=64 << 20)
    app[_LANES] = defaultdict(Lane)
    app.router.add_post("/lanes/{lane}/v1/chat/completions", _complete)
    app.router.add_get("/lanes/{lane}/v1/models", _list_models)
    app.router.add_put(_CONTROL, _set_replies)
    app.router.add_get(_CONTROL, _get_log)
    return app


async def _serve() -> None:
    runner = web.AppRunner(
        make_app(), access_log=None, shutdown_timeout=1, handler_cancellation=True
    )
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    # The benchmark closes standard input when it ends, even if it is killed.
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(_serve())
