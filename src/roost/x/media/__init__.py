"""Media uploads: streams files in segments, and resumes an upload after a crash.

`upload` does every step and waits until X has processed the file. A caller that does other work in
the meantime uploads the bytes by `transfer`, and asks X for its progress by `read_processing`.
"""

from roost.x.media.content import HashedFile
from roost.x.media.processing import read_processing
from roost.x.media.rules import UploadRefused
from roost.x.media.state import Processing, ProcessingState, UploadApi, UploadedMedia, UploadState
from roost.x.media.transfers import transfer
from roost.x.media.uploads import Subtitles, upload

__all__ = [
    "HashedFile",
    "Processing",
    "ProcessingState",
    "Subtitles",
    "UploadApi",
    "UploadRefused",
    "UploadState",
    "UploadedMedia",
    "read_processing",
    "transfer",
    "upload",
]
