"""Files on their way to X: streamed from disk in numbered segments, and resumed after a crash.

`upload` is the whole way. `transfer` brings the bytes over and `read_processing` asks how far X is
with them, for a caller that has other things to do than to wait.
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
