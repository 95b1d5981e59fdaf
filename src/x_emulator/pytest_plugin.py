"""pytest plugin with the fixture `x_emulator`: a real server that is reset for each test.

To use the plugin, install the extra `testing`; pytest finds the plugin by its entry point. The
plugin needs no event loop. A client in any language can use the server at `x_emulator.url`.
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
class RegisteredApp:
    """The confidential app that is registered for each test."""

    client_id: str
    client_secret: str
    callback: str
    registered: dict[str, Any]
    """The app as the control API describes it, with the OAuth 1.0a keys."""


class EmulatedX:
    """A client of a running emulator, with methods for its control API."""

    def __init__(self, url: str) -> None:
        self.url = url
        """The base URL, without a trailing slash."""
        self.app = RegisteredApp("", "", CALLBACK, {})

    def reset(self) -> None:
        """Reset the emulator and register the test's app."""
        self.control("reset")
        app = self.control("apps", callbacks=[CALLBACK], name="App under test")
        self.app = RegisteredApp(app["client_id"], app["client_secret"], CALLBACK, app)

    def control(self, path: str, /, **body: Any) -> Any:
        """POST a JSON body to `/_emulator/{path}` and return the decoded response."""
        return self._json("POST", f"/_emulator/{path}", json.dumps(body))

    def ground_truth(self) -> dict[str, Any]:
        """Return the ground truth, with posts, SHA-256 of media, requests and prices."""
        sections: dict[str, Any] = self._json("GET", "/_emulator/ground-truth")
        return sections

    def users(self) -> list[dict[str, Any]]:
        """List the accounts in order of creation."""
        accounts: list[dict[str, Any]] = self._json("GET", "/_emulator/users")
        return accounts

    def jump(self, seconds: float) -> None:
        """Move the emulator's clock forward."""
        self.control("clock", jump_seconds=seconds)

    def switch(self, **switches: Any) -> None:
        """Change switches until the next reset."""
        self.control("switches", **switches)

    def act(self, action: str, /, **fields: Any) -> dict[str, Any]:
        """Perform a person's action on X; return the post that the action created or changed."""
        post: dict[str, Any] = self.control("actions", action=action, **fields)
        return post

    def fail(self, operation: str, when: str, kind: str, **fields: Any) -> None:
        """Inject a fault into the next request of an operation: `before` or `after` its effect."""
        self.control("faults", operation=operation, when=when, kind=kind, **fields)

    def consent(self, username: str, authorize_url: str, decision: str = "allow") -> str:
        """Decide on the authorize page as a person would; return the URL of X's redirect."""
        form = urlencode({"user": username, "decision": decision})
        query = urlsplit(authorize_url).query
        path = urlsplit(authorize_url).path
        status, headers, body = self.request("POST", path, f"{query}&{form}", _FORM)
        assert status == 302, (status, body)
        return headers["location"]

    def connect(self, username: str, scope: str = SCOPES) -> dict[str, Any]:
        """Connect an account by OAuth 2.0 with PKCE; return the token endpoint's response."""
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
        callback = self.consent(username, f"{self.url}/i/oauth2/authorize?{urlencode(query)}")
        form = {
            "grant_type": "authorization_code",
            "code": parse_qs(urlsplit(callback).query)["code"][0],
            "redirect_uri": self.app.callback,
            "code_verifier": verifier,
            "client_id": self.app.client_id,
        }
        credentials = f"{self.app.client_id}:{self.app.client_secret}".encode()
        basic = {"authorization": f"Basic {base64.b64encode(credentials).decode()}"}
        status, _, body = self.request("POST", "/2/oauth2/token", urlencode(form), _FORM | basic)
        assert status == 200, (status, body)
        tokens: dict[str, Any] = json.loads(body)
        return tokens

    def request(
        self, method: str, path: str, body: str | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """Send one request; return the status, the headers with lower-case names, and the body."""
        url = urlsplit(self.url)
        connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=30)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            response_headers = {name.lower(): value for name, value in response.getheaders()}
            return response.status, response_headers, response.read()
        finally:
            connection.close()

    def _json(self, method: str, path: str, body: str | None = None) -> Any:
        status, _, raw = self.request(method, path, body)
        assert status in (200, 201), (status, raw)
        return json.loads(raw)


@contextmanager
def run_emulator(*arguments: str) -> Iterator[str]:
    """Run the emulator in a process with command-line arguments; yield the base URL.

    The process does not inherit environment variables that configure the application under test.
    """
    command = [sys.executable, "-m", "x_emulator", "--port", "0", "--json", *arguments]
    excluded = ("ROOST_", "TWITTER_", "DATABASE_URL", "PG")
    environment = {k: v for k, v in os.environ.items() if not k.upper().startswith(excluded)}
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
    """Run one emulator for the whole test session; yield its base URL."""
    with run_emulator("--seed", "7") as url:
        yield url


@pytest.fixture
def x_emulator(x_emulator_url: str) -> EmulatedX:
    """A client of the session's emulator, which is reset before each test.

    After the reset, the emulator has one registered app, three accounts and no posts.
    """
    emulated = EmulatedX(x_emulator_url)
    emulated.reset()
    return emulated
