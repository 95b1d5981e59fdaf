"""The content of a report as typed data, independent of its language and its form.

Every number that a report prints is the value of a `Figure`, and `Report.figures` finds each figure
by its key. The exceptions are page numbers, dates, the ticks of axes and the ends of intervals.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cached_property
from typing import Any

from roost.insights.reports.figures import ComparedFigure, Definition, Figure
from roost.insights.reports.periods import ReportPeriods
from roost.models import Anomaly, IntegrationId, Metric, PostId, TweetId


class SubjectKind(StrEnum):
    """Whether a part of a report is about one account, a group, or all accounts."""

    ACCOUNT = "account"
    GROUP = "group"
    TENANT = "tenant"


@dataclass(frozen=True, slots=True)
class Subject:
    """What a part of a report is about: an account, a named group, or a tenant's accounts."""

    key: str
    """The first part of the keys of the subject's figures, such as `account.17`."""
    kind: SubjectKind
    name: str
    username: str | None
    """The account's username; None for several accounts."""
    accounts: tuple[IntegrationId, ...]


@dataclass(frozen=True, slots=True)
class Coverage:
    """What was measured in the current period, what is missing, and what was imported.

    The days are those of the tenant's time zone.
    """

    days: Figure
    """The number of days of the period."""
    closed_days: Figure
    """The number of days that are over, and whose closing snapshot has been due."""
    measured_days: Figure
    """The number of days with a closing snapshot of every account."""
    gap_days: tuple[date, ...]
    """Closed days without a closing snapshot of an account, or of a post that is read daily."""
    open_days: tuple[date, ...]
    """Days that are not over, or whose closing snapshot is not due yet."""
    imported_days: tuple[date, ...]
    posts: Figure
    """The number of posts that were published in the period."""
    measured_posts: Figure
    """The number of these posts whose metrics were read at least once."""
    next_read_at: datetime | None
    """When the metrics of the other posts are read; None if that is not known, or past."""


@dataclass(frozen=True, slots=True)
class Day:
    """One day of a subject: its followers and gains. A value that was not measured is None."""

    day: date
    is_open: bool
    followers: Figure
    """The number of followers at the end of the day."""
    follower_change: Figure
    impressions: Figure
    """The impressions gained on the day."""
    engagements: Figure


class PostType(StrEnum):
    """The type of a post. A post has the first type in this order that applies to it."""

    THREAD = "thread"
    """The post has more than one part on X."""
    REPLY = "reply"
    QUOTE = "quote"
    POLL = "poll"
    VIDEO = "video"
    GIF = "gif"
    IMAGE = "image"
    TEXT = "text"
    """The post has neither media nor a poll."""


class Dimension(StrEnum):
    """A property by which a report groups posts, such as the length of the text."""

    TYPE = "type"
    LENGTH = "length"
    LINK = "link"
    HASHTAG = "hashtag"
    MEDIA = "media"


@dataclass(frozen=True, slots=True)
class PostReason:
    """A metric that explains a post's rank: its value, and the usual one at the same age."""

    metric: Metric
    value: Figure
    usual: Figure
    """The median of the account's other posts at the same age."""
    factor: Figure
    """`value` divided by `usual`, both increased by one half because counts can be zero."""


@dataclass(frozen=True, slots=True)
class PostStanding:
    """How a post compares with the account's other posts at the same age."""

    age_days: int
    """The age of all compared values, in whole days."""
    compared_posts: Figure
    """The number of the other posts."""
    reasons: tuple[PostReason, ...]
    """The impressions first, then the other metrics, the largest deviation first."""

    @property
    def factor(self) -> Figure:
        """The post's impressions as a multiple of the usual impressions."""
        return self.reasons[0].factor


