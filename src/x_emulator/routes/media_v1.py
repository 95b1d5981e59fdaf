"""The routes of media v1.1: one address, four commands or none, and v1.1's own refusals.

X announced their end for 2025; whether they still answer, nobody outside knows.
"""

import base64
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, get_args

import msgspec
from msgspec import Struct

from x_emulator import billing
from x_emulator.pipeline import Call
from x_emulator.responses import NOT_DECODABLE, Answer
from x_emulator.routes import multipart, serializers
from x_emulator.routes.media import arriving
from x_emulator.routes.oauth2 import read_form
from x_emulator.rules import media, refusals
from x_emulator.rules.media import Category, InitializeBody, MediaType, SubtitleTrack
from x_emulator.rules.refusals import Refusal
from x_emulator.state import Media, World

_PATH = "/1.1/media/upload.json"
#: X's documentation of v1.1: a segment is 5 MB at most. A whole GIF may be larger.
MOST_SEGMENT_BYTES = 5 * 1024 * 1024


class _Create(Struct):
    media_id: str | int
    alt_text: media.AltText


class _Track(Struct):
    media_id: str | int
    language_code: str
    display_name: str = ""


class _Tracks(Struct):
    subtitles: list[_Track]


class _Subtitles(Struct):
    media_id: str | int
    subtitle_info: _Tracks
    media_category: str = "tweet_video"


async def upload(call: Call) -> Answer:
    """`POST /1.1/media/upload.json`: INIT, APPEND, FINALIZE, or a whole file."""
    boundary = multipart.boundary_of(call.request)
    with arriving(call) as file:
        try:
            if boundary is None:
                fields = await read_form(call.request)
            else:
                limit = media.MOST_AT_ONCE * 4 // 3
                fields = await multipart.receive(call.request, boundary, file, limit)
        except multipart.TooLarge as error:
            raise Refusal(413, None) from error
        except multipart.Malformed as error:
            raise refusals.legacy_media(_PATH, "The body is not valid multipart.") from error
        given = {**call.request.query_params, **fields}
        _settle_bytes(given, file)
        try:
            return await _obey(call, given, file)
        except Refusal as refusal:
            raise _translated(refusal) from refusal


async def status(call: Call) -> Answer:
    """`GET /1.1/media/upload.json?command=STATUS&media_id=`; 404 where nothing is processed."""
    if call.query.get("command") != "STATUS":
        raise refusals.legacy_media(_PATH, "command parameter is missing.")
    found = _find(call, call.query.get("media_id", ""))
    if found.state == "uploading" or found.category.endswith(("image", "subtitles")):
        raise refusals.legacy(404, 34, "Sorry, that page does not exist.")
    media.poll(call.world, found)
    return Answer(200, _shown(call.world, found, call.at))


async def metadata(call: Call) -> Answer:
    """`POST /1.1/media/metadata/create.json`: alt text; the answer is empty."""
    try:
        body = msgspec.json.decode(await call.request.body(), type=_Create)
    except NOT_DECODABLE as error:
        raise _bad_body("/1.1/media/metadata/create.json") from error
    _find(call, str(body.media_id)).alt_text = body.alt_text.text
    return Answer(200, usd=billing.MEDIA_METADATA)


async def subtitles(call: Call) -> Answer:
    """`POST /1.1/media/subtitles/create.json`; the answer is empty."""
    path = "/1.1/media/subtitles/create.json"
    try:
        body = msgspec.json.decode(await call.request.body(), type=_Subtitles)
        tracks = [
            SubtitleTrack(str(each.media_id), each.language_code.upper(), each.display_name)
            for each in body.subtitle_info.subtitles
        ]
        media.add_subtitles(call.world, call.user.id, str(body.media_id), tracks, call.at)
    except NOT_DECODABLE as error:
        raise _bad_body(path) from error
    except Refusal as refusal:
        raise refusals.legacy_media(path, "Not found.") from refusal
    return Answer(200)


