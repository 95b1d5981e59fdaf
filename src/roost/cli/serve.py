"""`roost serve` and `roost worker`: services that run until they are stopped."""

import asyncio
import gc
import os
import socket
from collections.abc import Awaitable, Callable
from typing import Annotated
from urllib.parse import urlsplit

from cyclopts import Parameter

from roost.cli.arguments import Json, Port, list_tenant_options
from roost.cli.command import open_for_command, run_async
from roost.cli.output import print_note, print_result
from roost.cli.schemas.installation import ListeningOutput, WorkerOutput
from roost.endpoint import is_loopback
from roost.models import Actor, ActorKind


def worker_actor() -> Actor:
    """Return the actor of a worker in this process: host name and process id identify it."""
    return Actor(ActorKind.WORKER, f"{socket.gethostname()}:{os.getpid()}")


def worker(*, as_json: Json = False) -> int:
    """Run a worker until SIGTERM or Ctrl-C: publish due posts and collect metrics."""

    async def work() -> None:
        from roost import worker as publisher
        from roost.cli import outcome
        from roost.services import health

        actor = worker_actor()
        sending: list[publisher.Sending] = []

        def on_ending(under_way: publisher.Sending) -> None:
            sending.append(under_way)
            print_note(
                f"Ending once the requests to X under way ({len(under_way)}) have completed. Other"
                " posts stay scheduled, and are published when a worker runs."
            )

        async with open_for_command(with_secrets=True, wait=True) as runtime:
            publisher.load_modules()
            # Modules live until the process ends, so the garbage collector need not visit them
            # again. A job leaves almost no cyclic garbage, so the collector may run rarely.
            gc.collect()
            gc.freeze()
            gc.set_threshold(20_000)
            print_result(WorkerOutput(worker="ready"), "The worker is ready.", as_json=as_json)
            await publisher.run(runtime, actor, on_stopping=on_ending)
            posts = await outcome.list_interrupted(runtime, actor, sending[0]) if sending else []
            is_alive = bool(posts) and await health.is_worker_alive(runtime)
            options = await list_tenant_options(runtime) if posts else {}
        for post in posts:
            option = options[post.tenant_id]
            print_note(
                outcome.describe_interrupted(post, worker_alive=is_alive, tenant_option=option)
            )
        print_note("The worker has ended.")

    return _until_ended(work)


def serve(
    *,
    host: Annotated[
        str, Parameter(help="A loopback address, because there is no login yet.")
    ] = "127.0.0.1",
    port: Port = 8700,
    as_json: Json = False,
) -> int:
    """Run the web server until SIGTERM or Ctrl-C: pages, OAuth callback and HTTP API."""

    async def work() -> None:
        from roost.web import server

        def on_listening(url: str) -> None:
            print_result(ListeningOutput(url=url), f"Roost is at {url}", as_json=as_json)
            if warning := _describe_other_callback(runtime.settings.twitter_callback_url, url):
                print_note(warning)

        server.require_loopback(host)
        async with open_for_command(wait=True) as runtime:
            await server.serve(runtime, host, port, on_listening=on_listening)

    return _until_ended(work)


def _describe_other_callback(callback_url: str, url: str) -> str | None:
    """Return a warning if X redirects browsers to another port than the one of this server.

    Return None if the ports are equal. Return None, too, if the callback address is not a loopback
    address, because it may be the address of a proxy, whose port differs.
    """
    callback, own = urlsplit(callback_url), urlsplit(url)
    if not is_loopback(callback.hostname or "") or callback.port == own.port:
        return None
    return (
        f"! X sends the browser back to {callback.scheme}://{callback.netloc}"
        f" (TWITTER_CALLBACK_URL), but this server listens on port {own.port}: accounts cannot be"
        " connected on its pages. Use the same port in --port and in TWITTER_CALLBACK_URL."
    )


def _until_ended(work: Callable[[], Awaitable[None]]) -> int:
    """Run a service until it is stopped, and return exit code 0, because this is no failure."""
    try:
        return run_async(work)
    except (KeyboardInterrupt, asyncio.CancelledError):
        return 0
