"""Summarizes an account or a group of accounts in a few paragraphs of computed facts.

A fact is one or more sentences with named slots, such as `{impressions}`. Code computes the text of
each slot: a number with its noun, or a comparison with its direction. By default, the sentences are
those of the language file (`narrate`). A language model may write other sentences with the same
slots (`tell_facts`). The slots are filled in the same way in both cases.
"""

import math
import re
import string
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from roost.insights.reports.document import Inline, Link, Printed, Text
from roost.insights.reports.figures import ComparedFigure, Comparison, Figure, Quality
from roost.insights.reports.model import (
    Day,
    PostReason,
    ReportedPost,
    SubjectKind,
    SubjectReport,
    Verdict,
)
from roost.insights.reports.words import Words, find_slots, join_texts
from roost.models import Anomaly, Metric
from roost.tweet_urls import tweet_url

#: The slot for the name of the account. A model may use it in addition to the facts' slots.
ACCOUNT_SLOT: Final = "account"
_SLOT: Final = "narrative.slot"
_HIDDEN: Final = "…"
_KNOWN: Final = (Quality.MEASURED, Quality.IMPORTED)
#: The most characters of a post that a narrative quotes. A longer text is cut after a word.
_MAX_TITLE: Final = 60
#: The number of posts per week is stated only for longer periods. In a week, it would repeat the
#: number of posts.
_WEEK_DAYS: Final = 7


class FactName(StrEnum):
    """The facts of a narrative, in their order. A narrative has four to seven of them."""

    GAINED = "gained"
    FOLLOWERS = "followers"
    PUBLISHED = "published"
    BEST_POST = "best_post"
    EFFECT = "effect"
    """A comparison of posts that allows a claim."""
    ANOMALY = "anomaly"
    COVERAGE = "coverage"
    """What was not measured."""


#: The facts of each paragraph.
_PARAGRAPHS: Final = (
    (FactName.GAINED, FactName.FOLLOWERS),
    (FactName.PUBLISHED, FactName.BEST_POST, FactName.EFFECT),
    (FactName.ANOMALY, FactName.COVERAGE),
)


@dataclass(frozen=True, slots=True)
class NarrativeFact:
    """A fact in the words of the language file, with slots such as `{impressions}`."""

    name: FactName
    text: str
    """One or more sentences."""
    slots: Mapping[str, Text] = field(default_factory=dict)
    """What each slot of the sentences says."""
    caveat: str = ""
    """A text without slots that follows the fact in every wording."""
    is_fixed: bool = False
    """Whether no model may reword the fact, because it says what was not measured."""


def narrate(subject: SubjectReport, words: Words) -> tuple[Text, ...]:
    """Return the paragraphs about a subject, in the sentences of the language file."""
    facts = choose_facts(subject, words)
    paragraphs = (
        " ".join(
            sentence
            for fact in facts
            if fact.name in names
            for sentence in (fact.text, fact.caveat)
            if sentence
        )
        for names in _PARAGRAPHS
    )
    return fill_paragraphs(facts, [each for each in paragraphs if each])


def tell_facts(
    subject: SubjectReport, facts: Sequence[NarrativeFact], written: Sequence[str]
) -> tuple[Text, ...]:
    """Return the paragraphs that a model has written, and the facts that it left out.

    These facts are in a last paragraph: each fact of which the model used no slot, and all caveats.
    Fixed facts are always among them, because the model does not get their slots.
    """
    used = {slot for paragraph in written for slot in find_slots(paragraph)}
    rest = []
    for fact in facts:
        if not used.intersection(fact.slots):
            rest.append(fact.text)
        rest.append(fact.caveat)
    last = " ".join(each for each in rest if each)
    name = subject.subject.name
    account = f"@{subject.subject.username}" if subject.subject.username else name
    paragraphs = [*written, last] if last else written
    return fill_paragraphs(facts, paragraphs, {ACCOUNT_SLOT: (account,)})


