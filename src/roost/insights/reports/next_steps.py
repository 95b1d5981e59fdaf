"""Rules that derive next steps, with their evidence, from the figures of a report."""

from collections.abc import Iterator
from typing import Final

from roost.insights.reports.effects import MIN_POSTS
from roost.insights.reports.figures import Figure, Quality
from roost.insights.reports.model import (
    NextStep,
    StepCode,
    SubjectKind,
    SubjectReport,
    Verdict,
)

#: The largest shares for which no step is proposed: of gaps among the closed days, and of late
#: posts among all posts.
_TOLERATED_GAPS: Final = 0.1
_TOLERATED_LATE: Final = 0.05
#: A step proposes to take up a post's subject again if the post has at least this many times the
#: usual impressions.
_OUTSTANDING_FACTOR: Final = 3.0
#: A comparison almost has enough posts if the smaller group has at least this many.
_ALMOST_ENOUGH_POSTS: Final = MIN_POSTS // 2
#: The smallest relative changes that lead to a proposal: a fall of the posts per week, a fall of
#: the impressions, and a rise of the cost per engagement.
_FREQUENCY_FALL: Final = -0.3
_IMPRESSIONS_FALL: Final = -0.2
_COST_RISE: Final = 0.5


def derive_next_steps(report: SubjectReport) -> tuple[NextStep, ...]:
    """Return the proposals of all rules that apply, the most pressing first.

    The rules about anomalies, single posts and comparisons of posts apply only if the subject is
    one account.
    """
    rules = [_collect_metrics, _review_outcomes]
    if report.subject.kind is SubjectKind.ACCOUNT:
        rules += [_check_anomalies, _judge_effects, _repeat_best_post]
    rules += [_publish_more_often, _review_cost]
    return tuple(step for rule in rules for step in rule(report))


def _collect_metrics(report: SubjectReport) -> Iterator[NextStep]:
    coverage = report.coverage
    if len(coverage.gap_days) > _TOLERATED_GAPS * float(coverage.closed_days.value or 0):
        evidence = (coverage.measured_days, coverage.closed_days)
        yield _step(report, StepCode.COLLECT_METRICS, *evidence)


def _review_outcomes(report: SubjectReport) -> Iterator[NextStep]:
    missed, failed, late, posts = (
        report.figures[f"activity.{name}"].current for name in ("missed", "failed", "late", "posts")
    )
    if missed.value or failed.value:
        yield _step(report, StepCode.REVIEW_FAILURES, missed, failed)
    if late.value and float(late.value) > _TOLERATED_LATE * float(posts.value or 0):
        yield _step(report, StepCode.REVIEW_LATENESS, late, posts)


def _check_anomalies(report: SubjectReport) -> Iterator[NextStep]:
    anomalous = {anomaly.day for anomaly in report.anomalies}
    evidence = [day.follower_change for day in report.days if day.day in anomalous]
    if evidence:
        yield _step(report, StepCode.CHECK_ANOMALIES, *evidence)


def _judge_effects(report: SubjectReport) -> Iterator[NextStep]:
    codes = {Verdict.MORE: StepCode.DO_MORE, Verdict.LESS: StepCode.DO_LESS}
    for effect in report.effects:
        counts = (effect.with_posts, effect.without_posts)
        if effect.verdict in codes:
            evidence = tuple(figure.key for figure in (effect.factor, *counts))
            code = codes[effect.verdict]
            yield NextStep(report.subject.key, code, evidence, effect=effect.name)
        elif (
            effect.verdict is Verdict.TOO_FEW_POSTS
            and min(float(count.value or 0) for count in counts) >= _ALMOST_ENOUGH_POSTS
        ):
            evidence = tuple(figure.key for figure in counts)
            code = StepCode.COLLECT_MORE_POSTS
            yield NextStep(report.subject.key, code, evidence, effect=effect.name)


def _repeat_best_post(report: SubjectReport) -> Iterator[NextStep]:
    best = next((post for post in report.posts if post.post_id in report.best[:1]), None)
    if best is None or best.standing is None:
        return
    if float(best.standing.factor.value or 0) >= _OUTSTANDING_FACTOR:
        reason = best.standing.reasons[0]
        evidence = (reason.factor.key, reason.value.key, reason.usual.key)
        code = StepCode.REPEAT_BEST_POST
        yield NextStep(report.subject.key, code, evidence, post=best.post_id)


def _publish_more_often(report: SubjectReport) -> Iterator[NextStep]:
    frequency = report.figures["activity.posts_per_week"].previous
    impressions = report.figures["gained.impressions"].previous
    if frequency is None or impressions is None:
        return
    if (
        _known_change(frequency.change) <= _FREQUENCY_FALL
        and _known_change(impressions.change) <= _IMPRESSIONS_FALL
    ):
        evidence = (frequency.change, impressions.change)
        yield _step(report, StepCode.PUBLISH_MORE_OFTEN, *evidence)


def _review_cost(report: SubjectReport) -> Iterator[NextStep]:
    cost = report.figures["spent.per_engagement"].previous
    if cost is not None and _known_change(cost.change) >= _COST_RISE:
        yield _step(report, StepCode.REVIEW_COST, cost.change, cost.now, cost.earlier)


def _known_change(change: Figure) -> float:
    """Return a relative change; zero if a compared figure was not completely measured."""
    is_known = change.quality is Quality.MEASURED and change.value is not None
    return float(change.value or 0) if is_known else 0.0


def _step(report: SubjectReport, code: StepCode, *evidence: Figure) -> NextStep:
    return NextStep(report.subject.key, code, tuple(figure.key for figure in evidence))
