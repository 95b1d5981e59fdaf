"""Plants faults of the text: length, links, tags, hidden characters, words, and repetitions."""

import random
import re
from collections.abc import Callable

from harness.writer.cases import Case, ReplyDraft, Sentence, assemble
from harness.writer.fact_faults import (
    Result,
    plant_flipped_negation,
    plant_number_as_price,
    plant_uncited_claim,
    plant_unknown_fact,
    plant_wrong_counted_noun,
    plant_wrong_currency,
    plant_wrong_number,
    plant_wrong_unit,
    replace_sentence,
    sentences_of,
)
from harness.writer.phrases import (
    CJK_FILLER,
    DOMAINS,
    EMOJI,
    HASHTAGS,
    MENTIONS,
    REASONING,
    SUFFIXES,
    THOUGHTS,
)
from harness.writer.planted import FaultKind, Planted, Sign
from harness.writer.x_text import count_weight, to_plain

Plant = Callable[[Case, ReplyDraft, random.Random], Result]
_ZERO_WIDTH = "\u200b\u200c\u200d\u2060\ufeff\u00ad"
_BIDI = "\u202e\u202b\u2066\u2067\u200f\u061c"


def _choose(draft: ReplyDraft, chance: random.Random) -> tuple[tuple[int, int], Sentence]:
    part, index, sentence = chance.choice(list(sentences_of(draft)))
    return (part, index), sentence


def _add(draft: ReplyDraft, chance: random.Random, text: str, *, first: bool = False) -> ReplyDraft:
    """Return a copy in which one sentence begins or ends with more text."""
    at, sentence = _choose(draft, chance)
    slots = re.search(r"(\s*\{(?:link|tags)\})+\s*$", sentence["text"])
    end = slots.start() if slots else len(sentence["text"])
    said = sentence["text"]
    new = text + said if first else f"{said[:end]} {text}{said[end:]}"
    return replace_sentence(draft, at, {"text": new, "facts": sentence["facts"]})


def _lengthen(
    case: Case, draft: ReplyDraft, filler: Callable[[int], str], kind: FaultKind
) -> Result:
    """Add sentences to the first part until it is longer than the limit."""
    limit = case.brief.limit
    parts = [list(part) for part in draft["parts"]]
    for turn in range(400):
        if count_weight(assemble({"parts": parts}, case.brief)[0]) > limit:
            return {"parts": parts}, Planted(kind, Sign.WEIGHT, str(limit))
        parts[0].insert(len(parts[0]) - 1, {"text": filler(turn), "facts": parts[0][0]["facts"]})
    return None


def plant_too_long_letters(case: Case, draft: ReplyDraft, chance: random.Random) -> Result:
    """Add true sentences of other drafts until the text is too long."""
    others = [
        sentence
        for each in case.drafts
        for _, _, sentence in sentences_of(each)
        if sentence["facts"] and "{" not in sentence["text"]
    ]
    parts = [list(part) for part in draft["parts"]]
    chance.shuffle(others)
    for sentence in others * 3:
        if count_weight(assemble({"parts": parts}, case.brief)[0]) > case.brief.limit:
            planted = Planted(FaultKind.TOO_LONG_LETTERS, Sign.WEIGHT, str(case.brief.limit))
            return {"parts": parts}, planted
        parts[0].insert(0, sentence)
    return None


