"""The routes of analytics and usage. Analytics are changes of a post's counts over time.

The requested period is divided into buckets. A bucket has the change of each count from the
beginning to the end of the bucket, so the buckets of a whole period add up to the post's counts. X
does not document the limits on the period, and the emulator has no limits. Counts that the module
`rules.metrics` does not model (shares, unfollows, app opens …) are 0.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, time, timedelta
from functools import partial
from typing import Any

from x_emulator import billing
from x_emulator.pipeline import Call
from x_emulator.responses import ApiResponse
from x_emulator.routes import serializers
from x_emulator.rules import metrics, refusals
from x_emulator.state import Media, Post, World

_ID = re.compile(r"[0-9]{1,19}")
_MEDIA_KEY = re.compile(r"[0-9]+_[0-9]+")
_STEPS = {"hourly": timedelta(hours=1), "daily": timedelta(days=1), "weekly": timedelta(days=7)}
#: Values that `….fields` parameters accept although they select no metric.
_POST_STRUCTURE = {"id", "timestamp", "timestamped_metrics"}
_MEDIA_STRUCTURE = {"media_key", "timestamp", "timestamped_metrics"}

#: Maps the name of a count in analytics to the name of the same count in `rules.metrics`.
_MODELLED = {
    "impressions": "impression_count",
    "likes": "like_count",
    "replies": "reply_count",
    "retweets": "retweet_count",
    "quote_tweets": "quote_count",
    "bookmarks": "bookmark_count",
    "url_clicks": "url_link_clicks",
    "user_profile_clicks": "user_profile_clicks",
    "detail_expands": "detail_expands",
}
_NOT_MODELLED = (
    *("app_install_attempts", "app_opens", "email_tweet", "follows", "hashtag_clicks"),
    *("permalink_clicks", "shares", "unfollows", "unlikes"),
)
POST_FIELDS = frozenset({*_MODELLED, *_NOT_MODELLED, "engagements", "media_views"})
MEDIA_FIELDS = frozenset(
    {
        *("cta_url_clicks", "cta_watch_clicks", "play_from_tap", "playback_start", "playback25"),
        *("playback50", "playback75", "playback_complete", "video_views", "watch_time_ms"),
    }
)

_DEFAULT_USAGE = {"project_cap", "project_id", "project_usage"}
#: The number of posts that a pay-per-use project may read in a month.
_PROJECT_CAP = 3_000_000

Counts = dict[str, int]


async def read_post_analytics(call: Call) -> ApiResponse:
    """`GET /2/tweets/analytics`: the counts of the user's own posts over time."""
    ids = _list(call, "ids", _ID)
    window = _Window(call, "total", ("hourly", "daily", "weekly", "total"))
    fields = _fields(call, "analytics.fields", POST_FIELDS, _POST_STRUCTURE)
    data: list[dict[str, Any]] = []
    errors: list[dict[str, Any]] = []
    for each in ids:
        post = call.world.find_post(each)
        if post is None:
            switches = call.world.switches
            errors.append(refusals.not_found(switches, "tweet", each, "ids", many=True))
        elif post.user_id != call.user.id:
            errors.append(refusals.not_visible(call.world.switches, "Tweet", each, "ids"))
        else:
            buckets = window.buckets(post, partial(_post_counts, call.world, post))
            data.append({"id": post.id, "timestamped_metrics": _to_json(buckets, fields)})
    usd = billing.charge_reads(
        call.world, call.client_id, "post", (each["id"] for each in data), call.at
    )
    return ApiResponse(200, _body(data, errors), usd=usd)


async def read_media_analytics(call: Call) -> ApiResponse:
    """`GET /2/media/analytics`: the counts of videos in the user's own posts over time."""
    keys = _list(call, "media_keys", _MEDIA_KEY)
    window = _Window(call, "daily", ("hourly", "daily", "total"))
    fields = _fields(call, "media_analytics.fields", MEDIA_FIELDS, _MEDIA_STRUCTURE)
    data: list[dict[str, Any]] = []
    errors: list[dict[str, Any]] = []
    for key in keys:
        media = call.world.media.get(key.partition("_")[2])
        posts = [] if media is None else _posts_with(call.world, media)
        if media is None or media.media_key != key or not posts:
            switches = call.world.switches
            errors.append(refusals.not_found(switches, "media", key, "media_keys", many=True))
        elif media.user_id != call.user.id:
            errors.append(refusals.not_visible(call.world.switches, "Media", key, "media_keys"))
        else:
            counts = partial(metrics.media_counts, call.world, posts[0], media.duration_ms)
            buckets = _to_json(window.buckets(posts[0], counts), fields)
            data.append({"media_key": key, "timestamped_metrics": buckets})
    return ApiResponse(200, _body(data, errors))


