"""The JSON of the commands that make, list and schedule reports."""

from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import Field

from roost.cli.schemas.fields import Instant, Output
from roost.insights.reports.rendering import Form
from roost.models import Cadence


class NarrativeOutput(Output):
    """Who has written the narrative of one subject of a report."""

    subject: str = Field(description="The key of the subject, such as `account.17`.")
    written_by: Literal["model", "roost"] = Field(
        description="`roost` if the sentences are Roost's own."
    )
    model: str = Field(description="The model that was set when the report was made.")
    prompt_hash: str = Field(
        description="SHA-256 of the prompt that the narrative answers; empty for Roost's sentences."
    )
    refused: int = Field(description="The number of the model's narrations that were refused.")
    error: str = Field(
        description="The code of the error because of which the model gave no narration."
    )


class ReportOutput(Output):
    """A report that was written to a file."""

    report: Path = Field(description="The file.")
    number: int = Field(description="The number of the report among the tenant's reports.")
    first_day: date
    last_day: date
    format: Form
    bytes: int = Field(description="The size of the file.")
    files: dict[str, int] = Field(
        description="The size of each file that the report has in this format, by name."
    )
    narratives: tuple[NarrativeOutput, ...] = Field(
        description="One for each subject; empty if no model was set when the report was made."
    )


class KeptReportOutput(Output):
    """A report that is kept."""

    number: int
    first_day: date
    last_day: date
    language: str
    with_costs: bool
    made_at: Instant
    made_by: str
    schedule: int | None = Field(description="The schedule that made the report.")
    skipped: tuple[date, ...] = Field(
        description="The first days of the earlier periods for which the schedule has made no"
        " report, because no worker ran in time."
    )


class ReportScheduleOutput(Output):
    """A schedule that makes reports."""

    schedule: int = Field(description="The number of the schedule, for `--remove`.")
    cadence: Cadence
    local_time: str = Field(description="The day and the time, in the tenant's time zone.")
    language: str
    with_costs: bool
    next_at: Instant = Field(description="When the next report is planned.")
    failure: str | None = Field(
        description="The code of the error because of which the last attempt made no report."
    )


class ReportListOutput(Output):
    """The kept reports, the newest first, and the schedules."""

    reports: tuple[KeptReportOutput, ...]
    schedules: tuple[ReportScheduleOutput, ...]
