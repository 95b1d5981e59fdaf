"""Assembles the parts of a draft: adds the link, the hashtags and the disclaimer.

A model writes the slots `{link}` and `{tags}`, and this module replaces them. The model never
learns the link, so it cannot misspell the link.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

from roost.agents.brief import Brief
from roost.agents.languages import select_language
from roost.agents.replies import ParsedDraft, WrittenSentence
from roost.agents.validators.candidate import Candidate, find_entities
from roost.agents.written import CitedSentence

LINK_SLOT: Final = "{link}"
TAGS_SLOT: Final = "{tags}"
_slot = re.compile(r"\{\s*(link|tags)\s*\}", re.IGNORECASE)
_spaces = re.compile(r"[^\S\n]+")
_lines = re.compile(r" ?\n ?")


def assemble(draft: ParsedDraft, brief: Brief) -> Candidate:
    """Fill in the slots of a draft, and return the draft as it would be published.

    The result also lists each sentence, with its slots filled in and with the facts that it cites.
    """
    written = [
        [_tidy(sentence) for sentence in part if sentence.text.strip()] for part in draft.parts
    ]
    everything = "\n".join(sentence.text for part in written for sentence in part)
    values = {
        LINK_SLOT: brief.link or LINK_SLOT,
        TAGS_SLOT: " ".join(f"#{tag}" for tag in _missing_tags(everything, brief)),
    }
    has_link = LINK_SLOT in everything or (brief.link is not None and brief.link in everything)
    parts, sentences = [], []
    for index, part in enumerate(written):
        texts = [_fill(sentence.text, values) for sentence in part]
        is_last = index == len(written) - 1
        tail = []
        if brief.compliance.disclaimer and index == 0:
            tail.append(brief.compliance.disclaimer)
        if is_last and brief.link and brief.link_rule == "required" and not has_link:
            tail.append(brief.link)
        if is_last and TAGS_SLOT not in everything and values[TAGS_SLOT]:
            tail.append(values[TAGS_SLOT])
        body = join_sentences(texts, brief)
        parts.append("\n\n".join(filter(None, [body, "\n".join(tail)])))
        sentences += [
            CitedSentence(index, text.strip(), sentence.fact_ids)
            for text, sentence in zip(texts, part, strict=True)
            if text.strip()
        ]
    return Candidate(tuple(parts), tuple(sentences))


def join_sentences(texts: Sequence[str], brief: Brief) -> str:
    """Join sentences with the separator of the brief's language, usually a space.

    Where a sentence begins or ends with a line break, no separator is added.
    """
    separator = select_language(brief.language).separator
    body = ""
    for text in texts:
        needs_space = body and not body.endswith("\n") and not text.startswith("\n")
        body += (separator if needs_space else "") + text
    return re.sub(r"\n{3,}", "\n\n", body).strip()


def _tidy(sentence: WrittenSentence) -> WrittenSentence:
    text = unicodedata.normalize("NFC", sentence.text).replace("\r\n", "\n")
    text = _lines.sub("\n", _spaces.sub(_keep_space, text)).strip(" ")
    text = _slot.sub(lambda match: f"{{{match[1].lower()}}}", text)
    return WrittenSentence(text, sentence.fact_ids)


def _keep_space(match: re.Match[str]) -> str:
    """Return one space in place of several, but keep a single no-break or ideographic space.

    In French, for example, a no-break space stands before a colon.
    """
    return match[0] if match[0] in ("\u00a0", "\u202f", "\u3000") else " "


def _fill(text: str, values: dict[str, str]) -> str:
    for slot, value in values.items():
        text = text.replace(slot, value)
    return text.strip(" ")


def _missing_tags(text: str, brief: Brief) -> list[str]:
    """Return the brief's `tags` that the text does not contain yet."""
    written = {hashtag.value for hashtag in find_entities(text).hashtags}
    return [tag for tag in brief.tags if tag not in written]
