"""How posts and accounts fare: counts as a function of seed, post or account, and time alone.

Nothing is accumulated, so one jump of thirty days finds what 720 jumps of an hour find. What the
accounts here do with each other's posts is counted on top, from the instant at which they did it.

**A post** reaches, in the end, a share of its author's followers at the moment of posting; luck
(log-normal), format, weekday and hour of posting multiply it. It gets there along a log-logistic
curve with a median of about 80 minutes and nearly nothing after a day, as Pfeffer, Matter and
Sargsyan measured ("The Half-Life of a Tweet", ICWSM 2023). Likes, replies and clicks are rare
among those who see it (Poisson around rates of their own luck) and come as the views come.

**An account** gains and loses followers every day: counts around a weekday's mean, over-dispersed
by a log-normal factor, spread over the day as people are awake. What a scenario does comes on top.
"""

import math
from datetime import date, datetime, timedelta

from x_emulator.scenarios.scenario import Hit
from x_emulator.seeded_random import lognormal, poisson, uniforms
from x_emulator.state import Post, Reactions, User, World

#: Monday first: people read X more in the middle of the week than on its last two days.
_WEEKDAY = (1.02, 1.06, 1.07, 1.04, 0.99, 0.90, 0.92)
#: How awake the audience is at each hour of the day, UTC (Europe and the Americas).
_HOUR = (
    *(0.80, 0.70, 0.60, 0.55, 0.55, 0.60, 0.75, 0.90, 1.00, 1.05, 1.05, 1.10),
    *(1.15, 1.20, 1.25, 1.25, 1.25, 1.25, 1.25, 1.25, 1.20, 1.15, 1.10, 1.00),
)
_BY_HOUR = [sum(_HOUR[:hour]) / sum(_HOUR) for hour in range(25)]

_HALF_LIFE = 80 * 60.0
_SHAPE = 1.1

#: Views beyond the author's followers, and the share of followers that a median post reaches.
_STRANGERS = 25.0
_REACH = 0.16
_FORMAT = {"tweet_image": 1.15, "tweet_gif": 1.10, "tweet_video": 1.25, "amplify_video": 1.25}
#: X shows posts that lead away from it to fewer people.
_LINK = 0.65
#: A part of a thread is seen by those who read on.
_REPLY = 0.30

#: Of a hundred who see a post with a video, how many count as its viewers.
_VIDEO_VIEWS = 30

#: Of those who see a post, how many in the median do what.
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
#: Everything that is counted about a post.
NAMES = ("impression_count", *_RATES)


def counts_of(world: World, post: Post, at: datetime) -> dict[str, int]:
    """Everything that can be counted about a post at an instant."""
    fate = _known_fate_of(world, post)
    grown = _grown(world, post, fate[0], at)
    drawn = dict(zip(NAMES, [int(total * grown) for total in fate[1:]], strict=True))
    reactions = world.reactions.get(post.id)
    return drawn if reactions is None else _with_reactions(drawn, reactions, at)


def _with_reactions(drawn: dict[str, int], reactions: Reactions, at: datetime) -> dict[str, int]:
    """What the accounts here did comes on top; who did anything has seen the post."""
    answered = [each for each in (*reactions.replies, *reactions.quotes) if each.created_at <= at]
    seen_by = {each.user_id for each in answered}
    for marks in (reactions.likes, reactions.reposts):
        seen_by |= {user_id for user_id, turns in marks.items() if turns[0] <= at}
    came = {
        "impression_count": len(seen_by),
        "like_count": len(holders(reactions.likes, at)),
        "retweet_count": len(holders(reactions.reposts, at)),
        "reply_count": sum(_exists(each, at) for each in reactions.replies),
        "quote_count": sum(_exists(each, at) for each in reactions.quotes),
    }
    return {name: count + came.get(name, 0) for name, count in drawn.items()}


def holders(marks: dict[str, list[datetime]], at: datetime) -> list[str]:
    """Who holds a mark at an instant: given and taken back in turn, an odd number holds."""
    return [user_id for user_id, turns in marks.items() if sum(turn <= at for turn in turns) % 2]


def _exists(post: Post, at: datetime) -> bool:
    return post.created_at <= at and (post.deleted_at is None or at < post.deleted_at)


def _known_fate_of(world: World, post: Post) -> tuple[float, ...]:
    if post.fate is None:
        post.fate = _fate_of(world, post)
    return post.fate


def _grown(world: World, post: Post, half_life: float, at: datetime) -> float:
    """Which share of its final counts a post has; while X is down nobody sees it."""
    age = (at - post.created_at).total_seconds()
    for outage in world.scenario.outages:
        begins = max(post.created_at, outage.begins(world.started_at))
        ends = min(at, outage.ends(world.started_at))
        age -= max(0.0, (ends - begins).total_seconds())
    return 0.0 if age <= 0 else 1.0 / (1.0 + (half_life / age) ** _SHAPE)


