"""Compares posts that have a property with posts that do not, for six fixed properties.

Impressions of posts are heavy-tailed: a single viral post would decide a comparison of means. The
comparisons therefore use ranks (a Wilcoxon rank-sum test). Ranks are compared only within blocks of
successive posts, as van Elteren proposed ("On the combination of independent two-sample tests of
Wilcoxon", 1960), so that neither an account's growth nor a change of habits looks like an effect.

The impressions are shuffled among the posts of each block many times. If no property matters, every
such order is as probable as the real one, so the test needs no assumption about the distribution of
impressions. The largest statistic of all comparisons in each order gives one critical value, which
corrects for the number of comparisons (Westfall and Young, "Resampling-Based Multiple Testing",
1993). The intervals contain every ratio that the test with this critical value does not reject:
ratios, because logarithms of impressions are compared.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from roost.insights.reports.model import EffectName, Verdict

#: A comparison needs at least this many posts in each of its two groups.
MIN_POSTS: Final = 20
#: The probability that at least one of an account's comparisons claims a difference by chance. It
#: is lower than the 5 % that reports state, so that a count over 1,000 accounts stays below 5 %.
_ALPHA: Final = 0.03
_PERMUTATIONS: Final = 1999
#: About how many successive posts are in a block; the blocks are equally large.
_BLOCK_POSTS: Final = 40
#: The relative error of a sum of weights.
_TOLERANCE: Final = 1e-9
#: The seed of the permutations, so that a report that is made again says the same.
_SEED: Final = 17

_Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Difference:
    """The result of one comparison."""

    name: EffectName
    verdict: Verdict
    with_posts: int
    without_posts: int
    factor: float | None = None
    """The typical ratio of the impressions; None if there are too few posts."""
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, eq=False)
class _Block:
    """Successive posts: the logarithms of their impressions, and the weights of their ranks."""

    logs: _Floats
    scores: _Floats
    """The rank of each post less the mean rank, divided by the number of posts plus one."""
    weight: float
    """The weight of a pair of posts of the block."""
    flags: NDArray[np.bool_]
    """Whether each post (row) has each property (column)."""


def compare_posts(
    impressions: Sequence[float], properties: Mapping[EffectName, Sequence[bool]]
) -> list[Difference]:
    """Compare the impressions of posts by each property; the posts are sorted by time.

    All impressions are of the same age. The intervals of all comparisons together contain the right
    ratios with a probability of at least 95 %.
    """
    names = list(properties)
    flags = np.array([properties[name] for name in names], dtype=bool).reshape(len(names), -1).T
    counts = flags.sum(axis=0) if len(flags) else np.zeros(len(names), dtype=int)
    enough = [n for n, count in enumerate(counts) if min(count, len(flags) - count) >= MIN_POSTS]
    logs = np.log(np.asarray(impressions, dtype=np.float64) + 1)
    blocks = _make_blocks(logs, flags[:, enough]) if enough else []
    deviations = _deviations(blocks)
    critical = _critical_value(blocks, deviations) if enough else 0.0
    return [
        _compare(
            name,
            (int(counts[n]), len(flags) - int(counts[n])),
            blocks,
            (enough.index(n), critical * deviations[enough.index(n)]) if n in enough else None,
        )
        for n, name in enumerate(names)
    ]


def _make_blocks(logs: _Floats, flags: NDArray[np.bool_]) -> list[_Block]:
    number = max(round(len(logs) / _BLOCK_POSTS), 1)
    blocks = []
    for positions in np.array_split(np.arange(len(logs)), number):
        block = logs[positions]
        weight = 1 / (len(block) + 1)
        blocks.append(_Block(block, weight * _centred_ranks(block), weight, flags[positions]))
    return blocks


def _centred_ranks(values: _Floats) -> _Floats:
    """Return the ranks less their mean; equal values share the mean of their ranks."""
    below = (values[:, None] > values[None, :]).sum(axis=1)
    above = (values[:, None] < values[None, :]).sum(axis=1)
    return np.asarray((below - above) / 2, dtype=np.float64)


def _deviations(blocks: Sequence[_Block]) -> _Floats:
    """Return the standard deviation of each comparison's statistic over all permutations."""
    variances = [
        (block.scores**2).sum()
        / max(len(block.scores) - 1, 1)
        * block.flags.mean(axis=0)
        * (~block.flags).sum(axis=0)
        for block in blocks
    ]
    return np.asarray(np.sqrt(np.sum(variances, axis=0)), dtype=np.float64)


