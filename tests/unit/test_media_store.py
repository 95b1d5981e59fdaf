"""The media store: add, read, validate and remove Roost's copies of media files."""

import asyncio
import errno
import hashlib
import os
import stat
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import pytest

from roost.errors import (
    MediaCopyDamaged,
    MediaCopyLost,
    MediaNotCopied,
    MediaStoreUnsafe,
    MediaUnreadable,
)
from roost.media_store import MediaStore

CONTENT = os.urandom(3 << 20)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def media(tmp_path: Path) -> MediaStore:
    return MediaStore(tmp_path / "home" / "media")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.bin"
    path.write_bytes(CONTENT)
    return path


async def read(media: MediaStore, sha256: str) -> bytes:
    async with media.open_copy(sha256, Path("a.bin")) as copy:
        return copy.read()


def stored_files(media: MediaStore) -> list[str]:
    """Return the name of every file in the store, except its lock."""
    return sorted(path.name for path in media.folder.rglob("*") if path.is_file())[:-1]


async def none_needed(hashes: Sequence[str]) -> Collection[str]:
    return ()


def refuse_to_copy(*_: object) -> int:
    """Fail like the kernel if it cannot copy between two files."""
    raise OSError(errno.EXDEV, "across file systems")


async def test_copy_is_independent_of_the_original_file(media: MediaStore, file: Path) -> None:
    assert await media.add(file) == SHA256
    file.write_bytes(b"other")
    assert await read(media, SHA256) == CONTENT
    file.unlink()
    assert await read(media, SHA256) == CONTENT


async def test_copy_is_readable_only_by_its_owner(media: MediaStore, file: Path) -> None:
    await media.add(file)
    for path in (media.folder, *media.folder.rglob("*")):
        mode = 0o700 if path.is_dir() else 0o600
        if path.name != "lock":
            assert stat.S_IMODE(path.stat().st_mode) == mode, path


async def test_add_stores_equal_content_once(media: MediaStore, file: Path) -> None:
    duplicate = file.with_name("b.bin")
    duplicate.write_bytes(CONTENT)
    hashes = await asyncio.gather(*(media.add(each) for each in (file, duplicate, file)))
    assert set(hashes) == {SHA256}
    async with media.prevent_removal():
        assert stored_files(media) == [SHA256]


async def test_add_reads_and_writes__kernel_cannot_copy(
    media: MediaStore, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "copy_file_range", refuse_to_copy)
    progress: list[tuple[int, int]] = []
    assert await media.add(file, lambda done, size: progress.append((done, size))) == SHA256
    assert await read(media, SHA256) == CONTENT
    assert progress == [(n << 20, 3 << 20) for n in (1, 2, 3)]


def a_link(file: Path) -> Path:
    path = file.with_name("link")
    path.symlink_to(file)
    return path


def a_pipe(file: Path) -> Path:
    path = file.with_name("pipe")
    os.mkfifo(path)
    return path


def a_huge_file(file: Path) -> Path:
    path = file.with_name("huge")
    path.touch()
    os.truncate(path, (512 << 20) + 1)
    return path


def an_empty_file(file: Path) -> Path:
    path = file.with_name("empty")
    path.touch()
    return path


@pytest.mark.parametrize(
    ("make", "reason", "words"),
    [
        (a_link, "symbolic_link", "is a symbolic link"),
        (a_pipe, "not_a_file", "is not a regular file"),
        (lambda _: Path("/dev/zero"), "not_a_file", "is not a regular file"),
        (lambda file: file.parent, "not_a_file", "is a folder"),
        (lambda file: file.with_name("none"), "not_found", "does not exist"),
        (a_huge_file, "too_large", "X accepts at most 512 MiB"),
        (an_empty_file, "empty", "is empty"),
    ],
)
async def test_add_refuses_what_is_not_a_regular_file(
    media: MediaStore, file: Path, make: Callable[[Path], Path], reason: str, words: str
) -> None:
    with pytest.raises(MediaUnreadable) as raised:
        await media.add(make(file))
    assert raised.value.facts["reason"] == reason
    assert words in str(raised.value)
    async with media.prevent_removal():
        assert stored_files(media) == []


