"""Builds the body of a request that creates a post, and checks the combination of fields.

Source: `CreatePostsRequest` in version 2.167 of X's OpenAPI document. The rules for combining
fields come from the fields' descriptions in version 2.159.
"""

import unicodedata
from collections.abc import Iterator, Sequence, Sized
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, TypedDict, cast

from roost import prices
from roost.errors import PostRefused
from roost.escaping import find_controls
from roost.models import Poll, ReplySettings, TweetId, XMediaId, XUserId
from roost.post_options import list_poll_problems
from roost.prices import Price
from roost.text import counted_length, find_forbidden_characters, has_text, text_limit
from roost.x.ids import find_id_problem

_MAX_MEDIA: Final = 4
_MAX_TAGGED: Final = 10


@dataclass(frozen=True, slots=True)
class CallToActions:
    """Buttons on a video; each value is a web URL (https) or the id of an app in an app store."""

    visit_site: str | None = None
    watch_now: str | None = None
    app_store_id: str | None = None
    ipad_app_store_id: str | None = None
    play_store_id: str | None = None


@dataclass(frozen=True, slots=True)
class MediaCard:
    """The texts and buttons that X shows together with a video."""

    title: str | None = None
    description: str | None = None
    embeddable: bool | None = None
    """If True, the video's URLs do not expire, and other sites may play the video."""
    preview_media_id: XMediaId | None = None
    call_to_actions: CallToActions | None = None


class PostFields(TypedDict, total=False):
    """The fields of a post to create: all fields of X's schema, as parameters of `create`.

    A field that is None or empty is not sent.
    """

    text: str | None
    media_ids: Sequence[XMediaId]
    tagged_user_ids: Sequence[XUserId]
    """Accounts shown in the media."""
    media_card: MediaCard | None
    poll: Poll | None
    reply_to: TweetId | None
    exclude_reply_user_ids: Sequence[XUserId]
    """Accounts of the conversation that the reply does not mention."""
    auto_populate_reply_metadata: bool | None
    quote_tweet_id: TweetId | None
    reply_settings: ReplySettings | None
    place_id: str | None
    community_id: str | None
    share_with_followers: bool | None
    for_super_followers_only: bool | None
    nullcast: bool | None
    """If True, the post appears on no timeline."""
    card_uri: str | None
    direct_message_deep_link: str | None
    edits: TweetId | None
    """The id of the account's own post that the new post replaces."""
    made_with_ai: bool | None
    paid_partnership: bool | None


#: Fields that have the same name in X's body; all other fields are nested in objects there.
_SAME_NAME: Final = frozenset(
    {
        "quote_tweet_id",
        "reply_settings",
        "community_id",
        "share_with_followers",
        "for_super_followers_only",
        "nullcast",
        "card_uri",
        "direct_message_deep_link",
        "made_with_ai",
        "paid_partnership",
    }
)
_KNOWN: Final = frozenset(PostFields.__annotations__)
_ATTACHMENTS: Final = {
    "media_ids": "media",
    "quote_tweet_id": "a quoted post",
    "poll": "a poll",
    "card_uri": "a card",
    "direct_message_deep_link": "a direct-message link",
}


def without_empty(fields: PostFields) -> PostFields:
    """Return the fields that are neither None nor empty. Raises: TypeError for unknown fields."""
    if unknown := fields.keys() - _KNOWN:
        raise TypeError(f"a post has no field {', '.join(sorted(unknown))}")
    filled = {name: value for name, value in fields.items() if not _is_empty(value)}
    return cast(PostFields, filled)


def _is_empty(value: object) -> bool:
    """Whether a value is None, "" or an empty list.

    A 0 is not empty, so that a later check reports the 0 as a wrong value.
    """
    return value is None or (isinstance(value, Sized) and len(value) == 0)


def to_json(post: PostFields, *, subscription_type: str | None = None) -> dict[str, Any]:
    """Return the JSON object for the fields that `without_empty` has returned.

    Raises: PostRefused if X would refuse the post; the error lists every known reason.
    """
    violations = [
        {"code": code, "message": message} for code, message in _violations(post, subscription_type)
    ]
    if violations:
        message = " ".join(violation["message"] for violation in violations)
        raise PostRefused(message, violations=violations)
    body: dict[str, Any] = {}
    if (text := post.get("text")) and has_text(text):
        # X refuses a blank text even with media, so a blank text is not sent.
        body["text"] = text
    if post.get("media_ids"):
        body["media"] = _media(post)
    if parent := post.get("reply_to"):
        body["reply"] = _without_none(
            in_reply_to_tweet_id=parent,
            exclude_reply_user_ids=list(post.get("exclude_reply_user_ids", ())) or None,
            auto_populate_reply_metadata=post.get("auto_populate_reply_metadata"),
        )
    if poll := post.get("poll"):
        minutes = int(poll.duration / timedelta(minutes=1))
        body["poll"] = {"options": list(poll.options), "duration_minutes": minutes}
    if place := post.get("place_id"):
        body["geo"] = {"place_id": place}
    if replaced := post.get("edits"):
        body["edit_options"] = {"previous_post_id": replaced}
    return body | {name: value for name, value in post.items() if name in _SAME_NAME}


