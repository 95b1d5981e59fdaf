"""Files on their way to X, by its v2 endpoints: streamed from disk in numbered segments.

Source: docs.x.com, media/quickstart, and what live clients met: finalize wants a JSON object,
segments above 1 MiB are sometimes refused. An upload that is never attached expires by itself.
"""

import asyncio
import contextlib
import os
import random
import secrets
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final, TypeVar

import msgspec
from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import Payload

from roost.models import XMediaId
from roost.prices import Operation
from roost.x import answers, errors
from roost.x.client import Client
from roost.x.request import Request, json_body
from roost.x.wire import Patience

_MEDIA: Final = msgspec.json.Decoder(answers.Media)
_NOTHING: Final = msgspec.json.Decoder(answers.Nothing)

_MIB: Final = 1024 * 1024
#: What X takes at most, and what it has always taken.
_SEGMENT: Final = 4 * _MIB
_SMALL_SEGMENT: Final = 1 * _MIB
#: X numbers segments from 0 to 999.
_MOST_SEGMENTS: Final = 1000
#: So much of a file is in memory at a time.
_READ: Final = 256 * 1024
_SEGMENT_PATIENCE: Final = Patience(total=timedelta(minutes=5))
#: A segment, a look at the progress and an alt text may be repeated; nothing else here is.
_TRIES: Final = 4
_PROCESSING_PATIENCE: Final = timedelta(minutes=15)
#: Where X does not say when to look again.
_CHECK_AFTER_SECS: Final = 1

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class UploadedMedia:
    """A file that X holds for this account."""

    media_id: XMediaId
    """What a post attaches."""
    media_key: str
    """How a post on the timeline names it."""
    expires_after: timedelta
    """How long it may still be attached, in domain time."""


async def upload(
    client: Client,
    source: Path | str | bytes,
    *,
    mime_type: str,
    category: str,
    alt_text: str | None = None,
    segment_bytes: int = _SEGMENT,
    on_progress: Callable[[int, int], None] | None = None,
) -> UploadedMedia:
    """Upload a file (or bytes) and wait until X has processed it; free, an alt text $0.005.

    `category` is X's: `tweet_image`, `tweet_gif` or `tweet_video`. Where X refuses segments of
    `segment_bytes`, the upload begins again with segments of 1 MiB. `on_progress` is told the
    bytes that X has, and all bytes. Memory does not grow with the file.

    Raises: OSError (the file cannot be read, or changes meanwhile), MediaRejected (with X's
    reason), Reauthorize (the grant lacks `media.write`), RateLimited, OutOfCredits, XUnavailable.
    """
    with _opened(source) as content:
        wish: dict[str, str | int] = {
            "media_type": mime_type,
            "total_bytes": content.size,
            "media_category": category,
        }
        try:
            done = await _transfer(client, content, wish, segment_bytes, on_progress)
        except errors.SegmentTooLarge:
            if segment_bytes <= _SMALL_SEGMENT:
                raise
            done = await _transfer(client, content, wish, _SMALL_SEGMENT, on_progress)
    await _processed(client, done)
    if done.media_key is None or done.expires_after_secs is None:
        # Without its key the post could not be recognised on the timeline.
        raise errors.XUnavailable(
            "X did not name the uploaded file.", operation=Operation.MEDIA_UPLOAD.value
        )
    if alt_text:
        await _describe(client, done.id, alt_text)
    return UploadedMedia(
        XMediaId(done.id), done.media_key, timedelta(seconds=done.expires_after_secs)
    )


class _Content:
    """The bytes to upload, read piece by piece."""

    def __init__(self, size: int, read_at: Callable[[int, int], bytes]) -> None:
        self.size = size
        self._read_at = read_at
        self.failure: OSError | None = None

    async def read(self, offset: int, length: int) -> bytes:
        """Some of the bytes there, at least one; `failure` keeps why not."""
        try:
            piece = await asyncio.to_thread(self._read_at, length, offset)
        except OSError as error:
            self.failure = error
            raise
        if not piece:
            self.failure = OSError("The file became shorter while it was uploaded.")
            raise self.failure
        return piece


@contextlib.contextmanager
def _opened(source: Path | str | bytes) -> Iterator[_Content]:
    if isinstance(source, bytes):
        yield _Content(len(source), lambda length, offset: source[offset : offset + length])
        return
    with Path(source).open("rb") as file:
        descriptor = file.fileno()
        yield _Content(
            os.fstat(descriptor).st_size,
            lambda length, offset: os.pread(descriptor, length, offset),
        )


