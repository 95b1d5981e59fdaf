"""The charts of a document as PNG pictures, for slides and mails."""

from roost.insights.reports.document import Document
from roost.insights.reports.svg import draw_png_charts


def render_pngs(document: Document) -> dict[str, bytes]:
    """Return the picture of each chart by the chart's name, on the paper of the light scheme.

    Call this in a thread, because it waits for another process.

    Raises: roost.insights.reports.svg.ChartsNotDrawn.
    """
    return draw_png_charts(document)
