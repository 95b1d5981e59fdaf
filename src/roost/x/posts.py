"""Posts on X: create, delete, look up, and read an account's timeline."""

from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import Final, Unpack

import msgspec

from roost.models import Poll, ReplySettings, TweetId, XUserId
from roost.prices import Operation
from roost.snowflake import snowflake_time
from roost.x import create_post, errors, schemas
from roost.x.client import Client
from roost.x.create_post import CallToActions, MediaCard, PostFields
from roost.x.ids import chunk_ids, require_id, require_ids
from roost.x.receipt import Found, Receipt, Result
from roost.x.request import Request, format_instant, json_body
from roost.x.text_matching import normalize_returned_text, normalize_sent_text, normalize_text

__all__ = [
    "CallToActions",
    "CreatedPost",
    "DeletedPost",
    "MediaCard",
    "Poll",
    "ReplySettings",
    "XPost",
    "create",
    "delete",
    "normalize_sent_text",
    "normalize_text",
    "read_posts",
    "read_timeline",
]

_CREATE: Final = msgspec.json.Decoder(schemas.CreateResponse)
_DELETE: Final = msgspec.json.Decoder(schemas.DeleteResponse)
_POSTS: Final = msgspec.json.Decoder(schemas.PostsResponse)
_TIMELINE: Final = msgspec.json.Decoder(schemas.TimelineResponse)

_PAGE_SIZE: Final = 100
_FIELDS: Final = {
    "tweet.fields": "created_at,entities,attachments,referenced_tweets,note_tweet,source",
    "expansions": "attachments.poll_ids",
}


class CreatedPost(Result, frozen=True):
    """A post that X has created."""

    tweet_id: TweetId
    text: str
    """The text as X returns it, with shortened links."""


class DeletedPost(Result, frozen=True):
    """The result of deleting a post."""

    deleted: bool
    """False if X has no such post."""


class XPost(Result, frozen=True):
    """A post as X returns it.

    `receipt` belongs to the request, which may have returned other posts, too.
    """

    tweet_id: TweetId
    text: str
    """X's text: links are shortened, `&`, `<` and `>` escaped, and the media's link appended."""
    normalized_text: str
    """The text with X's changes undone, for comparison with `normalize_sent_text`."""
    created_at: datetime
    reply_to: TweetId | None
    quote_of: TweetId | None
    media_keys: tuple[str, ...]
    poll_options: tuple[str, ...] | None
    """The poll's options: None if there is no poll, empty if X did not return the options."""
    source: str | None
    """The name of the app that created the post; None if X does not say."""


async def create(
    client: Client,
    *,
    deadline: float | None = None,
    subscription_type: str | None = None,
    **fields: Unpack[PostFields],
) -> CreatedPost:
    """Create a post, sending it at most once. X bills $0.015, or with a link $0.200.

    `fields` are those of `create_post.PostFields`: `text`, `media_ids`, `reply_to`,
    `quote_tweet_id`, `poll` and the rest of X's schema. `deadline` is a value of
    `roost.clock.boot_seconds`. The request is not started after the deadline, which is checked
    immediately before the first byte is sent; if X has not responded by the deadline, the outcome
    is unknown. `subscription_type` is the account's plan, as in `XUser`: a text may have 25,000
    characters with Premium, and otherwise 280.

    Raises: PostRefused (the post breaks a rule of X that Roost checks; nothing was sent), Rejected
    and its subclasses, ParentNotVisible, RateLimited, OutOfCredits, ReauthorizationRequired,
    AppMisconfigured, XUnavailable and NotSent (not created); OutcomeUnknown (possibly created:
    X sent no response, or an error arrived without X's own problem document).
    """
    post = create_post.without_empty(fields)
    request = Request(
        Operation.CREATE_POST,
        "POST",
        "/2/tweets",
        body=json_body(create_post.to_json(post, subscription_type=subscription_type), deadline),
        text=post.get("text") or "",
        price=partial(create_post.price_of, post),
        deadline=deadline,
    )
    body, receipt = await client.call(request, _CREATE)
    return CreatedPost(TweetId(body.data.id), body.data.text, receipt=receipt)


