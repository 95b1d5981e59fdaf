"""Reads posts from the database and from the emulator, for the checkers.

The functions use plain SQL and HTTP, because they must find mistakes of Roost's own code.
"""

from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row

from harness.records import EventRow, PartRow, PostRow, XPost

#: Selects all posts. `reason` becomes one text: the code of the reason, then its facts.
_POSTS = (
    "SELECT id, state, (reason ->> 'code') || ': ' || (reason ->> 'detail') AS reason, due_at"
    " FROM roost.posts ORDER BY id"
)
_PARTS = "SELECT post_id, position, state, sent_as FROM roost.parts ORDER BY post_id, position"
_EVENTS = (
    "SELECT post_id, at, position, from_state, to_state, code || ' ' || detail AS reason"
    " FROM roost.events ORDER BY post_id, id"
)


async def read_rows(admin_url: str) -> dict[int, PostRow]:
    """Read all posts with parts and events, by post id. `admin_url` is a superuser's URL."""
    async with await psycopg.AsyncConnection.connect(admin_url, row_factory=dict_row) as connection:
        posts = await (await connection.execute(_POSTS)).fetchall()
        parts: dict[int, list[PartRow]] = {post["id"]: [] for post in posts}
        for part in await (await connection.execute(_PARTS)).fetchall():
            parts[part.pop("post_id")].append(PartRow(**part))
        events: dict[int, list[EventRow]] = {post["id"]: [] for post in posts}
        for event in await (await connection.execute(_EVENTS)).fetchall():
            events[event.pop("post_id")].append(EventRow(**event))
    return {
        post["id"]: PostRow(
            **post, parts=tuple(parts[post["id"]]), events=tuple(events[post["id"]])
        )
        for post in posts
    }


def parse_x_posts(ground_truth: dict[str, Any]) -> list[XPost]:
    """Return the posts in a response to `GET /_emulator/ground-truth`."""
    return [
        XPost(
            id=post["id"],
            user_id=post["user"],
            text=post["text"],
            media=tuple(media["sha256"] for media in post["media"]),
            reply_to=post["reply_to"],
            created_at=datetime.fromisoformat(post["created_at"]),
            deleted_at=datetime.fromisoformat(post["deleted_at"]) if post["deleted_at"] else None,
            posted_manually=post["app"] is None,
            deleted_manually=post["deleted_by"] == "user",
            quote_of=post["quote_of"],
            poll=tuple(post["poll"][:-1]) if post["poll"] else None,
        )
        for post in ground_truth["posts"]
    ]


def describe_post(row: PostRow, x_posts: list[XPost]) -> str:
    """Describe a post's rows, history and X posts, without texts, for a failure message."""
    claimed = {part.sent_as for part in row.parts}
    lines = [f"post {row.id}: {row.state}, due {row.due_at}: {row.reason or 'no reason'}"]
    lines += [f"  part {part.position}: {part.state} {part.sent_as or ''}" for part in row.parts]
    for event in row.events:
        subject = "post" if event.position is None else f"part {event.position}"
        change = f"{event.from_state} → {event.to_state}"
        lines.append(f"  {event.at:%H:%M:%S.%f} {subject}: {change}: {event.reason}")
    for post in x_posts:
        owner = "claimed" if post.id in claimed else "unclaimed"
        deletion = f", deleted {post.deleted_at:%H:%M:%S}" if post.deleted_at else ""
        lines.append(
            f"  X: {post.id} created {post.created_at:%H:%M:%S.%f}, reply to {post.reply_to}"
            f"{deletion} ({owner})"
        )
    return "\n".join(lines)
