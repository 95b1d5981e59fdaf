"""Polls: opened with a post, voted on by those who see it, closed by the clock.

The votes are a function of seed, post and time, as all counts are: a share of those who saw the
post by then, each option with luck of its own. The share is plausible, not measured.
"""

from datetime import datetime, timedelta
from typing import Any

from x_emulator import seeded_random
from x_emulator.rules import metrics
from x_emulator.rules.request_bodies import PollBody
from x_emulator.state import Post, World

_VOTERS = 0.04


def open_poll(body: PollBody, poll_id: str, at: datetime) -> dict[str, Any]:
    """A poll without votes."""
    return {
        "id": poll_id,
        "labels": list(body.options),
        "duration_minutes": body.duration_minutes,
        "end": at + timedelta(minutes=body.duration_minutes),
    }


def poll_object(world: World, post: Post, wanted: frozenset[str], at: datetime) -> dict[str, Any]:
    """The poll of a post with the fields that are asked for; id and options always."""
    poll = post.poll or {}
    counted_at = min(at, poll["end"])
    seen = metrics.counts_of(world, post, counted_at)["impression_count"]
    name = (world.users[post.user_id].username, post.ordinal, "poll")
    drawn = seeded_random.uniforms(world.seed, *name)[: len(poll["labels"])]
    weights = [0.2 + each for each in drawn]
    whole: dict[str, Any] = {
        "id": poll["id"],
        "options": [
            {
                "position": number,
                "label": label,
                "votes": int(seen * _VOTERS * weight / sum(weights)),
            }
            for number, (label, weight) in enumerate(zip(poll["labels"], weights, strict=True), 1)
        ],
        "duration_minutes": poll["duration_minutes"],
        "end_datetime": poll["end"].strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "voting_status": "open" if at < poll["end"] else "closed",
    }
    return {name: each for name, each in whole.items() if name in wanted | {"id", "options"}}
