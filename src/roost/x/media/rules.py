"""X's rules for uploads: types, categories and sizes, checked before anything is sent.

Source: version 2.167 of X's OpenAPI document (media types and categories); docs.x.com,
x-api/media/introduction.
"""

import re
from collections.abc import Mapping
from typing import Final

from roost.errors import InvalidInput
from roost.mediafile.validation import (
    MAX_ALT_TEXT_LENGTH,
    MAX_GIF_BYTES,
    MAX_IMAGE_BYTES,
    MAX_VIDEO_BYTES,
)
from roost.x.ids import short_repr

_IMAGES: Final = frozenset(
    {"image/jpeg", "image/png", "image/webp", "image/bmp", "image/tiff", "image/pjpeg"}
)
_GIF: Final = "image/gif"
_VIDEOS: Final = frozenset({"video/mp4", "video/quicktime"})
_SUBTITLES: Final = frozenset({"text/srt", "text/vtt"})
_TYPES: Final = _IMAGES | _VIDEOS | _SUBTITLES | {_GIF}
#: Common misspellings of MIME types, with the types that X accepts.
_CORRECTIONS: Final = {
    "image/jpg": "image/jpeg",
    "image/x-png": "image/png",
    "video/mov": "video/quicktime",
    "video/x-m4v": "video/mp4",
    "application/x-subrip": "text/srt",
}
#: For each of X's categories, its MIME types and its size limit in bytes (None: X states no limit).
_CATEGORIES: Final[Mapping[str, tuple[frozenset[str], int | None]]] = {
    "tweet_image": (_IMAGES | {_GIF}, MAX_IMAGE_BYTES),
    "tweet_gif": (frozenset({_GIF}), MAX_GIF_BYTES),
    "tweet_video": (_VIDEOS, MAX_VIDEO_BYTES),
    "dm_image": (_IMAGES | {_GIF}, MAX_IMAGE_BYTES),
    "dm_gif": (frozenset({_GIF}), MAX_GIF_BYTES),
    "dm_video": (_VIDEOS, MAX_VIDEO_BYTES),
    "amplify_video": (_VIDEOS, None),
    "subtitles": (_SUBTITLES, None),
}
_LANGUAGE: Final = re.compile(r"[A-Z]{2}")


class UploadRefused(InvalidInput):
    """X would not accept the file or its metadata, so Roost did not send them."""


class MediaTypeInvalid(UploadRefused):
    """X does not accept the MIME type of an upload."""

    default_next = f"Use one of {', '.join(sorted(_TYPES))}."


class MediaCategoryInvalid(UploadRefused):
    """X has no such category of uploads, or the category does not match the MIME type."""

    default_next = f"Use one of {', '.join(_CATEGORIES)}, or omit it: the MIME type then decides."


class MediaEmpty(UploadRefused):
    """The file to upload is empty."""

    default_next = "Check that the file was written completely."


class MediaTooLarge(UploadRefused):
    """The file to upload is larger than X accepts in its category."""

    default_next = "Export the file in a smaller size."


class AltTextTooLong(UploadRefused):
    """An alt text has more characters than X accepts."""

    default_next = "Shorten the alt text."


class LanguageInvalid(UploadRefused):
    """The language code of subtitles is not two capital letters."""

    default_next = "Use two capital letters, such as `EN` or `DE`."


def category_for(mime_type: str) -> str:
    """Return the category in which a post's file of a MIME type is uploaded.

    Raises: MediaTypeInvalid.
    """
    _check_type(mime_type)
    if mime_type in _SUBTITLES:
        return "subtitles"
    if mime_type == _GIF:
        return "tweet_gif"
    return "tweet_video" if mime_type in _VIDEOS else "tweet_image"


def check_category(mime_type: str, category: str) -> None:
    """Check that X has a category, and that the category accepts a MIME type.

    Raises: MediaTypeInvalid, MediaCategoryInvalid.
    """
    _check_type(mime_type)
    if category not in _CATEGORIES:
        raise MediaCategoryInvalid(f"X has no category {short_repr(category)}.")
    types, _ = _CATEGORIES[category]
    if mime_type not in types:
        raise MediaCategoryInvalid(
            f"X does not accept {mime_type} as {category}.",
            next=f"Use `{category_for(mime_type)}`, or leave the category out.",
        )


def check_size(category: str, size_bytes: int) -> None:
    """Check the size of a file. Raises: MediaEmpty, MediaTooLarge."""
    if size_bytes == 0:
        raise MediaEmpty("The file to upload is empty.")
    _, max_bytes = _CATEGORIES[category]
    if max_bytes is not None and size_bytes > max_bytes:
        raise MediaTooLarge(
            f"The file has {size_bytes:,} bytes; X accepts at most {max_bytes:,} as {category}.",
            size_bytes=size_bytes,
            limit=max_bytes,
        )


def check_alt_text(alt_text: str | None) -> None:
    """Check the length of an alt text. Raises: AltTextTooLong."""
    if alt_text is not None and len(alt_text) > MAX_ALT_TEXT_LENGTH:
        raise AltTextTooLong(
            f"The alt text has {len(alt_text):,} characters; X accepts at most"
            f" {MAX_ALT_TEXT_LENGTH:,}."
        )


def check_language(language_code: str) -> None:
    """Check the language code of subtitles. Raises: LanguageInvalid."""
    if not _LANGUAGE.fullmatch(language_code):
        raise LanguageInvalid(f"{short_repr(language_code)} is not a language code that X accepts.")


def _check_type(mime_type: str) -> None:
    if mime_type in _TYPES:
        return
    essence = mime_type.partition(";")[0].strip().lower()
    corrected = _CORRECTIONS.get(essence, essence)
    hint = f"Write `{corrected}`." if corrected in _TYPES else ""
    raise MediaTypeInvalid(f"X does not accept media of type {short_repr(mime_type)}.", next=hint)
