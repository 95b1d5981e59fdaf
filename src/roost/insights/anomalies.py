"""Finds days on which an account gained or lost far more followers than it usually does.

The daily net change is scored, not the follower count, because the count only accumulates earlier
changes. `bench/anomalies.py` measures how many anomalies this module reports falsely or misses.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from roost.insights.series import Change, net_changes
from roost.insights.wording import describe_change
from roost.models import AccountSnapshot, Anomaly, IntegrationId, Metric

#: The baseline: a change is compared with the changes in the 28 days before it.
_BASELINE = timedelta(days=28)
#: A change is scored only if at least this many earlier changes are known.
_MIN_BASELINE_CHANGES: Final = 10
#: An interval between snapshots that is longer than this is a gap, because the change in it cannot
#: be assigned to a day.
_MAX_INTERVAL_DAYS: Final = 3.0
#: A change over an interval that is shorter than this is not part of the baseline, because it does
#: not represent a day.
_MIN_INTERVAL_DAYS: Final = 0.5
#: After an anomaly, no other anomaly of the same kind (gain or loss) is reported for this time, so
#: that an incident of several days is reported once.
_QUIET_PERIOD = timedelta(days=7)

# A loss or a gain is an anomaly if it reaches these scores. A gain must also reach a score on the
# logarithmic scale, because gains multiply: the users who find an account lead others to it.
_LOSS_SCORE: Final = 4.0
_GAIN_SCORE: Final = 4.5
_GAIN_RATIO_SCORE: Final = 3.5

#: The smallest standard deviation that is assumed for an account's changes, as a share of its
#: followers. A change that differs from the expected change by less than 0.4 % of the followers is
#: therefore never an anomaly.
_FLOOR_SHARE: Final = 0.001
#: Factors that convert the median absolute deviation and the 90 % quantile of normally distributed
#: values to their standard deviation.
_MAD_TO_SIGMA: Final = 1.4826
_Q90_TO_SIGMA: Final = 1 / 1.2816


@dataclass(frozen=True, slots=True)
class ChangeScore:
    """How much a change differs from the usual change."""

    expected: float
    score: float
    """The difference in robust standard deviations; negative for a loss."""
    is_anomaly: bool


def find_anomalies(
    integration_id: IntegrationId, snapshots: Sequence[AccountSnapshot]
) -> list[Anomaly]:
    """Return an account's anomalies, oldest first; `snapshots` has all its snapshots.

    A day is compared only with earlier days, so later snapshots never change the anomaly of a past
    day. Account, metric and day identify an anomaly. A snapshot whose metrics are all missing or
    zero is a gap, never an anomaly.
    """
    anomalies: list[Anomaly] = []
    changes = net_changes(snapshots, Metric.FOLLOWERS)
    for position, change in enumerate(changes):
        result = score_change(change, changes[:position])
        if result is None or not result.is_anomaly or _is_quiet(change, anomalies):
            continue
        anomalies.append(
            Anomaly(
                integration_id=integration_id,
                metric=Metric.FOLLOWERS,
                day=change.day,
                score=round(result.score, 2),
                observed=change.amount,
                expected=round(result.expected, 2),
                message=describe_change(
                    amount=change.amount,
                    before=change.before,
                    expected=result.expected,
                    on=change.day,
                    days=change.days,
                ),
            )
        )
    return anomalies


def score_change(change: Change, earlier: Sequence[Change]) -> ChangeScore | None:
    """Score a change against the four weeks before it; None if too few changes are known."""
    daily_changes = np.array(
        [
            past.amount / past.days
            for past in earlier
            if change.since - past.until < _BASELINE
            and _MIN_INTERVAL_DAYS <= past.days <= _MAX_INTERVAL_DAYS
        ]
    )
    if len(daily_changes) < _MIN_BASELINE_CHANGES or change.days > _MAX_INTERVAL_DAYS:
        return None
    usual = float(np.median(daily_changes))
    expected = usual * change.days
    deviation = change.amount - expected
    # The spread of gains and the spread of losses are computed separately, because large gains are
    # more common than large losses.
    outward = (daily_changes - usual) * (1 if deviation > 0 else -1)
    spread = max(
        _MAD_TO_SIGMA * float(np.median(outward[outward >= 0])),
        _Q90_TO_SIGMA * max(float(np.quantile(outward, 0.9)), 0.0),
    )
    floor = 1 + (_FLOOR_SHARE * change.before) ** 2
    scale = float(np.sqrt(max(spread**2, abs(usual)) + floor)) * max(change.days, 1.0) ** 0.5
    score = deviation / scale
    if change.amount < 0:
        is_anomaly = score <= -_LOSS_SCORE
    else:
        is_anomaly = (
            score >= _GAIN_SCORE and _gain_ratio_score(change, daily_changes) >= _GAIN_RATIO_SCORE
        )
    return ChangeScore(expected, score, is_anomaly)


def _gain_ratio_score(change: Change, daily_changes: NDArray[np.float64]) -> float:
    """Score a gain on the logarithmic scale, that is, by its ratio to the usual gain."""
    logs = np.log1p(np.maximum(daily_changes, 0))
    usual = float(np.median(logs))
    spread = _MAD_TO_SIGMA * float(np.median(np.abs(logs - usual)))
    median_gain = max(float(np.median(daily_changes)), 0.0)
    scale = np.sqrt(spread**2 + 0.05**2 + 1 / (median_gain + 1))
    daily_gain = max(change.amount, 0.0) / max(change.days, 1.0)
    return float((np.log1p(daily_gain) - usual) / scale)


def _is_quiet(change: Change, anomalies: Sequence[Anomaly]) -> bool:
    is_gain = change.amount > 0
    return any(
        (anomaly.observed > 0) == is_gain and change.day - anomaly.day < _QUIET_PERIOD
        for anomaly in anomalies
    )
