"""Tests of the state file, the secret, and the emulator as part of another ASGI app."""

import base64
import pickle
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp

from x_emulator import persistence
from x_emulator.access import read_secret
from x_emulator.persistence import InvalidStateFile
from x_emulator.pytest_plugin import EmulatedX, run_emulator
from x_emulator.router import make_app
from x_emulator.server import serve
from x_emulator.state import World


def read_post(emulated: EmulatedX, token: str, post_id: str) -> Any:
    headers = {"authorization": f"Bearer {token}"}
    path = f"/2/tweets/{post_id}?tweet.fields=public_metrics,created_at"
    status, _, body = emulated.request("GET", path, None, headers)
    return status, body


@pytest.mark.timing
def test_world_is_restored_from_the_state_file(tmp_path: Path) -> None:
    file = tmp_path / "world.state"
    with run_emulator("--state", str(file), "--scenario", "steady", "--seed", "5") as url:
        emulated = EmulatedX(url)
        emulated.reset()
        tokens = emulated.connect("larkbooks")
        headers = {"authorization": f"Bearer {tokens['access_token']}"}
        emulated.request("POST", "/2/tweets", '{"text": "Kept"}', headers)
        [post] = emulated.ground_truth()["posts"]
        emulated.jump(1800)
        emulated.control("clock", rate=0)
        emulated.control("faults", operation="read_me", when="before", kind="503")
        before = read_post(emulated, tokens["access_token"], post["id"])
        ground_truth = emulated.ground_truth()
    with run_emulator("--state", str(file)) as url:
        emulated = EmulatedX(url)
        again = emulated.ground_truth()
        assert again["now"] == ground_truth["now"]
        for name in ("scenario", "seed", "started_at", "posts", "requests", "tokens"):
            assert again[name] == ground_truth[name]
        assert read_post(emulated, tokens["access_token"], post["id"]) == before
        assert emulated.request("GET", "/2/users/me", None, headers)[0] == 503


def test_other_file_is_refused_as_state_file(tmp_path: Path) -> None:
    file = tmp_path / "world.state"
    file.write_bytes(b"{}\n")
    command = [sys.executable, "-m", "x_emulator", "--port", "0", "--state", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert done.returncode == 1
    assert "not a state file of this version" in done.stderr


class Hostile:
    def __reduce__(self) -> Any:
        return print, ("run",)


def test_state_file_cannot_run_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    world = World("steady", seed=1)
    try:
        file = tmp_path / "world.state"
        persistence.save(world, file)
        head = file.read_bytes().partition(b"\n")[0]
        file.write_bytes(head + b"\n" + pickle.dumps({"posts": Hostile()}))
        with pytest.raises(InvalidStateFile, match=r"builtins\.print"):
            persistence.load(world, file)
    finally:
        world.close()
    assert capsys.readouterr().out == ""


@pytest.mark.timing
def test_unfinished_uploads_are_not_restored(tmp_path: Path) -> None:
    file = tmp_path / "world.state"
    with run_emulator("--state", str(file)) as url:
        emulated = EmulatedX(url)
        emulated.reset()
        headers = {"authorization": f"Bearer {emulated.connect('larkbooks')['access_token']}"}
        body = '{"media_category": "tweet_image", "media_type": "image/png", "total_bytes": 5}'
        emulated.request("POST", "/2/media/upload/initialize", body, headers)
        assert len(emulated.ground_truth()["media"]) == 1
    with run_emulator("--state", str(file)) as url:
        assert EmulatedX(url).ground_truth()["media"] == []


def test_other_addresses_need_a_secret() -> None:
    with pytest.raises(ValueError, match="needs a secret"):
        serve("0.0.0.0", 0, World("steady", seed=1), on_listening=print)


@pytest.mark.timing
@pytest.mark.parametrize(
    "path", ["/", "/_emulator/ground-truth", "/i/oauth2/authorize?client_id=x"]
)
def test_secret_protects_control_api_and_pages_only(path: str, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("open sesame\n")
    file.chmod(0o600)
    with run_emulator("--secret-file", str(file)) as url:
        emulated = EmulatedX(url)
        status, headers, _ = emulated.request("GET", path)
        assert (status, headers["www-authenticate"]) == (401, 'Basic realm="x-emulator"')
        for password, right in (("open sesame", True), ("wrong", False), ("", False)):
            basic = base64.b64encode(f"me:{password}".encode()).decode()
            status, _, _ = emulated.request("GET", path, None, {"authorization": f"Basic {basic}"})
            assert (status != 401) is right
        status, _, body = emulated.request("GET", "/2/users/me")
        assert status == 401
        assert b"Unauthorized" in body


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o602])
def test_secret_file_accessible_to_others_is_refused(mode: int, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("open sesame")
    file.chmod(mode)
    with pytest.raises(ValueError, match="is accessible to other users") as raised:
        read_secret(file)
    assert "sesame" not in str(raised.value)


def test_secret_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("X_EMULATOR_SECRET", raising=False)
    assert read_secret(None) is None
    monkeypatch.setenv("X_EMULATOR_SECRET", "open sesame")
    assert read_secret(None) == "open sesame"


async def request_app(app: ASGIApp, method: str, path: str, query: str = "") -> tuple[int, bytes]:
    """Send a request to an ASGI application without a server. Returns status and body."""
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path, "raw_path": path.encode()}
    scope |= {"query_string": query.encode(), "headers": [], "client": ("127.0.0.1", 5)}
    await app(scope, receive, send)
    return sent[0]["status"], sent[1]["body"]


async def test_application_can_be_mounted_in_another() -> None:
    world = World("steady", seed=1)
    app = Starlette(routes=[Mount("/x", make_app(world))])
    try:
        status, body = await request_app(app, "GET", "/x/_emulator/clock", "after=0&wait=1")
        assert status == 200
        assert b'"version":1' in body
        status, body = await request_app(app, "POST", "/x/2/tweets")
        assert status == 401
        assert b"Unauthorized" in body
        assert await request_app(app, "GET", "/x/2/nothing") == (404, b"")
        status, body = await request_app(app, "GET", "/x/")
        assert status == 200
        addresses = re.findall(rb'(?:href|src|action)="([^"#]*)"', body)
        assert addresses
        assert all(each.startswith(b"/x/") for each in addresses)
    finally:
        world.close()
