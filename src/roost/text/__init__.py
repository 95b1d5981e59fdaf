"""X's rules for the text of a post: weight, entities, threads and warnings.

The module of a public name is loaded when the name is first used, because tables and patterns take
time to load, and most programs need few of the rules.
"""

import unicodedata
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from roost.text.characters import find_forbidden_characters, has_text, text_or_none
    from roost.text.damage import Finding, find_damage
    from roost.text.entities import Entities, Entity, extract_entities
    from roost.text.lint import lint_text
    from roost.text.threads import Thread, ThreadImpossible, split_thread
    from roost.text.weight import LIMIT, LONG_LIMIT, Weight, counted_length, text_limit, weigh

_MODULES = {
    "LIMIT": "weight",
    "LONG_LIMIT": "weight",
    "Entities": "entities",
    "Entity": "entities",
    "Finding": "damage",
    "Thread": "threads",
    "ThreadImpossible": "threads",
    "Weight": "weight",
    "counted_length": "weight",
    "extract_entities": "entities",
    "find_damage": "damage",
    "find_forbidden_characters": "characters",
    "has_text": "characters",
    "lint_text": "lint",
    "split_thread": "threads",
    "text_limit": "weight",
    "text_or_none": "characters",
    "weigh": "weight",
}

__all__ = [
    "LIMIT",
    "LONG_LIMIT",
    "Entities",
    "Entity",
    "Finding",
    "Thread",
    "ThreadImpossible",
    "Weight",
    "counted_length",
    "data_versions",
    "extract_entities",
    "find_damage",
    "find_forbidden_characters",
    "has_text",
    "lint_text",
    "split_thread",
    "text_limit",
    "text_or_none",
    "weigh",
]


def data_versions() -> dict[str, str]:
    """Return the version of each data source that the rules use, by the source's name."""
    from roost.text import _emoji_data, _tld_data

    return {
        **_tld_data.VERSIONS,
        **_emoji_data.VERSIONS,
        "unicode": unicodedata.unidata_version,
    }


def __getattr__(name: str) -> object:
    """Load a public name from the module that defines it (PEP 562)."""
    if name not in _MODULES:
        raise AttributeError(f"module 'roost.text' has no attribute {name!r}")
    return getattr(import_module(f"roost.text.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    """List all public names, so that a Python shell also completes names not yet loaded."""
    return sorted({*globals(), *__all__})
