"""The media routes of X's API v1.1, with the error responses of v1.1.

One path serves the commands INIT, APPEND, FINALIZE and STATUS, and whole files without a command.
X announced that it would shut down these routes in 2025. It is not publicly known whether they
still respond.
"""

import base64
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, get_args

import msgspec
from msgspec import Struct

from x_emulator import billing
from x_emulator.pipeline import Call
from x_emulator.responses import DECODE_ERRORS, ApiResponse
from x_emulator.routes import multipart, serializers
from x_emulator.routes.media import temporary_file
from x_emulator.routes.oauth2 import read_form
from x_emulator.rules import media, refusals
from x_emulator.rules.media import Category, InitializeBody, MediaType, SubtitleTrack
from x_emulator.rules.refusals import Refusal
from x_emulator.state import Media, World

_PATH = "/1.1/media/upload.json"
#: The maximum size of a segment, from X's documentation of v1.1. A whole GIF may be larger.
MAX_SEGMENT_BYTES = 5 * 1024 * 1024


class _MetadataBody(Struct):
    media_id: str | int
    alt_text: media.AltText


class _Track(Struct):
    media_id: str | int
    language_code: str
    display_name: str = ""


class _SubtitleInfo(Struct):
    subtitles: list[_Track]


class _SubtitlesBody(Struct):
    media_id: str | int
    subtitle_info: _SubtitleInfo
    media_category: str = "tweet_video"


async def upload(call: Call) -> ApiResponse:
    """Handle `POST /1.1/media/upload.json`.

    The parameter `command` is INIT, APPEND or FINALIZE. Without it, the request has a whole file.
    """
    boundary = multipart.boundary_of(call.request)
    with temporary_file(call) as file:
        try:
            if boundary is None:
                fields = await read_form(call.request)
            else:
                limit = media.MAX_WHOLE_FILE_BYTES * 4 // 3
                fields = await multipart.receive(call.request, boundary, file, limit)
        except multipart.TooLarge as error:
            raise Refusal(413, None) from error
        except multipart.Malformed as error:
            raise refusals.v1_media_refusal(_PATH, "The body is not valid multipart.") from error
        parameters = {**call.request.query_params, **fields}
        _decode_media(parameters, file)
        try:
            return await _run_command(call, parameters, file)
        except Refusal as refusal:
            raise _to_v1(refusal) from refusal


async def status(call: Call) -> ApiResponse:
    """Handle `GET /1.1/media/upload.json?command=STATUS&media_id=`.

    Images and subtitles are not processed after the upload, so the response for them is 404.
    """
    if call.query.get("command") != "STATUS":
        raise refusals.v1_media_refusal(_PATH, "command parameter is missing.")
    item = _get_upload(call, call.query.get("media_id", ""))
    if item.state == "uploading" or item.category.endswith(("image", "subtitles")):
        raise refusals.v1_refusal(404, 34, "Sorry, that page does not exist.")
    media.poll(call.world, item)
    return ApiResponse(200, _upload_object(call.world, item, call.at))


async def metadata(call: Call) -> ApiResponse:
    """Handle `POST /1.1/media/metadata/create.json`, which sets the alt text.

    The response has no body.
    """
    try:
        body = msgspec.json.decode(await call.request.body(), type=_MetadataBody)
    except DECODE_ERRORS as error:
        raise _invalid_body("/1.1/media/metadata/create.json") from error
    _get_upload(call, str(body.media_id)).alt_text = body.alt_text.text
    return ApiResponse(200, usd=billing.MEDIA_METADATA)


async def subtitles(call: Call) -> ApiResponse:
    """Handle `POST /1.1/media/subtitles/create.json`, which attaches subtitles to a video.

    The response has no body.
    """
    path = "/1.1/media/subtitles/create.json"
    try:
        body = msgspec.json.decode(await call.request.body(), type=_SubtitlesBody)
        tracks = [
            SubtitleTrack(str(each.media_id), each.language_code.upper(), each.display_name)
            for each in body.subtitle_info.subtitles
        ]
        media.add_subtitles(call.world, call.user.id, str(body.media_id), tracks, call.at)
    except DECODE_ERRORS as error:
        raise _invalid_body(path) from error
    except Refusal as refusal:
        raise refusals.v1_media_refusal(path, "Not found.") from refusal
    return ApiResponse(200)