@pytest.mark.parametrize("change", ["grows", "shrinks"])
async def test_add_refuses_a_file_that_changes_meanwhile(
    media: MediaStore, file: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    real = os.pread

    def write_then_read(descriptor: int, length: int, at: int) -> bytes:
        if change == "shrinks":
            os.truncate(file, 1)
        else:
            with file.open("ab") as more:
                more.write(bytes(2 << 20))
        return real(descriptor, length, at)

    monkeypatch.setattr(os, "copy_file_range", refuse_to_copy)
    monkeypatch.setattr(os, "pread", write_then_read)
    with pytest.raises(MediaUnreadable) as raised:
        await media.add(file)
    assert raised.value.facts["reason"] == "changed"
    async with media.prevent_removal():
        assert stored_files(media) == []


async def test_open_copy_raises_media_copy_lost__copy_missing(
    media: MediaStore, file: Path
) -> None:
    with pytest.raises(MediaCopyLost, match=r"a\.bin"):
        await read(media, SHA256)
    await media.add(file)
    assert await media.list_missing([SHA256, "0" * 64]) == ["0" * 64]
    (media.folder / SHA256[:2] / SHA256).unlink()
    with pytest.raises(MediaCopyLost):
        await read(media, SHA256)


@pytest.mark.parametrize("change", ["other bytes", "shorter", "pipe", "link"])
async def test_open_copy_refuses_a_changed_copy_and_add_replaces_it(
    media: MediaStore, file: Path, change: str
) -> None:
    await media.add(file)
    copy = media.folder / SHA256[:2] / SHA256
    if change == "other bytes":
        copy.write_bytes(CONTENT[:-1] + b"?")
    elif change == "shorter":
        os.truncate(copy, 5)
    else:
        copy.unlink()
        if change == "pipe":
            os.mkfifo(copy)
        else:
            copy.symlink_to(file)
    with pytest.raises((MediaCopyDamaged, MediaCopyLost)):
        await read(media, SHA256)
    await media.add(file)
    assert await read(media, SHA256) == CONTENT


@pytest.mark.parametrize("mode", [0o770, 0o707])
async def test_store_refuses_a_folder_that_others_may_write_to(
    media: MediaStore, file: Path, mode: int
) -> None:
    await media.add(file)
    media.folder.chmod(mode)
    with pytest.raises(MediaStoreUnsafe):
        await media.add(file)
    with pytest.raises(MediaStoreUnsafe):
        await read(media, SHA256)


async def test_add_raises_media_not_copied__folder_cannot_be_created(file: Path) -> None:
    with pytest.raises(MediaNotCopied):
        await MediaStore(file / "media").add(file)


async def test_folder_may_be_a_link_to_a_shared_folder(
    media: MediaStore, file: Path, tmp_path: Path
) -> None:
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o700)
    media.folder.parent.mkdir()
    media.folder.symlink_to(shared)
    await media.add(file)
    assert await read(MediaStore(shared), SHA256) == CONTENT


async def test_remove_unneeded_removes_unneeded_and_incomplete_copies(
    media: MediaStore, file: Path
) -> None:
    await media.add(file)
    file.write_bytes(b"another")
    needed = await media.add(file)
    (media.folder / "incoming" / "of a killed process").write_bytes(b"half")

    async def find_needed(hashes: Sequence[str]) -> Collection[str]:
        assert set(hashes) <= {SHA256, needed}
        return {needed}

    assert await media.remove_unneeded(find_needed) == 1
    async with media.prevent_removal():
        assert stored_files(media) == [needed]


async def test_remove_unneeded_removes_nothing__empty_store(media: MediaStore) -> None:
    assert await media.remove_unneeded(none_needed) == 0


async def test_remove_unneeded_removes_nothing_inside_prevent_removal(
    media: MediaStore, file: Path
) -> None:
    async with media.prevent_removal():
        await media.add(file)
        assert await media.remove_unneeded(none_needed) == 0
        assert await read(media, SHA256) == CONTENT
    assert await media.remove_unneeded(none_needed) == 1


async def test_remove_unneeded_keeps_a_copy_that_becomes_needed(
    media: MediaStore, file: Path
) -> None:
    await media.add(file)
    calls = 0

    async def find_needed(hashes: Sequence[str]) -> Collection[str]:
        """Return no hash at first; later return all, as if a new post needed the copies."""
        nonlocal calls
        calls += 1
        return set(hashes) if calls > 1 else ()

    await media.remove_unneeded(find_needed)
    assert await read(media, SHA256) == CONTENT


@pytest.mark.timing
async def test_prevent_removal_waits_for_a_removal_in_progress(
    media: MediaStore, file: Path
) -> None:
    """A file that is added during a removal must not be removed."""
    await media.add(file)
    tasks: list[asyncio.Task[str]] = []

    async def add_again() -> str:
        async with media.prevent_removal():
            return await media.add(file)

    async def find_needed(hashes: Sequence[str]) -> Collection[str]:
        if not tasks:
            tasks.append(asyncio.ensure_future(add_again()))
        return ()

    await media.remove_unneeded(find_needed)
    assert await tasks[0] == SHA256
    assert await read(media, SHA256) == CONTENT


async def test_open_copy_stays_readable_after_its_removal(media: MediaStore, file: Path) -> None:
    await media.add(file)
    async with media.open_copy(SHA256, file) as copy:
        assert await media.remove_unneeded(none_needed) == 1
        assert copy.read() == CONTENT
