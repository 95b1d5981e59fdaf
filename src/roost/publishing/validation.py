"""Whether X takes a post, and what it will bill: every rule at once, before anything is sent."""

import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from roost.escaping import find_controls
from roost.mediafile import MediaFile, lint_media, validate_media
from roost.models import NO_OPTIONS, PartOptions, PostFinding, TweetId, Violation
from roost.post_options import validate_options
from roost.prices import Operation, Price, price_of, price_of_part, sum_prices
from roost.text import (
    counted_length,
    extract_entities,
    find_damage,
    find_forbidden_characters,
    has_text,
    lint_text,
    text_limit,
)

_MOST_CASHTAGS: Final = 1


@dataclass(frozen=True, slots=True)
class MediaDraft:
    """A probed file that a part is to carry."""

    file: MediaFile
    alt_text: str | None = None


@dataclass(frozen=True, slots=True)
class PartDraft:
    """One tweet as it is meant to go out."""

    text: str
    media: tuple[MediaDraft, ...] = ()
    options: PartOptions = NO_OPTIONS


def validate_post(
    parts: Sequence[PartDraft], *, subscription_type: str | None, may_quote: bool = False
) -> list[Violation]:
    """Every rule of X that a post breaks; in a thread each names its part, counted from 1.

    `may_quote`: the X app has a plan with which it may quote posts.
    """
    if not parts:
        return [Violation("post_empty", "The post has no part.", next="Write a text.")]
    found = []
    for position, part in enumerate(parts, start=1):
        broken = [
            *validate_text(
                part.text, has_files=bool(part.media), subscription_type=subscription_type
            ),
            *_judge_media(part, subscription_type),
            *validate_options(
                part.options, has_files=bool(part.media), position=position, may_quote=may_quote
            ),
        ]
        found += [replace(one, part=position) for one in broken] if len(parts) > 1 else broken
    return found + list(_judge_repetition(parts))


def lint_post(parts: Sequence[PartDraft]) -> list[PostFinding]:
    """What X takes but is probably not meant; in a thread each names its part, counted from 1."""
    found = []
    for position, part in enumerate(parts, start=1):
        part_number = position if len(parts) > 1 else None
        found += [replace(one, part=part_number) for one in _lint_part(part)]
    return found


def _lint_part(part: PartDraft) -> Iterator[PostFinding]:
    # Files without a text are a post: that it is blank is no news then.
    for one in lint_text(part.text) if has_text(part.text) or not part.media else ():
        yield PostFinding(
            one.code,
            one.message,
            next="" if one.proposal is None else f"Write {one.proposal!r}, perhaps.",
            start=one.start,
            end=one.end,
            proposal=one.proposal,
        )
    for media in part.media:
        yield from lint_media(media.file)
        yield from _lint_besides(f"the alt text of {media.file.path.name}", media.alt_text or "")
    for choice in part.options.poll.options if part.options.poll else ():
        yield from _lint_besides("the poll", choice)


def _lint_besides(where: str, text: str) -> Iterator[PostFinding]:
    for one in find_damage(unicodedata.normalize("NFC", text)):
        yield PostFinding(
            one.code,
            f"In {where}: {one.message}",
            next="" if one.proposal is None else f"Write {one.proposal!r}, perhaps.",
        )


def price_post(parts: Sequence[PartDraft], own: Collection[TweetId] = ()) -> Price:
    """What X bills for sending a post with its alt texts, in dollars.

    `own` are posts on X that are known as the account's.
    """
    prices = []
    for part in parts:
        prices.append(price_of_part(part.text, part.options, has_media=bool(part.media), own=own))
        prices += [price_of(Operation.MEDIA_METADATA) for media in part.media if media.alt_text]
    return sum_prices(prices)


def validate_text(
    text: str, *, has_files: bool, subscription_type: str | None
) -> Iterator[Violation]:
    """Every rule of X that the text of one part breaks; beside files it may be blank."""
    limit = text_limit(subscription_type)
    if controls := find_controls(text):
        yield _controls("text_control_characters", "The text", controls)
    if names := find_forbidden_characters(text):
        yield Violation(
            "text_forbidden_characters",
            f"The text holds {', '.join(names)}, which X refuses.",
            found=", ".join(names),
            next="Delete what stands there; such a character is invisible.",
        )
    if not has_text(text):
        if not has_files:
            yield Violation("text_blank", "There is neither text nor media.", next="Write a text.")
        return
    length = counted_length(text, limit)
    if length > limit:
        yield Violation(
            "text_too_long",
            f"The text has {length:,} characters as X counts them; this account may post "
            f"{limit:,}.",
            limit=limit,
            found=length,
            next=f"Take out {length - limit:,}, or make a thread of it.",
        )
    cashtags = extract_entities(text).cashtags
    if len(cashtags) > _MOST_CASHTAGS:
        yield Violation(
            "too_many_cashtags",
            f"The text has {len(cashtags)} cashtags; X takes one.",
            limit=_MOST_CASHTAGS,
            found=len(cashtags),
            next="Keep one of them, or write the others without `$`.",
        )


def _judge_media(part: PartDraft, subscription_type: str | None) -> list[Violation]:
    files = [(media.file, media.alt_text) for media in part.media]
    controls = [
        _controls("alt_text_control_characters", f"The alt text of {media.file.path.name}", found)
        for media in part.media
        if (found := find_controls(media.alt_text or ""))
    ]
    return validate_media(files, subscription_type=subscription_type) + controls


def _controls(code: str, where: str, found: Sequence[str]) -> Violation:
    names = ", ".join(found)
    return Violation(
        code,
        f"{where} holds control characters ({names}); only tab and line end are allowed.",
        found=names,
        next="Delete them: they are invisible, and steer the terminals and pages that show them.",
    )


def _judge_repetition(parts: Sequence[PartDraft]) -> Iterator[Violation]:
    """X refuses what an account has just said: such a thread would stop half-way."""
    first: dict[str, int] = {}
    for position, part in enumerate(parts, start=1):
        text = unicodedata.normalize("NFC", part.text).strip()
        if part.media or not text:
            continue
        before = first.setdefault(text, position)
        if before != position:
            yield Violation(
                "part_repeated",
                f"Part {position} says the same as part {before}; X refuses duplicates.",
                next="Leave one of them out, or word it differently.",
                part=position,
            )
