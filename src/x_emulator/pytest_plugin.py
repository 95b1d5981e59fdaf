"""Fixture `x_emulator` for anyone's tests: a real server on a free port, reset for each test.

`pip install roost[emulator]` is enough: pytest finds this plugin by its entry point. Nothing here
needs an event loop, and any client in any language may talk to `x_emulator.url`.
"""

import base64
import hashlib
import http.client
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

CALLBACK = "http://127.0.0.1:8080/callback"
SCOPES = "tweet.read tweet.write users.read media.write offline.access"
_FORM = {"content-type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True)
class PlayedApp:
    """The confidential app that each test finds registered."""

    client_id: str
    client_secret: str
    callback: str
    registered: dict[str, Any]
    """All that the door told of it, also the keys of OAuth 1.0a where they are played."""


class PlayedX:
    """A running emulator, seen from a test."""

    def __init__(self, url: str) -> None:
        self.url = url
        """The base URL, without a slash at the end."""
        self.app = PlayedApp("", "", CALLBACK, {})

    def reset(self) -> None:
        """Forget everything, and register the test's app."""
        self.door("reset")
        told = self.door("apps", callbacks=[CALLBACK], name="App under test")
        self.app = PlayedApp(told["client_id"], told["client_secret"], CALLBACK, told)

    def door(self, path: str, /, **body: Any) -> Any:
        """POST to `/_emulator/{path}`; the answer, decoded."""
        return self._json("POST", f"/_emulator/{path}", json.dumps(body))

    def truth(self) -> dict[str, Any]:
        """Everything that really happened: posts, media with their SHA-256, requests, prices."""
        told: dict[str, Any] = self._json("GET", "/_emulator/truth")
        return told

    def users(self) -> list[dict[str, Any]]:
        """The accounts there are, in order of creation."""
        listed: list[dict[str, Any]] = self._json("GET", "/_emulator/users")
        return listed

    def jump(self, seconds: float) -> None:
        """Move the emulator's clock forward."""
        self.door("clock", jump_seconds=seconds)

    def switch(self, **switches: Any) -> None:
        """Change switches until the next reset."""
        self.door("switches", **switches)

    def play(self, play: str, /, **more: Any) -> dict[str, Any]:
        """A person does something on X, by hand; the post that it made or touched."""
        done: dict[str, Any] = self.door("plays", play=play, **more)
        return done

    def fail(self, operation: str, when: str, kind: str, **more: Any) -> None:
        """The next request of this operation goes wrong, `before` or `after` the commit."""
        self.door("faults", operation=operation, when=when, kind=kind, **more)

    def consent(self, username: str, authorize_url: str, decision: str = "allow") -> str:
        """Decide on the authorize page as a person would; the URL to which X redirects."""
        form = urlencode({"user": username, "decision": decision})
        query = urlsplit(authorize_url).query
        path = urlsplit(authorize_url).path
        status, headers, body = self.ask("POST", path, f"{query}&{form}", _FORM)
        assert status == 302, (status, body)
        return headers["location"]

    def connect(self, username: str, scope: str = SCOPES) -> dict[str, Any]:
        """Walk through OAuth 2.0 with PKCE for an account; the token endpoint's answer."""
        verifier = secrets.token_urlsafe(48)
        digest = hashlib.sha256(verifier.encode()).digest()
        query = {
            "response_type": "code",
            "client_id": self.app.client_id,
            "redirect_uri": self.app.callback,
            "scope": scope,
            "state": "a state",
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        back = self.consent(username, f"{self.url}/i/oauth2/authorize?{urlencode(query)}")
        form = {
            "grant_type": "authorization_code",
            "code": parse_qs(urlsplit(back).query)["code"][0],
            "redirect_uri": self.app.callback,
            "code_verifier": verifier,
            "client_id": self.app.client_id,
        }
        known = f"{self.app.client_id}:{self.app.client_secret}".encode()
        basic = {"authorization": f"Basic {base64.b64encode(known).decode()}"}
        status, _, body = self.ask("POST", "/2/oauth2/token", urlencode(form), _FORM | basic)
        assert status == 200, (status, body)
        tokens: dict[str, Any] = json.loads(body)
        return tokens

    def ask(
        self, method: str, path: str, body: str | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """One request: status, headers in lower case, body."""
        at = urlsplit(self.url)
        connection = http.client.HTTPConnection(at.hostname or "", at.port, timeout=30)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            told = {name.lower(): value for name, value in answer.getheaders()}
            return answer.status, told, answer.read()
        finally:
            connection.close()

    def _json(self, method: str, path: str, body: str | None = None) -> Any:
        status, _, raw = self.ask(method, path, body)
        assert status in (200, 201), (status, raw)
        return json.loads(raw)


@contextmanager
def playing(*arguments: str) -> Iterator[str]:
    """A process of the emulator, with command-line arguments of yours; the base URL.

    It gets the environment without the settings of what is tested.
    """
    command = [sys.executable, "-m", "x_emulator", "--port", "0", "--json", *arguments]
    tested = ("ROOST_", "TWITTER_", "DATABASE_URL", "PG")
    environment = {k: v for k, v in os.environ.items() if not k.upper().startswith(tested)}
    process = subprocess.Popen(  # noqa: S603 - our own module
        command, stdout=subprocess.PIPE, env=environment
    )
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())["url"]
    finally:
        process.terminate()
        process.wait(timeout=10)
        process.stdout.close()


@pytest.fixture(scope="session")
def x_emulator_url() -> Iterator[str]:
    """The base URL of a process that plays X until the session ends."""
    with playing("--seed", "7") as url:
        yield url


@pytest.fixture
def x_emulator(x_emulator_url: str) -> PlayedX:
    """X as if nothing had happened yet: one app registered, three accounts, no posts."""
    played = PlayedX(x_emulator_url)
    played.reset()
    return played
