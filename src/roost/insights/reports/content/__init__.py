"""Chooses the words of a report: a `Report` becomes a `Document` in one language."""

from roost.insights.reports.content.build import build_document

__all__ = ["build_document"]
