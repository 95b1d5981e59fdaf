"""Brings a post's files to X ahead of its time, each from the last segment that X has.

The account is not held meanwhile: a video may take minutes, and its other posts go out. What X
refuses here ends the post before anything of it is out.
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
from roost.failpoints import Failpoint
from roost.models import (
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
    TenantId,
)
from roost.outcome_alerts import alert_outcome
from roost.publishing import next_step
from roost.publishing.state import PartProgress, Upload
from roost.runtime import Runtime
from roost.store.database import Transaction
from roost.store.locks import AccountLocks
from roost.store.uploads import UploadRow
from roost.telemetry import failpoint
from roost.x.media import UploadState

log = logging.getLogger(__name__)

_CATEGORY: Final = {
    MediaKind.IMAGE: "tweet_image",
    MediaKind.GIF: "tweet_gif",
    MediaKind.VIDEO: "tweet_video",
}
#: An upload that did not go through is gone on with after this, in domain time.
_AGAIN: Final = timedelta(minutes=1)
#: States of a post whose files are wanted on X.
_WANTED: Final = frozenset({PostState.SCHEDULED, PostState.PUBLISHING})
_STATE: Final = msgspec.json.Decoder(UploadState)


async def prepare_post(
    runtime: Runtime,
    locks: AccountLocks,
    tenant_id: TenantId,
    integration_id: IntegrationId,
    post_id: PostId,
) -> None:
    """Bring the files of a post to X, unless somebody does already; then it may go on."""
    await locks.shield(_prepare(runtime, locks, tenant_id, integration_id, post_id))


async def _prepare(
    runtime: Runtime,
    locks: AccountLocks,
    tenant_id: TenantId,
    integration_id: IntegrationId,
    post_id: PostId,
) -> None:
    async with locks.uploading(post_id) as alone:
        if not alone or locks.is_ending:
            return
        async with runtime.database.for_tenant(tenant_id) as transaction:
            post = await store.posts.get(transaction, post_id)
            account = await store.integrations.get(transaction, integration_id)
            rows = await store.uploads.list_uploads(transaction, post_id)
        if account.environment is not runtime.settings.environment:
            return  # a job of another X: its own workers find the post by its rows
        if account.status is not IntegrationStatus.CONNECTED:
            return  # its posts wait, and ask for their files again when they go on
        if post.state in _WANTED:
            await _Files(runtime, post, account).bring(rows)


@dataclass(frozen=True)
class _Files:
    """One post's files on their way to X."""

    runtime: Runtime
    post: Post
    account: Integration

    async def bring(self, rows: dict[MediaAssetId, UploadRow]) -> None:
        """Upload what X does not hold for long enough; then the post may go on."""
        # What X holds has to last until the post is due, not just until now.
        needed_at = max(self.runtime.clock.now(), self.post.due_at or self.runtime.clock.now())
        held = {asset_id: row.finished for asset_id, row in rows.items() if row.finished}
        client = None
        for part in self.post.parts:
            if part.state is PartState.SENT:
                continue
            for asset in part.media:
                if not next_step.lacks_upload(PartProgress(part, (), held), asset, now=needed_at):
                    continue
                try:
                    client = client or open_client(StoredTokenSource(self.runtime, self.account))
                    await self._upload(client, asset, rows.get(asset.id))
                except (
                    x.errors.Rejected, x.media.UploadRefused, MediaChanged, MediaCopyDamaged,
                    MediaCopyLost,
                ) as error:  # fmt: skip
                    await self._refuse(part.position, f"{error.code}: {error.message}")
                    return
                except ReconnectNeeded as error:
                    await mark_needs_reconnect(self.runtime, self.account, error)
                    return
                except x.errors.RateLimited as error:
                    await self._later(error.wait, f"an upload did not go through: {error}")
                    return
                except (RoostError, OSError) as error:
                    await self._later(_AGAIN, f"an upload did not go through: {error}")
                    return
        await self._ready()

    async def _upload(self, client: x.Client, asset: MediaAsset, row: UploadRow | None) -> None:
        failpoint(Failpoint.UPLOAD_BEFORE_SEND)

        async def keep_state(state: UploadState) -> None:
            told = msgspec.json.encode(state)
            async with self.runtime.database.for_tenant(self.post.tenant_id) as transaction:
                await store.uploads.save_upload_progress(
                    transaction, self.post.tenant_id, asset.id, told
                )
            failpoint(Failpoint.UPLOAD_AFTER_SEGMENT)

        async with self.runtime.media.open_copy(asset.sha256, Path(asset.path)) as copy:
            uploaded = await x.media.upload(
                client,
                x.media.HashedFile(copy, asset.sha256),
                mime_type=asset.mime_type,
                category=_CATEGORY[asset.kind],
                alt_text=asset.alt_text,
                segment_bytes=self.runtime.settings.roost_segment_bytes,
                state=_STATE.decode(row.progress) if row and row.progress else None,
                on_state=keep_state,
            )
        failpoint(Failpoint.UPLOAD_AFTER_SEND)
        expires_at = self.runtime.clock.now() + uploaded.expires_after
        upload = Upload(asset.id, uploaded.media_id, uploaded.media_key, expires_at)

        async def keep() -> None:
            async with self.runtime.database.for_tenant(self.post.tenant_id) as transaction:
                await store.uploads.save_upload(transaction, self.post.tenant_id, upload)

        await self.runtime.until_kept(f"an upload of post {self.post.id}", keep)
        failpoint(Failpoint.UPLOAD_AFTER_COMMIT)

    async def _ready(self) -> None:
        now = self.runtime.clock.now()
        async with self.runtime.database.for_tenant(self.post.tenant_id) as transaction:
            await transaction.run("end_wait", post=self.post.id, at=now)
            await self._tell(transaction, "its files are on X")
            await transaction.run("announce_due")

    async def _later(self, pause: timedelta, why: str) -> None:
        log.warning("post %s: %s", self.post.id, why)
        at = self.runtime.clock.now() + pause
        async with self.runtime.database.for_tenant(self.post.tenant_id) as transaction:
            await transaction.run("retry_upload_at", post=self.post.id, at=at)
            await self._tell(transaction, f"waits: {why}")
            await transaction.run("announce_due")

    async def _refuse(self, position: int, why: str) -> None:
        """X will not have a file, so that the post cannot become what it was meant to be."""
        now, actor = self.runtime.clock.now(), self.runtime.actor
        part = self.post.parts[position - 1]
        async with self.runtime.database.for_tenant(self.post.tenant_id) as transaction:
            state = await store.posts.lock_state(transaction, self.post.id)
            if state not in _WANTED:
                return  # cancelled or edited meanwhile
            after = PostState.NEEDS_DECISION
            if part.state is PartState.PENDING:
                if not await store.publishing.move_part(
                    transaction, part.id, PartState.PENDING, PartState.FAILED,
                    at=now, reason=why, actor=actor,
                ):  # fmt: skip
                    return
                sent = any(each.state is PartState.SENT for each in self.post.parts)
                after = PostState.PARTLY_PUBLISHED if sent else PostState.FAILED
            if await store.posts.move(transaction, self.post.id, state, after, why, at=now):
                await store.posts.add_event(
                    transaction,
                    self.post.tenant_id,
                    self.post.id,
                    now,
                    state,
                    after,
                    why,
                    actor=actor,
                )
                await alert_outcome(transaction, self.post, self.account, after, why, at=now)

    async def _tell(self, transaction: Transaction, why: str) -> None:
        """A line of the story, unless it ends with the same."""
        state = await store.posts.lock_state(transaction, self.post.id)
        if state not in _WANTED:
            return
        events = await store.posts.list_events(transaction, self.post.id)
        if events and events[-1].why == why:
            return
        await store.posts.add_event(
            transaction, self.post.tenant_id, self.post.id, self.runtime.clock.now(), state, state,
            why, actor=self.runtime.actor,
        )  # fmt: skip
