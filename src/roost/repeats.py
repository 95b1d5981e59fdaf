"""What an account says twice: within a plan, or shortly after it said so already. Pure."""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from roost.models import IntegrationId, PartOptions, PostFinding, PostId

#: What is said once a day is no slip.
REPEAT_WINDOW: Final = timedelta(hours=12)
_MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Said:
    """One tweet of an account, as far as it can be a repetition of another."""

    text: str
    files: tuple[str, ...]
    """Their SHA-256: with another picture the same words are another post."""
    options: PartOptions
    at: datetime
    """When it went out, or is to."""
    post_id: PostId | None = None
    is_out: bool = False

    @property
    def content(self) -> tuple[object, ...] | None:
        """What two of them have in common that are the same; None: it has no words."""
        text = " ".join(unicodedata.normalize("NFC", self.text).split())
        if not text:
            return None
        poll = self.options.poll
        return (
            text, self.files, self.options.reply_to, self.options.quote_of,
            poll.options if poll else None,
        )  # fmt: skip


def find_said_before(
    parts: Sequence[Said], others: Sequence[Said], *, parts_are_numbered: bool
) -> Iterator[PostFinding]:
    """Which parts of a post say what the account's `others` say at about the same time."""
    by_content: dict[object, list[Said]] = {}
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
        other = min(near, key=lambda one: abs(one.at - part.at))
        when = "went out" if other.is_out else "is due"
        yield PostFinding(
            "text_repeated",
            f"Post {other.post_id} of this account says the same, and {when}"
            f" {_describe(other.at - part.at)}; X may refuse it as a duplicate.",
            next="Word it differently, or leave it out.",
            part=position if parts_are_numbered else None,
        )


def find_in_plan(
    rows: Sequence[tuple[IntegrationId, int, Said]],
) -> Iterator[tuple[int, PostFinding]]:
    """The rows of a plan (account, line, what it says) that repeat an earlier row, by line."""
    first: dict[object, int] = {}
    for account, line, said in rows:
        if said.content is None:
            continue
        before = first.setdefault((account, said.content), line)
        if before != line:
            yield (
                line,
                PostFinding(
                    "text_twice_in_plan",
                    f"Line {before} says the same for this account; X may refuse it as a"
                    " duplicate.",
                    next="Word it differently, or take the row out.",
                ),
            )


def _describe(distance: timedelta) -> str:
    minutes = round(abs(distance) / _MINUTE)
    if minutes == 0:
        return "at the same time"
    length = f"{minutes} min" if minutes < 120 else f"{round(minutes / 60)} h"
    return f"{length} {'before' if distance < timedelta() else 'after'} it"