def price_of(post: PostFields) -> Price:
    """Return the price of creating the post; see `roost.prices.price_of_create`."""
    return prices.price_of_create(
        post.get("text") or "",
        media="media_ids" in post,
        quote="quote_tweet_id" in post,
        card="card_uri" in post,
        deep_link="direct_message_deep_link" in post,
    )


def _media(post: PostFields) -> dict[str, Any]:
    media = _without_none(
        media_ids=list(post.get("media_ids", ())),
        tagged_user_ids=list(post.get("tagged_user_ids", ())) or None,
    )
    card = post.get("media_card")
    if card is None:
        return media
    actions = _actions(card.call_to_actions) if card.call_to_actions else None
    return media | _without_none(
        title=card.title,
        description=card.description,
        embeddable=card.embeddable,
        preview_media_id=card.preview_media_id,
        call_to_actions=actions or None,
    )


def _actions(actions: CallToActions) -> dict[str, Any]:
    stores = _without_none(
        app_store_id=actions.app_store_id,
        ipad_app_store_id=actions.ipad_app_store_id,
        play_store_id=actions.play_store_id,
    )
    return _without_none(
        visit_site={"url": actions.visit_site} if actions.visit_site else None,
        watch_now={"url": actions.watch_now} if actions.watch_now else None,
        app_install=stores or None,
    )


def _without_none(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _violations(post: PostFields, subscription_type: str | None) -> Iterator[tuple[str, str]]:
    media, tagged = post.get("media_ids", ()), post.get("tagged_user_ids", ())
    poll, parent = post.get("poll"), post.get("reply_to")
    text = post.get("text") or ""
    if not has_text(text) and not media:
        # Only media can replace the text: a poll, a quote or a card needs a text.
        if text:
            yield "text_blank", "The text is blank, and there are no media."
        else:
            yield "post_empty", "A post needs a text or media."
    yield from find_text_problems(text, subscription_type=subscription_type)
    attached = [name for field, name in _ATTACHMENTS.items() if field in post]
    if len(attached) > 1:
        code = "media_with_quote" if attached == ["media", "a quoted post"] else "post_overloaded"
        yield code, f"X accepts only one of {', '.join(attached)}."
    if not parent and post.keys() & {"exclude_reply_user_ids", "auto_populate_reply_metadata"}:
        yield "reply_without_parent", "Reply settings need `reply_to`."
    if not media and (tagged or post.get("media_card")):
        yield "media_missing", "Tagged users and a media card need media."
    if len(media) > _MAX_MEDIA:
        yield "too_many_media", f"X accepts at most {_MAX_MEDIA} media."
    if len(tagged) > _MAX_TAGGED:
        yield "too_many_tagged", f"X accepts at most {_MAX_TAGGED} tagged users."
    if poll:
        yield from list_poll_problems(poll)
    if (audience := post.get("reply_settings")) and audience not in set(ReplySettings):
        yield "reply_settings_invalid", f"X accepts only one of {', '.join(ReplySettings)}."
    for problem in _id_problems(post):
        yield "id_malformed", problem


def _id_problems(post: PostFields) -> Iterator[str]:
    ids: list[tuple[str, object]] = [
        (name, post.get(name))
        for name in ("reply_to", "quote_tweet_id", "community_id", "edits")
        if name in post
    ]
    for name in ("media_ids", "tagged_user_ids", "exclude_reply_user_ids"):
        values: Any = post.get(name, ())
        if isinstance(values, str):
            yield f"`{name}` is a string instead of a list of ids."
            continue
        ids += [(name, each) for each in values]
    card = post.get("media_card")
    if card and card.preview_media_id is not None:
        ids.append(("preview_media_id", card.preview_media_id))
    yield from filter(None, (find_id_problem(name, value) for name, value in ids))


def find_text_problems(text: str, *, subscription_type: str | None) -> Iterator[tuple[str, str]]:
    """Yield a code and a sentence for each rule that a text breaks.

    The sentences never quote the text. A blank text breaks no rule here, because a post with media
    may have a blank text. `subscription_type` is X's name of the account's plan; None means that
    the limit of a standard account applies.
    """
    if controls := find_controls(text):
        yield (
            "text_control_characters",
            f"The text contains control characters ({', '.join(controls)}); only tabs and line"
            " breaks are allowed.",
        )
    if forbidden := find_forbidden_characters(text):
        names = ", ".join(forbidden)
        yield "text_forbidden_characters", f"The text contains {names}, which X refuses."
    if not has_text(text):
        return
    limit = text_limit(subscription_type)
    length = counted_length(unicodedata.normalize("NFC", text), limit)
    if length > limit:
        yield (
            "text_too_long",
            f"The text has {length:,} characters as X counts them; this account may post"
            f" {limit:,}.",
        )
