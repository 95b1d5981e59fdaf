"""Posts on X: made, deleted, and read back from an account's timeline."""

import re
import unicodedata
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from roost.errors import PostRefused
from roost.models import TweetId, XMediaId, XUserId
from roost.prices import Operation
from roost.text import entities
from roost.x import answers, errors
from roost.x.client import Client, Request, json_body

_CREATED: Final = msgspec.json.Decoder(answers.Created)
_DELETED: Final = msgspec.json.Decoder(answers.Deleted)
_TIMELINE: Final = msgspec.json.Decoder(answers.Timeline)

_PAGE: Final = "100"
_TIMELINE_FIELDS: Final = "created_at,entities,attachments,referenced_tweets,note_tweet"
_TIMELINE_EXPANSIONS: Final = "attachments.poll_ids"
_SNOWFLAKE_EPOCH_MS: Final = 1_288_834_974_657
_SHORT_LINK_AT_END: Final = re.compile(r"\s*(https://t\.co/\w+)$")
_MEDIA_PAGE: Final = re.compile(r"https?://(?:www\.)?(?:x|twitter)\.com/\S+/(?:photo|video)/\d+$")
_URL_PARTS: Final = re.compile(r"(?:(https?)://)?([^/?#]*)(.*)", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class CreatedPost:
    """A post that X has made."""

    tweet_id: TweetId
    text: str
    """As X shows it, links shortened."""


@dataclass(frozen=True, slots=True)
class TimelinePost:
    """A post as its account's timeline shows it."""

    tweet_id: TweetId
    text: str
    """As X shows it: links shortened, `&`, `<` and `>` escaped, the media's link at the end."""
    expanded_text: str
    """As it was written, in the form of `as_returned`."""
    created_at: datetime
    reply_to: TweetId | None
    media_keys: tuple[str, ...]
    poll_options: tuple[str, ...]


async def create(
    client: Client,
    *,
    text: str | None,
    media_ids: Sequence[XMediaId] = (),
    reply_to: TweetId | None = None,
    quote_tweet_id: TweetId | None = None,
    deadline: float | None = None,
) -> CreatedPost:
    """Make a post, sending it at most once; billed $0.015, with a link in it $0.200.

    `deadline` is a reading of `roost.x.wire.boot_seconds`: after it no byte leaves any more (the
    check is the last thing before the first byte), and an answer that is not there is unknown.

    Raises: PostRefused (X's schema allows no such post; nothing was sent), Rejected and its
    children, ParentNotVisible, RateLimited, OutOfCredits, Reauthorize, AppMisconfigured,
    XUnavailable and NotSent (not created); OutcomeUnknown (perhaps created).
    """
    body = _body(text, media_ids, reply_to, quote_tweet_id)
    request = Request(
        Operation.CREATE_POST,
        "POST",
        "/2/tweets",
        body=json_body(body, deadline),
        text=text or "",
        deadline=deadline,
    )
    made = await client.call(request, _CREATED)
    return CreatedPost(TweetId(made.data.id), made.data.text)


async def delete(client: Client, tweet_id: TweetId) -> bool:
    """Delete one's own post; False where X finds none. May be repeated; billed $0.010.

    Raises: Rejected (not this account's), RateLimited, OutOfCredits, XUnavailable, OutcomeUnknown.
    """
    request = Request(Operation.DELETE_POST, "DELETE", f"/2/tweets/{tweet_id}")
    try:
        return (await client.call(request, _DELETED)).data.deleted
    except errors.NotFoundOnX:
        return False


async def read_timeline(
    client: Client, user_id: XUserId, *, since_id: TweetId | None = None
) -> AsyncIterator[TimelinePost]:
    """Every post and reply of an account, newest first, page after page, back to `since_id`.

    X reaches back 3,200 posts. Each is billed $0.005, once per app and UTC day.

    Raises: Rejected (X does not show this timeline), RateLimited, OutOfCredits, XUnavailable.
    """
    params = {
        "max_results": _PAGE,
        "tweet.fields": _TIMELINE_FIELDS,
        "expansions": _TIMELINE_EXPANSIONS,
    }
    if since_id is not None:
        params["since_id"] = since_id
    while True:
        request = Request(
            Operation.READ_TIMELINE, "GET", f"/2/users/{user_id}/tweets", params=params
        )
        page = await client.call(request, _TIMELINE)
        polls = {poll.id: poll for poll in page.includes.polls}
        for post in page.data:
            yield _timeline_post(post, polls)
        if page.meta.next_token is None:
            return
        params = params | {"pagination_token": page.meta.next_token}


def as_returned(text: str) -> str:
    """A text in the one form in which it can be compared with what X gives back.

    NFC, LF line ends, no outer white space, `&amp;` as `&`; links with a protocol (X gives a bare
    domain `http`), scheme and host in lower case, without a lone slash at the end.
    """
    found = entities(text)
    parts: list[str] = []
    position = 0
    for url in found.urls:
        parts += [found.text[position : url.start], _canonical(url.value)]
        position = url.end
    return _comparable("".join([*parts, found.text[position:]]))


def _body(
    text: str | None,
    media_ids: Sequence[XMediaId],
    reply_to: TweetId | None,
    quote_tweet_id: TweetId | None,
) -> dict[str, Any]:
    if not text and not media_ids:
        raise _refused("post_empty", "A post needs a text or media.")
    if media_ids and quote_tweet_id:
        raise _refused("media_with_quote", "X takes media or a quoted post, not both.")
    body: dict[str, Any] = {}
    if text:
        # Beside media an empty text is refused: the key is left out.
        body["text"] = text
    if media_ids:
        body["media"] = {"media_ids": list(media_ids)}
    if reply_to:
        body["reply"] = {"in_reply_to_tweet_id": reply_to}
    if quote_tweet_id:
        body["quote_tweet_id"] = quote_tweet_id
    return body


def _refused(code: str, message: str) -> PostRefused:
    return PostRefused(message, violations=[{"code": code, "message": message}])


def _timeline_post(post: answers.Post, polls: dict[str, answers.Poll]) -> TimelinePost:
    attachments = post.attachments or answers.Attachments()
    parents = (each.id for each in post.references if each.type == "replied_to")
    parent = next(parents, None)
    options = (
        option.label
        for poll_id in attachments.poll_ids or ()
        for option in (polls[poll_id].options if poll_id in polls else ())
    )
    return TimelinePost(
        tweet_id=TweetId(post.id),
        text=post.text,
        expanded_text=_expanded(post),
        created_at=post.created_at or born_at(post.id),
        reply_to=TweetId(parent) if parent else None,
        media_keys=tuple(attachments.media_keys or ()),
        poll_options=tuple(options),
    )


def born_at(tweet_id: str) -> datetime:
    """An id holds the millisecond in which it was given out (Source: X's snowflake layout)."""
    milliseconds = (int(tweet_id) >> 22) + _SNOWFLAKE_EPOCH_MS
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _expanded(post: answers.Post) -> str:
    """The text as written: t.co links are unique, so they are found by value, not by position
    (positions count the escaped text in some of X's answers and the plain one in others)."""
    whole = post.note or answers.Note(post.text, post.entities)
    links = {url.url: url for url in (whole.entities or answers.Entities()).urls or () if url.url}
    shown = whole.text
    has_media = bool(post.attachments and post.attachments.media_keys)
    while (last := _SHORT_LINK_AT_END.search(shown)) and has_media:
        link = links.get(last.group(1))
        if link and not (link.media_key or _MEDIA_PAGE.match(link.expanded_url or "")):
            break
        shown = shown[: last.start()]
    for short, link in links.items():
        if link.expanded_url and not link.media_key:
            shown = shown.replace(short, _canonical(link.expanded_url))
    return _comparable(shown)


def _comparable(text: str) -> str:
    """NFC, LF, no outer space, and nothing escaped: X escapes, but not in every field."""
    plain = unicodedata.normalize("NFC", text.replace("\r\n", "\n")).strip()
    while (less := _unescaped(plain)) != plain:
        plain = less
    return plain


def _unescaped(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _canonical(url: str) -> str:
    match = _URL_PARTS.fullmatch(url)
    assert match is not None, "the pattern matches every text"
    scheme, host, rest = match.groups()
    return f"{(scheme or 'http').lower()}://{host.lower()}{'' if rest == '/' else rest}"
