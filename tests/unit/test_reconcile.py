"""Matching a part with the posts of a timeline: tables of cases with the expected results."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from roost.models import ReasonCode
from roost.models import TweetId as T
from roost.publishing.reconcile import (
    Ambiguous,
    ExpectedPost,
    Found,
    NotFound,
    TimelinePost,
    first_possible_id,
    match_forgotten_part,
    match_part,
)

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def shown(number: str, **changed: object) -> TimelinePost:
    values: dict[str, object] = {
        "tweet_id": T(number),
        "text": "Hello",
        "created_at": NOW,
        "reply_to": None,
        "media_keys": frozenset(),
    }
    return TimelinePost(**(values | changed))  # type: ignore[arg-type]  # values by name


def match(*timeline: TimelinePost, claimed: Sequence[T] = (), **changed: object) -> object:
    values: dict[str, object] = {
        "text": "Hello",
        "file_count": 0,
        "media_keys": frozenset(),
        "reply_to": None,
    }
    expected = ExpectedPost(**(values | changed))  # type: ignore[arg-type]  # values by name
    return match_part(
        expected, since=NOW, until=NOW + timedelta(seconds=10), timeline=timeline, claimed=claimed
    )


def test_post_with_the_text_is_found() -> None:
    assert match(shown("1", text="Other"), shown("2")) == Found(shown("2"))


@pytest.mark.parametrize(
    "other",
    [
        shown("1", text="hello"),
        shown("1", created_at=NOW - timedelta(seconds=61)),
        shown("1", reply_to=T("9")),
        shown("1", media_keys=frozenset({"3_1"})),
    ],
    ids=["other text", "too old", "other parent", "has media"],
)
def test_other_post_is_not_found(other: TimelinePost) -> None:
    assert match(other) == NotFound()


def test_claimed_post_is_not_found() -> None:
    assert match(shown("1"), claimed=[T("1")]) == NotFound()


def test_two_matching_posts_are_ambiguous() -> None:
    assert match(shown("1"), shown("2")) == Ambiguous(
        (shown("1"), shown("2")), ReasonCode.SEVERAL_MATCHES
    )


def test_media_key_decides_alone() -> None:
    mine = shown("2", text="X changed the text", media_keys=frozenset({"3_7"}))
    assert match(shown("1"), mine, file_count=1, media_keys=frozenset({"3_7"})) == Found(mine)


def test_text_and_file_count_decide__no_media_key() -> None:
    mine = shown("2", media_keys=frozenset({"3_7"}))
    assert match(shown("1"), mine, file_count=1) == Found(mine)


def test_search_begins_a_minute_before_the_attempt() -> None:
    # A snowflake id is (milliseconds since 2010-11-04 01:42:54.657 UTC) << 22. The first number is
    # 60 s before noon.
    assert first_possible_id(NOW) == str((1795435140000 - 1288834974657) << 22)


OURS = shown("9", text="Earlier", source="Roost")


@pytest.mark.parametrize(
    ("after_s", "is_found"),
    [(-31, False), (-30, True), (25, True), (26, False), (90, False)],
)
def test_time_decides__no_source(after_s: int, is_found: bool) -> None:
    there = shown("1", created_at=NOW + timedelta(seconds=after_s))
    verdict = match(there)
    assert verdict == Found(there) if is_found else isinstance(verdict, Ambiguous)


def test_late_post_is_found__slow_network() -> None:
    late = NOW + timedelta(seconds=100)
    assert match(shown("1", created_at=late, source="Roost")) == Found(
        shown("1", created_at=late, source="Roost")
    )
    assert isinstance(match(shown("1", created_at=late, source="X Web App")), Ambiguous)


def test_source_decides_at_any_time() -> None:
    late = NOW + timedelta(seconds=90)
    mine = shown("1", created_at=late, source="Roost")
    assert match(OURS, mine, claimed=[OURS.tweet_id]) == Found(mine)
    manual = shown("1", source="X Web App")
    assert match(OURS, manual, claimed=[OURS.tweet_id]) == Ambiguous(
        (manual,), ReasonCode.FOREIGN_APP
    )


def forgotten(*timeline: TimelinePost, claimed: Sequence[T] = ()) -> object:
    expected = ExpectedPost("Hello", 0, frozenset(), None)
    return match_forgotten_part(expected, since=NOW, timeline=timeline, claimed=claimed)


def test_forgotten_part_is_the_earliest_match() -> None:
    assert forgotten(shown("3"), shown("2")) == Found(shown("2"))
    assert forgotten(shown("3"), shown("2"), claimed=[T("2")]) == Found(shown("3"))
    assert forgotten(shown("2", created_at=NOW - timedelta(seconds=61))) == NotFound()


def test_forgotten_part_is_ambiguous__other_source() -> None:
    manual = shown("1", source="X Web App")
    assert forgotten(OURS, manual, claimed=[OURS.tweet_id]) == Ambiguous(
        (manual,), ReasonCode.FOREIGN_APP
    )
    assert isinstance(forgotten(manual), Ambiguous)
    unknown_app = shown("1", source="Some app")
    # The timeline has no post of Roost whose source could be compared.
    assert forgotten(unknown_app) == Found(unknown_app)


def test_post_of_a_client_of_x_is_ambiguous() -> None:
    manual = shown("1", source="Twitter for iPhone")
    assert match(manual) == Ambiguous((manual,), ReasonCode.FOREIGN_APP)
    assert match(manual, shown("2", source="Roost")) == Found(shown("2", source="Roost"))
