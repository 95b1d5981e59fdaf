"""The routes of media: JSON and multipart in, segments streamed to disk as they come."""

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
from x_emulator.responses import Answer
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


async def initialize(call: Call) -> Answer:
    """`POST /2/media/upload/initialize`."""
    body = read_body(call.world, await call.request.body(), InitializeBody)
    new = media.initialize(call.world, call.user.id, call.client_id, body, call.at)
    left = int(media.LIFE.total_seconds()) - 1
    shown = {"id": new.id, "media_key": new.media_key, "expires_after_secs": left}
    return Answer(200, {"data": shown})


async def append(call: Call) -> Answer:
    """`POST /2/media/upload/{id}/append`."""
    into = media.get_upload(call.world, call.user.id, call.request.path_params["id"], call.at)
    boundary, most = multipart.boundary_of(call.request), call.world.switches.max_segment_bytes
    with arriving(call) as file:
        if boundary is not None:
            fields = await _receive_multipart(call, boundary, file, most)
            _check_fields(call, fields, "segment_index")
            index = _index(call, fields.get("segment_index", ""))
        else:
            segment = await _receive_json(call, _JsonSegment, file, most)
            index = _index(call, str(segment.segment_index))
        media.put_segment(call.world, into, index, file)
    if call.world.switches.append_answer == 204:
        return Answer(204)
    return Answer(200, {"data": {"expires_at": int(into.expires_at.timestamp())}})


async def upload(call: Call) -> Answer:
    """`POST /2/media/upload`: a whole file at once; the commands of old get a hint of X's kind."""
    boundary = multipart.boundary_of(call.request)
    if boundary is None and not call.request.headers.get("content-type", "").endswith("json"):
        raise refusals.invalid(call.world.switches, "", "", "Request body is not valid JSON.")
    with arriving(call) as file:
        if boundary is not None:
            fields = await _receive_multipart(call, boundary, file, media.MOST_AT_ONCE)
            if "command" in fields:
                message = "Request body is not valid JSON."
                raise refusals.invalid(call.world.switches, "", "", message)
            _check_fields(call, fields, "media_category", "additional_owners")
            category = _category(call, fields.get("media_category", ""))
            owners = fields.get("additional_owners", "")
        else:
            body = await _receive_json(call, _JsonMedia, file, media.MOST_AT_ONCE)
            category, owners = body.media_category, body.additional_owners
        new = await media.take_whole(
            call.world, call.user.id, call.client_id, category, file, call.at, owners.split(",")
        )
    return Answer(200, {"data": serializers.upload_object(call.world, new, call.at)})


async def finalize(call: Call) -> Answer:
    """`POST /2/media/upload/{id}/finalize`; a body, where there is one, is a JSON object."""
    body = await call.request.body()
    is_missing = not body and call.world.switches.finalize_needs_object
    if is_missing or (body and not isinstance(read_body(call.world, body, object), dict)):
        message = "Request body must be a JSON object."
        raise refusals.invalid(call.world.switches, "", "", message)
    upload = media.get_upload(call.world, call.user.id, call.request.path_params["id"], call.at)
    await media.finalize(call.world, upload)
    return Answer(200, {"data": serializers.upload_object(call.world, upload, call.at)})


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
    return Answer(200, {"data": serializers.upload_object(call.world, upload, call.at)})


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
    return Answer(200, {"data": shown}, usd=billing.MEDIA_METADATA)


async def subtitles(call: Call) -> Answer:
    """`POST /2/media/subtitles`: tie uploaded subtitles to an uploaded video."""
    body = read_body(call.world, await call.request.body(), media.SubtitlesBody)
    video = media.add_subtitles(call.world, call.user.id, body.id, [body.subtitles], call.at)
    shown = {
        "id": video.id,
        "media_category": body.media_category,
        "associated_subtitles": msgspec.to_builtins(body.subtitles),
    }
    return Answer(200, {"data": shown})


async def drop_subtitles(call: Call) -> Answer:
    """`DELETE /2/media/subtitles`: take a language away from a video."""
    body = read_body(call.world, await call.request.body(), media.NoSubtitlesBody)
    video = media.get_upload(call.world, call.user.id, body.id, call.at)
    gone = video.subtitles.pop(body.language_code, None)
    return Answer(200, {"data": {"deleted": gone is not None}})


@contextlib.contextmanager
def arriving(call: Call) -> Iterator[Path]:
    """A file for bytes on their way in; it is gone afterwards, unless it was moved."""
    file = call.world.spool / f"arriving-{uuid.uuid4().hex}"
    try:
        yield file
    finally:
        file.unlink(missing_ok=True)


async def _receive_json(call: Call, kind: type[T], file: Path, most: int) -> T:
    """Decode a JSON body and write its base64 `media` to a file."""
    body = bytearray()
    async for chunk in call.request.stream():
        body += chunk
        if len(body) > most * 4 // 3 + multipart.AROUND:
            raise _too_large(call)
    decoded = read_body(call.world, bytes(body), kind)
    try:
        content = base64.b64decode(decoded.media, validate=True)
    except ValueError as error:
        message = "$.media: does not match the byte format"
        raise refusals.invalid(call.world.switches, "media", "", message) from error
    if len(content) > most:
        raise _too_large(call)
    file.write_bytes(content)
    return decoded


async def _receive_multipart(call: Call, boundary: bytes, file: Path, most: int) -> dict[str, str]:
    try:
        return await multipart.receive(call.request, boundary, file, most)
    except multipart.TooLarge as error:
        raise _too_large(call) from error
    except multipart.Malformed as error:
        message = "Request body is not valid multipart."
        raise refusals.invalid(call.world.switches, "", "", message) from error


def _check_fields(call: Call, fields: dict[str, str], *others: str) -> None:
    """The media must be there, and nothing but it and what the schema has beside it."""
    for unknown in sorted(fields.keys() - {"media", *others}):
        message = (
            f"$.{unknown}: is not defined in the schema and the schema does not allow additional"
            " properties"
        )
        raise refusals.invalid(call.world.switches, unknown, "", message)
    if "media" not in fields:
        message = "$.media: is missing but it is required"
        raise refusals.invalid(call.world.switches, "media", "", message)


def _index(call: Call, given: str) -> int:
    if not given.isascii() or not given.isdigit() or len(given) > 3:
        message = "$.segment_index: must be an integer between 0 and 999"
        raise refusals.invalid(call.world.switches, "segment_index", given, message)
    return int(given)


def _category(call: Call, given: str) -> OneShotCategory:
    for each in get_args(OneShotCategory):
        if given == each:
            known: OneShotCategory = each
            return known
    message = f"$.media_category: [{given}] is not one of the categories of the schema"
    raise refusals.invalid(call.world.switches, "media_category", given, message)


def _too_large(call: Call) -> refusals.Refusal:
    return refusals.Refusal(call.world.switches.segment_refusal, None)
