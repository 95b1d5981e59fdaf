"""Metrics of posts and accounts, computed only from seed, time, and post or account.

The functions keep no running totals, so one jump of thirty days gives the same result as 720 jumps
of an hour. A like, repost, reply or quote by an emulated account counts from its own instant on.

**A post** finally reaches a share of the followers that its author has at the moment of posting.
This number is multiplied by a random factor (log-normal) and by factors for format, weekday, hour
and the scenario's interest at that time. Views grow along a log-logistic curve with a half-life of
about 80 minutes, and almost stop after a day, as Pfeffer, Matter and Sargsyan measured ("The
Half-Life of a Tweet", ICWSM 2023). Likes, replies and clicks are rare among viewers (Poisson counts
around random rates), and grow in proportion to the views.

**An account** gains and loses followers every day. Both counts are random around a mean for the
weekday, over-dispersed by a log-normal factor. The gains and losses are spread over the day in
proportion to the number of people awake. The changes of the scenario are added.
"""

import math
from datetime import date, datetime, timedelta

from x_emulator.scenarios.scenario import PopularPost, ViralPost
from x_emulator.seeded_random import lognormal, poisson, uniforms
from x_emulator.state import Post, Reactions, User, World

#: Relative activity by weekday, Monday first: higher during the week than at the weekend.
_WEEKDAY = (1.02, 1.06, 1.07, 1.04, 0.99, 0.90, 0.92)
#: Relative activity by hour of the day in UTC, for an audience in Europe and the Americas.
_HOUR = (
    *(0.80, 0.70, 0.60, 0.55, 0.55, 0.60, 0.75, 0.90, 1.00, 1.05, 1.05, 1.10),
    *(1.15, 1.20, 1.25, 1.25, 1.25, 1.25, 1.25, 1.25, 1.20, 1.15, 1.10, 1.00),
)
_BY_HOUR = [sum(_HOUR[:hour]) / sum(_HOUR) for hour in range(25)]

_HALF_LIFE = 80 * 60.0
_SHAPE = 1.1

#: The median reach of a post: `_STRANGERS` views by people who are not followers, and views by the
#: share `_REACH` of the followers.
_STRANGERS = 25.0
_REACH = 0.16
_FORMAT = {"tweet_image": 1.15, "tweet_gif": 1.10, "tweet_video": 1.25, "amplify_video": 1.25}
#: Factor of reach for a post with a link: X shows posts with links to other sites to fewer people.
_LINK = 0.65
#: Factor of reach for a reply: only people who continue to read see a later part of a thread.
_REPLY = 0.30

#: Video views per hundred impressions of a post with a video.
_VIDEO_VIEWS = 30

#: The median share of viewers who engage, by kind of engagement.
_RATES = {
    "like_count": 0.013,
    "reply_count": 0.0012,
    "retweet_count": 0.0016,
    "quote_count": 0.0003,
    "bookmark_count": 0.0011,
    "url_link_clicks": 0.011,
    "user_profile_clicks": 0.0045,
    "detail_expands": 0.018,
}
_LINK_CLICKS = list(_RATES).index("url_link_clicks")
#: The names of all counts of a post.
NAMES = ("impression_count", *_RATES)


def post_counts(world: World, post: Post, at: datetime) -> dict[str, int]:
    """Return all counts of a post at an instant."""
    half_life, *totals = _outcome_of(world, post)
    share = _share_reached(world, post, half_life, at)
    modelled = dict(zip(NAMES, [int(total * share) for total in totals], strict=True))
    reactions = world.reactions.get(post.id)
    return modelled if reactions is None else _with_reactions(modelled, reactions, at)


def _with_reactions(modelled: dict[str, int], reactions: Reactions, at: datetime) -> dict[str, int]:
    """Add the reactions of emulated accounts; each account that reacted also adds one view."""
    responses = [each for each in (*reactions.replies, *reactions.quotes) if each.created_at <= at]
    viewers = {each.user_id for each in responses}
    for toggles in (reactions.likes, reactions.reposts):
        viewers |= {user_id for user_id, instants in toggles.items() if instants[0] <= at}
    added = {
        "impression_count": len(viewers),
        "like_count": len(active_users(reactions.likes, at)),
        "retweet_count": len(active_users(reactions.reposts, at)),
        "reply_count": sum(_exists(each, at) for each in reactions.replies),
        "quote_count": sum(_exists(each, at) for each in reactions.quotes),
    }
    return {name: count + added.get(name, 0) for name, count in modelled.items()}


