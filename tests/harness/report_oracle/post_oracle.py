"""Computes the figures of single posts, of groups of posts, and of posts at an age."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import fmean, median
from typing import Any, Final

import numpy as np

from harness.report_oracle.oracle import METRICS, Period, Subject, Tables, Value, divide

HISTORY_DAYS: Final = 90
_STANDING_DAYS: Final = 7
_FINAL_DAYS: Final = 28
_MIN_COMPARED: Final = 5
_DAY: Final = timedelta(days=1)
#: A value is interpolated only between snapshots that are at most this far apart.
_LONGEST_STEP: Final = timedelta(hours=48)
_MIN_EFFECT_POSTS: Final = 20
_POSTS_PER_STRATUM: Final = 40
_URL: Final = re.compile(r"https?://\S+")


@dataclass
class OraclePost:
    """A post with its parts and their snapshots."""

    post_id: int
    account: int
    parts: list[dict[str, Any]]
    series: dict[int, list[dict[str, Any]]] = field(default_factory=dict)

    @property
    def sent_at(self) -> datetime:
        """When the first part was sent."""
        at: datetime = self.parts[0]["sent_at"]
        return at

    @property
    def is_reply(self) -> bool:
        """Whether the first part is a reply."""
        return bool(self.parts[0]["is_reply"])

    def groups(self) -> dict[str, str]:
        """Return the group of the post in each dimension."""
        kinds = {kind for part in self.parts for kind in part["media"]}
        media = next((kind for kind in ("video", "gif", "image") if kind in kinds), None)
        return {
            "type": self._type(media),
            "length": _length_group(sum(weigh(part["text"]) for part in self.parts)),
            "link": self._having("link", lambda text: _URL.search(text) is not None),
            "hashtag": self._having("hashtag", lambda text: "#books" in text),
            "media": media or "none",
        }

    def _having(self, name: str, holds: Callable[[str], bool]) -> str:
        return f"with{'' if any(holds(part['text']) for part in self.parts) else 'out'}_{name}"

    def _type(self, media: str | None) -> str:
        if len(self.parts) > 1:
            return "thread"
        if self.is_reply:
            return "reply"
        if any(part["is_quote"] for part in self.parts):
            return "quote"
        if any(part["has_poll"] for part in self.parts):
            return "poll"
        return media or "text"

    def value_at(self, metric: str, age: timedelta, *, first_only: bool = False) -> float | None:
        """Return the sum of the parts' values at an age, each interpolated."""
        parts = self.parts[:1] if first_only else self.parts
        values = [
            _interpolate(part["sent_at"], self.series.get(part["id"], []), metric, age)
            for part in parts
        ]
        known = [value for value in values if value is not None]
        return sum(known) if len(known) == len(values) else None


def weigh(text: str) -> int:
    """Return the length of a text as X counts it, for the texts of the planned worlds."""
    links = len(_URL.findall(text))
    rest = _URL.sub("", text)
    return 23 * links + sum(
        1 if ord(char) <= 4351 or 8192 <= ord(char) <= 8205 else 2 for char in rest
    )


def _length_group(length: int) -> str:
    bounds = ((70, "up_to_70"), (140, "71_to_140"), (280, "141_to_280"))
    return next((name for bound, name in bounds if length <= bound), "over_280")


def _interpolate(
    sent_at: datetime, rows: Sequence[Mapping[str, Any]], metric: str, age: timedelta
) -> float | None:
    """Interpolate a metric at an age between the snapshots before and after.

    The metric is 0 when the part is sent. It is not known after the last snapshot.
    """
    known = [(row["at"] - sent_at, row[metric]) for row in rows if row[metric] is not None]
    points = [(timedelta(0), 0), *known]
    for (before, low), (after, high) in pairwise(points):
        if before <= age <= after and after - before <= _LONGEST_STEP:
            return float(low + (high - low) * ((age - before) / (after - before)))
    return None


def load_posts(tables: Tables, accounts: Sequence[int], period: Period) -> list[OraclePost]:
    """Return the posts with which those of a period are compared, and those of the period."""
    first = min(period.first, period.last - (HISTORY_DAYS - 1) * _DAY)
    rows = tables.fetch("history", accounts=list(accounts), first=first, last=period.last)
    posts: dict[int, OraclePost] = {}
    for row in rows:
        post = posts.setdefault(
            row["post_id"], OraclePost(row["post_id"], row["integration_id"], [])
        )
        post.parts.append(row)
    series: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in tables.fetch("series", parts=[row["id"] for row in rows], last=period.last):
        series[row["part_id"]].append(row)
    for post in posts.values():
        post.series = {part["id"]: series[part["id"]] for part in post.parts}
    return list(posts.values())


def compute_posts(
    tables: Tables, accounts: Sequence[int], period: Period, history: Sequence[OraclePost]
) -> dict[str, Value]:
    """Return the figures of the posts of a period by key."""
    figures: dict[str, Value] = {}
    by_id = {post.post_id: post for post in history}
    for row in tables.fetch_posts(accounts, period):
        key = f"post.{row['id']}"
        figures |= {f"{key}/{metric}@current": row[metric] for metric in METRICS}
        figures[f"{key}/parts@current"] = row["parts"]
        figures[f"{key}/rate@current"] = divide(row["engagements"], row["impressions"])
        post = by_id[row["id"]]
        rivals = [
            other
            for other in history
            if other is not post
            and other.account == post.account
            and other.is_reply == post.is_reply
        ]
        for name, value in _standing(tables, post, rivals, period).items():
            figures[f"{key}/standing.{name}@current"] = value
    return figures


