"""Probe the files of a post, after copying them if the post is to be stored."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from roost import mediafile
from roost.blocking import run_blocking
from roost.errors import MediaCopyLost, MediaStalled
from roost.media_store import MediaStore
from roost.mediafile import MediaFile
from roost.models import MediaAsset

#: Called with a file that is being copied, the number of copied bytes, and its size in bytes.
OnFileProgress = Callable[[Path, int, int], None]

#: Maximum wall seconds for a decoder process, including its start; decoding has shorter limits.
_PROBE_S: Final = 180.0


async def probe_file(
    source: Path | MediaAsset,
    media: MediaStore | None = None,
    on_progress: OnFileProgress | None = None,
    *,
    within: Path | None = None,
) -> MediaFile:
    """Probe a media file, given as a path or as the asset of a stored post.

    With `media`, a path is copied into the store, and the copy is probed; an asset already has a
    copy. Without `media`, no copy is stored: the file is opened once and read in place. `within` is
    a folder that must contain the file, after links are resolved.

    Raises: MediaUnreadable, MediaStalled, DecoderUnavailable; with `media` also MediaNotCopied,
    MediaStoreUnsafe, MediaCopyLost, MediaCopyDamaged.
    """
    path = Path(source.path) if isinstance(source, MediaAsset) else source
    if media is None:
        try:
            return await run_blocking(
                lambda _: mediafile.probe_media(path, within=within), stall_s=_PROBE_S
            )
        except TimeoutError:
            raise MediaStalled(f"Reading {path.name} timed out.") from None
    if isinstance(source, MediaAsset):
        return await media.probe(source.sha256, path)
    on_bytes = partial(on_progress, path) if on_progress else lambda done, size: None
    return await media.probe(await media.add(path, on_bytes, within=within), path)


async def require_copies(media: MediaStore, files: Sequence[MediaAsset]) -> None:
    """Check that the copy of each file still exists.

    Raises: MediaCopyLost.
    """
    missing = set(await media.list_missing([file.sha256 for file in files]))
    names = sorted({Path(file.path).name for file in files if file.sha256 in missing})
    if names:
        raise MediaCopyLost(f"Roost's copy of {', '.join(names)} is missing from {media.folder}.")
