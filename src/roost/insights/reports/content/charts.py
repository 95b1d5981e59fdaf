"""The charts of a document, by the names of its parts."""

from collections.abc import Callable, Mapping
from typing import Final

from roost.insights.reports import charts
from roost.insights.reports.document import Chart
from roost.insights.reports.model import SubjectReport
from roost.insights.reports.words import Words

#: The function that draws the chart of a part; it returns None if there is nothing to draw.
CHARTS: Final[Mapping[str, Callable[[SubjectReport, Words], Chart | None]]] = {
    "followers": charts.followers_chart,
    "impressions": charts.impressions_chart,
    "posts": charts.posts_chart,
    "hours": charts.hours_chart,
    "decay": charts.decay_chart,
    "effects": charts.effects_chart,
    "costs": charts.cost_chart,
    "anomalies": charts.anomalies_chart,
}
