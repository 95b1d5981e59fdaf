"""Checks that a draft repeats nothing of the prompt, the examples or the findings."""

import functools
import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from roost.agents.lexicons import LANGUAGES, any_of, find_lexicon
from roost.agents.terms import fold_quotes
from roost.agents.validators.candidate import Candidate, Context

#: A draft that shares this many words in a row with an example has copied the example, unless
#: another text of the brief has the same words.
EXAMPLE_WORDS: Final = 8
_INSTRUCTION_WORDS: Final = 5
_FEEDBACK_WORDS: Final = 3
#: The fewest words of a phrase that is searched for. A phrase is the text between two punctuation
#: marks of the instructions.
_PHRASE_WORDS: Final = 3
#: In scripts without spaces, a passage is a run of characters. It counts as copied only with this
#: many characters besides hiragana, because hiragana are mostly endings.
_SHORTEST_CONTENT: Final = 3
#: A passage of this many characters counts as copied even if all but one of them are hiragana.
_EXAMPLE_CHARACTERS: Final = 12
_tokens = re.compile(r"[a-z0-9À-ɏͰ-ӿ_]+(?:['\-][a-z0-9À-ɏͰ-ӿ_]+)*|[^\W\d_]").findall
_is_content = re.compile(r"[\u30a1-\u30fa\u3400-\u9fffa-z0-9]").match

#: Patterns of text that comes from a model's work and belongs in no post, in any language: tags,
#: code, JSON, names with underscores, slots.
_WORKING: Final = (
    r"</?\s*(?:think|thinking|reasoning|thought|analysis|scratchpad|answer|output|draft|facts?"
    r"|examples?|data|brief|system|user|assistant|tool|im_start|im_end|s|inst)\b[^>]*>?",
    r"<\|[^|>]*\|?>",
    r"\[/?inst\]",
    r"```|~~~",
    r"\"?(?:drafts|parts|text|facts|fact_ids|sentences)\"?\s?[:=]\s?[\[{\"]",
    r"[{}]",
    r"\b[a-z]+_[a-z_]+\b(?![^\s]*\.)",
    r"\be-[a-z]{3,}:",
    r"\*\*|__",
    r"\[(?:link|url|tags?|hashtags?|insert[^\]]*|your [^\]]*|name|date|price|fact[^\]]*"
    r"|placeholder)\]",
    r"\bfacts?[ -]?ids?\b",
    r"\bweighted (?:length|characters)\b",
    r"\blorem ipsum\b",
    r"\bignore (?:all |any )?(?:the )?(?:previous|prior|above|earlier)"
    r" (?:instructions?|prompts?|text)\b",
    r"\bsystem prompt\b",
    # The marked lines around the data in a prompt.
    r"={3,}",
    r"\bdata [0-9a-f]{12} (?:begins|ends)\b",
)


def check_examples(candidate: Candidate, context: Context) -> Iterator[str]:
    """Find long passages that are in an example, but in no other text of the brief."""
    for length in (EXAMPLE_WORDS, _EXAMPLE_CHARACTERS):
        own = _passages(context.all_texts, length)
        copied = _passages(context.brief.examples, length) - own
        yield from _find_shared(candidate, copied, length, "E-EXAMPLE")


def check_prompt(candidate: Candidate, context: Context) -> Iterator[str]:
    """Find passages of the writer's instructions, and of texts withheld from the model."""
    own = _passages(context.all_texts, _INSTRUCTION_WORDS)
    leaked = _passages(context.instructions, _INSTRUCTION_WORDS) - own
    yield from _find_shared(candidate, leaked, _INSTRUCTION_WORDS, "E-PROMPT")
    yield from _find_phrases(candidate, context)
    yield from _find_labels(candidate, context)
    known = set(_split(context.folded_texts))
    marks = {token for text in context.withheld for token in _split(text)} - known
    if context.withheld:
        own = _passages(context.all_texts, _FEEDBACK_WORDS)
        withheld = _passages(context.withheld, _FEEDBACK_WORDS) - own
        yield from _find_shared(candidate, withheld, _FEEDBACK_WORDS, "E-PROMPT")
    for part in candidate.parts:
        for token in dict.fromkeys(_split(part)):
            # Words in `marks` occur only in withheld texts. A word such as `canary-7f3a` does not
            # get into a draft by chance, so the draft has copied it.
            if token in marks and (any(c.isdecimal() for c in token) or "-" in token):
                yield f"E-PROMPT: {token}"


def _find_phrases(candidate: Candidate, context: Context) -> Iterator[str]:
    """Find passages that repeat a whole phrase of the writer's instructions."""
    own = _padded(" \n ".join(context.all_texts))
    parts = [_padded(part) for part in candidate.parts]
    for phrase in _list_phrases(context.instructions):
        if phrase not in own and any(phrase in part for part in parts):
            yield f"E-PROMPT:{phrase.rstrip()}"


