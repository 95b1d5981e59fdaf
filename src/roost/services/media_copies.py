"""Removes copies of media files that no post needs, and lists copies that are missing."""

from collections.abc import Collection, Sequence
from pathlib import Path

from roost import store
from roost.models import PartState, Post
from roost.runtime import Runtime


async def remove_unneeded(runtime: Runtime) -> int:
    """Remove the copies that no post of any tenant can still need; return their number.

    Raises: MediaStalled, MediaStoreUnsafe, OSError.
    """

    async def find_needed(hashes: Sequence[str]) -> Collection[str]:
        async with runtime.database.unscoped() as transaction:
            rows = await transaction.run("list_needed_media", hashes=list(hashes))
        return {row["sha256"] for row in rows}

    return await runtime.media.remove_unneeded(find_needed)


async def list_missing_of(runtime: Runtime, post: Post) -> list[str]:
    """List the names of a post's files that a part still needs but that have no copy, sorted.

    Raises: MediaStalled.
    """
    parts = [part for part in post.parts if part.state is not PartState.SENT]
    names = {file.sha256: Path(file.path).name for part in parts for file in part.media}
    return sorted(names[each] for each in await runtime.media.list_missing(names))


async def list_missing(runtime: Runtime) -> list[str]:
    """Return the sorted names of the files without a copy that a post may still need.

    Raises: MediaStalled.
    """
    needed: dict[str, str] = {}
    for tenant_id in await store.tenants.list_ids(runtime.database):
        async with runtime.database.for_tenant(tenant_id) as transaction:
            rows = await transaction.run("list_needed_files")
        needed |= {row["sha256"]: Path(row["path"]).name for row in rows}
    return sorted(needed[each] for each in await runtime.media.list_missing(needed))