def fill_paragraphs(
    facts: Sequence[NarrativeFact],
    paragraphs: Sequence[str],
    names: Mapping[str, Text] = MappingProxyType({}),
) -> tuple[Text, ...]:
    """Fill the slots of paragraphs with the texts of the facts' slots and with `names`.

    A slot that begins a sentence gets a capital letter.
    """
    slots = dict(names) | {name: text for fact in facts for name, text in fact.slots.items()}
    return tuple(_fill(each, slots) for each in paragraphs)


def describe_slots(fact: NarrativeFact, words: Words) -> dict[str, str]:
    """Return each slot's text for a model, with `…` for numbers, dates, names and post texts.

    The model does not get the text of a post, because it could contain instructions to the model.
    """
    slots = {
        name: "".join(each if isinstance(each, str) else _HIDDEN for each in text)
        for name, text in fact.slots.items()
    }
    if "best_post" in slots:
        slots["best_post"] = words.say(f"{_SLOT}.best_post", text=_HIDDEN)
    return slots


def choose_facts(subject: SubjectReport, words: Words) -> tuple[NarrativeFact, ...]:
    """Return the facts about a subject that its narrative states.

    If a figure is missing or partial, the fact says only this, without the number.
    """
    rules = (_gained, _followers, _published, _best_post, _effect, _anomaly, _coverage)
    facts = (rule(subject, words) for rule in rules)
    return tuple(fact for fact in facts if fact is not None)


@dataclass
class _Draft:
    """Collects the sentences, slots and caveats of a fact, until the fact is complete."""

    words: Words
    sentences: list[str] = field(default_factory=list)
    slots: dict[str, Text] = field(default_factory=dict)
    caveats: list[str] = field(default_factory=list)

    def say(self, key: str, **slots: Text) -> None:
        """Add a phrase of the language file, with the texts of all slots of the phrase."""
        phrase = self.words.phrases[f"narrative.{key}"]
        if find_slots(phrase) != set(slots):
            raise ValueError(f"The phrase narrative.{key} must have the slots {sorted(slots)}.")
        self.sentences.append(phrase)
        self.slots |= slots

    def add_caveat(self, key: str) -> None:
        """Add a phrase that the narrative states even if a model rewords the fact."""
        self.caveats.append(self.words.phrases[f"narrative.{key}"])

    def finish(self, name: FactName, *, is_fixed: bool = False) -> NarrativeFact:
        """Return the fact. A fact without slots is always fixed: no model rewords it."""
        text, caveat = " ".join(self.sentences), " ".join(self.caveats)
        return NarrativeFact(name, text, self.slots, caveat, is_fixed or not self.slots)


def _gained(subject: SubjectReport, words: Words) -> NarrativeFact:
    draft = _Draft(words)
    impressions = subject.figures["gained.impressions"]
    engagements = subject.figures["gained.engagements"]
    slots = {
        name: _count(words, name, each.current)
        for name, each in (("impressions", impressions), ("engagements", engagements))
        if _is_known(each.current)
    }
    if slots:
        draft.say(f"gained.{'_and_'.join(slots)}", **slots)
    for name, each in (("impressions", impressions), ("engagements", engagements)):
        if name not in slots:
            draft.add_caveat(f"gained.{_gap(each.current)}_{name}")
    change = _compare(subject, words, "impressions", impressions)
    if "impressions" in slots and change:
        draft.say("gained.change", impressions_change=change)
    return draft.finish(FactName.GAINED)


def _followers(subject: SubjectReport, words: Words) -> NarrativeFact:
    draft = _Draft(words)
    total = subject.figures["followers.end"].current
    balance = subject.figures["followers.change"].current
    if not _is_known(total):
        draft.add_caveat(f"followers.{_gap(total)}")
    elif _is_known(balance):
        count = _count(words, "followers", total)
        signed = _signed_count(words, "follower_balance", balance)
        draft.say("followers.balance", followers=count, follower_balance=signed)
    else:
        draft.say("followers.total", followers=_count(words, "followers", total))
    return draft.finish(FactName.FOLLOWERS)


