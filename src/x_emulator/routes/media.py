"""The media routes of X's API v2. Bodies are JSON or multipart, and streamed to disk."""

import base64
import contextlib
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, TypeVar, get_args

import msgspec
from msgspec import Meta, Struct

from x_emulator import billing
from x_emulator.pipeline import Call, read_body
from x_emulator.responses import ApiResponse
from x_emulator.routes import multipart, serializers
from x_emulator.rules import media, refusals
from x_emulator.rules.media import InitializeBody, MetadataBody, OneShotCategory


class _JsonSegment(Struct, forbid_unknown_fields=True):
    media: str
    segment_index: Annotated[int, Meta(ge=0, le=999)] | str


class _JsonMedia(Struct, forbid_unknown_fields=True):
    media: str
    media_category: OneShotCategory
    additional_owners: str = ""


T = TypeVar("T", _JsonSegment, _JsonMedia)


async def initialize(call: Call) -> ApiResponse:
    """Handle `POST /2/media/upload/initialize`."""
    body = read_body(call.world, await call.request.body(), InitializeBody)
    new = media.initialize(call.world, call.user.id, call.client_id, body, call.at)
    expires_in = int(media.LIFETIME.total_seconds()) - 1
    data = {"id": new.id, "media_key": new.media_key, "expires_after_secs": expires_in}
    return ApiResponse(200, {"data": data})


async def append(call: Call) -> ApiResponse:
    """Handle `POST /2/media/upload/{id}/append`."""
    target = media.get_upload(call.world, call.user.id, call.request.path_params["id"], call.at)
    boundary = multipart.boundary_of(call.request)
    max_bytes = call.world.switches.max_segment_bytes
    with temporary_file(call) as file:
        if boundary is not None:
            fields = await _receive_multipart(call, boundary, file, max_bytes)
            _check_fields(call, fields, "segment_index")
            index = _index(call, fields.get("segment_index", ""))
        else:
            segment = await _receive_json(call, _JsonSegment, file, max_bytes)
            index = _index(call, str(segment.segment_index))
        media.add_segment(call.world, target, index, file)
    if call.world.switches.append_status == 204:
        return ApiResponse(204)
    return ApiResponse(200, {"data": {"expires_at": int(target.expires_at.timestamp())}})


async def upload(call: Call) -> ApiResponse:
    """Handle `POST /2/media/upload`, which uploads a whole file.

    A request with the field `command` is refused. X no longer accepts this field.
    """
    boundary = multipart.boundary_of(call.request)
    if boundary is None and not call.request.headers.get("content-type", "").endswith("json"):
        raise refusals.invalid_request(
            call.world.switches, "", "", "Request body is not valid JSON."
        )
    with temporary_file(call) as file:
        if boundary is not None:
            fields = await _receive_multipart(call, boundary, file, media.MAX_WHOLE_FILE_BYTES)
            if "command" in fields:
                message = "Request body is not valid JSON."
                raise refusals.invalid_request(call.world.switches, "", "", message)
            _check_fields(call, fields, "media_category", "additional_owners")
            category = _category(call, fields.get("media_category", ""))
            owners = fields.get("additional_owners", "")
        else:
            body = await _receive_json(call, _JsonMedia, file, media.MAX_WHOLE_FILE_BYTES)
            category, owners = body.media_category, body.additional_owners
        announced = media.describe_file(file, category, owners.split(","))
        new = await media.upload_whole(
            call.world, call.user.id, call.client_id, announced, file, call.at
        )
    return ApiResponse(200, {"data": serializers.upload_object(call.world, new, call.at)})


async def finalize(call: Call) -> ApiResponse:
    """Handle `POST /2/media/upload/{id}/finalize`.

    A body, if present, must be a JSON object.
    """
    body = await call.request.body()
    is_missing = not body and call.world.switches.finalize_requires_body
    if is_missing or (body and not isinstance(read_body(call.world, body, object), dict)):
        message = "Request body must be a JSON object."
        raise refusals.invalid_request(call.world.switches, "", "", message)
    upload = media.get_upload(call.world, call.user.id, call.request.path_params["id"], call.at)
    await media.finalize(call.world, upload)
    return ApiResponse(200, {"data": serializers.upload_object(call.world, upload, call.at)})


async def status(call: Call) -> ApiResponse:
    """Handle `GET /2/media/upload?command=STATUS&media_id=`."""
    command = call.query.get("command", "STATUS")
    if command != "STATUS":
        message = f"The `command` query parameter value [{command}] is not one of [STATUS]"
        raise refusals.invalid_request(call.world.switches, "command", command, message)
    upload = media.get_upload(call.world, call.user.id, call.query.get("media_id", ""), call.at)
    if upload.state == "uploading":
        message = "BadRequest: Not found"
        raise refusals.invalid_request(call.world.switches, "media_id", upload.id, message)
    media.poll(call.world, upload)
    return ApiResponse(200, {"data": serializers.upload_object(call.world, upload, call.at)})