def _fate_of(world: World, post: Post) -> tuple[float, ...]:
    """The half-life in seconds, then the final count of each of `NAMES`."""
    author = world.users[post.user_id]
    at = post.created_at
    seen = _STRANGERS + _REACH * followers_of(world, author, at)
    seen *= _WEEKDAY[at.weekday()] * (0.5 + 0.5 * _HOUR[at.hour])
    seen *= max((_FORMAT.get(each.category, 1.0) for each in post.media), default=1.0)
    seen *= (_LINK if post.has_link else 1.0) * (_REPLY if post.reply_to else 1.0)
    for spell in world.scenario.spells:
        if spell.holds(world.started_at, author.rank, at):
            seen *= spell.factor
    drawn = uniforms(world.seed, author.username, post.ordinal)
    half_life = _HALF_LIFE * lognormal(0.35, drawn[0])
    for hit in world.scenario.hits:
        if find_hit(world, hit) is post:
            seen *= hit.factor
            half_life *= hit.slower
    views = round(seen * lognormal(0.7, drawn[1]))
    finals = [
        min(
            views,
            poisson(views * rate * lognormal(0.4, spread), happened),
        )
        for rate, spread, happened in zip(_RATES.values(), drawn[2::2], drawn[3::2], strict=False)
    ]
    if not post.has_link:
        finals[_LINK_CLICKS] = 0
    return (half_life, views, *finals)


def public_metrics(counts: dict[str, int]) -> dict[str, int]:
    """What everybody may see."""
    names = ("retweet_count", "reply_count", "like_count", "quote_count", "bookmark_count")
    return {name: counts[name] for name in (*names, "impression_count")}


def non_public_metrics(counts: dict[str, int]) -> dict[str, int]:
    """What the author may see for 30 days; engagements are all the rest together."""
    engagements = sum(counts.values()) - counts["impression_count"] - counts["bookmark_count"]
    names = ("impression_count", "url_link_clicks", "user_profile_clicks")
    return {name: counts[name] for name in names} | {"engagements": engagements}


def organic_metrics(counts: dict[str, int]) -> dict[str, int]:
    """The same outside advertising; nothing is advertised here."""
    names = ("impression_count", "like_count", "reply_count", "retweet_count")
    return {name: counts[name] for name in (*names, "url_link_clicks", "user_profile_clicks")}


def media_counts_of(world: World, post: Post, duration_ms: int, at: datetime) -> dict[str, int]:
    """How a post's video was watched until an instant; fewer stay with each quarter of it."""
    views = counts_of(world, post, at)["impression_count"]
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


def followers_of(world: World, user: User, at: datetime) -> int:
    """How many follow an account at an instant."""
    if user.flow_before is None:
        user.flow_before = _flow_until(world, user, user.since)
    before_all, left = user.flow_before, 0
    for shock in world.scenario.shocks:
        instant = shock.at(world.started_at)
        if shock.rank == user.rank and user.since < instant <= at:
            before = user.followers + _flow_until(world, user, instant) - before_all - left
            left += int(round(shock.share * before) * shock.done(world.started_at, at))
    for hit in world.scenario.hits:
        post = find_hit(world, hit) if hit.rank == user.rank else None
        if post is not None and at > post.created_at:
            came = hit.new_followers * followers_of(world, user, post.created_at)
            left -= int(came * _grown(world, post, _known_fate_of(world, post)[0], at))
    return max(0, user.followers + _flow_until(world, user, at) - before_all - left)


def find_hit(world: World, hit: Hit) -> Post | None:
    """The post that goes around the world, once it has been made."""
    opens = hit.opens(world.started_at)
    for user in world.users.values():
        if user.rank == hit.rank:
            return next((p for p in world.posts_of[user.id] if p.created_at >= opens), None)
    return None


def following_of(user: User, at: datetime) -> int:
    """How many an account follows: one more every nine days or so."""
    return user.following + max(0, (at - user.since).days) // 9


def _flow_until(world: World, user: User, at: datetime) -> int:
    """The net change from the midnight before the account's `since` to an instant."""
    days = (at.date() - user.since.date()).days
    while len(user.flows) <= days:
        before = sum(user.flows[-1]) if user.flows else 0
        day = user.since.date() + timedelta(days=len(user.flows))
        come, go = _flow_on(world, user, day)
        user.flows.append((before, come, -go))
    before, come, go = user.flows[days]
    awake = _share_of_day(at)
    return before + int(come * awake) + int(go * awake)


def _flow_on(world: World, user: User, day: date) -> tuple[int, int]:
    """How many followers come and go on a UTC day."""
    scenario = world.scenario
    grown = math.exp((scenario.daily_gain - scenario.daily_loss) * (day - user.since.date()).days)
    mean = user.followers * grown * _WEEKDAY[day.weekday()]
    drawn = uniforms(world.seed, user.username, "followers", day)
    come = poisson(mean * scenario.daily_gain * lognormal(0.25, drawn[0]), drawn[1])
    go = poisson(mean * scenario.daily_loss * lognormal(0.15, drawn[2]), drawn[3])
    return come, go


def _share_of_day(at: datetime) -> float:
    """Which share of a day's followers has come by this time of it."""
    hour = at.hour
    of_it = (60 * at.minute + at.second + at.microsecond / 1e6) / 3600
    return _BY_HOUR[hour] + (_BY_HOUR[hour + 1] - _BY_HOUR[hour]) * of_it