async def _obey(call: Call, given: dict[str, str], file: Path) -> Answer:
    command = given.get("command", "").upper()
    if command == "INIT":
        return _initialize(call, given)
    if command == "APPEND":
        into = _find(call, given.get("media_id", ""))
        if not file.exists():
            raise refusals.legacy_media(_PATH, "media parameter is missing.")
        if file.stat().st_size > MOST_SEGMENT_BYTES:
            raise Refusal(413, None)
        media.put_segment(call.world, into, _number(given, "segment_index"), file)
        return Answer(204)
    if command == "FINALIZE":
        found = _find(call, given.get("media_id", ""))
        await media.finalize(call.world, found)
        return Answer(201, _shown(call.world, found, call.at))
    if not file.exists() or command:
        raise refusals.legacy_media(_PATH, "media parameter is missing.")
    category = _category(given, "image/gif" if file.read_bytes()[:4] == b"GIF8" else "image/png")
    new = await media.take_whole(
        call.world, call.user.id, call.client_id, category, file, call.at,
        is_synchronous="media_category" not in given,
    )  # fmt: skip
    return Answer(200, _shown(call.world, new, call.at))


def _initialize(call: Call, given: dict[str, str]) -> Answer:
    kind = given.get("media_type", "")
    if kind not in get_args(MediaType):
        raise refusals.legacy_media(_PATH, "media type unrecognized.")
    wish = {
        "total_bytes": _number(given, "total_bytes"),
        "media_type": kind,
        "media_category": _category(given, kind),
    }
    try:
        body = msgspec.convert(wish, InitializeBody)
    except msgspec.ValidationError as error:
        raise refusals.legacy_media(_PATH, "total_bytes parameter is invalid.") from error
    new = media.initialize(
        call.world, call.user.id, call.client_id, body, call.at,
        is_synchronous="media_category" not in given,
    )  # fmt: skip
    return Answer(202, _names(new) | {"expires_after_secs": int(media.LIFE.total_seconds())})


def _category(given: dict[str, str], media_type: str) -> Category:
    """The category that is given (`TweetImage`, as node sends it, too), or the type's own."""
    wanted = given.get("media_category", "").lower().replace("_", "")
    for each in get_args(Category):
        if wanted == each.replace("_", ""):
            known: Category = each
            return known
    if wanted:
        raise refusals.legacy_media(_PATH, "media category unrecognized.")
    by_type: dict[str, Literal["tweet_gif", "tweet_video", "subtitles"]] = {
        "image/gif": "tweet_gif",
        "video": "tweet_video",
        "text": "subtitles",
    }
    return by_type.get(media_type) or by_type.get(media_type.partition("/")[0]) or "tweet_image"


def _settle_bytes(given: dict[str, str], file: Path) -> None:
    """Decode `media_data`. What is not base64 becomes other bytes, so that the sum is wrong."""
    # A form without parts cannot hold bytes: its `media` is base64, too.
    name = "media" if given.get("media") and not file.exists() else "media_data"
    if name not in given:
        return
    encoded = file.read_bytes() if file.exists() else given[name].encode()
    whole = bytes(each for each in encoded if each in _BASE64)
    whole = whole[:-1] if len(whole) % 4 == 1 else whole  # six bits make no byte
    file.write_bytes(base64.b64decode(whole + b"=" * (-len(whole) % 4)))


#: Without the padding, which would be an error in the middle; it stands for no bytes.
_BASE64 = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")


def _find(call: Call, media_id: str) -> Media:
    try:
        return media.get_upload(call.world, call.user.id, media_id, call.at)
    except Refusal as refusal:
        message = f"Invalid media_id: Some({media_id})."
        raise refusals.legacy_media(_PATH, message) from refusal


def _number(given: dict[str, str], name: str) -> int:
    value = given.get(name, "")
    if not value.isascii() or not value.isdigit() or len(value) > 11:
        raise refusals.legacy_media(_PATH, f"{name} parameter is invalid.")
    return int(value)


def _names(item: Media) -> dict[str, Any]:
    return {
        "media_id": int(item.id),
        "media_id_string": item.id,
        "media_key": item.media_key,
    }


def _shown(world: World, item: Media, at: datetime) -> dict[str, Any]:
    """An upload as v2 shows it, under the names of v1.1."""
    whole = serializers.upload_object(world, item, at)
    del whole["id"]
    return _names(item) | whole


def _translated(refusal: Refusal) -> Refusal:
    """The same refusal in the envelope of v1.1, where v1.1 says the same sentence."""
    return refusals.legacy_media(_PATH, refusal.said) if refusal.said else refusal


def _bad_body(path: str) -> Refusal:
    return refusals.legacy_media(path, "The body is not valid JSON of the expected form.")
