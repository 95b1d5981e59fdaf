"""Cleans snapshots, groups them by tweet, and finds the latest known value of each metric."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from roost.models import AccountHistory, AccountSnapshot, Metric, PartId, PostSnapshot


def drop_false_zeros(
    metrics: Mapping[Metric, int | None], known: Mapping[Metric, int]
) -> dict[Metric, int | None]:
    """Replace each zero that is probably wrong by None, which means unknown.

    `known` has the last value of each metric that was read before. X sometimes reports 0 for a
    count for a while, so a 0 after a higher value counts as unknown. If the 0 were stored, the fall
    to zero and the later rise would look like anomalies. Zero impressions count as unknown if
    another count is not zero, because a post that was never shown gets no reactions.
    """
    cleaned = {
        metric: None if value == 0 and known.get(metric, 0) > 0 else value
        for metric, value in metrics.items()
    }
    if cleaned.get(Metric.IMPRESSIONS) == 0 and any(cleaned.values()):
        cleaned[Metric.IMPRESSIONS] = None
    return cleaned


def metric_values(
    snapshots: Sequence[AccountSnapshot], metric: Metric
) -> list[tuple[datetime, float]]:
    """Return the known values of one metric with their times, oldest first.

    If every metric of a snapshot is missing or zero, and an earlier snapshot has a value, X failed
    to report the metrics. Such a snapshot is skipped.
    """
    values = []
    has_counts = False
    for snapshot in sorted(snapshots, key=lambda snapshot: snapshot.at):
        is_blank = not any(snapshot.metrics.values())
        if is_blank and has_counts:
            continue
        has_counts = has_counts or not is_blank
        value = snapshot.metrics.get(metric)
        if value is not None:
            values.append((snapshot.at, float(value)))
    return values


def latest_post_snapshots(history: AccountHistory) -> list[PostSnapshot]:
    """Return each tweet's newest snapshot, with the tweet's latest known metrics.

    The newest tweet comes first. X stops reporting some metrics after 30 days; the last known
    values of these metrics are kept.
    """
    latest = [
        replace(snapshots[-1], metrics=_latest_metrics(snapshots))
        for snapshots in _group_by_part(history.posts)
    ]
    return sorted(latest, key=lambda snapshot: (snapshot.sent_at, snapshot.part_id), reverse=True)


def _latest_metrics(snapshots: Sequence[PostSnapshot]) -> dict[Metric, int | None]:
    """Return the latest known value of each metric of one tweet; `snapshots` are oldest first."""
    latest: dict[Metric, int | None] = dict.fromkeys(snapshots[-1].metrics)
    for snapshot in snapshots:
        latest |= {metric: value for metric, value in snapshot.metrics.items() if value is not None}
    return latest


def _group_by_part(snapshots: Sequence[PostSnapshot]) -> list[list[PostSnapshot]]:
    """Return one list of snapshots per tweet, each oldest first."""
    by_part: dict[PartId, list[PostSnapshot]] = {}
    for snapshot in sorted(snapshots, key=lambda snapshot: snapshot.at):
        by_part.setdefault(snapshot.part_id, []).append(snapshot)
    return list(by_part.values())
