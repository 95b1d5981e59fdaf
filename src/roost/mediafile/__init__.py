"""What a media file is, whether X takes it, and how an image is made to fit.

Files are decoded in a process of their own with limits on memory and time, so that a hostile
one ends in an error, never in a crash; importing this loads no decoder.
"""

from roost.mediafile.children import DecoderUnavailable, close
from roost.mediafile.facts import MediaFile, Unreadable
from roost.mediafile.judge import judge
from roost.mediafile.lint import lint_media
from roost.mediafile.prepare import MediaNotPreparable, Prepared, prepare
from roost.mediafile.probe import probe, probe_copy

__all__ = [
    "DecoderUnavailable",
    "MediaFile",
    "MediaNotPreparable",
    "Prepared",
    "Unreadable",
    "close",
    "judge",
    "lint_media",
    "prepare",
    "probe",
    "probe_copy",
]
