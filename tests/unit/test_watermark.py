"""A file stores the watermark; a pure function compares it with the database's state."""

import fcntl
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import msgspec
import pytest

from roost import watermark
from roost.services.restore_check import Verdict, compare, needs_recheck
from roost.store.installation import DatabaseState
from roost.watermark import Watermark

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
FOUND = DatabaseState(
    system_identifier="7",
    database_oid=5,
    timeline="00000001",
    registered_system="7",
    registered_oid=5,
    generation=2,
    generation_tag=11,
    event_id=40,
    event_tag=3,
    event_at=NOW,
    alive_at=NOW,
    checked_at=NOW,
    clean_stop_tag=None,
    at=NOW,
    server_started_at=NOW,
)
KEPT = Watermark("7", 5, "00000001", 2, 11, 40, 3)


def kept(**changed: object) -> Watermark:
    return msgspec.structs.replace(KEPT, **changed)


@pytest.mark.parametrize(
    ("mark", "found", "has_event", "verdict"),
    [
        (None, FOUND, True, Verdict.MATCHES),
        (KEPT, FOUND, True, Verdict.MATCHES),
        (KEPT, FOUND, False, Verdict.LACKS_EVENTS),
        (kept(event_id=0), FOUND, False, Verdict.MATCHES),
        (kept(timeline="00000002"), FOUND, True, Verdict.LACKS_EVENTS),
        (kept(generation=1), FOUND, False, Verdict.ACCEPTED),
        (kept(generation=3), FOUND, True, Verdict.LACKS_EVENTS),
        (kept(generation_tag=12), FOUND, True, Verdict.LACKS_EVENTS),
        (kept(is_refused=True), FOUND, True, Verdict.LACKS_EVENTS),
        (kept(is_refused=True, generation=1), FOUND, True, Verdict.ACCEPTED),
        (kept(system_identifier="8"), FOUND, True, Verdict.LACKS_EVENTS),
        (kept(database_oid=6), replace(FOUND, event_id=None), True, Verdict.MATCHES),
        (None, replace(FOUND, registered_oid=4), True, Verdict.IS_COPY),
        (KEPT, replace(FOUND, registered_system="6"), True, Verdict.IS_COPY),
        (None, replace(FOUND, registered_system=None, registered_oid=None), True, Verdict.MATCHES),
    ],
)
def test_database_is_compared_with_the_watermark(
    mark: Watermark | None, found: DatabaseState, has_event: bool, verdict: Verdict
) -> None:
    assert compare(mark, found, has_event=has_event) is verdict


STOPPED = replace(FOUND, clean_stop_tag=9)


@pytest.mark.parametrize(
    ("found", "stop_tag", "unclean", "others", "expected"),
    [
        (STOPPED, 9, False, False, False),
        (STOPPED, 9, True, False, True),
        (STOPPED, 8, False, False, True),
        (STOPPED, None, False, False, True),
        (FOUND, None, False, True, False),
        (FOUND, None, False, False, True),
        (FOUND, None, True, True, True),
        (replace(FOUND, event_id=None), None, True, False, False),
        (replace(FOUND, registered_system=None), None, False, False, False),
    ],
    ids=[
        "ordinary restart", "unclean stop", "restored copy", "new machine",
        "new machine beside others", "new machine alone", "crash beside others", "empty database",
        "first worker of all",
    ],
)  # fmt: skip
def test_posts_are_searched_first_unless_the_restart_was_ordinary(
    found: DatabaseState, stop_tag: int | None, unclean: bool, others: bool, expected: bool
) -> None:
    needed = needs_recheck(found, stop_tag=stop_tag, unclean_stop=unclean, others_run=others)
    assert needed is expected


def test_watermark_never_goes_down(tmp_path: Path) -> None:
    watermark.write(tmp_path, KEPT)
    watermark.write(tmp_path, kept(event_id=39))
    known = watermark.read(tmp_path)
    assert known is not None
    assert known.event_id == 40
    watermark.write(tmp_path, kept(generation=3, event_id=7))
    assert (watermark.read(tmp_path) or KEPT).event_id == 7


def _stop_tag(home: Path, mark: Watermark, started_at: datetime = NOW) -> int | None:
    return watermark.stop_tag(home, mark, server_started_at=started_at)


def test_stop_tag_is_the_same_until_the_next_start(tmp_path: Path) -> None:
    mark = kept(clean_stop_tag=9)
    watermark.write(tmp_path, mark)
    tag = _stop_tag(tmp_path, mark)
    assert tag is not None
    assert 0 <= tag < 2**31
    assert watermark.read(tmp_path) == mark
    elsewhere = timezone(timedelta(hours=5))
    assert _stop_tag(tmp_path, mark, NOW.astimezone(elsewhere)) == tag


def test_restored_watermark_changes_the_stop_tag_although_it_has_its_inode_again(
    tmp_path: Path,
) -> None:
    mark, path = kept(clean_stop_tag=9), watermark.watermark_file(tmp_path)
    watermark.write(tmp_path, mark)
    tag, saved, written = _stop_tag(tmp_path, mark), tmp_path / "saved", path.stat()
    shutil.copy2(path, saved)
    while path.stat().st_ctime_ns == written.st_ctime_ns:
        with path.open("wb") as file:
            file.write(saved.read_bytes())
        shutil.copystat(saved, path)
    restored = path.stat()
    assert (restored.st_ino, restored.st_mtime_ns) == (written.st_ino, written.st_mtime_ns)
    assert watermark.read(tmp_path) == mark
    assert _stop_tag(tmp_path, mark) not in {tag, None}


def test_restart_of_the_server_changes_the_stop_tag(tmp_path: Path) -> None:
    mark = kept(clean_stop_tag=9)
    watermark.write(tmp_path, mark)
    tag = _stop_tag(tmp_path, mark)
    assert _stop_tag(tmp_path, mark, NOW + timedelta(seconds=1)) not in {tag, None}
    private = watermark.stop_tag(tmp_path, mark, server_started_at=None)
    assert private not in {tag, None}


def test_watermark_that_says_something_else_has_no_stop_tag(tmp_path: Path) -> None:
    stopped = kept(clean_stop_tag=9)
    assert _stop_tag(tmp_path, stopped) is None
    watermark.write(tmp_path, KEPT)
    assert _stop_tag(tmp_path, KEPT) is None
    assert _stop_tag(tmp_path, stopped) is None


def test_watermark_of_another_version_is_read(tmp_path: Path) -> None:
    watermark.write(tmp_path, KEPT)
    path = watermark.watermark_file(tmp_path)
    path.write_bytes(path.read_bytes().replace(b"{", b'{"inode": 12, "boot_id": "5", ', 1))
    assert watermark.read(tmp_path) == KEPT


def test_watermark_of_a_worker_that_is_stopped_while_it_writes_holds_up_no_other(
    tmp_path: Path,
) -> None:
    watermark.write(tmp_path, KEPT)
    with (tmp_path / "watermark.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(BlockingIOError):
            watermark.write(tmp_path, kept(event_id=41))
    watermark.write(tmp_path, kept(event_id=41))
    assert (watermark.read(tmp_path) or KEPT).event_id == 41


def test_worker_that_ends_without_order_leaves_its_file(tmp_path: Path) -> None:
    with watermark.running(tmp_path):
        assert watermark.list_unclean_stops(tmp_path) == []
    assert watermark.list_unclean_stops(tmp_path) == []
    with pytest.raises(KeyError), watermark.running(tmp_path):
        raise KeyError
    assert len(watermark.list_unclean_stops(tmp_path)) == 1
