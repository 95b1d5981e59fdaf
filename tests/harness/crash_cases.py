"""The list of crashes: every failpoint, signal and response of X to the request in flight."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import product

from roost.failpoints import Failpoint


class CrashSignal(StrEnum):
    """What happens to the worker at the failpoint."""

    KILL = "kill"
    """SIGKILL; its database sessions end with it."""
    STOP = "stop"
    """SIGSTOP; its sessions, and so its locks, stay. SIGCONT follows later."""
    STOP_DISCONNECTED = "stop_disconnected"
    """SIGSTOP, and its sessions are ended. SIGCONT follows when another worker has taken over."""


class PartKind(StrEnum):
    """What the first part of the thread has in addition to its text."""

    PLAIN = "plain"
    """An image."""
    REPLY = "reply"
    """An image; it replies to another user's post."""
    QUOTE = "quote"
    POLL = "poll"


@dataclass(frozen=True, slots=True)
class XResponse:
    """What X does with the first request that the failpoint is about."""

    name: str
    when: str = ""
    fault: str = ""
    """The emulator's kind of fault; empty if X answers normally."""


OK = XResponse("ok")
#: The account already has a post with this text, made by a person: X refuses the create.
DUPLICATE = XResponse("duplicate")
RESPONSES = (
    OK,
    XResponse("lost", "after", "drop"),
    XResponse("cut", "after", "cut"),
    XResponse("not_sent", "before", "drop"),
    XResponse("500", "before", "500"),
    XResponse("503", "before", "503"),
    XResponse("503_after", "after", "503"),
    XResponse("proxy_after", "after", "502text"),
    XResponse("429", "before", "429"),
    XResponse("401", "before", "401"),
    XResponse("402", "before", "402"),
    DUPLICATE,
)
#: The emulator's names of the requests, by the first word of the failpoint's name.
OPERATIONS = {
    "upload": ("media_initialize", "media_append", "media_finalize", "media_metadata"),
    "create": ("create_post",),
    "read": ("read_timeline",),
    "refresh": ("refresh",),
    "post": ("create_post",),
}


@dataclass(frozen=True, slots=True)
class CrashCase:
    """One crash: the failpoint, the signal and X's response."""

    number: int
    failpoint: Failpoint
    signal: CrashSignal
    response: XResponse
    kind: PartKind = PartKind.PLAIN

    @property
    def name(self) -> str:
        """The name in reports."""
        kind = "" if self.kind is PartKind.PLAIN else f"/{self.kind.value}"
        return f"{self.failpoint.value}/{self.signal.value}/{self.response.name}{kind}"

    @property
    def step(self) -> str:
        """The first word of the failpoint's name: what the worker is about to do or has done."""
        return self.failpoint.value.partition(".")[0]

    @property
    def is_possible(self) -> bool:
        """Whether the case can occur.

        Only a create can be a duplicate, and no worker passes a refresh whose response was lost.
        """
        if self.response is DUPLICATE:
            return self.operation == "create_post"
        is_after_refresh = self.failpoint.value.startswith("refresh.after_")
        return not (is_after_refresh and self.response.when == "after")

    @property
    def is_about_final_state(self) -> bool:
        """Whether the failpoint is about a post's final state, which a refused part reaches too."""
        return self.step == "post"

    @property
    def operation(self) -> str:
        """The request that gets the response; an upload has several requests, used in rotation."""
        operations = OPERATIONS.get(self.step, ("create_post",))
        return operations[self.number % len(operations)]


#: Parts that are recognised on a timeline by more than their text get these responses, at each
#: failpoint of their create and of the reads that look for them.
KIND_RESPONSES = ("ok", "lost", "not_sent", "503_after")


def all_cases() -> Iterator[CrashCase]:
    """List every combination for a plain post, and those that differ for the other kinds."""
    number = 0
    for number, (failpoint, signal, response) in enumerate(
        product(Failpoint, CrashSignal, RESPONSES)
    ):
        case = CrashCase(number, failpoint, signal, response)
        if case.is_possible:
            yield case
    others = [kind for kind in PartKind if kind is not PartKind.PLAIN]
    failpoints = [each for each in Failpoint if each.value.startswith(("create.", "read."))]
    responses = [response for response in RESPONSES if response.name in KIND_RESPONSES]
    combinations = product(others, failpoints, responses)
    for offset, (kind, failpoint, response) in enumerate(combinations, start=1):
        yield CrashCase(number + offset, failpoint, CrashSignal.KILL, response, kind)


def plain_cases(signal: CrashSignal) -> list[CrashCase]:
    """List every failpoint once, with normal responses of X."""
    return [CrashCase(number, failpoint, signal, OK) for number, failpoint in enumerate(Failpoint)]


def kind_cases() -> list[CrashCase]:
    """List every other kind once: the worker dies after X's response and before its commit."""
    others = [kind for kind in PartKind if kind is not PartKind.PLAIN]
    return [
        CrashCase(len(Failpoint) + number, Failpoint.CREATE_AFTER_SEND, CrashSignal.KILL, OK, kind)
        for number, kind in enumerate(others)
    ]
