"""Roost: publish to X exactly once, and measure how each post performed.

The public names are imported lazily: a name's module is imported when the name is first used.
`import roost.text` therefore imports no module that does I/O.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from roost.clock import Clock, SystemClock
    from roost.endpoint import XEndpoint
    from roost.errors import Kind, RoostError
    from roost.runtime import Runtime, open_runtime
    from roost.settings import Settings, read_settings
    from roost.twitter import TwitterTool

_MODULES = {
    "Clock": "roost.clock",
    "Runtime": "roost.runtime",
    "Kind": "roost.errors",
    "RoostError": "roost.errors",
    "Settings": "roost.settings",
    "SystemClock": "roost.clock",
    "TwitterTool": "roost.twitter",
    "XEndpoint": "roost.endpoint",
    "open_runtime": "roost.runtime",
    "read_settings": "roost.settings",
}

__all__ = [
    "Clock",
    "Kind",
    "RoostError",
    "Runtime",
    "Settings",
    "SystemClock",
    "TwitterTool",
    "XEndpoint",
    "__version__",
    "open_runtime",
    "read_settings",
]


def __getattr__(name: str) -> object:
    """Load a public name from the module that defines it (PEP 562).

    Raises: ExtraMissing if the name belongs to an extra that is not installed.
    """
    if name == "__version__":
        return import_module("importlib.metadata").version("roost")
    if name not in _MODULES:
        raise AttributeError(f"module 'roost' has no attribute {name!r}")
    if _MODULES[name] == "roost.runtime":
        import_module("roost.extras").require_extra("server", purpose=f"`roost.{name}`")
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    """List all public names, so that a shell can complete names that are not loaded yet."""
    return sorted({*globals(), *__all__})