async def delete(client: Client, tweet_id: TweetId) -> DeletedPost:
    """Delete a post of the account. The call may be repeated. X bills $0.010.

    Raises: IdMalformed (nothing was sent), Rejected (the post is another account's), RateLimited,
    OutOfCredits, XUnavailable, OutcomeUnknown.
    """
    require_id("tweet_id", tweet_id)
    request = Request(Operation.DELETE_POST, "DELETE", f"/2/tweets/{tweet_id}")
    try:
        body, receipt = await client.call(request, _DELETE)
    except errors.NotFoundOnX as error:
        if error.receipt is None:
            raise
        return DeletedPost(False, receipt=error.receipt)
    return DeletedPost(body.data.deleted, receipt=receipt)


async def read_posts(client: Client, ids: Iterable[TweetId]) -> Found[TweetId, XPost]:
    """Read posts by id, 100 per request. X bills $0.005 per post, once per app and UTC day.

    If a post is missing in the result, it is not on X, or not visible to this account.
    `roost.x.metrics.read_posts` reads the counts of posts.

    Raises: IdMalformed (nothing was sent), ReauthorizationRequired, RateLimited, OutOfCredits,
    XUnavailable. After an error, the results of earlier batches are lost, but X does not bill these
    posts again on the same day.
    """
    posts: dict[TweetId, XPost] = {}
    receipts = []
    for batch in chunk_ids(require_ids("ids", ids)):
        request = Request(
            Operation.READ_POSTS,
            "GET",
            "/2/tweets",
            params={"ids": ",".join(batch), **_FIELDS},
            max_resources=len(batch),
        )
        body, receipt = await client.call(request, _POSTS)
        receipts.append(receipt)
        posts |= {post.tweet_id: post for post in _to_posts(body, receipt)}
    return Found(posts, tuple(receipts))


async def read_timeline(
    client: Client,
    user_id: XUserId,
    *,
    since_id: TweetId | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
) -> AsyncIterator[XPost]:
    """Yield an account's posts and replies, newest first, page by page, back to `since_id`.

    Only posts created between `start` and `end` (aware) are returned. X returns at most the latest
    3,200 posts. X bills $0.005 per post, once per app and UTC day.

    A page must state how many posts it contains. If this number is missing or wrong, an error is
    raised, because a proxy may have sent the page.

    Raises: IdMalformed (nothing was sent), Rejected (X does not show this timeline), RateLimited,
    OutOfCredits, XUnavailable (X did not respond, or the response is not X's).
    """
    require_id("user_id", user_id)
    params = {"max_results": str(_PAGE_SIZE), **_FIELDS}
    if since_id is not None:
        params["since_id"] = require_id("since_id", since_id)
    if start is not None:
        params["start_time"] = format_instant(start)
    if end is not None:
        params["end_time"] = format_instant(end)
    while True:
        request = Request(
            Operation.READ_TIMELINE,
            "GET",
            f"/2/users/{user_id}/tweets",
            params=params,
            max_resources=_PAGE_SIZE,
        )
        page, receipt = await client.call(request, _TIMELINE)
        for post in _to_posts(page, receipt):
            yield post
        if page.meta.next_token is None:
            return
        params = params | {"pagination_token": page.meta.next_token}


def _to_posts(body: schemas.PostsResponse, receipt: Receipt) -> Iterable[XPost]:
    polls = {poll.id: poll for poll in body.includes.polls}
    return (_to_post(post, polls, receipt) for post in body.data)


def _to_post(
    post: schemas.PostData, polls: Mapping[str, schemas.PollData], receipt: Receipt
) -> XPost:
    attachments = post.attachments or schemas.Attachments()
    related = {each.type: TweetId(each.id) for each in reversed(post.references)}
    options = tuple(
        normalize_text(option.label)
        for poll_id in attachments.poll_ids or ()
        for option in sorted(
            polls[poll_id].options if poll_id in polls else (), key=lambda each: each.position
        )
    )
    return XPost(
        tweet_id=TweetId(post.id),
        text=post.text,
        normalized_text=normalize_returned_text(post),
        created_at=post.created_at or snowflake_time(post.id),
        reply_to=related.get("replied_to"),
        quote_of=related.get("quoted"),
        media_keys=tuple(attachments.media_keys or ()),
        poll_options=options if attachments.poll_ids else None,
        source=post.source,
        receipt=receipt,
    )
