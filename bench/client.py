"""Benchmark the CPU time of a create-post call of Roost's client and of other clients.

    ./dev bench client [--json] [--rounds N] [--calls N]

A server in another process sends fixed responses, and only the CPU time of the client counts. In a
round, the calls of another client run between two halves of Roost's calls. The ratio of a round is
Roost's CPU time divided by the other client's. A threshold applies to the median ratio of all
rounds, with one call at a time or with 50 calls in flight, whichever median is higher. Roost's
client decodes typed models, and reads the rate limits and the price of every result. Each other
client has its best configuration: a session that is kept, a bearer token, and as many pooled
connections as calls in flight. All clients get the same warm-up. Node's compiler continues to
optimize for some thousand calls after the warm-up. The figures `…_us` are therefore measured after
the rounds, and show the CPU time in a long-lived process.
"""

import argparse
import asyncio
import contextlib
import gc
import hashlib
import itertools
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import msgspec
import requests
import tweepy
import xdk
from requests.adapters import HTTPAdapter
from tweepy.asynchronous import AsyncClient

from harness import canned_server
from harness.report import Threshold, report
from roost import x
from roost.models import TweetId

IN_FLIGHT = (1, 50)
TOKEN = "token" * 20
IDS = [TweetId(str(1_985_000_000_000_000_000 + number)) for number in range(100)]
NODE_VERSION = "twitter-api-v2@1.29.1"
#: For each other client, the highest allowed ratio of Roost's CPU time to that client's CPU time.
LIMITS = {
    "raw_aiohttp": 1.35,
    "tweepy_async": 1.25,
    "tweepy": 0.45,
    "xdk": 0.45,
    "node_twitter_api_v2": 0.8,
}

#: A function that returns the CPU microseconds of calls, given their number and the number of calls
#: in flight at a time.
Measure = Callable[[int, int], float]
_numbers = itertools.count()


def make_text() -> str:
    """Return a text for a post, which differs in each call."""
    return f"Number {next(_numbers)}: the tide turns at nine, and the boats go out."


def posts_response() -> bytes:
    """Return a hundred posts with all metrics as JSON, with the field names that xdk knows."""
    counts = {"like_count": 21, "reply_count": 3, "repost_count": 4, "impression_count": 4021}
    clicks = {"url_link_clicks": 17, "user_profile_clicks": 5}
    posts = [
        {
            "id": tweet_id,
            "text": make_text(),
            "edit_history_post_ids": [tweet_id],
            "public_metrics": counts | {"quote_count": 1, "bookmark_count": 2},
            "non_public_metrics": clicks | {"impression_count": 4021, "engagements": 88},
            "organic_metrics": counts | clicks,
        }
        for tweet_id in IDS
    ]
    return msgspec.json.encode({"data": posts})


@contextlib.contextmanager
def run_server() -> Iterator[int]:
    """Run the server of fixed responses in another process; yield the port."""
    command = [sys.executable, canned_server.__file__]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(posts_response())
        process.stdin.close()
        try:
            yield int(process.stdout.readline())
        finally:
            process.terminate()


