"""What a scenario does to the accounts there are, told so that detectors can be scored.

Every entry names `account`, `metric` and the UTC `day` on which it begins; what lasts has its last
day as `until`, a single post its id as `post`. What has an hour has its instant as `at`.
"""

from datetime import date, timedelta

from x_emulator.rules import metrics
from x_emulator.state import User, World


def tell(world: World) -> list[dict[str, str]]:
    """The ground truth, in the scenario's order; of accounts that do not exist, nothing."""
    return [
        *_followers(world),
        *_views(world),
        *_hits(world),
        *_outages(world),
        *_revocations(world),
    ]


def _followers(world: World) -> list[dict[str, str]]:
    told = []
    for shock in world.scenario.shocks:
        begins = shock.at(world.started_at)
        for user in _whose(world, shock.rank):
            entry = _entry(user, "followers", begins.date())
            ends = begins + timedelta(hours=shock.hours)
            told.append(entry | _until(begins.date(), ends.date()))
    return told


def _views(world: World) -> list[dict[str, str]]:
    start = world.started_at.date()
    told = []
    for spell in world.scenario.spells:
        first, last = (start + timedelta(days=day) for day in (spell.first_day, spell.last_day))
        span = _until(first, last)
        told += [_entry(user, "impressions", first) | span for user in _whose(world, spell.rank)]
    return told


def _hits(world: World) -> list[dict[str, str]]:
    told = []
    for hit in world.scenario.hits:
        post = metrics.find_hit(world, hit)
        if post is not None:
            author = world.users[post.user_id]
            day = post.created_at.date()
            told.append(_entry(author, "impressions", day) | {"post": post.id})
            told.append(_entry(author, "followers", day))
    return told


def _outages(world: World) -> list[dict[str, str]]:
    told = []
    for outage in world.scenario.outages:
        begins, ends = outage.begins(world.started_at), outage.ends(world.started_at)
        span = {"at": begins.isoformat(), "until": ends.isoformat()}
        told += [_entry(user, "requests", begins.date()) | span for user in world.users.values()]
    return told


def _revocations(world: World) -> list[dict[str, str]]:
    told = []
    for revocation in world.scenario.revocations:
        at = revocation.at(world.started_at)
        instant = {"at": at.isoformat()}
        told += [_entry(u, "tokens", at.date()) | instant for u in _whose(world, revocation.rank)]
    return told


def _whose(world: World, rank: int | None) -> list[User]:
    return [user for user in world.users.values() if rank in (None, user.rank)]


def _entry(user: User, metric: str, day: date) -> dict[str, str]:
    return {"account": user.username, "metric": metric, "day": day.isoformat()}


def _until(first: date, last: date) -> dict[str, str]:
    return {"until": last.isoformat()} if last > first else {}
