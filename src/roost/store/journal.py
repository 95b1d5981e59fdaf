"""A post's journal: read whole by whoever takes the post up, written step by step."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import psycopg

from roost.errors import DatabaseForgot, PostNotFound
from roost.journal import Attempt, Outcome, PartJournal, PostJournal, Recheck, Rest, Upload
from roost.limits import Family, Window
from roost.models import (
    AttemptId,
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
from roost.store import accounts, part_options, posts
from roost.store.database import Runs, Statements
from roost.store.locks import Fence
from roost.store.statements import array_of
from roost.store.vault import SealedKey

#: What `begin_attempt` raises where the database lacks the fence.
_FORGOT: Final = "RS001"


@dataclass(frozen=True, slots=True)
class TakenUp:
    """A post in a worker's hands, and its account's grant as it lies in the database."""

    journal: PostJournal
    grant: accounts.SealedGrant = field(repr=False)
    database_now: datetime
    """The database's wall clock."""


async def find_next(
    database: Runs,
    tenant_id: TenantId,
    integration_id: IntegrationId,
    besides: Collection[PostId],
) -> TakenUp | None:
    """The account's next post on its way that does not wait, in due order."""
    row = await database.run_one(
        "take_up_post",
        tenant=tenant_id,
        post=None,
        integration=integration_id,
        besides=array_of(besides),
    )
    return None if row is None else _taken_up(row)


async def get(transaction: Statements, post_id: PostId) -> PostJournal:
    """The journal of any post. Raises: PostNotFound."""
    row = await transaction.run_one(
        "take_up_post", tenant=None, post=post_id, integration=None, besides=array_of(())
    )
    if row is None:
        raise PostNotFound(f"There is no post {post_id}.")
    journal = _taken_up(row).journal
    # What only people look at is left out of the statement that workers run.
    post = await posts.get(transaction, post_id)
    return replace(journal, post=replace(post, parts=journal.post.parts))


def _taken_up(row: Mapping[str, Any]) -> TakenUp:
    account = row["account"] | {
        name: _instant(row["account"][name]) for name in ("connected_at", "rest_until")
    }
    sealed_key = SealedKey(row["ring_key_id"], row["sealed_key"]) if row["sealed_key"] else None
    grant = accounts.sealed_grant(account, sealed_key)
    return TakenUp(_journal(row, account), grant, row["database_now"])


def _journal(row: Mapping[str, Any], account: Mapping[str, Any]) -> PostJournal:
    media: dict[int, list[MediaAsset]] = {}
    for each in row["media"] or ():
        asset = MediaAsset(
            each["id"], each["path"], each["sha256"], MediaKind(each["kind"]),
            each["mime_type"], each["size_bytes"], each["alt_text"],
        )  # fmt: skip
        media.setdefault(each["part_id"], []).append(asset)
    attempts: dict[int, list[Attempt]] = {}
    for each in row["attempts"] or ():
        attempts.setdefault(each["part_id"], []).append(_attempt(each))
    uploads = {
        MediaAssetId(each["asset_id"]): Upload(
            MediaAssetId(each["asset_id"]),
            XMediaId(each["media_id"]),
            each["media_key"],
            datetime.fromisoformat(each["expires_at"]),
        )
        for each in row["uploads"] or ()
    }
    parts = tuple(
        PartJournal(
            Part(
                id=PartId(each["id"]),
                post_id=PostId(each["post_id"]),
                position=each["position"],
                text=each["text"],
                state=PartState(each["state"]),
                sent_as=each["sent_as"],
                sent_at=_instant(each["sent_at"]),
                media=tuple(media.get(each["id"], ())),
                deleted_at=_instant(each["deleted_at"]),
                options=part_options.from_row(each),
            ),
            tuple(attempts.get(each["id"], ())),
            uploads,
        )
        for each in row["parts"] or ()
    )
    post = Post(
        id=PostId(row["id"]),
        tenant_id=TenantId(row["tenant_id"]),
        integration_id=IntegrationId(row["integration_id"]),
        state=PostState(row["state"]),
        due_at=row["due_at"],
        reason=row["reason"],
        parts=tuple(one.part for one in parts),
        paused=row["paused"],
        tolerance=row["tolerance"],
    )
    rest_until = row["app_rest_until"]
    return PostJournal(
        post=post,
        account=accounts.integration_of(account),
        parts=parts,
        late_from=row["late_from"],
        windows=tuple(
            Window(
                Family(each["family"]),
                each["max_requests"],
                each["remaining"],
                datetime.fromisoformat(each["resets_at"]),
            )
            for each in row["windows"] or ()
        ),
        app_rest=Rest(rest_until, row["app_rest_why"]) if rest_until else None,
        recheck=Recheck(row["recheck_since"], row["recheck_until"])
        if row["recheck_until"]
        else None,
    )


def _attempt(told: Mapping[str, Any]) -> Attempt:
    return Attempt(
        id=AttemptId(told["id"]),
        number=told["number"],
        started_at=datetime.fromisoformat(told["started_at"]),
        wall_left=timedelta(seconds=told["seconds_left"]),
        outcome=Outcome(told["outcome"]) if told["outcome"] else None,
        empty_reads=told["empty_reads"],
        empty_read_at=_instant(told["empty_read_at"]),
        decided_absent=told["decided_absent"],
        media_ids=tuple(XMediaId(each) for each in told["media_ids"]),
        media_keys=tuple(told["media_keys"]),
        app_backoff=timedelta(seconds=told["backoff_seconds"]),
    )


def _instant(told: str | None) -> datetime | None:
    return None if told is None else datetime.fromisoformat(told)


