"""What the sections about a subject share: its numbers, words and names of parts.

A subject is what a part of a report is about: one account, a group of accounts, or all accounts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from roost.insights.labels import shorten
from roost.insights.reports.content.charts import CHARTS
from roost.insights.reports.document import (
    Block,
    Chart,
    Column,
    Inline,
    Link,
    Moment,
    Paragraph,
    Section,
    Text,
    Tone,
)
from roost.insights.reports.model import Report, ReportedPost, SubjectKind, SubjectReport
from roost.insights.reports.words import Words
from roost.models import IntegrationId
from roost.text import has_text
from roost.tweet_urls import tweet_url

#: With more accounts, the page of a report would become too large to send.
_FEW_ACCOUNTS = 3
#: The charts whose numbers are in a table or a list beside the chart.
_REPEATING_CHARTS = ("posts", "effects")
#: A table cuts the text of a post after so many widths of a letter; a sentence cuts it earlier.
_TABLE_COLUMNS, _SENTENCE_COLUMNS = 200, 60


@dataclass(frozen=True, slots=True)
class SubjectContent:
    """One subject of a report, and the words in which it is described."""

    report: Report
    numbers: SubjectReport
    words: Words
    slug: str
    """The beginning of the names of the subject's sections, tables and charts."""
    narrative: tuple[Text, ...] = ()
    """The sentences of the summary."""

    @property
    def is_account(self) -> bool:
        """Whether the subject is a single account."""
        return self.numbers.subject.kind is SubjectKind.ACCOUNT

    @property
    def has_several_accounts(self) -> bool:
        """Whether the report has several accounts; its pages then show less about each subject."""
        return len(self.account_names) > 1

    @property
    def has_many_accounts(self) -> bool:
        """Whether the report has more than three accounts.

        Its pages then leave out the charts whose numbers are in a table or a list as well.
        """
        return len(self.account_names) > _FEW_ACCOUNTS

    @property
    def has_other_costs(self) -> bool:
        """Whether a cost of the subject differs from that of the report's first account."""
        account = next(
            each for each in self.report.subjects if each.subject.kind is SubjectKind.ACCOUNT
        )
        return any(
            figure.current.value != account.figures[name].current.value
            for name, figure in self.numbers.figures.items()
            if figure.definition.is_cost
        )

    @property
    def account_names(self) -> Mapping[IntegrationId, str]:
        """The username of each account of the report, with its at sign."""
        return {
            each.subject.accounts[0]: f"@{each.subject.username}"
            for each in self.report.subjects
            if each.subject.kind is SubjectKind.ACCOUNT
        }

    def name(self, part: str) -> str:
        """Return the name of a part, such as `account-17-posts`."""
        return f"{self.slug}-{part}"

    def section(self, part: str, *blocks: Block, sections: tuple[Section, ...] = ()) -> Section:
        """Return a section whose title is the phrase `section.<part>`."""
        title = self.words.say(f"section.{part}")
        return Section(self.name(part), title, blocks, sections)

    def paragraph(self, key: str, tone: Tone = Tone.PLAIN, **values: Inline | Text) -> Paragraph:
        """Return a phrase as a paragraph."""
        return Paragraph(self.words.text(key, **values), tone)

    def note(self, key: str, **values: Inline | Text) -> Paragraph:
        """Return a phrase as small print."""
        return self.paragraph(key, Tone.NOTE, **values)

    def column(self, key: str) -> Column:
        """Return a column of texts whose title is the phrase `column.<key>`."""
        return Column(self.words.say(f"column.{key}"))

    def charts(self, part: str) -> tuple[Chart, ...]:
        """Return the chart of a part; nothing if there are not enough values for a chart."""
        if self.has_many_accounts and part in _REPEATING_CHARTS:
            return ()
        draw = CHARTS.get(part)
        chart = draw(self.numbers, self.words) if draw else None
        return () if chart is None else (replace(chart, name=self.name(part)),)

    def moment(self, at: datetime, *, zone: bool = True) -> Moment:
        """Return a time in the time zone of the report."""
        local = at.astimezone(self.report.periods.current.zone)
        return self.words.moment(local, zone=zone)

    def post(self, post: ReportedPost, *, is_short: bool = False) -> Inline:
        """Return the text of a post on one line, with a link to the post if it is on X."""
        width = _SENTENCE_COLUMNS if is_short else _TABLE_COLUMNS
        text = shorten(post.text, width) if has_text(post.text) else self.words.say("post.no_text")
        if not post.is_live:
            return text
        return Link(text, tweet_url(post.first_tweet))
