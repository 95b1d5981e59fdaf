"""Whether a draft says what its brief says and nothing else; every rule at once.

Whoever drafted it, a composer or a model, is not trusted: link, tags and numbers have to be the
brief's own, and no word may come from elsewhere (an example post, or a validator's complaint).
"""

import re
from collections.abc import Iterator
from string import Formatter
from typing import Final

from roost.agents.brief import Brief, Draft
from roost.agents.languages import find_language
from roost.agents.quantities import quantities
from roost.agents.words import folded, is_made_of, occurs, words
from roost.models import Violation
from roost.text import Entities, entities, weigh

#: A draft weighs less than this, so that an editor has room.
DRAFT_LIMIT: Final = 240
_SCOPE: Final = 3
_NEGATIONS: Final = frozenset(
    "not no never none nothing nobody without cannot neither nor "
    "nicht kein keine keinen keinem keiner keines nie niemals ohne "
    "nunca jamás sin ningún ninguna tampoco "
    "pas jamais sans aucun aucune non".split()
)  # fmt: skip
_clauses = re.compile(r"[^\w\s'’\-]+").split


def validate(draft: Draft, brief: Brief) -> list[Violation]:
    """Every rule that a draft breaks; only the facts it cites count for it."""
    found = entities(draft.text)
    cited = brief.fact_texts(draft.fact_ids)
    return [
        *_judge_length(draft.text),
        *_judge_citation(draft, brief),
        *_judge_link(found, brief, cited),
        *_judge_tags(found, brief, cited),
        *_judge_mentions(found, cited),
        *_judge_quantities(_without_fixed(found, brief), cited),
        *_judge_negation(_without_fixed(found, brief), cited),
        *_judge_avoided(draft.text, brief),
        *_judge_words(_without_fixed(found, brief), brief),
    ]
