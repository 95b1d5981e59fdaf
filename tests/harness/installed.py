"""Measures the disk space of an installation, from the records of its distributions.

An installer lists every file that it writes, including compiled files, in the RECORD of the
distribution. The space of an extra is the sum over the distributions that the extra requires. Like
`du`, the sum counts blocks of the file system, including the blocks of folders.
`measure_unlisted_mib` returns the space of files in `site-packages` that no RECORD lists. If this
space is near zero, the sum is the space of a new environment.
"""

import compileall
import functools
import os
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import distribution, distributions
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

_ROOT = Path(__file__).parents[2]
_BLOCK_BYTES = 512
_MIB = 1 << 20
#: `python -m venv` installs these into every environment; `setuptools` only before Python 3.12.
_ALWAYS = ("pip", "setuptools")


@functools.cache
def read_project() -> dict[str, Any]:
    """Return the table `project` of pyproject.toml."""
    project: dict[str, Any] = tomllib.loads((_ROOT / "pyproject.toml").read_text("utf-8"))[
        "project"
    ]
    return project


def list_requirements(*extras: str) -> Iterator[Requirement]:
    """Yield the direct requirements of Roost and of the given extras.

    If an extra requires other extras of Roost, their requirements are included.
    """
    project = read_project()
    for line in project["dependencies"]:
        yield Requirement(line)
    for extra in extras:
        yield from list_extra(extra)


def list_extra(extra: str) -> Iterator[Requirement]:
    """Yield the requirements of an extra, and of the other extras that it requires."""
    project = read_project()
    for line in project["optional-dependencies"][extra]:
        requirement = Requirement(line)
        if requirement.name != project["name"]:
            yield requirement
            continue
        for other in sorted(requirement.extras):
            yield from list_extra(other)


def close(requirements: Iterable[Requirement]) -> set[str]:
    """Return the names of all distributions that requirements need, also indirectly."""
    waiting, seen, names = list(requirements), set[str](), set[str]()
    while waiting:
        wanted = waiting.pop()
        if str(wanted) in seen:
            continue
        seen.add(str(wanted))
        names.add(canonicalize_name(wanted.name))
        for line in distribution(wanted.name).requires or ():
            needed = Requirement(line)
            marker = needed.marker
            extras = wanted.extras or {""}
            if marker is None or any(marker.evaluate({"extra": each}) for each in extras):
                waiting.append(needed)
    return names


def measure_mib(*extras: str) -> float:
    """Return the MiB of an environment with Roost and these extras, without Python itself."""
    present = {canonicalize_name(each.metadata["Name"]) for each in distributions()}
    names = close(list_requirements(*extras)) | (present & set(_ALWAYS))
    files = {path for name in names for path in _list_files(name)}
    # pip compiles the files that it installs, so the sources here are compiled as well.
    compileall.compile_dir(_ROOT / "src", quiet=1)
    files |= {path for path in (_ROOT / "src").rglob("*") if path.is_file()}
    folders = {
        parent
        for path in files
        for parent in path.parents
        if "site-packages" in parent.parts or parent.is_relative_to(_ROOT / "src")
    }
    return sum(map(_allocated_bytes, files | folders)) / _MIB


def measure_unlisted_mib() -> float:
    """Return the MiB of files in `site-packages` that no distribution lists."""
    listed = {path for each in distributions() for path in _list_files(each.metadata["Name"])}
    folders = {path.parent for path in listed if path.parent.name == "site-packages"}
    present = {Path(os.path.realpath(each)) for one in folders for each in one.rglob("*")}
    return sum(_allocated_bytes(each) for each in present - listed if each.is_file()) / _MIB


def _list_files(name: str) -> Iterator[Path]:
    for file in distribution(name).files or ():
        path = Path(os.path.realpath(str(file.locate())))
        if path.is_file():
            yield path


def _allocated_bytes(path: Path) -> int:
    return path.lstat().st_blocks * _BLOCK_BYTES
