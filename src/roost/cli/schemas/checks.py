"""The JSON of `roost check`, and types of findings and prices that other outputs share.

The command works without optional dependencies, so this module imports none of them.
"""

from pydantic import Field

from roost.cli.schemas.fields import Dollars, Output, Seconds
from roost.models import ReplySettings


class PriceOutput(Output):
    """What X charges, in dollars; a range if X's documents are ambiguous."""

    low: Dollars
    high: Dollars
    reason: str


class ViolationOutput(Output):
    """A rule of X that a post breaks."""

    code: str
    message: str
    limit: int | float | str | None
    found: int | float | str | None
    next: str = Field(description="What to change.")
    part: int | None = Field(description="The part, counted from 1; null for the whole post.")


class FindingOutput(Output):
    """A probable mistake in a post; X accepts the post in spite of it."""

    code: str
    message: str
    next: str = Field(description="What to change.")
    part: int | None = Field(description="The part, counted from 1; null for the whole post.")
    start: int | None = Field(description="Start in the text, in code points of its NFC form.")
    end: int | None
    proposal: str | None = Field(description="A text to replace the passage with.")


class EntityOutput(Output):
    """A link, mention, hashtag or cashtag in a text."""

    value: str
    start: int = Field(description="Start in the text, in code points of its NFC form.")
    end: int
    slug: str


class EntitiesOutput(Output):
    """The links, mentions, hashtags and cashtags of a text."""

    text: str = Field(description="The NFC form of the text.")
    urls: tuple[EntityOutput, ...]
    mentions: tuple[EntityOutput, ...]
    hashtags: tuple[EntityOutput, ...]
    cashtags: tuple[EntityOutput, ...]


class PollOutput(Output):
    """The poll of a part: its options, and how long it is open."""

    options: tuple[str, ...]
    duration: Seconds = Field(description="How long the poll is open, in seconds.")


class OptionsOutput(Output):
    """The options of a part: reply, quote, poll, and who may reply."""

    reply_to: str | None = Field(description="The id of the post on X that the part replies to.")
    quote_of: str | None = Field(description="The id of the quoted post on X.")
    poll: PollOutput | None
    reply_settings: ReplySettings | None = Field(description="Who may reply; null for everyone.")


class CheckOutput(Output):
    """The result of checking a text and its media by X's rules."""

    weighted_length: int
    limit: int
    valid: bool
    entities: EntitiesOutput
    options: OptionsOutput
    violations: tuple[ViolationOutput, ...]
    findings: tuple[FindingOutput, ...]
    price: PriceOutput
