"""Limits the earlier periods with which a report compares its figures."""

from dataclasses import replace

from roost.insights.reports.figures import ComparedFigure
from roost.insights.reports.model import Report, SubjectReport, find_figures
from roost.models import ComparedPeriods


def limit_comparisons(report: Report, compare: ComparedPeriods) -> Report:
    """Return a copy of a report with only the comparisons that `compare` names.

    A next step is also removed if its evidence is a figure of a removed comparison.
    """
    if compare is ComparedPeriods.BOTH:
        return report
    return replace(report, subjects=tuple(_limit(each, compare) for each in report.subjects))


def _limit(subject: SubjectReport, compare: ComparedPeriods) -> SubjectReport:
    limited = replace(
        subject,
        figures={name: _limit_figure(each, compare) for name, each in subject.figures.items()},
    )
    known = {figure.key for figure in find_figures(limited)}
    steps = tuple(step for step in subject.next_steps if known.issuperset(step.evidence))
    return replace(limited, next_steps=steps)


def _limit_figure(figure: ComparedFigure, compare: ComparedPeriods) -> ComparedFigure:
    return replace(
        figure,
        previous=figure.previous if compare is ComparedPeriods.PREVIOUS else None,
        year_before=figure.year_before if compare is ComparedPeriods.YEAR else None,
    )
