"""What the page shows of a draft: texts as X shows them, evidence, verdicts, prices. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from roost import escaping
from roost.agents.brief import Brief, Fact
from roost.agents.doubts import describe_doubt, doubts_of_sentence
from roost.agents.language_names import language_code
from roost.agents.written import CitedSentence, Doubt, Verdict
from roost.models import DraftState, Post, PostState
from roost.prices import Price, price_of_create, sum_prices
from roost.services.drafts import Draft
from roost.text import LIMIT, extract_entities, weigh

#: X shows a link without its protocol and `www.`, and cuts it after this number of characters.
_SHOWN_LINK_LENGTH: Final = 26
_HIDDEN_START: Final = re.compile(r"^https?://(www\.)?", re.IGNORECASE)
_LANGUAGE_TAG: Final = re.compile(r"[a-z]{2,3}")
#: What each validator checks, as the verdict's words.
RULES: Final[Mapping[str, str]] = {
    "length": "length as X counts it",
    "characters": "control, direction and zero-width characters",
    "links": "links that the brief does not give",
    "hashtags": "hashtags",
    "mentions": "mentions",
    "cashtags": "cashtags",
    "citations": "a fact for each claim",
    "numbers": "numbers, units and currencies",
    "dates": "weekdays and dates",
    "negations": "negations",
    "claims": "claims beyond the facts",
    "examples": "words copied from an example",
    "prompt": "words copied from Roost's prompt",
    "feedback": "words copied from a validator's finding",
    "reasoning": "remarks of the model about its own work",
    "cliches": "clichés",
    "avoided_words": "words to avoid",
    "required_words": "required words",
    "disclaimer": "the disclaimer",
    "personal_data": "personal data and secrets",
    "language": "language",
    "recent_posts": "repetition of recent posts",
    "variants": "repetition of another draft",
    "thread": "parts that need the part before",
}


@dataclass(frozen=True, slots=True)
class ShownPart:
    """A part of a draft as X shows it."""

    markup: Markup
    """The text, with links as X shows them."""
    links: tuple[str, ...]
    """The addresses behind the shown links, in full."""
    weighted_length: int
    limit: int = LIMIT

    @property
    def is_too_long(self) -> bool:
        """Whether X refuses the part of an account without Premium."""
        return self.weighted_length > self.limit


@dataclass(frozen=True, slots=True)
class Evidence:
    """A sentence of a draft, with the facts on which the sentence is based."""

    part: int
    """The number of the part, from 1."""
    text: str
    facts: tuple[Fact, ...]
    unknown: tuple[str, ...]
    """Cited ids that are not in the brief."""
    doubts: tuple[str, ...] = ()
    """What code cannot decide about the sentence, in words."""


@dataclass(frozen=True, slots=True)
class PostingPrice:
    """What X bills for posting a draft, with the link and without it."""

    has_link: bool
    """Whether the draft has a link now."""
    with_link: Price | None
    """None if neither the draft nor its brief has a link."""
    without_link: Price


def show_part(text: str) -> ShownPart:
    """Return a part as X shows it."""
    entities = extract_entities(text)
    pieces, at = Markup(""), 0
    for entity in entities.all():
        pieces += escaping.markup(entities.text[at : entity.start])
        whole = escaping.markup(entities.text[entity.start : entity.end])
        if entity in entities.urls:
            # An address is written from left to right in every text.
            pieces += Markup('<bdi class="entity" dir="ltr" title="{}">{}</bdi>').format(
                whole, escaping.markup(shorten_link(entity.value))
            )
        else:
            pieces += Markup('<span class="entity">{}</span>').format(whole)
        at = entity.end
    pieces += escaping.markup(entities.text[at:])
    return ShownPart(pieces, tuple(url.value for url in entities.urls), weigh(text).weighted_length)


def shorten_link(url: str) -> str:
    """Return a link as X shows it: `example.com/a-long-path-of-a…`."""
    shown = _HIDDEN_START.sub("", url)
    if len(shown) <= _SHOWN_LINK_LENGTH + 1:
        return shown
    return f"{shown[:_SHOWN_LINK_LENGTH]}…"


def show_parts(texts: Sequence[str]) -> list[ShownPart]:
    """Return the parts of a draft as X shows them."""
    return [show_part(text) for text in texts]


def list_evidence(
    brief: Brief, sentences: Sequence[CitedSentence], doubts: Sequence[Doubt] = ()
) -> list[Evidence]:
    """Return each sentence with its facts and doubts, in the order of the text."""
    facts = {fact.id: fact for fact in brief.facts}
    return [
        Evidence(
            sentence.part + 1,
            sentence.text,
            tuple(facts[each] for each in sentence.fact_ids if each in facts),
            tuple(each for each in sentence.fact_ids if each not in facts),
            tuple(describe_doubt(each) for each in doubts_of_sentence(doubts, index)),
        )
        for index, sentence in enumerate(sentences)
    ]


def describe_rule(verdict: Verdict) -> str:
    """Return what a validator checks, in words."""
    return RULES.get(verdict.validator, verdict.validator.replace("_", " "))


def price_posting(texts: Sequence[str], brief: Brief, *, media: Sequence[int] = ()) -> PostingPrice:
    """Return the prices of posting a draft; `media` has the indexes of parts with files.

    If the draft has no link, but the brief does, the other price is that with the link at the end.
    """
    has_link = any(extract_entities(text).urls for text in texts)
    now = _sum(texts, media)
    if has_link:
        return PostingPrice(True, now, _sum([_without_links(text) for text in texts], media))
    if brief.link is None:
        return PostingPrice(False, None, now)
    linked = [*texts[:-1], f"{texts[-1]} {brief.link}"]
    return PostingPrice(False, _sum(linked, media), now)


def _sum(texts: Sequence[str], media: Sequence[int]) -> Price:
    return sum_prices(
        price_of_create(text, media=index in media) for index, text in enumerate(texts)
    )


def _without_links(text: str) -> str:
    entities = extract_entities(text)
    kept = entities.text
    for url in reversed(entities.urls):
        kept = kept[: url.start] + kept[url.end :]
    return kept


def language_tag(brief: Brief) -> str:
    """Return the value of HTML's `lang` for the texts; empty if the language is not known.

    Browsers choose the forms of Chinese and Japanese characters by the language.
    """
    code = language_code(brief.language)
    return code if _LANGUAGE_TAG.fullmatch(code) else ""


@dataclass(frozen=True, slots=True)
class DraftCard:
    """A stored draft as the pages show it."""

    draft: Draft
    has_model: bool
    """Whether a language model is set, which most improvements need."""
    post: Post | None = None
    """The post that the draft's approval has scheduled, if it is known."""

    @property
    def parts(self) -> list[ShownPart]:
        """The parts as X shows them."""
        return show_parts(self.draft.parts)

    @property
    def evidence(self) -> list[Evidence]:
        """Each sentence with its facts."""
        return list_evidence(self.draft.brief, self.draft.sentences, self.draft.doubts)

    @property
    def price(self) -> PostingPrice:
        """The prices of posting the draft."""
        media = {each.part for each in self.draft.media}
        return price_posting(self.draft.parts, self.draft.brief, media=sorted(media))

    @property
    def language(self) -> str:
        """The language of the texts as HTML's `lang`."""
        return language_tag(self.draft.brief)

    @property
    def broken(self) -> list[Verdict]:
        """The rules that the draft breaks; only a person's edit can break one."""
        return [each for each in self.draft.verdicts if not each.ok]

    @property
    def unjudged(self) -> list[Verdict]:
        """The rules that cannot be judged in the brief's language."""
        return [each for each in self.draft.verdicts if not each.judged]

    @property
    def can_be_approved(self) -> bool:
        """Whether the draft waits for a person, or its post was cancelled."""
        if self.draft.state is DraftState.APPROVED:
            return self.post is not None and self.post.state is PostState.CANCELLED
        return self.draft.state is DraftState.DRAFT

    @property
    def improvements(self) -> list[str]:
        """The instructions that have a button."""
        found = ["shorter"]
        if self.has_model:
            found.append("warmer")
            if len(self.draft.parts) == 1:
                found.append("as a thread")
        if self.price.has_link:
            found.append("without the link")
        return found
