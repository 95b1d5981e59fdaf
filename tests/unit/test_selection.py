"""The list of posts: which posts it contains, and their order."""

from datetime import UTC, datetime, timedelta

import pytest

from roost.models import (
    IntegrationId,
    Part,
    PartId,
    PartState,
    Post,
    PostId,
    PostState,
    TenantId,
)
from roost.publishing.selection import Selection, select_posts

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)


def post(number: int, state: PostState, hours: float | None, *texts: str) -> Post:
    due_at = None if hours is None else NOON + timedelta(hours=hours)
    parts = tuple(
        Part(PartId(at), PostId(number), at, text, PartState.PENDING, None, None)
        for at, text in enumerate(texts, start=1)
    )
    return Post(PostId(number), TenantId(1), IntegrationId(1), state, due_at, None, parts)


POSTS = [
    post(1, PostState.PUBLISHED, -48, "Straße and README.md"),
    post(2, PostState.MISSED, -24, "Two"),
    post(3, PostState.PUBLISHED, -12, "Three"),
    post(4, PostState.NEEDS_DECISION, -6, "Four"),
    post(5, PostState.PUBLISHING, -1, "Five"),
    post(6, PostState.SCHEDULED, 24, "Six", "of a thread about README.md"),
    post(7, PostState.SCHEDULED, 2, "Seven"),
    post(8, PostState.DRAFT, None, "Eight"),
]


def numbers(selection: Selection) -> list[int]:
    return [one.id for one in select_posts(POSTS, selection)]


def test_posts_ahead_come_first_then_those_that_need_attention() -> None:
    assert numbers(Selection()) == [5, 7, 6, 4, 2, 8, 3, 1]


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (Selection(states=[PostState.PUBLISHED]), [3, 1]),
        (Selection(states=[PostState.DRAFT, PostState.SCHEDULED]), [7, 6, 8]),
        (Selection(since=NOON), [7, 6]),
        (Selection(until=NOON), [5, 4, 2, 3, 1]),
        (Selection(since=NOON - timedelta(hours=24), until=NOON), [5, 4, 2, 3]),
        (Selection(search="readme.MD"), [6, 1]),
        (Selection(search="STRASSE"), [1]),
        (Selection(limit=2), [5, 7]),
        (Selection(states=[PostState.PUBLISHED], search="three", limit=9), [3]),
        (Selection(search="nothing of this"), []),
    ],
)
def test_selection(selection: Selection, expected: list[int]) -> None:
    assert numbers(selection) == expected
