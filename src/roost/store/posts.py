"""Posts, their parts and their journal: the rows from which any worker can resume."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from roost.errors import PostNotFound
from roost.models import (
    Attempt,
    AttemptId,
    Event,
    IntegrationId,
    MediaAsset,
    MediaAssetId,
    MediaKind,
    Part,
    PartId,
    PartState,
    Post,
    PostId,
    PostState,
    TenantId,
    TweetId,
    XMediaId,
)
from roost.store.database import Transaction


@dataclass(frozen=True, slots=True)
class NewMedia:
    """A file to be carried by a part that is not stored yet."""

    path: str
    sha256: str
    kind: MediaKind
    mime_type: str
    size_bytes: int
    alt_text: str | None


@dataclass(frozen=True, slots=True)
class NewPart:
    """A part that is not stored yet."""

    text: str
    media: tuple[NewMedia, ...] = ()


@dataclass(frozen=True, slots=True)
class Upload:
    """What X holds of a file."""

    asset_id: MediaAssetId
    media_id: XMediaId
    media_key: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class LastAttempt:
    """A part's latest try, with what reconciling has found so far."""

    attempt: Attempt
    unsettled_since: datetime
    """When the first attempt began of which nobody knows that X created nothing."""
    without_parent: int
    """How many tries X refused because it did not show the part before."""
    said_duplicate: bool
    """Whether X refused a repetition as a duplicate: it believes that it has the post."""
    wall_left: timedelta
    """Wall time in which its request may still be under way; negative: surely over."""
    empty_reads: int
    empty_read_at: datetime | None


async def add(
    transaction: Transaction,
    tenant_id: TenantId,
    integration_id: IntegrationId,
    parts: Sequence[NewPart],
    *,
    due_at: datetime | None,
    now: datetime,
    why: str,
    import_key: str | None = None,
) -> PostId | None:
    """Store a post, without a time as a draft; None where the import has it already."""
    state = PostState.DRAFT if due_at is None else PostState.SCHEDULED
    row = await transaction.run_one(
        "add_post",
        tenant=tenant_id,
        integration=integration_id,
        state=state,
        due_at=due_at,
        import_key=import_key,
    )
    if row is None:
        return None
    post_id = PostId(row["id"])
    await add_parts(transaction, tenant_id, integration_id, post_id, parts)
    await tell(transaction, tenant_id, post_id, now, None, state, why)
    if due_at is not None:
        await transaction.run("announce_due")
    return post_id


async def add_parts(
    transaction: Transaction,
    tenant_id: TenantId,
    integration_id: IntegrationId,
    post_id: PostId,
    parts: Sequence[NewPart],
) -> None:
    """Store a post's parts and their files."""
    for position, part in enumerate(parts, start=1):
        row = await transaction.run_one(
            "add_part",
            tenant=tenant_id,
            post=post_id,
            integration=integration_id,
            position=position,
            text=part.text,
        )
        assert row is not None
        for order, media in enumerate(part.media, start=1):
            await transaction.run(
                "add_media_asset",
                tenant=tenant_id,
                part=row["id"],
                position=order,
                path=media.path,
                sha256=media.sha256,
                kind=media.kind,
                mime_type=media.mime_type,
                size_bytes=media.size_bytes,
                alt_text=media.alt_text,
            )


async def tell(
    transaction: Transaction,
    tenant_id: TenantId,
    post_id: PostId,
    at: datetime,
    before: str | None,
    after: str,
    why: str,
    *,
    position: int | None = None,
) -> None:
    """Write a line of the post's history."""
    await transaction.run(
        "add_event",
        tenant=tenant_id,
        post=post_id,
        position=position,
        at=at,
        before=before,
        after=after,
        why=why,
    )


async def get(transaction: Transaction, post_id: PostId) -> Post:
    """A post with its parts and files. Raises: PostNotFound."""
    row = await transaction.run_one("get_post", post=post_id)
    if row is None:
        raise PostNotFound(f"There is no post {post_id}.")
    return (await _with_parts(transaction, [row]))[0]


async def list_all(
    transaction: Transaction, integration_id: IntegrationId | None = None
) -> list[Post]:
    """The tenant's posts in due order, drafts last; of one account where it is given."""
    return await _with_parts(
        transaction, await transaction.run("list_posts", integration=integration_id)
    )


async def _with_parts(transaction: Transaction, rows: list[dict[str, Any]]) -> list[Post]:
    ids = [row["id"] for row in rows]
    media: dict[int, list[MediaAsset]] = {}
    for found in await transaction.run("list_media_assets", posts=ids):
        part_id = found.pop("part_id")
        kind = MediaKind(found.pop("kind"))
        media.setdefault(part_id, []).append(MediaAsset(**found, kind=kind))
    parts: dict[int, list[Part]] = {}
    for found in await transaction.run("list_parts", posts=ids):
        state = PartState(found.pop("state"))
        part = Part(**found, state=state, media=tuple(media.get(found["id"], ())))
        parts.setdefault(found["post_id"], []).append(part)
    return [
        Post(
            id=row["id"],
            tenant_id=row["tenant_id"],
            integration_id=row["integration_id"],
            state=PostState(row["state"]),
            due_at=row["due_at"],
            reason=row["reason"],
            parts=tuple(parts.get(row["id"], ())),
        )
        for row in rows
    ]


async def list_events(transaction: Transaction, post_id: PostId) -> list[Event]:
    """The post's history, oldest first."""
    return [Event(**row) for row in await transaction.run("list_events", post=post_id)]


