"""Checks that drafts have no invisible characters, such as control and direction marks."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from roost.agents.validators.candidate import Candidate, Context
from roost.text import lint_text

_CODES: Final = frozenset(
    {"lone_surrogate", "forbidden_character", "bidi_override", "control_character", "zero_width"}
)
#: Direction marks. `lint_text` permits them, because people type them in Arabic and Hebrew.
_MARKS: Final = frozenset("\u200e\u200f\u061c")
_RIGHT_TO_LEFT: Final = frozenset({"ar", "fa", "he", "ur"})
#: Finds a zero-width joiner or non-joiner after a letter of a script that needs none, such as
#: Japanese, Chinese, Korean or Thai. `lint_text` permits joiners in all scripts outside Europe.
_joiner_without_use = re.compile(
    "[\u0e00-\u0eff\u1100-\u11ff\u2e80-\u2fff\u3000-\ud7ff\uf900-\ufaff\uff00-\uffef"
    "\U00020000-\U0003ffff][\u200c\u200d]"
).search


def check_characters(candidate: Candidate, context: Context) -> Iterator[str]:
    """Find characters that readers cannot see."""
    for part in candidate.parts:
        # The text is checked without normalization, because NFC and NFKC keep these characters.
        codes = {finding.code for finding in lint_text(part)} & _CODES
        if context.language not in _RIGHT_TO_LEFT and _MARKS & set(part):
            codes.add("direction_mark")
        if _joiner_without_use(part):
            codes.add("zero_width")
        for character in set(part):
            category = unicodedata.category(character)
            if category in ("Co", "Cn") or character in "\u2028\u2029":
                codes.add("control_character")
        for code in sorted(codes):
            yield f"E-INVISIBLE: {code}"
