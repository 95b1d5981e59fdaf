"""Days on which an account gained or lost followers out of all proportion to what it knows.

The daily net change is judged, never the level: a level only repeats what its changes said.
`bench/anomalies.py` measures how often this cries wolf and what it misses.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from roost.agents.narrator import tell_change
from roost.insights.series import Change, net_changes
from roost.models import AccountSnapshot, Anomaly, IntegrationId, Metric

#: A day is judged against the changes of this many days before it,
_BASELINE = timedelta(days=28)
#: of which at least this many must have been measured.
_LEAST_CHANGES: Final = 10
#: Longer intervals without a reading are gaps: what happened in them has no day.
_LONGEST_DAYS: Final = 3.0
#: Shorter intervals say too little about a day to count as what is usual.
_SHORTEST_DAYS: Final = 0.5
#: After an anomaly, none of the same kind (gain, loss) for this long: one incident, one anomaly.
_QUIET = timedelta(days=7)

# Who was just found by many is found by more: gains come as multiples of what is usual, so a gain
# must also stand out on the scale of ratios.
_LOSS_SCORE: Final = 4.0
_GAIN_SCORE: Final = 4.5
_GAIN_RATIO_SCORE: Final = 3.5

#: Changes below about half a per cent of the followers are nobody's alarm.
_FLOOR_SHARE: Final = 0.001
#: Median absolute deviation to standard deviation, and the 90 % quantile, for normal noise.
_MAD_TO_SIGMA: Final = 1.4826
_Q90_TO_SIGMA: Final = 1 / 1.2816


@dataclass(frozen=True, slots=True)
class Judgement:
    """How far a change lies from what was usual."""

    expected: float
    score: float
    """In robust standard deviations; negative for a loss."""
    alarming: bool


def find_anomalies(
    integration_id: IntegrationId, snapshots: Sequence[AccountSnapshot]
) -> list[Anomaly]:
    """The account's anomalies, oldest first, from everything read of it so far.

    Only earlier readings judge a day, so more readings later on never change an anomaly of a day
    that is over; an anomaly is the same as another by (integration, metric, day).
    A reading with nothing in it (all metrics missing or zero) is a gap, never an anomaly.
    """
    anomalies: list[Anomaly] = []
    changes = net_changes(snapshots, Metric.FOLLOWERS)
    for position, change in enumerate(changes):
        judgement = judge_change(change, changes[:position])
        if judgement is None or not judgement.alarming or _is_quiet(change, anomalies):
            continue
        anomalies.append(
            Anomaly(
                integration_id=integration_id,
                metric=Metric.FOLLOWERS,
                day=change.day,
                score=round(judgement.score, 2),
                observed=change.amount,
                expected=round(judgement.expected, 2),
                message=tell_change(
                    amount=change.amount,
                    before=change.before,
                    expected=judgement.expected,
                    on=change.day,
                    days=change.days,
                ),
            )
        )
    return anomalies


def judge_change(change: Change, earlier: Sequence[Change]) -> Judgement | None:
    """A change against those of the four weeks before it; None with too little to judge by."""
    rates = np.array(
        [
            past.amount / past.days
            for past in earlier
            if change.since - past.until < _BASELINE
            and _SHORTEST_DAYS <= past.days <= _LONGEST_DAYS
        ]
    )
    if len(rates) < _LEAST_CHANGES or change.days > _LONGEST_DAYS:
        return None
    usual = float(np.median(rates))
    expected = usual * change.days
    away = change.amount - expected
    # Each side by its own: many come at once more often than many go.
    outward = (rates - usual) * (1 if away > 0 else -1)
    spread = max(
        _MAD_TO_SIGMA * float(np.median(outward[outward >= 0])),
        _Q90_TO_SIGMA * max(float(np.quantile(outward, 0.9)), 0.0),
    )
    floor = 1 + (_FLOOR_SHARE * change.before) ** 2
    scale = float(np.sqrt(max(spread**2, abs(usual)) + floor)) * max(change.days, 1.0) ** 0.5
    score = away / scale
    if change.amount < 0:
        alarming = score <= -_LOSS_SCORE
    else:
        alarming = score >= _GAIN_SCORE and _gain_ratio_score(change, rates) >= _GAIN_RATIO_SCORE
    return Judgement(expected, score, alarming)


def _gain_ratio_score(change: Change, rates: NDArray[np.float64]) -> float:
    logs = np.log1p(np.maximum(rates, 0))
    usual = float(np.median(logs))
    spread = _MAD_TO_SIGMA * float(np.median(np.abs(logs - usual)))
    scale = np.sqrt(spread**2 + 0.05**2 + 1 / (max(float(np.median(rates)), 0.0) + 1))
    gained = max(change.amount, 0.0) / max(change.days, 1.0)
    return float((np.log1p(gained) - usual) / scale)


def _is_quiet(change: Change, anomalies: Sequence[Anomaly]) -> bool:
    gained = change.amount > 0
    return any(
        (anomaly.observed > 0) == gained and change.day - anomaly.day < _QUIET
        for anomaly in anomalies
    )
