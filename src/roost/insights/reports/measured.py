"""Arranges the snapshots of accounts and posts by day and age, to compute all figures."""

from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from zoneinfo import ZoneInfo

import numpy as np

from roost.insights.reports.gains import Gains, find_gains
from roost.insights.reports.model import Dimension, PostType
from roost.insights.reports.readings import (
    GAINED_METRICS,
    Floats,
    PostReadings,
    closing_values,
    read_posts,
)
from roost.insights.snapshots import metric_values
from roost.models import AccountRecords, IntegrationId, MediaKind, Metric, PostId, SentPart
from roost.text import LIMIT, counted_length, extract_entities

#: The groups into which each dimension divides posts, in the order in which a report lists them.
GROUPS = {
    Dimension.TYPE: tuple(post_type.value for post_type in PostType),
    Dimension.LENGTH: ("up_to_70", "71_to_140", "141_to_280", "over_280"),
    Dimension.LINK: ("with_link", "without_link"),
    Dimension.HASHTAG: ("with_hashtag", "without_hashtag"),
    Dimension.MEDIA: ("video", "gif", "image", "none"),
}
_MEDIA = (MediaKind.VIDEO, MediaKind.GIF, MediaKind.IMAGE)


@dataclass(frozen=True, eq=False)
class MeasuredPost:
    """A post on X with the snapshots of its parts. A thread is one post."""

    account: IntegrationId
    rows: tuple[int, ...]
    """The positions of its parts in `readings`, first part first; at least one."""
    readings: PostReadings

    @cached_property
    def parts(self) -> tuple[SentPart, ...]:
        """The parts that are on X, first part first."""
        return tuple(self.readings.parts[row] for row in self.rows)

    @property
    def post_id(self) -> PostId:
        """The id of the scheduled post to which all parts belong."""
        return self.parts[0].post_id

    @property
    def sent_at(self) -> datetime:
        """When the first part was sent."""
        return self.parts[0].sent_at

    @property
    def sent_day(self) -> date:
        """The day on which the first part was sent, in the time zone of the report."""
        return self.readings.sent_days[self.rows[0]]

    @property
    def is_reply(self) -> bool:
        """Whether the post replies to another post."""
        return self.parts[0].is_reply

    @cached_property
    def text_length(self) -> int:
        """The total number of characters of all parts, as X counts characters."""
        return sum(counted_length(each.text, LIMIT) for each in self.parts)

    @cached_property
    def groups(self) -> dict[Dimension, str]:
        """The post's group in each dimension, such as `with_link` in the dimension `link`."""
        entities = [extract_entities(each.text) for each in self.parts]
        has_link = any(each.urls for each in entities)
        has_hashtag = any(each.hashtags for each in entities)
        return {
            Dimension.TYPE: self.type.value,
            Dimension.LENGTH: _length_group(self.text_length),
            Dimension.LINK: "with_link" if has_link else "without_link",
            Dimension.HASHTAG: "with_hashtag" if has_hashtag else "without_hashtag",
            Dimension.MEDIA: self.media.value if self.media else "none",
        }

    @property
    def media(self) -> MediaKind | None:
        """The kind of the post's media; None if the post has no media.

        If the parts have media of several kinds, a video has priority over a GIF, and a GIF over an
        image.
        """
        kinds = {kind for each in self.parts for kind in each.media}
        return next((kind for kind in _MEDIA if kind in kinds), None)

    @property
    def type(self) -> PostType:
        """The type of the post: the first member of `PostType` that applies to the post."""
        first = self.parts[0]
        if len(self.parts) > 1:
            return PostType.THREAD
        if first.is_reply:
            return PostType.REPLY
        if first.is_quote:
            return PostType.QUOTE
        if first.has_poll:
            return PostType.POLL
        return PostType(self.media.value) if self.media else PostType.TEXT

    def total(self, metric: Metric, last_day: date) -> int | None:
        """Return the sum of a metric over all parts, as known at the end of `last_day`.

        Return None if the metric of any part is not known.
        """
        latest = self.readings.latest(metric, last_day)
        total = sum(latest[row] for row in self.rows)
        return None if np.isnan(total) else int(total)

    def read_at(self, last_day: date) -> datetime | None:
        """Return when a part was last read, as of the end of `last_day`; None if never."""
        reads = [self.readings.find_last_read(row, last_day) for row in self.rows]
        return max((at for at in reads if at is not None), default=None)

    def at_ages(self, metric: Metric, ages: tuple[int, ...], last_day: date) -> Floats:
        """Return the sum of a metric over all parts, at each of `ages` in days.

        Only the values known at the end of `last_day` are used. A sum is NaN if the value of any
        part is not known at this age.
        """
        found = self.readings.at_ages(metric, ages, last_day)
        return np.asarray(found[list(self.rows)].sum(axis=0), dtype=np.float64)


@dataclass(frozen=True, eq=False)
class MeasuredAccount:
    """An account with its posts, and with its gains and its followers by day."""

    records: AccountRecords
    zone: ZoneInfo
    posts: tuple[MeasuredPost, ...]
    """Oldest first."""
    gains: dict[Metric, Gains]
    """The gains of each metric."""
    paired_gains: Gains
    """The gains of impressions and engagements between snapshots that have both."""
    followers: dict[date, int]
    """The number of followers at the end of each measured day."""
    closed_until: date
    """The last day that is over, and whose closing snapshot has been due."""

    def published(self, first: date, last: date) -> list[MeasuredPost]:
        """Return the posts published from the day `first` to the day `last`, both included."""
        return [post for post in self.posts if first <= post.sent_day <= last]


def measure(records: AccountRecords, zone: ZoneInfo, closed_until: date) -> MeasuredAccount:
    """Arrange the records of an account by the days of a time zone.

    `closed_until` is the last day that is over, and whose closing snapshot has been due.
    """
    readings = read_posts(records, zone)
    by_post: dict[PostId, list[int]] = {}
    for row in sorted(range(len(readings.parts)), key=lambda row: readings.parts[row].position):
        by_post.setdefault(readings.parts[row].post_id, []).append(row)
    posts = [
        MeasuredPost(records.integration.id, tuple(rows), readings) for rows in by_post.values()
    ]
    followers = closing_values(metric_values(records.account, Metric.FOLLOWERS), zone)
    return MeasuredAccount(
        records,
        zone,
        tuple(sorted(posts, key=lambda post: (post.sent_at, post.post_id))),
        {
            metric: find_gains(readings, metric, closed_until=closed_until)
            for metric in GAINED_METRICS
        },
        find_gains(readings, Metric.IMPRESSIONS, Metric.ENGAGEMENTS, closed_until=closed_until),
        {day: int(value) for day, value in followers.items()},
        closed_until,
    )


def _length_group(length: int) -> str:
    limits = (70, 140, 280)
    position = next((n for n, limit in enumerate(limits) if length <= limit), len(limits))
    return GROUPS[Dimension.LENGTH][position]
