"""The three steps that touch X: upload a file, send a part, ask the timeline about one."""

import asyncio
import hashlib
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final, assert_never

from roost import promise, store, x
from roost.errors import MediaChanged, RoostError
from roost.models import MediaAsset, MediaKind, Part, PartState
from roost.services.publish.points import Point
from roost.services.publish.way import Way
from roost.store.posts import LastAttempt, Upload
from roost.telemetry import reached
from roost.x.wire import boot_seconds

#: Pauses in domain time after answers that surely created nothing.
PAUSE_UNREACHABLE: Final = timedelta(seconds=20)
_PAUSE_PARENT: Final = timedelta(seconds=5)
#: A fresh parent is visible within seconds; one that is not after so many tries is gone.
_PARENT_TRIES: Final = 12
_PAUSE_CREDITS: Final = timedelta(minutes=5)
_CATEGORY: Final = {
    MediaKind.IMAGE: "tweet_image",
    MediaKind.GIF: "tweet_gif",
    MediaKind.VIDEO: "tweet_video",
}


def _pause_of(error: x.errors.RateLimited | x.errors.OutOfCredits) -> timedelta:
    return error.wait if isinstance(error, x.errors.RateLimited) else _PAUSE_CREDITS


async def upload_media(way: Way, part: Part, asset: MediaAsset) -> bool:
    """Bring one file to X and remember its id; whether to go on at once."""
    reached(Point.UPLOAD_BEFORE_SEND)
    try:
        if await asyncio.to_thread(_sha256, asset.path) != asset.sha256:
            raise MediaChanged(f"{asset.path} is not the file that was checked.")
        uploaded = await x.media.upload(
            way.client,
            asset.path,
            mime_type=asset.mime_type,
            category=_CATEGORY[asset.kind],
            alt_text=asset.alt_text,
            segment_bytes=way.house.settings.roost_segment_bytes,
        )
    except (x.errors.Rejected, MediaChanged) as error:
        await way.refused(part, None, error)
        return True
    except (x.errors.RateLimited, x.errors.OutOfCredits) as error:
        await way.rest(_pause_of(error), str(error))
        return False
    except (FileNotFoundError, PermissionError) as error:
        gone = MediaChanged(f"{asset.path} cannot be read any more ({type(error).__name__}).")
        await way.refused(part, None, gone)
        return True
    except (x.errors.XUnavailable, x.errors.OutcomeUnknown, OSError) as error:
        # An upload that nobody attaches expires by itself: it is simply made again.
        await way.rest(PAUSE_UNREACHABLE, f"an upload did not go through: {error}")
        return False
    reached(Point.UPLOAD_AFTER_SEND)
    expires_at = way.house.clock.now() + uploaded.expires_after
    async with way.house.database.tenant(way.tenant_id) as transaction:
        upload = Upload(asset.id, uploaded.media_id, uploaded.media_key, expires_at)
        await store.posts.keep_upload(transaction, way.tenant_id, upload)
    reached(Point.UPLOAD_AFTER_COMMIT)
    return True


def _sha256(path: str) -> str:
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


