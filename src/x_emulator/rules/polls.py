"""Polls. A poll opens with its post and closes after its duration. The viewers vote.

Like all counts, votes depend only on seed, post and time. A share of the viewers votes, and random
weights distribute the votes among the options. The share is plausible, but not measured.
"""

from datetime import datetime, timedelta
from typing import Any

from x_emulator import seeded_random
from x_emulator.rules import metrics
from x_emulator.rules.request_bodies import PollBody
from x_emulator.state import Post, World

_VOTERS = 0.04


def open_poll(body: PollBody, poll_id: str, at: datetime) -> dict[str, Any]:
    """Return the values to store for a new poll. Votes are computed later, by `poll_object`."""
    return {
        "id": poll_id,
        "labels": list(body.options),
        "duration_minutes": body.duration_minutes,
        "end": at + timedelta(minutes=body.duration_minutes),
    }


def poll_object(world: World, post: Post, fields: frozenset[str], at: datetime) -> dict[str, Any]:
    """Return a post's poll as JSON: the id, the options and the requested fields."""
    poll = post.poll or {}
    counted_at = min(at, poll["end"])
    impressions = metrics.post_counts(world, post, counted_at)["impression_count"]
    name = (world.users[post.user_id].username, post.ordinal, "poll")
    drawn = seeded_random.uniforms(world.seed, *name)[: len(poll["labels"])]
    weights = [0.2 + each for each in drawn]
    result: dict[str, Any] = {
        "id": poll["id"],
        "options": [
            {
                "position": number,
                "label": label,
                "votes": int(impressions * _VOTERS * weight / sum(weights)),
            }
            for number, (label, weight) in enumerate(zip(poll["labels"], weights, strict=True), 1)
        ],
        "duration_minutes": poll["duration_minutes"],
        "end_datetime": poll["end"].strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "voting_status": "open" if at < poll["end"] else "closed",
    }
    return {name: each for name, each in result.items() if name in fields | {"id", "options"}}
