"""Cleaning snapshots, grouping them by tweet, and the latest known value of each metric."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from roost.models import AccountHistory, AccountSnapshot, Metric, PartId, PostSnapshot


def drop_false_zeros(
    metrics: Mapping[Metric, int | None], known: Mapping[Metric, int]
) -> dict[Metric, int | None]:
    """Replace each zero that X did not mean by None, which means unknown.

    `known` holds the last value of each metric that was read before. X sometimes answers 0 for a
    count for a while, so a 0 after a higher value is unknown: stored as a fall to zero it would
    look like an anomaly, and the rise from zero a day later like another. Zero impressions beside
    another count are unknown too, because a post that was never shown can get no reactions.
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

    A snapshot in which every metric is missing or zero, after one that was not, is a failed read
    and not a change of the account: it is skipped.
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


def group_by_part(snapshots: Sequence[PostSnapshot]) -> list[list[PostSnapshot]]:
    """Return one list of snapshots per tweet, each oldest first."""
    by_part: dict[PartId, list[PostSnapshot]] = {}
    for snapshot in sorted(snapshots, key=lambda snapshot: snapshot.at):
        by_part.setdefault(snapshot.part_id, []).append(snapshot)
    return list(by_part.values())


def latest_metrics(
    snapshots: Sequence[PostSnapshot], known_before: Mapping[PartId, Mapping[Metric, int]]
) -> dict[Metric, int | None]:
    """Return the latest known value of each metric of one tweet; `snapshots` oldest first.

    X stops reporting some metrics after 30 days. Their last known values remain valid.
    """
    newest = snapshots[-1]
    latest: dict[Metric, int | None] = dict.fromkeys(newest.metrics)
    latest |= known_before.get(newest.part_id, {})
    for snapshot in snapshots:
        latest |= {metric: value for metric, value in snapshot.metrics.items() if value is not None}
    return latest


def latest_post_snapshots(history: AccountHistory) -> list[PostSnapshot]:
    """Return each tweet's newest snapshot with its latest known metrics; newest tweet first."""
    latest = [
        replace(snapshots[-1], metrics=latest_metrics(snapshots, history.known_before))
        for snapshots in group_by_part(history.posts)
    ]
    return sorted(latest, key=lambda snapshot: (snapshot.sent_at, snapshot.part_id), reverse=True)
