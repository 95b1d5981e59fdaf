"""The publishing state of a post: loaded by one statement, and written step by step."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import msgspec
import psycopg

from roost.errors import DatabaseLostEvents, PostNotFound
from roost.models import (
    Actor,
    AttemptId,
    Detail,
    EventCode,
    IntegrationId,
    MediaAsset,
    Part,
    PartId,
    PartState,
    Post,
    PostId,
    PostState,
    Reason,
    TenantId,
    TweetId,
    XMediaId,
)
from roost.publishing.state import (
    Attempt,
    Backoff,
    Outcome,
    PartProgress,
    PublishState,
    Recheck,
    Upload,
)
from roost.rate_limits import Family, Window
from roost.store import integrations, posts
from roost.store.database import Queries
from roost.store.locks import Fence
from roost.store.statements import array_of, json_of
from roost.store.vault import SealedKey

#: The SQL function `begin_attempt` raises this SQLSTATE if the database lacks the fence's event.
_LOST_EVENTS: Final = "RS001"


@dataclass(frozen=True, slots=True)
class LoadedPost:
    """A post that was loaded for publishing, with the encrypted tokens of its account."""

    publish_state: PublishState
    tokens: integrations.SealedTokens = field(repr=False)
    database_now: datetime
    """Wall time at which the post was loaded, by the database's clock."""


@dataclass(frozen=True, slots=True)
class _AttemptRow:
    id: AttemptId
    part_id: int
    number: int
    started_at: datetime
    seconds_left: float
    outcome: Outcome | None
    empty_reads: int
    empty_read_at: datetime | None
    confirmed_absent: bool
    media_ids: tuple[XMediaId, ...]
    media_keys: tuple[str, ...]
    backoff_seconds: float

    def to_attempt(self) -> Attempt:
        return Attempt(
            id=self.id,
            number=self.number,
            started_at=self.started_at,
            wall_left=timedelta(seconds=self.seconds_left),
            outcome=self.outcome,
            empty_reads=self.empty_reads,
            empty_read_at=self.empty_read_at,
            confirmed_absent=self.confirmed_absent,
            media_ids=self.media_ids,
            media_keys=self.media_keys,
            app_backoff=timedelta(seconds=self.backoff_seconds),
        )


@dataclass(frozen=True, slots=True)
class _WindowRow:
    family: Family
    max_requests: int
    remaining: int
    resets_at: datetime


async def load_next_post(
    database: Queries,
    tenant_id: TenantId,
    integration_id: IntegrationId,
    excluding: Collection[PostId],
) -> LoadedPost | None:
    """Return the account's next post to publish, in due order; posts that wait are skipped."""
    row = await database.run_one(
        "load_post",
        tenant=tenant_id,
        post=None,
        integration=integration_id,
        excluding=array_of(excluding),
    )
    return None if row is None else _to_loaded_post(row)


async def get(transaction: Queries, post_id: PostId) -> PublishState:
    """Return the publishing state of any post of the current tenant. Raises: PostNotFound."""
    row = await transaction.run_one(
        "load_post", tenant=None, post=post_id, integration=None, excluding=array_of(())
    )
    if row is None:
        raise PostNotFound(f"There is no post {post_id}.")
    state = _to_loaded_post(row).publish_state
    # `load_post`, which workers run, leaves out the columns that only people need.
    post = await posts.get(transaction, post_id)
    return replace(state, post=replace(post, parts=state.post.parts))


def _to_loaded_post(row: Mapping[str, Any]) -> LoadedPost:
    key = SealedKey(row["keyring_key_id"], row["sealed_key"]) if row["sealed_key"] else None
    tokens = integrations.to_sealed_tokens(row["account"], key)
    return LoadedPost(_to_state(row), tokens, row["database_now"])


