"""Tests of the emulator with the unmodified Node client twitter-api-v2 1.29.

An HTTP agent connects the client to the emulator instead of X.
"""

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest

from x_emulator.pytest_plugin import EmulatedX

VERSIONS = ("twitter-api-v2@1.29.1", "@twitter-api-v2/plugin-rate-limit@1.1.0")
SCRIPT = Path(__file__).with_name("ordinary.mjs")


@pytest.fixture(scope="session")
def client_folder() -> Path:
    """The folder with the installed library; later test sessions reuse the folder."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("node or npm is missing on this machine")
    name = hashlib.sha256(" ".join(VERSIONS).encode()).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"roost-node-clients-{os.getuid()}-{name}"
    if not (folder / "node_modules").is_dir():
        # The library is installed into another directory, which is then moved, because two
        # sessions may install it at the same time.
        with tempfile.TemporaryDirectory(dir=folder.parent) as fresh:
            command = ["npm", "install", "--silent", "--no-audit", "--no-fund", *VERSIONS]
            made = subprocess.run(command, cwd=fresh, capture_output=True, timeout=180)
            if made.returncode != 0:
                pytest.skip(f"npm could not install {VERSIONS[0]} (no registry?)")
            with contextlib.suppress(FileExistsError):
                shutil.copytree(fresh, folder)
    return folder


@pytest.fixture
def run(x_emulator: EmulatedX, client_folder: Path) -> Any:
    """A function that runs a named script after a login, and returns the script's output."""

    def run_script(name: str, **more: Any) -> Any:
        app = x_emulator.app
        ask = more | {
            "client_id": app.client_id,
            "client_secret": app.client_secret,
            "callback": app.callback,
            "api_key": app.registered["api_key"],
            "api_secret": app.registered["api_secret"],
        }
        variables = {
            "EMULATOR": x_emulator.url,
            "CLIENT_FOLDER": str(client_folder),
            "SCRIPT": name,
        }
        done = subprocess.run(
            ["node", str(SCRIPT)],
            env=os.environ | variables | {"ASK": json.dumps(ask)},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run_script


def test_login_refresh_thread_poll_paging_delete_and_limits(
    run: Any, x_emulator: EmulatedX
) -> None:
    output = run("publish")
    ground_truth = x_emulator.ground_truth()
    posts = ground_truth["posts"]
    assert output["me"] == "tidewatcher"
    assert output["thread"] == [post["id"] for post in posts[:6]]
    assert [post["reply_to"] for post in posts] == [None, *output["thread"][:5], None]
    assert output["read"] == [post["id"] for post in reversed(posts)]
    assert output["deleted"] is True
    assert posts[0]["deleted_at"] is not None
    assert output["limit"] == {"limit": 75, "remaining": 74}
    assert ground_truth["tokens"] == {"access": 2, "refresh": 1, "grants": 1}


@pytest.fixture
def files(png: bytes, mp4: bytes, tmp_path: Path) -> list[dict[str, str]]:
    """An image file and a video file, each with its path, media type and upload category."""
    files = []
    for content, media_type, category in (
        (png, "image/png", "tweet_image"),
        (mp4, "video/mp4", "tweet_video"),
    ):
        path = tmp_path / category
        path.write_bytes(content)
        files.append({"path": str(path), "media_type": media_type, "category": category})
    return files


@pytest.mark.parametrize("script", ["media", "legacy_media"])
def test_media_arrives_byte_for_byte(
    run: Any, x_emulator: EmulatedX, files: list[dict[str, str]], script: str
) -> None:
    run(script, files=files, segment=10_000, signed=script == "legacy_media")
    ground_truth = x_emulator.ground_truth()
    arrived = [media["sha256"] for media in ground_truth["media"]]
    sent = [hashlib.sha256(Path(each["path"]).read_bytes()).hexdigest() for each in files]
    assert arrived == sent
    assert [len(post["media"]) for post in ground_truth["posts"]] == [1]
    assert ground_truth["media"][0]["alt_text"] == ("A tide" if script == "legacy_media" else None)


def test_metrics(run: Any) -> None:
    post = run("metrics")["post"]
    seen = post["public_metrics"]["impression_count"]
    assert seen > 0
    assert post["non_public_metrics"]["impression_count"] == seen
    assert post["organic_metrics"]["impression_count"] == seen


def test_refusal_reaches_the_caller(run: Any, x_emulator: EmulatedX) -> None:
    output = run("refusals")
    assert output == {
        "code": 403,
        "detail": "You are not allowed to create a Tweet with duplicate content.",
        "limit": 100,
    }
    assert [post["text"] for post in x_emulator.ground_truth()["posts"]] == ["Once"]
