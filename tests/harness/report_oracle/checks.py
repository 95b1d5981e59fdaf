"""Compares the figures of a report, and those of each of its forms, with the oracle's."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from harness.report_oracle.database import ReportDatabase
from harness.report_oracle.figures import compute_figures
from harness.report_oracle.oracle import Subject, Tables, Value
from harness.report_oracle.parsers import (
    Keyed,
    Parsed,
    join_numbers,
    parse_csvs,
    parse_html,
    parse_markdown,
    parse_pdf,
    parse_printed,
    parse_xlsx,
)
from harness.report_oracle.rows import StoredWorld
from harness.report_oracle.worlds import PlannedWorld
from roost.insights.reports.content.build import build_document
from roost.insights.reports.document import Document, Table
from roost.insights.reports.figures import Figure, Quality
from roost.insights.reports.forms.csv import render_csvs
from roost.insights.reports.forms.html import render_html
from roost.insights.reports.forms.markdown import render_markdown
from roost.insights.reports.forms.pdf import render_pdf
from roost.insights.reports.forms.xlsx import render_xlsx
from roost.insights.reports.model import Report
from roost.insights.reports.words import load_words

#: The relative error of rates, means and other numbers that are not whole.
_TOLERANCE: Final = 1e-9
#: Stands for a chart, whose axis ticks are no figures.
_PICTURE: Final = '<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"/>'
#: Times and dates, which need no key.
_MOMENT: Final = re.compile(r"\d{1,2}[:.]\d{2}|\d{2}:\d{2}:\d{2}(\.\d+)?|\d{4}-\d{2}-\d{2}")
#: The forms that show only the first rows of long tables.
_PAGED: Final = ("html", "markdown", "pdf")


@dataclass
class Findings:
    """How many figures were compared, and which differ."""

    figures: Counter[str] = field(default_factory=Counter)
    """The compared figures of each form; `report` has those of the report itself."""
    differences: list[str] = field(default_factory=list)
    unkeyed: list[str] = field(default_factory=list)
    identities: int = 0
    broken_identities: list[str] = field(default_factory=list)

    @property
    def recomputed(self) -> float:
        """The share of the figures that equal the oracle's, and of the texts without a key."""
        total = sum(self.figures.values()) + len(self.unkeyed)
        return 1 - (len(self.differences) + len(self.unkeyed)) / max(total, 1)

    @property
    def identity_holds(self) -> float:
        """The share of the accounts and metrics of which the sum of gains is right."""
        return 1 - len(self.broken_identities) / max(self.identities, 1)


async def check_world(
    database: ReportDatabase, planned: PlannedWorld, stored: StoredWorld, findings: Findings
) -> None:
    """Compare the report on a world, and its forms, with the oracle's figures."""
    report = await database.make_report(planned, stored)
    tables = Tables(database.admin, planned.zone.key, planned.now)
    subjects = [
        Subject(
            each.subject.key,
            stored.tenant,
            list(each.subject.accounts),
            each.subject.key == "tenant",
        )
        for each in report.subjects
    ]
    expected = compute_figures(tables, subjects, planned.first, planned.last)
    source = f"world {planned.seed}"
    for figure in report.figures.values():
        findings.figures["report"] += 1
        if figure.key not in expected or not is_equal(figure.value, expected[figure.key]):
            findings.differences.append(
                f"{source}: {figure.key}: expected {expected.get(figure.key, 'no such figure')},"
                f" got {figure.value} ({figure.quality})"
            )
    _check_identities(tables, planned, report, findings)
    language = "de" if planned.seed % 2 else "en"
    document = build_document(report, load_words(language), with_costs=planned.seed % 5 != 0)
    _check_document(document, report, expected, findings, source)


def is_equal(got: Value, expected: Value) -> bool:
    """Compare two values: counts and dollars exactly, other numbers with a relative tolerance."""
    if got is None or expected is None:
        return got is expected
    if isinstance(got, int) and isinstance(expected, int):
        return got == expected
    if isinstance(got, Decimal) and isinstance(expected, Decimal) and got == expected:
        return True
    return abs(float(got) - float(expected)) <= _TOLERANCE * max(
        abs(float(got)), abs(float(expected))
    )


def render_forms(document: Document) -> dict[str, Parsed]:
    """Render a document in each form without its charts, and read the figures back."""
    names = [chart.name for chart in _walk(document, "Chart")]
    return {
        "html": parse_html(render_html(document, dict.fromkeys(names, _PICTURE))),
        "markdown": parse_markdown(render_markdown(document)),
        "pdf": parse_pdf(render_pdf(document, {})),
        "xlsx": parse_xlsx(render_xlsx(document)),
        "csv": parse_csvs(render_csvs(document)),
    }