@dataclass(frozen=True, slots=True)
class ReportedPost:
    """One post of the period with its metrics at the end of the period. A thread is one post."""

    post_id: PostId
    account: IntegrationId
    username: str
    is_live: bool
    """Whether the post is on the real X, so that a link to it works."""
    first_tweet: TweetId
    sent_at: datetime
    """When the first part was sent."""
    read_at: datetime | None
    """The time of the latest snapshot of a part; None if no part was read."""
    text: str
    """The text of the first part."""
    type: PostType
    groups: Mapping[Dimension, str]
    """The group of the post in each dimension."""
    parts: Figure
    """The number of parts on X."""
    metrics: Mapping[Metric, Figure]
    """The sum over the parts; without a value if the metric of a part is not known."""
    rate: Figure
    """Engagements per impression."""
    standing: PostStanding | None
    """None if fewer than five other posts were measured at the same age."""


@dataclass(frozen=True, slots=True)
class BreakdownRow:
    """The number and the metrics of a group's posts, such as the posts with a video."""

    group: str
    posts: Figure
    impressions: Figure
    """The mean per post."""
    median_impressions: Figure
    engagements: Figure
    median_engagements: Figure
    rate: Figure
    """The engagements of the group's posts divided by their impressions."""


@dataclass(frozen=True, slots=True)
class Breakdown:
    """A table of the period's posts by one property. Each post counts in exactly one row."""

    dimension: Dimension
    rows: tuple[BreakdownRow, ...]
    """In the order of the groups' definition; groups without posts are left out."""


@dataclass(frozen=True, slots=True)
class HourCell:
    """The number and the median impressions of the posts of one hour of one weekday.

    The hour is that of the tenant's time zone.
    """

    weekday: int
    """0 is Monday."""
    hour: int
    posts: Figure
    median_impressions: Figure


@dataclass(frozen=True, slots=True)
class DecayPoint:
    """The median share of their final impressions that posts have reached at an age."""

    age_days: int
    share: Figure


@dataclass(frozen=True, slots=True)
class DecayCurve:
    """How the impressions of posts approach their final number as the posts get older."""

    final_age_days: int
    """The age at which the impressions count as final."""
    posts: Figure
    """The number of posts that were measured at this age."""
    points: tuple[DecayPoint, ...]
    """Empty if too few posts were measured."""


class EffectName(StrEnum):
    """A property by which a report compares posts: those that have it, and those that do not.

    There are no comparisons of quotes and polls. A comparison needs twenty posts with the property,
    and few accounts publish twenty quotes or polls in a period. Each further comparison would also
    widen the confidence intervals of the others.
    """

    MEDIA = "media"
    VIDEO = "video"
    LINK = "link"
    HASHTAG = "hashtag"
    THREAD = "thread"
    LONG = "long"
    """The text has more than 140 characters, as X counts them."""


class Verdict(StrEnum):
    """The conclusion that a comparison of posts allows."""

    MORE = "more"
    """Posts with the property earned more impressions."""
    LESS = "less"
    NO_CLAIM = "no_claim"
    """The difference may be chance."""
    TOO_FEW_POSTS = "too_few_posts"
    """There are not enough posts to say."""


@dataclass(frozen=True, slots=True)
class Effect:
    """The comparison of an account's posts that have a property with its other posts.

    The property need not be the cause of a difference, because the posts that have it may differ
    from the others in other ways as well.
    """

    name: EffectName
    verdict: Verdict
    with_posts: Figure
    """The number of compared posts with the property."""
    without_posts: Figure
    factor: Figure
    """How many times as many impressions a post with the property typically has (the Hodges-Lehmann
    estimate); without a value if there are too few posts."""
    low: float | None
    """The lower end of the interval of `factor`. All intervals of a subject together contain the
    right values with a probability of 95 %."""
    high: float | None


