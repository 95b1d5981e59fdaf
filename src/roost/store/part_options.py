"""Converts a part's options to columns of `parts` and back."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from roost.models import PartOptions, Poll, ReplySettings

_MINUTE: Final = timedelta(minutes=1)


def to_columns(options: PartOptions) -> dict[str, Any]:
    """The values of the options' columns, by column."""
    poll = options.poll
    return {
        "reply_to": options.reply_to,
        "quote_of": options.quote_of,
        "poll_options": list(poll.options) if poll else None,
        "poll_minutes": poll.duration // _MINUTE if poll else None,
        "reply_settings": options.reply_settings,
    }


def from_row(row: Mapping[str, Any]) -> PartOptions:
    """The options of a row of `parts`."""
    poll = None
    if row["poll_options"] is not None:
        poll = Poll(tuple(row["poll_options"]), row["poll_minutes"] * _MINUTE)
    reply_settings = row["reply_settings"]
    return PartOptions(
        reply_to=row["reply_to"],
        quote_of=row["quote_of"],
        poll=poll,
        reply_settings=ReplySettings(reply_settings) if reply_settings else None,
    )
