"""Which crashes there are: every named point, every way to fall silent, every answer in flight."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import product

from roost.failpoints import Failpoint


class Blow(StrEnum):
    """What befalls the worker at the point."""

    KILL = "kill"
    """SIGKILL: its sessions end with it."""
    STOP = "stop"
    """SIGSTOP: its sessions, and so its locks, live on; it is woken later."""
    STOP_ENDED = "stop_ended"
    """SIGSTOP, and its sessions are ended; it is woken when another has done its work."""


class Kind(StrEnum):
    """What the first part of the thread that is struck is, besides its text."""

    PLAIN = "plain"
    """It carries a picture."""
    REPLY = "reply"
    """It carries a picture, and answers a post of somebody else."""
    QUOTE = "quote"
    POLL = "poll"


@dataclass(frozen=True, slots=True)
class Answer:
    """What X does to the first request of the kind that the point is about."""

    name: str
    when: str = ""
    kind: str = ""
    """The emulator's kind of fault; empty: X answers well."""


OK = Answer("ok")
#: The same text stands on X already, by hand: X refuses it.
DUPLICATE = Answer("duplicate")
ANSWERS = (
    OK,
    Answer("lost", "after", "drop"),
    Answer("cut", "after", "cut"),
    Answer("not_sent", "before", "drop"),
    Answer("500", "before", "500"),
    Answer("503", "before", "503"),
    Answer("503_after", "after", "503"),
    Answer("proxy_after", "after", "502text"),
    Answer("429", "before", "429"),
    Answer("401", "before", "401"),
    Answer("402", "before", "402"),
    DUPLICATE,
)
#: What a point's request is called by the emulator, by the first word of the point's name.
OPERATIONS = {
    "upload": ("media_initialize", "media_append", "media_finalize", "media_metadata"),
    "create": ("create_post",),
    "read": ("read_timeline",),
    "refresh": ("refresh",),
    "post": ("create_post",),
}


@dataclass(frozen=True, slots=True)
class Cell:
    """One crash: where, how, and under which answer."""

    number: int
    point: Failpoint
    blow: Blow
    answer: Answer
    kind: Kind = Kind.PLAIN

    @property
    def name(self) -> str:
        """How it is told."""
        of = "" if self.kind is Kind.PLAIN else f"/{self.kind.value}"
        return f"{self.point.value}/{self.blow.value}/{self.answer.name}{of}"

    @property
    def subject(self) -> str:
        """The first word of the point's name: what the worker is about to do or has done."""
        return self.point.value.partition(".")[0]

    @property
    def can_happen(self) -> bool:
        """Only a create is a duplicate; and nobody comes past a refresh whose answer was lost."""
        if self.answer is DUPLICATE:
            return self.operation == "create_post"
        past = self.point.value.startswith("refresh.after_")
        return not (past and self.answer.when == "after")

    @property
    def is_of_the_end(self) -> bool:
        """Whether it is about how a post ends; one that X refuses in its midst takes that step."""
        return self.subject == "post"

    @property
    def operation(self) -> str:
        """Which request the answer befalls; an upload has several, taken in turn."""
        several = OPERATIONS.get(self.subject, ("create_post",))
        return several[self.number % len(several)]


#: What is told apart on a timeline by more than its text meets these answers, at every point of
#: its create and of the reads that look for it.
KIND_ANSWERS = ("ok", "lost", "not_sent", "503_after")


def all_cells() -> Iterator[Cell]:
    """The full product for a plain post; for each other kind, where it makes a difference."""
    number = 0
    for number, (point, blow, answer) in enumerate(product(Failpoint, Blow, ANSWERS)):
        cell = Cell(number, point, blow, answer)
        if cell.can_happen:
            yield cell
    others = [kind for kind in Kind if kind is not Kind.PLAIN]
    points = [point for point in Failpoint if point.value.startswith(("create.", "read."))]
    answers = [answer for answer in ANSWERS if answer.name in KIND_ANSWERS]
    for more, (kind, point, answer) in enumerate(product(others, points, answers), start=1):
        yield Cell(number + more, point, Blow.KILL, answer, kind)


def plain_cells(blow: Blow) -> list[Cell]:
    """Every point once, with X answering well."""
    return [Cell(number, point, blow, OK) for number, point in enumerate(Failpoint)]


def kind_cells() -> list[Cell]:
    """Every other kind once: its worker dies with X's answer in its hands."""
    others = [kind for kind in Kind if kind is not Kind.PLAIN]
    return [
        Cell(len(Failpoint) + number, Failpoint.CREATE_AFTER_SEND, Blow.KILL, OK, kind)
        for number, kind in enumerate(others)
    ]
