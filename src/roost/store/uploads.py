"""Stores finished uploads of posts' files to X, and the progress of unfinished uploads."""

import json
from dataclasses import dataclass, field

from roost.models import MediaAssetId, PostId, TenantId
from roost.publishing.state import Upload
from roost.store.database import Queries


@dataclass(frozen=True, slots=True)
class UploadRow:
    """A stored upload: either `finished` or `progress` is set."""

    finished: Upload | None
    progress: bytes | None = field(repr=False)
    """The state of the upload, as the JSON that `roost.x.media` writes."""


async def list_uploads(transaction: Queries, post_id: PostId) -> dict[MediaAssetId, UploadRow]:
    """Return the uploads of the post's files, both finished and in progress."""
    return {
        row["asset_id"]: UploadRow(
            Upload(row["asset_id"], row["media_id"], row["media_key"], row["expires_at"])
            if row["media_id"]
            else None,
            json.dumps(row["progress"]).encode() if row["progress"] else None,
        )
        for row in await transaction.run("list_uploads", post=post_id)
    }


async def save_upload(transaction: Queries, tenant_id: TenantId, upload: Upload) -> None:
    """Store a finished upload."""
    await transaction.run(
        "save_upload",
        tenant=tenant_id,
        asset=upload.asset_id,
        media_id=upload.media_id,
        media_key=upload.media_key,
        expires_at=upload.expires_at,
    )


async def save_upload_progress(
    transaction: Queries, tenant_id: TenantId, asset_id: MediaAssetId, state: bytes
) -> None:
    """Store the progress of an upload; `state` is an `UploadState` of `roost.x.media` as JSON."""
    await transaction.run(
        "save_upload_progress", tenant=tenant_id, asset=asset_id, progress=state.decode()
    )
