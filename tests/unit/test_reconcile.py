"""Which post of a timeline is a part: expected verdicts are written out."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from roost.models import TweetId as T
from roost.publishing.reconcile import (
    Ambiguous,
    Found,
    NotFound,
    TimelinePost,
    Wanted,
    first_possible_id,
    judge_forgotten,
    judge_timeline,
)

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def seen(number: str, **changed: object) -> TimelinePost:
    values: dict[str, object] = {
        "tweet_id": T(number),
        "text": "Hello",
        "created_at": NOW,
        "reply_to": None,
        "media_keys": frozenset(),
    }
    return TimelinePost(**(values | changed))  # type: ignore[arg-type]  # values by name


def judged(*timeline: TimelinePost, claimed: Sequence[T] = (), **changed: object) -> object:
    values: dict[str, object] = {
        "text": "Hello",
        "files": 0,
        "media_keys": frozenset(),
        "reply_to": None,
    }
    wanted = Wanted(**(values | changed))  # type: ignore[arg-type]  # values by name
    return judge_timeline(
        wanted, since=NOW, until=NOW + timedelta(seconds=10), timeline=timeline, claimed=claimed
    )


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
def test_a_stranger_is_not_found(stranger: TimelinePost) -> None:
    assert judged(stranger) == NotFound()


def test_a_post_adopted_by_another_part_is_out_of_the_question() -> None:
    assert judged(seen("1"), claimed=[T("1")]) == NotFound()


def test_two_twins_are_ambiguous() -> None:
    assert judged(seen("1"), seen("2")) == Ambiguous(
        (seen("1"), seen("2")), "several posts on X look like it"
    )


def test_a_media_key_decides_alone() -> None:
    mine = seen("2", text="X changed the text", media_keys=frozenset({"3_7"}))
    assert judged(seen("1"), mine, files=1, media_keys=frozenset({"3_7"})) == Found(mine)


def test_without_a_known_key_text_and_number_of_files_decide() -> None:
    mine = seen("2", media_keys=frozenset({"3_7"}))
    assert judged(seen("1"), mine, files=1) == Found(mine)


def test_looking_begins_a_minute_before_the_attempt() -> None:
    # Snowflake: (ms since 2010-11-04 01:42:54.657 UTC) << 22; 60 s before noon.
    assert first_possible_id(NOW) == str((1795435140000 - 1288834974657) << 22)


OURS = seen("9", text="Earlier", source="Roost")


@pytest.mark.parametrize(
    ("after_s", "is_found"),
    [(-31, False), (-30, True), (25, True), (26, False), (90, False)],
)
def test_the_time_tells_an_identical_post_by_hand_from_ours(after_s: int, is_found: bool) -> None:
    there = seen("1", created_at=NOW + timedelta(seconds=after_s))
    verdict = judged(there)
    assert verdict == Found(there) if is_found else isinstance(verdict, Ambiguous)


def test_what_a_slow_network_delivered_is_ours_where_no_client_of_x_made_it() -> None:
    late = NOW + timedelta(seconds=100)
    assert judged(seen("1", created_at=late, source="Roost")) == Found(
        seen("1", created_at=late, source="Roost")
    )
    assert isinstance(judged(seen("1", created_at=late, source="X Web App")), Ambiguous)


def test_the_app_that_made_it_tells_at_any_time() -> None:
    late = NOW + timedelta(seconds=90)
    mine = seen("1", created_at=late, source="Roost")
    assert judged(OURS, mine, claimed=[OURS.tweet_id]) == Found(mine)
    by_hand = seen("1", source="X Web App")
    assert judged(OURS, by_hand, claimed=[OURS.tweet_id]) == Ambiguous(
        (by_hand,), "another app made an identical post"
    )


def forgotten(*timeline: TimelinePost, claimed: Sequence[T] = ()) -> object:
    wanted = Wanted("Hello", 0, frozenset(), None)
    return judge_forgotten(wanted, since=NOW, timeline=timeline, claimed=claimed)


def test_of_several_forgotten_posts_the_earliest_is_taken() -> None:
    assert forgotten(seen("3"), seen("2")) == Found(seen("2"))
    assert forgotten(seen("3"), seen("2"), claimed=[T("2")]) == Found(seen("3"))
    assert forgotten(seen("2", created_at=NOW - timedelta(seconds=61))) == NotFound()


def test_what_another_app_made_is_asked_about_and_never_taken() -> None:
    by_hand = seen("1", source="X Web App")
    assert forgotten(OURS, by_hand, claimed=[OURS.tweet_id]) == Ambiguous(
        (by_hand,), "another app made an identical post"
    )
    assert isinstance(forgotten(by_hand), Ambiguous)
    unknown_app = seen("1", source="Some app")
    assert forgotten(unknown_app) == Found(unknown_app)  # nothing of ours to compare with


def test_a_post_of_xs_own_client_is_never_ours() -> None:
    by_hand = seen("1", source="Twitter for iPhone")
    assert judged(by_hand) == Ambiguous((by_hand,), "another app made an identical post")
    assert judged(by_hand, seen("2", source="Roost")) == Found(seen("2", source="Roost"))
