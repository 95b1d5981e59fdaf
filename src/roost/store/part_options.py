"""A part's options as columns of its row, and back."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from roost.models import PartOptions, Poll, ReplySettings

#: The columns of `parts`.
COLUMNS: Final = ("reply_to", "quote_of", "poll_options", "poll_minutes", "reply_settings")
_MINUTE: Final = timedelta(minutes=1)


def as_columns(options: PartOptions) -> dict[str, Any]:
    """A value for each of `COLUMNS`."""
    poll = options.poll
    return {
        "reply_to": options.reply_to,
        "quote_of": options.quote_of,
        "poll_options": list(poll.options) if poll else None,
        "poll_minutes": poll.duration // _MINUTE if poll else None,
        "reply_settings": options.reply_settings,
    }


def from_row(row: Mapping[str, Any]) -> PartOptions:
    """What a row of `parts` says."""
    poll = None
    if row["poll_options"] is not None:
        poll = Poll(tuple(row["poll_options"]), row["poll_minutes"] * _MINUTE)
    word = row["reply_settings"]
    return PartOptions(
        reply_to=row["reply_to"],
        quote_of=row["quote_of"],
        poll=poll,
        reply_settings=ReplySettings(word) if word else None,
    )
