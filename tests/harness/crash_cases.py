"""The list of crashes: each failpoint with each signal and each response of X."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import product

from roost.failpoints import Failpoint


class CrashSignal(StrEnum):
    """The signal that a worker gets at the failpoint."""

    KILL = "kill"
    """SIGKILL. The worker's database sessions end."""
    STOP = "stop"
    """SIGSTOP, and later SIGCONT. The worker keeps its database sessions, and so its locks."""
    STOP_DISCONNECTED = "stop_disconnected"
    """SIGSTOP; in addition, the worker's database sessions are ended. SIGCONT follows after another
    worker has taken over."""


class PartKind(StrEnum):
    """The content of the thread's first part besides its text."""

    PLAIN = "plain"
    """An image."""
    REPLY = "reply"
    """An image, in a reply to another user's post."""
    QUOTE = "quote"
    POLL = "poll"


@dataclass(frozen=True, slots=True)
class XResponse:
    """How X responds to the first request of the publishing step in which a worker crashes."""

    name: str
    when: str = ""
    fault: str = ""
    """The kind of fault to inject into the emulator; empty for a normal response."""


OK = XResponse("ok")
#: A person has already posted the first part's text on the account, so X refuses the create as a
#: duplicate.
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
#: The emulator's operations in each step of publishing, by the name of the step. The name is the
#: first word in the names of the failpoints before and after the step.
OPERATIONS = {
    "upload": ("media_initialize", "media_append", "media_finalize", "media_metadata"),
    "create": ("create_post",),
    "read": ("read_timeline",),
    "refresh": ("refresh",),
    "post": ("create_post",),
}


@dataclass(frozen=True, slots=True)
class CrashCase:
    """One crash to test.

    The worker gets the signal at the failpoint. `kind` is the content of the thread's first part.
    """

    number: int
    failpoint: Failpoint
    signal: CrashSignal
    response: XResponse
    kind: PartKind = PartKind.PLAIN

    @property
    def name(self) -> str:
        """The name of the case in reports."""
        kind = "" if self.kind is PartKind.PLAIN else f"/{self.kind.value}"
        return f"{self.failpoint.value}/{self.signal.value}/{self.response.name}{kind}"

    @property
    def step(self) -> str:
        """The step of publishing that the failpoint belongs to: the first word of its name."""
        return self.failpoint.value.partition(".")[0]

    @property
    def is_possible(self) -> bool:
        """Whether the case can occur.

        Some cases are impossible: X can refuse only a create as a duplicate, and no worker reaches
        the failpoints after a refresh whose response is lost.
        """
        if self.response is DUPLICATE:
            return self.operation == "create_post"
        is_after_refresh = self.failpoint.value.startswith("refresh.after_")
        return not (is_after_refresh and self.response.when == "after")

    @property
    def is_about_final_state(self) -> bool:
        """Whether the failpoint is before or after the commit of a post's final state."""
        return self.step == "post"

    @property
    def operation(self) -> str:
        """The emulator's operation that responds with `response`.

        An upload has several operations. The cases of uploads use them in turn.
        """
        operations = OPERATIONS.get(self.step, ("create_post",))
        return operations[self.number % len(operations)]


#: X's responses in the cases of replies, quotes and polls. These cases have only the failpoints of
#: creates and reads, because such parts differ only in how Roost finds them on a timeline.
KIND_RESPONSES = ("ok", "lost", "not_sent", "503_after")


def all_cases() -> Iterator[CrashCase]:
    """List all cases in which the first part is plain, and some cases of the other kinds.

    The cases of the other kinds have only some failpoints and responses (see `KIND_RESPONSES`).
    """
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
    """List a case for each failpoint, with one signal and normal responses of X."""
    return [CrashCase(number, failpoint, signal, OK) for number, failpoint in enumerate(Failpoint)]


def kind_cases() -> list[CrashCase]:
    """List a case for each kind of part that is not plain.

    In each case, the worker is killed when X has responded, before the response is committed.
    """
    others = [kind for kind in PartKind if kind is not PartKind.PLAIN]
    return [
        CrashCase(len(Failpoint) + number, Failpoint.CREATE_AFTER_SEND, CrashSignal.KILL, OK, kind)
        for number, kind in enumerate(others)
    ]
