"""Checks that each part has words, and is short enough as X counts its characters."""

from collections.abc import Iterator
from typing import Final

from roost.agents.validators.candidate import Candidate, Context
from roost.text import weigh

#: The fewest and the most parts of a thread.
FEWEST_PARTS: Final = 2
MOST_PARTS: Final = 10
#: A part with more characters than this (without the link), or with a weighted length above
#: `MOST_COUNTED`, is far too long. The other validators do not read its draft, because some of them
#: would take too long: their time grows faster than the length.
MOST_CHARACTERS: Final = 2000
MOST_COUNTED: Final = 560


def is_far_too_long(candidate: Candidate, context: Context) -> bool:
    """Whether a draft is so long that the other validators do not read it."""
    link = context.brief.link
    return len(candidate.parts) > MOST_PARTS or any(
        len(part.replace(link, "") if link else part) > MOST_CHARACTERS
        or weigh(part).weighted_length > MOST_COUNTED
        for part in candidate.parts
    )


def check_length(candidate: Candidate, context: Context) -> Iterator[str]:
    """Find empty parts, parts that reach the brief's limit, and a wrong number of parts.

    A part with nothing but links and hashtags is empty.
    """
    if not candidate.parts:
        yield "E-EMPTY: nothing was written"
    if is_far_too_long(candidate, context):
        longest = max(map(len, candidate.parts))
        yield f"E-LENGTH: {longest} characters, {context.brief.limit - 1} permitted"
        yield from _check_number_of_parts(candidate, context)
        return
    for part in candidate.parts:
        weight = weigh(part).weighted_length
        if not any(character.isalnum() for character in context.own_text(part)):
            yield "E-EMPTY: nothing was written"
        elif weight >= context.brief.limit:
            yield f"E-LENGTH: {weight} counted, {context.brief.limit - 1} permitted"
    yield from _check_number_of_parts(candidate, context)


def _check_number_of_parts(candidate: Candidate, context: Context) -> Iterator[str]:
    if context.brief.form == "post" and len(candidate.parts) > 1:
        yield f"E-PARTS: {len(candidate.parts)} given, 1 permitted"
    if context.brief.form == "thread" and not FEWEST_PARTS <= len(candidate.parts) <= MOST_PARTS:
        yield f"E-PARTS: {len(candidate.parts)} given, {FEWEST_PARTS} to {MOST_PARTS} permitted"
