"""The rules of posts: validation, creation, deletion, visibility and timelines."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from msgspec import UNSET

from roost.text.weight import weigh
from x_emulator.rules import edits, escaping, links, polls, refusals
from x_emulator.rules.request_bodies import CreateBody
from x_emulator.state import Media, Post, Reactions, User, World, instant_of

#: The time for which X refuses the same text again. X does not document this time. 24 hours cover
#: retries, and permit a daily "Good morning".
DUPLICATE_WINDOW = timedelta(hours=24)
#: The time after a post's creation in which the author can see the post's private metrics.
PRIVATE_FOR = timedelta(days=30)
_SHORT, _LONG = 280, 25_000
_LONGEST_VIDEO_MS = 140_000


@dataclass(frozen=True)
class Created:
    """A new post. `summoned` is true if the post is a reply to another user."""

    post: Post
    summoned: bool


def create(
    world: World, user: User, client_id: str | None, body: CreateBody, at: datetime
) -> Created:
    """Validate a create request as X does, and create the post.

    If `client_id` is None, a person writes the post on X itself. Rules for apps do not apply then.

    Raises: Refusal.
    """
    switches = world.switches
    if user.suspended:
        raise refusals.suspended(switches)
    _check_exclusions(world, body)
    text = "" if body.text is UNSET else body.text
    self_serve = client_id is not None and switches.tier == "self-serve"
    weight = _validate_text(world, body, text, _LONG if user.is_premium else _SHORT)
    previous = edits.find_previous_version(world, user, body, at)
    if previous is None:
        parent = _find_parent(world, user, body, self_serve, at)
        quoted = _find_quoted(world, user, body, self_serve)
    else:
        parent = _find_stored(world, previous.reply_to)
        quoted = _find_stored(world, previous.quote_of)
    if self_serve and len(links.find_cashtags(text)) > 1:
        raise refusals.forbidden("Posts are limited to a maximum of one cashtag")
    if switches.refuse_duplicates and text and _is_duplicate(world, user, text, previous, at):
        raise refusals.forbidden("You are not allowed to create a Tweet with duplicate content.")
    media_ids = [] if body.media is UNSET else body.media.media_ids
    media = _find_media(world, user, media_ids, previous, at)
    if not user.is_premium and any(each.duration_ms > _LONGEST_VIDEO_MS for each in media):
        raise refusals.forbidden("This user is not allowed to post a video longer than 2 minutes")

    origin = previous or parent
    post_id = world.new_id(at)
    full_text = _add_generated_text(world, user, text, parent, quoted)
    wrapped = escaping.escape(
        links.wrap(
            full_text,
            post_id,
            world.user_ids,
            [(each.media_key, _media_url(user, post_id, each)) for each in media],
        )
    )
    post = Post(
        id=post_id,
        user_id=user.id,
        client_id=client_id,
        ordinal=len(world.posts_of[user.id]),
        text=text,
        returned_text=wrapped.text,
        entities=wrapped.entities,
        created_at=instant_of(post_id),
        reply_to=parent.id if parent else None,
        reply_to_user=parent.user_id if parent else None,
        conversation_id=origin.conversation_id if origin else post_id,
        quote_of=quoted.id if quoted else None,
        media=media,
        poll=None if body.poll is UNSET else polls.open_poll(body.poll, world.new_id(at), at),
        reply_settings="everyone" if body.reply_settings is UNSET else body.reply_settings,
        has_link=wrapped.has_link if full_text == text else bool(links.find_links(text)),
        is_long=weight > _SHORT,
        history=[] if previous is None else previous.history,
        edit_eligible=edits.is_eligible(user, body, parent),
    )
    post.history.append(post_id)
    for each in media:
        each.attached_to.append(post_id)
    world.posts[post_id] = post
    world.posts_of[user.id].append(post)
    if text:
        world.latest_by_text[user.id, text] = post
    if parent is not None:
        world.reactions.setdefault(parent.id, Reactions()).replies.append(post)
    if quoted is not None:
        world.reactions.setdefault(quoted.id, Reactions()).quotes.append(post)
    return Created(post, summoned=parent is not None and parent.user_id != user.id)


def delete(world: World, user: User, client_id: str, post_id: str, at: datetime) -> None:
    """Delete a user's own post in all its versions; if the post does not exist, do nothing.

    Raises: Refusal (the post is another user's).
    """
    post = world.find_post(post_id)
    if post is None:
        return
    if post.user_id != user.id:
        raise refusals.forbidden("You are not authorized to delete this Tweet.")
    erase(world, post, client_id, at)


def erase(world: World, post: Post, deleted_by: str, at: datetime) -> None:
    """Mark a post as deleted in all its versions."""
    for each in post.history:
        version = world.posts[each]
        version.deleted_at, version.deleted_by = at, deleted_by


def is_visible(world: World, post: Post, reader_id: str) -> bool:
    """Return whether a reader may see a post.

    Posts of suspended accounts are hidden from everyone. Posts of protected accounts are hidden
    from everyone except their author.
    """
    author = world.users[post.user_id]
    return not author.suspended and (not author.protected or author.id == reader_id)


def may_see_private(post: Post, user_id: str, at: datetime) -> bool:
    """Return whether a user may see a post's private metrics: only the author, for 30 days."""
    return post.user_id == user_id and at - post.created_at <= PRIVATE_FOR


class Cursor(NamedTuple):
    """A position in a timeline, next to a post id. New or deleted posts do not move it."""

    direction: Literal["older", "newer"]
    post_id: int


@dataclass(frozen=True)
class TimelineQuery:
    """The posts of a user to read. All bounds are exclusive except `start`."""

    max_results: int = 10
    since_id: int | None = None
    until_id: int | None = None
    start: datetime | None = None
    end: datetime | None = None
    without_replies: bool = False
    cursor: Cursor | None = None


@dataclass(frozen=True)
class Page:
    """A page of posts, newest first, with the cursors of the next and the previous page."""

    posts: Sequence[Post]
    next: Cursor | None
    previous: Cursor | None


def read_timeline(world: World, user: User, query: TimelineQuery) -> Page:
    """Return a page of a user's latest 3,200 posts, or 800 posts if replies are excluded."""
    max_posts = 800 if query.without_replies else 3_200
    matching = [post for post in world.live_posts(user.id) if _matches(post, query)][:max_posts]
    begin = 0
    if query.cursor is not None:
        direction, post_id = query.cursor
        if direction == "older":
            begin = sum(int(post.id) >= post_id for post in matching)
        else:
            begin = max(0, sum(int(post.id) > post_id for post in matching) - query.max_results)
    page = matching[begin : begin + query.max_results]
    has_older = begin + len(page) < len(matching)
    return Page(
        posts=page,
        next=Cursor("older", int(page[-1].id)) if page and has_older else None,
        previous=Cursor("newer", int(matching[begin - 1].id) - 1) if begin else None,
    )


def _matches(post: Post, query: TimelineQuery) -> bool:
    number = int(post.id)
    return (
        (query.since_id is None or number > query.since_id)
        and (query.until_id is None or number < query.until_id)
        and (query.start is None or post.created_at >= query.start)
        and (query.end is None or post.created_at < query.end)
        and not (query.without_replies and post.reply_to is not None)
    )


def _check_exclusions(world: World, body: CreateBody) -> None:
    one_of = (
        body.poll,
        body.quote_tweet_id,
        body.direct_message_deep_link,
        body.media,
        body.card_uri,
    )
    if len(one_of) - one_of.count(UNSET) > 1:
        message = (
            "You can only provide one of poll or quote_tweet_id or direct_message_deep_link"
            " or media or card_uri."
        )
        raise refusals.invalid_request(world.switches, "", "", message)
    if body.community_id is not UNSET:
        # No emulated account is a member of a community. X's message for a post by an account that
        # is not a member is not known.
        raise refusals.forbidden("You are not permitted to perform this action.")
    for each in (body.card_uri, body.direct_message_deep_link):
        if each is not UNSET and "://" not in each:
            raise refusals.invalid_request(
                world.switches, "", "", "The Tweet contains an invalid URL."
            )


def _validate_text(world: World, body: CreateBody, text: str, limit: int) -> int:
    """Validate a post's text and return its weighted length. Raises: Refusal."""
    needs_text = body.media is UNSET and body.card_uri is UNSET
    if not text.strip() and (needs_text or body.text is not UNSET):
        message = "The `text` field is required and must not be empty."
        raise refusals.invalid_request(world.switches, "text", text, message)
    weight = weigh(text, limit=limit)
    if weight.weighted_length > limit:
        raise refusals.text_too_long(world.switches)
    if text and not weight.valid:
        raise refusals.invalid_request(world.switches, "text", "", "Your text is invalid.")
    return weight.weighted_length


def _add_generated_text(
    world: World, user: User, text: str, parent: Post | None, quoted: Post | None
) -> str:
    """Add the mention of the parent's author and the link to the quoted post, as X does.

    Switches select which of them are added. The added text counts for neither length nor price.
    """
    if world.switches.add_reply_mention and parent is not None and parent.user_id != user.id:
        text = f"@{world.users[parent.user_id].username} {text}"
    if world.switches.add_quote_link and quoted is not None:
        text += f" https://x.com/{world.users[quoted.user_id].username}/status/{quoted.id}"
    return text


def _find_stored(world: World, post_id: str | None) -> Post | None:
    """Return a post by its id, even if the post was deleted."""
    return None if post_id is None else world.posts[post_id]


def _find_parent(
    world: World, user: User, body: CreateBody, self_serve: bool, at: datetime
) -> Post | None:
    if body.reply is UNSET:
        return None
    parent = world.find_post(body.reply.in_reply_to_tweet_id)
    lag = timedelta(seconds=world.switches.min_parent_age_seconds)
    if parent is None or not is_visible(world, parent, user.id) or at - parent.created_at < lag:
        raise refusals.forbidden(
            "You attempted to reply to a Tweet that is deleted or not visible to you."
        )
    if self_serve and not _is_summoned(world, user, parent):
        raise refusals.not_summoned(world.switches)
    if not _may_reply(user, parent):
        raise refusals.forbidden("You are not permitted to reply to this conversation.")
    return parent


def _may_reply(user: User, parent: Post) -> bool:
    """Return whether the parent's reply settings permit a reply by this user.

    Users whom the parent mentions may always reply. With the setting `following`, only these users
    may reply, because emulated accounts do not follow each other.
    """
    if parent.user_id == user.id or parent.reply_settings == "everyone":
        return True
    mentioned = {name.casefold() for name in links.find_mentions(parent.text)}
    verified = parent.reply_settings == "verified" and user.verified
    return verified or user.username.casefold() in mentioned


def _is_summoned(world: World, user: User, post: Post) -> bool:
    """Return whether an app may reply to a post for a user.

    The app may reply if the post is the user's, mentions the user or quotes a post of the user.
    """
    if post.user_id == user.id:
        return True
    mentioned = {name.casefold() for name in links.find_mentions(post.text)}
    quoted = world.posts.get(post.quote_of) if post.quote_of else None
    quotes_user = quoted is not None and quoted.user_id == user.id
    return user.username.casefold() in mentioned or quotes_user


def _find_quoted(world: World, user: User, body: CreateBody, self_serve: bool) -> Post | None:
    if body.quote_tweet_id is UNSET:
        return None
    if self_serve:
        raise refusals.not_summoned(world.switches, quoting=True)
    quoted = world.find_post(body.quote_tweet_id)
    if quoted is None or not is_visible(world, quoted, user.id):
        raise refusals.forbidden(
            "You attempted to quote a Tweet that is deleted or not visible to you."
        )
    return quoted


def _is_duplicate(world: World, user: User, text: str, previous: Post | None, at: datetime) -> bool:
    latest = world.latest_by_text.get((user.id, text))
    if latest is None or latest is previous or latest.deleted_at is not None:
        return False
    return latest.history[-1] == latest.id and at - latest.created_at <= DUPLICATE_WINDOW


def _find_media(
    world: World, user: User, media_ids: list[str], previous: Post | None, at: datetime
) -> list[Media]:
    """Return the media to attach: up to four images, or one GIF or video. Raises: Refusal."""
    if not media_ids:
        return []
    previous_media = [] if previous is None else previous.media
    usable = [
        each
        for each in (world.media.get(media_id) for media_id in media_ids)
        if each is not None and (_is_usable(world, user, each, at) or each in previous_media)
    ]
    has_video = any(each.category != "tweet_image" for each in usable)
    is_mixed = has_video and len(usable) > 1
    if len(usable) < len(media_ids) or len(set(media_ids)) < len(media_ids) or is_mixed:
        raise refusals.invalid_media(world.switches, media_ids)
    return usable


def _is_usable(world: World, user: User, media: Media, at: datetime) -> bool:
    is_unused = world.switches.allow_media_reuse or not media.attached_to
    is_owner = user.id in (media.user_id, *media.owners)
    is_postable = media.category.startswith(("tweet_", "amplify_"))
    is_ready = media.state == "succeeded" and at < media.expires_at
    return is_owner and is_postable and is_unused and is_ready


def _media_url(user: User, post_id: str, media: Media) -> str:
    kind = "photo" if media.category == "tweet_image" else "video"
    return f"https://x.com/{user.username}/status/{post_id}/{kind}/1"
