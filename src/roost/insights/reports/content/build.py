"""Builds the document of a report in one language."""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from roost.insights.reports.compute import without_costs
from roost.insights.reports.content.events import describe_anomalies, describe_steps
from roost.insights.reports.content.glossary import make_glossary
from roost.insights.reports.content.patterns import (
    describe_decay,
    describe_effects,
    describe_groups,
    describe_hours,
)
from roost.insights.reports.content.performance import (
    describe_activity,
    describe_costs,
    describe_followers,
    describe_gains,
    describe_published,
)
from roost.insights.reports.content.posts import list_posts, rank_posts
from roost.insights.reports.content.subject import SubjectContent
from roost.insights.reports.content.summary import (
    describe_coverage,
    explain_emptiness,
    summarize,
)
from roost.insights.reports.document import Brand, Document, Section, Text
from roost.insights.reports.model import Report, Subject, SubjectKind
from roost.insights.reports.narrative import narrate
from roost.insights.reports.words import Words, plain_text

_DEFAULT_BRAND: Final = Brand()
_NO_NARRATIVES: Final[Mapping[str, tuple[Text, ...]]] = MappingProxyType({})
#: The subtitle names at most this many accounts.
_NAMED_ACCOUNTS: Final = 3


def build_document(
    report: Report,
    words: Words,
    *,
    brand: Brand = _DEFAULT_BRAND,
    with_costs: bool = True,
    narratives: Mapping[str, tuple[Text, ...]] = _NO_NARRATIVES,
) -> Document:
    """Return the document of a report.

    `narratives` has the sentences of summaries by the keys of their subjects; for another subject,
    the sentences of the language file are used. Without costs, the document has no figure, section
    or next step about money.
    """
    if not with_costs:
        report = without_costs(report)
    contents = (
        SubjectContent(
            report,
            numbers,
            words,
            slug,
            narratives.get(numbers.subject.key) or narrate(numbers, words),
        )
        for numbers, slug in zip(report.subjects, _choose_slugs(report), strict=True)
    )
    described = (_describe_subject(each) for each in contents)
    sections = tuple(each for each in described if each is not None)
    zone = report.periods.current.zone
    made_at = words.moment(report.made_at.astimezone(zone))
    return Document(
        language=words.language,
        title=brand.title or words.say("report.title", name=report.tenant_name),
        subtitle=_describe_scope(report, words),
        made=plain_text(words.text("report.made", at=made_at)),
        contents_title=words.say("report.contents"),
        brand=brand,
        sections=(*sections, make_glossary(report, words, sections)),
    )


def _describe_subject(content: SubjectContent) -> Section | None:
    """Return the section about a subject; None if another section has the same figures."""
    title = _name_subject(content.numbers.subject, content.words)
    if content.report.repeats_account(content.numbers):
        # All other figures of the tenant are those of its only account.
        costs = describe_costs(content) if content.has_other_costs else ()
        return Section(content.slug, title, (), costs) if costs else None
    if content.numbers.is_empty:
        return Section(content.slug, title, explain_emptiness(content))
    return Section(content.slug, title, summarize(content), tuple(_list_sections(content)))


def _list_sections(content: SubjectContent) -> Iterator[Section]:
    """Yield the sections in the order of reading: results, reasons, then what they rest on.

    Sections about the properties of posts are about one account only. Accounts differ in size, so a
    comparison of the posts of several accounts would compare the accounts.
    """
    yield describe_steps(content)
    yield describe_gains(content)
    yield describe_published(content)
    yield describe_followers(content)
    yield rank_posts(content)
    if content.is_account:
        yield from describe_groups(content)
        yield from describe_effects(content)
        yield from describe_hours(content)
        yield describe_decay(content)
    yield describe_anomalies(content)
    yield describe_activity(content)
    yield from describe_costs(content)
    if content.is_account:
        yield list_posts(content)
    yield describe_coverage(content)


def _name_subject(subject: Subject, words: Words) -> str:
    if subject.kind is SubjectKind.ACCOUNT:
        return words.say("subject.account", name=subject.name, username=f"@{subject.username}")
    return words.say(f"subject.{subject.kind}", name=subject.name)


def _choose_slugs(report: Report) -> Iterator[str]:
    """Yield a name for each subject that is unique, and right for links and files."""
    used: set[str] = set()
    for each in report.subjects:
        slug = stem = re.sub(r"\W+", "-", each.subject.key.lower()).strip("-")
        number = 2
        while slug in used:
            slug, number = f"{stem}-{number}", number + 1
        used.add(slug)
        yield slug


def _describe_scope(report: Report, words: Words) -> str:
    """Return the period and the accounts, such as `1 to 30 November 2026 · @larkbooks`."""
    current = report.periods.current
    names = [
        f"@{each.subject.username}"
        for each in report.subjects
        if each.subject.kind is SubjectKind.ACCOUNT
    ]
    is_short = len(names) <= _NAMED_ACCOUNTS
    accounts = ", ".join(names) if is_short else words.say("report.all_accounts")
    period = plain_text(words.days(current.first, current.last))
    return " · ".join(each for each in (period, accounts) if each)