def _published(subject: SubjectReport, words: Words) -> NarrativeFact:
    draft = _Draft(words)
    posts = subject.figures["activity.posts"]
    frequency = subject.figures["activity.posts_per_week"].current
    median = subject.figures["published.median_impressions"].current
    who = "account" if subject.subject.kind is SubjectKind.ACCOUNT else "accounts"
    count = _count(words, "posts", posts.current)
    if float(subject.coverage.days.value or 0) > _WEEK_DAYS and _is_known(frequency):
        rate = words.text(f"{_SLOT}.posts_per_week", number=words.figure(frequency))
        draft.say(f"published.{who}_per_week", posts=count, posts_per_week=rate)
    else:
        draft.say(f"published.{who}", posts=count)
    change = _compare(subject, words, "posts", posts)
    if change:
        draft.say("published.change", posts_change=change)
    if _is_known(median):
        count = _count(words, "median_impressions", median)
        draft.say("published.median", median_impressions=count)
    return draft.finish(FactName.PUBLISHED)


def _best_post(subject: SubjectReport, words: Words) -> NarrativeFact | None:
    post = next((each for each in subject.posts if each.post_id in subject.best[:1]), None)
    if post is None or post.standing is None or not _is_known(post.standing.factor):
        return None
    draft = _Draft(words)
    title = _title(post, words)
    factor = _multiple(words, post.standing.reasons[0])
    impressions = post.metrics.get(Metric.IMPRESSIONS)
    if impressions is not None and _is_known(impressions):
        count = _count(words, "impressions", impressions)
        draft.say("best_post.impressions", best_post=title, best_impressions=count)
        draft.say("best_post.factor", best_factor=factor)
    else:
        draft.say("best_post.title", best_post=title, best_factor=factor)
    reason = next((each for each in post.standing.reasons[1:] if _is_above(each.factor)), None)
    if reason is not None:
        draft.say("best_post.reason", best_reason=_multiple(words, reason))
    return draft.finish(FactName.BEST_POST)


def _effect(subject: SubjectReport, words: Words) -> NarrativeFact | None:
    claims = [
        effect
        for effect in subject.effects
        if effect.verdict in (Verdict.MORE, Verdict.LESS) and effect.factor.value
    ]
    if not claims:
        return None
    strongest = max(claims, key=lambda each: abs(math.log(float(each.factor.value or 1))))
    factor = words.figure(strongest.factor)
    draft = _Draft(words)
    claim = words.text(f"{_SLOT}.effect.{strongest.name}", factor=factor)
    draft.say("effect.claim", effect=claim)
    draft.add_caveat("effect.caveat")
    return draft.finish(FactName.EFFECT)


def _anomaly(subject: SubjectReport, words: Words) -> NarrativeFact | None:
    found = [
        (abs(anomaly.score), day)
        for anomaly, day in _days_of(subject.anomalies, subject.days)
        if _is_known(day.follower_change)
    ]
    if not found:
        return None
    day = max(found, key=lambda each: each[0])[1]
    change = _signed_count(words, "anomaly", day.follower_change, day=(words.day(day.day),))
    draft = _Draft(words)
    draft.say("anomaly.several" if len(found) > 1 else "anomaly.single", anomaly=change)
    return draft.finish(FactName.ANOMALY)


def _coverage(subject: SubjectReport, words: Words) -> NarrativeFact:
    coverage = subject.coverage
    draft = _Draft(words)
    if coverage.gap_days:
        measured = words.figure(coverage.measured_days)
        days = words.plural(f"{_SLOT}.measured_days", coverage.closed_days, measured=measured)
        draft.say("coverage.days", measured_days=days)
    if _value(coverage.measured_posts) < _value(coverage.posts):
        measured = words.figure(coverage.measured_posts)
        posts = words.plural(f"{_SLOT}.measured_posts", coverage.posts, measured=measured)
        draft.say("coverage.posts", measured_posts=posts)
    if not draft.sentences:
        draft.say("coverage.complete")
    if coverage.imported_days:
        draft.say("coverage.imported")
    if coverage.open_days:
        draft.say("coverage.open")
    return draft.finish(FactName.COVERAGE, is_fixed=True)


