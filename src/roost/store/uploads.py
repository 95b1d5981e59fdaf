"""What X holds of posts' files: uploads, finished or under way."""

import json
from dataclasses import dataclass, field

from roost.models import MediaAssetId, PostId, TenantId
from roost.publishing.state import Upload
from roost.store.database import Statements


@dataclass(frozen=True, slots=True)
class UploadRow:
    """An upload as its row tells it: finished, or under way (as `x.media` told its state)."""

    finished: Upload | None
    under_way: bytes | None = field(repr=False)


async def list_uploads(transaction: Statements, post_id: PostId) -> dict[MediaAssetId, UploadRow]:
    """What X holds of the post's files, finished or under way."""
    return {
        row["asset_id"]: UploadRow(
            Upload(row["asset_id"], row["media_id"], row["media_key"], row["expires_at"])
            if row["media_id"]
            else None,
            json.dumps(row["progress"]).encode() if row["progress"] else None,
        )
        for row in await transaction.run("list_uploads", post=post_id)
    }


async def keep_upload(transaction: Statements, tenant_id: TenantId, upload: Upload) -> None:
    """Remember what X answered to an upload."""
    await transaction.run(
        "save_upload",
        tenant=tenant_id,
        asset=upload.asset_id,
        media_id=upload.media_id,
        media_key=upload.media_key,
        expires_at=upload.expires_at,
    )


async def keep_upload_under_way(
    transaction: Statements, tenant_id: TenantId, asset_id: MediaAssetId, state: bytes
) -> None:
    """Remember how far an upload is; `state` is JSON."""
    await transaction.run(
        "save_upload_progress", tenant=tenant_id, asset=asset_id, progress=state.decode()
    )
