"""What the lints of a text find; a file of its own, for each of them makes such findings."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing worth a word; `start` and `end` are code points of the NFC text."""

    code: str
    start: int
    end: int
    message: str  #: what it means for the post
    proposal: str | None = None  #: what could stand there instead; empty: nothing
