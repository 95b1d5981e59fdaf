"""Media uploads: streamed from disk in numbered segments, and resumable after a crash.

`upload` does everything and waits. `transfer` only uploads the bytes and `read_processing` asks X
for its progress, for a caller that does other work instead of waiting.
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