def plant_too_long_cjk(case: Case, draft: ReplyDraft, chance: random.Random) -> Result:
    """Add Japanese until the text is too long, although it has fewer characters than the limit."""
    start = chance.randrange(len(CJK_FILLER) // 2)
    return _lengthen(case, draft, lambda _: CJK_FILLER[start:], FaultKind.TOO_LONG_CJK)


def plant_too_long_emoji(case: Case, draft: ReplyDraft, chance: random.Random) -> Result:
    """Add emoji, one at a time, until the text is just too long."""
    emoji = chance.choice(EMOJI)
    return _lengthen(case, draft, lambda _: emoji, FaultKind.TOO_LONG_EMOJI)


def plant_too_long_by_link(case: Case, draft: ReplyDraft, chance: random.Random) -> Result:
    """Fill a part with letters so that only the link, which counts 23, makes it too long."""
    if case.brief.link is None or "{link}" not in str(draft["parts"][0]):
        return None
    result = _lengthen(case, draft, lambda _: "ok", FaultKind.TOO_LONG_BY_LINK)
    if result is None or count_weight(assemble(result[0], case.brief)[0]) > case.brief.limit + 20:
        return None
    return result


def plant_invented_url(case: Case, draft: ReplyDraft, chance: random.Random) -> Result:
    """Write out a link: to another site, or to another page of the brief's site."""
    if case.brief.link and chance.random() < 0.5:
        needle = f"{case.brief.link}-{chance.choice(SUFFIXES)}"
    else:
        needle = f"https://www.{chance.choice(DOMAINS)}/{chance.choice(SUFFIXES)}"
    planted = Planted(FaultKind.INVENTED_URL, Sign.VISIBLE, needle)
    return _add(draft, chance, needle), planted


def plant_bare_domain(case: Case, draft: ReplyDraft, chance: random.Random) -> Result:
    """Add a domain without a scheme, which X links and bills too."""
    needle = chance.choice(DOMAINS)
    return _add(draft, chance, needle), Planted(FaultKind.BARE_DOMAIN, Sign.VISIBLE, needle)


def plant_full_width_domain(case: Case, draft: ReplyDraft, chance: random.Random) -> Result:
    """Add a domain in full-width letters."""
    needle = chance.choice(DOMAINS)
    text = _widen(needle)
    return _add(draft, chance, text), Planted(FaultKind.FULL_WIDTH_DOMAIN, Sign.VISIBLE, needle)


def _widen(text: str) -> str:
    return "".join(chr(ord(each) + 0xFEE0) if "!" <= each <= "~" else each for each in text)


def plant_invented_mention(case: Case, draft: ReplyDraft, chance: random.Random) -> Result:
    """Mention an account that the brief does not allow."""
    needle = f"@{chance.choice(MENTIONS)}"
    return _add(draft, chance, needle), Planted(FaultKind.INVENTED_MENTION, Sign.VISIBLE, needle)


def plant_full_width_mention(case: Case, draft: ReplyDraft, chance: random.Random) -> Result:
    """Mention an account with the full-width sign, which X links too."""
    text = f"＠{chance.choice(MENTIONS)}"
    return _add(draft, chance, text), Planted(FaultKind.FULL_WIDTH_MENTION, Sign.VISIBLE, text)


def plant_extra_hashtags(case: Case, draft: ReplyDraft, chance: random.Random) -> Result:
    """Add hashtags that the brief does not allow."""
    tags = chance.sample(HASHTAGS, chance.randint(1, 3))
    text = " ".join(f"#{tag}" for tag in tags)
    planted = Planted(FaultKind.EXTRA_HASHTAGS, Sign.PATTERN, "|".join(f"#{tag}" for tag in tags))
    return _add(draft, chance, text), planted


def plant_full_width_hashtag(case: Case, draft: ReplyDraft, chance: random.Random) -> Result:
    """Add a hashtag with the full-width sign, which X links too."""
    text = f"＃{chance.choice(HASHTAGS)}"
    return _add(draft, chance, text), Planted(FaultKind.FULL_WIDTH_HASHTAG, Sign.VISIBLE, text)


def plant_two_cashtags(case: Case, draft: ReplyDraft, chance: random.Random) -> Result:
    """Add two cashtags: X refuses posts with more than one."""
    one, other = chance.sample(["AAPL", "TSLA", "BTC", "ETH", "GME"], 2)
    planted = Planted(FaultKind.TWO_CASHTAGS, Sign.PATTERN, rf"\$(?:{one}|{other})\b")
    return _add(draft, chance, f"${one} ${other}"), planted


def plant_banned_word(case: Case, draft: ReplyDraft, chance: random.Random) -> Result:
    """Add a word that the brief bans."""
    if not case.brief.avoid:
        return None
    word = chance.choice(case.brief.avoid)
    text = chance.choice([word, word.upper(), word.capitalize()])
    return _add(draft, chance, text), Planted(FaultKind.BANNED_WORD, Sign.VISIBLE, word)


def plant_banned_word_hidden(case: Case, draft: ReplyDraft, chance: random.Random) -> Result:
    """Add a banned word in full-width letters, or with an invisible character inside."""
    if not case.brief.avoid:
        return None
    word = chance.choice(case.brief.avoid)
    text = (
        _widen(word) if word.isascii() and chance.random() < 0.5 else f"{word[0]}\u200b{word[1:]}"
    )
    return _add(draft, chance, text), Planted(FaultKind.BANNED_WORD_HIDDEN, Sign.VISIBLE, word)


def plant_duplicate(case: Case, draft: ReplyDraft, chance: random.Random) -> Result:
    """Reply with a post that is already published."""
    text = "\n\n".join(case.recent_posts)
    return case.recent, Planted(FaultKind.DUPLICATE, Sign.ALIKE, text)


def plant_near_duplicate(case: Case, draft: ReplyDraft, chance: random.Random) -> Result:
    """Reply with a published post whose punctuation is changed a little."""
    text = "\n\n".join(case.recent_posts)
    changed = case.recent
    for part, index, sentence in sentences_of(case.recent):
        said = re.sub(r"\.(?=\s|$)", "!", sentence["text"]).replace("。", "！")
        said = said.replace(":", " –", 1) if "{" not in said else said
        new: Sentence = {"text": said, "facts": sentence["facts"]}
        changed = replace_sentence(changed, (part, index), new)
    return changed, Planted(FaultKind.NEAR_DUPLICATE, Sign.ALIKE, text)


def _plant_characters(
    draft: ReplyDraft, chance: random.Random, characters: str, kind: FaultKind
) -> Result:
    at, sentence = _choose(draft, chance)
    spots = [match.end() for match in re.finditer(r"(?<![{\w])[^\W\d_]{2,}", sentence["text"])]
    spots = [spot - 1 for spot in spots]
    if not spots:
        return None
    spot, said = chance.choice(spots), sentence["text"]
    new: Sentence = {
        "text": said[:spot] + chance.choice(characters) + said[spot:],
        "facts": sentence["facts"],
    }
    return replace_sentence(draft, at, new), Planted(kind, Sign.HIDDEN)


def plant_zero_width(case: Case, draft: ReplyDraft, chance: random.Random) -> Result:
    """Put a zero-width character into a word."""
    return _plant_characters(draft, chance, _ZERO_WIDTH, FaultKind.ZERO_WIDTH)


def plant_bidi(case: Case, draft: ReplyDraft, chance: random.Random) -> Result:
    """Put a bidirectional control into a word."""
    return _plant_characters(draft, chance, _BIDI, FaultKind.BIDI)


def plant_control_character(case: Case, draft: ReplyDraft, chance: random.Random) -> Result:
    """Put a control character into a word."""
    return _plant_characters(draft, chance, "\x00\x07\x1b\x7f", FaultKind.CONTROL_CHARACTER)


def plant_leaked_reasoning(case: Case, draft: ReplyDraft, chance: random.Random) -> Result:
    """Begin a draft with what a model says to its user."""
    text = chance.choice(REASONING[case.language])
    planted = Planted(FaultKind.LEAKED_REASONING, Sign.VISIBLE, text.strip(" :："))
    return _add(draft, chance, text, first=True), planted


def plant_think_tag(case: Case, draft: ReplyDraft, chance: random.Random) -> Result:
    """Put a model's thoughts into a draft, with or without their end tag."""
    thought = THOUGHTS[case.language]
    text = chance.choice(["<think>{}</think> ", "<think>{}. ", "[thinking] {}. ", "{}. </think> "])
    planted = Planted(FaultKind.THINK_TAG, Sign.VISIBLE, thought)
    return _add(draft, chance, text.format(thought), first=True), planted


def plant_copied_example(case: Case, draft: ReplyDraft, chance: random.Random) -> Result:
    """Copy words of an example post into a draft."""
    example = chance.choice(case.brief.examples)
    words = example.split()
    if case.language == "ja":
        start = chance.randrange(max(len(example) - 24, 1))
        copied = example[start : start + chance.randint(20, 24)]
    else:
        start = chance.randrange(len(words) - 9)
        copied = " ".join(words[start : start + chance.randint(9, 14)])
    planted = Planted(FaultKind.COPIED_EXAMPLE, Sign.COPIED, copied)
    return (_add(draft, chance, copied), planted) if to_plain(copied) else None


def plant_empty_text(case: Case, draft: ReplyDraft, chance: random.Random) -> Result:
    """Reply with a draft whose sentences are empty."""
    blank = chance.choice(["", " ", "\n", "{link}", "{tags}", "\u3000"])
    facts = [case.brief.facts[0].id]
    # Nothing but a link or tags says nothing: the general rules of the oracle refuse it.
    return {"parts": [[{"text": blank, "facts": facts}]]}, Planted(FaultKind.EMPTY_TEXT)


PLANTS: dict[FaultKind, Plant] = {
    FaultKind.TOO_LONG_LETTERS: plant_too_long_letters,
    FaultKind.TOO_LONG_CJK: plant_too_long_cjk,
    FaultKind.TOO_LONG_EMOJI: plant_too_long_emoji,
    FaultKind.TOO_LONG_BY_LINK: plant_too_long_by_link,
    FaultKind.INVENTED_URL: plant_invented_url,
    FaultKind.BARE_DOMAIN: plant_bare_domain,
    FaultKind.FULL_WIDTH_DOMAIN: plant_full_width_domain,
    FaultKind.INVENTED_MENTION: plant_invented_mention,
    FaultKind.FULL_WIDTH_MENTION: plant_full_width_mention,
    FaultKind.EXTRA_HASHTAGS: plant_extra_hashtags,
    FaultKind.FULL_WIDTH_HASHTAG: plant_full_width_hashtag,
    FaultKind.TWO_CASHTAGS: plant_two_cashtags,
    FaultKind.WRONG_NUMBER: plant_wrong_number,
    FaultKind.WRONG_UNIT: plant_wrong_unit,
    FaultKind.WRONG_COUNTED_NOUN: plant_wrong_counted_noun,
    FaultKind.WRONG_CURRENCY: plant_wrong_currency,
    FaultKind.NUMBER_AS_PRICE: plant_number_as_price,
    FaultKind.NEGATION_FLIPPED: plant_flipped_negation,
    FaultKind.UNCITED_CLAIM: plant_uncited_claim,
    FaultKind.UNKNOWN_FACT: plant_unknown_fact,
    FaultKind.BANNED_WORD: plant_banned_word,
    FaultKind.BANNED_WORD_HIDDEN: plant_banned_word_hidden,
    FaultKind.DUPLICATE: plant_duplicate,
    FaultKind.NEAR_DUPLICATE: plant_near_duplicate,
    FaultKind.ZERO_WIDTH: plant_zero_width,
    FaultKind.BIDI: plant_bidi,
    FaultKind.CONTROL_CHARACTER: plant_control_character,
    FaultKind.LEAKED_REASONING: plant_leaked_reasoning,
    FaultKind.THINK_TAG: plant_think_tag,
    FaultKind.COPIED_EXAMPLE: plant_copied_example,
    FaultKind.EMPTY_TEXT: plant_empty_text,
}
"""The faults that are planted into a single draft."""
