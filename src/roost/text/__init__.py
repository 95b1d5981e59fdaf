"""X's rules for the text of a post: weight, entities, threads and warnings."""

import unicodedata

from roost.text import _emoji_data, _tld_data
from roost.text.characters import find_forbidden_characters, has_text, text_or_none
from roost.text.damage import Finding, find_damage
from roost.text.entities import Entities, Entity, extract_entities
from roost.text.lint import lint_text
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
    return {
        **_tld_data.VERSIONS,
        **_emoji_data.VERSIONS,
        "unicode": unicodedata.unidata_version,
    }
