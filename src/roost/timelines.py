"""An account's timeline and a part, in the form in which the one is looked for in the other."""

from datetime import datetime

from roost import x
from roost.models import TweetId, XUserId
from roost.publishing import reconcile
from roost.publishing.state import PartProgress
from roost.text import text_or_none


async def read_since(
    client: x.Client, x_user_id: XUserId, since: datetime
) -> list[reconcile.TimelinePost]:
    """Every post since an instant of X's time, less what clocks may differ; each is billed.

    Raises: as `x.posts.read_timeline`.
    """
    return [
        reconcile.TimelinePost(
            tweet_id=seen.tweet_id,
            text=seen.normalized_text,
            created_at=seen.created_at,
            reply_to=seen.reply_to,
            media_keys=frozenset(seen.media_keys),
            source=seen.source,
            quote_of=seen.quote_of,
            poll=seen.poll_options,
        )
        async for seen in x.posts.read_timeline(
            client, x_user_id, since_id=reconcile.first_possible_id(since)
        )
    ]


def describe_part(part: PartProgress, reply_to: TweetId | None) -> reconcile.Wanted:
    """What a part that answers `reply_to` looks like on its account's timeline."""
    options = part.part.options
    return reconcile.Wanted(
        text=x.posts.normalize_sent_text(text_or_none(part.part.text) or ""),
        files=len(part.part.media),
        media_keys=part.media_keys,
        reply_to=reply_to,
        quote_of=options.quote_of,
        poll=tuple(map(x.posts.normalize_text, options.poll.options)) if options.poll else None,
    )
