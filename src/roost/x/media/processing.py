"""What X makes of a file once it has it: images are ready at once, GIF and video take a while."""

import asyncio
from datetime import timedelta
from typing import Final

from roost.prices import Operation
from roost.x import answers, errors
from roost.x.media.caller import Caller
from roost.x.media.state import Processing, ProcessingState, UploadState
from roost.x.media.ways import way_of

#: Where X does not say when to look again.
_CHECK_AFTER: Final = timedelta(seconds=1)
_READY: Final = Processing(ProcessingState.SUCCEEDED)


async def read_processing(client: Caller, state: UploadState) -> Processing:
    """Ask X how far it is with a file that is finalized; free, and not asked of an image.

    A failure is an answer here, with X's reason.

    Raises: NotFoundOnX (X has forgotten it), RateLimited, Reauthorize, XUnavailable.
    """
    try:
        return await _look(client, state)
    except errors.MediaRejected as refusal:
        return Processing(ProcessingState.FAILED, reason=refusal.message)


async def wait_processed(client: Caller, state: UploadState, deadline: timedelta) -> None:
    """Ask at X's pace until the file can be attached; `deadline` is wall time.

    Raises: MediaRejected (with X's reason), NotFoundOnX, XUnavailable (it takes longer).
    """
    loop = asyncio.get_running_loop()
    give_up_at = loop.time() + deadline.total_seconds()
    assert state.processing is not None, "what is not finalized is not processed"
    processing = state.processing
    while processing.state is not ProcessingState.SUCCEEDED:
        pause = (processing.check_after or _CHECK_AFTER).total_seconds()
        if loop.time() + pause > give_up_at:
            raise errors.XUnavailable(
                f"X was still processing the file after {deadline}.",
                operation=Operation.MEDIA_STATUS.value,
            )
        await asyncio.sleep(pause)
        processing = await _look(client, state)


def processing_of(told: answers.MediaData) -> Processing:
    """What an answer says; without a word about processing there is none to wait for."""
    info = told.processing_info
    if info is None or info.state == ProcessingState.SUCCEEDED:
        return _READY
    state = ProcessingState.PENDING if info.state == "pending" else ProcessingState.IN_PROGRESS
    after = info.check_after_secs
    return Processing(state, timedelta(seconds=after) if after else _CHECK_AFTER)


async def _look(client: Caller, state: UploadState) -> Processing:
    if state.processing == _READY:
        return _READY
    return processing_of(await way_of(state.upload_api).read_status(client, state.media_id))
