"""What shall go wrong, when, and a journal of everything that did.

A fault strikes before the commit (nothing happened) or after it (it happened, the client does not
learn of it). Chance is drawn from the seed. How an answer is spoiled on its way out stands in
`spoiled`.
"""

from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec

from x_emulator import luck
from x_emulator.refusals import Refusal, cap_exceeded, plain, too_many, unauthorized
from x_emulator.state import Fault, FaultKind, RequestEntry, World

#: What a proxy in front of X says when X does not answer.
UPSTREAM_TEXT = "upstream connect error or disconnect/reset before headers. reset reason: overflow"


class _FaultFile(msgspec.Struct, forbid_unknown_fields=True):
    faults: list[Fault]


class BadFaultFile(ValueError):
    """A file of faults that cannot be understood; the message says why."""


def read_file(path: Path) -> list[Fault]:
    """The faults that a YAML file lists under `faults`, as `POST /_emulator/faults` takes them.

    Raises: BadFaultFile, OSError.
    """
    try:
        return msgspec.yaml.decode(path.read_bytes(), type=_FaultFile).faults
    except msgspec.DecodeError as error:
        raise BadFaultFile(f"{path} is not a list of faults: {error}") from error


def strike(world: World, when: str, entry: RequestEntry) -> Fault | None:
    """The fault that hits this request now, if any; it is used up and written down.

    Of a script it is the step that is due.
    """
    for number, fault in enumerate(world.faults):
        if fault.when != when or fault.operation not in ("*", entry.operation):
            continue
        if fault.times == 0:
            continue
        fault.tried += 1
        if luck.uniforms(world.seed, "fault", number, fault.tried)[0] > fault.probability:
            continue
        kind = fault.kind if fault.script is None else _next_step(fault)
        if kind is None:
            continue
        if fault.times is not None and fault.script is None:
            fault.times -= 1
        due = msgspec.structs.replace(fault, kind=kind, script=None)
        if kind == "stale":
            due.seconds *= luck.uniforms(world.seed, "lag", number, fault.tried)[0]
        world.journal.append(_written(world, due, entry))
        return due
    return None


def lag_of(fault: Fault | None) -> timedelta:
    """How far behind a read lags."""
    return timedelta(seconds=fault.seconds if fault and fault.kind == "stale" else 0)


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
            app = world.apps.get(client_id or "")
            return cap_exceeded(world.switches, app.account_id if app else "0")
        case "401":
            return unauthorized()
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


def _written(world: World, fault: Fault, entry: RequestEntry) -> dict[str, Any]:
    written = {
        "at": world.now().isoformat(),
        "operation": entry.operation,
        "when": fault.when,
        "kind": fault.kind,
        "app": entry.client_id,
        "user": entry.user_id,
        "request": len(world.requests) - 1,
    }
    return written | ({"seconds": fault.seconds} if fault.seconds else {})
