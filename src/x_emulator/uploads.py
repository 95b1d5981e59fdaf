"""The routes of media: JSON and multipart in, segments streamed to disk as they come."""

import base64
import binascii
import uuid
from pathlib import Path
from typing import Annotated, BinaryIO

from msgspec import Meta, Struct
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from x_emulator import answers, media, prices, refusals
from x_emulator.calls import Answer, Call, read_body
from x_emulator.media import InitializeBody, MetadataBody

#: What a multipart body may have beside the segment: boundaries, headers, the index.
_AROUND = 64 * 1024


class _JsonSegment(Struct, forbid_unknown_fields=True):
    media: str
    segment_index: Annotated[int, Meta(ge=0, le=999)] | str


async def initialize(call: Call) -> Answer:
    """`POST /2/media/upload/initialize`."""
    body = read_body(call.world, await call.request.body(), InitializeBody)
    new = media.initialize(call.world, call.user.id, call.client_id, body, call.at)
    left = int(media.LIFE.total_seconds()) - 1
    shown = {"id": new.id, "media_key": new.media_key, "expires_after_secs": left}
    return Answer(200, {"data": shown})


async def append(call: Call) -> Answer:
    """`POST /2/media/upload/{id}/append`."""
    upload = media.get_upload(call.world, call.user.id, call.request.path_params["id"], call.at)
    kind, options = parse_options_header(call.request.headers.get("content-type", ""))
    file = call.world.spool / f"arriving-{uuid.uuid4().hex}"
    try:
        if kind == b"multipart/form-data" and b"boundary" in options:
            index = await _receive_multipart(call, options[b"boundary"], file)
        else:
            index = await _receive_json(call, file)
        media.put_segment(call.world, upload, index, file)
    finally:
        file.unlink(missing_ok=True)
    if call.world.switches.append_answer == 204:
        return Answer(204)
    return Answer(200, {"data": {"expires_at": int(upload.expires_at.timestamp())}})


async def finalize(call: Call) -> Answer:
    """`POST /2/media/upload/{id}/finalize`; X wants a JSON object (switch)."""
    body = await call.request.body()
    strict = call.world.switches.finalize_needs_object
    if strict and (not body or read_body(call.world, body, object).__class__ is not dict):
        message = "Request body must be a JSON object."
        raise refusals.invalid(call.world.switches, "", "", message)
    upload = media.get_upload(call.world, call.user.id, call.request.path_params["id"], call.at)
    await media.finalize(call.world, upload)
    return Answer(200, {"data": answers.upload_object(call.world, upload, call.at)})


async def status(call: Call) -> Answer:
    """`GET /2/media/upload?command=STATUS&media_id=`."""
    command = call.query.get("command", "STATUS")
    if command != "STATUS":
        message = f"The `command` query parameter value [{command}] is not one of [STATUS]"
        raise refusals.invalid(call.world.switches, "command", command, message)
    upload = media.get_upload(call.world, call.user.id, call.query.get("media_id", ""), call.at)
    if upload.state == "uploading":
        message = "BadRequest: Not found"
        raise refusals.invalid(call.world.switches, "media_id", upload.id, message)
    media.poll(call.world, upload)
    return Answer(200, {"data": answers.upload_object(call.world, upload, call.at)})


async def metadata(call: Call) -> Answer:
    """`POST /2/media/metadata`."""
    body = read_body(call.world, await call.request.body(), MetadataBody)
    upload = media.get_upload(call.world, call.user.id, body.id, call.at)
    given: dict[str, object] = {}
    if isinstance(body.metadata, media.Metadata):
        alt = body.metadata.alt_text
        if isinstance(alt, media.AltText):
            upload.alt_text = alt.text
            given = {"alt_text": {"text": alt.text}}
    shown = {"id": upload.id, "associated_metadata": given}
    return Answer(200, {"data": shown}, usd=prices.MEDIA_METADATA)


async def _receive_json(call: Call, file: Path) -> int:
    most = call.world.switches.max_segment_bytes
    body = bytearray()
    async for chunk in call.request.stream():
        body += chunk
        if len(body) > most * 4 // 3 + _AROUND:
            raise _too_large(call)
    segment = read_body(call.world, bytes(body), _JsonSegment)
    try:
        content = base64.b64decode(segment.media, validate=True)
    except binascii.Error as error:
        message = "$.media: does not match the byte format"
        raise refusals.invalid(call.world.switches, "media", "", message) from error
    if len(content) > most:
        raise _too_large(call)
    file.write_bytes(content)
    return _index(call, str(segment.segment_index))


async def _receive_multipart(call: Call, boundary: bytes, file: Path) -> int:
    announced = int(call.request.headers.get("content-length", "0"))
    most = call.world.switches.max_segment_bytes
    if announced > most + _AROUND:
        raise _too_large(call)
    with file.open("wb") as out:
        parts = _Parts(boundary, out)
        try:
            async for chunk in call.request.stream():
                parts.write(chunk)
                if parts.media_bytes > most:
                    raise _too_large(call)
        except FormParserError as error:
            message = "Request body is not valid multipart."
            raise refusals.invalid(call.world.switches, "", "", message) from error
    if not parts.has_media:
        message = "$.media: is missing but it is required"
        raise refusals.invalid(call.world.switches, "media", "", message)
    return _index(call, parts.index.decode("ascii", "replace"))


class _Parts:
    """Sorts a multipart body as it arrives: the part `media` to disk, `segment_index` aside."""

    def __init__(self, boundary: bytes, out: BinaryIO) -> None:
        self.index = b""
        self.media_bytes = 0
        self.has_media = False
        self._out = out
        self._name = b""
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
        """Take the next bytes of the body. Raises: FormParserError."""
        self._parser.write(chunk)

    def _on_part_begin(self) -> None:
        self._name = self._header = self._value = b""

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header_end(self) -> None:
        if self._header.lower() == b"content-disposition":
            _, options = parse_options_header(self._value)
            self._name = options.get(b"name", b"")
            self.has_media |= self._name == b"media"
        self._header = self._value = b""

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._name == b"media":
            self.media_bytes += end - start
            self._out.write(memoryview(data)[start:end])
        elif self._name == b"segment_index":
            self.index += data[start:end][:8]


def _index(call: Call, given: str) -> int:
    if not given.isascii() or not given.isdigit() or len(given) > 3:
        message = "$.segment_index: must be an integer between 0 and 999"
        raise refusals.invalid(call.world.switches, "segment_index", given, message)
    return int(given)


def _too_large(call: Call) -> refusals.Refusal:
    return refusals.Refusal(call.world.switches.segment_refusal, None)