def _standing(
    tables: Tables, post: OraclePost, rivals: Sequence[OraclePost], period: Period
) -> dict[str, Value]:
    age = next(
        (
            days
            for days in range(_STANDING_DAYS, 0, -1)
            if post.value_at("impressions", days * _DAY) is not None
        ),
        None,
    )
    if age is None:
        return {}
    figures: dict[str, Value] = {}
    for metric in METRICS:
        value = post.value_at(metric, age * _DAY)
        others = [other.value_at(metric, age * _DAY) for other in rivals]
        known = [other for other in others if other is not None]
        if metric == "impressions":
            figures["compared_posts"] = len(known)
        if value is None or len(known) < _MIN_COMPARED:
            continue
        usual = median(known)
        figures[metric] = value
        figures[f"{metric}.usual"] = usual
        figures[f"{metric}.factor"] = (value + 0.5) / (usual + 0.5)
    return figures


def compute_groups(
    tables: Tables, subject: Subject, period: Period, history: Sequence[OraclePost]
) -> dict[str, Value]:
    """Return the figures of the breakdowns, the hours and the decay curve, by name."""
    rows = tables.fetch_posts(subject.accounts, period)
    groups = {post.post_id: post.groups() for post in history}
    members: dict[str, list[dict[str, Any]]] = defaultdict(list)
    hours: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        for dimension, group in groups[row["id"]].items():
            members[f"{dimension}.{group}"].append(row)
        hours[f"hour.{row['weekday']}.{row['hour']:02}"].append(row)
    figures: dict[str, Value] = {}
    for name, posts in members.items():
        figures[f"{name}.posts"] = len(posts)
        for metric in ("impressions", "engagements"):
            known = _known(post[metric] for post in posts)
            figures[f"{name}.mean_{metric}"] = fmean(known) if known else None
            figures[f"{name}.median_{metric}"] = median(known) if known else None
        both = [p for p in posts if None not in (p["impressions"], p["engagements"])]
        figures[f"{name}.rate"] = divide(
            sum(p["engagements"] for p in both), sum(p["impressions"] for p in both)
        )
    for name, posts in hours.items():
        known = _known(post["impressions"] for post in posts)
        figures[f"{name}.posts"] = len(posts)
        figures[f"{name}.median_impressions"] = median(known) if known else None
    return figures | _decay(history)


def _known(values: Iterable[Any]) -> list[Any]:
    return [value for value in values if value is not None]


def _decay(history: Sequence[OraclePost]) -> dict[str, Value]:
    finals = {post.post_id: post.value_at("impressions", _FINAL_DAYS * _DAY) for post in history}
    figures: dict[str, Value] = {}
    measured = [post for post in history if finals[post.post_id]]
    figures["decay.posts"] = len(measured)
    for days in (1, 2, 3, 5, 7, 14, 21):
        shares = [
            value / final
            for post in measured
            if (value := post.value_at("impressions", days * _DAY)) is not None
            and (final := finals[post.post_id])
        ]
        if shares:
            figures[f"decay.{days}.share"] = median(shares)
    return figures


def compute_effects(published: Sequence[OraclePost]) -> dict[str, Value]:
    """Return the counts of compared posts and the Hodges-Lehmann estimates of the ratios.

    A post is compared with posts of the same stratum: successive posts, about forty in each.
    """
    values = [
        (post, value)
        for post in sorted(published, key=lambda each: each.sent_at)
        if not post.is_reply
        and (value := post.value_at("impressions", 2 * _DAY, first_only=True)) is not None
    ]
    logs = np.log1p(np.array([value for _, value in values], dtype=float))
    strata = np.empty(len(values), dtype=int)
    count = max(1, round(len(values) / _POSTS_PER_STRATUM))
    for number, indexes in enumerate(np.array_split(np.arange(len(values)), count)):
        strata[indexes] = number
    figures: dict[str, Value] = {}
    for name in ("media", "video", "link", "hashtag", "thread", "long"):
        has = np.array([_has(post, name) for post, _ in values], dtype=bool)
        with_posts = int(has.sum())
        figures[f"effect.{name}.with_posts"] = with_posts
        figures[f"effect.{name}.without_posts"] = len(values) - with_posts
        pairs = (strata[:, None] == strata[None, :]) & has[:, None] & ~has[None, :]
        differences = (logs[:, None] - logs[None, :])[pairs]
        weights = np.broadcast_to(1 / (np.bincount(strata)[strata] + 1), pairs.shape)[pairs]
        is_enough = min(with_posts, len(values) - with_posts) >= _MIN_EFFECT_POSTS
        figures[f"effect.{name}.factor"] = (
            float(np.exp(_median(differences, weights))) if is_enough and len(differences) else None
        )
    return figures


def _median(values: np.ndarray, weights: np.ndarray) -> float:
    """Return the weighted median: of two middle values, their mean."""
    order = np.argsort(values)
    sums = np.cumsum(weights[order]) / weights.sum()
    low, high = (np.searchsorted(sums, half) for half in (0.5 - 1e-9, 0.5 + 1e-9))
    return float(values[order][low] + values[order][high]) / 2


def _has(post: OraclePost, name: str) -> bool:
    groups = post.groups()
    return {
        "media": groups["media"] != "none",
        "video": groups["media"] == "video",
        "link": groups["link"] == "with_link",
        "hashtag": groups["hashtag"] == "with_hashtag",
        "thread": len(post.parts) > 1,
        "long": groups["length"] in ("141_to_280", "over_280"),
    }[name]