async def begin_attempt(
    database: Runs,
    tenant_id: TenantId,
    journal: PartJournal,
    uploads: Sequence[Upload],
    *,
    started_at: datetime,
    deadline: timedelta,
    at: datetime,
    why: str,
    who: str,
    fence: Fence | None,
    is_wall_time: bool,
) -> tuple[Attempt, Fence | None] | None:
    """Move the part to `sending` and open an attempt; what this process has seen last, by then.

    `started_at` is X's time, where reconciling begins; `at` is this worker's.

    None where another changed the part meanwhile, something of it is paused, or it is not due by
    the database's clock either (asked where domain time is wall time).

    Raises: DatabaseForgot where the database lacks the fence; nothing is written.
    """
    media_ids = [upload.media_id for upload in uploads]
    media_keys = [upload.media_key for upload in uploads]
    try:
        row = await database.run_one(
            "begin_attempt",
            tenant=tenant_id,
            part=journal.part.id,
            before=journal.part.state,
            tried=len(journal.attempts),
            started_at=started_at,
            deadline=deadline,
            at=at,
            media_ids=media_ids,
            media_keys=media_keys,
            why=why,
            who=who,
            fence_event=fence.event_id if fence else None,
            fence_tag=fence.event_tag if fence else None,
            fence_timeline=fence.timeline if fence else None,
            is_wall_time=is_wall_time,
        )
    except psycopg.DatabaseError as error:
        if error.sqlstate == _FORGOT:
            raise DatabaseForgot(
                "The database lacks what this worker has seen in it.",
                did="Nothing was sent.",
            ) from None
        raise
    if row is None:
        return None
    attempt = Attempt(
        AttemptId(row["id"]), row["number"], started_at, deadline,
        media_ids=tuple(media_ids), media_keys=tuple(media_keys),
    )  # fmt: skip
    seen = Fence(row["event_id"], row["event_tag"], fence.timeline) if fence else None
    return attempt, seen


@dataclass(frozen=True, slots=True)
class Sent:
    """What settling a sent part found."""

    moved: bool
    """It was written now."""
    known: bool
    """X's id had been written before, by whoever took over."""
    is_last: bool
    """Its post has come to its end, and the account has no other to go on with."""
    forgotten: bool = False
    """The database lacks the attempt: it was restored, or failed over, meanwhile."""


async def settle_sent(
    database: Runs,
    tenant_id: TenantId,
    integration_id: IntegrationId,
    part: Part,
    attempt: Attempt,
    tweet_id: TweetId,
    *,
    outcome: Outcome,
    sent_at: datetime,
    usd: Decimal,
    priced: str,
    windows: Collection[Window],
    at: datetime,
    before: PartState,
    why: str,
    who: str,
    besides: Collection[PostId] = (),
) -> Sent:
    """X has a part: write its id, the bill, the story, and the post's end where it was the last.

    `besides` are posts of the account that could not be gone on with anyway.
    """
    row = await database.run_one(
        "settle_sent",
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
        priced=priced,
        at=at,
        before=before,
        why=why,
        who=who,
        # By the statement's own snapshot this post is on its way still.
        besides=array_of([*besides, part.post_id]),
        windows=_told(windows),
    )
    assert row is not None
    return Sent(row["moved"], row["known"], row["is_last"], row["forgotten"])


def _told(windows: Collection[Window]) -> str:
    rows = [
        {
            "family": window.family,
            "max_requests": window.limit,
            "remaining": window.remaining,
            "resets_at": window.resets_at.isoformat(),
        }
        for window in windows
    ]
    return json.dumps(rows)


async def keep_windows(
    transaction: Statements,
    integration_id: IntegrationId,
    windows: Collection[Window],
) -> None:
    """Remember how many creates X still takes of the account."""
    await transaction.run("keep_windows", integration=integration_id, windows=_told(windows))


async def end_attempt(
    transaction: Statements,
    part: Part,
    attempt: Attempt,
    after: PartState,
    outcome: Outcome,
    *,
    at: datetime,
    why: str,
    who: str,
) -> bool:
    """Write what became of a try that is not `sent`; False where a later one was made of the part,
    about which this one has nothing to say."""
    row = await transaction.run_one(
        "end_attempt",
        part=part.id,
        attempt=attempt.id,
        number=attempt.number,
        after=after,
        outcome=outcome,
        at=at,
        why=why,
        who=who,
    )
    return bool(row and row["moved"])


async def count_empty_read(
    transaction: Statements, attempt: Attempt, at: datetime, *, counts: bool
) -> None:
    """The timeline did not show the post; only a read past X's read lag counts."""
    await transaction.run("count_empty_read", attempt=attempt.id, at=at, counts=int(counts))


async def move_part(
    transaction: Statements,
    part_id: PartId,
    before: PartState,
    after: PartState,
    *,
    at: datetime,
    why: str,
    who: str,
) -> bool:
    """Change a part's state without an attempt's answer; False where it was not in `before`."""
    row = await transaction.run_one(
        "move_part", part=part_id, before=before, after=after, at=at, why=why, who=who
    )
    return bool(row and row["moved"])


async def wait_until(
    transaction: Statements,
    post_id: PostId,
    until: datetime,
    *,
    excused: bool,
    counts_as_late: bool = False,
    at: datetime,
    reason: str,
    who: str,
) -> None:
    """Let the post wait until an instant of domain time; the dispatcher brings it back."""
    await transaction.run(
        "wait_post", post=post_id, until=until, excused=excused, counts_as_late=counts_as_late,
        at=at, reason=reason, why=f"waits: {reason}", who=who,
    )  # fmt: skip
    await transaction.run("announce_due")
