"""What a plan's row says of replies, quotes, polls and who may reply."""

from collections.abc import Mapping
from typing import Final

from roost import post_options
from roost.errors import InvalidInput
from roost.models import PartOptions, Poll, ReplySettings, TweetId, Violation
from roost.planfile.times import parse_span

#: The columns that a plan may have besides those that every plan has.
COLUMNS: Final = ("reply_to", "quote", "poll", "poll_duration", "reply_settings")
_BETWEEN: Final = "|"


def read_options(cells: Mapping[str, str]) -> tuple[PartOptions, list[Violation]]:
    """The options of a row, as far as they can be understood, and what is wrong with the others."""
    wrong: list[Violation] = []

    def read_post(column: str) -> TweetId | None:
        try:
            return post_options.read_address(cells[column]) if cells[column].strip() else None
        except InvalidInput as error:
            wrong.append(_violation(column, error))
            return None

    options = PartOptions(
        reply_to=read_post("reply_to"),
        quote_of=read_post("quote"),
        poll=_read_poll(cells, wrong),
        reply_settings=_read_reply_settings(cells["reply_settings"], wrong),
    )
    return options, wrong


def list_cells(cells: Mapping[str, str]) -> list[str]:
    """What a row says in these columns, for telling rows apart; empty where it says nothing."""
    said = [cells[column].strip() for column in COLUMNS]
    return said if any(said) else []


def _read_poll(cells: Mapping[str, str], wrong: list[Violation]) -> Poll | None:
    asked, span = cells["poll"].strip(), cells["poll_duration"].strip()
    if not asked:
        if span:
            wrong.append(
                Violation(
                    "poll_missing",
                    "The row says how long a poll is open, and has none.",
                    next="Write its options into the column poll, separated by `|`.",
                )
            )
        return None
    duration = post_options.POLL_DURATION
    if span:
        try:
            duration = parse_span(span)
        except InvalidInput as error:
            wrong.append(_violation("poll_duration", error))
    return Poll(tuple(option.strip() for option in asked.split(_BETWEEN)), duration)


def _read_reply_settings(cell: str, wrong: list[Violation]) -> ReplySettings | None:
    try:
        return post_options.read_reply_settings(cell) if cell.strip() else None
    except InvalidInput as error:
        wrong.append(_violation("reply_settings", error))
        return None


def _violation(column: str, error: InvalidInput) -> Violation:
    return Violation(error.code, f"{column}: {error.message}", next=error.next)
