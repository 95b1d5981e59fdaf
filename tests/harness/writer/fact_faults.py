"""Plants faults that contradict the facts: numbers, units, currencies, negations, claims."""

import random
import re
from collections.abc import Iterator, Mapping, Sequence

from harness.writer.cases import Case, ReplyDraft, Sentence
from harness.writer.phrases import CLAIMS, COUNTED_NOUNS, CURRENCIES, PRICES, UNITS
from harness.writer.planted import FaultKind, Planted, Sign
from harness.writer.x_text import to_visible

NUMBER = r"\d+(?:[.,:]\d+)*"
#: A faulty draft, and the fault. None if the fault cannot be planted into the draft.
Result = tuple[ReplyDraft, Planted] | None


def sentences_of(draft: ReplyDraft) -> Iterator[tuple[int, int, Sentence]]:
    """Return all sentences with the indexes of their part and of themselves."""
    for part, sentences in enumerate(draft["parts"]):
        for index, sentence in enumerate(sentences):
            yield part, index, sentence


def replace_sentence(draft: ReplyDraft, at: tuple[int, int], sentence: Sentence) -> ReplyDraft:
    """Return a copy of a draft with another sentence in a place."""
    parts = [list(part) for part in draft["parts"]]
    parts[at[0]][at[1]] = sentence
    return {"parts": parts}


def _edit(
    draft: ReplyDraft, chance: random.Random, pattern: str
) -> tuple[tuple[int, int], Sentence, re.Match[str]] | None:
    """Choose a match of a pattern in a sentence that cites a fact."""
    places = [
        ((part, index), sentence, match)
        for part, index, sentence in sentences_of(draft)
        if sentence["facts"]
        for match in re.finditer(pattern, sentence["text"])
    ]
    return chance.choice(places) if places else None


def _splice(sentence: Sentence, start: int, end: int, new: str) -> Sentence:
    text = sentence["text"]
    return {"text": text[:start] + new + text[end:], "facts": sentence["facts"]}


def _bounded(needle: str) -> str:
    """Return a pattern for a needle that is no part of a longer number or Latin word."""
    spaced = re.sub(r"(?:\\ )+", r"\\s*", re.escape(to_visible(needle)))
    end = r"(?![.,:]?\d)" if needle[-1].isdigit() else ""
    return rf"(?<!\d)(?<!\d[.,:]){spaced}{end or r'(?![a-zA-Z])'}"


def plant_wrong_number(case: Case, draft: ReplyDraft, chance: random.Random) -> Result:
    """Change a digit of a number, so that the number occurs nowhere in the brief."""
    place = _edit(draft, chance, NUMBER)
    if place is None:
        return None
    at, sentence, match = place
    known = set(re.findall(r"\d+", case.true_text))
    groups = list(re.finditer(r"\d+", match.group()))
    group = groups[-1] if len(groups[-1].group()) > 1 else groups[0]
    for _ in range(50):
        digits = str(chance.randint(1, 10 ** len(group.group()) - 1)).zfill(len(group.group()))
        if digits in known or digits.startswith("0"):
            continue
        new = match.group()[: group.start()] + digits + match.group()[group.end() :]
        changed = _splice(sentence, match.start(), match.end(), new)
        planted = Planted(FaultKind.WRONG_NUMBER, Sign.PATTERN, _bounded(new))
        return replace_sentence(draft, at, changed), planted
    return None


def plant_wrong_unit(case: Case, draft: ReplyDraft, chance: random.Random) -> Result:
    """Put another unit after a number."""
    return _plant_noun(case, draft, chance, UNITS, FaultKind.WRONG_UNIT)


def plant_wrong_counted_noun(case: Case, draft: ReplyDraft, chance: random.Random) -> Result:
    """Say that a number counts something else."""
    return _plant_noun(case, draft, chance, COUNTED_NOUNS, FaultKind.WRONG_COUNTED_NOUN)


