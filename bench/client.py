"""Bench the client: CPU time of a create-post call beside its neighbours', against canned answers.

    python bench/client.py [--json] [--rounds N] [--calls N]

The server is a process of its own and only the client's CPU counts. A round measures a neighbour
between two halves of ours; a bar is the median of the rounds' ratios, the worse of one call at a
time and 50 in flight. Ours decodes typed models, and reads limits and price of every result; each
neighbour is in its best configuration: one session kept, a bearer token, as many pooled
connections as calls in flight. All are warmed alike. node's compiler is at work for some thousand
calls more: `…_us` are taken after the rounds, and show what a long-lived process of it needs.
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
from _report import Bar, report
from requests.adapters import HTTPAdapter
from tweepy.asynchronous import AsyncClient

from roost import x
from roost.models import TweetId

IN_FLIGHT = (1, 50)
TOKEN = "token" * 20
IDS = [TweetId(str(1_985_000_000_000_000_000 + number)) for number in range(100)]
NODE_VERSION = "twitter-api-v2@1.29.1"
BARS = {
    "raw_aiohttp": 1.35,
    "tweepy_async": 1.25,
    "tweepy": 0.45,
    "xdk": 0.45,
    "node_twitter_api_v2": 0.8,
}

#: CPU microseconds for so many calls, so many of them in flight.
Measure = Callable[[int, int], float]
_numbers = itertools.count()


def text() -> str:
    """A post like no other."""
    return f"Number {next(_numbers)}: the tide turns at nine, and the boats go out."


def posts_answer() -> bytes:
    """A hundred posts with all that is counted of them, in the spelling that xdk knows."""
    counts = {"like_count": 21, "reply_count": 3, "repost_count": 4, "impression_count": 4021}
    clicks = {"url_link_clicks": 17, "user_profile_clicks": 5}
    posts = [
        {
            "id": tweet_id,
            "text": text(),
            "edit_history_post_ids": [tweet_id],
            "public_metrics": counts | {"quote_count": 1, "bookmark_count": 2},
            "non_public_metrics": clicks | {"impression_count": 4021, "engagements": 88},
            "organic_metrics": counts | clicks,
        }
        for tweet_id in IDS
    ]
    return msgspec.json.encode({"data": posts})


@contextlib.contextmanager
def canned() -> Iterator[int]:
    """The server in a process of its own; its port."""
    command = [sys.executable, str(Path(__file__).with_name("_canned.py"))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(posts_answer())
        process.stdin.close()
        try:
            yield int(process.stdout.readline())
        finally:
            process.terminate()


class Asynchronous:
    """Clients on one event loop, with a session each that is kept for the whole run."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.runner = asyncio.Runner()
        self.sessions: list[aiohttp.ClientSession] = []

    def open(self) -> aiohttp.ClientSession:
        """A session with room for all that is in flight."""

        async def make() -> aiohttp.ClientSession:
            return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=max(IN_FLIGHT)))

        self.sessions.append(self.runner.run(make()))
        return self.sessions[-1]

    def measure(self, call: Callable[[], Any]) -> Measure:
        """How much CPU an asynchronous call takes."""

        async def several(calls: int) -> None:
            for _ in range(calls):
                await call()

        async def measured(calls: int, in_flight: int) -> float:
            begun = time.process_time()
            await asyncio.gather(*(several(calls // in_flight) for _ in range(in_flight)))
            return (time.process_time() - begun) * 1e6

        return lambda calls, in_flight: self.runner.run(measured(calls, in_flight))

    def close(self) -> None:
        """Close sessions and loop."""
        for session in self.sessions:
            self.runner.run(session.close())
        self.runner.close()

    def ours(self) -> Callable[[], Any]:
        """Roost, with limits and price of each result read."""
        client = x.Client(x.FixedToken(TOKEN, x.XEndpoint(self.url)), session=self.open())

        async def call() -> None:
            created = await x.posts.create(client, text=text())
            assert created.tweet_id
            assert created.rate
            assert created.price

        return call

    def our_metrics(self) -> Callable[[], Any]:
        """Roost reading a hundred posts' figures, one of each looked at."""
        client = x.Client(x.FixedToken(TOKEN, x.XEndpoint(self.url)), session=self.open())

        async def call() -> None:
            read = await x.metrics.read_posts(client, IDS, private_for=IDS)
            assert sum(map(_impressions, read.values())) == 402_100

        return call

    def raw(self) -> Callable[[], Any]:
        """aiohttp and nothing else."""
        session, url = self.open(), f"{self.url}/2/tweets"
        headers = {"Authorization": f"Bearer {TOKEN}"}

        async def call() -> None:
            async with session.post(url, json={"text": text()}, headers=headers) as response:
                assert (await response.json())["data"]["id"]

        return call

    def tweepy_async(self) -> Callable[[], Any]:
        """tweepy's asynchronous client; its host is a constant, so its session turns it."""
        client = AsyncClient(TOKEN)
        client.session = _Turned(self.open(), self.url)

        async def call() -> None:
            created = await client.create_tweet(text=text(), user_auth=False)
            assert created.data["id"]

        return call


def _impressions(figures: x.metrics.PostMetrics) -> int:
    assert figures.public is not None
    return figures.public.impression_count or 0


class _Turned:
    """A session that asks the canned server, whatever host is meant."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session, self._url = session, url

    def request(self, method: str, url: str, **more: Any) -> Any:
        return self._session.request(
            method, self._url + url[len("https://api.twitter.com") :], **more
        )


class _ToCanned(HTTPAdapter):
    """The same for requests, with a connection for each call in flight."""

    def __init__(self, url: str) -> None:
        super().__init__(pool_connections=1, pool_maxsize=max(IN_FLIGHT))
        self.url = url

    def send(self, request: Any, *args: Any, **more: Any) -> Any:
        meant = urlsplit(request.url)
        query = f"?{meant.query}" if meant.query else ""
        request.url = f"{self.url}{meant.path}{query}"
        return super().send(request, *args, **more)


def tweepy_client(url: str) -> Callable[[], None]:
    """tweepy's synchronous client."""
    client = tweepy.Client(TOKEN)
    client.session.mount("https://", _ToCanned(url))

    def call() -> None:
        assert client.create_tweet(text=text(), user_auth=False).data["id"]

    return call


def xdk_client(url: str) -> Any:
    """X's own client, with a pool that is large enough."""
    client = xdk.Client(base_url=url, access_token=TOKEN)
    session: requests.Session = client.session
    session.mount("http://", HTTPAdapter(pool_connections=1, pool_maxsize=max(IN_FLIGHT)))
    return client


def xdk_create(url: str) -> Callable[[], None]:
    """A create by xdk."""
    client = xdk_client(url)

    def call() -> None:
        assert client.posts.create({"text": text()}).data.id

    return call


def xdk_metrics(url: str) -> Callable[[], None]:
    """A hundred posts' figures by xdk, one of each looked at."""
    client = xdk_client(url)
    fields = ["public_metrics", "non_public_metrics", "organic_metrics"]

    def call() -> None:
        read = client.posts.get_by_ids(IDS, post_fields=fields)
        assert sum(each.public_metrics.impression_count for each in read.data) == 402_100

    return call


def synchronous(call: Callable[[], None], pool: ThreadPoolExecutor) -> Measure:
    """How much CPU a blocking call takes; in flight means in threads."""

    def several(calls: int) -> None:
        for _ in range(calls):
            call()

    def measure(calls: int, in_flight: int) -> float:
        begun = time.process_time()
        if in_flight == 1:
            several(calls)
        else:
            list(pool.map(several, [calls // in_flight] * in_flight))
        return (time.process_time() - begun) * 1e6

    return measure


@contextlib.contextmanager
def node(port: int) -> Iterator[Measure | None]:
    """node's twitter-api-v2 in a process of its own; None: no node here, or no such package."""
    folder = node_folder()
    if folder is None:
        yield None
        return
    with subprocess.Popen(
        ["node", str(Path(__file__).with_name("_node_client.mjs"))],
        env=os.environ | {"CLIENT_FOLDER": str(folder), "PORT": str(port)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        asked, told = process.stdin, process.stdout
        assert asked is not None
        assert told is not None

        def measure(calls: int, in_flight: int) -> float:
            print(calls, in_flight, file=asked, flush=True)
            return float(told.readline())

        yield measure
        asked.close()


def node_folder() -> Path | None:
    """Where npm has installed the package; kept between runs."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return None
    known = hashlib.sha256(NODE_VERSION.encode()).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"roost-bench-node-{os.getuid()}-{known}"
    if not (folder / "node_modules").is_dir():
        folder.mkdir(exist_ok=True)
        command = ["npm", "install", "--silent", "--no-audit", "--no-fund", NODE_VERSION]
        if subprocess.run(command, cwd=folder, check=False).returncode != 0:
            shutil.rmtree(folder)
            return None
    return folder


def ratios(
    ours: Measure,
    theirs: Measure,
    calls: int,
    rounds: int,
    in_flight: Sequence[int] = IN_FLIGHT,
) -> dict[int, list[float]]:
    """By calls in flight: of each round, our CPU time to theirs, ours before and after them.

    Both are run once before.
    """
    found: dict[int, list[float]] = {each: [] for each in in_flight}
    for each in in_flight:
        ours(calls, each), theirs(calls, each)
    for _ in range(rounds):
        for each, of_rounds in found.items():
            gc.collect()
            before = ours(calls // 2, each)
            their_cpu = theirs(calls, each)
            of_rounds.append((before + ours(calls // 2, each)) / their_cpu)
    return found


def median_cpu(measure: Measure, calls: int, in_flight: int) -> float:
    """Microseconds a call, once the rounds are over."""
    return statistics.median(measure(calls, in_flight) / calls for _ in range(5))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run and report."""
    parser = argparse.ArgumentParser(description="Bench the client.")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=31, help="pairs for each bar, at least 5")
    parser.add_argument("--calls", type=int, default=200, help="calls in each half of a pair")
    asked = parser.parse_args(arguments)
    rounds, calls = max(asked.rounds, 5), max(asked.calls // 100, 1) * 100
    bars: list[Bar] = []
    figures: dict[str, float | int | str] = {"rounds": rounds, "calls": calls}
    with (
        canned() as port,
        node(port) as by_node,
        ThreadPoolExecutor(max(IN_FLIGHT)) as pool,
        contextlib.closing(Asynchronous(f"http://127.0.0.1:{port}")) as loop,
    ):
        ours = loop.measure(loop.ours())
        neighbours: dict[str, Measure | None] = {
            "raw_aiohttp": loop.measure(loop.raw()),
            "tweepy_async": loop.measure(loop.tweepy_async()),
            "tweepy": synchronous(tweepy_client(loop.url), pool),
            "xdk": synchronous(xdk_create(loop.url), pool),
            "node_twitter_api_v2": by_node,
        }
        for name, theirs in neighbours.items():
            if theirs is None:
                figures[name] = "not on this machine"
                continue
            found = ratios(ours, theirs, calls, rounds)
            for in_flight, of_rounds in found.items():
                figures[f"{name}_{in_flight}_in_flight"] = round(statistics.median(of_rounds), 3)
                figures[f"{name}_{in_flight}_us"] = round(median_cpu(theirs, calls, in_flight))
            worst = max(map(statistics.median, found.values()))
            bars.append(Bar(f"create_cpu_vs_{name}", round(worst, 3), "<=", BARS[name]))
        for in_flight in IN_FLIGHT:
            figures[f"roost_{in_flight}_us"] = round(median_cpu(ours, calls, in_flight))
        our_metrics = loop.measure(loop.our_metrics())
        their_metrics = synchronous(xdk_metrics(loop.url), pool)
        found = ratios(our_metrics, their_metrics, 100, rounds, (1,))
        value = round(statistics.median(found[1]), 3)
        bars.append(Bar("metrics_100_vs_xdk", value, "<=", 0.25))
        figures["roost_metrics_100_us"] = round(median_cpu(our_metrics, 50, 1))
        figures["xdk_metrics_100_us"] = round(median_cpu(their_metrics, 50, 1))
    return report("client", bars, figures, asked.json)


if __name__ == "__main__":
    raise SystemExit(main())
