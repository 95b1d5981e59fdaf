"""Saves the state to a file when the emulator stops, and loads it at the next start.

After the state is loaded, the clock shows the time that it would show if the emulator had not
stopped. Unfinished uploads are not loaded. The file is a pickle. The unpickler accepts only the
emulator's own classes and a few standard types, so that a manipulated file cannot run code. Only
the version of the emulator that wrote a file can load the file.
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

#: Attributes of the world that are not pickled, because they belong to the process or are saved
#: in another form.
_NOT_PICKLED = frozenset({"clock", "_spool", "validations", "scenario", "initial_faults"})
_UNFINISHED = ("uploading", "pending", "in_progress")
_ALLOWED_CLASSES = frozenset(
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


class InvalidStateFile(ValueError):
    """The file is damaged, or is not a state file of this version of the emulator."""


def save(world: World, path: Path) -> None:
    """Write the world to a file; an existing file is kept until the new file is complete.

    Raises: OSError.
    """
    attributes = {name: value for name, value in vars(world).items() if name not in _NOT_PICKLED}
    attributes["scenario"] = world.scenario.name
    attributes["clock"] = world.clock.dump()
    header = json.dumps({"x_emulator": _schema_hash(), "scenario": world.scenario.name})
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=path.name, delete=False) as file:
        file.write(header.encode() + b"\n")
        pickle.dump(attributes, file)
    Path(file.name).replace(path)


def load(world: World, path: Path) -> None:
    """Load a saved state, with its scenario and seed, into a new world.

    Raises: InvalidStateFile, OSError.
    """
    with path.open("rb") as file:
        header = file.readline(1000)
        if _schema_hash().encode() not in header:
            raise InvalidStateFile(f"{path} is not a state file of this version of the emulator.")
        try:
            attributes: dict[str, Any] = _Unpickler(file).load()
        except Exception as error:  # A damaged pickle can raise almost any exception.
            raise InvalidStateFile(f"{path} is damaged: {error}") from error
    wall, emulated, rate = attributes.pop("clock")
    world.scenario = SCENARIOS[attributes.pop("scenario")]
    vars(world).update(attributes)
    world.media = {n: each for n, each in world.media.items() if each.state not in _UNFINISHED}
    world.clock.load(wall, emulated, rate)


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)

    def find_class(self, module: str, name: str) -> Any:
        own = {each.__name__: each for each in (fault_specs, state, switches)}.get(module)
        if own is not None and inspect.isclass(getattr(own, name, None)):
            return getattr(own, name)
        if (module, name) in _ALLOWED_CLASSES:
            return super().find_class(module, name)
        raise InvalidStateFile(f"the file contains {module}.{name}")


def _schema_hash() -> str:
    """Return a hash of the names and types of the state's fields, to detect another version."""
    shape = [f"{World.__name__}.{name}" for name in inspect.signature(World).parameters]
    for name, kind in sorted(inspect.getmembers(state, inspect.isclass)):
        if dataclasses.is_dataclass(kind):
            shape += [f"{name}.{each.name}:{each.type}" for each in dataclasses.fields(kind)]
    return hashlib.blake2b("\n".join(shape).encode(), digest_size=8).hexdigest()
