"""X's processing of uploaded files: images are ready at once, GIFs and videos take time."""

import asyncio
from datetime import timedelta
from typing import Final

from roost.prices import Operation
from roost.x import errors, schemas
from roost.x.media.backends import backend_for
from roost.x.media.metered import UploadClient
from roost.x.media.state import Processing, ProcessingState, UploadState

#: The pause between two requests if X does not state one.
_CHECK_AFTER: Final = timedelta(seconds=1)
_READY: Final = Processing(ProcessingState.SUCCEEDED)


async def read_processing(client: UploadClient, state: UploadState) -> Processing:
    """Ask X for its progress in processing a finalized file; the request is free.

    For an image no request is sent. If processing failed, the result contains X's reason; no
    exception is raised.

    Raises: NotFoundOnX (X no longer has the upload), RateLimited, ReauthorizationRequired,
    XUnavailable.
    """
    try:
        return await _read(client, state)
    except errors.MediaRejected as refusal:
        return Processing(ProcessingState.FAILED, reason=refusal.message)


async def wait_processed(client: UploadClient, state: UploadState, deadline: timedelta) -> None:
    """Poll X, at the interval that X states, until the file can be attached to a post.

    `deadline` is wall time.

    Raises: MediaRejected (with X's reason), NotFoundOnX, XUnavailable (past the deadline).
    """
    loop = asyncio.get_running_loop()
    ends_at = loop.time() + deadline.total_seconds()
    assert state.processing is not None, "only a finalized upload is processed"
    processing = state.processing
    while processing.state is not ProcessingState.SUCCEEDED:
        pause = (processing.check_after or _CHECK_AFTER).total_seconds()
        if loop.time() + pause > ends_at:
            raise errors.XUnavailable(
                f"X was still processing the file after {deadline}.",
                operation=Operation.MEDIA_STATUS.value,
            )
        await asyncio.sleep(pause)
        processing = await _read(client, state)


def to_processing(media: schemas.MediaData) -> Processing:
    """Return the progress that a response states; if it states none, processing has succeeded."""
    info = media.processing_info
    if info is None or info.state == ProcessingState.SUCCEEDED:
        return _READY
    state = ProcessingState.PENDING if info.state == "pending" else ProcessingState.IN_PROGRESS
    after = info.check_after_secs
    return Processing(state, timedelta(seconds=after) if after else _CHECK_AFTER)


async def _read(client: UploadClient, state: UploadState) -> Processing:
    if state.processing == _READY:
        return _READY
    return to_processing(await backend_for(state.upload_api).read_status(client, state.media_id))
