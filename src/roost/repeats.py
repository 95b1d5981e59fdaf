"""Finds posts that repeat the content of another post, in a plan or within 12 hours."""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from roost.models import IntegrationId, PartOptions, PostFinding, PostId

#: Posts with equal content are reported if the time between them is shorter than this. The window
#: is shorter than a day, because a daily repetition is usually intended.
REPEAT_WINDOW: Final = timedelta(hours=12)
_MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class RepeatCandidate:
    """A tweet of an account, published or planned, that is compared with other tweets."""

    text: str
    file_hashes: tuple[str, ...]
    """SHA-256 of each file, because the same text with another picture is another post."""
    options: PartOptions
    at: datetime
    """When the tweet was published, or is due."""
    post_id: PostId | None = None
    is_published: bool = False

    @property
    def content(self) -> tuple[object, ...] | None:
        """A key that is equal for tweets with the same content; None for a tweet without text."""
        text = " ".join(unicodedata.normalize("NFC", self.text).split())
        if not text:
            return None
        poll = self.options.poll
        return (
            text, self.file_hashes, self.options.reply_to, self.options.quote_of,
            poll.options if poll else None,
        )  # fmt: skip


def find_repeats(
    parts: Sequence[RepeatCandidate],
    others: Sequence[RepeatCandidate],
    *,
    parts_are_numbered: bool,
) -> Iterator[PostFinding]:
    """Find the parts of a post that repeat one of `others` within `REPEAT_WINDOW`.

    `others` are tweets of the same account. For each part, only the nearest repetition in time is
    reported.
    """
    by_content: dict[object, list[RepeatCandidate]] = {}
    for other in others:
        if other.content is not None:
            by_content.setdefault(other.content, []).append(other)
    for position, part in enumerate(parts, start=1):
        near = [
            other
            for other in by_content.get(part.content, ())
            if abs(other.at - part.at) < REPEAT_WINDOW
        ]
        if part.content is None or not near:
            continue
        nearest = min(near, key=lambda other: abs(other.at - part.at))
        verb = "was published" if nearest.is_published else "is due"
        yield PostFinding(
            "text_repeated",
            f"Post {nearest.post_id} of this account has the same content and {verb}"
            f" {_describe_distance(nearest.at - part.at)}; X may refuse this post as a duplicate.",
            next="Change the text, or leave this post out.",
            part=position if parts_are_numbered else None,
        )


def find_repeats_in_plan(
    rows: Sequence[tuple[IntegrationId, int, RepeatCandidate]],
) -> Iterator[tuple[int, PostFinding]]:
    """Yield the line number and the finding of each plan row that repeats an earlier row.

    Each row is an account, a line number and the content. Only rows of the same account are
    compared.
    """
    first_lines: dict[object, int] = {}
    for account, line, candidate in rows:
        if candidate.content is None:
            continue
        first_line = first_lines.setdefault((account, candidate.content), line)
        if first_line != line:
            yield (
                line,
                PostFinding(
                    "text_twice_in_plan",
                    f"Line {first_line} has the same content for this account; X may refuse this"
                    " row's post as a duplicate.",
                    next="Change the text, or remove the row.",
                ),
            )


def _describe_distance(distance: timedelta) -> str:
    minutes = round(abs(distance) / _MINUTE)
    if minutes == 0:
        return "at the same time"
    length = f"{minutes} min" if minutes < 120 else f"{round(minutes / 60)} h"
    return f"{length} {'earlier' if distance < timedelta() else 'later'}"
