"""A draft under examination, and everything that the validators compare it with."""

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from roost.agents.brief import Brief, Fact
from roost.agents.clock_words import write_times_as_digits
from roost.agents.language_names import language_code
from roost.agents.lexicons import Lexicon, find_lexicon
from roost.agents.quantities import Quantity, extract_quantities
from roost.agents.terms import Term, Vocabulary, content_terms, fold_quotes
from roost.agents.written import CitedSentence
from roost.text import Entities, extract_entities


@dataclass(frozen=True, slots=True)
class Candidate:
    """A draft that is assembled, with its link and tags, and not yet released."""

    parts: tuple[str, ...]
    sentences: tuple[CitedSentence, ...]


class Context:
    """A brief, and what the validators know besides."""

    def __init__(
        self,
        brief: Brief,
        *,
        recent_posts: Sequence[str] = (),
        instructions: Sequence[str] = (),
        feedback: Sequence[str] = (),
        withheld: Sequence[str] = (),
        translates: bool = False,
    ) -> None:
        """Keep what drafts are compared with.

        `instructions` are the writer's own words in the prompts, `feedback` the findings that a
        model was asked to repair, and `withheld` texts of the brief that are no data. `translates`
        says that the facts are in another language than the draft.
        """
        self.brief = brief
        self.recent_posts = tuple(recent_posts)
        self.instructions = tuple(instructions)
        self.feedback = tuple(feedback)
        self.withheld = tuple(withheld)
        self.translates = translates
        self.language = language_code(brief.language)
        self.lexicon: Lexicon | None = find_lexicon(self.language)
        self.accepted: list[Candidate] = []
        """The drafts of the same batch that are already released."""
        self._facts = {fact.id: fact.text for fact in brief.facts}
        self._vocabularies: dict[tuple[str, ...], Vocabulary] = {}
        self._quantities: dict[str, list[Quantity]] = {}

    @functools.cached_property
    def brief_texts(self) -> tuple[str, ...]:
        """The texts of the brief whose words a draft may use without a citation."""
        brief = self.brief
        fixed = (brief.topic, brief.audience, brief.call_to_action, brief.compliance.disclaimer)
        tags = (*brief.tags, *brief.tags_allowed)
        return (*fixed, *brief.require, *tags, *brief.mentions_allowed, brief.account)

    @functools.cached_property
    def all_texts(self) -> tuple[str, ...]:
        """All texts of the brief that drafts are made of; examples and sources are not."""
        return (*self._facts.values(), *self.brief_texts, self.brief.goal)

    @functools.cached_property
    def folded_texts(self) -> str:
        """All these texts, folded."""
        return " \n ".join(fold_quotes(text) for text in self.all_texts)

    @functools.cached_property
    def brief_vocabulary(self) -> Vocabulary:
        """The words of `brief_texts`. Requires a lexicon."""
        return Vocabulary((*self.brief_texts, self.brief.goal), self.require_lexicon())

    @functools.cached_property
    def vocabulary(self) -> Vocabulary:
        """The words of `all_texts`. Requires a lexicon."""
        return Vocabulary(self.all_texts, self.require_lexicon())

    def require_lexicon(self) -> Lexicon:
        """Return the lexicon of a validator that is called only if there is one."""
        assert self.lexicon is not None
        return self.lexicon

    def cited(self, sentence: CitedSentence) -> tuple[str, ...]:
        """Return the texts of the facts that a sentence cites."""
        return tuple(self._facts[each] for each in sentence.fact_ids if each in self._facts)

    def repeats_facts(self, sentence: CitedSentence) -> bool:
        """Whether a sentence is its facts word for word, perhaps after the topic of the brief."""
        cited = [fold_quotes(fact).rstrip(" .。") for fact in self.cited(sentence)]
        rest = fold_quotes(self.claim_text(sentence.text))
        if not cited or not all(fact in rest for fact in cited):
            return False
        for fact in cited:
            rest = rest.replace(fact, " ")
        return all(self.brief_vocabulary.has(term) for term in self.content(rest))

    def has_fact(self, fact_id: str) -> bool:
        """Whether the brief has a fact with this id."""
        return fact_id in self._facts

    def find_fact_with(self, quantity: Quantity) -> Fact | None:
        """Return the first fact of the brief that has a quantity; None if no fact has it.

        A number before a noun is no time of day here: `2 prints` is not `from 2 pm`.
        """
        for fact in self.brief.facts:
            for each in self.quantities(fact.text):
                if quantity.is_supported_by(each) and (
                    quantity.unit == each.unit or not quantity.nouns
                ):
                    return fact
        return None

    def fact_vocabulary(self, texts: tuple[str, ...]) -> Vocabulary:
        """Return the words of some facts. Requires a lexicon."""
        if texts not in self._vocabularies:
            self._vocabularies[texts] = Vocabulary(texts, self.require_lexicon())
        return self._vocabularies[texts]

    def quantities(self, text: str) -> list[Quantity]:
        """Return the quantities of a text."""
        if text not in self._quantities:
            self._quantities[text] = extract_quantities(text, self.lexicon)
        return self._quantities[text]

    def claim_text(self, text: str) -> str:
        """Return a text without the brief's link and hashtags, which are no claims."""
        found = find_entities(text)
        fixed = [url for url in found.urls if url.value == self.brief.link]
        tags = {*self.brief.tags, *self.brief.tags_allowed}
        fixed += [hashtag for hashtag in found.hashtags if hashtag.value in tags]
        text = found.text
        for entity in sorted(fixed, key=lambda entity: entity.start, reverse=True):
            text = text[: entity.start] + text[entity.end :]
        disclaimer = self.brief.compliance.disclaimer
        if disclaimer:
            text = text.replace(disclaimer, " ")
        return re.sub(r"[ \t]+", " ", text).strip()

    def own_text(self, text: str) -> str:
        """Return a text without links, tags, mentions and the brief's disclaimer."""
        text = self.claim_text(text)
        for entity in reversed(find_entities(text).all()):
            text = text[: entity.start] + text[entity.end :]
        return text

    def content(self, text: str) -> list[Term]:
        """Return the terms of a text that claim something. Requires a lexicon."""
        lexicon = self.require_lexicon()
        return content_terms(write_times_as_digits(fold_quotes(text), lexicon.code), lexicon)


@functools.lru_cache(maxsize=256)
def find_entities(text: str) -> Entities:
    """Return the URLs, mentions, hashtags and cashtags of a text."""
    return extract_entities(text)
