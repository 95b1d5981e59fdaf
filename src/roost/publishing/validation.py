"""Validates posts by X's rules and prices posts, before a post is stored or sent. Pure."""

import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Final

from roost.escaping import find_controls
from roost.mediafile import lint_media, validate_media
from roost.models import PostFinding, TweetId, Violation
from roost.post_options import validate_options
from roost.prices import Operation, Price, price_of, price_of_part, sum_prices
from roost.publishing.part_input import PartInput
from roost.text import (
    counted_length,
    extract_entities,
    find_damage,
    find_forbidden_characters,
    has_text,
    lint_text,
    text_limit,
)

_MAX_CASHTAGS: Final = 1


def validate_post(
    parts: Sequence[PartInput], *, subscription_type: str | None, may_quote: bool = False
) -> list[Violation]:
    """List the rules of X that a post violates. In a thread, each violation names its part.

    `may_quote` is True if the X app has a plan that allows quotes. Files must have been probed.
    """
    if not parts:
        return [Violation("post_empty", "The post has no part.", next="Write a text.")]
    found: list[Violation] = []
    for position, part in enumerate(parts, start=1):
        violations = [
            *validate_text(
                part.text, has_files=bool(part.media), subscription_type=subscription_type
            ),
            *_validate_media(part, subscription_type),
            *validate_options(
                part.options, has_files=bool(part.media), position=position, may_quote=may_quote
            ),
        ]
        if len(parts) > 1:
            violations = [replace(one, part=position) for one in violations]
        found += violations
    return found + list(_find_repeated_parts(parts))


def lint_post(parts: Sequence[PartInput]) -> list[PostFinding]:
    """List probable mistakes that X accepts. In a thread, each finding names its part."""
    found = []
    for position, part in enumerate(parts, start=1):
        part_number = position if len(parts) > 1 else None
        found += [replace(one, part=part_number) for one in _lint_part(part)]
    return found


def _lint_part(part: PartInput) -> Iterator[PostFinding]:
    # A part with files may have a blank text, so such a text is not checked.
    for one in lint_text(part.text) if has_text(part.text) or not part.media else ():
        yield PostFinding(
            one.code,
            one.message,
            next=_suggest(one.proposal),
            start=one.start,
            end=one.end,
            proposal=one.proposal,
        )
    for media in part.media:
        yield from lint_media(media.probed)
        yield from _lint_other(f"the alt text of {media.probed.path.name}", media.alt_text or "")
    for choice in part.options.poll.options if part.options.poll else ():
        yield from _lint_other("the poll", choice)


def _lint_other(where: str, text: str) -> Iterator[PostFinding]:
    """Find damaged characters and placeholders in an alt text or a poll option."""
    for one in find_damage(unicodedata.normalize("NFC", text)):
        yield PostFinding(
            one.code,
            f"In {where}: {one.message}",
            next=_suggest(one.proposal),
        )


def _suggest(proposal: str | None) -> str:
    return "" if proposal is None else f"Consider writing {proposal!r}."


def price_post(parts: Sequence[PartInput], own: Collection[TweetId] = ()) -> Price:
    """Return the price of sending a post with its alt texts, in dollars.

    `own` has ids of posts on X that are known to be the account's own posts.
    """
    prices = []
    for part in parts:
        prices.append(price_of_part(part.text, part.options, has_media=bool(part.media), own=own))
        prices += [price_of(Operation.MEDIA_METADATA) for media in part.media if media.alt_text]
    return sum_prices(prices)


def validate_text(
    text: str, *, has_files: bool, subscription_type: str | None
) -> Iterator[Violation]:
    """Yield each rule of X that a part's text violates; with files, the text may be blank."""
    limit = text_limit(subscription_type)
    if controls := find_controls(text):
        yield _control_characters("text_control_characters", "The text", controls)
    if names := find_forbidden_characters(text):
        yield Violation(
            "text_forbidden_characters",
            f"The text contains {', '.join(names)}, which X refuses.",
            found=", ".join(names),
            next="Delete this invisible character.",
        )
    if not has_text(text):
        if not has_files:
            yield Violation(
                "text_blank", "The post has neither text nor media.", next="Write a text."
            )
        return
    length = counted_length(text, limit)
    if length > limit:
        yield Violation(
            "text_too_long",
            f"The text has {length:,} characters as X counts them; this account may post "
            f"{limit:,}.",
            limit=limit,
            found=length,
            next=f"Shorten the text by {length - limit:,}, or make it a thread.",
        )
    cashtags = extract_entities(text).cashtags
    if len(cashtags) > _MAX_CASHTAGS:
        yield Violation(
            "too_many_cashtags",
            f"The text has {len(cashtags)} cashtags; X allows one.",
            limit=_MAX_CASHTAGS,
            found=len(cashtags),
            next="Keep one cashtag, or write the others without `$`.",
        )


def _validate_media(part: PartInput, subscription_type: str | None) -> list[Violation]:
    files = [(media.probed, media.alt_text) for media in part.media]
    controls = [
        _control_characters(
            "alt_text_control_characters", f"The alt text of {media.probed.path.name}", found
        )
        for media in part.media
        if (found := find_controls(media.alt_text or ""))
    ]
    return validate_media(files, subscription_type=subscription_type) + controls


def _control_characters(code: str, where: str, found: Sequence[str]) -> Violation:
    names = ", ".join(found)
    return Violation(
        code,
        f"{where} contains control characters ({names}); only tab and newline are allowed.",
        found=names,
        next="Delete these invisible characters: they can change how a terminal shows text.",
    )


def _find_repeated_parts(parts: Sequence[PartInput]) -> Iterator[Violation]:
    """Yield a violation for each part that repeats the text of an earlier part.

    X refuses such a part as a duplicate.
    """
    first: dict[str, int] = {}
    for position, part in enumerate(parts, start=1):
        text = unicodedata.normalize("NFC", part.text).strip()
        if part.media or not text:
            continue
        before = first.setdefault(text, position)
        if before != position:
            yield Violation(
                "part_repeated",
                f"Part {position} has the same text as part {before}; X refuses duplicates.",
                next="Remove one of the parts, or change its text.",
                part=position,
            )
