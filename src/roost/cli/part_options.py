"""The flags for replies, quotes, polls and who may reply, of every command that takes a text."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Final

from cyclopts import Parameter

from roost import post_options
from roost.errors import InvalidInput
from roost.models import NO_OPTIONS, PartOptions, Poll, TweetId
from roost.planfile import parse_span
from roost.services.schedule import PartInput
from roost.tweet_urls import parse_tweet_id

#: What takes off an option that an edited post has.
_NONE: Final = "none"


class PollMissing(InvalidInput):
    """A poll's duration is given, and there is no poll."""

    default_next = "Give its options with --poll, two to four times."


@Parameter(name="*")
@dataclass(frozen=True)
class OptionFlags:
    """What the person said; None: nothing."""

    reply_to: Annotated[
        str | None, Parameter(help="The post to reply to: its address on X, or its id.")
    ] = None
    quote: Annotated[
        str | None, Parameter(help="The post to quote, likewise; X lets only Enterprise apps.")
    ] = None
    poll: Annotated[
        list[str] | None, Parameter(negative="", help="An option of a poll; two to four times.")
    ] = None
    poll_duration: Annotated[
        str | None, Parameter(help="How long the poll is open: `5m` to `7d`; without it `1d`.")
    ] = None
    reply_settings: Annotated[
        str | None,
        Parameter(
            help="Who may reply: `everyone`, `following`, `mentionedUsers`, `subscribers` or"
            " `verified`."
        ),
    ] = None

    @property
    def is_given(self) -> bool:
        """Whether anything was said."""
        return self != OptionFlags()

    def read(self, before: PartOptions = NO_OPTIONS) -> PartOptions:
        """The options that a part with those `before` has now; `none` takes one off.

        Raises: PostAddressInvalid, ReplySettingsInvalid, PollMissing, SpanInvalid.
        """
        options = before
        if self.reply_to is not None:
            options = replace(options, reply_to=_read_address(self.reply_to))
        if self.quote is not None:
            options = replace(options, quote_of=_read_address(self.quote))
        if self.reply_settings is not None:
            who = post_options.parse_reply_settings(self.reply_settings)
            options = replace(options, reply_settings=who)
        return replace(options, poll=self._read_poll(before.poll))

    def _read_poll(self, before: Poll | None) -> Poll | None:
        if self.poll == [_NONE]:
            return None
        span = None if self.poll_duration is None else parse_span(self.poll_duration)
        asked = before.options if self.poll is None and before else self.poll
        if asked is None:
            if span is not None:
                raise PollMissing("There is a duration for a poll, and no poll.")
            return None
        if span is None:
            span = before.duration if before else post_options.DEFAULT_POLL_DURATION
        return Poll(tuple(option.strip() for option in asked), span)


def with_options(parts: Sequence[PartInput], options: PartOptions) -> list[PartInput]:
    """The parts, of which the first has these options."""
    first, *later = parts
    return [replace(first, options=options), *later]


def tell_options(options: PartOptions) -> Iterator[str]:
    """A part's options, a line each."""
    if options.reply_to is not None:
        yield f"replies to {options.reply_to}"
    if options.quote_of is not None:
        yield f"quotes {options.quote_of}"
    if options.poll is not None:
        choices = " / ".join(options.poll.options)
        yield f"poll, open for {post_options.describe_duration(options.poll.duration)}: {choices}"
    if options.reply_settings is not None:
        yield f"who may reply: {options.reply_settings}"


def _read_address(said: str) -> TweetId | None:
    return None if said.strip().lower() == _NONE else parse_tweet_id(said)
