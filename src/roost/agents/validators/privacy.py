"""Checks that a draft has no secrets, and no personal data that is not in the brief."""

import re
from collections.abc import Iterator
from typing import Final

from roost.agents.terms import fold_quotes
from roost.agents.validators.candidate import Candidate, Context
from roost.scrub import MASK, scrub

_PATTERNS: Final = (
    ("email", re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]*\w")),
    ("phone", re.compile(r"(?<![\w.,])(?:\+|00)?\(?\d(?:[\s()./-]{0,2}\d){8,14}(?![\w])")),
    ("iban", re.compile(r"\b[a-z]{2}\d{2}(?:\s?[a-z0-9]{4}){3,7}(?:\s?[a-z0-9]{1,4})?\b")),
    ("card", re.compile(r"(?<!\d)(?:\d[ -]?){12,18}\d(?!\d)")),
    ("key", re.compile(
        r"\b(?:sk|pk|rk)[-_](?:live|test|proj|ant)?[-_]?[a-z0-9_-]{12,}\b"
        r"|\bgh[pousr]_[a-z0-9]{20,}\b|\bakia[a-z0-9]{12,}\b|\bxox[abprs]-[a-z0-9-]{10,}\b"
        r"|\b[a-z0-9]*(?:\d[a-z]|[a-z]\d)[a-z0-9]{26,}\b"
    )),
    ("ssn", re.compile(r"(?<!\d)\d{3}-\d{2}-\d{4}(?!\d)")),
)  # fmt: skip


def check_personal_data(candidate: Candidate, context: Context) -> Iterator[str]:
    """Find secrets, and e-mail addresses, phone or card numbers that are not in the brief."""
    known = re.sub(r"[\s()./-]", "", context.folded_texts)
    for sentence in candidate.sentences:
        text = fold_quotes(context.claim_text(sentence.text))
        for name, pattern in _PATTERNS:
            for match in pattern.finditer(text):
                if re.sub(r"[\s()./-]", "", match[0]) not in known:
                    yield f"E-PRIVATE: {name}"
        for line in context.claim_text(sentence.text).splitlines():
            # A secret is refused even if the brief contains it.
            if MASK in scrub(line) and MASK not in line:
                yield "E-PRIVATE: secret"