def _critical_value(blocks: Sequence[_Block], deviations: _Floats) -> float:
    """Return the value that the largest statistic exceeds with a probability of `_ALPHA`."""
    chance = np.random.default_rng(_SEED)
    statistics = np.zeros((_PERMUTATIONS, len(deviations)))
    for block in blocks:
        shuffled = chance.permuted(np.tile(block.scores, (_PERMUTATIONS, 1)), axis=1)
        statistics += shuffled @ block.flags.astype(np.float64)
    standardized = np.abs(statistics) / np.where(deviations > 0, deviations, np.inf)
    largest = np.sort(standardized.max(axis=1))
    # The real order is one more possible order, so the rank is taken among one more value.
    return float(largest[int(np.ceil((1 - _ALPHA) * (_PERMUTATIONS + 1))) - 1])


def _compare(
    name: EffectName,
    counts: tuple[int, int],
    blocks: Sequence[_Block],
    tested: tuple[int, float] | None,
) -> Difference:
    """Return the result of one comparison.

    `tested` has the comparison's column in `blocks`, and the largest statistic that may be chance;
    it is None if there are too few posts.
    """
    pairs = None if tested is None else _pair(blocks, tested[0])
    if tested is None or pairs is None:
        return Difference(name, Verdict.TOO_FEW_POSTS, *counts)
    column, margin = tested
    differences, weights = pairs
    middle = weights.sum() / 2
    cumulative = np.cumsum(weights)
    statistic = sum(float(block.scores @ block.flags[:, column]) for block in blocks)
    estimate = _find_median(differences, cumulative)
    low = _at_weight(differences, cumulative, middle - margin) if margin < middle else -np.inf
    high = _at_weight(differences, cumulative, middle + margin) if margin < middle else np.inf
    verdict = Verdict.NO_CLAIM
    if statistic > margin and low > 0:
        verdict = Verdict.MORE
    elif statistic < -margin and high < 0:
        verdict = Verdict.LESS
    factor, least, most = (float(np.exp(value)) for value in (estimate, low, high))
    return Difference(name, verdict, *counts, factor, least, most)


def _pair(blocks: Sequence[_Block], column: int) -> tuple[_Floats, _Floats] | None:
    """Return the difference of each pair of posts with and without a property, and its weight.

    The differences are sorted. Only posts of the same block make pairs; None if there is no pair.
    """
    differences, weights = [], []
    for block in blocks:
        has = block.flags[:, column]
        pairs = (block.logs[has][:, None] - block.logs[~has][None, :]).ravel()
        differences.append(pairs)
        weights.append(np.full(len(pairs), block.weight))
    all_differences, all_weights = np.concatenate(differences), np.concatenate(weights)
    if not len(all_differences):
        return None
    order = np.argsort(all_differences, kind="stable")
    return all_differences[order], all_weights[order]


def _find_median(differences: _Floats, cumulative: _Floats) -> float:
    """Return the weighted median: of two middle differences, their mean.

    The sums of weights are inexact, so a sum that is close to one half counts as one half.
    """
    middle = cumulative[-1] / 2
    low = _at_weight(differences, cumulative, middle * (1 - _TOLERANCE))
    high = _at_weight(differences, cumulative, middle * (1 + _TOLERANCE))
    return (low + high) / 2


def _at_weight(differences: _Floats, cumulative: _Floats, weight: float) -> float:
    """Return the first difference at which the cumulative weight reaches `weight`."""
    position = int(np.searchsorted(cumulative, weight))
    return float(differences[min(position, len(differences) - 1)])