class AsyncClients:
    """Asynchronous clients on one event loop, which keep their sessions for the whole run."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.runner = asyncio.Runner()
        self.sessions: list[aiohttp.ClientSession] = []

    def open(self) -> aiohttp.ClientSession:
        """Open a session with as many connections as calls in flight."""

        async def make() -> aiohttp.ClientSession:
            return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=max(IN_FLIGHT)))

        self.sessions.append(self.runner.run(make()))
        return self.sessions[-1]

    def measure(self, call: Callable[[], Any]) -> Measure:
        """Return a function that measures the CPU time of an asynchronous call."""

        async def call_repeatedly(calls: int) -> None:
            for _ in range(calls):
                await call()

        async def measure_cpu(calls: int, in_flight: int) -> float:
            began = time.process_time()
            await asyncio.gather(*(call_repeatedly(calls // in_flight) for _ in range(in_flight)))
            return (time.process_time() - began) * 1e6

        return lambda calls, in_flight: self.runner.run(measure_cpu(calls, in_flight))

    def close(self) -> None:
        """Close the sessions and the event loop."""
        for session in self.sessions:
            self.runner.run(session.close())
        self.runner.close()

    def roost(self) -> Callable[[], Any]:
        """Return a function that creates a post with Roost and reads its rate limit and price."""
        client = x.Client(x.FixedToken(TOKEN, x.XEndpoint(self.url)), session=self.open())

        async def call() -> None:
            created = await x.posts.create(client, text=make_text())
            assert created.tweet_id
            assert created.rate
            assert created.price

        return call

    def roost_metrics(self) -> Callable[[], Any]:
        """Return a function that reads, with Roost, a hundred posts and one metric of each."""
        client = x.Client(x.FixedToken(TOKEN, x.XEndpoint(self.url)), session=self.open())

        async def call() -> None:
            read = await x.metrics.read_posts(client, IDS, private_for=IDS)
            assert sum(map(_impressions, read.values())) == 402_100

        return call

    def raw(self) -> Callable[[], Any]:
        """Return a function that creates a post with aiohttp alone, without a client library."""
        session, url = self.open(), f"{self.url}/2/tweets"
        headers = {"Authorization": f"Bearer {TOKEN}"}

        async def call() -> None:
            async with session.post(url, json={"text": make_text()}, headers=headers) as response:
                assert (await response.json())["data"]["id"]

        return call

    def tweepy_async(self) -> Callable[[], Any]:
        """Return a function that creates a post with tweepy's asynchronous client.

        The client's session is replaced, so that requests go to the server of fixed responses.
        """
        client = AsyncClient(TOKEN)
        client.session = _RedirectedSession(self.open(), self.url)

        async def call() -> None:
            created = await client.create_tweet(text=make_text(), user_auth=False)
            assert created.data["id"]

        return call


def _impressions(post: x.metrics.PostMetrics) -> int:
    assert post.public is not None
    return post.public.impression_count or 0


class _RedirectedSession:
    """An aiohttp session that sends all requests to the server of fixed responses."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session, self._url = session, url

    def request(self, method: str, url: str, **options: Any) -> Any:
        return self._session.request(
            method, self._url + url[len("https://api.twitter.com") :], **options
        )


class _RedirectingAdapter(HTTPAdapter):
    """Adapter of `requests` that sends all requests to the server of fixed responses."""

    def __init__(self, url: str) -> None:
        super().__init__(pool_connections=1, pool_maxsize=max(IN_FLIGHT))
        self.url = url

    def send(self, request: Any, *args: Any, **options: Any) -> Any:
        url = urlsplit(request.url)
        query = f"?{url.query}" if url.query else ""
        request.url = f"{self.url}{url.path}{query}"
        return super().send(request, *args, **options)


def tweepy_create(url: str) -> Callable[[], None]:
    """Return a function that creates a post with tweepy's synchronous client."""
    client = tweepy.Client(TOKEN)
    client.session.mount("https://", _RedirectingAdapter(url))

    def call() -> None:
        assert client.create_tweet(text=make_text(), user_auth=False).data["id"]

    return call


def xdk_client(url: str) -> Any:
    """Create X's own client, xdk, with as many pooled connections as calls in flight."""
    client = xdk.Client(base_url=url, access_token=TOKEN)
    session: requests.Session = client.session
    session.mount("http://", HTTPAdapter(pool_connections=1, pool_maxsize=max(IN_FLIGHT)))
    return client


def xdk_create(url: str) -> Callable[[], None]:
    """Return a function that creates a post with xdk, X's own client."""
    client = xdk_client(url)

    def call() -> None:
        assert client.posts.create({"text": make_text()}).data.id

    return call


def xdk_metrics(url: str) -> Callable[[], None]:
    """Return a function that reads, with xdk, a hundred posts and one metric of each."""
    client = xdk_client(url)
    fields = ["public_metrics", "non_public_metrics", "organic_metrics"]

    def call() -> None:
        read = client.posts.get_by_ids(IDS, post_fields=fields)
        assert sum(each.public_metrics.impression_count for each in read.data) == 402_100

    return call


