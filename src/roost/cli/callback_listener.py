"""Who listens at the callback's address: nobody, this home's service, or a stranger."""

import asyncio
import hmac
import socket
from typing import Final
from urllib.parse import SplitResult, urlsplit

import aiohttp

from roost.endpoint import is_loopback
from roost.errors import Refused, UnsafeHost
from roost.runtime import Runtime
from roost.services import prove_service

_TIMEOUT_S: Final = 5.0
_PROOF_LENGTH: Final = 64


class CallbackNotOurs(Refused):
    """What listens at the callback's address did not prove that it is this home's service."""

    default_next = (
        "End what listens there, or restart `roost serve` with the ROOST_HOME, database and"
        " settings of this command; then connect again."
    )


def port_of(callback: SplitResult) -> int:
    """The callback's port, also where its address leaves it out."""
    return callback.port or (443 if callback.scheme == "https" else 80)


async def is_served(runtime: Runtime) -> bool:
    """Whether this home's service listens at the callback's address; False: nobody does.

    A browser may take any address that the host has, so each that is listened at has to prove it.
    Raises: CallbackNotOurs, UnsafeHost (plain HTTP to another machine).
    """
    callback = urlsplit(runtime.settings.twitter_callback_url)
    host, port = callback.hostname or "", port_of(callback)
    if callback.scheme == "http" and not is_loopback(host):
        raise UnsafeHost(
            f"TWITTER_CALLBACK_URL names {host} by plain HTTP: X's code would pass unencrypted.",
            did="Nobody was sent there.",
            next="Use https, or an address of this machine.",
        )
    listening = await asyncio.to_thread(_listening, host, port)
    for address in listening:
        await _require_proof(runtime, callback, address)
    return bool(listening)


def _listening(host: str, port: int) -> list[tuple[str, int]]:
    """The addresses of a host at which something takes connections."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror:
        return []
    listening = []
    for family, kind, protocol, _, address in dict.fromkeys(found):
        with socket.socket(family, kind, protocol) as probe:
            probe.settimeout(_TIMEOUT_S)
            if probe.connect_ex(address) == 0:
                listening.append((str(address[0]), port))
    return listening


async def _require_proof(runtime: Runtime, callback: SplitResult, address: tuple[str, int]) -> None:
    challenge = prove_service.make_challenge()
    expected = await prove_service.prove(runtime, challenge, address)
    host, port = address
    if callback.scheme == "https":
        host = callback.hostname or ""
    at = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    given = await _ask(f"{callback.scheme}://{at}/api/auth/proof", challenge)
    if given is None or not hmac.compare_digest(given, expected.encode()):
        raise CallbackNotOurs(
            f"Something listens at {at}, where X would send the browser with its code, and it is"
            " not this home's Roost service.",
            did="Nobody was sent there.",
        )


async def _ask(url: str, challenge: str) -> bytes | None:
    """What is answered to the challenge; None: nothing that could be a proof."""
    timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
    try:
        async with (
            aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), timeout=timeout) as session,
            session.get(url, params={"challenge": challenge}, allow_redirects=False) as response,
        ):
            given = await response.content.readexactly(_PROOF_LENGTH)
            return given if response.status == 200 else None
    except (aiohttp.ClientError, TimeoutError, OSError, EOFError, ValueError):
        return None