def _to_state(row: Mapping[str, Any]) -> PublishState:
    parts = _to_parts(row)
    post = Post(
        id=PostId(row["id"]),
        tenant_id=TenantId(row["tenant_id"]),
        integration_id=IntegrationId(row["integration_id"]),
        state=PostState(row["state"]),
        due_at=row["due_at"],
        reason=posts.to_reason(row["reason"]),
        parts=tuple(each.part for each in parts),
        paused=row["paused"],
        tolerance=row["tolerance"],
    )
    backoff_until = row["app_backoff_until"]
    return PublishState(
        post=post,
        account=integrations.to_integration(row["account"]),
        parts=parts,
        late_from=row["late_from"],
        windows=tuple(
            Window(each.family, each.max_requests, each.remaining, each.resets_at)
            for each in msgspec.convert(row["windows"] or (), list[_WindowRow])
        ),
        app_backoff=Backoff(backoff_until, Reason.from_json(row["app_backoff_reason"]))
        if backoff_until
        else None,
        recheck=Recheck(row["recheck_since"], row["recheck_until"])
        if row["recheck_until"]
        else None,
    )


def _to_parts(row: Mapping[str, Any]) -> tuple[PartProgress, ...]:
    media: dict[int, list[MediaAsset]] = {}
    for asset in row["media"] or ():
        media.setdefault(asset["part_id"], []).append(msgspec.convert(asset, MediaAsset))
    attempts: dict[int, list[Attempt]] = {}
    for attempt in msgspec.convert(row["attempts"] or (), list[_AttemptRow]):
        attempts.setdefault(attempt.part_id, []).append(attempt.to_attempt())
    uploads = {
        upload.asset_id: upload for upload in msgspec.convert(row["uploads"] or (), list[Upload])
    }
    parts = [posts.to_part(part, media.get(part["id"], ())) for part in row["parts"] or ()]
    return tuple(PartProgress(part, tuple(attempts.get(part.id, ())), uploads) for part in parts)


async def begin_attempt(
    database: Queries,
    tenant_id: TenantId,
    progress: PartProgress,
    uploads: Sequence[Upload],
    *,
    started_at: datetime,
    deadline: timedelta,
    at: datetime,
    code: EventCode,
    detail: Detail,
    actor: Actor,
    fence: Fence | None,
    is_wall_time: bool,
) -> tuple[Attempt, Fence | None] | None:
    """Move the part to `sending` and add an attempt. Return the attempt and the new fence.

    `started_at` is the start of the attempt by X's clock; a later search of the timeline begins at
    this instant. `at` is the present time by this worker's clock.

    Return None if the part was changed in the meantime, or if the post, its account, its tenant or
    everything is paused. If domain time is wall time, also return None if the post is not due by
    the database's clock.

    Raises: DatabaseLostEvents if the database lacks the fence's event. Nothing is written then.
    """
    media_ids = [upload.media_id for upload in uploads]
    media_keys = [upload.media_key for upload in uploads]
    try:
        row = await database.run_one(
            "begin_attempt",
            tenant=tenant_id,
            part=progress.part.id,
            from_state=progress.part.state,
            attempt_count=len(progress.attempts),
            started_at=started_at,
            deadline=deadline,
            at=at,
            media_ids=media_ids,
            media_keys=media_keys,
            code=code,
            detail=json_of(detail),
            actor=str(actor),
            fence_event=fence.event_id if fence else None,
            fence_tag=fence.event_tag if fence else None,
            fence_timeline=fence.timeline if fence else None,
            is_wall_time=is_wall_time,
        )
    except psycopg.DatabaseError as error:
        if error.sqlstate == _LOST_EVENTS:
            raise DatabaseLostEvents(
                "The database lacks an event that this worker has seen in it.",
                did="Nothing was sent.",
            ) from None
        raise
    if row is None:
        return None
    attempt = Attempt(
        AttemptId(row["id"]), row["number"], started_at, deadline,
        media_ids=tuple(media_ids), media_keys=tuple(media_keys),
    )  # fmt: skip
    new_fence = Fence(row["event_id"], row["event_tag"], fence.timeline) if fence else None
    return attempt, new_fence


@dataclass(frozen=True, slots=True)
class RecordedSent:
    """What `record_sent` has recorded, and whether the account has more posts to publish."""

    moved: bool
    """This call has recorded that the part is on X."""
    known: bool
    """A part already has this id of X, because it was recorded before."""
    is_last: bool
    """The post is now published, and the account has no other post that is ready."""
    forgotten: bool = False
    """The database lacks the attempt, because a restore or a failover came after it."""