async def read_usage(call: Call) -> ApiResponse:
    """`GET /2/usage/tweets`: the number of posts that the app has read on each UTC day."""
    value = call.query.get("days", "7")
    days = int(value) if value.isascii() and value.isdigit() and len(value) < 3 else 0
    if not 1 <= days <= 90:
        raise _invalid(call, "days", value, "is not between 1 and 90")
    known = {"cap_reset_day", "daily_client_app_usage", "daily_project_usage"} | _DEFAULT_USAGE
    requested = _requested_names(call, "usage.fields")
    for each in sorted(requested - known):
        raise _invalid(call, "usage.fields", each, f"is not one of [{','.join(sorted(known))}]")
    app = call.caller.app
    read = Counter(
        day
        for client_id, kind, _, day in call.world.billed_reads
        if client_id == app.client_id and kind == "post"
    )
    dates = [(call.at - timedelta(days=back)).date().isoformat() for back in reversed(range(days))]
    daily = [{"date": f"{each}T00:00:00.000Z", "usage": str(read[each])} for each in dates]
    month = f"{call.at:%Y-%m}"
    usage: dict[str, Any] = {
        "cap_reset_day": 1,
        "project_cap": str(_PROJECT_CAP if app.post_cap is None else app.post_cap),
        "project_id": app.account_id,
        "project_usage": str(sum(n for day, n in read.items() if day.startswith(month))),
        "daily_project_usage": {"project_id": app.account_id, "usage": daily},
        "daily_client_app_usage": [
            {"client_app_id": app.client_id, "usage_result_count": len(daily), "usage": daily}
        ],
    }
    fields = requested or _DEFAULT_USAGE | {"cap_reset_day"}
    data = {name: each for name, each in usage.items() if name in fields}
    return ApiResponse(200, {"data": data})


class _Window:
    """The period that a request for analytics names, and its division into buckets."""

    def __init__(self, call: Call, default: str, known: tuple[str, ...]) -> None:
        self._now = call.at
        self._start, self._end = _time(call, "start_time"), _time(call, "end_time")
        if self._end <= self._start:
            raise _invalid(call, "end_time", call.query["end_time"], "is not after `start_time`")
        granularity = call.query.get("granularity", default)
        if granularity not in known:
            raise _invalid(call, "granularity", granularity, f"is not one of [{','.join(known)}]")
        self._step = _STEPS.get(granularity)

    def buckets(
        self, post: Post, counts: Callable[[datetime], Counts]
    ) -> Iterator[tuple[datetime, Counts]]:
        """Yield each bucket's beginning, and how much each count changed in the bucket.

        Buckets that end before the post's creation are left out.
        """
        end = min(self._end, self._now)
        begins = self._start
        if self._step is not None:
            begins = max(begins, min(post.created_at, end))
            begins = _floor(begins, self._step)
        before = counts(max(begins, self._start))
        while begins < end:
            ends = end if self._step is None else min(begins + self._step, end)
            after = counts(ends)
            yield begins, {name: after[name] - before[name] for name in after}
            begins, before = ends, after


def _floor(at: datetime, step: timedelta) -> datetime:
    """Return the beginning of the first bucket, given an instant in it.

    Hourly buckets begin on the hour. Daily and weekly buckets begin at midnight (UTC).
    """
    at = at.astimezone(UTC)
    if step < timedelta(days=1):
        return at.replace(minute=0, second=0, microsecond=0)
    return datetime.combine(at.date(), time(0), UTC)


def _post_counts(world: World, post: Post, at: datetime) -> Counts:
    counts = metrics.post_counts(world, post, at)
    modelled = {name: counts[source] for name, source in _MODELLED.items()}
    has_video = any(each.category != "tweet_image" for each in post.media)
    views = metrics.media_counts(world, post, 0, at)["video_views"] if has_video else 0
    totals = {
        "engagements": metrics.non_public_metrics(counts)["engagements"],
        "media_views": views,
    }
    return modelled | dict.fromkeys(_NOT_MODELLED, 0) | totals


def _to_json(
    buckets: Iterator[tuple[datetime, Counts]], fields: frozenset[str]
) -> list[dict[str, Any]]:
    return [
        {
            "timestamp": serializers.iso(begins),
            "metrics": {name: changes[name] for name in sorted(fields)},
        }
        for begins, changes in buckets
    ]


def _posts_with(world: World, media: Media) -> list[Post]:
    posts = (world.find_post(each) for each in media.attached_to)
    return [post for post in posts if post is not None]


def _body(data: list[dict[str, Any]], errors: list[dict[str, Any]]) -> dict[str, Any]:
    body: dict[str, Any] = {"data": data} if data else {}
    return body | ({"errors": errors} if errors else {})


def _list(call: Call, name: str, pattern: re.Pattern[str]) -> list[str]:
    value = call.query.get(name, "")
    values = value.split(",")
    if not all(pattern.fullmatch(each) for each in values):
        raise _invalid(call, name, value, "is not valid")
    if len(values) > 100:
        raise _invalid(call, name, value, "has more than 100 values")
    return list(dict.fromkeys(values))


def _requested_names(call: Call, parameter: str) -> set[str]:
    names = call.query[parameter].split(",") if parameter in call.query else []
    if len(set(names)) < len(names):
        raise _invalid(call, parameter, call.query[parameter], "contains the same value twice")
    return set(names)


def _fields(
    call: Call, parameter: str, metric_names: frozenset[str], structure: set[str]
) -> frozenset[str]:
    """Return the metrics to include: those that the request names, or all if it names none."""
    requested = _requested_names(call, parameter)
    for each in sorted(requested - metric_names - structure):
        known = ",".join(sorted(metric_names | structure))
        raise _invalid(call, parameter, each, f"is not one of [{known}]")
    return frozenset(requested & metric_names) or metric_names


def _time(call: Call, name: str) -> datetime:
    value = call.query.get(name, "")
    try:
        at = datetime.fromisoformat(value)
        if at.tzinfo is not None:
            return at.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise _invalid(call, name, value, "is not a valid RFC 3339 time")


def _invalid(call: Call, name: str, value: str, reason: str) -> refusals.Refusal:
    message = f"The `{name}` query parameter value [{value}] {reason}"
    return refusals.invalid_request(call.world.switches, name, value, message)
