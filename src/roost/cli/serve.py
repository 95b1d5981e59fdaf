"""`roost serve`, `roost worker`, `roost emulator`: the processes that run until they are ended."""

import asyncio
import gc
import os
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from roost.cli.output import Json, complete, open_for_command, say, tell
from roost.escaping import one_line

Scenario = Literal[
    "bot-burst",
    "growth",
    "outage",
    "purge",
    "rival-hashtag",
    "shadow-limited",
    "steady",
    "token-revoked",
    "viral",
]


def worker_id() -> str:
    """What this process signs with while it is a worker: a stopped one is found by it."""
    return f"worker {socket.gethostname()}:{os.getpid()}"


def worker(*, as_json: Json = False) -> int:
    """Publish what is due and collect figures, until SIGTERM or Ctrl-C."""

    async def work() -> None:
        from roost import worker as publisher
        from roost.cli import outcome

        sending: list[publisher.Sending] = []

        def ending(under_way: publisher.Sending) -> None:
            sending.append(under_way)
            tell(
                f"Ending. Requests to X that are finished first: {len(under_way)}. What is not"
                " begun stays planned, and goes out when a worker runs."
            )

        async with open_for_command(with_secrets=True, actor=worker_id(), wait=True) as runtime:
            # What is loaded by now stays to the end: no search for garbage has to visit it again.
            # A job leaves next to none, so it is looked for rarely.
            gc.collect()
            gc.freeze()
            gc.set_threshold(20_000)
            say({"worker": "ready"}, "The worker is ready.", as_json=as_json)
            await publisher.run(runtime, on_stopping=ending)
            posts = await outcome.see_interrupted(runtime, sending[0]) if sending else []
            alive = bool(posts) and await publisher.is_any_alive(runtime)
        for post in posts:
            tell(outcome.describe_interrupted(post, worker_alive=alive))
        tell("The worker has ended.")

    return _until_ended(work)


def serve(
    *,
    host: Annotated[str, Parameter(help="Loopback only, until there is log-in.")] = "127.0.0.1",
    port: Annotated[int, Parameter(help="0 takes any free port.")] = 8700,
    as_json: Json = False,
) -> int:
    """Serve the page, the connection's way and the HTTP API, until SIGTERM or Ctrl-C."""

    async def work() -> None:
        from roost.web import server

        def listening(url: str) -> None:
            say({"url": url}, f"Roost is at {url}", as_json=as_json)

        server.require_loopback(host)
        async with open_for_command(actor="the page", wait=True) as runtime:
            await server.serve(runtime, host, port, on_listening=listening)

    return _until_ended(work)


def _until_ended(work: Callable[[], Awaitable[None]]) -> int:
    """Being asked to end is how these processes end well."""
    try:
        return complete(work)
    except (KeyboardInterrupt, asyncio.CancelledError):
        return 0


def emulator(
    *,
    port: Annotated[int, Parameter(help="0 takes any free port.")] = 8710,
    scenario: Annotated[Scenario, Parameter(help="What happens.")] = "purge",
    seed: Annotated[int, Parameter(help="The same seed gives the same figures.")] = 7,
    state: Annotated[Path | None, Parameter(help="Keep the world here between runs.")] = None,
    faults: Annotated[Path | None, Parameter(help="A YAML file of what shall go wrong.")] = None,
    host: Annotated[str, Parameter(help="Another address than loopback needs a secret.")] = (
        "127.0.0.1"
    ),
    secret_file: Annotated[
        Path | None, Parameter(help="Holds what its doors ask for; else X_EMULATOR_SECRET does.")
    ] = None,
    as_json: Json = False,
) -> int:
    """Play the X API over HTTP, until SIGTERM or Ctrl-C."""
    from x_emulator import server
    from x_emulator.access import read_secret
    from x_emulator.faults.fault_specs import read_fault_file

    def listening(url: str) -> None:
        say({"url": url}, f"X is played at {url}", as_json=as_json)
        tell(f"Point Roost at it: ROOST_X_BASE_URL={url} ROOST_CLOCK_URL={url}/_emulator/clock")

    try:
        server.serve(
            host,
            port,
            scenario=scenario,
            seed=seed,
            on_listening=listening,
            secret=read_secret(secret_file),
            state=state,
            faults=read_fault_file(faults) if faults else (),
        )
    except (OSError, ValueError) as error:
        tell(one_line(f"The emulator does not start: {error}"))
        return 2
    return 0
