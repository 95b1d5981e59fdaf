"""Roost: publish to X exactly once, and understand what it earned.

A public name's module is loaded on first use, so `import roost.text` loads no module with I/O.
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
    "open_runtime",
    "read_settings",
]


def __getattr__(name: str) -> object:
    """Load a public name from its module (PEP 562)."""
    if name not in _MODULES:
        raise AttributeError(f"module 'roost' has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)
