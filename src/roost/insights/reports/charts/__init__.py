"""The charts of a report, as Vega-Lite specifications.

Each function takes the part of a report about one subject, and returns None if there is nothing to
show. The specifications are plain dictionaries, because importing Altair alone takes longer than
drawing all charts of an account.
"""

from roost.insights.reports.charts.activity import hours_chart, posts_chart
from roost.insights.reports.charts.comparisons import cost_chart, decay_chart, effects_chart
from roost.insights.reports.charts.days import anomalies_chart, followers_chart, impressions_chart

__all__ = [
    "anomalies_chart",
    "cost_chart",
    "decay_chart",
    "effects_chart",
    "followers_chart",
    "hours_chart",
    "impressions_chart",
    "posts_chart",
]
