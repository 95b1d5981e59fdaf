"""The rows of posts and the emulator's truth, as `_judge` takes them; read past all of Roost."""

from datetime import datetime
from typing import Any

import psycopg
from _judge import EventRow, OnX, PartRow, PostRow
from psycopg.rows import dict_row

_POSTS = "SELECT id, state, reason, due_at FROM roost.posts ORDER BY id"
_PARTS = "SELECT post_id, position, state, sent_as FROM roost.parts ORDER BY post_id, position"
_EVENTS = (
    "SELECT post_id, at, position, from_state AS before, to_state AS after, reason AS why"
    " FROM roost.events ORDER BY post_id, id"
)


async def read_rows(admin_url: str) -> dict[int, PostRow]:
    """Every post with its parts and history, by id; `admin_url` is a superuser's."""
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


def read_truth(truth: dict[str, Any]) -> list[OnX]:
    """The posts of an answer of `/_emulator/ground-truth`."""
    return [
        OnX(
            id=post["id"],
            user_id=post["user"],
            text=post["text"],
            media=tuple(media["sha256"] for media in post["media"]),
            reply_to=post["reply_to"],
            created_at=datetime.fromisoformat(post["created_at"]),
            deleted_at=datetime.fromisoformat(post["deleted_at"]) if post["deleted_at"] else None,
            by_hand=post["app"] is None,
            deleted_by_hand=post["deleted_by"] == "by hand",
            quote_of=post["quote_of"],
            poll=tuple(post["poll"][:-1]) if post["poll"] else None,
        )
        for post in truth["posts"]
    ]


def tell(row: PostRow, on_x: list[OnX]) -> str:
    """A post's rows, history and what X has of its account, without any text: for a bad end."""
    claimed = {part.sent_as for part in row.parts}
    lines = [f"post {row.id}: {row.state}, due {row.due_at}: {row.reason or 'no reason'}"]
    lines += [f"  part {part.position}: {part.state} {part.sent_as or ''}" for part in row.parts]
    for event in row.events:
        whose = "post" if event.position is None else f"part {event.position}"
        lines.append(
            f"  {event.at:%H:%M:%S.%f} {whose}: {event.before} → {event.after}: {event.why}"
        )
    for post in on_x:
        mark = "its own" if post.id in claimed else "unclaimed"
        gone = f", deleted {post.deleted_at:%H:%M:%S}" if post.deleted_at else ""
        lines.append(
            f"  X: {post.id} made {post.created_at:%H:%M:%S.%f}, answers {post.reply_to}{gone}"
            f" ({mark})"
        )
    return "\n".join(lines)
