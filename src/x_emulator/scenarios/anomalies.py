"""The anomalies that a scenario causes, for scoring an anomaly detector.

Every entry has `account`, `metric` and the UTC `day` on which the anomaly begins. An anomaly of
several days also has its last day in `until`. An anomaly of a single post has the post's id in
`post`. An anomaly at an exact time has this instant in `at`.
"""

from datetime import date, timedelta

from x_emulator.rules import metrics
from x_emulator.state import User, World


def list_anomalies(world: World) -> list[dict[str, str]]:
    """List the anomalies of existing accounts, grouped by kind of change."""
    return [
        *_follower_changes(world),
        *_reach_changes(world),
        *_viral_posts(world),
        *_outages(world),
        *_revocations(world),
    ]


def _follower_changes(world: World) -> list[dict[str, str]]:
    entries = []
    for change in world.scenario.follower_changes:
        begins = change.at(world.started_at)
        ends = begins + timedelta(hours=change.hours)
        for user in _users(world, change.account):
            entry = _entry(user, "followers", begins.date())
            entries.append(entry | _until(begins.date(), ends.date()))
    return entries


def _reach_changes(world: World) -> list[dict[str, str]]:
    start = world.started_at.date()
    entries = []
    for change in world.scenario.reach_changes:
        first, last = (start + timedelta(days=day) for day in (change.first_day, change.last_day))
        span = _until(first, last)
        users = _users(world, change.account)
        entries += [_entry(user, "impressions", first) | span for user in users]
    return entries


def _viral_posts(world: World) -> list[dict[str, str]]:
    entries = []
    for viral in world.scenario.viral_posts:
        post = metrics.find_first_post(world, viral)
        if post is not None:
            author = world.users[post.user_id]
            day = post.created_at.date()
            entries.append(_entry(author, "impressions", day) | {"post": post.id})
            entries.append(_entry(author, "followers", day))
    return entries


def _outages(world: World) -> list[dict[str, str]]:
    entries = []
    for outage in world.scenario.outages:
        begins, ends = outage.begins(world.started_at), outage.ends(world.started_at)
        span = {"at": begins.isoformat(), "until": ends.isoformat()}
        entries += [_entry(user, "requests", begins.date()) | span for user in _users(world, None)]
    return entries


def _revocations(world: World) -> list[dict[str, str]]:
    entries = []
    for revocation in world.scenario.revocations:
        at = revocation.at(world.started_at)
        users = _users(world, revocation.account)
        entries += [_entry(u, "tokens", at.date()) | {"at": at.isoformat()} for u in users]
    return entries


def _users(world: World, account: int | None) -> list[User]:
    return [user for user in world.users.values() if account in (None, user.index)]


def _entry(user: User, metric: str, day: date) -> dict[str, str]:
    return {"account": user.username, "metric": metric, "day": day.isoformat()}


def _until(first: date, last: date) -> dict[str, str]:
    return {"until": last.isoformat()} if last > first else {}
