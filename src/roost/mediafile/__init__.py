"""Probe media files, validate them by X's rules, and make images fit X's limits.

Files are decoded in separate processes with limits on memory and time, so a hostile file causes an
error, never a crash. Importing this package loads no decoder.
"""

from roost.mediafile.decoder_pool import DecoderUnavailable, close
from roost.mediafile.lint import lint_media
from roost.mediafile.media_info import MediaFile, Unreadable
from roost.mediafile.prepare import MediaNotPreparable, PreparedImage, prepare_image
from roost.mediafile.probe import probe_copy, probe_media
from roost.mediafile.validation import validate_media

__all__ = [
    "DecoderUnavailable",
    "MediaFile",
    "MediaNotPreparable",
    "PreparedImage",
    "Unreadable",
    "close",
    "lint_media",
    "prepare_image",
    "probe_copy",
    "probe_media",
    "validate_media",
]
