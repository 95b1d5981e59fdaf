"""The rules of uploads: segments, validation at finalize, and processing after it.

Each segment is written to a file. At finalize, the segments are joined, hashed, decoded and
deleted. Only the metadata of the media remains.
"""

import asyncio
import shutil
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from x_emulator.rules import media_validation, refusals
from x_emulator.rules.media_validation import INVALID_DIMENSIONS, MediaInfo
from x_emulator.rules.request_bodies import Id
from x_emulator.state import Media, World

#: The time for which an upload can be attached to a post.
LIFETIME = timedelta(hours=24)

MediaType = Literal[
    "video/mp4",
    "video/webm",
    "video/mp2t",
    "video/quicktime",
    "text/srt",
    "text/vtt",
    "image/jpeg",
    "image/gif",
    "image/bmp",
    "image/png",
    "image/webp",
    "image/pjpeg",
    "image/tiff",
    "model/gltf-binary",
    "model/vnd.usdz+zip",
]
Category = Literal[
    "amplify_video",
    "tweet_gif",
    "tweet_image",
    "tweet_video",
    "dm_gif",
    "dm_image",
    "dm_video",
    "subtitles",
]
OneShotCategory = Literal[
    "tweet_image", "tweet_video", "tweet_gif", "dm_image", "dm_video", "dm_gif", "subtitles"
]
#: The maximum size of a file that is uploaded whole instead of in segments: the limit of a GIF.
MAX_WHOLE_FILE_BYTES = media_validation.MAX_BYTES["tweet_gif"]
#: The known signatures of files: the bytes of the signature, their offset in the file, and the
#: media type.
_SIGNATURES: tuple[tuple[bytes, int, MediaType], ...] = (
    (b"\x89PNG", 0, "image/png"),
    (b"\xff\xd8\xff", 0, "image/jpeg"),
    (b"GIF8", 0, "image/gif"),
    (b"WEBP", 8, "image/webp"),
    (b"BM", 0, "image/bmp"),
    (b"ftyp", 4, "video/mp4"),
    (b"WEBVTT", 0, "text/vtt"),
)
_KEY_PREFIX = {
    "tweet_image": "3",
    "dm_image": "3",
    "tweet_gif": "16",
    "dm_gif": "16",
    "tweet_video": "7",
    "dm_video": "7",
    "amplify_video": "13",
    "subtitles": "10",
}


class InitializeBody(Struct, forbid_unknown_fields=True):
    """The body of `POST /2/media/upload/initialize`."""

    total_bytes: Annotated[int, Meta(ge=0, le=17_179_869_184)]
    media_type: MediaType
    media_category: Category = "tweet_image"
    shared: bool = False
    additional_owners: list[Id] | UnsetType = UNSET


class AltText(Struct):
    """The object `metadata.alt_text` of a metadata request."""

    text: Annotated[str, Meta(max_length=1000)]


class Metadata(Struct):
    """The object `metadata` of a metadata request. Other keys of the schema are ignored."""

    alt_text: AltText | UnsetType = UNSET


class MetadataBody(Struct):
    """The body of `POST /2/media/metadata`."""

    id: Id
    metadata: Metadata | UnsetType = UNSET


class SubtitleTrack(Struct):
    """The object `subtitles` of a request that attaches a track to a video."""

    id: Id
    language_code: Annotated[str, Meta(pattern="^[A-Z]{2}$")]
    display_name: str = ""


class SubtitlesBody(Struct, forbid_unknown_fields=True):
    """The body of `POST /2/media/subtitles`."""

    id: Id
    subtitles: SubtitleTrack
    media_category: Literal["AmplifyVideo", "TweetVideo"] = "TweetVideo"


class DeleteSubtitlesBody(Struct):
    """The body of `DELETE /2/media/subtitles`. X's schema permits other fields too."""

    id: str
    media_category: str
    language_code: str


def initialize(
    world: World,
    user_id: str,
    client_id: str,
    body: InitializeBody,
    at: datetime,
    *,
    is_synchronous: bool = False,
) -> Media:
    """Create an upload; if `is_synchronous`, finalize validates even GIFs and videos at once.

    Raises: Refusal if the file is larger than the limit of its category.
    """
    if body.total_bytes > media_validation.MAX_BYTES[body.media_category]:
        message = f"File size exceeds {media_validation.MAX_BYTES[body.media_category]} bytes."
        raise refusals.invalid_request(
            world.switches, "total_bytes", str(body.total_bytes), message
        )
    media_id = world.new_id(at)
    media = world.media[media_id] = Media(
        id=media_id,
        media_key=f"{_KEY_PREFIX[body.media_category]}_{media_id}",
        user_id=user_id,
        client_id=client_id,
        category=body.media_category,
        media_type=body.media_type,
        total_bytes=body.total_bytes,
        expires_at=at + LIFETIME,
        owners=[] if body.additional_owners is UNSET else body.additional_owners,
        is_synchronous=is_synchronous,
    )
    folder_of(world, media).mkdir()
    return media


def get_upload(world: World, user_id: str, media_id: str, at: datetime) -> Media:
    """Return an upload of a user.

    Raises: Refusal (the upload does not exist, has expired or is another user's).
    """
    media = world.media.get(media_id)
    if media is None or media.user_id != user_id or at >= media.expires_at:
        raise refusals.invalid_request(
            world.switches, "media_id", media_id, "BadRequest: Not found"
        )
    return media


