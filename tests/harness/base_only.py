"""Hides the packages of all extras, then runs a `roost` command line or a script.

    python base_only.py roost ARGUMENTS
    python base_only.py script CODE

Roost without extras is called the base. A module is hidden if the base does not require its
distribution.
"""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.metadata import packages_distributions
from types import ModuleType

from packaging.utils import canonicalize_name

from harness.installed import close, list_requirements


def list_hidden() -> set[str]:
    """List the top-level modules of distributions that the base of Roost does not require."""
    base = close(list_requirements()) | {"roost", "pip", "setuptools"}
    return {
        module
        for module, names in packages_distributions().items()
        if base.isdisjoint(map(canonicalize_name, names))
    }


class _Hider(MetaPathFinder):
    def __init__(self, hidden: set[str]) -> None:
        self._hidden = hidden

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] in self._hidden:
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)
        return None


def main() -> None:
    """Hide the modules, unload those that are already loaded, and run `roost` or the script."""
    hidden = list_hidden()
    for name in [name for name in sys.modules if name.partition(".")[0] in hidden]:
        del sys.modules[name]
    sys.meta_path.insert(0, _Hider(hidden))
    kind, *arguments = sys.argv[1:]
    if kind == "script":
        exec(compile(arguments[0], "script", "exec"), {"__name__": "__main__"})
        return
    from roost.cli import main as run

    sys.argv = ["roost", *arguments]
    run()


if __name__ == "__main__":
    main()
