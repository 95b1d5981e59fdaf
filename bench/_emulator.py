"""How fast and how small the emulator is, beside a bare handler on the same server.

The bare handler decodes the same body with msgspec and answers constant bytes. Both are loaded by
50 connections of raw asyncio that know just enough of HTTP, in turns, so that a noisy machine is
noisy for both. What a post weighs is the growth of the server's resident memory by the posts made.
"""

import argparse
import asyncio
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import cast
from urllib.parse import urlsplit

import msgspec
import psutil
import uvicorn
import uvloop
from _report import Bar, report
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from x_emulator.pytest_plugin import EmulatedX, run_emulator
from x_emulator.rules import metrics
from x_emulator.rules.posts import create
from x_emulator.rules.request_bodies import CreateBody
from x_emulator.scenarios.scenario import SeedAccount
from x_emulator.state import World

CONNECTIONS = 50
ACCOUNTS, POSTS_EACH = 1_000, 100
_ANSWER = b'{"data":{"id":"2000000000000000000","text":"Post 0","edit_history_tweet_ids":["2"]}}'


async def _answer_bare(request: Request) -> Response:
    msgspec.json.decode(await request.body(), type=CreateBody)
    return Response(_ANSWER, 201, media_type="application/json")


def serve_bare(port: int) -> None:
    """The least that a server can do with a create request, on the emulator's own server."""
    app = Starlette(routes=[Route("/2/tweets", _answer_bare, methods=["POST"])])
    config = uvicorn.Config(
        app,
        port=port,
        http="httptools",
        lifespan="off",
        log_level="warning",
        access_log=False,
        date_header=False,
        server_header=False,
    )
    uvicorn.Server(config).run()


class Connection(asyncio.Protocol):
    """One connection that sends its requests one after the other and counts the answers."""

    def __init__(self, requests: Iterator[bytes], done: "asyncio.Future[None]") -> None:
        self.good = self.bad = 0
        self._requests = requests
        self._done = done
        self._heard = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin with the first request."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is of no common class
        self._send()

    def data_received(self, data: bytes) -> None:
        """Count an answer once it is whole, and send the next request."""
        self._heard += data
        head, blank, body = self._heard.partition(b"\r\n\r\n")
        if not blank:
            return
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
        if len(body) < length:
            return
        if head.startswith(b"HTTP/1.1 201"):
            self.good += 1
        else:
            self.bad += 1
        self._heard = b""
        self._send()

    def connection_lost(self, error: Exception | None) -> None:
        """Being cut off early is a failure."""
        if not self._done.done():
            self.bad += 1
            self._done.set_result(None)

    def _send(self) -> None:
        request = next(self._requests, None)
        if request is None:
            self._done.set_result(None)
            self._transport.close()
        else:
            self._transport.write(request)


@dataclass(frozen=True)
class Load:
    """What a round of load found."""

    good: int
    bad: int
    seconds: float

    @property
    def a_second(self) -> float:
        """Requests answered as they should be, a second."""
        return self.good / self.seconds


async def load(url: str, tokens: list[str], each: int, name: str) -> Load:
    """Every connection creates `each` posts of its own account."""
    at = urlsplit(url)
    loop = asyncio.get_running_loop()
    opened = []
    begun = time.perf_counter()
    for number, token in enumerate(tokens):
        done: asyncio.Future[None] = loop.create_future()
        connection = Connection(_requests(token, each, f"{name} {number}"), done)
        await loop.create_connection(partial(_same, connection), at.hostname or "", at.port or 80)
        opened.append((connection, done))
    await asyncio.gather(*(done for _, done in opened))
    took = time.perf_counter() - begun
    good = sum(connection.good for connection, _ in opened)
    return Load(good, sum(connection.bad for connection, _ in opened), took)


def _same(connection: Connection) -> Connection:
    return connection


def _requests(token: str, each: int, name: str) -> Iterator[bytes]:
    for number in range(each):
        body = b'{"text":"Post %d of %s, which is as long as posts are"}' % (number, name.encode())
        yield (
            b"POST /2/tweets HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n"
            b"authorization: Bearer %s\r\ncontent-length: %d\r\n\r\n%s"
            % (token.encode(), len(body), body)
        )


