"""Removes copies of media files that no post needs, and lists copies that are missing."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from roost import store
from roost.models import PartState, Post, PostId, PostState, TenantId
from roost.runtime import Runtime


async def remove_unneeded(runtime: Runtime) -> int:
    """Remove the copies of files that no post can still need, and return their number.

    Raises: MediaStalled, MediaStoreUnsafe, OSError.
    """

    async def find_needed(hashes: Sequence[str]) -> Collection[str]:
        async with runtime.database.unscoped() as transaction:
            rows = await transaction.run("list_needed_media", hashes=list(hashes))
        return {row["sha256"] for row in rows}

    return await runtime.media.remove_unneeded(find_needed)


async def list_missing_of(runtime: Runtime, post: Post) -> list[str]:
    """Return the sorted names of a post's files that are still needed but have no copy.

    A part that is already on X no longer needs its files. Raises: MediaStalled.
    """
    parts = [part for part in post.parts if part.state is not PartState.SENT]
    names = {file.sha256: Path(file.path).name for part in parts for file in part.media}
    return sorted(names[each] for each in await runtime.media.list_missing(names))


@dataclass(frozen=True, slots=True)
class MissingCopies:
    """The names of a post's files that have no copy although the post may still need them."""

    tenant_id: TenantId
    post_id: PostId
    names: tuple[str, ...]


async def list_missing(runtime: Runtime) -> list[MissingCopies]:
    """Return every post with a needed file that has no copy, tenant by tenant.

    Raises: MediaStalled.
    """
    found = []
    for tenant_id in await store.tenants.list_ids(runtime.database):
        async with runtime.database.for_tenant(tenant_id) as transaction:
            rows = await transaction.run("list_needed_files")
        missing = set(await runtime.media.list_missing([row["sha256"] for row in rows]))
        if missing:
            async with runtime.database.for_tenant(tenant_id) as transaction:
                posts = await store.posts.list_all(transaction)
            found += [each for post in posts if (each := _find_missing(post, missing)) is not None]
    return found


def _find_missing(post: Post, missing: Collection[str]) -> MissingCopies | None:
    """Return the names of the missing files that a post still needs; None if there are none.

    `missing` contains the SHA-256 hashes of the files.
    """
    if post.state in (PostState.PUBLISHED, PostState.CANCELLED):
        return None
    names = tuple(
        Path(file.path).name
        for part in post.parts
        if part.state is not PartState.SENT
        for file in part.media
        if file.sha256 in missing
    )
    return MissingCopies(post.tenant_id, post.id, names) if names else None