def measure_blocking(call: Callable[[], None], pool: ThreadPoolExecutor) -> Measure:
    """Return a function that measures the CPU time of a blocking call, run in threads."""

    def call_repeatedly(calls: int) -> None:
        for _ in range(calls):
            call()

    def measure(calls: int, in_flight: int) -> float:
        began = time.process_time()
        if in_flight == 1:
            call_repeatedly(calls)
        else:
            list(pool.map(call_repeatedly, [calls // in_flight] * in_flight))
        return (time.process_time() - began) * 1e6

    return measure


@contextlib.contextmanager
def run_node(port: int) -> Iterator[Measure | None]:
    """Run the client twitter-api-v2 in a Node process; yield a function that measures it.

    Yields None if Node or the package is missing.
    """
    folder = install_node_client()
    if folder is None:
        yield None
        return
    with subprocess.Popen(
        ["node", str(Path(__file__).with_name("node_client.mjs"))],
        env=os.environ | {"CLIENT_FOLDER": str(folder), "PORT": str(port)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        requests_in, results_out = process.stdin, process.stdout
        assert requests_in is not None
        assert results_out is not None

        def measure(calls: int, in_flight: int) -> float:
            print(calls, in_flight, file=requests_in, flush=True)
            return float(results_out.readline())

        yield measure
        requests_in.close()


def install_node_client() -> Path | None:
    """Install the package by npm in a folder that later runs reuse; return None if it fails."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return None
    version_hash = hashlib.sha256(NODE_VERSION.encode()).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"roost-bench-node-{os.getuid()}-{version_hash}"
    if not (folder / "node_modules").is_dir():
        folder.mkdir(exist_ok=True)
        command = ["npm", "install", "--silent", "--no-audit", "--no-fund", NODE_VERSION]
        if subprocess.run(command, cwd=folder, check=False).returncode != 0:
            shutil.rmtree(folder)
            return None
    return folder


def measure_ratios(
    ours: Measure,
    theirs: Measure,
    calls: int,
    rounds: int,
    in_flight: Sequence[int] = IN_FLIGHT,
) -> dict[int, list[float]]:
    """Measure the ratio of Roost's CPU time to another client's in each round.

    Returns the ratios by the number of calls in flight. In each round, half of Roost's calls run
    before the other client's calls and half after them. Both clients are run once before the first
    round.
    """
    ratios: dict[int, list[float]] = {each: [] for each in in_flight}
    for each in in_flight:
        ours(calls, each), theirs(calls, each)
    for _ in range(rounds):
        for each, round_ratios in ratios.items():
            gc.collect()
            before = ours(calls // 2, each)
            their_cpu = theirs(calls, each)
            round_ratios.append((before + ours(calls // 2, each)) / their_cpu)
    return ratios


def measure_median_us(measure: Measure, calls: int, in_flight: int) -> float:
    """Return the median of a call's CPU microseconds over several measurements."""
    return statistics.median(measure(calls, in_flight) / calls for _ in range(5))


def main() -> int:
    """Run the benchmark; return 1 if a result misses its threshold, otherwise 0."""
    parser = argparse.ArgumentParser(description="Benchmark the client.")
    parser.add_argument("--json", action="store_true")
    parser.add_argument(
        "--rounds", type=int, default=31, help="number of rounds for each threshold, at least 5"
    )
    parser.add_argument("--calls", type=int, default=200, help="number of calls in half a round")
    arguments = parser.parse_args()
    rounds, calls = max(arguments.rounds, 5), max(arguments.calls // 100, 1) * 100
    thresholds: list[Threshold] = []
    figures: dict[str, float | int | str] = {"rounds": rounds, "calls": calls}
    with (
        run_server() as port,
        run_node(port) as node,
        ThreadPoolExecutor(max(IN_FLIGHT)) as pool,
        contextlib.closing(AsyncClients(f"http://127.0.0.1:{port}")) as loop,
    ):
        ours = loop.measure(loop.roost())
        other_clients: dict[str, Measure | None] = {
            "raw_aiohttp": loop.measure(loop.raw()),
            "tweepy_async": loop.measure(loop.tweepy_async()),
            "tweepy": measure_blocking(tweepy_create(loop.url), pool),
            "xdk": measure_blocking(xdk_create(loop.url), pool),
            "node_twitter_api_v2": node,
        }
        for name, theirs in other_clients.items():
            if theirs is None:
                figures[name] = "not available on this machine"
                continue
            ratios = measure_ratios(ours, theirs, calls, rounds)
            for in_flight, round_ratios in ratios.items():
                figures[f"{name}_{in_flight}_in_flight"] = round(statistics.median(round_ratios), 3)
                median_us = measure_median_us(theirs, calls, in_flight)
                figures[f"{name}_{in_flight}_us"] = round(median_us)
            worst = max(map(statistics.median, ratios.values()))
            thresholds.append(
                Threshold(f"create_cpu_vs_{name}", round(worst, 3), "<=", LIMITS[name])
            )
        for in_flight in IN_FLIGHT:
            figures[f"roost_{in_flight}_us"] = round(measure_median_us(ours, calls, in_flight))
        our_metrics = loop.measure(loop.roost_metrics())
        their_metrics = measure_blocking(xdk_metrics(loop.url), pool)
        ratios = measure_ratios(our_metrics, their_metrics, 100, rounds, (1,))
        value = round(statistics.median(ratios[1]), 3)
        thresholds.append(Threshold("metrics_100_vs_xdk", value, "<=", 0.25))
        figures["roost_metrics_100_us"] = round(measure_median_us(our_metrics, 50, 1))
        figures["xdk_metrics_100_us"] = round(measure_median_us(their_metrics, 50, 1))
    return report("client", thresholds, figures, arguments.json)


if __name__ == "__main__":
    raise SystemExit(main())
