"""What shall go wrong, when, and a journal of everything that did.

A fault strikes before the commit (nothing happened) or after it (it happened, the client does not
learn of it). Chance is drawn from the seed.
"""

from typing import Any

from x_emulator import luck
from x_emulator.refusals import Refusal, plain, too_many, unauthorized
from x_emulator.state import Fault, RequestEntry, World

#: What a proxy in front of X says when X does not answer.
UPSTREAM_TEXT = "upstream connect error or disconnect/reset before headers. reset reason: overflow"


def strike(world: World, when: str, entry: RequestEntry) -> Fault | None:
    """The fault that hits this request now, if any; it is used up and written down."""
    for number, fault in enumerate(world.faults):
        if fault.when != when or fault.operation not in ("*", entry.operation):
            continue
        if fault.times == 0:
            continue
        fault.tried += 1
        if luck.uniforms(world.seed, "fault", number, fault.tried)[0] > fault.probability:
            continue
        if fault.times is not None:
            fault.times -= 1
        world.journal.append(_written(world, fault, entry))
        return fault
    return None


def injected(kind: str) -> Refusal:
    """The refusal of a kind of fault that answers."""
    return {
        "500": plain(500, "Internal Server Error"),
        "503": plain(503, "Service Unavailable"),
        "502text": Refusal(502, None),
        "429": too_many(),
        "401": unauthorized(),
    }[kind]


def _written(world: World, fault: Fault, entry: RequestEntry) -> dict[str, Any]:
    return {
        "at": world.now().isoformat(),
        "operation": entry.operation,
        "when": fault.when,
        "kind": fault.kind,
        "app": entry.client_id,
        "user": entry.user_id,
        "request": len(world.requests) - 1,
    }
