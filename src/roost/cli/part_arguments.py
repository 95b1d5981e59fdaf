"""Arguments that describe a post's parts: text, thread file, media, alt texts and options."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter

from roost import post_options
from roost.errors import InvalidInput
from roost.input_file import read_input
from roost.models import NO_OPTIONS, MediaAsset, PartOptions, Poll, TweetId
from roost.planfile import parse_span
from roost.publishing.part_input import MediaInput, PartInput
from roost.text import split_thread
from roost.tweet_urls import parse_tweet_id

#: The value that removes an option from an edited post.
_NONE: Final = "none"
#: The maximum size of a thread's text file: enough for 25 parts of the longest text that X accepts.
_MAX_THREAD_BYTES: Final = 4 << 20

Text = Annotated[
    str,
    Parameter(
        help="The text; `-` reads it from standard input. A text that begins with `-` is written"
        " after all options and after `--`."
    ),
]
MediaFiles = Annotated[
    list[Path] | None, Parameter(name="--media", negative="", help="A file; may be repeated.")
]
AltTexts = Annotated[
    list[str] | None,
    Parameter(name="--alt", negative="", help="Alt text of the --media in the same position."),
]
#: A file to copy, or a file that is already stored, with its alt text.
PartFile = MediaInput


class PollMissing(InvalidInput):
    """The duration of a poll is given, but the post has no poll."""

    default_next = "Give the poll's options with --poll, two to four times."


@Parameter(name="*")
@dataclass(frozen=True)
class OptionFlags:
    """The options of a part as command-line flags; None for each flag that is not given."""

    reply_to: Annotated[
        str | None, Parameter(help="The post to reply to: its address on X, or its id.")
    ] = None
    quote: Annotated[
        str | None,
        Parameter(
            help="The post to quote: its address on X, or its id; X allows quotes to Enterprise"
            " apps only."
        ),
    ] = None
    poll: Annotated[
        list[str] | None,
        Parameter(negative="", help="An option of the poll; give --poll two to four times."),
    ] = None
    poll_duration: Annotated[
        str | None, Parameter(help="How long the poll is open: `5m` to `7d`; default `1d`.")
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
        """Return whether any flag is given."""
        return self != OptionFlags()

    def read(self, before: PartOptions = NO_OPTIONS) -> PartOptions:
        """Return the options of a part: the options `before`, as changed by the flags.

        The value `none` removes an option.

        Raises: PostAddressInvalid, ReplySettingsInvalid, PollMissing, SpanInvalid.
        """
        options = before
        if self.reply_to is not None:
            options = replace(options, reply_to=_read_address(self.reply_to))
        if self.quote is not None:
            options = replace(options, quote_of=_read_address(self.quote))
        if self.reply_settings is not None:
            settings = post_options.parse_reply_settings(self.reply_settings)
            options = replace(options, reply_settings=settings)
        return replace(options, poll=self._read_poll(before.poll))

    def _read_poll(self, before: Poll | None) -> Poll | None:
        if self.poll == [_NONE]:
            return None
        duration = None if self.poll_duration is None else parse_span(self.poll_duration)
        choices = before.options if self.poll is None and before else self.poll
        if choices is None:
            if duration is not None:
                raise PollMissing("A poll's duration is given, but no poll.")
            return None
        if duration is None:
            duration = before.duration if before else post_options.DEFAULT_POLL_DURATION
        return Poll(tuple(choice.strip() for choice in choices), duration)


NO_FLAGS: Final = OptionFlags()


def _read_address(address: str) -> TweetId | None:
    return None if address.strip().lower() == _NONE else parse_tweet_id(address)


def with_options(parts: Sequence[PartInput], options: PartOptions) -> list[PartInput]:
    """Return the parts, with these options on the first part."""
    first, *later = parts
    return [replace(first, options=options), *later]


def read_parts(
    text: str, media: list[Path] | None, alt: list[str] | None, thread: Path | None
) -> list[PartInput]:
    """Return a post's parts: one part with this text, or the parts in a thread's text file.

    The first part gets the media files. Raises: InvalidInput.
    """
    files = pair_files(media or [], alt or [])
    if thread is None:
        return [PartInput(text, files)]
    if text:
        raise InvalidInput(
            "A text and --thread exclude each other: the file contains the thread's text.",
            next="Omit the text, or omit --thread.",
        )
    texts = _read_thread(thread)
    return [PartInput(one, files if order == 0 else ()) for order, one in enumerate(texts)]


def _read_thread(path: Path) -> list[str]:
    content = read_input(path, max_bytes=_MAX_THREAD_BYTES, error=InvalidInput)
    try:
        # Some editors begin a UTF-8 file with a byte order mark, which is not part of the text.
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInput(f"{path} is not UTF-8.", next="Save the file as UTF-8.") from None
    texts = list(split_thread(text.strip()))
    if not texts:
        raise InvalidInput(
            f"{path} contains no text.", next="Write the thread's text into the file."
        )
    return texts


def pair_files(
    files: Sequence[Path | MediaAsset], alt_texts: Sequence[str | None]
) -> tuple[PartFile, ...]:
    """Pair each file with the alt text in the same position. Raises: InvalidInput."""
    if len(alt_texts) > len(files):
        raise InvalidInput("There are more alt texts (--alt) than files (--media).")
    return tuple(itertools.starmap(MediaInput, itertools.zip_longest(files, alt_texts)))
