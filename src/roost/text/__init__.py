"""The rules of a post's text on X: weight, entities, threads and a lint, all pure."""

import unicodedata

from roost.text import _emoji_data, _tld_data
from roost.text.blank import has_text, text_or_none
from roost.text.damage import find_damage
from roost.text.entities import Entities, Entity, entities
from roost.text.finding import Finding
from roost.text.lint import lint
from roost.text.threads import Thread, ThreadImpossible, split_thread
from roost.text.weight import LIMIT, LONG_LIMIT, Weight, counted_length, text_limit, weigh

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
    "entities",
    "find_damage",
    "has_text",
    "lint",
    "split_thread",
    "text_limit",
    "text_or_none",
    "weigh",
]


def data_versions() -> dict[str, str]:
    """The versions of the data that the rules rest on, by the name of their source."""
    return {
        **_tld_data.VERSIONS,
        **_emoji_data.VERSIONS,
        "unicode": unicodedata.unidata_version,
    }
