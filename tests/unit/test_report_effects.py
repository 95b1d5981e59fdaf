"""Comparisons of posts rarely claim an effect by chance, and usually find a large one."""

import numpy as np
import pytest

from harness.report_world import measure_effects
from roost.insights.reports.effects import MIN_POSTS, compare_posts
from roost.insights.reports.model import EffectName, Verdict


def test_effects_are_rarely_claimed_by_chance_and_large_ones_are_found() -> None:
    # `bench/report_effects.py` measures 1,000 accounts. Of 150 accounts, 12 false claims are less
    # probable than 1 % if the share is 4 %, and 105 found effects if the power is 0.8.
    counts = measure_effects(accounts=150, seed=5)
    assert counts.with_false_claim <= 12
    assert counts.found >= 105


@pytest.mark.parametrize("smaller", [MIN_POSTS - 1, MIN_POSTS])
def test_effect_needs_enough_posts_in_the_smaller_group(smaller: int) -> None:
    flags = [n < smaller for n in range(90)]
    order = np.random.default_rng(1).permutation(90)
    (found,) = compare_posts(
        [100.0 + n for n in order], {EffectName.VIDEO: [flags[n] for n in order]}
    )
    assert (found.with_posts, found.without_posts) == (smaller, 90 - smaller)
    assert (found.verdict is Verdict.TOO_FEW_POSTS) == (smaller < MIN_POSTS)
    assert (found.factor is None) == (smaller < MIN_POSTS)


def test_effect_has_a_factor_inside_its_interval() -> None:
    chance = np.random.default_rng(2)
    has = chance.uniform(size=400) < 0.5
    impressions = np.exp(6 + chance.normal(0, 0.5, 400) + np.log(3) * has)
    (found,) = compare_posts([float(i) for i in impressions], {EffectName.LINK: has.tolist()})
    assert found.verdict is Verdict.MORE
    assert found.factor == pytest.approx(3, rel=0.25)
    assert found.factor is not None
    assert found.low is not None
    assert found.high is not None
    assert 1 < found.low < found.factor < found.high


def test_effect_of_a_viral_post_is_not_claimed() -> None:
    chance = np.random.default_rng(3)
    impressions = np.exp(6 + chance.normal(0, 0.5, 120))
    has = chance.permutation([True] * 40 + [False] * 80)
    impressions[np.flatnonzero(has)[0]] *= 10_000
    (found,) = compare_posts([float(i) for i in impressions], {EffectName.MEDIA: has.tolist()})
    assert impressions[has].mean() > 100 * impressions[~has].mean()
    assert found.verdict is Verdict.NO_CLAIM


def test_growth_with_a_change_of_habits_is_no_effect() -> None:
    # The account grows tenfold, and publishes videos in the second half only.
    chance = np.random.default_rng(4)
    at = np.linspace(0, 1, 240)
    impressions = np.exp(5 + np.log(10) * at + chance.normal(0, 0.4, 240))
    has = chance.uniform(size=240) < np.where(at < 0.5, 0.1, 0.9)
    (found,) = compare_posts([float(i) for i in impressions], {EffectName.VIDEO: has.tolist()})
    assert found.verdict is Verdict.NO_CLAIM


def test_property_that_every_later_post_has_is_not_judged() -> None:
    # No block of successive posts has both kinds, so nothing can be compared.
    flags = [n >= 40 for n in range(80)]
    (found,) = compare_posts([float(n) for n in range(80)], {EffectName.LONG: flags})
    assert found.verdict is Verdict.TOO_FEW_POSTS


def test_equal_impressions_are_no_effect() -> None:
    flags = [n % 2 == 0 for n in range(100)]
    (found,) = compare_posts([7.0] * 100, {EffectName.HASHTAG: flags})
    assert (found.verdict, found.factor) == (Verdict.NO_CLAIM, 1.0)


def test_more_comparisons_widen_the_interval() -> None:
    chance = np.random.default_rng(6)
    impressions = [float(i) for i in np.exp(6 + chance.normal(0, 0.7, 200))]
    flags = {name: (chance.uniform(size=200) < 0.4).tolist() for name in EffectName}
    alone = compare_posts(impressions, {EffectName.LINK: flags[EffectName.LINK]})[0]
    together = {each.name: each for each in compare_posts(impressions, flags)}[EffectName.LINK]
    assert alone.low is not None
    assert together.low is not None
    assert alone.high is not None
    assert together.high is not None
    assert together.low < alone.low
    assert together.high > alone.high
    assert together.factor == alone.factor


def test_comparison_without_posts_says_so() -> None:
    found = compare_posts([], {name: [] for name in EffectName})
    assert {each.verdict for each in found} == {Verdict.TOO_FEW_POSTS}


def test_effect_factor_is_the_mean_of_the_two_middle_differences_of_an_even_number() -> None:
    # Of 20 by 22 pairs, one half has the ratio 2, and the other half the ratio 8.
    has = [n % 2 == 0 for n in range(40)] + [False, False]
    impressions = [7.0 if flag else (3.0 if n % 4 == 1 else 0.0) for n, flag in enumerate(has)]
    impressions[-2:] = [3.0, 0.0]
    (found,) = compare_posts(impressions, {EffectName.LINK: has})
    assert (found.with_posts, found.without_posts) == (20, 22)
    assert found.factor == pytest.approx(4)
