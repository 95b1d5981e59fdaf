"""Defines the forms of a report, and renders a document in a form."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from roost.errors import InvalidInput
from roost.extras import Extra, require_extra
from roost.insights.reports.document import Document


class Form(StrEnum):
    """The forms in which a report can be rendered."""

    HTML = "html"
    PDF = "pdf"
    MD = "md"
    XLSX = "xlsx"
    CSV = "csv"
    PNG = "png"
    PARQUET = "parquet"
    JSON = "json"


class FormUnknown(InvalidInput):
    """A file has a suffix that belongs to no form of a report, or to another form.

    An example of the latter is a report as PDF that should be written to `report.html`.
    """

    did = "No report was made."


@dataclass(frozen=True, slots=True)
class FormFacts:
    """The media type of a form, the extras that it needs, and whether it has several files."""

    media_type: str
    extras: tuple[Extra, ...] = ("reports",)
    has_files: bool = False
    """Whether a report has several files of this form: one per table, or one per chart."""


FORMS: Final[Mapping[Form, FormFacts]] = {
    Form.HTML: FormFacts("text/html"),
    Form.PDF: FormFacts("application/pdf", ("reports", "pdf")),
    Form.MD: FormFacts("text/markdown"),
    Form.XLSX: FormFacts("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    Form.CSV: FormFacts("text/csv", has_files=True),
    Form.PNG: FormFacts("image/png", has_files=True),
    Form.PARQUET: FormFacts("application/vnd.apache.parquet", ("reports", "parquet"), True),
    Form.JSON: FormFacts("application/json"),
}


def require_form(form: Form) -> None:
    """Check that the optional packages for a form are installed. Raises: ExtraMissing."""
    require_extra(*FORMS[form].extras, purpose=f"A report as {form.value}")


def render(document: Document, form: Form) -> dict[str, bytes]:
    """Render a document in a form, and return the files by name.

    If the form has a single file, the file is named `report`, with the suffix of the form.
    Otherwise the files are named after the tables or charts. Rendering needs up to some seconds of
    CPU time, so services call this function in a separate process (`rendering_process`).
    """
    if FORMS[form].has_files:
        files = _RENDER_FILES[form](document)
        return {f"{name}.{form.value}": content for name, content in files.items()}
    return {f"report.{form.value}": _RENDER_FILE[form](document)}


# The module of a form is imported only when the form is rendered, because the module needs
# optional packages.


def _render_html(document: Document) -> bytes:
    from roost.insights.reports.forms.html import render_html

    return render_html(document).encode()


def _render_pdf(document: Document) -> bytes:
    from roost.insights.reports.forms.pdf import render_pdf
    from roost.insights.reports.svg import draw_charts

    return render_pdf(document, draw_charts(document))


def _render_markdown(document: Document) -> bytes:
    from roost.insights.reports.forms.markdown import render_markdown

    return render_markdown(document).encode()


def _render_xlsx(document: Document) -> bytes:
    from roost.insights.reports.forms.xlsx import render_xlsx

    return render_xlsx(document)


def _render_json(document: Document) -> bytes:
    from roost.insights.reports.document_json import write_document

    return write_document(document)


def _render_csvs(document: Document) -> dict[str, bytes]:
    from roost.insights.reports.forms.csv import ENCODING, render_csvs

    return {name: content.encode(ENCODING) for name, content in render_csvs(document).items()}


def _render_pngs(document: Document) -> dict[str, bytes]:
    from roost.insights.reports.forms.png import render_pngs

    return render_pngs(document)


def _render_parquets(document: Document) -> dict[str, bytes]:
    from roost.insights.reports.forms.parquet import render_parquets

    return render_parquets(document)


_RENDER_FILE: Final[Mapping[Form, Callable[[Document], bytes]]] = {
    Form.HTML: _render_html,
    Form.PDF: _render_pdf,
    Form.MD: _render_markdown,
    Form.XLSX: _render_xlsx,
    Form.JSON: _render_json,
}
_RENDER_FILES: Final[Mapping[Form, Callable[[Document], dict[str, bytes]]]] = {
    Form.CSV: _render_csvs,
    Form.PNG: _render_pngs,
    Form.PARQUET: _render_parquets,
}