async def record_sent(
    database: Queries,
    tenant_id: TenantId,
    integration_id: IntegrationId,
    part: Part,
    attempt: Attempt,
    tweet_id: TweetId,
    *,
    outcome: Outcome,
    sent_at: datetime,
    usd: Decimal,
    price_reason: str,
    windows: Collection[Window],
    at: datetime,
    from_state: PartState,
    code: EventCode,
    detail: Detail,
    actor: Actor,
    excluding: Collection[PostId] = (),
) -> RecordedSent:
    """Record that a part is on X, with X's id, the price and the events.

    If all parts are on X, the post is published. `excluding` are posts of the account that cannot
    be continued now, so `is_last` ignores them.
    """
    result = await database.fetch_one(
        RecordedSent,
        "record_sent",
        tenant=tenant_id,
        part=part.id,
        post=part.post_id,
        integration=integration_id,
        attempt=attempt.id,
        number=attempt.number,
        tweet=tweet_id,
        outcome=outcome,
        sent_at=sent_at,
        usd=usd,
        price_reason=price_reason,
        at=at,
        from_state=from_state,
        code=code,
        detail=json_of(detail),
        actor=str(actor),
        # This post is excluded too, because the statement still sees it as publishing.
        excluding=array_of([*excluding, part.post_id]),
        windows=_to_json(windows),
    )
    assert result is not None
    return result


def _to_json(windows: Collection[Window]) -> str:
    rows = [_WindowRow(each.family, each.limit, each.remaining, each.resets_at) for each in windows]
    return msgspec.json.encode(rows).decode()


async def save_rate_windows(
    transaction: Queries, integration_id: IntegrationId, windows: Collection[Window]
) -> None:
    """Store the number of posts that X still accepts from the account in each window."""
    await transaction.run(
        "save_rate_windows", integration=integration_id, windows=_to_json(windows)
    )


async def end_attempt(
    transaction: Queries,
    part: Part,
    attempt: Attempt,
    to_state: PartState,
    outcome: Outcome,
    *,
    at: datetime,
    code: EventCode,
    detail: Detail,
    actor: Actor,
) -> bool:
    """Record an outcome other than `sent`. Return False if the part has a later attempt.

    If the part has a later attempt, its state does not change, because the later attempt decides.
    """
    row = await transaction.run_one(
        "end_attempt",
        part=part.id,
        attempt=attempt.id,
        number=attempt.number,
        to_state=to_state,
        outcome=outcome,
        at=at,
        code=code,
        detail=json_of(detail),
        actor=str(actor),
    )
    return bool(row and row["moved"])


async def record_empty_read(
    transaction: Queries, attempt: Attempt, at: datetime, *, counts: bool
) -> None:
    """Record that a read of the timeline did not show the post.

    `counts` is False if the read was too early for X's timeline to show the post.
    """
    await transaction.run("record_empty_read", attempt=attempt.id, at=at, counts=int(counts))


async def move_part(
    transaction: Queries,
    part_id: PartId,
    from_state: PartState,
    to_state: PartState,
    code: EventCode,
    *,
    at: datetime,
    detail: Detail | None = None,
    actor: Actor,
) -> bool:
    """Change a part's state without an outcome; return False if the state is not `from_state`."""
    row = await transaction.run_one(
        "move_part",
        part=part_id,
        from_state=from_state,
        to_state=to_state,
        code=code,
        at=at,
        detail=json_of(detail or {}),
        actor=str(actor),
    )
    return bool(row and row["moved"])


async def defer_post(
    transaction: Queries,
    post_id: PostId,
    until: datetime,
    *,
    excused: bool,
    counts_as_late: bool = False,
    at: datetime,
    reason: Reason,
    actor: Actor,
) -> None:
    """Defer a post until an instant of domain time; then the dispatcher queues it again.

    If `excused` is set, the post's lateness is counted only from the end of the wait, so the post
    is not missed because of the wait. If `counts_as_late` is not set, the alert about late posts
    ignores the post during the wait.
    """
    await transaction.run(
        "defer_post",
        post=post_id,
        until=until,
        excused=excused,
        counts_as_late=counts_as_late,
        at=at,
        reason=json_of(reason),
        actor=str(actor),
    )
    await transaction.run("announce_due")
