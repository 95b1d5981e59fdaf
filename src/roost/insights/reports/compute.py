"""Computes a report from the stored records of its accounts, such as their snapshots."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from roost.insights.reports.coverage import list_days, measure_coverage
from roost.insights.reports.definitions import DEFINITIONS, SUBJECT_FIGURES
from roost.insights.reports.figure_maker import FigureMaker, compare_all
from roost.insights.reports.figures import PeriodName
from roost.insights.reports.groups import break_down, measure_decay, measure_effects, table_hours
from roost.insights.reports.measured import MeasuredAccount, measure
from roost.insights.reports.model import (
    Report,
    ReportedPost,
    StepCode,
    Subject,
    SubjectKind,
    SubjectReport,
    find_figures,
)
from roost.insights.reports.next_steps import derive_next_steps
from roost.insights.reports.periods import DatePeriod, ReportPeriods, choose_periods
from roost.insights.reports.post_table import find_best, find_worst, report_posts
from roost.insights.reports.readings import closed_day
from roost.insights.reports.values import Value, compute_values
from roost.models import AccountRecords, IntegrationId, Spending

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """The parameters of a report: the tenant, the period, and the groups of accounts."""

    tenant_name: str
    period: DatePeriod
    made_at: datetime
    groups: Mapping[str, Sequence[IntegrationId]] = field(default_factory=dict)
    """The accounts of each named group. A name becomes a part of keys."""
    other_spending: Sequence[Spending] = ()
    """What X billed to the tenant for requests of no account."""
    has_tenant: bool = True
    """Whether the report has a part about all accounts together."""


@dataclass(frozen=True, eq=False)
class _Measurements:
    """The measured accounts and posts from which each subject's part of a report is made."""

    made_at: datetime
    periods: ReportPeriods
    accounts: dict[IntegrationId, MeasuredAccount]
    posts: dict[IntegrationId, tuple[ReportedPost, ...]]


def compute_report(records: Sequence[AccountRecords], request: ReportRequest) -> Report:
    """Compute the report for `request.period` from the records of the accounts.

    The records must begin eight days before the earliest compared period, so that the closing
    values before each period are known. A snapshot belongs to the day whose end is nearest to it;
    snapshots that belong to a day after the period are ignored.
    """
    periods = choose_periods(request.period, request.made_at)
    accounts = {
        each.integration.id: measure(each, request.period.zone, periods.comparable.last)
        for each in records
    }
    posts = {
        account_id: tuple(report_posts(account, request.period))
        for account_id, account in accounts.items()
    }
    measurements = _Measurements(request.made_at, periods, accounts, posts)
    subjects = tuple(
        _report_subject(subject, measurements, request.other_spending)
        for subject in _list_subjects(records, request)
    )
    used = {figure.name for figure in find_figures(subjects)}
    glossary = tuple(each for name, each in DEFINITIONS.items() if name in used)
    return Report(request.tenant_name, request.made_at, periods, subjects, glossary)


def without_costs(report: Report) -> Report:
    """Return a copy of the report without the figures and the next step about costs."""
    return replace(
        report,
        subjects=tuple(
            replace(
                each,
                figures={
                    name: figure
                    for name, figure in each.figures.items()
                    if not figure.definition.is_cost
                },
                next_steps=tuple(
                    step for step in each.next_steps if step.code is not StepCode.REVIEW_COST
                ),
            )
            for each in report.subjects
        ),
        glossary=tuple(each for each in report.glossary if not each.is_cost),
    )


def _list_subjects(records: Sequence[AccountRecords], request: ReportRequest) -> list[Subject]:
    known = [each.integration for each in records]
    ids = tuple(each.id for each in known)
    tenant = Subject("tenant", SubjectKind.TENANT, request.tenant_name, None, ids)
    groups = [
        Subject(
            f"group.{name}",
            SubjectKind.GROUP,
            name,
            None,
            tuple(each for each in ids if each in members),
        )
        for name, members in request.groups.items()
    ]
    accounts = [
        Subject(f"account.{each.id}", SubjectKind.ACCOUNT, each.name, each.username, (each.id,))
        for each in known
    ]
    return [*([tenant] if request.has_tenant else []), *groups, *accounts]


def _report_subject(
    subject: Subject, measurements: _Measurements, other_spending: Sequence[Spending]
) -> SubjectReport:
    periods = measurements.periods
    current = periods.current
    accounts = [measurements.accounts[each] for each in subject.accounts]
    spending = [each for account in accounts for each in account.records.spending]
    if subject.kind is SubjectKind.TENANT:
        spending += other_spending
    values = _compute_periods(accounts, periods, spending)
    published = sorted(
        (post for each in accounts for post in each.published(current.first, current.last)),
        key=lambda post: (post.sent_at, post.post_id),
    )
    posts = sorted(
        (post for each in subject.accounts for post in measurements.posts[each]),
        key=lambda post: (post.sent_at, post.post_id),
        reverse=True,
    )
    anomalies = [each for account in accounts for each in account.records.anomalies]
    maker = FigureMaker(subject.key)
    is_account = subject.kind is SubjectKind.ACCOUNT
    report = SubjectReport(
        subject=subject,
        coverage=measure_coverage(maker, accounts, periods, measurements.made_at),
        figures={name: compare_all(subject.key, name, values) for name in SUBJECT_FIGURES},
        days=list_days(maker, accounts, periods),
        breakdowns=break_down(maker, published, current.last),
        hours=table_hours(maker, published, current),
        decay=measure_decay(maker, accounts, current),
        effects=measure_effects(maker, published, current.last) if is_account else (),
        posts=tuple(posts),
        best=find_best(posts),
        worst=find_worst(posts),
        anomalies=tuple(
            sorted((each for each in anomalies if each.day in current), key=lambda each: each.day)
        ),
        next_steps=(),
    )
    return replace(report, next_steps=derive_next_steps(report))


def _compute_periods(
    accounts: Sequence[MeasuredAccount], periods: ReportPeriods, spending: Sequence[Spending]
) -> dict[PeriodName, dict[str, Value]]:
    """Return the values of all figures for the current period and the measured earlier ones.

    An earlier period was measured if each account has a snapshot that belongs to the first day of
    this period or to an earlier day. Accounts without any snapshot are ignored here. If no day of
    the current period is closed, only the current period has values.
    """
    values = {PeriodName.CURRENT: compute_values(accounts, periods.current, spending)}
    if periods.comparable.days < 1:
        return values
    values[PeriodName.COMPARABLE] = compute_values(accounts, periods.comparable, spending)
    for name, period in (
        (PeriodName.PREVIOUS, periods.previous),
        (PeriodName.YEAR_BEFORE, periods.year_before),
    ):
        measured = [each for each in accounts if _first_day(each) is not None]
        if measured and all(_is_covered(each, period) for each in measured):
            values[name] = compute_values(accounts, period, spending)
    return values


def _is_covered(account: MeasuredAccount, period: DatePeriod) -> bool:
    """Whether an account's first snapshot belongs to a period's first day or an earlier day."""
    first = _first_day(account)
    return first is not None and first <= period.first


def _first_day(account: MeasuredAccount) -> date | None:
    """Return the day to which the earliest snapshot of an account and its posts belongs."""
    times = [each.at for each in account.records.account]
    times += [each.at for each in account.records.snapshots]
    return closed_day(min(times), account.zone) if times else None