def active_users(toggles: dict[str, list[datetime]], at: datetime) -> list[str]:
    """List the users whose like or repost is active at an instant.

    `toggles` has the instants at which each user alternately liked and unliked, so a like is active
    after an odd number of instants.
    """
    return [
        user_id for user_id, instants in toggles.items() if sum(each <= at for each in instants) % 2
    ]


def _exists(post: Post, at: datetime) -> bool:
    return post.created_at <= at and (post.deleted_at is None or at < post.deleted_at)


def _outcome_of(world: World, post: Post) -> tuple[float, ...]:
    if post.outcome is None:
        post.outcome = _draw_outcome(world, post)
    return post.outcome


def _share_reached(world: World, post: Post, half_life: float, at: datetime) -> float:
    """Return the share (0 to 1) of a post's final counts that the post has at an instant.

    The share depends on the post's age, which does not include the duration of outages.
    """
    age = (at - post.created_at).total_seconds()
    for outage in world.scenario.outages:
        begins = max(post.created_at, outage.begins(world.started_at))
        ends = min(at, outage.ends(world.started_at))
        age -= max(0.0, (ends - begins).total_seconds())
    return 0.0 if age <= 0 else 1.0 / (1.0 + (half_life / age) ** _SHAPE)


def _draw_outcome(world: World, post: Post) -> tuple[float, ...]:
    """Draw a post's final counts, and how fast the post reaches them.

    Returns the half-life, which is the seconds until half of each final count is reached, and then
    the final counts in order of `NAMES`.
    """
    author = world.users[post.user_id]
    at = post.created_at
    reach = _STRANGERS + _REACH * follower_count(world, author, at)
    reach *= _WEEKDAY[at.weekday()] * (0.5 + 0.5 * _HOUR[at.hour])
    reach *= max((_FORMAT.get(each.category, 1.0) for each in post.media), default=1.0)
    reach *= (_LINK if post.has_link else 1.0) * (_REPLY if post.reply_to else 1.0)
    for change in world.scenario.reach_changes:
        if change.affects(world.started_at, author.index, at):
            reach *= change.factor
    for curve in world.scenario.interest_curves:
        if curve.account == author.index:
            reach *= curve.factor(world.started_at, at)
    drawn = uniforms(world.seed, author.username, post.ordinal)
    half_life = _HALF_LIFE * lognormal(0.35, drawn[0])
    for viral in world.scenario.viral_posts:
        if find_first_post(world, viral) is post:
            reach *= viral.factor
            half_life *= viral.half_life_factor
    luck = drawn[1]
    for popular in world.scenario.popular_posts:
        if find_first_post(world, popular) is post:
            luck = popular.luck
    views = round(reach * lognormal(0.7, luck))
    totals = [
        min(views, poisson(views * rate * lognormal(0.4, rate_draw), count_draw))
        for rate, rate_draw, count_draw in zip(
            _RATES.values(), drawn[2::2], drawn[3::2], strict=False
        )
    ]
    if not post.has_link:
        totals[_LINK_CLICKS] = 0
    return (half_life, views, *totals)


def public_metrics(counts: dict[str, int]) -> dict[str, int]:
    """Return the metrics of a post that everyone may see."""
    names = ("retweet_count", "reply_count", "like_count", "quote_count", "bookmark_count")
    return {name: counts[name] for name in (*names, "impression_count")}


def non_public_metrics(counts: dict[str, int]) -> dict[str, int]:
    """Return the metrics of a post that only the author may see, for 30 days.

    Engagements are the sum of all counts except impressions and bookmarks.
    """
    engagements = sum(counts.values()) - counts["impression_count"] - counts["bookmark_count"]
    names = ("impression_count", "url_link_clicks", "user_profile_clicks")
    return {name: counts[name] for name in names} | {"engagements": engagements}


