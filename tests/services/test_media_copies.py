"""Posts publish the copies that were validated, and unneeded copies are removed."""

import asyncio
import hashlib
import os
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from PIL import Image

from fix_publishing import Desk, code_of, reason_of
from fix_runtime import connect_account, make_tenant, scope_of
from roost import planfile, store
from roost.errors import MediaCopyLost, PostRefused
from roost.models import PartState, PostId, PostState
from roost.publishing.part_input import MediaInput
from roost.services import media_copies, resolve
from roost.services.schedule import PartInput, edit_post, import_plan, schedule_post


def sha256_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def copy_of(desk: Desk, sha256: str) -> Path:
    return desk.runtime.media.folder / sha256[:2] / sha256


async def hashes_on_x(desk: Desk) -> list[str]:
    return [one["sha256"] for one in (await desk.emulator.ground_truth())["media"]]


def swap_for_link(path: Path) -> None:
    other = path.with_name("private.png")
    Image.new("RGB", (64, 64), "red").save(other)
    path.unlink()
    path.symlink_to(other)


def swap_for_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def swap_for_zeros(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


def overwrite(path: Path) -> None:
    Image.new("RGB", (64, 64), "red").save(path)


SWAPS = [swap_for_link, swap_for_pipe, swap_for_zeros, overwrite, Path.unlink]


@pytest.mark.parametrize("swap", SWAPS, ids=lambda swap: swap.__name__)
async def test_post_publishes_the_copy__file_changed_later(
    desk: Desk, teal: Path, swap: Callable[[Path], None]
) -> None:
    checked = sha256_of(teal)
    post_id = await desk.plan("With a picture", after_s=3600, media=teal)
    swap(teal)
    await desk.work_through()
    assert (await desk.see(post_id)).state is PostState.PUBLISHED
    assert await hashes_on_x(desk) == [checked]


async def test_schedule_post_validates_the_copy(
    desk: Desk, teal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is replaced after it was copied and before anything was decoded."""
    checked, real = sha256_of(teal), desk.runtime.media.__class__.add

    async def accept_then_swap(*arguments: Any, **named: Any) -> str:
        sha256 = await real(*arguments, **named)
        overwrite(teal)
        return sha256

    monkeypatch.setattr(desk.runtime.media.__class__, "add", accept_then_swap)
    await desk.plan("With a picture", media=teal)
    await desk.work_through()
    assert await hashes_on_x(desk) == [checked]


async def test_upload_is_not_delayed_by_pipes_of_another_tenant(desk: Desk, teal: Path) -> None:
    neighbour = await make_tenant(desk.runtime, "beta")
    theirs = await connect_account(desk.runtime, neighbour, desk.emulator, "ada")
    for number in range(8):
        path = teal.with_name(f"{number}.png")
        shutil.copy(teal, path)
        parts = [PartInput(f"File {number}", (MediaInput(path),))]
        await schedule_post(
            desk.runtime,
            scope_of(neighbour),
            theirs,
            parts,
            due_at=desk.runtime.clock.now(),
        )
        (swap_for_pipe, swap_for_zeros)[number % 2](path)
    post_id = await desk.plan("With a picture", media=teal)
    await desk.work_through()
    assert (await desk.see(post_id)).state is PostState.PUBLISHED
    assert len(await desk.on_x()) == 9


@pytest.mark.parametrize("face", ["post", "edit", "import"])
async def test_every_use_case_copies_the_file(desk: Desk, teal: Path, face: str) -> None:
    checked = sha256_of(teal)
    if face == "post":
        await desk.plan("With a picture", after_s=3600, media=teal)
    elif face == "edit":
        post_id = await desk.plan("Without", after_s=3600)
        parts = [PartInput("With a picture", (MediaInput(teal),))]
        await edit_post(desk.runtime, desk.scope, post_id, parts=parts, due_at=None)
    else:
        plan = teal.with_name("plan.csv")
        plan.write_text(
            f"account,at,text,media,alt,thread\n@larkbooks,+1h,With a picture,{teal.name},,\n"
        )
        assert (await import_plan(desk.runtime, desk.scope, plan, dry_run=True)).posts == 1
        assert not desk.runtime.media.folder.exists()
        assert (await import_plan(desk.runtime, desk.scope, plan)).posts == 1
    assert sha256_of(copy_of(desk, checked)) == checked
    teal.unlink()
    await desk.work_through()
    assert await desk.on_x() == ["With a picture"]
    assert await hashes_on_x(desk) == [checked]


async def test_edit_post_keeps_the_copy__new_text(desk: Desk, teal: Path) -> None:
    checked = sha256_of(teal)
    post_id = await desk.plan("With a picture", after_s=3600, media=teal)
    swap_for_link(teal)
    (part,) = (await desk.see(post_id)).parts
    parts = [PartInput("In other words", tuple(MediaInput(file, "alt") for file in part.media))]
    await edit_post(desk.runtime, desk.scope, post_id, parts=parts, due_at=None)
    await desk.work_through()
    assert await desk.on_x() == ["In other words"]
    assert await hashes_on_x(desk) == [checked]


async def test_prepare_post_fails_a_post_whose_copy_is_lost(desk: Desk, teal: Path) -> None:
    post_id = await desk.plan("With a picture", after_s=3600, media=teal)
    (part,) = (await desk.see(post_id)).parts
    shutil.rmtree(desk.runtime.media.folder)
    assert await media_copies.list_missing(desk.runtime) == [teal.name]
    await desk.emulator.jump(seconds=3000)
    await desk.work()
    post = await desk.see(post_id)
    assert post.state is PostState.FAILED
    assert code_of(post) == "media_copy_lost"
    assert reason_of(post).startswith(f"Roost's copy of {teal.name} ")
    assert await desk.requests("media_initialize") == []
    later = desk.runtime.clock.now() + timedelta(hours=1)
    with pytest.raises(MediaCopyLost):
        await edit_post(desk.runtime, desk.scope, post_id, parts=None, due_at=later)
    kept = [PartInput("In other words", (MediaInput(part.media[0]),))]
    with pytest.raises(MediaCopyLost):
        await edit_post(desk.runtime, desk.scope, post_id, parts=kept, due_at=later)
    again = [PartInput("With a picture", (MediaInput(teal),))]
    await edit_post(desk.runtime, desk.scope, post_id, parts=again, due_at=later)
    await desk.work_through()
    assert await desk.on_x() == ["With a picture"]


async def test_prepare_post_does_not_upload_a_damaged_copy(desk: Desk, teal: Path) -> None:
    post_id = await desk.plan("With a picture", after_s=3600, media=teal)
    overwrite(copy_of(desk, sha256_of(teal)).rename(teal.with_name("moved.png")))
    teal.with_name("moved.png").rename(copy_of(desk, sha256_of(teal)))
    await desk.emulator.jump(seconds=3000)
    await desk.work()
    assert code_of(await desk.see(post_id)) == "media_copy_damaged"
    assert await desk.requests("media_initialize") == []


NOT_NEEDED = {PostState.PUBLISHED, PostState.CANCELLED}


@pytest.mark.parametrize("state", PostState)
async def test_remove_unneeded_removes_copies_that_no_post_needs(
    desk: Desk, admin_url: str, teal: Path, state: PostState
) -> None:
    copy = copy_of(desk, sha256_of(teal))
    post_id = await desk.plan("With a picture", after_s=3600, media=teal)
    await write_state(admin_url, post_id, state)
    assert await media_copies.remove_unneeded(desk.runtime) == (state in NOT_NEEDED)
    assert copy.exists() == (state not in NOT_NEEDED)


async def write_state(admin_url: str, post_id: PostId, state: PostState, part: str = "") -> None:
    """Write a state directly, past the checks of state changes."""
    async with await psycopg.AsyncConnection.connect(admin_url) as admin:
        await admin.execute("SET session_replication_role = replica")
        await admin.execute("UPDATE roost.posts SET state = %s WHERE id = %s", [state, post_id])
        if part:
            await admin.execute(
                "UPDATE roost.parts SET state = %s WHERE post_id = %s", [part, post_id]
            )


@pytest.mark.parametrize("part", [PartState.SENDING, PartState.UNKNOWN])
async def test_remove_unneeded_keeps_the_copies_of_unknown_parts(
    desk: Desk, admin_url: str, teal: Path, part: PartState
) -> None:
    post_id = await desk.plan("With a picture", after_s=3600, media=teal)
    for state in PostState:
        await write_state(admin_url, post_id, state, part)
        assert await media_copies.remove_unneeded(desk.runtime) == 0
    assert copy_of(desk, sha256_of(teal)).exists()


async def test_remove_unneeded_keeps_copies_of_other_tenants(desk: Desk, teal: Path) -> None:
    neighbour = await make_tenant(desk.runtime, "beta")
    theirs = await connect_account(desk.runtime, neighbour, desk.emulator, "ada")
    await desk.plan("Ours", media=teal)
    parts, later = [PartInput("Theirs", (MediaInput(teal),))], timedelta(hours=30)
    await schedule_post(
        desk.runtime, scope_of(neighbour), theirs, parts,
        due_at=desk.runtime.clock.now() + later,
    )  # fmt: skip
    await desk.work()
    assert await desk.on_x() == ["Ours"]
    assert await media_copies.remove_unneeded(desk.runtime) == 0
    assert copy_of(desk, sha256_of(teal)).exists()
    await desk.emulator.jump(hours=30)
    await desk.work()
    assert await desk.on_x() == ["Ours", "Theirs"]
    assert await media_copies.remove_unneeded(desk.runtime) == 1


@pytest.mark.timing
async def test_remove_unneeded_keeps_copies_of_uncommitted_posts(desk: Desk, teal: Path) -> None:
    """Removals during many imports of one file never remove a copy that is needed."""
    done = asyncio.Event()

    async def keep_removing() -> None:
        while not done.is_set():
            await media_copies.remove_unneeded(desk.runtime)
            await asyncio.sleep(0)

    removing = asyncio.ensure_future(keep_removing())
    try:
        posts = []
        for number in range(10):
            posts.append(await desk.plan(f"Post {number}", after_s=3600, media=teal))
            assert await media_copies.list_missing(desk.runtime) == []
            async with desk.runtime.database.for_tenant(desk.tenant.id) as transaction:
                await store.posts.move(
                    transaction,
                    posts[-1],
                    PostState.SCHEDULED,
                    PostState.CANCELLED,
                    at=desk.runtime.clock.now(),
                )
    finally:
        done.set()
        await removing
    await media_copies.remove_unneeded(desk.runtime)
    assert not copy_of(desk, sha256_of(teal)).exists()


async def test_remove_unneeded_removes_copies_of_refused_posts(desk: Desk, teal: Path) -> None:
    parts = [PartInput("x" * 281, (MediaInput(teal),))]
    with pytest.raises(PostRefused):
        await schedule_post(desk.runtime, desk.scope, desk.account, parts, due_at=None)
    assert await media_copies.remove_unneeded(desk.runtime) == 1


async def test_continued_thread_has_its_copies(desk: Desk, teal: Path) -> None:
    await desk.plan("Said before")
    parts = [PartInput("New"), PartInput("Said before"), PartInput("End", (MediaInput(teal),))]
    due_at = desk.runtime.clock.now() + timedelta(seconds=1)
    post = await schedule_post(desk.runtime, desk.scope, desk.account, parts, due_at=due_at)
    teal.unlink()
    await desk.work_through()
    assert (await desk.see(post.id)).state is PostState.PARTLY_PUBLISHED
    assert await media_copies.remove_unneeded(desk.runtime) == 0
    await desk.emulator.jump(hours=25)  # X has forgotten the upload.
    await resolve.continue_thread(desk.runtime, desk.scope, post.id, "Said anew")
    await desk.work_through()
    assert (await desk.see(post.id)).state is PostState.PUBLISHED
    assert (await desk.requests("media_initialize")).count(200) == 2


@pytest.mark.parametrize("dry_run", [True, False])
async def test_import_plan_ignores_a_folder_replaced_by_a_link(
    desk: Desk, teal: Path, monkeypatch: pytest.MonkeyPatch, dry_run: bool
) -> None:
    folder, private = teal.parent / "plan", teal.parent / "private"
    for each in (folder / "media", private):
        each.mkdir(parents=True)
        shutil.copy(teal, each / "teal.png")
    overwrite(private / "teal.png")
    plan = folder / "plan.csv"
    plan.write_text("account,at,text,media,alt,thread\n@larkbooks,+1h,A picture,media/teal.png,,\n")
    real = planfile.read_plan

    def read_then_swap(*arguments: Any, **named: Any) -> planfile.Plan:
        found = real(*arguments, **named)
        assert not found.refused
        shutil.rmtree(folder / "media")
        (folder / "media").symlink_to(private)
        return found

    monkeypatch.setattr(planfile, "read_plan", read_then_swap)
    imported = await import_plan(desk.runtime, desk.scope, plan, dry_run=dry_run)
    assert imported.posts == 0
    assert "leads out of the plan's folder" in imported.refused[0].reasons[0].message