async def send_part(
    way: Way, part: Part, uploads: Sequence[Upload], *, again: bool, without_parent: int
) -> bool:
    """One attempt, committed before it is sent; whether to go on at once.

    `again`: it repeats, byte by byte, one that X did not answer; `without_parent` earlier ones
    were refused because the part before was not visible. The local deadline is read before
    the commit, from a clock that counts suspended time, and holds for commit and request together.
    """
    await way.client.tokens.get()  # a refresh belongs before the deadline, not into it
    deadline = way.house.settings.create_deadline
    deadline_at = boot_seconds() + deadline.total_seconds()
    reached(Point.CREATE_BEFORE_COMMIT)
    async with way.house.database.tenant(way.tenant_id) as transaction:
        attempt = await store.posts.begin_attempt(
            transaction,
            way.tenant_id,
            part,
            started_at=way.house.clock.now(),
            deadline=deadline,
        )
        if attempt is None:
            return True
        why = "sent again: X's timeline does not show it" if again else "sent to X"
        await way.tell_part(transaction, part, part.state, PartState.SENDING, why)
    reached(Point.CREATE_BEFORE_SEND)
    if not await way.locks.still_hold(way.integration.id):
        # Nothing left the machine; whoever holds the account now decides from the rows.
        await way.take_back(part, attempt, "the account's lock was lost")
        return False
    by_asset = {upload.asset_id: upload.media_id for upload in uploads}
    try:
        created = await x.posts.create(
            way.client,
            text=part.text or None,
            media_ids=[by_asset[asset.id] for asset in part.media],
            reply_to=way.parent_of(part),
            deadline=deadline_at,
        )
    except x.errors.DuplicatePost as error:
        if again:
            await way.take_back(
                part, attempt, "X says it has this post already", outcome="duplicate"
            )
        else:
            await way.refused(part, attempt, error)
        return True
    except x.errors.ParentNotVisible as error:
        if without_parent + 1 >= _PARENT_TRIES and not again:
            await way.refused(part, attempt, error)
            return True
        await way.take_back(part, attempt, str(error), outcome="no_parent")
        await way.rest(_PAUSE_PARENT, "the part before it is not visible to X yet")
        return False
    except (x.errors.RateLimited, x.errors.OutOfCredits) as error:
        await way.take_back(part, attempt, str(error))
        await way.rest(_pause_of(error), str(error))
        return False
    except x.errors.Rejected as error:
        if not again:
            await way.refused(part, attempt, error)
            return True
        # It tells nothing about the attempt that this one repeated.
        why = f"X did not answer the first attempt, and refuses another: {error.message}"
        await way.take_back(part, attempt, why)
        await way.ask_person(part, why)
        return False
    except x.errors.OutcomeUnknown as error:
        await way.unknown(part, attempt, str(error))
        return True
    except RoostError as error:
        # X could not be reached or did not let us in, or there was no token to ask with.
        await way.take_back(part, attempt, str(error))
        raise
    reached(Point.CREATE_AFTER_SEND)
    await way.sent(part, attempt, created.tweet_id)
    reached(Point.CREATE_AFTER_COMMIT)
    return True


async def ask_timeline(
    way: Way, part: Part, last: LastAttempt, uploads: Sequence[Upload], *, counts: bool
) -> bool:
    """Look whether an attempt without an answer became a post; whether to go on at once."""
    reached(Point.READ_BEFORE_SEND)
    try:
        timeline = [
            promise.Seen(
                tweet_id=seen.tweet_id,
                text=seen.expanded_text,
                created_at=seen.created_at,
                reply_to=seen.reply_to,
                media_keys=frozenset(seen.media_keys),
            )
            async for seen in x.posts.read_timeline(
                way.client,
                way.integration.x_user_id,
                since_id=promise.since_tweet(last.unsettled_since),
            )
        ]
    except (x.errors.RateLimited, x.errors.OutOfCredits) as error:
        await way.rest(_pause_of(error), str(error))
        return False
    except x.errors.Rejected as error:
        await way.ask_person(part, f"X does not show its timeline: {error.message}")
        return False
    reached(Point.READ_AFTER_SEND)
    async with way.house.database.tenant(way.tenant_id) as transaction:
        adopted = await store.posts.list_adopted(
            transaction, way.integration.id, [seen.tweet_id for seen in timeline]
        )
    verdict = promise.judge_timeline(
        text=x.posts.as_returned(part.text),
        media_keys=[upload.media_key for upload in uploads],
        reply_to=way.parent_of(part),
        since=last.unsettled_since,
        timeline=timeline,
        adopted=adopted,
    )
    match verdict:
        case promise.Found(seen):
            await way.sent(
                part,
                last.attempt,
                seen.tweet_id,
                found_of=seen.created_at,
            )
        case promise.NotFound():
            async with way.house.database.tenant(way.tenant_id) as transaction:
                await store.posts.count_empty_read(
                    transaction, last.attempt.id, way.house.clock.now(), counts=counts
                )
        case promise.Ambiguous(several):
            ids = ", ".join(seen.tweet_id for seen in several)
            await way.ask_person(part, f"several posts on X look like it: {ids}")
            return False
        case _:
            assert_never(verdict)
    reached(Point.READ_AFTER_COMMIT)
    return True
