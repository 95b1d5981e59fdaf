"""Checks that each part of a thread makes sense to a reader who sees only that part."""

import functools
import re
from collections.abc import Iterator

from roost.agents.terms import fold_quotes, list_terms
from roost.agents.validators.candidate import Candidate, Context

_numbering = re.compile(r"^\s*\(?\d+\s?/\s?\d*\)?[.:)]?\s*|\s*\(?\d+\s?/\s?\d+\)?\s*$")
#: Finds French and German sentences whose first pronoun refers to nothing, such as `es gibt`.
_is_impersonal = re.compile(
    r"il (?:y |n'y |faut|suffit|reste|n'est pas|est (?:possible|interdit|temps))|es (?:gibt|geht)\b"
).match
_drop_tags = functools.partial(re.compile(r"(?:\s*#\w+)+\s*$").sub, "")
_goes_on = re.compile(r"(?:[,;:：、…]|\.\.\.|👇|⬇️?|🧵|→|↓|\b(?:and|but|or|und|y|et))\s*$").search


def check_thread(candidate: Candidate, context: Context) -> Iterator[str]:
    """Find parts that need the part before or after them, and parts without a fact."""
    if context.brief.form != "thread":
        return
    lexicon = context.require_lexicon()
    for index in range(len(candidate.parts)):
        texts = [each.text for each in candidate.sentences if each.part == index]
        text = _numbering.sub("", context.claim_text(" ".join(texts)))
        folded = fold_quotes(text)
        first = list_terms(folded, lexicon)[:1] if lexicon.spaced else []
        if index and (
            (
                first
                and first[0].start <= 1
                and first[0].word in lexicon.connectives
                and not _is_impersonal(folded)
            )
            or (not lexicon.spaced and folded.startswith(tuple(lexicon.connectives)))
        ):
            yield f"E-ALONE: part {index + 1} starts with a reference"
        if index and lexicon.spaced and text[:1].islower() and not _is_own_spelling(text):
            yield f"E-ALONE: part {index + 1} starts in the middle"
        if index < len(candidate.parts) - 1 and _goes_on(_drop_tags(texts[-1] if texts else "")):
            yield f"E-ALONE: part {index + 1} breaks off"
        if not any(context.cited(each) for each in candidate.sentences if each.part == index):
            yield f"E-ALONE: part {index + 1} cites nothing"


def _is_own_spelling(text: str) -> bool:
    """Whether the first word is a name with a small first letter, such as `iPhone`."""
    return any(character.isupper() for character in text.split()[0])
