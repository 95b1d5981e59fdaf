"""The files that a post is to carry, read: copied first where the post is to be stored."""

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

#: Told a file that is being copied, the bytes that have been, and all bytes.
OnFileProgress = Callable[[Path, int, int], None]

#: Wall seconds for a decoder, which may have to be started, and has bounds of its own.
_PROBE_S: Final = 180.0


async def probe_file(
    source: Path | MediaAsset,
    media: MediaStore | None = None,
    on_progress: OnFileProgress | None = None,
    *,
    within: Path | None = None,
) -> MediaFile:
    """What a file is: of a copy that is made of it now, or that a post carries already.

    Without `media` nothing is kept, for what is only looked at: it is opened once and read from
    there. `within` is a folder out of which the path may not lead.
    Raises: MediaUnreadable, MediaStalled, DecoderUnavailable; with `media` also MediaNotCopied,
    MediaStoreUnsafe, MediaCopyLost, MediaCopyDamaged.
    """
    path = Path(source.path) if isinstance(source, MediaAsset) else source
    if media is None:
        try:
            return await run_blocking(
                lambda _: mediafile.probe(path, within=within), stall_s=_PROBE_S
            )
        except TimeoutError:
            raise MediaStalled(f"{path.name} could not be read in time.") from None
    if isinstance(source, MediaAsset):
        return await media.probe(source.sha256, path)
    told = partial(on_progress, path) if on_progress else lambda done, size: None
    return await media.probe(await media.accept(path, told, within=within), path)


async def require_copies(media: MediaStore, files: Sequence[MediaAsset]) -> None:
    """Raises: MediaCopyLost where the copy of one of these is not there any more."""
    lost = set(await media.list_lost([file.sha256 for file in files]))
    names = sorted({Path(file.path).name for file in files if file.sha256 in lost})
    if names:
        raise MediaCopyLost(
            f"Roost's copy of {', '.join(names)} is not in {media.folder} any more."
        )
