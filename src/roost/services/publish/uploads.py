"""Uploads a post's files ahead of its due time, and resumes interrupted uploads.

The upload of a video may take minutes. During an upload, the worker therefore does not hold the
account's lock, so that other posts of the account are published. If X refuses a file, the post
fails before a part is sent.
"""

import logging
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import msgspec

from roost import store, x
from roost.account_client import StoredTokenSource, mark_needs_reconnect, open_client
from roost.errors import (
    MediaChanged,
    MediaCopyDamaged,
    MediaCopyLost,
    ReconnectNeeded,
    RoostError,
)
from roost.failpoints import Failpoint, failpoint
from roost.models import (
    EventCode,
    Integration,
    IntegrationId,
    IntegrationStatus,
    MediaAsset,
    MediaAssetId,
    MediaKind,
    PartState,
    Post,
    PostId,
    PostState,
    Reason,
    ReasonCode,
    Scope,
    reason_detail,
)
from roost.outcome_alerts import FINAL_EVENTS, alert_outcome
from roost.publishing import next_step
from roost.publishing.history import describe_reason, error_reason
from roost.publishing.state import PartProgress, Upload
from roost.runtime import Runtime
from roost.store.database import Transaction
from roost.store.locks import AccountLocks
from roost.store.uploads import UploadRow
from roost.x.media import UploadState

log = logging.getLogger(__name__)

_CATEGORY: Final = {
    MediaKind.IMAGE: "tweet_image",
    MediaKind.GIF: "tweet_gif",
    MediaKind.VIDEO: "tweet_video",
}
#: Domain time after which a failed upload is resumed.
_RETRY_DELAY: Final = timedelta(minutes=1)
#: The states of posts for which files are uploaded.
_UPLOADABLE: Final = frozenset({PostState.SCHEDULED, PostState.PUBLISHING})
_STATE: Final = msgspec.json.Decoder(UploadState)


async def prepare_post(
    runtime: Runtime,
    scope: Scope,
    locks: AccountLocks,
    integration_id: IntegrationId,
    post_id: PostId,
) -> None:
    """Upload the files of a post, and end the post's wait for these uploads.

    Do nothing if another worker uploads the files.
    """
    await locks.shield(_prepare(runtime, scope, locks, integration_id, post_id))


async def _prepare(
    runtime: Runtime,
    scope: Scope,
    locks: AccountLocks,
    integration_id: IntegrationId,
    post_id: PostId,
) -> None:
    async with locks.uploading(post_id) as is_ours:
        if not is_ours or locks.is_ending:
            return
        async with runtime.database.for_tenant(scope.tenant_id) as transaction:
            post = await store.posts.get(transaction, post_id)
            account = await store.integrations.get(transaction, integration_id)
            rows = await store.uploads.list_uploads(transaction, post_id)
        if account.environment is not runtime.settings.environment:
            return  # Only workers of the account's environment may upload the files.
        if account.status is not IntegrationStatus.CONNECTED:
            return  # The post waits, and requests its uploads again after a reconnect.
        if post.state in _UPLOADABLE:
            await _PostUploads(runtime, scope, post, account).upload_missing(rows)