def _find_labels(candidate: Candidate, context: Context) -> Iterator[str]:
    """Find the codes of findings in a row, as the instructions name them: `FACT, CLAIM, NAME:`."""
    labels = {label for text in context.instructions for label in _labels(text)}
    for part in candidate.parts:
        for row in _rows_of_labels(part):
            if labels.issuperset(_labels(row)):
                yield f"E-PROMPT: {row.lower()}"


_labels = re.compile(r"\b[A-Z]{3,}\b").findall
_rows_of_labels = re.compile(r"\b[A-Z]{3,}(?:, [A-Z]{3,})+:").findall


@functools.lru_cache(maxsize=8)
def _list_phrases(texts: tuple[str, ...]) -> list[str]:
    """Return the phrases between punctuation marks; lines of JSON are left out."""
    lines = [line for text in texts for line in text.splitlines() if "{" not in line[:1]]
    phrases = [phrase for line in lines for phrase in re.split(r"[^\w\s'’`\"\-]+", line)]
    return [_padded(phrase) for phrase in phrases if len(_split(phrase)) >= _PHRASE_WORDS]


def _padded(text: str) -> str:
    return f" {' '.join(_split(text))} "


def check_feedback(candidate: Candidate, context: Context) -> Iterator[str]:
    """Find passages of the validators' findings, which the model got with refused drafts."""
    own = _passages(context.all_texts, _FEEDBACK_WORDS)
    findings = tuple(_without_quotation(finding) for finding in context.feedback)
    leaked = _passages(findings, _FEEDBACK_WORDS) - own
    yield from _find_shared(candidate, leaked, _FEEDBACK_WORDS, "E-FEEDBACK")


#: Findings with these codes quote the refused draft. A good draft may contain the quoted words: for
#: example, an invented address may begin like the brief's link.
_QUOTING: Final = frozenset(
    {
        *("AVOID", "CASHTAG", "CLAIM", "CLICHE", "DATE", "EXAMPLE", "FEEDBACK", "LINK", "MENTION"),
        *("NAME", "NOT", "NUMBER", "OPPOSITE", "PROMPT", "REASONING", "REQUIRE", "TAG"),
    }
)


def _without_quotation(finding: str) -> str:
    """Return a finding with at most the first two words that it quotes from a draft."""
    code, _, value = finding.partition(": ")
    if code not in _QUOTING:
        return finding
    return " ".join([code, *_split(value)[: _FEEDBACK_WORDS - 1]])


def check_reasoning(candidate: Candidate, context: Context) -> Iterator[str]:
    """Find remarks of a model about its own work, such as `Here is the post`.

    The remarks are searched for in every language that has a lexicon.
    """
    working = any_of(_WORKING)
    for sentence in candidate.sentences:
        text = fold_quotes(context.claim_text(sentence.text))
        if (found := working.search(text)) and found[0] not in context.folded_texts:
            yield f"E-REASONING: {found[0]}"
    for part in candidate.parts:
        for code in LANGUAGES:
            lexicon = find_lexicon(code)
            assert lexicon is not None
            for text in _lines_and_sentences(part):
                found = any_of(lexicon.reasoning).search(fold_quotes(text))
                if found and found[0] not in context.folded_texts:
                    yield f"E-REASONING: {found[0]}"


def _lines_and_sentences(part: str) -> list[str]:
    """Return each line of a part, and each sentence that does not begin a line."""
    lines = re.split(r"\n+", part)
    return [*lines, *(text for line in lines for text in _sentences(line)[1:])]


_sentences = re.compile(r"(?<=[.!?…])\s+|(?<=[。！？])\s*").split


def _find_shared(
    candidate: Candidate, leaked: frozenset[tuple[str, ...]], length: int, code: str
) -> Iterator[str]:
    if not leaked:
        return
    for part in candidate.parts:
        shared = _passages((part,), length) & leaked
        if shared:
            yield f"{code}: {' '.join(min(shared))}"


def _split(text: str) -> list[str]:
    return _tokens(fold_quotes(unicodedata.normalize("NFKC", text)))


@functools.lru_cache(maxsize=128)
def _passages(texts: tuple[str, ...], length: int) -> frozenset[tuple[str, ...]]:
    """Return all passages of `length` words, or characters if the script has no spaces.

    Passages that consist almost only of hiragana are left out.
    """
    found = set()
    for text in texts:
        tokens = _split(text)
        for start in range(len(tokens) - length + 1):
            gram = tuple(tokens[start : start + length])
            content = sum(map(bool, map(_is_content, gram)))
            least = 1 if length == _EXAMPLE_CHARACTERS else _SHORTEST_CONTENT
            if len(gram[0]) > 1 or content >= least:
                found.add(gram)
    return frozenset(found)
