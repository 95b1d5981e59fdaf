"""Benchmark the emulator's speed and memory, compared with a minimal handler.

The minimal handler runs on the emulator's own HTTP server. It decodes the body of a create with
msgspec and sends a constant response. 50 raw asyncio connections load the emulator and the minimal
handler in turns, so that other load on the machine affects both. Memory per post is the growth of
the server's resident memory divided by the number of created posts.
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
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from harness.report import Threshold, report
from x_emulator.pytest_plugin import EmulatedX, run_emulator
from x_emulator.rules import metrics
from x_emulator.rules.posts import create
from x_emulator.rules.request_bodies import CreateBody
from x_emulator.scenarios.scenario import SeedAccount
from x_emulator.state import World

CONNECTIONS = 50
ACCOUNTS, POSTS_EACH = 1_000, 100
_RESPONSE = b'{"data":{"id":"2000000000000000000","text":"Post 0","edit_history_tweet_ids":["2"]}}'


async def _respond(request: Request) -> Response:
    msgspec.json.decode(await request.body(), type=CreateBody)
    return Response(_RESPONSE, 201, media_type="application/json")


def serve_minimal_handler(port: int) -> None:
    """Run a handler that does the minimum for a create, on the emulator's own HTTP server."""
    app = Starlette(routes=[Route("/2/tweets", _respond, methods=["POST"])])
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


