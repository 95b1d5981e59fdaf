"""Renders the charts of a document as PNG pictures, for slides and emails."""

from roost.insights.reports.document import Document
from roost.insights.reports.svg import draw_png_charts


def render_pngs(document: Document) -> dict[str, bytes]:
    """Draw each chart on the light scheme's background; return the pictures by chart name.

    Call this in a thread, because it waits for the process that draws the charts.

    Raises: roost.insights.reports.svg.ChartsNotDrawn.
    """
    return draw_png_charts(document)