@dataclass(frozen=True)
class _PostUploads:
    """Uploads the files of one post."""

    runtime: Runtime
    scope: Scope
    post: Post
    account: Integration

    async def upload_missing(self, rows: dict[MediaAssetId, UploadRow]) -> None:
        """Upload each file that has no usable upload on X, then end the post's wait."""
        # An upload is not usable if it expires before the post is due.
        needed_at = max(self.runtime.clock.now(), self.post.due_at or self.runtime.clock.now())
        usable = {asset_id: row.finished for asset_id, row in rows.items() if row.finished}
        client = None
        for part in self.post.parts:
            if part.state is PartState.SENT:
                continue
            for asset in part.media:
                if not next_step.lacks_upload(PartProgress(part, (), usable), asset, now=needed_at):
                    continue
                try:
                    client = client or open_client(StoredTokenSource(self.runtime, self.account))
                    await self._upload(client, asset, rows.get(asset.id))
                except (
                    x.errors.Rejected, x.media.UploadRefused, MediaChanged, MediaCopyDamaged,
                    MediaCopyLost,
                ) as error:  # fmt: skip
                    await self._refuse(part.position, error_reason(error))
                    return
                except ReconnectNeeded as error:
                    await mark_needs_reconnect(self.runtime, self.account, error)
                    return
                except x.errors.RateLimited as error:
                    await self._retry_later(error.wait, error_reason(error))
                    return
                except RoostError as error:
                    await self._retry_later(_RETRY_DELAY, error_reason(error))
                    return
                except OSError as error:
                    facts = {"type": type(error).__name__, "message": error.strerror}
                    cause = Reason(ReasonCode.UNEXPECTED_ERROR, facts)
                    await self._retry_later(_RETRY_DELAY, cause)
                    return
        await self._resume_post()

    async def _upload(self, client: x.Client, asset: MediaAsset, row: UploadRow | None) -> None:
        failpoint(Failpoint.UPLOAD_BEFORE_SEND)

        async def save_progress(state: UploadState) -> None:
            progress = msgspec.json.encode(state)
            async with self.runtime.database.for_tenant(self.scope.tenant_id) as transaction:
                await store.uploads.save_upload_progress(
                    transaction, self.scope.tenant_id, asset.id, progress
                )
            failpoint(Failpoint.UPLOAD_AFTER_SEGMENT)

        async with self.runtime.media.open_copy(asset.sha256, Path(asset.path)) as copy:
            uploaded = await x.media.upload(
                client,
                x.media.HashedFile(copy, asset.sha256),
                mime_type=asset.mime_type,
                category=_CATEGORY[asset.kind],
                alt_text=asset.alt_text,
                segment_bytes=self.runtime.settings.segment_bytes,
                state=_STATE.decode(row.progress) if row and row.progress else None,
                on_state=save_progress,
            )
        failpoint(Failpoint.UPLOAD_AFTER_SEND)
        expires_at = self.runtime.clock.now() + uploaded.expires_after
        upload = Upload(asset.id, uploaded.media_id, uploaded.media_key, expires_at)

        async def save() -> None:
            async with self.runtime.database.for_tenant(self.scope.tenant_id) as transaction:
                await store.uploads.save_upload(transaction, self.scope.tenant_id, upload)

        await self.runtime.retry_until_written(f"an upload of post {self.post.id}", save)
        failpoint(Failpoint.UPLOAD_AFTER_COMMIT)

    async def _resume_post(self) -> None:
        now = self.runtime.clock.now()
        async with self.runtime.database.for_tenant(self.scope.tenant_id) as transaction:
            await transaction.run("end_wait", post=self.post.id, at=now)
            await self._add_event(transaction, EventCode.POST_UPLOADED)
            await transaction.run("announce_due")

    async def _retry_later(self, delay: timedelta, cause: Reason) -> None:
        log.warning("post %s: an upload failed: %s", self.post.id, describe_reason(cause))
        reason = Reason(ReasonCode.UPLOAD_FAILED, reason_detail(cause))
        at = self.runtime.clock.now() + delay
        async with self.runtime.database.for_tenant(self.scope.tenant_id) as transaction:
            await transaction.run("retry_upload_at", post=self.post.id, at=at)
            await self._add_event(transaction, EventCode.POST_DEFERRED, reason)
            await transaction.run("announce_due")

    async def _refuse(self, position: int, reason: Reason) -> None:
        """End the publishing of the post, because X refused a file or the file's copy is lost."""
        now, actor = self.runtime.clock.now(), self.scope.actor
        part = self.post.parts[position - 1]
        async with self.runtime.database.for_tenant(self.scope.tenant_id) as transaction:
            state = await store.posts.lock_state(transaction, self.post.id)
            if state not in _UPLOADABLE:
                return  # A user has cancelled or edited the post in the meantime.
            after = PostState.NEEDS_DECISION
            if part.state is PartState.PENDING:
                if not await store.publishing.move_part(
                    transaction, part.id, PartState.PENDING, PartState.FAILED,
                    EventCode.PART_REFUSED, at=now, detail=reason_detail(reason), actor=actor,
                ):  # fmt: skip
                    return
                sent = any(each.state is PartState.SENT for each in self.post.parts)
                after = PostState.PARTLY_PUBLISHED if sent else PostState.FAILED
            if await store.posts.move(transaction, self.post.id, state, after, reason, at=now):
                await store.posts.add_event(
                    transaction, self.scope.tenant_id, self.post.id, now, FINAL_EVENTS[after],
                    from_state=state, to_state=after, detail=reason_detail(reason), actor=actor,
                )  # fmt: skip
                await alert_outcome(transaction, self.post, self.account, after, reason, at=now)

    async def _add_event(
        self, transaction: Transaction, code: EventCode, reason: Reason | None = None
    ) -> None:
        """Add an event, unless the last event has the same code and reason."""
        state = await store.posts.lock_state(transaction, self.post.id)
        if state not in _UPLOADABLE:
            return
        events = await store.posts.list_events(transaction, self.post.id)
        if events and (events[-1].code, events[-1].reason) == (code, reason):
            return
        await store.posts.add_event(
            transaction, self.scope.tenant_id, self.post.id, self.runtime.clock.now(), code,
            from_state=state, to_state=state, detail=reason_detail(reason), actor=self.scope.actor,
        )  # fmt: skip