@contextmanager
def bare() -> Iterator[str]:
    """The bare handler, in a process of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen([sys.executable, __file__, "--bare", str(port)])
    try:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except ConnectionRefusedError:
                time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


@dataclass(frozen=True)
class Served:
    """What was measured over HTTP."""

    ratio: float
    creates_a_second: float
    bare_a_second: float
    failed: int
    posts: int
    kb_per_post: float
    resident_mb: float
    reset_ms: float
    full_reset_ms: float


def measure_served(each: int, rounds: int) -> Served:
    """The emulator and the bare handler under the same load, in turns."""
    with run_emulator("--scenario", "steady") as url, bare() as bare_url:
        played = EmulatedX(url)
        played.reset()
        played.switch(rate_limits=False)
        tokens = []
        for number in range(CONNECTIONS):
            played.control("users", username=f"bench{number}")
            tokens.append(played.connect(f"bench{number}")["access_token"])
        [server] = [p for p in psutil.Process().children() if "x_emulator" in p.cmdline()]
        runs: dict[str, list[Load]] = {bare_url: [], url: []}
        uvloop.run(load(url, tokens, 20, "warm"))
        before = server.memory_info().rss
        for number in range(rounds):
            for target, found in runs.items():
                found.append(uvloop.run(load(target, tokens, each, f"round {number}")))
        grown = server.memory_info().rss - before
        made = sum(run.good for run in runs[url])
        there = len(played.ground_truth()["posts"]) - 20 * CONNECTIONS
        resident = server.memory_info().rss
        resets = [_timed_reset(played) for _ in range(15)]
    rates = [(b.a_second, e.a_second) for b, e in zip(*runs.values(), strict=True)]
    failed = sum(run.bad for found in runs.values() for run in found)
    return Served(
        ratio=statistics.median(emulator / least for least, emulator in rates),
        creates_a_second=statistics.median(emulator for _, emulator in rates),
        bare_a_second=statistics.median(least for least, _ in rates),
        failed=failed + abs(there - made),
        posts=made,
        kb_per_post=grown / 1024 / made,
        resident_mb=resident / 2**20,
        reset_ms=statistics.median(resets[1:]),
        full_reset_ms=resets[0],
    )


def _timed_reset(played: EmulatedX) -> float:
    begun = time.perf_counter()
    played.control("reset")
    return (time.perf_counter() - begun) * 1000


def measure_jump() -> tuple[float, float]:
    """Milliseconds to go on by an hour and count all posts of many accounts, in process: by the
    clock, and of the processor alone, which a busy machine does not stretch as much."""
    world = World("steady", seed=7)
    try:
        for number in range(ACCOUNTS):
            seed = SeedAccount(f"bench{number}", "Bench", 5_000, 100, 0, None, "")
            user = world.add_user(seed)
            for post in range(POSTS_EACH):
                create(world, user, None, CreateBody(text=f"Post {post}"), world.now())
        begun, worked = time.perf_counter(), time.process_time()
        asyncio.run(world.clock.jump(3600))
        at = world.now()
        for each in world.posts.values():
            metrics.post_counts(world, each, at)
        return (time.perf_counter() - begun) * 1000, (time.process_time() - worked) * 1000
    finally:
        world.close()


def main() -> int:
    """Run and report."""
    parser = argparse.ArgumentParser(description="Bench the emulator.")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--each", type=int, default=40, help="posts a connection and round")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--bare", type=int, metavar="PORT", help="serve the bare handler only")
    asked = parser.parse_args()
    if asked.bare:
        serve_bare(asked.bare)
        return 0
    served = measure_served(asked.each, asked.rounds)
    jump_ms, jump_processor_ms = measure_jump()
    bars = [
        Bar("create_vs_bare_handler", served.ratio, ">=", 0.3),
        Bar("failed_requests", served.failed, "==", 0),
        Bar("reset_ms", served.reset_ms, "<=", 5),
        Bar("jump_and_read_ms", jump_ms, "<=", 3000),
        Bar("kb_per_post", served.kb_per_post, "<=", 4),
    ]
    figures: dict[str, float | int | str] = {
        "creates_a_second": round(served.creates_a_second),
        "bare_a_second": round(served.bare_a_second),
        "posts": served.posts,
        "resident_mb": round(served.resident_mb, 1),
        "reset_ms_with_all_posts": round(served.full_reset_ms, 2),
        "jump_and_read_processor_ms": round(jump_processor_ms),
        "posts_counted_after_the_jump": ACCOUNTS * POSTS_EACH,
    }
    return report("emulator", bars, figures, asked.json)


if __name__ == "__main__":
    raise SystemExit(main())