async def find_next_publishing(
    transaction: Transaction, integration_id: IntegrationId, besides: Collection[PostId]
) -> PostId | None:
    """The account's next post on its way that does not wait, in due order."""
    row = await transaction.run_one(
        "next_publishing_post", integration=integration_id, besides=list(besides)
    )
    return None if row is None else PostId(row["id"])


async def list_uploads(transaction: Transaction, part_id: PartId) -> list[Upload]:
    """What X holds of the part's files."""
    return [Upload(**row) for row in await transaction.run("list_uploads", part=part_id)]


async def keep_upload(transaction: Transaction, tenant_id: TenantId, upload: Upload) -> None:
    """Remember what X answered to an upload."""
    await transaction.run(
        "keep_upload",
        tenant=tenant_id,
        asset=upload.asset_id,
        media_id=upload.media_id,
        media_key=upload.media_key,
        expires_at=upload.expires_at,
    )


async def find_last_attempt(transaction: Transaction, part_id: PartId) -> LastAttempt | None:
    """The part's latest try, or None where there was none."""
    row = await transaction.run_one("last_attempt", part=part_id)
    if row is None:
        return None
    return LastAttempt(
        attempt=Attempt(
            id=row["id"],
            part_id=row["part_id"],
            number=row["number"],
            started_at=row["started_at"],
            outcome=row["outcome"],
        ),
        unsettled_since=row["unsettled_since"] or row["started_at"],
        without_parent=row["without_parent"],
        said_duplicate=row["said_duplicate"],
        wall_left=timedelta(seconds=row["seconds_left"]),
        empty_reads=row["empty_reads"],
        empty_read_at=row["empty_read_at"],
    )


async def begin_attempt(
    transaction: Transaction,
    tenant_id: TenantId,
    part: Part,
    *,
    started_at: datetime,
    deadline: timedelta,
) -> Attempt | None:
    """Move the part to `sending` and open a try; None where another changed the part meanwhile."""
    row = await transaction.run_one(
        "begin_attempt",
        tenant=tenant_id,
        part=part.id,
        before=part.state,
        started_at=started_at,
        deadline=deadline,
    )
    if row is None:
        return None
    return Attempt(row["id"], part.id, row["number"], started_at, None)


async def end_attempt(transaction: Transaction, attempt_id: AttemptId, outcome: str) -> None:
    """Write what became of a try, in a word of `Attempt.outcome`."""
    await transaction.run("end_attempt", attempt=attempt_id, outcome=outcome)


async def count_empty_read(
    transaction: Transaction, attempt_id: AttemptId, at: datetime, *, counts: bool
) -> None:
    """The timeline did not show the post; only a read past X's read lag counts."""
    await transaction.run("count_empty_read", attempt=attempt_id, at=at, counts=int(counts))


async def move_part(
    transaction: Transaction,
    part: Part,
    before: Collection[PartState],
    after: PartState,
    attempt: Attempt | None,
    *,
    sent_as: TweetId | None = None,
    sent_at: datetime | None = None,
) -> bool:
    """Change a part's state, as `attempt` (or nothing that was tried) ended.

    False where the part is not in `before` any more, or a later attempt has been made.
    """
    row = await transaction.run_one(
        "move_part",
        part=part.id,
        before=[state.value for state in before],
        after=after,
        attempt=0 if attempt is None else attempt.number,
        sent_as=sent_as,
        sent_at=sent_at,
    )
    return row is not None


async def move(
    transaction: Transaction,
    post_id: PostId,
    before: PostState,
    after: PostState,
    reason: str | None = None,
) -> bool:
    """Change a post's state; False where it was not in `before` any more."""
    row = await transaction.run_one(
        "move_post", post=post_id, before=before, after=after, reason=reason
    )
    return row is not None


async def wait_until(transaction: Transaction, post_id: PostId, instant: datetime) -> None:
    """Let the post rest until an instant of domain time; the dispatcher brings it back."""
    await transaction.run("wait_post", post=post_id, until=instant)
    await transaction.run("announce_due")


async def list_adopted(
    transaction: Transaction, integration_id: IntegrationId, tweets: Collection[TweetId]
) -> set[TweetId]:
    """Which of these tweets are known to be one of the account's parts."""
    rows = await transaction.run("list_adopted", integration=integration_id, tweets=list(tweets))
    return {TweetId(row["sent_as"]) for row in rows}


async def lock_state(transaction: Transaction, post_id: PostId) -> PostState:
    """A post's state, kept from changing until the transaction ends. Raises: PostNotFound."""
    row = await transaction.run_one("lock_post", post=post_id)
    if row is None:
        raise PostNotFound(f"There is no post {post_id}.")
    return PostState(row["state"])


async def replace_parts(
    transaction: Transaction,
    tenant_id: TenantId,
    integration_id: IntegrationId,
    post_id: PostId,
    parts: Sequence[NewPart],
) -> None:
    """Other parts for a post that has not begun."""
    await transaction.run("drop_parts", post=post_id)
    await add_parts(transaction, tenant_id, integration_id, post_id, parts)


async def reschedule(transaction: Transaction, post_id: PostId, due_at: datetime) -> None:
    """Another time for a draft or scheduled post."""
    await transaction.run("reschedule_post", post=post_id, due_at=due_at)
    await transaction.run("announce_due")


async def list_imported(transaction: Transaction, keys: Collection[str]) -> set[str]:
    """Which of these posts an earlier import has brought."""
    rows = await transaction.run("list_imported", keys=list(keys))
    return {row["import_key"] for row in rows}