def folder_of(world: World, media: Media) -> Path:
    """Return the directory with an upload's segments. It exists until finalize."""
    return world.spool / media.id


def add_segment(world: World, media: Media, index: int, file: Path) -> None:
    """Store a segment, which replaces a segment with the same index.

    Raises: Refusal (the upload is finalized, or the index is invalid).
    """
    if media.state != "uploading":
        raise refusals.invalid_request(world.switches, "id", media.id, "BadRequest: Not found")
    if not 0 <= index <= 999:
        message = "$.segment_index: must be between 0 and 999"
        raise refusals.invalid_request(world.switches, "segment_index", str(index), message)
    size = file.stat().st_size
    file.rename(folder_of(world, media) / f"{index:03}")
    media.segments[index] = size


async def finalize(world: World, media: Media) -> None:
    """Join the segments; validate an image at once, and other files while the client polls.

    Raises: Refusal (a segment is missing, the size differs from the announced size, an image is
    invalid, or finalize is repeated while the switch `finalize_is_idempotent` is off).
    """
    is_closed = media.state != "uploading"
    if is_closed and world.switches.finalize_is_idempotent:
        return
    indices = sorted(media.segments)
    has_gaps = indices != list(range(len(indices)))
    if is_closed or has_gaps or sum(media.segments.values()) != media.total_bytes:
        message = "Segments do not add up to provided total file size."
        raise refusals.invalid_request(world.switches, "media_id", media.id, message)
    media.state = "pending"
    validation = asyncio.create_task(_validate(world, media))
    world.validations.add(validation)
    validation.add_done_callback(world.validations.discard)
    if not _needs_processing(media):
        await validation
        media.state = "succeeded" if media.verdict == "ok" else "failed"
        if media.state == "failed":
            has_bad_size = media.verdict == INVALID_DIMENSIONS
            message = INVALID_DIMENSIONS if has_bad_size else "media type unrecognized."
            raise refusals.invalid_request(world.switches, "media_id", media.id, message)


def describe_file(file: Path, category: Category, owners: Sequence[str] = ()) -> InitializeBody:
    """Return the `initialize` body for a file. Its first bytes determine the media type."""
    head = file.read_bytes()[:16]
    matches = (kind for sign, start, kind in _SIGNATURES if head[start:].startswith(sign))
    return InitializeBody(
        total_bytes=file.stat().st_size,
        media_type=next(matches, "text/srt" if category == "subtitles" else "image/png"),
        media_category=category,
        additional_owners=[each for each in owners if each],
    )


async def upload_whole(
    world: World,
    user_id: str,
    client_id: str,
    body: InitializeBody,
    file: Path,
    at: datetime,
    *,
    is_synchronous: bool = False,
) -> Media:
    """Upload a whole file, which is moved away from its path.

    Raises: Refusal (see `initialize` and `finalize`).
    """
    media = initialize(world, user_id, client_id, body, at, is_synchronous=is_synchronous)
    add_segment(world, media, 0, file)
    await finalize(world, media)
    return media


def add_subtitles(
    world: World, user_id: str, video_id: str, tracks: Sequence[SubtitleTrack], at: datetime
) -> Media:
    """Attach subtitle tracks to a video; they replace tracks with the same language.

    Raises: Refusal (the video or the uploaded subtitles do not exist).
    """
    video = get_upload(world, user_id, video_id, at)
    for track in tracks:
        subtitles = get_upload(world, user_id, track.id, at)
        if subtitles.category != "subtitles" or not video.category.endswith("video"):
            raise refusals.invalid_request(world.switches, "id", track.id, "BadRequest: Not found")
        video.subtitles[track.language_code] = track.id
    return video


def poll(world: World, media: Media) -> None:
    """Advance the processing of an upload by one step; only polls advance the processing."""
    if media.state in ("pending", "in_progress"):
        is_done = media.polls >= world.switches.processing_polls and media.verdict is not None
        media.polls += 1
        if is_done:
            media.state = "succeeded" if media.verdict == "ok" else "failed"
        else:
            media.state = "in_progress"


def _needs_processing(media: Media) -> bool:
    """Return whether the media is processed after finalize, as GIFs and videos are."""
    return not media.is_synchronous and not media.category.endswith(("image", "subtitles"))


async def _validate(world: World, media: Media) -> None:
    folder = folder_of(world, media)
    segments = [folder / f"{index:03}" for index in sorted(media.segments)]
    info = await asyncio.to_thread(_join_and_validate, segments, folder / "whole", media.category)
    shutil.rmtree(folder, ignore_errors=True)
    media.sha256 = info.sha256
    media.width, media.height = info.width, info.height
    media.duration_ms = info.duration_ms
    error = world.switches.processing_error
    must_fail = error is not None and info.verdict == "ok" and _needs_processing(media)
    media.verdict = error if must_fail else info.verdict


def _join_and_validate(segments: list[Path], whole: Path, category: str) -> MediaInfo:
    sha256 = media_validation.assemble(segments, whole)
    for segment in segments:
        segment.unlink()
    return media_validation.validate_media(whole, category, sha256)
