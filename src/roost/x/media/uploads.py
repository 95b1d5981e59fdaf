"""The whole way of a file to X: brought over, processed, described."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Final

from roost.prices import Operation
from roost.x import errors
from roost.x.client import Client
from roost.x.media.caller import Caller, NotingCaller
from roost.x.media.content import Source
from roost.x.media.processing import wait_processed
from roost.x.media.repeated import repeated
from roost.x.media.rules import category_for, check_alt_text, check_language
from roost.x.media.state import UploadApi, UploadedMedia, UploadState
from roost.x.media.transfers import OnProgress, OnState, transfer
from roost.x.media.ways import way_of

_PROCESSING_DEADLINE: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Subtitles:
    """A track for a video: SubRip, or WebVTT as `text/vtt`."""

    source: Source
    language_code: str
    """Two letters, such as `EN`."""
    display_name: str
    """The language as viewers read it, such as `English`."""
    mime_type: str = "text/srt"


async def upload(
    client: Client,
    source: Source,
    *,
    mime_type: str,
    category: str | None = None,
    alt_text: str | None = None,
    subtitles: Sequence[Subtitles] = (),
    segment_bytes: int | None = None,
    parallel: int = 4,
    state: UploadState | None = None,
    on_state: OnState | None = None,
    on_progress: OnProgress | None = None,
    processing_deadline: timedelta = _PROCESSING_DEADLINE,
    upload_api: UploadApi | str = UploadApi.V2,
) -> UploadedMedia:
    """Upload a file (or bytes) and wait until X has processed it; free, an alt text $0.005.

    `category` is X's: `tweet_image`, `tweet_gif` or `tweet_video`; without one it follows the MIME
    type. `processing_deadline` is wall time. The rest is as for `transfer`; a `state` that is
    finalized goes straight to the waiting.

    Raises: what `transfer` raises, MediaRejected with X's reason, XUnavailable (not processed in
    time; the state kept may be gone on with).
    """
    chosen = category_for(mime_type) if category is None else category
    check_alt_text(alt_text)
    for track in subtitles:
        check_language(track.language_code)
    caller = NotingCaller(client)

    async def bring(kept: UploadState | None) -> UploadState:
        done = await transfer(
            caller,
            source,
            mime_type=mime_type,
            category=chosen,
            segment_bytes=segment_bytes,
            parallel=parallel,
            state=kept,
            on_state=on_state,
            on_progress=on_progress,
            upload_api=upload_api,
        )
        await wait_processed(caller, done, processing_deadline)
        return done

    try:
        done = await bring(state)
    except errors.NotFoundOnX:
        done = await bring(None)  # X has forgotten what it had
    await _complete(caller, done, alt_text, subtitles)
    if done.media_key is None:
        # Without its key the post could not be recognised on the timeline.
        raise errors.XUnavailable(
            "X did not name the uploaded file.", operation=Operation.MEDIA_UPLOAD.value
        )
    left = done.expires_at - caller.now()
    return UploadedMedia(done.media_id, done.media_key, left, caller.price, caller.rate)


async def _complete(
    client: Caller, done: UploadState, alt_text: str | None, subtitles: Sequence[Subtitles]
) -> None:
    """What belongs to a file; losing the upload for its sake would cost more than saying it twice.

    Costs $0.005 an alt text.
    """
    way = way_of(done.upload_api)
    if alt_text:
        await repeated(lambda: way.describe(client, done.media_id, alt_text))
    for track in subtitles:
        text = await transfer(
            client,
            track.source,
            mime_type=track.mime_type,
            category="subtitles",
            upload_api=done.upload_api,
        )
        tie = partial(way.add_subtitles, client, done.media_id, text.media_id)
        await repeated(partial(tie, track.language_code, track.display_name))