async def metadata(call: Call) -> ApiResponse:
    """Handle `POST /2/media/metadata`."""
    body = read_body(call.world, await call.request.body(), MetadataBody)
    upload = media.get_upload(call.world, call.user.id, body.id, call.at)
    associated: dict[str, object] = {}
    if isinstance(body.metadata, media.Metadata):
        alt = body.metadata.alt_text
        if isinstance(alt, media.AltText):
            upload.alt_text = alt.text
            associated = {"alt_text": {"text": alt.text}}
    data = {"id": upload.id, "associated_metadata": associated}
    return ApiResponse(200, {"data": data}, usd=billing.MEDIA_METADATA)


async def subtitles(call: Call) -> ApiResponse:
    """`POST /2/media/subtitles`: attach uploaded subtitles to an uploaded video."""
    body = read_body(call.world, await call.request.body(), media.SubtitlesBody)
    video = media.add_subtitles(call.world, call.user.id, body.id, [body.subtitles], call.at)
    data = {
        "id": video.id,
        "media_category": body.media_category,
        "associated_subtitles": msgspec.to_builtins(body.subtitles),
    }
    return ApiResponse(200, {"data": data})


async def delete_subtitles(call: Call) -> ApiResponse:
    """`DELETE /2/media/subtitles`: remove the subtitles of a language from a video."""
    body = read_body(call.world, await call.request.body(), media.DeleteSubtitlesBody)
    video = media.get_upload(call.world, call.user.id, body.id, call.at)
    removed = video.subtitles.pop(body.language_code, None)
    return ApiResponse(200, {"data": {"deleted": removed is not None}})


@contextlib.contextmanager
def temporary_file(call: Call) -> Iterator[Path]:
    """Yield a path for received bytes; delete the file at the path afterwards if it exists."""
    file = call.world.spool / f"received-{uuid.uuid4().hex}"
    try:
        yield file
    finally:
        file.unlink(missing_ok=True)


async def _receive_json(call: Call, kind: type[T], file: Path, max_bytes: int) -> T:
    """Decode a JSON body, and write the bytes of its base64 field `media` to a file."""
    body = bytearray()
    async for chunk in call.request.stream():
        body += chunk
        if len(body) > max_bytes * 4 // 3 + multipart.MAX_OVERHEAD_BYTES:
            raise _too_large(call)
    decoded = read_body(call.world, bytes(body), kind)
    try:
        content = base64.b64decode(decoded.media, validate=True)
    except ValueError as error:
        message = "$.media: does not match the byte format"
        raise refusals.invalid_request(call.world.switches, "media", "", message) from error
    if len(content) > max_bytes:
        raise _too_large(call)
    file.write_bytes(content)
    return decoded


async def _receive_multipart(
    call: Call, boundary: bytes, file: Path, max_bytes: int
) -> dict[str, str]:
    try:
        return await multipart.receive(call.request, boundary, file, max_bytes)
    except multipart.TooLarge as error:
        raise _too_large(call) from error
    except multipart.Malformed as error:
        message = "Request body is not valid multipart."
        raise refusals.invalid_request(call.world.switches, "", "", message) from error


def _check_fields(call: Call, fields: dict[str, str], *others: str) -> None:
    """Check the names of a multipart body's fields. Raises: Refusal.

    The field `media` is required. All other fields must be in `others`.
    """
    for unknown in sorted(fields.keys() - {"media", *others}):
        message = (
            f"$.{unknown}: is not defined in the schema and the schema does not allow additional"
            " properties"
        )
        raise refusals.invalid_request(call.world.switches, unknown, "", message)
    if "media" not in fields:
        message = "$.media: is missing but it is required"
        raise refusals.invalid_request(call.world.switches, "media", "", message)


def _index(call: Call, value: str) -> int:
    if not value.isascii() or not value.isdigit() or len(value) > 3:
        message = "$.segment_index: must be an integer between 0 and 999"
        raise refusals.invalid_request(call.world.switches, "segment_index", value, message)
    return int(value)


def _category(call: Call, value: str) -> OneShotCategory:
    for each in get_args(OneShotCategory):
        if value == each:
            known: OneShotCategory = each
            return known
    message = f"$.media_category: [{value}] is not one of the categories of the schema"
    raise refusals.invalid_request(call.world.switches, "media_category", value, message)


def _too_large(call: Call) -> refusals.Refusal:
    return refusals.Refusal(call.world.switches.oversized_segment_status, None)