def _count(words: Words, name: str, figure: Figure) -> Text:
    """Return a number with its noun, such as `1 post`."""
    return words.plural(f"{_SLOT}.{name}", figure)


def _signed_count(words: Words, name: str, figure: Figure, **values: Text) -> Text:
    """Return a number with its sign and its noun, such as `+35 followers on balance`."""
    category = words.locale.plural_form(abs(_value(figure)))
    number = words.figure(figure, signed=True)
    return words.text(f"{_SLOT}.{name}.{category}", number=number, **values)


def _multiple(words: Words, reason: PostReason) -> Text:
    factor = words.figure(reason.factor)
    return words.text(f"{_SLOT}.usual.{reason.metric}", factor=factor)


def _compare(
    subject: SubjectReport, words: Words, name: str, compared: ComparedFigure
) -> Text | None:
    """Return a comparison with the previous period; None if one of the figures is not known.

    The figures decide the direction, such as “more”. The number is the relative change. If the
    earlier figure is zero, or the relative change would be rounded to zero, the number is the
    difference.
    """
    comparison = compared.previous
    if comparison is None or not _is_known(comparison.difference):
        return None
    key = f"{_SLOT}.{name}_{'part' if subject.coverage.open_days else 'period'}"
    difference = _value(comparison.difference)
    if not difference:
        return words.text(f"{key}.same")
    direction = "more" if difference > 0 else "fewer"
    return words.text(f"{key}.{direction}", change=_change(comparison, words))


def _change(comparison: Comparison, words: Words) -> Printed:
    change = words.figure(comparison.change, signed=True)
    is_rounded_to_zero = not re.search("[1-9]", change.text)
    if not _is_known(comparison.change) or is_rounded_to_zero:
        return words.figure(comparison.difference, signed=True)
    return change


def _title(post: ReportedPost, words: Words) -> Text:
    """Return the phrase for the best post, with the beginning of the post's text."""
    text = " ".join(post.text.split())
    if len(text) > _MAX_TITLE:
        text = text[:_MAX_TITLE].rpartition(" ")[0] or text[:_MAX_TITLE]
        text = f"{text.rstrip()} …"
    title = text or words.phrases[f"{_SLOT}.untitled"]
    named = Link(title, tweet_url(post.first_tweet)) if post.is_live else title
    return words.text(f"{_SLOT}.{'best_post' if text else 'best_post_untitled'}", text=named)


def _days_of(anomalies: Sequence[Anomaly], days: Sequence[Day]) -> Iterator[tuple[Anomaly, Day]]:
    by_date = {day.day: day for day in days}
    for anomaly in anomalies:
        if anomaly.metric is Metric.FOLLOWERS and anomaly.day in by_date:
            yield anomaly, by_date[anomaly.day]


def _is_known(figure: Figure) -> bool:
    return figure.value is not None and figure.quality in _KNOWN


def _is_above(figure: Figure) -> bool:
    return _is_known(figure) and _value(figure) > 1


def _value(figure: Figure) -> float:
    return float(figure.value or 0)


def _gap(figure: Figure) -> str:
    """Return the part of a phrase's name that says why a figure is not stated."""
    return "partial" if figure.quality is Quality.PARTIAL else "missing"


def _fill(paragraph: str, slots: Mapping[str, Text]) -> Text:
    """Fill the slots of a paragraph; a slot that begins a sentence gets a capital letter."""
    parts: list[Inline | Text] = []
    for literal, name, _, _ in string.Formatter().parse(paragraph):
        parts.append(literal)
        if name is not None:
            is_first = len(parts) == 1 and not literal
            begins = is_first or literal.rstrip().endswith(".")
            parts.append(_capitalize(slots[name]) if begins else slots[name])
    return join_texts(*parts)


def _capitalize(text: Text) -> Text:
    first = text[0]
    return (first[:1].upper() + first[1:], *text[1:]) if isinstance(first, str) else text
