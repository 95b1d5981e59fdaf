"""Posts are published with the validated copies of files; unneeded copies are removed."""

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

from fix_publishing import Publisher, code_of, reason_of
from fix_runtime import connect_account, make_tenant, scope_of
from roost import planfile, store
from roost.errors import MediaCopyLost, PostRefused
from roost.models import PartState, PostId, PostState
from roost.publishing.part_input import MediaInput
from roost.services import media_copies, resolve
from roost.services.schedule import PartInput, edit_post, import_plan, schedule_post


def sha256_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def copy_of(publisher: Publisher, sha256: str) -> Path:
    return publisher.runtime.media.folder / sha256[:2] / sha256


async def hashes_on_x(publisher: Publisher) -> list[str]:
    return [one["sha256"] for one in (await publisher.emulator.ground_truth())["media"]]


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
    publisher: Publisher, teal: Path, swap: Callable[[Path], None]
) -> None:
    checked = sha256_of(teal)
    post_id = await publisher.schedule("With a picture", after_s=3600, media=teal)
    swap(teal)
    await publisher.run_to_completion()
    assert (await publisher.get_post(post_id)).state is PostState.PUBLISHED
    assert await hashes_on_x(publisher) == [checked]


async def test_schedule_post_validates_the_copy(
    publisher: Publisher, teal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is replaced after Roost has copied it, but before Roost decodes it."""
    checked, real = sha256_of(teal), publisher.runtime.media.__class__.add

    async def accept_then_swap(*arguments: Any, **named: Any) -> str:
        sha256 = await real(*arguments, **named)
        overwrite(teal)
        return sha256

    monkeypatch.setattr(publisher.runtime.media.__class__, "add", accept_then_swap)
    await publisher.schedule("With a picture", media=teal)
    await publisher.run_to_completion()
    assert await hashes_on_x(publisher) == [checked]


async def test_upload_is_not_delayed_by_pipes_of_another_tenant(
    publisher: Publisher, teal: Path
) -> None:
    neighbour = await make_tenant(publisher.runtime, "beta")
    theirs = await connect_account(publisher.runtime, neighbour, publisher.emulator, "ada")
    for number in range(8):
        path = teal.with_name(f"{number}.png")
        shutil.copy(teal, path)
        parts = [PartInput(f"File {number}", (MediaInput(path),))]
        await schedule_post(
            publisher.runtime,
            scope_of(neighbour),
            theirs,
            parts,
            due_at=publisher.runtime.clock.now(),
        )
        (swap_for_pipe, swap_for_zeros)[number % 2](path)
    post_id = await publisher.schedule("With a picture", media=teal)
    await publisher.run_to_completion()
    assert (await publisher.get_post(post_id)).state is PostState.PUBLISHED
    assert len(await publisher.published_texts()) == 9


@pytest.mark.parametrize("face", ["post", "edit", "import"])
async def test_every_use_case_copies_the_file(publisher: Publisher, teal: Path, face: str) -> None:
    checked = sha256_of(teal)
    if face == "post":
        await publisher.schedule("With a picture", after_s=3600, media=teal)
    elif face == "edit":
        post_id = await publisher.schedule("Without", after_s=3600)
        parts = [PartInput("With a picture", (MediaInput(teal),))]
        await edit_post(publisher.runtime, publisher.scope, post_id, parts=parts, due_at=None)
    else:
        plan = teal.with_name("plan.csv")
        plan.write_text(
            f"account,at,text,media,alt,thread\n@larkbooks,+1h,With a picture,{teal.name},,\n"
        )
        assert (
            await import_plan(publisher.runtime, publisher.scope, plan, dry_run=True)
        ).posts == 1
        assert not publisher.runtime.media.folder.exists()
        assert (await import_plan(publisher.runtime, publisher.scope, plan)).posts == 1
    assert sha256_of(copy_of(publisher, checked)) == checked
    teal.unlink()
    await publisher.run_to_completion()
    assert await publisher.published_texts() == ["With a picture"]
    assert await hashes_on_x(publisher) == [checked]


async def test_edit_post_keeps_the_copy__new_text(publisher: Publisher, teal: Path) -> None:
    checked = sha256_of(teal)
    post_id = await publisher.schedule("With a picture", after_s=3600, media=teal)
    swap_for_link(teal)
    (part,) = (await publisher.get_post(post_id)).parts
    parts = [PartInput("In other words", tuple(MediaInput(file, "alt") for file in part.media))]
    await edit_post(publisher.runtime, publisher.scope, post_id, parts=parts, due_at=None)
    await publisher.run_to_completion()
    assert await publisher.published_texts() == ["In other words"]
    assert await hashes_on_x(publisher) == [checked]


async def test_prepare_post_fails_a_post_whose_copy_is_lost(
    publisher: Publisher, teal: Path
) -> None:
    post_id = await publisher.schedule("With a picture", after_s=3600, media=teal)
    (part,) = (await publisher.get_post(post_id)).parts
    shutil.rmtree(publisher.runtime.media.folder)
    (missing,) = await media_copies.list_missing(publisher.runtime)
    assert (missing.tenant_id, missing.names) == (publisher.tenant.id, (teal.name,))
    await publisher.emulator.jump(seconds=3000)
    await publisher.run_due_jobs()
    post = await publisher.get_post(post_id)
    assert post.state is PostState.FAILED
    assert code_of(post) == "media_copy_lost"
    assert reason_of(post).startswith(f"Roost's copy of {teal.name} ")
    assert await publisher.list_statuses("media_initialize") == []
    later = publisher.runtime.clock.now() + timedelta(hours=1)
    with pytest.raises(MediaCopyLost):
        await edit_post(publisher.runtime, publisher.scope, post_id, parts=None, due_at=later)
    kept = [PartInput("In other words", (MediaInput(part.media[0]),))]
    with pytest.raises(MediaCopyLost):
        await edit_post(publisher.runtime, publisher.scope, post_id, parts=kept, due_at=later)
    again = [PartInput("With a picture", (MediaInput(teal),))]
    await edit_post(publisher.runtime, publisher.scope, post_id, parts=again, due_at=later)
    await publisher.run_to_completion()
    assert await publisher.published_texts() == ["With a picture"]


async def test_prepare_post_does_not_upload_a_damaged_copy(
    publisher: Publisher, teal: Path
) -> None:
    post_id = await publisher.schedule("With a picture", after_s=3600, media=teal)
    overwrite(copy_of(publisher, sha256_of(teal)).rename(teal.with_name("moved.png")))
    teal.with_name("moved.png").rename(copy_of(publisher, sha256_of(teal)))
    await publisher.emulator.jump(seconds=3000)
    await publisher.run_due_jobs()
    assert code_of(await publisher.get_post(post_id)) == "media_copy_damaged"
    assert await publisher.list_statuses("media_initialize") == []


NOT_NEEDED = {PostState.PUBLISHED, PostState.CANCELLED}


@pytest.mark.parametrize("state", PostState)
async def test_remove_unneeded_removes_copies_that_no_post_needs(
    publisher: Publisher, admin_url: str, teal: Path, state: PostState
) -> None:
    copy = copy_of(publisher, sha256_of(teal))
    post_id = await publisher.schedule("With a picture", after_s=3600, media=teal)
    await write_state(admin_url, post_id, state)
    assert await media_copies.remove_unneeded(publisher.runtime) == (state in NOT_NEEDED)
    assert copy.exists() == (state not in NOT_NEEDED)


async def write_state(admin_url: str, post_id: PostId, state: PostState, part: str = "") -> None:
    """Write a post's state while the database's checks of state changes are turned off."""
    async with await psycopg.AsyncConnection.connect(admin_url) as admin:
        await admin.execute("SET session_replication_role = replica")
        await admin.execute("UPDATE roost.posts SET state = %s WHERE id = %s", [state, post_id])
        if part:
            await admin.execute(
                "UPDATE roost.parts SET state = %s WHERE post_id = %s", [part, post_id]
            )


@pytest.mark.parametrize("part", [PartState.SENDING, PartState.UNKNOWN])
async def test_remove_unneeded_keeps_the_copies_of_unknown_parts(
    publisher: Publisher, admin_url: str, teal: Path, part: PartState
) -> None:
    post_id = await publisher.schedule("With a picture", after_s=3600, media=teal)
    for state in PostState:
        await write_state(admin_url, post_id, state, part)
        assert await media_copies.remove_unneeded(publisher.runtime) == 0
    assert copy_of(publisher, sha256_of(teal)).exists()


async def test_remove_unneeded_keeps_copies_of_other_tenants(
    publisher: Publisher, teal: Path
) -> None:
    neighbour = await make_tenant(publisher.runtime, "beta")
    theirs = await connect_account(publisher.runtime, neighbour, publisher.emulator, "ada")
    await publisher.schedule("Ours", media=teal)
    parts, later = [PartInput("Theirs", (MediaInput(teal),))], timedelta(hours=30)
    await schedule_post(
        publisher.runtime, scope_of(neighbour), theirs, parts,
        due_at=publisher.runtime.clock.now() + later,
    )  # fmt: skip
    await publisher.run_due_jobs()
    assert await publisher.published_texts() == ["Ours"]
    assert await media_copies.remove_unneeded(publisher.runtime) == 0
    assert copy_of(publisher, sha256_of(teal)).exists()
    await publisher.emulator.jump(hours=30)
    await publisher.run_due_jobs()
    assert await publisher.published_texts() == ["Ours", "Theirs"]
    assert await media_copies.remove_unneeded(publisher.runtime) == 1


@pytest.mark.timing
async def test_remove_unneeded_keeps_copies_of_uncommitted_posts(
    publisher: Publisher, teal: Path
) -> None:
    """Copies are removed while posts are scheduled; the copy of a post's file must stay."""
    done = asyncio.Event()

    async def keep_removing() -> None:
        while not done.is_set():
            await media_copies.remove_unneeded(publisher.runtime)
            await asyncio.sleep(0)

    removing = asyncio.ensure_future(keep_removing())
    try:
        posts = []
        for number in range(10):
            posts.append(await publisher.schedule(f"Post {number}", after_s=3600, media=teal))
            assert await media_copies.list_missing(publisher.runtime) == []
            async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
                await store.posts.move(
                    transaction,
                    posts[-1],
                    PostState.SCHEDULED,
                    PostState.CANCELLED,
                    at=publisher.runtime.clock.now(),
                )
    finally:
        done.set()
        await removing
    await media_copies.remove_unneeded(publisher.runtime)
    assert not copy_of(publisher, sha256_of(teal)).exists()


async def test_remove_unneeded_removes_copies_of_refused_posts(
    publisher: Publisher, teal: Path
) -> None:
    parts = [PartInput("x" * 281, (MediaInput(teal),))]
    with pytest.raises(PostRefused):
        await schedule_post(
            publisher.runtime, publisher.scope, publisher.account, parts, due_at=None
        )
    assert await media_copies.remove_unneeded(publisher.runtime) == 1


async def test_continued_thread_has_its_copies(publisher: Publisher, teal: Path) -> None:
    await publisher.schedule("Said before")
    parts = [PartInput("New"), PartInput("Said before"), PartInput("End", (MediaInput(teal),))]
    due_at = publisher.runtime.clock.now() + timedelta(seconds=1)
    post = await schedule_post(
        publisher.runtime, publisher.scope, publisher.account, parts, due_at=due_at
    )
    teal.unlink()
    await publisher.run_to_completion()
    assert (await publisher.get_post(post.id)).state is PostState.PARTLY_PUBLISHED
    assert await media_copies.remove_unneeded(publisher.runtime) == 0
    await publisher.emulator.jump(hours=25)  # The upload has expired on X.
    await resolve.continue_thread(publisher.runtime, publisher.scope, post.id, "Said anew")
    await publisher.run_to_completion()
    assert (await publisher.get_post(post.id)).state is PostState.PUBLISHED
    assert (await publisher.list_statuses("media_initialize")).count(200) == 2


@pytest.mark.parametrize("dry_run", [True, False])
async def test_import_plan_ignores_a_folder_replaced_by_a_link(
    publisher: Publisher, teal: Path, monkeypatch: pytest.MonkeyPatch, dry_run: bool
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
    imported = await import_plan(publisher.runtime, publisher.scope, plan, dry_run=dry_run)
    assert imported.posts == 0
    assert "leads out of the plan's folder" in imported.refused[0].reasons[0].message
