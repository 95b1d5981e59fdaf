"""An account's timeline, in the form in which parts are looked for in it."""

from datetime import datetime

from roost import reconcile, x
from roost.models import XUserId


async def read_since(client: x.Client, x_user_id: XUserId, since: datetime) -> list[reconcile.Seen]:
    """Every post since an instant of X's time, less what clocks may differ; each is billed.

    Raises: as `x.posts.read_timeline`.
    """
    return [
        reconcile.Seen(
            tweet_id=seen.tweet_id,
            text=seen.expanded_text,
            created_at=seen.created_at,
            reply_to=seen.reply_to,
            media_keys=frozenset(seen.media_keys),
            source=seen.source,
        )
        async for seen in x.posts.read_timeline(
            client, x_user_id, since_id=reconcile.since_tweet(since)
        )
    ]
