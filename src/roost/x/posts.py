"""Posts on X: made, deleted, looked up, and read from an account's timeline."""

from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Final, Unpack

import msgspec

from roost.models import Poll, ReplySettings, TweetId, XUserId
from roost.prices import Operation
from roost.x import answers, batches, errors, newpost
from roost.x.client import Client
from roost.x.ids import require_id, require_ids
from roost.x.newpost import CallToActions, MediaCard, PostFields
from roost.x.receipt import Found, Receipt, Result
from roost.x.request import Request, json_body
from roost.x.returned import as_returned, comparable, expanded

__all__ = [
    "CallToActions",
    "CreatedPost",
    "DeletedPost",
    "MediaCard",
    "Poll",
    "ReplySettings",
    "SeenPost",
    "as_returned",
    "comparable",
    "create",
    "delete",
    "read_posts",
    "read_timeline",
]

_CREATED: Final = msgspec.json.Decoder(answers.Created)
_DELETED: Final = msgspec.json.Decoder(answers.Deleted)
_POSTS: Final = msgspec.json.Decoder(answers.Posts)
_TIMELINE: Final = msgspec.json.Decoder(answers.Timeline)

_PAGE: Final = 100
_FIELDS: Final = {
    "tweet.fields": "created_at,entities,attachments,referenced_tweets,note_tweet,source",
    "expansions": "attachments.poll_ids",
}
_SNOWFLAKE_EPOCH_MS: Final = 1_288_834_974_657


class CreatedPost(Result, frozen=True):
    """A post that X has made."""

    tweet_id: TweetId
    text: str
    """As X shows it, links shortened."""


class DeletedPost(Result, frozen=True):
    """What became of a post that was to go."""

    deleted: bool
    """False: X finds no such post."""


class SeenPost(Result, frozen=True):
    """A post as X shows it; the receipt is that of the whole page or batch it came with."""

    tweet_id: TweetId
    text: str
    """As X shows it: links shortened, `&`, `<` and `>` escaped, the media's link at the end."""
    expanded_text: str
    """As it was written, in the form of `as_returned`."""
    created_at: datetime
    reply_to: TweetId | None
    quote_of: TweetId | None
    media_keys: tuple[str, ...]
    poll_options: tuple[str, ...] | None
    """None: it has no poll. Empty: it has one, whose options X did not show."""
    source: str | None
    """The name of the app that made it; None where X does not say."""


async def create(
    client: Client,
    *,
    deadline: float | None = None,
    subscription_type: str | None = None,
    **fields: Unpack[PostFields],
) -> CreatedPost:
    """Make a post, sending it at most once; billed $0.015, with a link in it $0.200.

    `fields` are those of `newpost.PostFields`: `text`, `media_ids`, `reply_to`, `quote_tweet_id`,
    `poll` and all else that X's schema has. `deadline` is a reading of
    `roost.x.wire.boot_seconds`: after it no byte leaves any more (the check is the last thing
    before the first byte), and an answer that is not there is unknown. `subscription_type` is the
    account's, as `XUser` has it: with Premium a text may have 25,000 characters, else 280.

    Raises: PostRefused (it breaks a rule of X that is known here; nothing was sent), Rejected and
    its children, ParentNotVisible, RateLimited, OutOfCredits, Reauthorize, AppMisconfigured,
    XUnavailable and NotSent (not created); OutcomeUnknown (perhaps created: no answer, or one
    without X's own problem document, whatever its status).
    """
    post = newpost.given(fields)
    request = Request(
        Operation.CREATE_POST,
        "POST",
        "/2/tweets",
        body=json_body(newpost.body_of(post, subscription_type=subscription_type), deadline),
        text=post.get("text") or "",
        price=partial(newpost.price_of, post),
        deadline=deadline,
    )
    made, receipt = await client.call(request, _CREATED)
    return CreatedPost(TweetId(made.data.id), made.data.text, receipt=receipt)


