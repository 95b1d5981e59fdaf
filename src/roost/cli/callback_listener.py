"""Checks whether this installation's web server listens at the OAuth callback's address."""

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
    """The program that listens at the callback address is not this installation's server."""

    default_next = (
        "End the program that listens there, or restart `roost serve` with the ROOST_HOME,"
        " database and settings of this command; then connect again."
    )


def port_of(callback: SplitResult) -> int:
    """Return the port of the callback URL, or the default port of the URL's scheme."""
    return callback.port or (443 if callback.scheme == "https" else 80)


class CallbackNotServed(Refused):
    """Nothing listens at the callback address, and `roost connect` cannot listen there itself."""

    default_next = (
        "Start `roost serve`, and check that the proxy of this address forwards to it. To connect"
        " without a proxy, set TWITTER_CALLBACK_URL to an http address of this machine."
    )


def require_own_address(callback: SplitResult) -> None:
    """Refuse a callback address at which `roost connect` cannot run a web server.

    Raises: CallbackNotServed.
    """
    if callback.scheme != "http" or not is_loopback(callback.hostname or ""):
        raise CallbackNotServed(
            f"Nothing listens at {callback.scheme}://{callback.netloc}, to which X would send the"
            " browser back (TWITTER_CALLBACK_URL).",
            did="The browser was not opened.",
        )


async def is_served(runtime: Runtime) -> bool:
    """Return whether this installation's server listens at the callback address.

    False means that nothing listens there. A browser may use any address of the host, so the
    listener at each address must prove that it belongs to this installation.
    Raises: CallbackNotOurs, UnsafeHost (plain HTTP to another machine).
    """
    callback = urlsplit(runtime.settings.twitter_callback_url)
    host, port = callback.hostname or "", port_of(callback)
    if callback.scheme == "http" and not is_loopback(host):
        raise UnsafeHost(
            f"TWITTER_CALLBACK_URL uses plain HTTP to {host}: the authorization code would be sent"
            " unencrypted.",
            did="The browser was not opened.",
            next="Use https, or an address of this machine.",
        )
    addresses = await asyncio.to_thread(_find_listeners, host, port)
    for address in addresses:
        await _require_proof(runtime, callback, address)
    return bool(addresses)


def _find_listeners(host: str, port: int) -> list[tuple[str, int]]:
    """Return the addresses of a host that accept connections."""
    try:
        candidates = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror:
        return []
    listeners = []
    for family, kind, protocol, _, address in dict.fromkeys(candidates):
        with socket.socket(family, kind, protocol) as probe:
            probe.settimeout(_TIMEOUT_S)
            if probe.connect_ex(address) == 0:
                listeners.append((str(address[0]), port))
    return listeners


async def _require_proof(runtime: Runtime, callback: SplitResult, address: tuple[str, int]) -> None:
    challenge = prove_service.make_challenge()
    expected = await prove_service.prove(runtime, challenge, address)
    host, port = address
    if callback.scheme == "https":
        host = callback.hostname or ""
    at = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    proof = await _request_proof(f"{callback.scheme}://{at}/api/auth/proof", challenge)
    if proof is None or not hmac.compare_digest(proof, expected.encode()):
        raise CallbackNotOurs(
            f"X would send the authorization code to {at}, and the program that listens there is"
            " not the Roost server of this installation.",
            did="The browser was not opened.",
        )


async def _request_proof(url: str, challenge: str) -> bytes | None:
    """Send a challenge to the server at `url`, and return its proof; None if it sends none."""
    timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
    try:
        async with (
            aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), timeout=timeout) as session,
            session.get(url, params={"challenge": challenge}, allow_redirects=False) as response,
        ):
            proof = await response.content.readexactly(_PROOF_LENGTH)
            return proof if response.status == 200 else None
    except (aiohttp.ClientError, TimeoutError, OSError, EOFError, ValueError):
        return None