def organic_metrics(counts: dict[str, int]) -> dict[str, int]:
    """Return the metrics without views through advertising. The emulator has no advertising."""
    names = ("impression_count", "like_count", "reply_count", "retweet_count")
    return {name: counts[name] for name in (*names, "url_link_clicks", "user_profile_clicks")}


def media_counts(world: World, post: Post, duration_ms: int, at: datetime) -> dict[str, int]:
    """Return the counts of a post's video at an instant.

    The number of viewers decreases with each quarter of the video.
    """
    views = post_counts(world, post, at)["impression_count"]
    starts = views * 45 // 100
    drawn = uniforms(world.seed, "video", post.user_id, post.ordinal)[0]
    stays = 0.45 + 0.4 * drawn
    return {
        "video_views": views * _VIDEO_VIEWS // 100,
        "playback_start": starts,
        "playback25": int(starts * stays),
        "playback50": int(starts * stays**1.6),
        "playback75": int(starts * stays**2.1),
        "playback_complete": int(starts * stays**2.5),
        "play_from_tap": views // 25,
        "watch_time_ms": int(starts * duration_ms * stays / 2),
        "cta_url_clicks": 0,
        "cta_watch_clicks": 0,
    }


def follower_count(world: World, user: User, at: datetime) -> int:
    """Return the number of followers of an account at an instant."""
    if user.flow_before is None:
        user.flow_before = _flow_until(world, user, user.since)
    flow_before, lost = user.flow_before, 0
    for change in world.scenario.follower_changes:
        instant = change.at(world.started_at)
        if change.account == user.index and user.since < instant <= at:
            before = user.followers + _flow_until(world, user, instant) - flow_before - lost
            lost += int(round(change.share * before) * change.progress(world.started_at, at))
    for viral in world.scenario.viral_posts:
        post = find_first_post(world, viral) if viral.account == user.index else None
        if post is not None and at > post.created_at:
            gained = viral.new_followers * follower_count(world, user, post.created_at)
            lost -= int(gained * _share_reached(world, post, _outcome_of(world, post)[0], at))
    return max(0, user.followers + _flow_until(world, user, at) - flow_before - lost)


def find_first_post(world: World, event: ViralPost | PopularPost) -> Post | None:
    """Return the post that goes viral or becomes popular; None if it has not been made."""
    earliest = event.earliest(world.started_at)
    for user in world.users.values():
        if user.index == event.account:
            return next((p for p in world.posts_of[user.id] if p.created_at >= earliest), None)
    return None


def following_count(user: User, at: datetime) -> int:
    """Return the number of accounts that a user follows, which grows by one every nine days."""
    return user.following + max(0, (at - user.since).days) // 9


def _flow_until(world: World, user: User, at: datetime) -> int:
    """Return the net change of followers since the midnight (UTC) that begins the first day.

    The first day is the day of `user.since`.
    """
    days = (at.date() - user.since.date()).days
    while len(user.flows) <= days:
        before = sum(user.flows[-1]) if user.flows else 0
        day = user.since.date() + timedelta(days=len(user.flows))
        gained, lost = _flow_on(world, user, day)
        user.flows.append((before, gained, -lost))
    before, gain, loss = user.flows[days]
    share = _share_of_day(at)
    return before + int(gain * share) + int(loss * share)


def _flow_on(world: World, user: User, day: date) -> tuple[int, int]:
    """Return the numbers of followers that an account gains and loses on a UTC day."""
    scenario = world.scenario
    growth = math.exp((scenario.daily_gain - scenario.daily_loss) * (day - user.since.date()).days)
    mean = user.followers * growth * _WEEKDAY[day.weekday()]
    drawn = uniforms(world.seed, user.username, "followers", day)
    gained = poisson(mean * scenario.daily_gain * lognormal(0.25, drawn[0]), drawn[1])
    lost = poisson(mean * scenario.daily_loss * lognormal(0.15, drawn[2]), drawn[3])
    return gained, lost


def _share_of_day(at: datetime) -> float:
    """Return the share of a day's change of followers that is complete by a time of day."""
    hour = at.hour
    hour_share = (60 * at.minute + at.second + at.microsecond / 1e6) / 3600
    return _BY_HOUR[hour] + (_BY_HOUR[hour + 1] - _BY_HOUR[hour]) * hour_share
