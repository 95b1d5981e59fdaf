"""The store of copies: what it takes, what it keeps, what it gives out, what it removes."""

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
    async with media.opened(sha256, Path("a.bin")) as copy:
        return copy.read()


def kept(media: MediaStore) -> list[str]:
    """Every file of the store but its lock."""
    return sorted(path.name for path in media.folder.rglob("*") if path.is_file())[:-1]


async def none_needed(hashes: Sequence[str]) -> Collection[str]:
    return ()


def refuse_to_copy(*_: object) -> int:
    """What the kernel says where it cannot."""
    raise OSError(errno.EXDEV, "across file systems")


async def test_a_copy_is_read_by_its_hash_whatever_becomes_of_the_file(
    media: MediaStore, file: Path
) -> None:
    assert await media.accept(file) == SHA256
    file.write_bytes(b"other")
    assert await read(media, SHA256) == CONTENT
    file.unlink()
    assert await read(media, SHA256) == CONTENT


async def test_only_its_owner_reads_a_copy(media: MediaStore, file: Path) -> None:
    await media.accept(file)
    for path in (media.folder, *media.folder.rglob("*")):
        wanted = 0o700 if path.is_dir() else 0o600
        if path.name != "lock":
            assert stat.S_IMODE(path.stat().st_mode) == wanted, path


async def test_the_same_content_is_kept_once(media: MediaStore, file: Path) -> None:
    twin = file.with_name("b.bin")
    twin.write_bytes(CONTENT)
    hashes = await asyncio.gather(*(media.accept(each) for each in (file, twin, file)))
    assert set(hashes) == {SHA256}
    async with media.accepting():
        assert kept(media) == [SHA256]


async def test_where_the_kernel_does_not_copy_it_is_read_and_written(
    media: MediaStore, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "copy_file_range", refuse_to_copy)
    told: list[tuple[int, int]] = []
    assert await media.accept(file, lambda done, size: told.append((done, size))) == SHA256
    assert await read(media, SHA256) == CONTENT
    assert told == [(n << 20, 3 << 20) for n in (1, 2, 3)]


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
    ("make", "reason"),
    [
        (a_link, "symbolic_link"),
        (a_pipe, "not_a_file"),
        (lambda _: Path("/dev/zero"), "not_a_file"),
        (lambda file: file.parent, "not_a_file"),
        (lambda file: file.with_name("none"), "not_found"),
        (a_huge_file, "too_large"),
        (an_empty_file, "empty"),
    ],
)
async def test_what_is_no_ordinary_file_is_not_copied(
    media: MediaStore, file: Path, make: Callable[[Path], Path], reason: str
) -> None:
    with pytest.raises(MediaUnreadable) as raised:
        await media.accept(make(file))
    assert raised.value.facts["reason"] == reason
    async with media.accepting():
        assert kept(media) == []


