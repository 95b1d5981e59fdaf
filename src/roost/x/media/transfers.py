"""Bringing a file's bytes to X: announced, sent in parallel segments, closed.

What is safe to repeat: a segment, as X keeps them by number, and a finalize, as the file is the
same. Should X refuse a finalize that comes after an unanswered one, nobody knows what it holds: the
upload begins afresh. An initialize is not repeated here, where nothing would be lost; its caller
may, for an upload that nobody attaches expires by itself.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import msgspec

from roost.models import XMediaId
from roost.prices import Operation
from roost.x import answers, errors
from roost.x.media.caller import Caller
from roost.x.media.content import Content, Source, opened
from roost.x.media.processing import processing_of
from roost.x.media.repeated import repeated
from roost.x.media.rules import check_category, check_size
from roost.x.media.segment import Segment
from roost.x.media.state import UploadApi, UploadState
from roost.x.media.ways import Way, way_of

_MIB: Final = 1024 * 1024
#: What X takes at most by each way, and what it has always taken.
_SEGMENT: Final = {UploadApi.V2: 4 * _MIB, UploadApi.V1_1: 5 * _MIB}
_SMALL_SEGMENT: Final = 1 * _MIB
#: X numbers segments from 0 to 999.
_MOST_SEGMENTS: Final = 1000
#: Where X does not say how long it keeps an upload.
_SHORT_LIFE_SECS: Final = 3600

OnState = Callable[[UploadState], Awaitable[None]]
OnProgress = Callable[[int, int], None]


async def transfer(
    client: Caller,
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
    """Bring a file to X, or go on with it from a `state` kept before; free.

    `segment_bytes` is 4 MiB by v2, and 5 MiB by v1.1, unless given; where X refuses it, the upload
    begins again with 1 MiB. `on_state` is awaited after initialize, after each segment that X has,
    and after finalize, one call at a time; what it was given last is where another process may go
    on. A state that X has forgotten, or of other content, begins afresh. `on_progress` is told the
    bytes that X has, and all bytes. Memory grows with `parallel`, not with the file.

    Raises: UploadRefused (X would not take it; nothing was sent), OSError (the file cannot be
    read), MediaUnreadable (no regular file, or larger than X
    takes), MediaStalled, MediaChanged, MediaRejected, SegmentTooLarge (even 1 MiB), Reauthorize
    (the grant lacks `media.write`), RateLimited, OutOfCredits, XUnavailable.
    """
    if parallel < 1 or (segment_bytes is not None and segment_bytes < 1):
        raise ValueError("`parallel` and `segment_bytes` are at least 1.")
    check_category(mime_type, category)
    api = UploadApi(upload_api)
    wish = _Wish(mime_type, category, api, parallel, on_state, on_progress)
    segment_bytes = segment_bytes or _SEGMENT[api]
    async with opened(source) as content:
        check_size(category, content.size)
        kept = state if state is not None and _belongs(state, content, client) else None
        afresh = False
        while True:
            try:
                return await _bring(client, content, wish, kept, segment_bytes)
            except errors.NotFoundOnX as forgotten:
                if afresh:
                    raise errors.XUnavailable(
                        "X has forgotten the upload twice.",
                        operation=Operation.MEDIA_UPLOAD.value,
                        request_id=forgotten.request_id,
                    ) from forgotten
                kept, afresh = None, True
            except errors.SegmentTooLarge:
                if (kept.segment_bytes if kept else segment_bytes) <= _SMALL_SEGMENT:
                    raise
                kept, segment_bytes = None, _SMALL_SEGMENT


@dataclass(frozen=True, slots=True)
class _Wish:
    """What the caller asked for."""

    mime_type: str
    category: str
    upload_api: UploadApi
    parallel: int
    on_state: OnState | None
    on_progress: OnProgress | None

    async def tell(self, state: UploadState) -> None:
        if self.on_state is not None:
            await self.on_state(state)


def _belongs(state: UploadState, content: Content, client: Caller) -> bool:
    """Whether an upload may be gone on with: of this content, and not expired."""
    return state.content_mark == content.mark and client.now() < state.expires_at


async def _bring(
    client: Caller, content: Content, wish: _Wish, kept: UploadState | None, segment_bytes: int
) -> UploadState:
    """Raises: NotFoundOnX (X does not know the upload) besides what `transfer` does."""
    if kept is not None and kept.finalized:
        return kept
    begun = kept or await _begin(client, content, wish, segment_bytes)
    way = way_of(begun.upload_api)
    state = await _append_missing(client, way, content, wish, begun)
    content.check_unchanged()
    told = await _finalize(client, way, state, maybe_closed=not begun.missing())
    state = _with_answer(state, told, client)
    await wish.tell(state)
    return state


async def _begin(client: Caller, content: Content, wish: _Wish, segment_bytes: int) -> UploadState:
    begun = await way_of(wish.upload_api).initialize(
        client, mime_type=wish.mime_type, category=wish.category, total_bytes=content.size
    )
    state = UploadState(
        media_id=XMediaId(begun.id),
        media_key=begun.media_key,
        total_bytes=content.size,
        segment_bytes=max(segment_bytes, -(-content.size // _MOST_SEGMENTS)),
        content_mark=content.mark,
        expires_at=client.now() + timedelta(seconds=begun.expires_after_secs or _SHORT_LIFE_SECS),
        upload_api=wish.upload_api,
    )
    await wish.tell(state)
    return state


async def _append_missing(
    client: Caller, way: Way, content: Content, wish: _Wish, state: UploadState
) -> UploadState:
    """Send what X does not have, some at a time; the first failure ends the others."""
    missing = iter(state.missing())
    one_at_a_time = asyncio.Lock()

    async def work() -> None:
        nonlocal state
        for index in missing:  # one iterator for all: each takes the next
            await _append(client, way, content, state, index)
            async with one_at_a_time:
                state = msgspec.structs.replace(
                    state, acknowledged=tuple(sorted((*state.acknowledged, index)))
                )
                await wish.tell(state)
                if wish.on_progress is not None:
                    wish.on_progress(state.acknowledged_bytes, state.total_bytes)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(wish.parallel):
                group.create_task(work())
    except ExceptionGroup as several:
        raise several.exceptions[0] from None
    return state


async def _append(
    client: Caller, way: Way, content: Content, state: UploadState, index: int
) -> None:
    offset = index * state.segment_bytes
    length = min(state.segment_bytes, state.total_bytes - offset)
    segment = Segment(content, index, offset, length)

    async def send() -> None:
        try:
            await way.append(client, state.media_id, segment)
        except errors.XFailure:
            if content.failure is not None:
                raise content.failure from None
            raise

    await repeated(send)


async def _finalize(
    client: Caller, way: Way, state: UploadState, *, maybe_closed: bool
) -> answers.MediaData:
    """Raises: NotFoundOnX (an earlier finalize was carried out, or not) besides the rest."""

    async def send() -> answers.MediaData:
        nonlocal maybe_closed
        try:
            return await way.finalize(client, state.media_id)
        except errors.XUnavailable:
            maybe_closed = True
            raise
        except errors.MediaRejected as refusal:
            if not maybe_closed:
                raise
            raise errors.NotFoundOnX(
                "X refuses to close this upload once more.", **refusal.facts
            ) from refusal

    return await repeated(send)


def _with_answer(state: UploadState, told: answers.MediaData, client: Caller) -> UploadState:
    left = told.expires_after_secs
    return msgspec.structs.replace(
        state,
        media_key=told.media_key or state.media_key,
        expires_at=client.now() + timedelta(seconds=left) if left else state.expires_at,
        processing=processing_of(told),
    )
