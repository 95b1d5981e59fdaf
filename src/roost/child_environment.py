"""What a process that Roost starts is told of this one's environment: a few names, never the whole.

An environment holds secrets, of Roost and of others; a child that is taken over would hand them on.
"""

import contextlib
import os
from collections.abc import Collection, Iterator
from typing import Final

#: What an interpreter needs to start, and a program to speak and draw as it does here.
_ORDINARY: Final = frozenset(
    {
        "PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "PYTHONPATH",
        "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH",
    }
)  # fmt: skip


def child_environment(*prefixes: str) -> dict[str, str]:
    """The ordinary names, and those that begin with one of the prefixes."""
    return {
        name: value
        for name, value in os.environ.items()
        if name in _ORDINARY or name.startswith(prefixes)
    }


@contextlib.contextmanager
def hidden(names: Collection[str]) -> Iterator[None]:
    """Hide these names (in any case of letters) from what a library starts within the block."""
    wanted = {name.lower() for name in names}
    taken = {name: os.environ.pop(name) for name in list(os.environ) if name.lower() in wanted}
    try:
        yield
    finally:
        os.environ.update(taken)
