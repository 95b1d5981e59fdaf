"""Every part has words, and is short enough with its link and tags, as X counts characters."""

from collections.abc import Iterator
from typing import Final

from roost.agents.validators.candidate import Candidate, Context
from roost.text import weigh

#: The number of parts of a thread.
FEWEST_PARTS: Final = 2
MOST_PARTS: Final = 10


def check_length(candidate: Candidate, context: Context) -> Iterator[str]:
    """Find parts without words besides links and tags, and parts that reach the brief's limit."""
    if not candidate.parts:
        yield "E-EMPTY: nothing was written"
    for part in candidate.parts:
        weight = weigh(part).weighted_length
        if not any(character.isalnum() for character in context.own_text(part)):
            yield "E-EMPTY: nothing was written"
        elif weight >= context.brief.limit:
            yield f"E-LENGTH: {weight} counted, {context.brief.limit - 1} permitted"
    if context.brief.form == "post" and len(candidate.parts) > 1:
        yield f"E-PARTS: {len(candidate.parts)} given, 1 permitted"
    if context.brief.form == "thread" and not FEWEST_PARTS <= len(candidate.parts) <= MOST_PARTS:
        yield f"E-PARTS: {len(candidate.parts)} given, {FEWEST_PARTS} to {MOST_PARTS} permitted"
