"""Streaming of multipart bodies: media is written to disk, small fields stay in memory."""

from pathlib import Path
from typing import BinaryIO

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

#: The maximum bytes of a body besides the media: boundaries, headers and small fields.
MAX_OVERHEAD_BYTES = 64 * 1024
MEDIA_NAMES = ("media", "media_data")


class TooLarge(Exception):
    """The media is larger than the limit."""


class Malformed(Exception):
    """The body is not valid multipart."""


def boundary_of(request: Request) -> bytes | None:
    """Return the boundary of a multipart body; None if the body has another content type."""
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    return options.get(b"boundary") if kind == b"multipart/form-data" else None


async def receive(request: Request, boundary: bytes, file: Path, max_bytes: int) -> dict[str, str]:
    """Write the media to a file and return the fields.

    The value of the field with the media (`media` or `media_data`) is returned as an empty string.
    Raises: TooLarge, Malformed.
    """
    content_length = request.headers.get("content-length", "0")
    if not content_length.isdigit() or int(content_length) > max_bytes + MAX_OVERHEAD_BYTES:
        raise TooLarge
    with file.open("wb") as out:
        try:
            parts = _Parts(boundary, out)
            async for chunk in request.stream():
                parts.write(chunk)
                if parts.media_bytes > max_bytes or parts.field_bytes > MAX_OVERHEAD_BYTES:
                    raise TooLarge
        except FormParserError as error:
            raise Malformed from error
    return {name: value.decode("utf-8", "replace") for name, value in parts.fields.items()}


class _Parts:
    """Parses a multipart body: writes the media to a file, and collects the other fields."""

    def __init__(self, boundary: bytes, out: BinaryIO) -> None:
        self.fields: dict[str, bytes] = {}
        self.media_bytes = self.field_bytes = 0
        self._out = out
        self._name = ""
        self._header = b""
        self._value = b""
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._on_part_begin,
                "on_header_field": self._on_header_field,
                "on_header_value": self._on_header_value,
                "on_header_end": self._on_header_end,
                "on_part_data": self._on_part_data,
            },
        )

    def write(self, chunk: bytes) -> None:
        """Parse the next bytes of the body. Raises: FormParserError."""
        self._parser.write(chunk)

    def _on_part_begin(self) -> None:
        self._name, self._header, self._value = "", b"", b""

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header_end(self) -> None:
        if self._header.lower() == b"content-disposition":
            _, options = parse_options_header(self._value)
            self._name = options.get(b"name", b"").decode("utf-8", "replace")
            self.fields[self._name] = b""
        self._header = self._value = b""

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._name in MEDIA_NAMES:
            self.media_bytes += end - start
            self._out.write(memoryview(data)[start:end])
        elif self._name:
            self.field_bytes += end - start
            self.fields[self._name] += data[start:end]
