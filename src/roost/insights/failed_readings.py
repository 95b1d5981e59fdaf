"""Zeros that X did not mean: a count that was there before and reads 0 is a failed reading.

X now and then answers a count with 0 for a while. Such a value is unknown: as a fall to zero it
would raise an alert, and as a rise from zero, a day later, another.
"""

from collections.abc import Mapping

from roost.models import Metric


def drop_failed_zeros(
    read: Mapping[Metric, int | None], known: Mapping[Metric, int]
) -> dict[Metric, int | None]:
    """A reading with None in place of each zero that cannot be one.

    `known` is the last value of each metric that was read before. Nobody can react to a post that
    nobody has seen, so without impressions but with anything else these are unknown as well.
    """
    kept = {
        metric: None if value == 0 and known.get(metric, 0) > 0 else value
        for metric, value in read.items()
    }
    if kept.get(Metric.IMPRESSIONS) == 0 and any(kept.values()):
        kept[Metric.IMPRESSIONS] = None
    return kept
