"""Reads the options of a row of a plan: reply, quote, poll, reply settings."""

from collections.abc import Mapping
from typing import Final

from roost import post_options
from roost.errors import InvalidInput
from roost.models import PartOptions, Poll, ReplySettings, TweetId, Violation
from roost.planfile.times import parse_span
from roost.tweet_urls import parse_tweet_id

#: The optional columns of a plan.
COLUMNS: Final = ("reply_to", "quote", "poll", "poll_duration", "reply_settings")
_SEPARATOR: Final = "|"


def read_options(cells: Mapping[str, str]) -> tuple[PartOptions, list[Violation]]:
    """Return the valid options of a row, and a violation for each invalid option."""
    violations: list[Violation] = []

    def read_post(column: str) -> TweetId | None:
        try:
            return parse_tweet_id(cells[column]) if cells[column].strip() else None
        except InvalidInput as error:
            violations.append(_violation(column, error))
            return None

    options = PartOptions(
        reply_to=read_post("reply_to"),
        quote_of=read_post("quote"),
        poll=_read_poll(cells, violations),
        reply_settings=_read_reply_settings(cells["reply_settings"], violations),
    )
    return options, violations


def list_cells(cells: Mapping[str, str]) -> list[str]:
    """Return the cells of the optional columns; an empty list if all cells are empty."""
    values = [cells[column].strip() for column in COLUMNS]
    return values if any(values) else []


def _read_poll(cells: Mapping[str, str], violations: list[Violation]) -> Poll | None:
    poll, span = cells["poll"].strip(), cells["poll_duration"].strip()
    if not poll:
        if span:
            violations.append(
                Violation(
                    "poll_missing",
                    "The row has a poll duration but no poll.",
                    next="Write the poll's options into the column poll, separated by `|`.",
                )
            )
        return None
    duration = post_options.DEFAULT_POLL_DURATION
    if span:
        try:
            duration = parse_span(span)
        except InvalidInput as error:
            violations.append(_violation("poll_duration", error))
    return Poll(tuple(option.strip() for option in poll.split(_SEPARATOR)), duration)


def _read_reply_settings(cell: str, violations: list[Violation]) -> ReplySettings | None:
    try:
        return post_options.parse_reply_settings(cell) if cell.strip() else None
    except InvalidInput as error:
        violations.append(_violation("reply_settings", error))
        return None


def _violation(column: str, error: InvalidInput) -> Violation:
    return Violation(error.code, f"{column}: {error.message}", next=error.next)
