"""What the promise allows, as truth tables: expected steps are written out."""

from datetime import UTC, datetime, timedelta

import pytest

from roost.models import MediaAsset, MediaAssetId, MediaKind, Part, PartId, PartState, PostId
from roost.models import TweetId as T
from roost.promise import (
    Ambiguous,
    AskPerson,
    Found,
    GiveUpWaiting,
    Lags,
    NotFound,
    ReadTimeline,
    Seen,
    Send,
    Try,
    UploadMedia,
    WaitUntil,
    WaitWall,
    decide_step,
    judge_timeline,
    since_tweet,
)

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LAGS = Lags(read_lag=timedelta(seconds=15), resend_within=timedelta(minutes=10))
PICTURE = MediaAsset(MediaAssetId(5), "/a.png", "aa", MediaKind.IMAGE, "image/png", 10, None)


def part(state: PartState, *media: MediaAsset) -> Part:
    return Part(PartId(1), PostId(1), 1, "Hello", state, None, None, media)


def attempt(
    seconds_ago: float,
    *,
    left: float = -1,
    empty: int = 0,
    read_ago: float | None = None,
    first_ago: float | None = None,
) -> Try:
    started = NOW - timedelta(seconds=seconds_ago)
    return Try(
        unsettled_since=NOW - timedelta(seconds=first_ago or seconds_ago),
        started_at=started,
        wall_left=timedelta(seconds=left),
        empty_reads=empty,
        empty_read_at=None if read_ago is None else NOW - timedelta(seconds=read_ago),
    )


def test_a_pending_part_is_sent() -> None:
    assert decide_step(part(PartState.PENDING), None, {}, now=NOW, lags=LAGS) == Send(again=False)


def test_a_pending_part_with_a_file_is_uploaded_first() -> None:
    step = decide_step(part(PartState.PENDING, PICTURE), None, {}, now=NOW, lags=LAGS)
    assert step == UploadMedia(PICTURE)


@pytest.mark.parametrize(
    ("minutes_left", "expected"), [(9, UploadMedia(PICTURE)), (11, Send(again=False))]
)
def test_an_upload_that_expires_soon_is_made_anew(minutes_left: int, expected: object) -> None:
    uploads = {5: NOW + timedelta(minutes=minutes_left)}
    step = decide_step(part(PartState.PENDING, PICTURE), None, uploads, now=NOW, lags=LAGS)
    assert step == expected


@pytest.mark.parametrize(
    ("left", "expected"), [(3, WaitWall(timedelta(seconds=3))), (0, GiveUpWaiting())]
)
def test_whoever_takes_over_waits_until_the_deadline_has_passed(
    left: float, expected: object
) -> None:
    last = attempt(7, left=left)
    assert decide_step(part(PartState.SENDING), last, {}, now=NOW, lags=LAGS) == expected


UNKNOWN = [
    ("at once, but it does not count yet", attempt(2), ReadTimeline(counts=False)),
    ("the first counts past the read lag", attempt(15), ReadTimeline(counts=True)),
    (
        "after an early read, not before the lag is over",
        attempt(5, read_ago=3),
        WaitUntil(NOW + timedelta(seconds=10)),
    ),
    ("after an early read, once the lag is over", attempt(16, read_ago=14), ReadTimeline(True)),
    (
        "the second read is fifteen seconds after the first",
        attempt(20, empty=1, read_ago=5),
        WaitUntil(NOW + timedelta(seconds=10)),
    ),
    ("the second read", attempt(31, empty=1, read_ago=15), ReadTimeline(counts=True)),
    ("two empty reads allow it again", attempt(40, empty=2, read_ago=1), Send(again=True)),
]


@pytest.mark.parametrize(("case", "last", "expected"), UNKNOWN, ids=[case[0] for case in UNKNOWN])
def test_an_unknown_part_is_reconciled(case: str, last: Try, expected: object) -> None:
    assert decide_step(part(PartState.UNKNOWN), last, {}, now=NOW, lags=LAGS) == expected


def test_a_part_is_not_sent_again_when_it_is_too_late() -> None:
    last = attempt(30, empty=2, read_ago=1, first_ago=601)
    step = decide_step(part(PartState.UNKNOWN), last, {}, now=NOW, lags=LAGS)
    assert isinstance(step, AskPerson)


def test_a_part_whose_media_expired_is_not_sent_again() -> None:
    last = attempt(40, empty=2, read_ago=1)
    uploads = {5: NOW - timedelta(seconds=1)}
    step = decide_step(part(PartState.UNKNOWN, PICTURE), last, uploads, now=NOW, lags=LAGS)
    assert isinstance(step, AskPerson)


def seen(number: str, **changed: object) -> Seen:
    values: dict[str, object] = {
        "tweet_id": T(number),
        "text": "Hello",
        "created_at": NOW,
        "reply_to": None,
        "media_keys": frozenset(),
    }
    return Seen(**(values | changed))  # type: ignore[arg-type]  # values by name


def judged(*timeline: Seen, **changed: object) -> object:
    values: dict[str, object] = {
        "text": "Hello",
        "media_keys": (),
        "reply_to": None,
        "since": NOW,
        "adopted": (),
    }
    return judge_timeline(timeline=timeline, **(values | changed))  # type: ignore[arg-type]


def test_the_one_post_with_this_text_is_found() -> None:
    assert judged(seen("1", text="Other"), seen("2")) == Found(seen("2"))


@pytest.mark.parametrize(
    "stranger",
    [
        seen("1", text="hello"),
        seen("1", created_at=NOW - timedelta(seconds=61)),
        seen("1", reply_to=T("9")),
        seen("1", media_keys=frozenset({"3_1"})),
    ],
    ids=["other text", "too old", "other parent", "has media"],
)
def test_a_stranger_is_not_found(stranger: Seen) -> None:
    assert judged(stranger) == NotFound()


def test_a_post_adopted_by_another_part_is_out_of_the_question() -> None:
    assert judged(seen("1"), adopted=[T("1")]) == NotFound()


def test_two_twins_are_ambiguous() -> None:
    assert judged(seen("1"), seen("2")) == Ambiguous((seen("1"), seen("2")))


def test_a_media_key_decides_alone() -> None:
    mine = seen("2", text="X changed the text", media_keys=frozenset({"3_7"}))
    assert judged(seen("1"), mine, media_keys=["3_7"]) == Found(mine)


def test_looking_begins_a_minute_before_the_attempt() -> None:
    # Snowflake: (ms since 2010-11-04 01:42:54.657 UTC) << 22; 60 s before noon.
    assert since_tweet(NOW) == str((1795435140000 - 1288834974657) << 22)
