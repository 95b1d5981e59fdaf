"""What shall go wrong, when, and a journal of everything that did.

A fault strikes before the commit (nothing happened) or after it (it happened, the client does not
learn of it). Chance is drawn from the seed. How an answer is spoiled on its way out stands in
`spoiled`.
"""

from datetime import timedelta
from typing import Any

import msgspec

from x_emulator import seeded_random
from x_emulator.faults.fault_specs import Fault, FaultKind
from x_emulator.rules.refusals import (
    Refusal,
    cap_exceeded,
    no_credits,
    plain,
    too_many,
    unauthorized,
)
from x_emulator.state import World

#: What a proxy in front of X says when X does not answer.
UPSTREAM_TEXT = "upstream connect error or disconnect/reset before headers. reset reason: overflow"


def strike(world: World, when: str, number: int) -> tuple[Fault | None, timedelta]:
    """What hits this request now, if anything, and how far behind its read lags.

    Each fault draws once for each request that it could hit, whatever others do, so that the seed
    repeats its schedule. The first one that hits is used up and written down (of a script it is
    the step that is due); of the lags, which hit beside it, the longest holds.
    """
    entry = world.requests[number]
    struck: Fault | None = None
    lag = timedelta(0)
    for position, fault in enumerate(world.faults):
        if fault.when != when or fault.operation not in ("*", entry.operation):
            continue
        if fault.times == 0:
            continue
        fault.tried += 1
        if (
            seeded_random.uniforms(world.seed, "fault", position, fault.tried)[0]
            > fault.probability
        ):
            continue
        if struck is not None and fault.kind != "stale":
            continue
        kind = fault.kind if fault.script is None else _next_step(fault)
        if kind is None:
            continue
        if fault.times is not None and fault.script is None:
            fault.times -= 1
        due = msgspec.structs.replace(fault, kind=kind, script=None)
        if kind == "stale":
            due.seconds *= seeded_random.uniforms(world.seed, "lag", position, fault.tried)[0]
            lag = max(lag, timedelta(seconds=due.seconds))
        else:
            struck = due
        world.journal.append(_written(world, due, number))
    return struck, lag


def injected(world: World, kind: str, client_id: str | None) -> Refusal | None:
    """The refusal of a kind of fault that answers; None: it is of another kind."""
    match kind:
        case "500":
            return plain(500, "Internal Server Error")
        case "503":
            return plain(503, "Service Unavailable")
        case "504":
            return plain(504, "Gateway Timeout")
        case "502text":
            return Refusal(502, None)
        case "429" | "429day":
            return too_many()
        case "429cap":
            return cap_exceeded(world.switches, _account_of(world, client_id))
        case "401":
            return unauthorized()
        case "402":
            return no_credits(world.switches, _account_of(world, client_id))
    return None


def _next_step(fault: Fault) -> FaultKind | None:
    """What a script has for this request; when it is through, the fault is spent."""
    steps = fault.script or []
    if not steps:
        return None
    step, fault.script = steps[0], steps[1:]
    if not fault.script:
        fault.times = 0
    return None if step == "ok" else step


def _account_of(world: World, client_id: str | None) -> str:
    app = world.apps.get(client_id or "")
    return app.account_id if app else "0"


def _written(world: World, fault: Fault, number: int) -> dict[str, Any]:
    entry = world.requests[number]
    written = {
        "at": world.now().isoformat(),
        "operation": entry.operation,
        "when": fault.when,
        "kind": fault.kind,
        "app": entry.client_id,
        "user": entry.user_id,
        "request": number,
    }
    return written | ({"seconds": fault.seconds} if fault.seconds else {})
