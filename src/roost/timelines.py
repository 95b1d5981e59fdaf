"""Converts posts on a timeline and parts of a post to forms that can be compared."""

from datetime import datetime

from roost import x
from roost.models import TweetId, XUserId
from roost.publishing import reconcile
from roost.publishing.state import PartProgress
from roost.text import text_or_none


async def read_since(
    client: "x.Client", x_user_id: XUserId, since: datetime
) -> list[reconcile.TimelinePost]:
    """Read the account's posts since `since`, an instant of X's time.

    The read begins somewhat earlier, to allow for clock skew. X bills each post that it returns.
    Raises: as `x.posts.read_timeline`.
    """
    return [
        reconcile.TimelinePost(
            tweet_id=post.tweet_id,
            text=post.normalized_text,
            created_at=post.created_at,
            reply_to=post.reply_to,
            media_keys=frozenset(post.media_keys),
            source=post.source,
            quote_of=post.quote_of,
            poll=post.poll_options,
        )
        async for post in x.posts.read_timeline(
            client, x_user_id, since_id=reconcile.first_possible_id(since)
        )
    ]


def describe_part(part: PartProgress, reply_to: TweetId | None) -> reconcile.ExpectedPost:
    """Describe how a part that replies to `reply_to` would appear on the timeline."""
    options = part.part.options
    return reconcile.ExpectedPost(
        text=x.posts.normalize_sent_text(text_or_none(part.part.text) or ""),
        file_count=len(part.part.media),
        media_keys=part.media_keys,
        reply_to=reply_to,
        quote_of=options.quote_of,
        poll=tuple(map(x.posts.normalize_text, options.poll.options)) if options.poll else None,
    )
