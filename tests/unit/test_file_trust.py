"""Like ssh, Roost refuses files and folders that another user could have written."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from roost.errors import UntrustedPath
from roost.file_trust import make_private_folder, read_private_file, require_trusted_folder

STRANGER = 54_321
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with a file of secrets, created with the permissions that Roost sets."""
    home = tmp_path / "above" / "home"
    make_private_folder(home)
    (home / "keys").write_text("secret")
    (home / "keys").chmod(0o600)
    return home


def give_away(path: Path) -> None:
    os.chown(path, STRANGER, STRANGER, follow_symlinks=False)


def test_what_roost_makes_is_trusted_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        make_private_folder(tmp_path / "some" / "new" / "home")
    finally:
        os.umask(before)
    for folder in ("some", "some/new", "some/new/home"):
        assert (tmp_path / folder).stat().st_mode & 0o777 == 0o700


def test_a_private_file_is_read(home: Path) -> None:
    assert read_private_file(home / "keys") == b"secret"
    assert read_private_file(home / ".." / "home" / "keys") == b"secret"


def test_own_links_are_followed(home: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("above/home")
    (tmp_path / "absolute").symlink_to(home)
    for name in ("link", "absolute"):
        assert read_private_file(tmp_path / name / "keys") == b"secret"
        require_trusted_folder(tmp_path / name)


def test_what_is_not_there_is_said(home: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_private_file(home / "none")
    with pytest.raises(FileNotFoundError):
        require_trusted_folder(home / "none")


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o660, 0o606, 0o644, 0o610])
def test_file_that_others_may_use_is_refused(home: Path, mode: int) -> None:
    (home / "keys").chmod(mode)
    with pytest.raises(UntrustedPath, match="by other users") as caught:
        read_private_file(home / "keys")
    assert caught.value.next.startswith("chmod ")
    assert caught.value.code == "untrusted_path"


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777, 0o1777, 0o720])
@pytest.mark.parametrize("place", [".", ".."])
def test_folder_that_others_may_write_is_refused(home: Path, place: str, mode: int) -> None:
    folder = (home / place).resolve()
    folder.chmod(mode)
    if mode & 0o1000 and place == "..":  # In a sticky folder, only a file's owner can replace it.
        require_trusted_folder(home)
        return
    for check in (require_trusted_folder, make_private_folder):
        with pytest.raises(UntrustedPath, match="changed by other users"):
            check(home)
    if not mode & 0o1000:
        with pytest.raises(UntrustedPath, match="changed by other users"):
            read_private_file(home / "keys")


@as_root
@pytest.mark.parametrize("place", ["keys", ".", ".."])
def test_what_belongs_to_another_user_is_refused(home: Path, place: str) -> None:
    give_away((home / place).resolve())
    with pytest.raises(UntrustedPath, match=f"another user .uid {STRANGER}."):
        read_private_file(home / "keys")


@as_root
@pytest.mark.parametrize("at", ["home", "keys"])
def test_link_of_another_user_is_refused(home: Path, tmp_path: Path, at: str) -> None:
    if at == "home":
        (tmp_path / "link").symlink_to(home)
        give_away(tmp_path / "link")
        path = tmp_path / "link" / "keys"
    else:
        (home / "keys").rename(home / "real")
        (home / "keys").symlink_to("real")
        give_away(home / "keys")
        path = home / "keys"
    with pytest.raises(UntrustedPath, match="another user"):
        read_private_file(path)


@as_root
def test_link_into_another_users_folder_is_refused(home: Path, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "keys").write_text("prepared")
    (theirs / "keys").chmod(0o600)
    give_away(theirs)
    (home / "keys").unlink()
    (home / "keys").symlink_to(theirs / "keys")
    with pytest.raises(UntrustedPath, match="another user"):
        read_private_file(home / "keys")


def make_fifo(path: Path) -> None:
    os.mkfifo(path, 0o600)


def make_folder(path: Path) -> None:
    path.mkdir(mode=0o700)


def make_loop(path: Path) -> None:
    path.symlink_to(path)


@pytest.mark.parametrize("make", [make_fifo, make_folder, make_loop])
def test_what_is_no_file_is_refused_at_once(home: Path, make: Callable[[Path], None]) -> None:
    (home / "keys").unlink()
    make(home / "keys")
    with pytest.raises((UntrustedPath, OSError)) as caught:
        read_private_file(home / "keys")
    assert not isinstance(caught.value, FileNotFoundError)