def _check_document(
    document: Document,
    report: Report,
    expected: Mapping[str, Value],
    findings: Findings,
    source: str,
) -> None:
    allowed = _allowed_numbers(document, report)
    for form, parsed in render_forms(document).items():
        name = f"{source}, {form}"
        findings.differences += [f"{name}: {fault}" for fault in parsed.faults]
        for keyed in parsed.figures:
            findings.figures[form] += 1
            if (problem := _find_problem(keyed, expected, document.language)) is not None:
                findings.differences.append(f"{name}: {keyed.key}: {problem}")
        printed = {each.key for each in _walk(document, "Printed", is_paged=form in _PAGED)}
        missing = printed - {keyed.key for keyed in parsed.figures}
        findings.differences += [f"{name}: {key} is missing" for key in sorted(missing)]
        others = {number for number in parsed.other_numbers if not _MOMENT.fullmatch(number)}
        findings.unkeyed += [f"{name}: {number}" for number in sorted(others - allowed)]


def _find_problem(keyed: Keyed, expected: Mapping[str, Value], language: str) -> str | None:
    """Return what is wrong with a figure of a form; None if nothing is."""
    if keyed.key not in expected:
        return "no such figure"
    value = expected[keyed.key]
    if (keyed.raw == "") != (value is None):
        return f"expected {value}, got {keyed.raw!r}"
    if value is not None:
        # A spreadsheet stores binary numbers, also for dollars.
        got: Value = Decimal(keyed.raw) if isinstance(value, Decimal) else float(keyed.raw)
        if not is_equal(got, value):
            return f"expected {value}, got {keyed.raw}"
    if keyed.printed is None:
        return None
    shown = parse_printed(keyed.printed, language)
    if (shown is None) != (value is None):
        return f"{value} is printed as {keyed.printed!r}"
    if shown is not None and value is not None and abs(shown[0] - float(value)) > shown[1]:
        return f"{value} is printed as {keyed.printed!r}"
    return None


def _allowed_numbers(document: Document, report: Report) -> set[str]:
    """Return the numbers that need no key.

    They are in dates, fixed words, names, ids, texts of posts and intervals.
    """
    texts = [each.text for each in _walk(document, "Moment")]
    texts += [each.text for each in _walk(document, "Link")]
    texts += [
        *(report.tenant_name, report.periods.current.zone.key, document.subtitle),
        *(document.made, document.title),
    ]
    texts += [each.name for kind in ("Section", "Table") for each in _walk(document, kind)]
    for each in report.subjects:
        texts += [each.subject.name, each.subject.username or ""]
        texts += [post.text for post in each.posts]
    words = load_words(document.language)
    texts += [
        words.interval(effect.low or 0, effect.high or 0)
        for each in report.subjects
        for effect in each.effects
    ]
    return join_numbers([*texts, *words.phrases.values()])


def _walk(content: Any, kind: str, *, is_paged: bool = False) -> Iterator[Any]:
    """Yield every object of a type in a document, at any depth.

    If `is_paged` is true, the rows of tables that a page does not show are left out.
    """
    if type(content).__name__ == kind:
        yield content
    if isinstance(content, Table) and is_paged:
        content = replace(content, rows=content.rows[: content.shown_rows], shown_rows=None)
    if isinstance(content, tuple):
        for each in content:
            yield from _walk(each, kind, is_paged=is_paged)
    else:
        for name in getattr(type(content), "__dataclass_fields__", ()):
            yield from _walk(getattr(content, name), kind, is_paged=is_paged)


def _check_identities(
    tables: Tables, planned: PlannedWorld, report: Report, findings: Findings
) -> None:
    """Compare the sum of the gains with the difference of the lifetime values."""
    for each in report.subjects:
        for metric in ("impressions", "engagements"):
            findings.identities += 1
            total = each.figures[f"gained.{metric}"].current
            undated = each.figures[f"gained.{metric}_undated"].current
            days = [getattr(day, metric).value or 0 for day in each.days]
            source = f"world {planned.seed}: {total.key}"
            if total.value is None:
                if total.quality is not Quality.MISSING:
                    findings.broken_identities.append(f"{source}: no value, but not missing")
                continue
            if sum(days) + _number(undated) != total.value:
                findings.broken_identities.append(
                    f"{source}: {sum(days)} + {undated.value} is not {total.value}"
                )
            (row,) = tables.fetch(
                "lifetime",
                {"metric": metric},
                accounts=list(each.subject.accounts),
                last=planned.last,
                before=planned.first - timedelta(days=1),
            )
            lifetime = row["difference"]
            if total.quality is Quality.MEASURED and lifetime != total.value:
                findings.broken_identities.append(
                    f"{source}: {total.value}, but lifetime values differ by {lifetime}"
                )


def _number(figure: Figure) -> int:
    return int(figure.value or 0)
