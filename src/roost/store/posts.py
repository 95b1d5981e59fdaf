"""Posts, their parts and their journal: the rows from which any worker can resume."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from roost.errors import PostNotFound
from roost.models import (
    NO_OPTIONS,
    AlertKind,
    Event,
    IntegrationId,
    MediaAsset,
    MediaKind,
    Part,
    PartOptions,
    PartState,
    Post,
    PostId,
    PostState,
    TenantId,
    TweetId,
    Wait,
)
from roost.repeats import RepeatCandidate
from roost.store import alerts, part_options
from roost.store.database import Statements


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
    options: PartOptions = NO_OPTIONS


async def add(
    transaction: Statements,
    tenant_id: TenantId,
    integration_id: IntegrationId,
    parts: Sequence[NewPart],
    *,
    due_at: datetime | None,
    now: datetime,
    why: str,
    actor: str,
    upload_lead: timedelta,
    tolerance: timedelta | None = None,
    import_key: str | None = None,
) -> PostId | None:
    """Store a post, without a time as a draft; None where the import has it already.

    Its files are brought to X so long ahead of its time.
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
    await add_parts(transaction, tenant_id, integration_id, post_id, parts)
    await tell(transaction, tenant_id, post_id, now, None, state, why, actor=actor)
    if due_at is not None:
        await transaction.run("schedule_upload", post=post_id, lead=upload_lead)
        await transaction.run("announce_due")
    return post_id


async def add_parts(
    transaction: Statements,
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
            **part_options.as_columns(part.options),
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
    transaction: Statements,
    tenant_id: TenantId,
    post_id: PostId,
    at: datetime,
    before: str | None,
    after: str,
    why: str,
    *,
    actor: str,
    position: int | None = None,
) -> None:
    """Write a line of the post's history."""
    await transaction.run(
        "add_event",
        tenant=tenant_id,
        post=post_id,
        position=position,
        at=at,
        from_state=before,
        to_state=after,
        reason=why,
        actor=actor,
    )


async def get(transaction: Statements, post_id: PostId) -> Post:
    """A post with its parts and files. Raises: PostNotFound."""
    row = await transaction.run_one("get_post", post=post_id)
    if row is None:
        raise PostNotFound(f"There is no post {post_id}.")
    return (await _with_parts(transaction, [row]))[0]


async def list_all(
    transaction: Statements, integration_id: IntegrationId | None = None
) -> list[Post]:
    """The tenant's posts in due order, drafts last; of one account where it is given."""
    return await _with_parts(
        transaction, await transaction.run("list_posts", integration=integration_id)
    )


async def _with_parts(transaction: Statements, rows: list[dict[str, Any]]) -> list[Post]:
    ids = [row["id"] for row in rows]
    media: dict[int, list[MediaAsset]] = {}
    for found in await transaction.run("list_media_assets", posts=ids):
        part_id = found.pop("part_id")
        kind = MediaKind(found.pop("kind"))
        media.setdefault(part_id, []).append(MediaAsset(**found, kind=kind))
    parts: dict[int, list[Part]] = {}
    for found in await transaction.run("list_parts", posts=ids):
        state = PartState(found.pop("state"))
        options = part_options.from_row(found)
        for column in part_options.COLUMNS:
            del found[column]
        files = tuple(media.get(found["id"], ()))
        part = Part(**found, state=state, media=files, options=options)
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
            paused=row["paused"],
            tolerance=row["tolerance"],
            wait=Wait(row["wait_reason"], row["wait_until"]) if row["wait_reason"] else None,
            acknowledged_at=row["acknowledged_at"],
            possible_duplicate=row["possible_duplicate"],
        )
        for row in rows
    ]


async def list_events(transaction: Statements, post_id: PostId) -> list[Event]:
    """The post's history, oldest first."""
    return [
        Event(
            at=row["at"], post_id=row["post_id"], position=row["position"],
            before=row["from_state"], after=row["to_state"], why=row["reason"], actor=row["actor"],
        )
        for row in await transaction.run("list_events", post=post_id)
    ]  # fmt: skip


