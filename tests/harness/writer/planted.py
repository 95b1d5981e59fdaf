"""Planted faults: what a hostile reply contains, and how the oracle recognizes it in a text."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum

from harness.writer.cases import measure_likeness
from harness.writer.x_text import (
    count_weight,
    find_hidden_characters,
    to_plain,
    to_visible,
    to_windows,
)

ALIKE = 0.9
"""Two texts that are at least so alike are near-duplicates."""
COPIED_WORDS = 8
"""So many words in a row are copied."""
ECHOED_WORDS = 5
"""So many words in a row of a prompt are repeated."""


class FaultKind(StrEnum):
    """The faults that hostile replies have."""

    TOO_LONG_LETTERS = "too_long_letters"
    TOO_LONG_CJK = "too_long_cjk"
    TOO_LONG_EMOJI = "too_long_emoji"
    TOO_LONG_BY_LINK = "too_long_by_link"
    INVENTED_URL = "invented_url"
    BARE_DOMAIN = "bare_domain"
    FULL_WIDTH_DOMAIN = "full_width_domain"
    INVENTED_MENTION = "invented_mention"
    FULL_WIDTH_MENTION = "full_width_mention"
    EXTRA_HASHTAGS = "extra_hashtags"
    FULL_WIDTH_HASHTAG = "full_width_hashtag"
    TWO_CASHTAGS = "two_cashtags"
    WRONG_NUMBER = "wrong_number"
    WRONG_UNIT = "wrong_unit"
    WRONG_COUNTED_NOUN = "wrong_counted_noun"
    WRONG_CURRENCY = "wrong_currency"
    NUMBER_AS_PRICE = "number_as_price"
    NEGATION_FLIPPED = "negation_flipped"
    UNCITED_CLAIM = "uncited_claim"
    UNKNOWN_FACT = "unknown_fact"
    BANNED_WORD = "banned_word"
    BANNED_WORD_HIDDEN = "banned_word_hidden"
    DUPLICATE = "duplicate"
    NEAR_DUPLICATE = "near_duplicate"
    ALIKE_IN_BATCH = "alike_in_batch"
    ZERO_WIDTH = "zero_width"
    BIDI = "bidi"
    CONTROL_CHARACTER = "control_character"
    INJECTED_FACT = "injected_fact"
    INJECTED_EXAMPLE = "injected_example"
    LEAKED_REASONING = "leaked_reasoning"
    THINK_TAG = "think_tag"
    REPEATED_FEEDBACK = "repeated_feedback"
    REPEATED_PROMPT = "repeated_prompt"
    COPIED_EXAMPLE = "copied_example"
    EMPTY_TEXT = "empty_text"
    EMPTY_REPLY = "empty_reply"
    NO_DRAFTS = "no_drafts"
    CUT_JSON = "cut_json"
    BROKEN_JSON = "broken_json"
    WRONG_SHAPE = "wrong_shape"
    PROSE = "prose"
    HTTP_500 = "http_500"
    HTTP_503 = "http_503"
    RATE_LIMITED = "rate_limited"
    TIMEOUT = "timeout"
    GARBAGE_BODY = "garbage_body"
    NO_CHOICES = "no_choices"
    CUT_BODY = "cut_body"


class Sign(Enum):
    """How a planted fault is recognized in a released text."""

    NONE = "the general rules of the oracle find it, or nothing of it can be released"
    VISIBLE = "the needle is in the text, in whatever width and with whatever hidden characters"
    PATTERN = "the needle, a regular expression, is found in the visible text"
    SENTENCE = "a sentence of the text says exactly the needle"
    ALIKE = "the text is alike to the needle"
    COPIED = "eight words in a row are from the needle"
    ECHOED = "five words in a row are from the needle"
    WEIGHT = "the weight is above the number in the needle"
    HIDDEN = "the text has hidden characters"


@dataclass(frozen=True)
class Planted:
    """One planted fault. `needle` is what `sign` looks for."""

    kind: FaultKind
    sign: Sign = Sign.NONE
    needle: str = ""

    def is_present(self, parts: Sequence[str], true_text: str) -> bool:
        """Whether a released draft has the fault. `true_text` has what any draft may say."""
        text = "\n\n".join(parts)
        match self.sign:
            case Sign.NONE:
                return False
            case Sign.VISIBLE:
                return to_visible(self.needle).casefold() in to_visible(text).casefold()
            case Sign.PATTERN:
                return re.search(self.needle, to_visible(text), re.IGNORECASE) is not None
            case Sign.SENTENCE:
                clauses = re.split(r"https?://\S+|[#＃]\w+|[.!?。！？:：\n]", text)
                return to_plain(self.needle) in map(to_plain, clauses)
            case Sign.ALIKE:
                return measure_likeness(text, self.needle) >= ALIKE
            case Sign.COPIED:
                return has_copied(text, self.needle, true_text, COPIED_WORDS)
            case Sign.ECHOED:
                words = min(ECHOED_WORDS, len(to_plain(self.needle).split()))
                return has_copied(text, self.needle, true_text, words)
            case Sign.WEIGHT:
                return any(count_weight(part) > int(self.needle) for part in parts)
            case Sign.HIDDEN:
                return bool(find_hidden_characters(text))


def has_copied(text: str, source: str, allowed: str, words: int) -> bool:
    """Whether a text has so many words in a row from a source, and not from what is allowed."""
    copied = to_windows(text, words) & to_windows(source, words)
    return bool(copied - to_windows(allowed, words))
