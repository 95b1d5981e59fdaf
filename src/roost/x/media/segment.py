"""One segment as the multipart body that both of X's ways take, streamed from the content."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import Payload

from roost.x.media.content import Content
from roost.x.wire import Patience

#: So much of a segment is in memory at a time.
_READ: Final = 256 * 1024
SEGMENT_PATIENCE: Final = Patience(total=timedelta(minutes=5))


@dataclass(frozen=True, slots=True)
class Segment:
    """Some bytes of a content, under the number by which X puts them in order."""

    content: Content
    index: int
    offset: int
    length: int


class SegmentBody(Payload):
    """Small fields, then the segment's bytes as `media`."""

    def __init__(self, segment: Segment, fields: Mapping[str, str]) -> None:
        boundary = secrets.token_hex(16)
        super().__init__(segment, content_type=f"multipart/form-data; boundary={boundary}")
        self._segment = segment
        named = "".join(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in fields.items()
        )
        self._head = (
            f"{named}--{boundary}\r\n"
            'Content-Disposition: form-data; name="media"; filename="segment"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        ).encode("ascii")
        self._tail = f"\r\n--{boundary}--\r\n".encode("ascii")
        self._size = len(self._head) + segment.length + len(self._tail)

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """Refuse: a segment may be a video, and exists to be streamed."""
        raise TypeError("a segment is not text")

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Write head, bytes and tail; the transport's back-pressure paces the reading."""
        await writer.write(self._head)
        offset, end = self._segment.offset, self._segment.offset + self._segment.length
        while offset < end:
            piece = await self._segment.content.read(offset, min(_READ, end - offset))
            await writer.write(memoryview(piece))  # a view: what is not sent at once is copied less
            offset += len(piece)
        await writer.write(self._tail)

    async def write_with_length(
        self, writer: AbstractStreamWriter, content_length: int | None
    ) -> None:
        """The same: the length announced is the body's own."""
        await self.write(writer)
