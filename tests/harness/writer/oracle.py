"""Judges what the writer releases, written without reading the writer's validators."""

import re
from collections.abc import Sequence
from decimal import Decimal

from harness.writer.cases import measure_likeness
from harness.writer.planted import ALIKE, COPIED_WORDS, has_copied
from harness.writer.x_text import (
    count_weight,
    find_cashtags,
    find_hidden_characters,
    find_mentions,
    find_tags,
    find_urls,
    to_plain,
    to_visible,
)
from roost.agents.brief import Brief
from roost.agents.model import ModelPrice
from roost.agents.written import ModelCall, WrittenDraft

X_LIMIT = 280
_MONEY = re.compile(r"([£€$])\s?(\d[\d.,]*\d|\d)|(\d[\d.,]*\d|\d)\s?(€|円|ドル|Cent\b|Euro\b|£)")
_HASH = re.compile(r"[0-9a-f]{64}")


def find_violations(parts: Sequence[str], brief: Brief, recent: Sequence[str]) -> list[str]:
    """Return what is wrong with the texts of a draft, whatever was planted."""
    text = "\n\n".join(parts)
    allowed = "\n".join([*(fact.text for fact in brief.facts), brief.call_to_action])
    broken = {
        "empty": any(not to_plain(_without_link_and_tags(part)) for part in parts) or not parts,
        "too_long": any(count_weight(part) > min(brief.limit, X_LIMIT) for part in parts),
        "slot": "{" in text or "}" in text,
        "url": any(url != brief.link for url in find_urls(to_visible(text))),
        "link": not _has_link_as_asked(text, brief),
        "tags": not _has_tags_as_asked(text, brief, allowed),
        "mention": bool(
            _fold(find_mentions(text))
            - _fold(brief.mentions_allowed)
            - _fold(find_mentions(allowed))
        ),
        "cashtag": bool(set(find_cashtags(text)) - set(find_cashtags(allowed))),
        "hidden_character": bool(find_hidden_characters(text)),
        "banned_word": any(_has_word(text, word) for word in brief.avoid),
        "missing_word": any(not _has_word(text, word) for word in brief.require),
        "number": not find_numbers(text, brief) <= find_numbers(allowed, brief),
        "money": not _find_money(text) <= _find_money(allowed),
        "markup": bool(re.search(r"</?think|```|\[/?INST|<\|", text, re.IGNORECASE)),
        "duplicate": any(
            measure_likeness(part, each) >= ALIKE for part in parts for each in recent
        ),
        "copied_example": copies_example(parts, brief),
    }
    return [name for name, is_broken in broken.items() if is_broken]


def copies_example(parts: Sequence[str], brief: Brief) -> bool:
    """Whether a draft has eight words in a row of an example that no fact has."""
    text = "\n\n".join(parts)
    allowed = "\n".join([*(fact.text for fact in brief.facts), brief.call_to_action])
    return any(has_copied(text, each, allowed, COPIED_WORDS) for each in brief.examples)


def count_alike(texts: Sequence[str]) -> int:
    """Return how many texts are near-duplicates of a text before them."""
    return sum(
        any(measure_likeness(text, before) >= ALIKE for before in texts[:index])
        for index, text in enumerate(texts)
    )


def find_provenance_gaps(
    draft: WrittenDraft,
    brief: Brief,
    calls: Sequence[ModelCall],
    served: Sequence[tuple[int, int]],
    price: ModelPrice,
) -> list[str]:
    """Return what is missing or wrong in the provenance of a draft.

    `served` has the input and output tokens of each reply as the server counted them.
    """
    origin = draft.provenance
    ids = {fact.id for fact in brief.facts}
    gaps = {
        "brief_hash": not _HASH.fullmatch(origin.brief_hash),
        "brief_version": origin.brief_version != brief.version,
        "verdicts": not draft.verdicts or not all(each.ok for each in draft.verdicts),
        "verdict_twice": len({each.validator for each in draft.verdicts}) != len(draft.verdicts),
        "no_fact": not any(each.fact_ids for each in draft.sentences),
        "unknown_fact": any(set(each.fact_ids) - ids for each in draft.sentences),
        "sentence": any(
            each.part >= len(draft.parts) or each.text.strip() not in draft.parts[each.part]
            for each in draft.sentences
        ),
        "part_without_sentence": {each.part for each in draft.sentences}
        != set(range(len(draft.parts))),
    }
    if draft.origin == "model":
        tokens = (origin.input_tokens, origin.output_tokens)
        gaps |= {
            "model": not origin.model,
            "prompt_hash": origin.prompt_hash not in {each.prompt_hash for each in calls}
            or not _HASH.fullmatch(origin.prompt_hash),
            "repairs": origin.repairs not in (0, 1),
            "tokens": tokens not in served,
            "usd": origin.usd != price.usd(*tokens),
            "text_without_sentence": bool(_find_uncovered(draft, brief)),
        }
    else:
        gaps["composer"] = bool(origin.model or origin.usd not in (None, Decimal(0)))
    return [name for name, is_gap in gaps.items() if is_gap]


def find_numbers(text: str, brief: Brief) -> set[str]:
    """Return all numbers of a text but those in its link, as digits."""
    bare = to_visible(text).replace(brief.link or "\0", " ")
    return set(re.findall(r"\d+(?:[.,:]\d+)*", bare))


def _find_uncovered(draft: WrittenDraft, brief: Brief) -> str:
    """Return the words of a draft that belong to no sentence."""
    rest = ""
    for index, part in enumerate(draft.parts):
        for sentence in draft.sentences:
            if sentence.part == index:
                part = part.replace(sentence.text.strip(), " ", 1)
        rest += " " + _without_link_and_tags(part.replace(brief.compliance.disclaimer or "\0", " "))
    return to_plain(rest)


def _without_link_and_tags(text: str) -> str:
    for url in find_urls(text):
        text = text.replace(url, " ")
    return " ".join(word for word in text.split() if word[0] not in "#＃")


def _has_link_as_asked(text: str, brief: Brief) -> bool:
    count = len(find_urls(text))
    if brief.link_rule == "required":
        return count == 1 and (brief.link or "") in text
    return count <= (1 if brief.link_rule == "optional" else 0)


def _has_tags_as_asked(text: str, brief: Brief, allowed_text: str) -> bool:
    tags = find_tags(text)
    allowed = _fold([*brief.tags, *brief.tags_allowed, *find_tags(allowed_text)])
    return (
        _fold(tags) <= allowed
        and _fold(brief.tags) <= _fold(tags)
        and len(tags) <= max(brief.tag_maximum, len(brief.tags))
    )


def _fold(words: Sequence[str]) -> set[str]:
    return {word.casefold() for word in words}


def _has_word(text: str, word: str) -> bool:
    """Whether a text has a word, in whatever width and with whatever hidden characters."""
    plain, needle = to_visible(text).casefold(), to_visible(word).casefold()
    if re.search("[\u3040-\u30ff\u4e00-\u9fff]", needle):
        return needle in plain
    return re.search(rf"(?<!\w){re.escape(needle)}(?!\w)", plain) is not None


def _find_money(text: str) -> set[tuple[str, str]]:
    found = _MONEY.findall(to_visible(text))
    return {(before or after, number or other) for before, number, other, after in found}
