"""The world in a file: kept when the emulator ends, taken up again when it starts.

The clock goes on as if the emulator had run in between. Uploads that were under way are forgotten.
The file is a pickle, read by an unpickler that makes the emulator's own data and nothing else, and
it fits the version that wrote it only.
"""

import dataclasses
import hashlib
import inspect
import json
import pickle
import tempfile
from pathlib import Path
from typing import Any, BinaryIO

from x_emulator import state, switches
from x_emulator.faults import fault_specs
from x_emulator.scenarios.catalog import SCENARIOS
from x_emulator.state import World

#: What belongs to the process and not to the world.
_OF_THE_PROCESS = frozenset({"clock", "_spool", "judging", "scenario", "standing_faults"})
_UNDER_WAY = ("uploading", "pending", "in_progress")
_FOREIGN = frozenset(
    {
        ("builtins", "frozenset"),
        ("builtins", "set"),
        ("datetime", "datetime"),
        ("datetime", "timedelta"),
        ("datetime", "timezone"),
        ("decimal", "Decimal"),
        ("msgspec._core", "rebuild"),
    }
)


class UnfitStateFile(ValueError):
    """A state file that is none, or of another version; the message says which."""


def save(world: World, path: Path) -> None:
    """Write the world; the old file stays until the new one is whole. Raises: OSError."""
    kept = {name: value for name, value in vars(world).items() if name not in _OF_THE_PROCESS}
    kept["scenario"] = world.scenario.name
    kept["clock"] = world.clock.kept()
    head = json.dumps({"x_emulator": _stamp(), "scenario": world.scenario.name})
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=path.name, delete=False) as file:
        file.write(head.encode() + b"\n")
        pickle.dump(kept, file)
    Path(file.name).replace(path)


def load(world: World, path: Path) -> None:
    """Fill a fresh world from a file; the file's scenario and seed hold.

    Raises: UnfitStateFile, OSError.
    """
    with path.open("rb") as file:
        head = file.readline(1000)
        if _stamp().encode() not in head:
            raise UnfitStateFile(f"{path} is not a state file of this version of the emulator.")
        try:
            kept: dict[str, Any] = _Unpickler(file).load()
        except Exception as error:  # a damaged pickle raises nearly anything
            raise UnfitStateFile(f"{path} is damaged: {error}") from error
    wall, emulated, rate = kept.pop("clock")
    world.scenario = SCENARIOS[kept.pop("scenario")]
    vars(world).update(kept)
    world.media = {n: each for n, each in world.media.items() if each.state not in _UNDER_WAY}
    world.clock.resume(wall, emulated, rate)


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)

    def find_class(self, module: str, name: str) -> Any:
        own = {each.__name__: each for each in (fault_specs, state, switches)}.get(module)
        if own is not None and inspect.isclass(getattr(own, name, None)):
            return getattr(own, name)
        if (module, name) in _FOREIGN:
            return super().find_class(module, name)
        raise UnfitStateFile(f"it names {module}.{name}")


def _stamp() -> str:
    """A short word for the shape of the state: it changes when a field does."""
    shape = [f"{World.__name__}.{name}" for name in inspect.signature(World).parameters]
    for name, kind in sorted(inspect.getmembers(state, inspect.isclass)):
        if dataclasses.is_dataclass(kind):
            shape += [f"{name}.{each.name}:{each.type}" for each in dataclasses.fields(kind)]
    return hashlib.blake2b("\n".join(shape).encode(), digest_size=8).hexdigest()
