"""A worker is killed at every named point; another brings every post out exactly once."""

import asyncio
import signal
from datetime import timedelta
from pathlib import Path

import pytest
from PIL import Image

from fix_emulator import Emulator
from fix_house import connect_account
from fix_processes import python_process
from roost import store
from roost.house import House
from roost.models import Integration, PartState, Post, PostState, Tenant
from roost.points import Point
from roost.services.schedule import PlainPart, schedule_post

_DOOMED = str(Path(__file__).with_name("doomed_worker.py"))
#: Emulated seconds in one wall second: X's read lag and the pause between reads pass quickly.
_RATE = 20
_UNSETTLED = {PostState.SCHEDULED, PostState.PUBLISHING}


async def _plan(house: House, tenant: Tenant, account: Integration, folder: Path) -> None:
    """A post with an image, a thread of two, and a plain one, all due now."""
    Image.new("RGB", (64, 64), "teal").save(folder / "teal.png")
    for parts in (
        [PlainPart("With a picture", ((folder / "teal.png", "A teal square"),))],
        [PlainPart("First of two"), PlainPart("Second of two")],
        [PlainPart("On its own")],
    ):
        due_at = house.clock.now() + timedelta(seconds=1)
        await schedule_post(house, tenant, account, parts, due_at=due_at, why="by the test")


async def _all_posts(house: House, tenant: Tenant) -> list[Post]:
    async with house.database.tenant(tenant.id) as transaction:
        return await store.posts.list_all(transaction)


async def _settled(house: House, tenant: Tenant) -> list[Post]:
    async with asyncio.timeout(60):
        while True:
            posts = await _all_posts(house, tenant)
            if not any(post.state in _UNSETTLED for post in posts):
                return posts
            await asyncio.sleep(0.1)


@pytest.mark.parametrize("point", list(Point))
async def test_every_post_is_out_exactly_once_after_a_kill(
    point: Point, house: House, tenant: Tenant, emulator: Emulator, tmp_path: Path
) -> None:
    account = await connect_account(house, tenant, emulator, "acmeplumbing")
    await emulator.door("clock", rate=_RATE)
    if point.value.startswith("read."):
        # X commits, and its answer is lost: only the timeline can tell.
        await emulator.fail("create_post", "after", "drop", times=1)
    await _plan(house, tenant, account, tmp_path)
    log = tmp_path / "worker.log"
    async with (
        python_process(_DOOMED, point.value, settings=house.settings, log=log) as doomed,
        asyncio.timeout(40),
    ):
        assert await doomed.wait() == -signal.SIGKILL, log.read_text()
    async with python_process("-m", "roost", "worker", settings=house.settings, log=log):
        posts = await _settled(house, tenant)

    assert [post.state for post in posts] == [PostState.PUBLISHED] * 3, log.read_text()
    parts = [part for post in posts for part in post.parts]
    assert all(part.state is PartState.SENT for part in parts)
    on_x = (await emulator.truth())["posts"]
    assert sorted(post["id"] for post in on_x) == sorted(part.sent_as or "" for part in parts)
    texts = {post["id"]: post["text"] for post in on_x}
    first, second = posts[1].parts
    assert {post["id"]: post["reply_to"] for post in on_x}[second.sent_as] == first.sent_as
    assert texts[first.sent_as] == "First of two"
