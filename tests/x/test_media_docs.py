"""The examples of the pages on uploads and on the provider, as they stand there."""

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

DOCS = Path(__file__).resolve().parents[2] / "docs"


def examples(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (DOCS / page).read_text("utf-8"), re.DOTALL)


async def run(example: str, names: dict[str, Any]) -> None:
    """As a cell of a notebook runs: `await` may stand outside of a function."""
    code = compile(example, "example", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    made = eval(code, names)
    if inspect.iscoroutine(made):
        await made


async def test_uploads(
    account: Account,
    emulator: Emulator,
    clip: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    await emulator.switch(processing_polls=0)
    whole, resumed, apart = examples("uploads.md")
    names: dict[str, Any] = {"asyncio": asyncio, "x": x, "client": account.client, "video": clip}
    names["kept"] = tmp_path / "state.json"
    await run(whole, names)
    size = f"{clip.stat().st_size:,}"
    assert capsys.readouterr().out == f"{size} of {size} bytes\n"
    await run(resumed, names)
    await run(apart, names)
    assert capsys.readouterr().out == "succeeded None\n"

    told = await emulator.truth()
    (post,) = told["posts"]
    assert [len(post["media"]), post["media"][0]["alt_text"]] == [1, "The tide comes in"]
    assert [each["category"] for each in told["media"]].count("tweet_video") == 3


async def test_provider(
    account: Account,
    emulator: Emulator,
    png: bytes,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, _ = examples("provider.md")
    (tmp_path / "shop.png").write_bytes(png)
    monkeypatch.chdir(tmp_path)
    names = {"access_token": account.tokens.access_token, "url": emulator.url}
    await asyncio.to_thread(lambda: exec(first, names))

    (post,) = (await emulator.truth())["posts"]
    told = capsys.readouterr().out.split()
    assert told[:2] == ["larkbooks", f"https://x.com/i/web/status/{post['id']}"]


async def test_history(
    runtime: Runtime, settings: Settings, tenant: Tenant, emulator: Emulator
) -> None:
    account = await connect_account(runtime, tenant, emulator, "larkbooks")
    now = runtime.clock.now()
    counts = {Metric.FOLLOWERS: 5, Metric.FOLLOWING: 6, Metric.POSTS: 7}
    reading = AccountSnapshot(account.id, now - timedelta(days=9), counts)
    await store.snapshots.open_month(runtime.database, reading.at)
    async with runtime.database.tenant(tenant.id) as transaction:
        await store.snapshots.add_account(transaction, tenant.id, reading)
    _, second = examples("provider.md")
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
    await run(second, names)
    assert names["metrics"].tweet_count == 7