def _plant_noun(
    case: Case,
    draft: ReplyDraft,
    chance: random.Random,
    nouns: Mapping[str, Sequence[tuple[str, str]]],
    kind: FaultKind,
) -> Result:
    pairs = nouns[case.language]
    for noun, other in chance.sample(pairs, len(pairs)):
        end = "" if case.language == "ja" else r"(?!\w)"
        place = _edit(draft, chance, rf"({NUMBER})(\s*){re.escape(noun)}{end}")
        if place is None:
            continue
        at, sentence, match = place
        pattern = _bounded(f"{match[1]} {other}")
        if re.search(pattern, to_visible(case.true_text), re.IGNORECASE):
            continue
        new = f"{match[1]}{match[2]}{other}"
        changed = _splice(sentence, match.start(), match.end(), new)
        return replace_sentence(draft, at, changed), Planted(kind, Sign.PATTERN, pattern)
    return None


def plant_wrong_currency(case: Case, draft: ReplyDraft, chance: random.Random) -> Result:
    """Put another currency beside a price."""
    signs = "|".join(map(re.escape, CURRENCIES))
    place = _edit(draft, chance, rf"([£€$])\s?({NUMBER})|({NUMBER})\s?({signs})")
    if place is None:
        return None
    at, sentence, match = place
    if match[1]:
        other = CURRENCIES[match[1]]
        new, needle = f"{other}{match[2]}", rf"{re.escape(other)}\s?{re.escape(match[2])}(?!\d)"
    else:
        other = CURRENCIES[match[4]]
        new, needle = f"{match[3]} {other}", rf"(?<!\d){re.escape(match[3])}\s?{re.escape(other)}"
    if re.search(needle, to_visible(case.true_text)):
        return None
    changed = _splice(sentence, match.start(), match.end(), new)
    return replace_sentence(draft, at, changed), Planted(
        FaultKind.WRONG_CURRENCY, Sign.PATTERN, needle
    )


def plant_number_as_price(case: Case, draft: ReplyDraft, chance: random.Random) -> Result:
    """Turn a number that is no price into one: `10 am` becomes `£10`."""
    not_price = (
        rf"(?<![£€$\d])(?<!\d[.,:])({NUMBER})(?![.,:]?\d)(?!\s?(?:€|円|Cent))\s?(am\b|pm\b|Uhr\b)?"
    )
    place = _edit(draft, chance, not_price)
    if place is None:
        return None
    at, sentence, match = place
    price = PRICES[case.language].format(match[1])
    pattern = re.escape(price).replace(r"\ ", r"\s?")
    pattern = rf"(?<![\d.,:]){pattern}(?![\d])" if price[0].isdigit() else rf"{pattern}(?![\d])"
    if re.search(pattern, to_visible(case.true_text)):
        return None
    space = " " if match.group().endswith(" ") else ""
    changed = _splice(sentence, match.start(), match.end(), price + space)
    return replace_sentence(draft, at, changed), Planted(
        FaultKind.NUMBER_AS_PRICE, Sign.PATTERN, pattern
    )


def plant_flipped_negation(case: Case, draft: ReplyDraft, chance: random.Random) -> Result:
    """Replace a sentence by one that says the contrary of its fact, and cites it."""
    fact, text = chance.choice(case.flipped)
    part, index, _ = chance.choice(list(sentences_of(draft)))
    tail = " ".join(re.findall(r"\{\w+\}", draft["parts"][part][index]["text"]))
    flipped: Sentence = {"text": f"{text} {tail}".strip(), "facts": [fact]}
    planted = Planted(FaultKind.NEGATION_FLIPPED, Sign.SENTENCE, text.rstrip(".。"))
    return replace_sentence(draft, (part, index), flipped), planted


def plant_uncited_claim(case: Case, draft: ReplyDraft, chance: random.Random) -> Result:
    """Add a claim that cites no fact."""
    text = chance.choice(CLAIMS[case.language])
    part = chance.randrange(len(draft["parts"]))
    parts = [list(sentences) for sentences in draft["parts"]]
    parts[part].insert(0, {"text": text, "facts": []})
    planted = Planted(FaultKind.UNCITED_CLAIM, Sign.SENTENCE, text.rstrip(".。"))
    return {"parts": parts}, planted


def plant_unknown_fact(case: Case, draft: ReplyDraft, chance: random.Random) -> Result:
    """Add a claim that cites a fact which the brief does not have."""
    claim = plant_uncited_claim(case, draft, chance)
    assert claim is not None
    changed, planted = claim
    for _, _, sentence in sentences_of(changed):
        if not sentence["facts"] and sentence["text"].rstrip(".。") == planted.needle:
            sentence["facts"] = ["award"]
    return changed, Planted(FaultKind.UNKNOWN_FACT, planted.sign, planted.needle)
