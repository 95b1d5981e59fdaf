"""Stores and reads posts, with their parts, files and events."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from roost.errors import PostNotFound
from roost.models import (
    Actor,
    AlertKind,
    Detail,
    Event,
    EventCode,
    IntegrationId,
    MediaAsset,
    Part,
    PartId,
    PartOptions,
    PartState,
    Poll,
    Post,
    PostId,
    PostState,
    Reason,
    ReplySettings,
    TenantId,
    TweetId,
    Wait,
)
from roost.publishing.part_input import PartInput
from roost.repeats import RepeatCandidate
from roost.store import alerts
from roost.store.database import Queries
from roost.store.statements import json_of

_MINUTE: Final = timedelta(minutes=1)


async def add(
    transaction: Queries,
    tenant_id: TenantId,
    integration_id: IntegrationId,
    parts: Sequence[PartInput],
    *,
    due_at: datetime | None,
    now: datetime,
    detail: Detail,
    actor: Actor,
    upload_lead: timedelta,
    tolerance: timedelta | None = None,
    import_key: str | None = None,
) -> PostId | None:
    """Add a post, or a draft if `due_at` is None.

    Return None if an earlier import has added a post with this `import_key`. `detail` has the facts
    of the first event, such as the plan file. The post's files are uploaded `upload_lead` before
    `due_at`.
    """
    state = PostState.DRAFT if due_at is None else PostState.SCHEDULED
    row = await transaction.run_one(
        "add_post",
        tenant=tenant_id,
        integration=integration_id,
        state=state,
        due_at=due_at,
        tolerance=tolerance,
        import_key=import_key,
    )
    if row is None:
        return None
    post_id = PostId(row["id"])
    await _add_parts(transaction, tenant_id, integration_id, post_id, parts)
    code = EventCode.POST_DRAFTED if due_at is None else EventCode.POST_SCHEDULED
    await add_event(
        transaction, tenant_id, post_id, now, code, to_state=state, detail=detail, actor=actor
    )
    if due_at is not None:
        await transaction.run("schedule_upload", post=post_id, lead=upload_lead)
        await transaction.run("announce_due")
    return post_id


async def _add_parts(
    transaction: Queries,
    tenant_id: TenantId,
    integration_id: IntegrationId,
    post_id: PostId,
    parts: Sequence[PartInput],
) -> None:
    for position, part in enumerate(parts, start=1):
        row = await transaction.run_one(
            "add_part",
            tenant=tenant_id,
            post=post_id,
            integration=integration_id,
            position=position,
            text=part.text,
            **_options_to_columns(part.options),
        )
        assert row is not None
        for order, media in enumerate(part.media, start=1):
            await transaction.run(
                "add_media_asset",
                tenant=tenant_id,
                part=row["id"],
                position=order,
                path=str(media.content.path),
                sha256=media.content.sha256,
                kind=media.content.kind,
                mime_type=media.content.mime_type,
                size_bytes=media.content.size_bytes,
                alt_text=media.alt_text,
            )


# The function has more than seven parameters, because its parameters are the columns of one row.
async def add_event(
    transaction: Queries,
    tenant_id: TenantId,
    post_id: PostId,
    at: datetime,
    code: EventCode,
    *,
    from_state: str | None = None,
    to_state: str,
    detail: Detail | None = None,
    actor: Actor,
    position: int | None = None,
) -> None:
    """Add an event to the post's history; `position` is that of the part concerned, if any."""
    await transaction.run(
        "add_event",
        tenant=tenant_id,
        post=post_id,
        position=position,
        at=at,
        code=code,
        detail=json_of(detail or {}),
        from_state=from_state,
        to_state=to_state,
        actor=str(actor),
    )


async def get(transaction: Queries, post_id: PostId) -> Post:
    """Return a post with its parts and files. Raises: PostNotFound."""
    row = await transaction.run_one("get_post", post=post_id)
    if row is None:
        raise PostNotFound(f"There is no post {post_id}.")
    return (await with_parts(transaction, [row]))[0]


async def list_all(transaction: Queries, integration_id: IntegrationId | None = None) -> list[Post]:
    """Return the posts of the tenant, or of one account, in due order, with drafts last."""
    return await with_parts(
        transaction, await transaction.run("list_posts", integration=integration_id)
    )


