"""Writes `requirements.txt` and `requirements-dev.txt`: pinned packages with hashes.

    python tools/make_requirements.py [INDEX_URL]

Run this script after a change of `constraints.txt` or of the dependencies, in an environment with
the development dependencies. INDEX_URL is a package index with the JSON form of the simple API.
Without INDEX_URL, `requirements-dev.txt` must already contain the hashes of every pinned version.
The files contain names, versions and SHA-256 hashes of wheels for the supported versions of Python,
and no addresses.
"""

import json
import re
import sys
import tomllib
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

_ROOT = Path(__file__).parents[1]
_PYTHONS = {"cp311", "cp312", "cp313", "cp314", "py3", "py2.py3"}
_JSON = "application/vnd.pypi.simple.v1+json"
#: The packages that install the project in place. They are pinned too, so that a build downloads
#: nothing by itself.
_BUILD = ("pip", "hatchling", "editables")


def read_pins() -> dict[str, str]:
    """Return the pinned version of each package, by its normalized name."""
    lines = (_ROOT / "constraints.txt").read_text().split()
    return {
        canonicalize_name(name): version for name, _, version in (x.partition("==") for x in lines)
    }


def list_extra(project: Mapping[str, Any], extra: str) -> Iterator[str]:
    """Yield the requirements of an extra, and of the other extras that it requires."""
    for each in project["optional-dependencies"][extra]:
        requirement = Requirement(each)
        if requirement.name != project["name"]:
            yield each
        for other in requirement.extras if requirement.name == project["name"] else ():
            yield from list_extra(project, other)


def close(names: Iterable[str]) -> set[str]:
    """Return the names of requirements, and of all packages that these need on this machine."""
    found: set[str] = set()
    waiting = [Requirement(name) for name in names]
    seen: set[str] = set()
    while waiting:
        wanted = waiting.pop()
        if str(wanted) in seen:
            continue
        seen.add(str(wanted))
        found.add(canonicalize_name(wanted.name))
        try:
            needs = [Requirement(each) for each in requires(wanted.name) or ()]
        except PackageNotFoundError:
            sys.exit(f"{wanted.name} is not installed here; install every dependency first.")
        extras = wanted.extras or {""}
        waiting += [
            each
            for each in needs
            if each.marker is None or any(each.marker.evaluate({"extra": x}) for x in extras)
        ]
    return found


def read_hashes(index: str, name: str, version: str) -> list[str]:
    """Return the SHA-256 of each wheel of a release that a supported Python can install."""
    request = urllib.request.Request(f"{index.rstrip('/')}/{name}/", headers={"Accept": _JSON})
    with urllib.request.urlopen(request, timeout=60) as answer:
        files = json.load(answer)["files"]
    found = []
    for file in files:
        if not file["filename"].endswith(".whl") or f"-{version}-" not in file["filename"]:
            continue
        if re.search(r"-(?:win|ios|android|pyodide|wasm)", file["filename"]):
            continue
        _, _, _, tags = parse_wheel_filename(file["filename"])
        usable = {tag.interpreter for tag in tags} & _PYTHONS or {tag.abi for tag in tags} & {
            "abi3"
        }
        if usable and not file.get("yanked"):
            found.append(file["hashes"]["sha256"])
    if not found:
        sys.exit(f"{name} {version} has no wheel for a supported Python.")
    return sorted(set(found))


def read_known_hashes(name: str, version: str) -> list[str]:
    """Return the hashes that `requirements-dev.txt` has for a release."""
    content = (_ROOT / "requirements-dev.txt").read_text()
    entry = re.search(rf"^{re.escape(name)}=={re.escape(version)} (?:.*\\\n)+.*", content, re.M)
    if entry is None:
        sys.exit(f"{name} {version} is not in requirements-dev.txt; pass an INDEX_URL.")
    return re.findall(r"sha256:([0-9a-f]{64})", entry[0])


def write(
    path: Path,
    names: Iterable[str],
    pins: dict[str, str],
    find_hashes: Callable[[str, str], list[str]],
) -> None:
    """Write a requirements file, which has each name with its version and hashes."""
    ordered = sorted(names)
    if missing := [name for name in ordered if name not in pins]:
        sys.exit(f"Not pinned in constraints.txt: {', '.join(missing)}.")
    with ThreadPoolExecutor(8) as pool:
        hashes = list(pool.map(lambda name: find_hashes(name, pins[name]), ordered))
    lines = ["# Made by tools/make_requirements.py from constraints.txt; do not edit."]
    for name, known in zip(ordered, hashes, strict=True):
        lines.append(f"{name}=={pins[name]} \\")
        lines.append(" \\\n".join(f"    --hash=sha256:{each}" for each in known))
    path.write_text("\n".join(lines) + "\n")


def main() -> None:
    """Write both requirements files."""
    index = sys.argv[1] if len(sys.argv) > 1 else None
    project = tomllib.loads((_ROOT / "pyproject.toml").read_text())
    pins = read_pins()
    everything = list_extra(project["project"], "all")
    runtime = close([*project["project"]["dependencies"], *everything, *_BUILD])
    development = close(project["dependency-groups"]["dev"])
    find_hashes = partial(read_hashes, index) if index else read_known_hashes
    write(_ROOT / "requirements.txt", runtime, pins, find_hashes)
    write(_ROOT / "requirements-dev.txt", runtime | development, pins, find_hashes)


if __name__ == "__main__":
    main()
