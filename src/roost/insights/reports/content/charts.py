"""The charts of a document, by the names of its parts."""

from collections.abc import Callable, Mapping
from typing import Final

from roost.insights.reports.document import Chart
from roost.insights.reports.model import SubjectReport
from roost.insights.reports.words import Words

#: The function that draws the chart of a part; it returns None if there is nothing to draw.
CHARTS: Final[Mapping[str, Callable[[SubjectReport, Words], Chart | None]]] = {}