class LoadConnection(asyncio.Protocol):
    """A connection that sends requests one after the other, and counts the responses."""

    def __init__(self, requests: Iterator[bytes], done: "asyncio.Future[None]") -> None:
        self.succeeded = self.failed = 0
        self._requests = requests
        self._done = done
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        # uvloop's transport is not a subclass of `asyncio.Transport`.
        self._transport = cast(asyncio.Transport, transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        """If the response is complete, count it and send the next request."""
        self._buffer += data
        head, blank, body = self._buffer.partition(b"\r\n\r\n")
        if not blank:
            return
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
        if len(body) < length:
            return
        if head.startswith(b"HTTP/1.1 201"):
            self.succeeded += 1
        else:
            self.failed += 1
        self._buffer = b""
        self._send()

    def connection_lost(self, error: Exception | None) -> None:
        """Count a failure if the connection is closed before all responses have arrived."""
        if not self._done.done():
            self.failed += 1
            self._done.set_result(None)

    def _send(self) -> None:
        request = next(self._requests, None)
        if request is None:
            self._done.set_result(None)
            self._transport.close()
        else:
            self._transport.write(request)


@dataclass(frozen=True)
class LoadResult:
    """How many requests succeeded and failed in a round of load, and how long it took."""

    succeeded: int
    failed: int
    seconds: float

    @property
    def per_second(self) -> float:
        """The successful requests per second."""
        return self.succeeded / self.seconds


async def run_load(url: str, tokens: list[str], each: int, name: str) -> LoadResult:
    """Create `each` posts on every connection, with one account per connection."""
    address = urlsplit(url)
    loop = asyncio.get_running_loop()
    connections = []
    began = time.perf_counter()
    for number, token in enumerate(tokens):
        done: asyncio.Future[None] = loop.create_future()
        connection = LoadConnection(_requests(token, each, f"{name} {number}"), done)
        await loop.create_connection(
            partial(_same, connection), address.hostname or "", address.port or 80
        )
        connections.append((connection, done))
    await asyncio.gather(*(done for _, done in connections))
    seconds = time.perf_counter() - began
    succeeded = sum(connection.succeeded for connection, _ in connections)
    failed = sum(connection.failed for connection, _ in connections)
    return LoadResult(succeeded, failed, seconds)


def _same(connection: LoadConnection) -> LoadConnection:
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
def run_minimal_handler() -> Iterator[str]:
    """Run the minimal handler in another process; yield its URL."""
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
class HttpResult:
    """The results of the measurements over HTTP."""

    ratio: float
    creates_per_second: float
    minimal_per_second: float
    failed: int
    posts: int
    kb_per_post: float
    resident_mb: float
    reset_ms: float
    full_reset_ms: float


def measure_served(each: int, rounds: int) -> HttpResult:
    """Load the emulator and the minimal handler in turns, and return the measurements."""
    with run_emulator("--scenario", "steady") as url, run_minimal_handler() as minimal_url:
        emulator = EmulatedX(url)
        emulator.reset()
        emulator.switch(rate_limits=False)
        tokens = []
        for number in range(CONNECTIONS):
            emulator.control("users", username=f"bench{number}")
            tokens.append(emulator.connect(f"bench{number}")["access_token"])
        [server] = [p for p in psutil.Process().children() if "x_emulator" in p.cmdline()]
        runs: dict[str, list[LoadResult]] = {minimal_url: [], url: []}
        uvloop.run(run_load(url, tokens, 20, "warm"))
        rss_before = server.memory_info().rss
        for number in range(rounds):
            for target, results in runs.items():
                results.append(uvloop.run(run_load(target, tokens, each, f"round {number}")))
        growth = server.memory_info().rss - rss_before
        created = sum(run.succeeded for run in runs[url])
        on_emulator = len(emulator.ground_truth()["posts"]) - 20 * CONNECTIONS
        resident = server.memory_info().rss
        resets = [_measure_reset_ms(emulator) for _ in range(15)]
    rates = [(b.per_second, e.per_second) for b, e in zip(*runs.values(), strict=True)]
    failed = sum(run.failed for results in runs.values() for run in results)
    return HttpResult(
        ratio=statistics.median(emulated / minimal for minimal, emulated in rates),
        creates_per_second=statistics.median(emulated for _, emulated in rates),
        minimal_per_second=statistics.median(minimal for minimal, _ in rates),
        failed=failed + abs(on_emulator - created),
        posts=created,
        kb_per_post=growth / 1024 / created,
        resident_mb=resident / 2**20,
        reset_ms=statistics.median(resets[1:]),
        full_reset_ms=resets[0],
    )


def _measure_reset_ms(emulator: EmulatedX) -> float:
    began = time.perf_counter()
    emulator.control("reset")
    return (time.perf_counter() - began) * 1000


def measure_jump() -> tuple[float, float]:
    """Measure a clock jump of an hour, including the computation of all posts' new counts.

    The measurement runs in this process. The result is the milliseconds of wall time and of CPU
    time; other load on the machine affects the CPU time less.
    """
    world = World("steady", seed=7)
    try:
        for number in range(ACCOUNTS):
            seed = SeedAccount(f"bench{number}", "Bench", 5_000, 100, 0, None, "")
            user = world.add_user(seed)
            for post in range(POSTS_EACH):
                create(world, user, None, CreateBody(text=f"Post {post}"), world.now())
        began, cpu_began = time.perf_counter(), time.process_time()
        asyncio.run(world.clock.jump(3600))
        now = world.now()
        for each in world.posts.values():
            metrics.post_counts(world, each, now)
        return (time.perf_counter() - began) * 1000, (time.process_time() - cpu_began) * 1000
    finally:
        world.close()


def main() -> int:
    """Run the benchmark; return 1 if a result misses its threshold, otherwise 0."""
    parser = argparse.ArgumentParser(description="Benchmark the emulator.")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--each", type=int, default=40, help="posts per connection and round")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--bare", type=int, metavar="PORT", help="only run the minimal handler")
    arguments = parser.parse_args()
    if arguments.bare:
        serve_minimal_handler(arguments.bare)
        return 0
    http = measure_served(arguments.each, arguments.rounds)
    jump_ms, jump_cpu_ms = measure_jump()
    thresholds = [
        Threshold("create_vs_bare_handler", http.ratio, ">=", 0.3),
        Threshold("failed_requests", http.failed, "==", 0),
        Threshold("reset_ms", http.reset_ms, "<=", 5),
        Threshold("jump_and_read_ms", jump_ms, "<=", 3000),
        Threshold("kb_per_post", http.kb_per_post, "<=", 4),
    ]
    figures: dict[str, float | int | str] = {
        "creates_a_second": round(http.creates_per_second),
        "minimal_handler_a_second": round(http.minimal_per_second),
        "posts": http.posts,
        "resident_mb": round(http.resident_mb, 1),
        "reset_ms_with_all_posts": round(http.full_reset_ms, 2),
        "jump_and_read_processor_ms": round(jump_cpu_ms),
        "posts_counted_after_the_jump": ACCOUNTS * POSTS_EACH,
    }
    return report("emulator", thresholds, figures, arguments.json)


if __name__ == "__main__":
    raise SystemExit(main())