class _Segment(Payload):
    """One segment as a multipart body, its bytes streamed from the file."""

    def __init__(self, content: _Content, index: int, offset: int, length: int) -> None:
        boundary = secrets.token_hex(16)
        super().__init__(content, content_type=f"multipart/form-data; boundary={boundary}")
        self._content, self._offset, self._length = content, offset, length
        self._head = (
            f"--{boundary}\r\n"
            'Content-Disposition: form-data; name="segment_index"\r\n\r\n'
            f"{index}\r\n"
            f"--{boundary}\r\n"
            'Content-Disposition: form-data; name="media"; filename="segment"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        ).encode("ascii")
        self._tail = f"\r\n--{boundary}--\r\n".encode("ascii")
        self._size = len(self._head) + length + len(self._tail)

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """Refuse: a segment may be a video, and exists to be streamed."""
        raise TypeError("a segment is not text")

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Write head, bytes and tail; the transport's back-pressure paces the reading."""
        await writer.write(self._head)
        done = 0
        while done < self._length:
            piece = await self._content.read(self._offset + done, min(_READ, self._length - done))
            await writer.write(piece)
            done += len(piece)
        await writer.write(self._tail)

    async def write_with_length(
        self, writer: AbstractStreamWriter, content_length: int | None
    ) -> None:
        """The same: the length announced is the body's own."""
        await self.write(writer)


async def _transfer(
    client: Client,
    content: _Content,
    wish: dict[str, str | int],
    segment_bytes: int,
    on_progress: Callable[[int, int], None] | None,
) -> answers.MediaData:
    begun = await _ask(client, "/2/media/upload/initialize", wish)
    length = max(segment_bytes, -(-content.size // _MOST_SEGMENTS))
    for index, offset in enumerate(range(0, content.size, length)):
        await _append(client, begun.id, content, index, offset, length)
        if on_progress:
            on_progress(min(offset + length, content.size), content.size)
    done = await _ask(client, f"/2/media/upload/{begun.id}/finalize", {})
    return msgspec.structs.replace(
        done,
        media_key=done.media_key or begun.media_key,
        expires_after_secs=done.expires_after_secs or begun.expires_after_secs,
    )


async def _ask(client: Client, path: str, body: dict[str, str | int]) -> answers.MediaData:
    request = Request(Operation.MEDIA_UPLOAD, "POST", path, body=json_body(body))
    told, _ = await client.call(request, _MEDIA)
    return told.data


async def _append(
    client: Client, media_id: str, content: _Content, index: int, offset: int, length: int
) -> None:
    length = min(length, content.size - offset)
    request = Request(
        Operation.MEDIA_UPLOAD,
        "POST",
        f"/2/media/upload/{media_id}/append",
        body=lambda: _Segment(content, index, offset, length),
        patience=_SEGMENT_PATIENCE,
    )

    async def send() -> answers.Nothing:
        try:
            return (await client.call(request, _NOTHING))[0]
        except errors.XUnavailable:
            if content.failure is not None:
                raise content.failure from None
            raise

    # A segment that comes again replaces itself: X keeps them by number.
    await _repeated(send)


async def _processed(client: Client, done: answers.MediaData) -> None:
    """Wait until X has decoded a GIF or video; images are ready at once.

    Raises: MediaRejected (from the answer that says `failed`), XUnavailable (it takes too long).
    """
    loop = asyncio.get_running_loop()
    give_up_at = loop.time() + _PROCESSING_PATIENCE.total_seconds()
    request = Request(
        Operation.MEDIA_STATUS,
        "GET",
        "/2/media/upload",
        params={"command": "STATUS", "media_id": done.id},
    )
    processing = done.processing_info
    while processing is not None and processing.state != "succeeded":
        if loop.time() >= give_up_at:
            raise errors.XUnavailable(
                f"X was still processing the file after {_PROCESSING_PATIENCE}.",
                operation=Operation.MEDIA_STATUS.value,
            )
        await asyncio.sleep(processing.check_after_secs or _CHECK_AFTER_SECS)
        status, _ = await _repeated(lambda: client.call(request, _MEDIA))
        processing = status.data.processing_info


async def _describe(client: Client, media_id: str, alt_text: str) -> None:
    body = {"id": media_id, "metadata": {"alt_text": {"text": alt_text}}}
    request = Request(Operation.MEDIA_METADATA, "POST", "/2/media/metadata", body=json_body(body))
    # Losing the upload for its alt text's sake would cost more than saying it twice.
    await _repeated(lambda: client.call(request, _NOTHING))


async def _repeated(send: Callable[[], Awaitable[T]]) -> T:
    """Try again, later each time and not all at once, while X is unavailable."""
    for tried in range(1, _TRIES):
        try:
            return await send()
        except errors.XUnavailable:
            await asyncio.sleep(0.25 * 2**tried * random.uniform(0.5, 1.0))  # noqa: S311  jitter
    return await send()
