"""One segment of a file as a multipart body for both upload APIs, streamed from disk."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import Payload

from roost.x.media.content import Content
from roost.x.transport import Timeouts

#: The number of bytes of a segment that are in memory at a time.
_READ_BYTES: Final = 256 * 1024
SEGMENT_TIMEOUTS: Final = Timeouts(total=timedelta(minutes=5))


@dataclass(frozen=True, slots=True)
class Segment:
    """A range of a file's bytes; X orders the segments by `index`."""

    content: Content
    index: int
    offset: int
    length: int


class SegmentBody(Payload):
    """A multipart body: the fields, then the segment's bytes as `media`."""

    def __init__(self, segment: Segment, fields: Mapping[str, str]) -> None:
        boundary = secrets.token_hex(16)
        super().__init__(segment, content_type=f"multipart/form-data; boundary={boundary}")
        self._segment = segment
        field_parts = "".join(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in fields.items()
        )
        self._head = (
            f"{field_parts}--{boundary}\r\n"
            'Content-Disposition: form-data; name="media"; filename="segment"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        ).encode("ascii")
        self._tail = f"\r\n--{boundary}--\r\n".encode("ascii")
        self._size = len(self._head) + segment.length + len(self._tail)

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """Raise TypeError, because a segment is binary and only streamed."""
        raise TypeError("a segment is not text")

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Write the whole body. The next chunk is read only when the transport accepts more."""
        await writer.write(self._head)
        offset, end = self._segment.offset, self._segment.offset + self._segment.length
        while offset < end:
            chunk = await self._segment.content.read(offset, min(_READ_BYTES, end - offset))
            # A memoryview is passed, because the transport then copies fewer bytes if it cannot
            # send all bytes at once.
            await writer.write(memoryview(chunk))
            offset += len(chunk)
        await writer.write(self._tail)

    async def write_with_length(
        self, writer: AbstractStreamWriter, content_length: int | None
    ) -> None:
        """Write the whole body; `content_length` is ignored, as it is always the body's length."""
        await self.write(writer)
