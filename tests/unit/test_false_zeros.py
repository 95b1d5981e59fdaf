"""A count of zero is unknown if an earlier value was higher; otherwise it is a real zero."""

import pytest

from roost.insights.snapshots import drop_false_zeros
from roost.models import Metric

POST = (
    Metric.IMPRESSIONS, Metric.ENGAGEMENTS, Metric.LIKES, Metric.REPLIES, Metric.REPOSTS,
    Metric.QUOTES, Metric.BOOKMARKS, Metric.LINK_CLICKS, Metric.PROFILE_CLICKS,
)  # fmt: skip
ACCOUNT = (Metric.FOLLOWERS, Metric.FOLLOWING, Metric.POSTS)


@pytest.mark.parametrize("zero_metric", [*POST, *ACCOUNT])
def test_drop_false_zeros_replaces_single_zero(zero_metric: Metric) -> None:
    metrics = POST if zero_metric in POST else ACCOUNT
    known = dict.fromkeys(metrics, 7)
    read = dict.fromkeys(metrics, 9) | {zero_metric: 0}
    assert drop_false_zeros(read, known) == dict.fromkeys(metrics, 9) | {zero_metric: None}


@pytest.mark.parametrize("metrics", [POST, ACCOUNT])
def test_drop_false_zeros_keeps_zero__never_higher_before(metrics: tuple[Metric, ...]) -> None:
    read = dict.fromkeys(metrics, 0)
    assert drop_false_zeros(read, {}) == read
    assert drop_false_zeros(read, read) == read


def test_drop_false_zeros_keeps_other_falls_and_unknown_values() -> None:
    read = {Metric.LIKES: 1, Metric.ENGAGEMENTS: None, Metric.IMPRESSIONS: 50}
    known = {Metric.LIKES: 2, Metric.ENGAGEMENTS: 5, Metric.IMPRESSIONS: 40}
    assert drop_false_zeros(read, known) == read


def test_drop_false_zeros_replaces_zero_impressions__likes_present() -> None:
    assert drop_false_zeros({Metric.IMPRESSIONS: 0, Metric.LIKES: 2}, {}) == {
        Metric.IMPRESSIONS: None,
        Metric.LIKES: 2,
    }
