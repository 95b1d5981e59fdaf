"""What an upload may be: types, categories and sizes that X takes, checked before a byte leaves.

Source: OpenAPI 2.167 (media types and categories); docs.x.com, x-api/media/introduction.
"""

import re
from collections.abc import Mapping
from typing import Final

from roost.errors import InvalidInput
from roost.mediafile.judge import (
    MOST_ALT_TEXT,
    MOST_GIF_BYTES,
    MOST_IMAGE_BYTES,
    MOST_VIDEO_BYTES,
)

_IMAGES: Final = frozenset(
    {"image/jpeg", "image/png", "image/webp", "image/bmp", "image/tiff", "image/pjpeg"}
)
_GIF: Final = "image/gif"
_VIDEOS: Final = frozenset({"video/mp4", "video/quicktime"})
_SUBTITLES: Final = frozenset({"text/srt", "text/vtt"})
_TYPES: Final = _IMAGES | _VIDEOS | _SUBTITLES | {_GIF}
#: Spellings that are none of X's, and what is meant.
_MEANT: Final = {
    "image/jpg": "image/jpeg",
    "image/x-png": "image/png",
    "video/mov": "video/quicktime",
    "video/x-m4v": "video/mp4",
    "application/x-subrip": "text/srt",
}
#: What goes under each of X's categories, and up to how many bytes (None: X does not say).
_CATEGORIES: Final[Mapping[str, tuple[frozenset[str], int | None]]] = {
    "tweet_image": (_IMAGES | {_GIF}, MOST_IMAGE_BYTES),
    "tweet_gif": (frozenset({_GIF}), MOST_GIF_BYTES),
    "tweet_video": (_VIDEOS, MOST_VIDEO_BYTES),
    "dm_image": (_IMAGES | {_GIF}, MOST_IMAGE_BYTES),
    "dm_gif": (frozenset({_GIF}), MOST_GIF_BYTES),
    "dm_video": (_VIDEOS, MOST_VIDEO_BYTES),
    "amplify_video": (_VIDEOS, None),
    "subtitles": (_SUBTITLES, None),
}
_LANGUAGE: Final = re.compile(r"[A-Z]{2}")
_SHOWN: Final = 40


class UploadRefused(InvalidInput):
    """A file, or what belongs to it, that X would not take; nothing was sent."""


class MediaTypeInvalid(UploadRefused):
    """The MIME type of an upload is none that X takes."""

    default_next = f"Use one of {', '.join(sorted(_TYPES))}."


class MediaCategoryInvalid(UploadRefused):
    """The category of an upload is none of X's, or does not go with its MIME type."""

    default_next = f"Use one of {', '.join(_CATEGORIES)}, or leave it to the MIME type."


class MediaEmpty(UploadRefused):
    """The file to be uploaded has no bytes."""

    default_next = "Check the file, and that all was written to it."


class MediaTooLarge(UploadRefused):
    """The file to be uploaded has more bytes than X takes in its category."""

    default_next = "Export it smaller."


class AltTextTooLong(UploadRefused):
    """An alt text has more characters than X takes."""

    default_next = "Shorten the alt text."


class LanguageInvalid(UploadRefused):
    """The language of subtitles is not two capital letters."""

    default_next = "Write it as `EN` or `DE`."


def category_for(mime_type: str) -> str:
    """The category that goes with a MIME type on a post. Raises: MediaTypeInvalid."""
    _check_type(mime_type)
    if mime_type in _SUBTITLES:
        return "subtitles"
    if mime_type == _GIF:
        return "tweet_gif"
    return "tweet_video" if mime_type in _VIDEOS else "tweet_image"


def check_category(mime_type: str, category: str) -> None:
    """Raises: MediaTypeInvalid, MediaCategoryInvalid."""
    _check_type(mime_type)
    if category not in _CATEGORIES:
        raise MediaCategoryInvalid(f"X has no category {_show(category)}.")
    types, _ = _CATEGORIES[category]
    if mime_type not in types:
        raise MediaCategoryInvalid(
            f"X takes no {mime_type} as {category}.",
            next=f"Use `{category_for(mime_type)}`, or leave the category to the MIME type.",
        )


def check_size(category: str, size_bytes: int) -> None:
    """Raises: MediaEmpty, MediaTooLarge."""
    if size_bytes == 0:
        raise MediaEmpty("The file to be uploaded is empty.")
    _, most = _CATEGORIES[category]
    if most is not None and size_bytes > most:
        raise MediaTooLarge(
            f"The file has {size_bytes:,} bytes; X takes {most:,} as {category}.",
            size_bytes=size_bytes,
            limit=most,
        )


def check_alt_text(alt_text: str | None) -> None:
    """Raises: AltTextTooLong."""
    if alt_text is not None and len(alt_text) > MOST_ALT_TEXT:
        raise AltTextTooLong(
            f"The alt text has {len(alt_text):,} characters; X takes {MOST_ALT_TEXT:,}."
        )


def check_language(language_code: str) -> None:
    """Raises: LanguageInvalid."""
    if not _LANGUAGE.fullmatch(language_code):
        raise LanguageInvalid(f"{_show(language_code)} is no language as X takes it.")


def _check_type(mime_type: str) -> None:
    if mime_type in _TYPES:
        return
    written = mime_type.partition(";")[0].strip().lower()
    meant = _MEANT.get(written, written)
    hint = f"Write `{meant}`." if meant in _TYPES else ""
    raise MediaTypeInvalid(f"X takes no media of the type {_show(mime_type)}.", next=hint)


def _show(text: str) -> str:
    shown = ascii(text)
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}…"