async def _run_command(call: Call, parameters: dict[str, str], file: Path) -> ApiResponse:
    command = parameters.get("command", "").upper()
    if command == "INIT":
        return _initialize(call, parameters)
    if command == "APPEND":
        target = _get_upload(call, parameters.get("media_id", ""))
        if not file.exists():
            raise refusals.v1_media_refusal(_PATH, "media parameter is missing.")
        if file.stat().st_size > MAX_SEGMENT_BYTES:
            raise Refusal(413, None)
        media.add_segment(call.world, target, _number(parameters, "segment_index"), file)
        return ApiResponse(204)
    if command == "FINALIZE":
        item = _get_upload(call, parameters.get("media_id", ""))
        await media.finalize(call.world, item)
        return ApiResponse(201, _upload_object(call.world, item, call.at))
    if not file.exists() or command:
        raise refusals.v1_media_refusal(_PATH, "media parameter is missing.")
    is_gif = file.read_bytes()[:4] == b"GIF8"
    category = _category(parameters, "image/gif" if is_gif else "image/png")
    new = await media.upload_whole(
        call.world, call.user.id, call.client_id, media.describe_file(file, category), file,
        call.at,
        is_synchronous="media_category" not in parameters,
    )  # fmt: skip
    return ApiResponse(200, _upload_object(call.world, new, call.at))


def _initialize(call: Call, parameters: dict[str, str]) -> ApiResponse:
    media_type = parameters.get("media_type", "")
    if media_type not in get_args(MediaType):
        raise refusals.v1_media_refusal(_PATH, "media type unrecognized.")
    fields = {
        "total_bytes": _number(parameters, "total_bytes"),
        "media_type": media_type,
        "media_category": _category(parameters, media_type),
    }
    try:
        body = msgspec.convert(fields, InitializeBody)
    except msgspec.ValidationError as error:
        raise refusals.v1_media_refusal(_PATH, "total_bytes parameter is invalid.") from error
    new = media.initialize(
        call.world, call.user.id, call.client_id, body, call.at,
        is_synchronous="media_category" not in parameters,
    )  # fmt: skip
    lifetime = {"expires_after_secs": int(media.LIFETIME.total_seconds())}
    return ApiResponse(202, _ids(new) | lifetime)


def _category(parameters: dict[str, str], media_type: str) -> Category:
    """Return the parameter `media_category`, or the default category of the media type.

    The comparison ignores case and underscores, because the client twitter-api-v2 for Node sends
    `TweetImage` instead of `tweet_image`.
    """
    name = parameters.get("media_category", "").lower().replace("_", "")
    for each in get_args(Category):
        if name == each.replace("_", ""):
            known: Category = each
            return known
    if name:
        raise refusals.v1_media_refusal(_PATH, "media category unrecognized.")
    by_type: dict[str, Literal["tweet_gif", "tweet_video", "subtitles"]] = {
        "image/gif": "tweet_gif",
        "video": "tweet_video",
        "text": "subtitles",
    }
    return by_type.get(media_type) or by_type.get(media_type.partition("/")[0]) or "tweet_image"


def _decode_media(parameters: dict[str, str], file: Path) -> None:
    """Decode a request's base64 media, and write the bytes to `file`.

    Characters that are not base64 digits are skipped, so damaged base64 gives a file of another
    size.
    """
    # A urlencoded form cannot contain raw bytes, so both `media` and `media_data` are base64.
    name = "media" if parameters.get("media") and not file.exists() else "media_data"
    if name not in parameters:
        return
    encoded = file.read_bytes() if file.exists() else parameters[name].encode()
    digits = bytes(each for each in encoded if each in _BASE64)
    # A single digit at the end is dropped, because it has only six bits, less than a byte.
    digits = digits[:-1] if len(digits) % 4 == 1 else digits
    file.write_bytes(base64.b64decode(digits + b"=" * (-len(digits) % 4)))


#: The base64 digits. The padding `=` is not among them, because `_decode_media` removes all padding
#: and adds its own at the end.
_BASE64 = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")


def _get_upload(call: Call, media_id: str) -> Media:
    try:
        return media.get_upload(call.world, call.user.id, media_id, call.at)
    except Refusal as refusal:
        message = f"Invalid media_id: Some({media_id})."
        raise refusals.v1_media_refusal(_PATH, message) from refusal


def _number(parameters: dict[str, str], name: str) -> int:
    value = parameters.get(name, "")
    if not value.isascii() or not value.isdigit() or len(value) > 11:
        raise refusals.v1_media_refusal(_PATH, f"{name} parameter is invalid.")
    return int(value)


def _ids(item: Media) -> dict[str, Any]:
    return {
        "media_id": int(item.id),
        "media_id_string": item.id,
        "media_key": item.media_key,
    }


def _upload_object(world: World, item: Media, at: datetime) -> dict[str, Any]:
    """Return an upload as v2's JSON object, but with v1.1's names for the media id."""
    upload = serializers.upload_object(world, item, at)
    del upload["id"]
    return _ids(item) | upload


def _to_v1(refusal: Refusal) -> Refusal:
    """Convert a refusal to the format of v1.1's media endpoints.

    If the refusal has no message, it is returned unchanged.
    """
    return refusals.v1_media_refusal(_PATH, refusal.message) if refusal.message else refusal


def _invalid_body(path: str) -> Refusal:
    return refusals.v1_media_refusal(path, "The body is not valid JSON of the expected form.")
