"""Selects the fault that applies to a request, and logs every fault that was applied.

A fault applies before or after the emulator carries out the request. A fault that applies before
usually prevents the request from having an effect. If a fault applies after, the request has had
its effect, but the client does not get the usual response.

A fault applies with a given probability, and the seed determines the random numbers for this.
The module `fault_responses` corrupts responses.
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
    problem,
    too_many_requests,
    unauthorized,
)
from x_emulator.state import World

#: The response body of a proxy in front of X if X does not respond.
UPSTREAM_TEXT = "upstream connect error or disconnect/reset before headers. reset reason: overflow"


def draw_fault(world: World, when: str, number: int) -> tuple[Fault | None, timedelta]:
    """Select the fault that applies to the request `world.requests[number]`.

    Returns the fault, if any, and the lag of a read. `when` is `before` or `after`.

    The first matching fault whose random draw succeeds applies. Its remaining `times` decrease by
    one, or the next step of its script is consumed, and the fault is logged. Faults of the kind
    `stale` apply in addition; the lag is the longest of their lags. A number is drawn for every
    matching fault, even if another fault already applies, so that a seed always gives the same
    faults.
    """
    entry = world.requests[number]
    applied: Fault | None = None
    lag = timedelta(0)
    for position, fault in enumerate(world.faults):
        if fault.when != when or fault.operation not in ("*", entry.operation):
            continue
        if fault.times == 0:
            continue
        fault.draws += 1
        drawn = seeded_random.uniforms(world.seed, "fault", position, fault.draws)[0]
        if drawn > fault.probability:
            continue
        if applied is not None and fault.kind != "stale":
            continue
        kind = fault.kind if fault.script is None else _next_step(fault)
        if kind is None:
            continue
        if fault.times is not None and fault.script is None:
            fault.times -= 1
        due = msgspec.structs.replace(fault, kind=kind, script=None)
        if kind == "stale":
            due.seconds *= seeded_random.uniforms(world.seed, "lag", position, fault.draws)[0]
            lag = max(lag, timedelta(seconds=due.seconds))
        else:
            applied = due
        world.fault_log.append(_log_entry(world, due, number))
    return applied, lag


def refusal_for(world: World, kind: str, client_id: str | None) -> Refusal | None:
    """Return the refusal that a kind of fault sends; None if the kind sends no refusal."""
    match kind:
        case "500":
            return problem(500, "Internal Server Error")
        case "503":
            return problem(503, "Service Unavailable")
        case "504":
            return problem(504, "Gateway Timeout")
        case "502text":
            return Refusal(502, None)
        case "429" | "429day":
            return too_many_requests()
        case "429cap":
            return cap_exceeded(world.switches, _account_id(world, client_id))
        case "401":
            return unauthorized()
        case "402":
            return no_credits(world.switches, _account_id(world, client_id))
    return None


def _next_step(fault: Fault) -> FaultKind | None:
    """Remove and return the next step of the fault's script.

    Returns None if the step is `ok`, which means no fault, or if no step is left.
    """
    steps = fault.script or []
    if not steps:
        return None
    step, fault.script = steps[0], steps[1:]
    if not fault.script:
        fault.times = 0
    return None if step == "ok" else step


def _account_id(world: World, client_id: str | None) -> str:
    app = world.apps.get(client_id or "")
    return app.account_id if app else "0"


def _log_entry(world: World, fault: Fault, number: int) -> dict[str, Any]:
    request = world.requests[number]
    entry = {
        "at": world.now().isoformat(),
        "operation": request.operation,
        "when": fault.when,
        "kind": fault.kind,
        "app": request.client_id,
        "user": request.user_id,
        "request": number,
    }
    return entry | ({"seconds": fault.seconds} if fault.seconds else {})