class StepCode(StrEnum):
    """The next steps that the rules of `next_steps` can propose."""

    COLLECT_METRICS = "collect_metrics"
    """Days of the period were not measured: find out why the worker did not run."""
    REVIEW_FAILURES = "review_failures"
    """Posts failed or were missed: look at their errors."""
    REVIEW_LATENESS = "review_lateness"
    """Posts were published late."""
    CHECK_ANOMALIES = "check_anomalies"
    """Anomalies were found in the period."""
    DO_MORE = "do_more"
    """Posts with a property earned more: publish more of them, and measure again."""
    DO_LESS = "do_less"
    """Posts with a property earned less."""
    COLLECT_MORE_POSTS = "collect_more_posts"
    """A comparison almost has enough posts."""
    REPEAT_BEST_POST = "repeat_best_post"
    """One post earned a multiple of the usual impressions: take up its subject again."""
    PUBLISH_MORE_OFTEN = "publish_more_often"
    """Fewer posts were published than before, and the gained impressions fell as well."""
    REVIEW_COST = "review_cost"
    """An engagement costs much more than before."""


@dataclass(frozen=True, slots=True)
class NextStep:
    """A proposal to the reader of a report, with the figures on which it is based."""

    subject: str
    """The key of the subject."""
    code: StepCode
    evidence: tuple[str, ...]
    """The keys of the figures on which the proposal is based."""
    effect: EffectName | None = None
    """The comparison that the proposal is about, if any."""
    post: PostId | None = None
    """The post that the proposal is about, if any."""


@dataclass(frozen=True, slots=True)
class SubjectReport:
    """The part of a report about one subject."""

    subject: Subject
    coverage: Coverage
    figures: Mapping[str, ComparedFigure]
    """The subject's figures by the names of their definitions, in the order of the glossary."""
    days: tuple[Day, ...]
    breakdowns: tuple[Breakdown, ...]
    hours: tuple[HourCell, ...]
    """The cells of the table of hours and weekdays that have posts."""
    decay: DecayCurve
    effects: tuple[Effect, ...]
    """Empty for a subject of several accounts, because accounts differ in size."""
    posts: tuple[ReportedPost, ...]
    """All posts of the period, newest first. A subject of several accounts has the posts of its
    accounts, with the same keys."""
    best: tuple[PostId, ...]
    """The posts with the highest factors of impressions above the usual, best first."""
    worst: tuple[PostId, ...]
    """The posts with the lowest factors below the usual, worst first."""
    anomalies: tuple[Anomaly, ...]
    """The anomalies of the period, oldest first."""
    next_steps: tuple[NextStep, ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing was measured, published, attempted or billed."""
        return not any(each.current.value for each in self.figures.values())


@dataclass(frozen=True)
class Report:
    """The content of a whole report, from which a document in one language is made."""

    tenant_name: str
    made_at: datetime
    periods: ReportPeriods
    subjects: tuple[SubjectReport, ...]
    """The tenant first, unless the report is about one account, then groups, then accounts."""
    glossary: tuple[Definition, ...]
    """The definitions of the figures of this report."""

    @cached_property
    def figures(self) -> Mapping[str, Figure]:
        """Every figure of the report by its key."""
        return {figure.key: figure for figure in find_figures(self.subjects)}

    def repeats_account(self, subject: SubjectReport) -> bool:
        """Whether a subject is the tenant of the report's only account."""
        kinds = [each.subject.kind for each in self.subjects]
        is_tenant = subject.subject.kind is SubjectKind.TENANT
        return is_tenant and kinds.count(SubjectKind.ACCOUNT) == 1

    @property
    def summarized_subjects(self) -> tuple[SubjectReport, ...]:
        """The subjects that have a summary of their own."""
        return tuple(
            each for each in self.subjects if not (each.is_empty or self.repeats_account(each))
        )


def find_figures(content: Any) -> Iterator[Figure]:
    """Yield every figure in a dataclass, tuple or mapping, at any depth."""
    if isinstance(content, Figure):
        yield content
    elif isinstance(content, tuple):
        for each in content:
            yield from find_figures(each)
    elif isinstance(content, Mapping):
        for each in content.values():
            yield from find_figures(each)
    else:
        for name in getattr(type(content), "__dataclass_fields__", ()):
            yield from find_figures(getattr(content, name))
