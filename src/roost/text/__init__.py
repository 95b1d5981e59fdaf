"""The rules of a post's text on X: weight, entities, threads and a lint, all pure."""

from roost.text.entities import Entities, Entity, entities
from roost.text.weight import LIMIT, LONG_LIMIT, Weight, weigh

__all__ = ["LIMIT", "LONG_LIMIT", "Entities", "Entity", "Weight", "entities", "weigh"]
