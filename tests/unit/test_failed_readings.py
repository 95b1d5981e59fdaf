"""A zero among other counts: unknown where there was more before, else a zero."""

import pytest

from roost.insights.failed_readings import drop_failed_zeros
from roost.models import Metric

POST = (
    Metric.IMPRESSIONS, Metric.ENGAGEMENTS, Metric.LIKES, Metric.REPLIES, Metric.REPOSTS,
    Metric.QUOTES, Metric.BOOKMARKS, Metric.LINK_CLICKS, Metric.PROFILE_CLICKS,
)  # fmt: skip
ACCOUNT = (Metric.FOLLOWERS, Metric.FOLLOWING, Metric.POSTS)


@pytest.mark.parametrize("failed", [*POST, *ACCOUNT])
def test_a_single_zero_is_unknown(failed: Metric) -> None:
    metrics = POST if failed in POST else ACCOUNT
    known = dict.fromkeys(metrics, 7)
    read = dict.fromkeys(metrics, 9) | {failed: 0}
    assert drop_failed_zeros(read, known) == dict.fromkeys(metrics, 9) | {failed: None}


@pytest.mark.parametrize("metrics", [POST, ACCOUNT])
def test_what_was_never_more_than_zero_is_zero(metrics: tuple[Metric, ...]) -> None:
    read = dict.fromkeys(metrics, 0)
    assert drop_failed_zeros(read, {}) == read
    assert drop_failed_zeros(read, read) == read


def test_a_fall_that_is_not_to_zero_and_an_unknown_value_stay() -> None:
    read = {Metric.LIKES: 1, Metric.ENGAGEMENTS: None, Metric.IMPRESSIONS: 50}
    known = {Metric.LIKES: 2, Metric.ENGAGEMENTS: 5, Metric.IMPRESSIONS: 40}
    assert drop_failed_zeros(read, known) == read


def test_likes_of_what_nobody_has_seen_make_the_impressions_unknown() -> None:
    assert drop_failed_zeros({Metric.IMPRESSIONS: 0, Metric.LIKES: 2}, {}) == {
        Metric.IMPRESSIONS: None,
        Metric.LIKES: 2,
    }
