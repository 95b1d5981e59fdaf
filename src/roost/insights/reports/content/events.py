"""The sections about unusual days and next steps."""

from collections.abc import Mapping
from typing import Final

from roost.insights.reports.content.subject import SubjectContent
from roost.insights.reports.document import Inline, Items, Printed, Section, Text
from roost.insights.reports.figures import Figure
from roost.insights.reports.model import NextStep, StepCode, SubjectKind
from roost.models import Anomaly

#: The slots of a step's sentence, in the order of its evidence.
_SLOTS: Final[Mapping[StepCode, tuple[str, ...]]] = {
    StepCode.COLLECT_METRICS: ("measured", "closed"),
    StepCode.REVIEW_FAILURES: ("missed", "failed"),
    StepCode.REVIEW_LATENESS: ("late", "posts"),
    StepCode.DO_MORE: ("factor", "with_posts", "without_posts"),
    StepCode.DO_LESS: ("factor", "with_posts", "without_posts"),
    StepCode.COLLECT_MORE_POSTS: ("with_posts", "without_posts"),
    StepCode.REPEAT_BEST_POST: ("factor", "value", "usual"),
    StepCode.PUBLISH_MORE_OFTEN: ("frequency", "impressions"),
    StepCode.REVIEW_COST: ("change", "now", "earlier"),
}


def describe_anomalies(content: SubjectContent) -> Section:
    """Return the section about the days with an unusual change of followers."""
    anomalies = content.numbers.anomalies
    if not anomalies:
        return content.section("anomalies", content.paragraph("anomalies.none"))
    return content.section(
        "anomalies",
        content.note("anomalies.meaning"),
        *content.charts("anomalies"),
        Items(tuple(_describe_anomaly(content, each) for each in anomalies)),
    )


def describe_steps(content: SubjectContent) -> Section:
    """Return the section with the next steps, each with its evidence."""
    steps = content.numbers.next_steps
    if not steps:
        return content.section("steps", content.paragraph("steps.none"))
    items = tuple(_describe_step(content, each) for each in steps)
    return content.section("steps", Items(items, is_numbered=True))


def _describe_anomaly(content: SubjectContent, anomaly: Anomaly) -> Text:
    """Return the change of the account's followers on the day.

    An anomaly's day is a day in UTC. If the change of the same day in the tenant's time zone is not
    known, or has the other sign, the sentence has no number.
    """
    words = content.words
    account = content.account_names[anomaly.integration_id]
    values: dict[str, Inline | Text] = {"account": account, "day": words.day(anomaly.day)}
    key = "gain" if anomaly.observed > 0 else "loss"
    change = next(
        (
            day.follower_change
            for each in content.report.subjects
            if each.subject.kind is SubjectKind.ACCOUNT
            and each.subject.accounts == (anomaly.integration_id,)
            for day in each.days
            if day.day == anomaly.day
        ),
        None,
    )
    if change is None or float(change.value or 0) * anomaly.observed <= 0:
        return words.text(f"anomalies.{key}", **values)
    values["change"] = words.figure(change, signed=True)
    return words.text(f"anomalies.{key}_by", **values)


def _describe_step(content: SubjectContent, step: NextStep) -> Text:
    words = content.words
    figures = [content.report.figures[key] for key in step.evidence]
    if step.code is StepCode.CHECK_ANOMALIES:
        days = words.join(_list_changes(content, figures))
        return words.text(f"step.{step.code}", changes=days)
    printed = [_print_evidence(content, step, each) for each in figures]
    values: dict[str, Inline | Text] = dict(zip(_SLOTS[step.code], printed, strict=True))
    if step.effect is not None:
        for name in ("with", "without"):
            values[name] = words.say(f"effect.{step.effect}.{name}")
    if step.post is not None:
        post = next(each for each in content.numbers.posts if each.post_id == step.post)
        values["post"] = content.post(post, is_short=True)
        assert post.standing is not None, "only a post that was compared is proposed"
        values["after"] = words.say(f"age.after.{post.standing.age_days}")
    return words.text(f"step.{step.code}", **values)


def _list_changes(content: SubjectContent, figures: list[Figure]) -> list[Text]:
    words = content.words
    days = {each.follower_change.key: each.day for each in content.numbers.days}
    return [
        words.text(
            "step.change", change=words.figure(each, signed=True), day=words.day(days[each.key])
        )
        for each in figures
    ]


def _print_evidence(content: SubjectContent, step: NextStep, figure: Figure) -> Printed:
    return content.words.figure(figure, signed=figure.key.endswith(".change"))
