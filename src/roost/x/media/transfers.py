"""Uploads a file's bytes: initialize, append segments in parallel, finalize.

Two steps may be repeated: append, because X stores segments by number, and finalize, because each
finalize completes the same file. If X sent no response to a finalize and refuses the next one, the
state on X is unknown, so the upload starts again. This module does not repeat a failed initialize.
The caller may repeat the whole upload then: no bytes have been sent, and X discards an upload that
no post attaches.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import msgspec

from roost.models import XMediaId
from roost.prices import Operation
from roost.x import errors, schemas
from roost.x.media.backends import UploadBackend, backend_for
from roost.x.media.content import Content, Source, open_content
from roost.x.media.metered import UploadClient
from roost.x.media.processing import to_processing
from roost.x.media.rules import check_category, check_size
from roost.x.media.segment import Segment
from roost.x.media.state import UploadApi, UploadState
from roost.x.retry import repeat_upload_step

_MIB: Final = 1024 * 1024
#: The size of the largest segment that each API accepts.
_SEGMENT_BYTES: Final = {UploadApi.V2: 4 * _MIB, UploadApi.V1_1: 5 * _MIB}
#: A size of segments that X has always accepted.
_SMALL_SEGMENT_BYTES: Final = 1 * _MIB
#: X numbers segments from 0 to 999.
_MAX_SEGMENTS: Final = 1000
#: Assumed lifetime of an upload if X does not state it.
_DEFAULT_LIFETIME_S: Final = 3600

OnState = Callable[[UploadState], Awaitable[None]]
OnProgress = Callable[[int, int], None]


async def transfer(
    client: UploadClient,
    source: Source,
    *,
    mime_type: str,
    category: str,
    segment_bytes: int | None = None,
    parallel: int = 4,
    state: UploadState | None = None,
    on_state: OnState | None = None,
    on_progress: OnProgress | None = None,
    upload_api: UploadApi | str = UploadApi.V2,
) -> UploadState:
    """Upload a file's bytes, or resume the upload of a stored `state`; X does not bill this.

    `segment_bytes` is 4 MiB with v2 and 5 MiB with v1.1 by default; if X refuses that size, the
    upload starts again with 1 MiB. `on_state` is awaited after initialize, after each acknowledged
    segment and after finalize, one call at a time; another process can resume from the last state.
    If X has discarded the upload of `state`, or `state` is about other content, the upload starts
    again. `on_progress` gets the number of bytes that X has received, and the total number. Memory
    use depends on `parallel`, not on the size of the file.

    Raises: UploadRefused (X would not accept the file; nothing was sent), OSError (the file cannot
    be read), MediaUnreadable (not a regular file, or larger than X accepts), MediaStalled,
    MediaChanged, MediaRejected, SegmentTooLarge (even 1 MiB), ReauthorizationRequired (the grant
    lacks `media.write`), RateLimited, OutOfCredits, XUnavailable.
    """
    if parallel < 1 or (segment_bytes is not None and segment_bytes < 1):
        raise ValueError("`parallel` and `segment_bytes` must be at least 1.")
    check_category(mime_type, category)
    api = UploadApi(upload_api)
    options = _UploadOptions(mime_type, category, api, parallel, on_state, on_progress)
    segment_bytes = segment_bytes or _SEGMENT_BYTES[api]
    async with open_content(source) as content:
        check_size(category, content.size)
        resumed = state if state is not None and _can_resume(state, content, client) else None
        has_restarted = False
        while True:
            try:
                return await _upload(client, content, options, resumed, segment_bytes)
            except errors.NotFoundOnX as discarded:
                if has_restarted:
                    raise errors.XUnavailable(
                        "X has discarded the upload twice.",
                        operation=Operation.MEDIA_UPLOAD.value,
                        request_id=discarded.request_id,
                    ) from discarded
                resumed, has_restarted = None, True
            except errors.SegmentTooLarge:
                refused_bytes = resumed.segment_bytes if resumed else segment_bytes
                if refused_bytes <= _SMALL_SEGMENT_BYTES:
                    raise
                resumed, segment_bytes = None, _SMALL_SEGMENT_BYTES


@dataclass(frozen=True, slots=True)
class _UploadOptions:
    """The options of one `transfer`."""

    mime_type: str
    category: str
    upload_api: UploadApi
    parallel: int
    on_state: OnState | None
    on_progress: OnProgress | None

    async def report(self, state: UploadState) -> None:
        """Call `on_state` with the current state."""
        if self.on_state is not None:
            await self.on_state(state)


def _can_resume(state: UploadState, content: Content, client: UploadClient) -> bool:
    """Whether `state` describes an upload of this content that has not expired."""
    return state.fingerprint == content.fingerprint and client.now() < state.expires_at


async def _upload(
    client: UploadClient,
    content: Content,
    options: _UploadOptions,
    resumed: UploadState | None,
    segment_bytes: int,
) -> UploadState:
    """Upload the content from the start, or resume its upload.

    Raises: NotFoundOnX if X has discarded the upload.
    """
    if resumed is not None and resumed.finalized:
        return resumed
    started = resumed or await _initialize(client, content, options, segment_bytes)
    backend = backend_for(started.upload_api)
    state = await _append_missing(client, backend, content, options, started)
    content.check_unchanged()
    media = await _finalize(client, backend, state, maybe_finalized=not started.missing())
    state = _finalized_state(state, media, client)
    await options.report(state)
    return state


async def _initialize(
    client: UploadClient, content: Content, options: _UploadOptions, segment_bytes: int
) -> UploadState:
    media = await backend_for(options.upload_api).initialize(
        client, mime_type=options.mime_type, category=options.category, total_bytes=content.size
    )
    lifetime_s = media.expires_after_secs or _DEFAULT_LIFETIME_S
    state = UploadState(
        media_id=XMediaId(media.id),
        media_key=media.media_key,
        total_bytes=content.size,
        segment_bytes=max(segment_bytes, -(-content.size // _MAX_SEGMENTS)),
        fingerprint=content.fingerprint,
        expires_at=client.now() + timedelta(seconds=lifetime_s),
        upload_api=options.upload_api,
    )
    await options.report(state)
    return state


async def _append_missing(
    client: UploadClient,
    backend: UploadBackend,
    content: Content,
    options: _UploadOptions,
    state: UploadState,
) -> UploadState:
    """Send the missing segments, several at a time; the first failure cancels the others."""
    missing = iter(state.missing())
    state_lock = asyncio.Lock()

    async def send_segments() -> None:
        nonlocal state
        # All tasks take segments from one iterator, so each segment is sent by exactly one task.
        for index in missing:
            await _append(client, backend, content, state, index)
            async with state_lock:
                state = msgspec.structs.replace(
                    state, acknowledged=tuple(sorted((*state.acknowledged, index)))
                )
                await options.report(state)
                if options.on_progress is not None:
                    options.on_progress(state.acknowledged_bytes, state.total_bytes)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(options.parallel):
                group.create_task(send_segments())
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return state


async def _append(
    client: UploadClient, backend: UploadBackend, content: Content, state: UploadState, index: int
) -> None:
    offset = index * state.segment_bytes
    length = min(state.segment_bytes, state.total_bytes - offset)
    segment = Segment(content, index, offset, length)

    async def send() -> None:
        try:
            await backend.append(client, state.media_id, segment)
        except errors.XError:
            if content.failure is not None:
                raise content.failure from None
            raise

    await repeat_upload_step(send)


async def _finalize(
    client: UploadClient, backend: UploadBackend, state: UploadState, *, maybe_finalized: bool
) -> schemas.MediaData:
    """Finalize the upload.

    Raises: NotFoundOnX if X refuses an upload that it may have finalized before; the caller then
    starts the upload again.
    """

    async def send() -> schemas.MediaData:
        nonlocal maybe_finalized
        try:
            return await backend.finalize(client, state.media_id)
        except errors.XUnavailable:
            maybe_finalized = True
            raise
        except errors.MediaRejected as refusal:
            if not maybe_finalized:
                raise
            raise errors.NotFoundOnX(
                "X refuses to finalize this upload again.", **refusal.facts
            ) from refusal

    return await repeat_upload_step(send)


def _finalized_state(
    state: UploadState, media: schemas.MediaData, client: UploadClient
) -> UploadState:
    left = media.expires_after_secs
    return msgspec.structs.replace(
        state,
        media_key=media.media_key or state.media_key,
        expires_at=client.now() + timedelta(seconds=left) if left else state.expires_at,
        processing=to_processing(media),
    )