@pytest.mark.parametrize("change", ["grows", "shrinks"])
async def test_a_file_that_is_written_to_meanwhile_is_refused_and_bounded(
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
        await media.accept(file)
    assert raised.value.facts["reason"] == "changed"
    async with media.accepting():
        assert kept(media) == []


async def test_a_lost_copy_has_its_own_error(media: MediaStore, file: Path) -> None:
    with pytest.raises(MediaCopyLost, match=r"a\.bin"):
        await read(media, SHA256)
    await media.accept(file)
    assert await media.list_lost([SHA256, "0" * 64]) == ["0" * 64]
    (media.folder / SHA256[:2] / SHA256).unlink()
    with pytest.raises(MediaCopyLost):
        await read(media, SHA256)


@pytest.mark.parametrize("how", ["other bytes", "shorter", "pipe", "link"])
async def test_a_copy_of_other_bytes_is_not_given_out_and_is_replaced(
    media: MediaStore, file: Path, how: str
) -> None:
    await media.accept(file)
    copy = media.folder / SHA256[:2] / SHA256
    if how == "other bytes":
        copy.write_bytes(CONTENT[:-1] + b"?")
    elif how == "shorter":
        os.truncate(copy, 5)
    else:
        copy.unlink()
        if how == "pipe":
            os.mkfifo(copy)
        else:
            copy.symlink_to(file)
    with pytest.raises((MediaCopyDamaged, MediaCopyLost)):
        await read(media, SHA256)
    await media.accept(file)
    assert await read(media, SHA256) == CONTENT


@pytest.mark.parametrize("mode", [0o770, 0o707])
async def test_a_folder_that_others_may_write_to_is_refused(
    media: MediaStore, file: Path, mode: int
) -> None:
    await media.accept(file)
    media.folder.chmod(mode)
    with pytest.raises(MediaStoreUnsafe):
        await media.accept(file)
    with pytest.raises(MediaStoreUnsafe):
        await read(media, SHA256)


async def test_a_folder_that_cannot_be_made_is_told(file: Path) -> None:
    with pytest.raises(MediaNotCopied):
        await MediaStore(file / "media").accept(file)


async def test_the_folder_may_be_a_link_to_one_that_machines_share(
    media: MediaStore, file: Path, tmp_path: Path
) -> None:
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o700)
    media.folder.parent.mkdir()
    media.folder.symlink_to(shared)
    await media.accept(file)
    assert await read(MediaStore(shared), SHA256) == CONTENT


async def test_what_is_not_needed_is_removed_with_what_was_left_behind(
    media: MediaStore, file: Path
) -> None:
    await media.accept(file)
    file.write_bytes(b"another")
    needed = await media.accept(file)
    (media.folder / "incoming" / "of a killed process").write_bytes(b"half")

    async def find_needed(hashes: Sequence[str]) -> Collection[str]:
        assert set(hashes) <= {SHA256, needed}
        return {needed}

    assert await media.remove_unneeded(find_needed) == 1
    async with media.accepting():
        assert kept(media) == [needed]


async def test_an_empty_store_has_nothing_to_remove(media: MediaStore) -> None:
    assert await media.remove_unneeded(none_needed) == 0


async def test_nothing_is_removed_while_files_are_accepted(media: MediaStore, file: Path) -> None:
    async with media.accepting():
        await media.accept(file)
        assert await media.remove_unneeded(none_needed) == 0
        assert await read(media, SHA256) == CONTENT
    assert await media.remove_unneeded(none_needed) == 1


async def test_a_copy_that_became_needed_meanwhile_stays(media: MediaStore, file: Path) -> None:
    await media.accept(file)
    asked = 0

    async def find_needed(hashes: Sequence[str]) -> Collection[str]:
        """Between the two questions, somebody has planned a post with the same file."""
        nonlocal asked
        asked += 1
        return set(hashes) if asked > 1 else ()

    await media.remove_unneeded(find_needed)
    assert await read(media, SHA256) == CONTENT


@pytest.mark.timing
async def test_who_accepts_waits_for_a_removal_and_then_goes_on(
    media: MediaStore, file: Path
) -> None:
    """A removal that has begun does not take what is accepted after it."""
    await media.accept(file)
    again: list[asyncio.Task[str]] = []

    async def accept_again() -> str:
        async with media.accepting():
            return await media.accept(file)

    async def find_needed(hashes: Sequence[str]) -> Collection[str]:
        if not again:
            again.append(asyncio.ensure_future(accept_again()))
        return ()

    await media.remove_unneeded(find_needed)
    assert await again[0] == SHA256
    assert await read(media, SHA256) == CONTENT


async def test_a_copy_that_is_being_read_is_read_to_its_end(media: MediaStore, file: Path) -> None:
    await media.accept(file)
    async with media.opened(SHA256, file) as copy:
        assert await media.remove_unneeded(none_needed) == 1
        assert copy.read() == CONTENT