async def move(
    transaction: Statements,
    post_id: PostId,
    before: PostState,
    after: PostState,
    reason: str | None = None,
    *,
    at: datetime,
    due_at: datetime | None = None,
    ends_alerts: bool = True,
) -> bool:
    """Change a post's state; False where it was not in `before` any more, or not due then.

    The alerts about its old state end, unless their cause stays.
    """
    row = await transaction.run_one(
        "move_post",
        post=post_id,
        from_state=before,
        to_state=after,
        reason=reason,
        at=at,
        due_at=due_at,
        kinds=alerts.values_of(alerts.OF_POST_STATE if ends_alerts else ()),
    )
    return row is not None


async def acknowledge(
    transaction: Statements,
    post_id: PostId,
    *,
    states: Collection[PostState],
    kinds: Collection[AlertKind],
    at: datetime,
) -> None:
    """A person leaves the post as it is: these alerts end, and in these states it is marked."""
    await transaction.run(
        "acknowledge_post",
        post=post_id,
        states=[state.value for state in states],
        at=at,
        kinds=alerts.values_of(kinds),
    )


async def is_untouched(transaction: Statements, post_id: PostId) -> bool:
    """Whether X surely has nothing of a post, and no attempt is under way.

    It stays so only where the post is locked: an attempt waits for that.
    """
    row = await transaction.run_one("is_untouched", post=post_id)
    return bool(row and row["is_untouched"])


async def list_claimed(transaction: Statements, tweets: Collection[TweetId]) -> set[TweetId]:
    """Which of these tweets are known to be a part, of any tenant."""
    rows = await transaction.run("list_claimed", tweets=list(tweets))
    return {TweetId(row["sent_as"]) for row in rows}


async def list_own(
    transaction: Statements, integration_id: IntegrationId, tweets: Collection[TweetId]
) -> dict[TweetId, datetime | None]:
    """Which of these tweets are parts of the account, each with when it was deleted from X."""
    rows = await transaction.run("list_own_parts", integration=integration_id, tweets=list(tweets))
    return {TweetId(row["sent_as"]): row["deleted_at"] for row in rows}


async def list_said(
    transaction: Statements,
    integrations: Collection[IntegrationId],
    *,
    since: datetime,
    until: datetime,
    excluding: PostId | None = None,
) -> dict[IntegrationId, list[RepeatCandidate]]:
    """What each account has on X from then till then, or is to publish, but for one post."""
    said: dict[IntegrationId, list[RepeatCandidate]] = {each: [] for each in integrations}
    for row in await transaction.run(
        "list_texts",
        integrations=list(integrations),
        since=since,
        until=until,
        excluding=excluding,
    ):
        said[row["integration_id"]].append(
            RepeatCandidate(
                text=row["text"],
                file_hashes=tuple(row["files"]),
                options=part_options.from_row(row),
                at=row["at"],
                post_id=row["post_id"],
                is_published=row["is_out"],
            )
        )
    return said


async def lock_state(transaction: Statements, post_id: PostId) -> PostState:
    """A post's state, kept from changing until the transaction ends. Raises: PostNotFound."""
    row = await transaction.run_one("lock_post", post=post_id)
    if row is None:
        raise PostNotFound(f"There is no post {post_id}.")
    return PostState(row["state"])


async def replace_parts(
    transaction: Statements,
    tenant_id: TenantId,
    integration_id: IntegrationId,
    post_id: PostId,
    parts: Sequence[NewPart],
) -> None:
    """Other parts for a post of which X has nothing."""
    await transaction.run("delete_parts", post=post_id)
    await add_parts(transaction, tenant_id, integration_id, post_id, parts)


async def reschedule(
    transaction: Statements,
    post_id: PostId,
    due_at: datetime,
    *,
    upload_lead: timedelta,
    at: datetime,
) -> None:
    """Another time for a post of which X has nothing; the alerts about its old state end."""
    await transaction.run(
        "reschedule_post",
        post=post_id,
        due_at=due_at,
        at=at,
        kinds=alerts.values_of(alerts.OF_POST_STATE),
    )
    await transaction.run("schedule_upload", post=post_id, lead=upload_lead)
    await transaction.run("announce_due")


async def list_imported(transaction: Statements, keys: Collection[str]) -> set[str]:
    """Which of these posts an earlier import has brought."""
    rows = await transaction.run("list_imported", keys=list(keys))
    return {row["import_key"] for row in rows}
