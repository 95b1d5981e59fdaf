"""A complete upload: transfer, processing, alt text and subtitles."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Final

from roost.prices import Operation
from roost.x import errors
from roost.x.client import Client
from roost.x.media.backends import backend_for
from roost.x.media.content import Source
from roost.x.media.metered import MeteredClient, UploadClient
from roost.x.media.processing import wait_processed
from roost.x.media.rules import category_for, check_alt_text, check_language
from roost.x.media.state import UploadApi, UploadedMedia, UploadState
from roost.x.media.transfers import OnProgress, OnState, transfer
from roost.x.retry import repeat_upload_step

_PROCESSING_DEADLINE: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Subtitles:
    """A subtitle track of a video: a SubRip file, or WebVTT if `mime_type` is `text/vtt`."""

    source: Source
    language_code: str
    """Two capital letters, such as `EN`."""
    display_name: str
    """The name of the language that viewers see, such as `English`."""
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
    """Upload a file or bytes, and wait until X has processed them. An alt text costs $0.005.

    `category` is one of X's categories: `tweet_image`, `tweet_gif` or `tweet_video`; by default,
    the MIME type determines the category. `processing_deadline` is wall time. `transfer` describes
    the other options. If `state` is already finalized, the function only waits for X's processing.

    Raises: the errors of `transfer`, MediaRejected with X's reason, XUnavailable (not processed in
    time; the stored state can be resumed).
    """
    media_category = category_for(mime_type) if category is None else category
    check_alt_text(alt_text)
    for track in subtitles:
        check_language(track.language_code)
    metered = MeteredClient(client)

    async def transfer_and_wait(resumed: UploadState | None) -> UploadState:
        transferred = await transfer(
            metered,
            source,
            mime_type=mime_type,
            category=media_category,
            segment_bytes=segment_bytes,
            parallel=parallel,
            state=resumed,
            on_state=on_state,
            on_progress=on_progress,
            upload_api=upload_api,
        )
        await wait_processed(metered, transferred, processing_deadline)
        return transferred

    try:
        uploaded = await transfer_and_wait(state)
    except errors.NotFoundOnX:
        uploaded = await transfer_and_wait(None)  # X has discarded the upload, so start again.
    await _add_metadata(metered, uploaded, alt_text, subtitles)
    if uploaded.media_key is None:
        # Roost recognizes a post on the timeline by the keys of its files, so a key is required.
        raise errors.XUnavailable(
            "X did not return the key of the uploaded file.",
            operation=Operation.MEDIA_UPLOAD.value,
        )
    left = uploaded.expires_at - metered.now()
    return UploadedMedia(uploaded.media_id, uploaded.media_key, left, metered.price, metered.rate)


async def _add_metadata(
    client: UploadClient,
    uploaded: UploadState,
    alt_text: str | None,
    subtitles: Sequence[Subtitles],
) -> None:
    """Add the alt text ($0.005) and subtitles.

    A failed step is repeated, so that the upload does not have to start again.
    """
    backend = backend_for(uploaded.upload_api)
    if alt_text:
        await repeat_upload_step(lambda: backend.set_alt_text(client, uploaded.media_id, alt_text))
    for track in subtitles:
        text = await transfer(
            client,
            track.source,
            mime_type=track.mime_type,
            category="subtitles",
            upload_api=uploaded.upload_api,
        )
        await repeat_upload_step(
            partial(
                backend.add_subtitles,
                client,
                uploaded.media_id,
                text.media_id,
                track.language_code,
                track.display_name,
            )
        )