async def with_parts(transaction: Queries, rows: list[dict[str, Any]]) -> list[Post]:
    """Convert rows of `posts` to posts; read their parts and files from the database."""
    ids = [row["id"] for row in rows]
    media: dict[int, list[MediaAsset]] = {}
    for row in await transaction.run("list_media_assets", posts=ids):
        media.setdefault(row["part_id"], []).append(msgspec.convert(row, MediaAsset))
    parts: dict[int, list[Part]] = {}
    for row in await transaction.run("list_parts", posts=ids):
        parts.setdefault(row["post_id"], []).append(to_part(row, media.get(row["id"], ())))
    return [
        Post(
            id=row["id"],
            tenant_id=row["tenant_id"],
            integration_id=row["integration_id"],
            state=PostState(row["state"]),
            due_at=row["due_at"],
            reason=to_reason(row["reason"]),
            parts=tuple(parts.get(row["id"], ())),
            paused=row["paused"],
            tolerance=row["tolerance"],
            wait=_to_wait(row),
            acknowledged_at=row["acknowledged_at"],
            possible_duplicate=row["possible_duplicate"],
        )
        for row in rows
    ]


def to_reason(stored: Mapping[str, Any] | None) -> Reason | None:
    """Decode a column that contains a reason; NULL becomes None."""
    return None if stored is None else Reason.from_json(stored)


def _to_wait(row: Mapping[str, Any]) -> Wait | None:
    reason = to_reason(row["wait_reason"])
    return None if reason is None else Wait(reason, row["wait_until"])


@dataclass(frozen=True, slots=True)
class _PartRow:
    id: PartId
    post_id: PostId
    position: int
    text: str
    state: PartState
    sent_as: TweetId | None
    sent_at: datetime | None
    deleted_at: datetime | None


def to_part(row: Mapping[str, Any], media: Sequence[MediaAsset]) -> Part:
    """Convert a row of `parts` to a part with the files `media`.

    The row may also be a JSON object that PostgreSQL has built from the columns.
    """
    columns = msgspec.convert(row, _PartRow)
    return Part(
        id=columns.id,
        post_id=columns.post_id,
        position=columns.position,
        text=columns.text,
        state=columns.state,
        sent_as=columns.sent_as,
        sent_at=columns.sent_at,
        media=tuple(media),
        deleted_at=columns.deleted_at,
        options=_options_from_row(row),
    )


async def list_events(transaction: Queries, post_id: PostId) -> list[Event]:
    """Return the post's events, oldest first."""
    return [
        Event(
            at=row["at"],
            post_id=row["post_id"],
            position=row["position"],
            code=EventCode(row["code"]),
            from_state=row["from_state"],
            to_state=row["to_state"],
            detail=row["detail"],
            actor=Actor.parse(row["actor"]),
        )
        for row in await transaction.run("list_events", post=post_id)
    ]


async def move(
    transaction: Queries,
    post_id: PostId,
    from_state: PostState,
    to_state: PostState,
    reason: Reason | None = None,
    *,
    at: datetime,
    due_at: datetime | None = None,
    ends_alerts: bool = True,
) -> bool:
    """Change a post's state. Return False if the post is in another state than `from_state`.

    If `due_at` is given, also return False if the post has another due time. The alerts about the
    old state are resolved. Pass `ends_alerts=False` if the cause of these alerts remains.
    """
    row = await transaction.run_one(
        "move_post",
        post=post_id,
        from_state=from_state,
        to_state=to_state,
        reason=json_of(reason),
        at=at,
        due_at=due_at,
        kinds=alerts.values_of(alerts.OF_POST_STATE if ends_alerts else ()),
    )
    return row is not None


async def acknowledge(
    transaction: Queries,
    post_id: PostId,
    *,
    states: Collection[PostState],
    kinds: Collection[AlertKind],
    at: datetime,
) -> None:
    """Record that a person leaves the post as it is, and resolve its alerts of these kinds.

    If the post is in none of `states`, nothing is recorded, but the alerts are still resolved.
    """
    await transaction.run(
        "acknowledge_post",
        post=post_id,
        states=[state.value for state in states],
        at=at,
        kinds=alerts.values_of(kinds),
    )


