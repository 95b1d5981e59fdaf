"""What the watermark says about a database: compared purely, and kept in its file."""

import fcntl
import shutil
from dataclasses import replace
from datetime import UTC, datetime
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
    ("mark", "found", "original", "unclean", "others", "expected"),
    [
        (kept(clean_stop_tag=9), STOPPED, True, False, False, False),
        (kept(clean_stop_tag=9), STOPPED, True, True, False, True),
        (kept(clean_stop_tag=9), STOPPED, False, False, False, True),
        (kept(clean_stop_tag=8), STOPPED, True, False, False, True),
        (None, STOPPED, False, False, False, True),
        (None, FOUND, False, False, True, False),
        (None, FOUND, False, False, False, True),
        (KEPT, FOUND, True, True, True, True),
        (None, replace(FOUND, event_id=None), False, True, False, False),
        (None, replace(FOUND, registered_system=None), False, False, False, False),
    ],
    ids=[
        "ordinary restart", "unclean stop", "copied file", "another's stop", "new machine",
        "new machine beside others", "new machine alone", "crash beside others", "empty database",
        "first worker of all",
    ],
)  # fmt: skip
def test_posts_are_searched_first_unless_the_restart_was_ordinary(
    mark: Watermark | None,
    found: DatabaseState,
    original: bool,
    unclean: bool,
    others: bool,
    expected: bool,
) -> None:
    needed = needs_recheck(
        mark, found, is_original=original, unclean_stop=unclean, others_run=others
    )
    assert needed is expected


def test_watermark_never_goes_down(tmp_path: Path) -> None:
    watermark.write(tmp_path, KEPT)
    watermark.write(tmp_path, kept(event_id=39))
    known = watermark.read(tmp_path)
    assert known is not None
    assert known.event_id == 40
    assert watermark.is_original(tmp_path, known)
    shutil.copy(watermark.watermark_file(tmp_path), tmp_path / "copy")
    (tmp_path / "copy").replace(watermark.watermark_file(tmp_path))
    assert not watermark.is_original(tmp_path, known)
    watermark.write(tmp_path, kept(generation=3, event_id=7))
    assert (watermark.read(tmp_path) or KEPT).event_id == 7


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
