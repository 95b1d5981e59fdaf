"""Loads metrics, computes reports, keeps and renders them, and makes them by schedule."""

from roost.services.report.histories import gather_histories, period_start
from roost.services.report.keep import (
    RenderedReport,
    ReportNotFound,
    ReportOptionsInvalid,
    get_report,
    list_languages,
    list_reports,
    make_document,
    make_kept_report,
    render_report,
    require_options,
)
from roost.services.report.records import list_patterns, make_report
from roost.services.report.schedules import (
    ReportScheduleNotFound,
    add_schedule,
    list_schedules,
    make_scheduled_report,
    remove_schedule,
)

__all__ = [
    "RenderedReport",
    "ReportNotFound",
    "ReportOptionsInvalid",
    "ReportScheduleNotFound",
    "add_schedule",
    "gather_histories",
    "get_report",
    "list_languages",
    "list_patterns",
    "list_reports",
    "list_schedules",
    "make_document",
    "make_kept_report",
    "make_report",
    "make_scheduled_report",
    "period_start",
    "remove_schedule",
    "render_report",
    "require_options",
]