async def is_untouched(transaction: Queries, post_id: PostId) -> bool:
    """Whether no part of the post is on X, and no attempt is in progress.

    Lock the post first: while the post is locked, no attempt can begin.
    """
    row = await transaction.run_one("is_untouched", post=post_id)
    return bool(row and row["is_untouched"])


async def list_claimed(transaction: Queries, tweets: Collection[TweetId]) -> set[TweetId]:
    """Return those of `tweets` that are recorded as parts of any tenant's posts."""
    rows = await transaction.run("list_claimed", tweets=list(tweets))
    return {TweetId(row["sent_as"]) for row in rows}


async def list_own_parts(
    transaction: Queries, integration_id: IntegrationId, tweets: Collection[TweetId]
) -> dict[TweetId, datetime | None]:
    """Return those of `tweets` that are parts of the account's posts.

    The value of each id is the time at which the part was deleted from X, or None.
    """
    rows = await transaction.run("list_own_parts", integration=integration_id, tweets=list(tweets))
    return {TweetId(row["sent_as"]): row["deleted_at"] for row in rows}


async def list_texts(
    transaction: Queries,
    integrations: Collection[IntegrationId],
    *,
    since: datetime,
    until: datetime,
    excluding: PostId | None = None,
) -> dict[IntegrationId, list[RepeatCandidate]]:
    """Return each account's parts that were sent or are due in a period.

    The parts of the post `excluding` are left out.
    """
    texts: dict[IntegrationId, list[RepeatCandidate]] = {each: [] for each in integrations}
    for row in await transaction.run(
        "list_texts",
        integrations=list(integrations),
        since=since,
        until=until,
        excluding=excluding,
    ):
        texts[row["integration_id"]].append(
            RepeatCandidate(
                text=row["text"],
                file_hashes=tuple(row["files"]),
                options=_options_from_row(row),
                at=row["at"],
                post_id=row["post_id"],
                is_published=row["is_published"],
            )
        )
    return texts


async def lock_state(transaction: Queries, post_id: PostId) -> PostState:
    """Lock a post until the transaction ends, and return its state. Raises: PostNotFound."""
    row = await transaction.run_one("lock_post", post=post_id)
    if row is None:
        raise PostNotFound(f"There is no post {post_id}.")
    return PostState(row["state"])


async def replace_parts(
    transaction: Queries,
    tenant_id: TenantId,
    integration_id: IntegrationId,
    post_id: PostId,
    parts: Sequence[PartInput],
) -> None:
    """Replace all parts of a post. No part of the post may be on X."""
    await transaction.run("delete_parts", post=post_id)
    await _add_parts(transaction, tenant_id, integration_id, post_id, parts)


async def reschedule(
    transaction: Queries,
    post_id: PostId,
    due_at: datetime,
    *,
    upload_lead: timedelta,
    at: datetime,
) -> None:
    """Set another due time for a post of which no part is on X.

    The alerts about the post's old state are resolved.
    """
    await transaction.run(
        "reschedule_post",
        post=post_id,
        due_at=due_at,
        at=at,
        kinds=alerts.values_of(alerts.OF_POST_STATE),
    )
    await transaction.run("schedule_upload", post=post_id, lead=upload_lead)
    await transaction.run("announce_due")


async def list_imported(transaction: Queries, keys: Collection[str]) -> set[str]:
    """Return those of `keys` that belong to posts which an earlier import has added."""
    rows = await transaction.run("list_imported", keys=list(keys))
    return {row["import_key"] for row in rows}


def _options_to_columns(options: PartOptions) -> dict[str, Any]:
    """Convert a part's options to values of columns of `parts`."""
    poll = options.poll
    return {
        "reply_to": options.reply_to,
        "quote_of": options.quote_of,
        "poll_options": list(poll.options) if poll else None,
        "poll_minutes": poll.duration // _MINUTE if poll else None,
        "reply_settings": options.reply_settings,
    }


def _options_from_row(row: Mapping[str, Any]) -> PartOptions:
    """Convert columns of a row of `parts` to the part's options."""
    poll = None
    if row["poll_options"] is not None:
        poll = Poll(tuple(row["poll_options"]), row["poll_minutes"] * _MINUTE)
    reply_settings = row["reply_settings"]
    return PartOptions(
        reply_to=row["reply_to"],
        quote_of=row["quote_of"],
        poll=poll,
        reply_settings=ReplySettings(reply_settings) if reply_settings else None,
    )