async def delete(client: Client, tweet_id: TweetId) -> DeletedPost:
    """Delete one's own post. May be repeated; billed $0.010.

    Raises: IdMalformed (nothing was sent), Rejected (not this account's), RateLimited,
    OutOfCredits, XUnavailable, OutcomeUnknown.
    """
    require_id("tweet_id", tweet_id)
    request = Request(Operation.DELETE_POST, "DELETE", f"/2/tweets/{tweet_id}")
    try:
        told, receipt = await client.call(request, _DELETED)
    except errors.NotFoundOnX as error:
        if error.receipt is None:
            raise
        return DeletedPost(False, receipt=error.receipt)
    return DeletedPost(told.data.deleted, receipt=receipt)


async def read_posts(client: Client, ids: Iterable[TweetId]) -> Found[TweetId, SeenPost]:
    """Posts by their ids, 100 a request; each billed $0.005, once per app and UTC day.

    A post that is not in the result is not on X, or this account cannot see it. What they count
    is `roost.x.metrics.read_posts`.

    Raises: IdMalformed (nothing was sent), Reauthorize, RateLimited, OutOfCredits, XUnavailable;
    what was read before is lost, and free to read again the same day.
    """
    seen: dict[TweetId, SeenPost] = {}
    receipts = []
    for batch in batches.of_100(require_ids("ids", ids)):
        request = Request(
            Operation.READ_POSTS,
            "GET",
            "/2/tweets",
            params={"ids": ",".join(batch), **_FIELDS},
            resources_at_most=len(batch),
        )
        answer, receipt = await client.call(request, _POSTS)
        receipts.append(receipt)
        seen |= {post.tweet_id: post for post in _seen(answer, receipt)}
    return Found(seen, tuple(receipts))


async def read_timeline(
    client: Client,
    user_id: XUserId,
    *,
    since_id: TweetId | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
) -> AsyncIterator[SeenPost]:
    """Every post and reply of an account, newest first, page after page, back to `since_id`.

    `start` and `end` (aware) bound when they were made. X reaches back 3,200 posts. Each is
    billed $0.005, once per app and UTC day.

    Every page must say how many posts it holds, and hold them; anything else was not read.

    Raises: IdMalformed (nothing was sent), Rejected (X does not show this timeline), RateLimited,
    OutOfCredits, XUnavailable (X did not answer, or what answered was not X).
    """
    require_id("user_id", user_id)
    params = {"max_results": str(_PAGE), **_FIELDS}
    if since_id is not None:
        params["since_id"] = require_id("since_id", since_id)
    if start is not None:
        params["start_time"] = batches.instant(start)
    if end is not None:
        params["end_time"] = batches.instant(end)
    while True:
        request = Request(
            Operation.READ_TIMELINE,
            "GET",
            f"/2/users/{user_id}/tweets",
            params=params,
            resources_at_most=_PAGE,
        )
        page, receipt = await client.call(request, _TIMELINE)
        for post in _seen(page, receipt):
            yield post
        if page.meta.next_token is None:
            return
        params = params | {"pagination_token": page.meta.next_token}


def _seen(page: answers.Posts, receipt: Receipt) -> Iterable[SeenPost]:
    polls = {poll.id: poll for poll in page.includes.polls}
    return (_seen_post(post, polls, receipt) for post in page.data)


def _seen_post(post: answers.Post, polls: Mapping[str, answers.Poll], receipt: Receipt) -> SeenPost:
    attachments = post.attachments or answers.Attachments()
    related = {each.type: TweetId(each.id) for each in reversed(post.references)}
    options = tuple(
        comparable(option.label)
        for poll_id in attachments.poll_ids or ()
        for option in sorted(
            polls[poll_id].options if poll_id in polls else (), key=lambda each: each.position
        )
    )
    return SeenPost(
        tweet_id=TweetId(post.id),
        text=post.text,
        expanded_text=expanded(post),
        created_at=post.created_at or born_at(post.id),
        reply_to=related.get("replied_to"),
        quote_of=related.get("quoted"),
        media_keys=tuple(attachments.media_keys or ()),
        poll_options=options if attachments.poll_ids else None,
        source=post.source,
        receipt=receipt,
    )


def born_at(tweet_id: str) -> datetime:
    """An id holds the millisecond in which it was given out (Source: X's snowflake layout)."""
    milliseconds = (int(tweet_id) >> 22) + _SNOWFLAKE_EPOCH_MS
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
