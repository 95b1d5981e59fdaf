"""Runs the examples of docs/howto/upload-media.md and docs/reference/provider.md."""

import ast
import asyncio
import inspect
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import roost
from fix_emulator import Emulator
from fix_runtime import connect_account
from roost import store, x
from roost.models import AccountSnapshot, Metric, Tenant
from roost.runtime import Runtime
from roost.settings import Settings

from .conftest import Account
from .oauth1_keys import keys_of

DOCS = Path(__file__).resolve().parents[2] / "docs"


def examples(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (DOCS / page).read_text("utf-8"), re.DOTALL)


async def run(example: str, names: dict[str, Any]) -> None:
    """Run an example like a notebook cell, with top-level `await`."""
    code = compile(example, "example", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    result = eval(code, names)
    if inspect.iscoroutine(result):
        await result


async def test_page_uploads__examples_run(
    account: Account,
    emulator: Emulator,
    clip: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    await emulator.switch(processing_polls=0)
    upload_and_wait, resume, poll = examples("howto/upload-media.md")
    names: dict[str, Any] = {"asyncio": asyncio, "x": x, "client": account.client, "video": clip}
    names["state_file"] = tmp_path / "state.json"
    await run(upload_and_wait, names)
    size = f"{clip.stat().st_size:,}"
    assert capsys.readouterr().out == f"{size} of {size} bytes\n"
    await run(resume, names)
    await run(poll, names)
    assert capsys.readouterr().out == "succeeded None\n"

    ground_truth = await emulator.ground_truth()
    (post,) = ground_truth["posts"]
    assert [len(post["media"]), post["media"][0]["alt_text"]] == [1, "The tide comes in"]
    assert [each["category"] for each in ground_truth["media"]].count("tweet_video") == 3


async def test_page_provider__first_example_runs(
    account: Account,
    emulator: Emulator,
    png: bytes,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, *_ = examples("reference/provider.md")
    (tmp_path / "shop.png").write_bytes(png)
    monkeypatch.chdir(tmp_path)
    names = {"access_token": account.tokens.access_token, "url": emulator.url}
    await asyncio.to_thread(lambda: exec(first, names))

    (post,) = (await emulator.ground_truth())["posts"]
    printed = capsys.readouterr().out.split()
    assert printed[:2] == ["larkbooks", f"https://x.com/i/web/status/{post['id']}"]


async def test_page_provider__v1_upload_example_runs(
    account: Account,
    emulator: Emulator,
    png: bytes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, v1_upload, _ = examples("reference/provider.md")
    (tmp_path / "shop.png").write_bytes(png)
    monkeypatch.chdir(tmp_path)
    keys = await keys_of(emulator)
    monkeypatch.setenv("ROOST_X_BASE_URL", emulator.url)
    monkeypatch.setenv("TWITTER_API_KEY", keys.api_key)
    monkeypatch.setenv("TWITTER_API_SECRET", keys.api_secret)
    names: dict[str, Any] = {
        "roost": roost,
        "access_token": account.tokens.access_token,
        "token": keys.token,
        "token_secret": keys.token_secret,
        "url": emulator.url,
    }
    await run(v1_upload, names)
    (media,) = (await emulator.ground_truth())["media"]
    assert media["id"] == names["media_id"]


def test_page_provider__names_existing_paths() -> None:
    page = (DOCS / "reference/provider.md").read_text("utf-8")
    source = DOCS.parent / "src/roost"
    paths = re.findall(r"`([\w/]+(?:\.py|/))`", page)
    missing = [
        path for path in paths if not (source / path).exists() and not (DOCS.parent / path).exists()
    ]
    assert len(paths) > 30
    assert missing == []


async def test_page_provider__history_example_runs(
    runtime: Runtime, settings: Settings, tenant: Tenant, emulator: Emulator
) -> None:
    account = await connect_account(runtime, tenant, emulator, "larkbooks")
    now = runtime.clock.now()
    counts = {Metric.FOLLOWERS: 5, Metric.FOLLOWING: 6, Metric.POSTS: 7}
    snapshot = AccountSnapshot(account.id, now - timedelta(days=9), counts)
    await store.snapshots.ensure_partitions(runtime.database, snapshot.at)
    async with runtime.database.for_tenant(tenant.id) as transaction:
        await store.snapshots.add_account(transaction, tenant.id, snapshot)
    *_, history_example = examples("reference/provider.md")
    names: dict[str, Any] = {
        "roost": roost,
        "settings": settings,
        "tenant_id": tenant.id,
        "access_token": "",
        "url": emulator.url,
        "user_id": account.x_user_id,
        "start_date": now.date() - timedelta(days=20),
        "end_date": now.date(),
    }
    await run(history_example, names)
    assert names["metrics"].tweet_count == 7
