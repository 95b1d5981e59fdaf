"""Reports that were made and are kept, their options, and the schedules that make reports."""

from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum

from roost.models.ids import IntegrationId, ReportId, ScheduleId
from roost.models.integrations import Environment


class ComparedPeriods(StrEnum):
    """The earlier periods with which a report compares its period."""

    BOTH = "both"
    """The equally long period directly before, and the one of the year before."""
    PREVIOUS = "previous"
    YEAR = "year"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class AccountGroup:
    """A named group of accounts, about which a report has a part."""

    name: str
    accounts: tuple[IntegrationId, ...]


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """What a report contains, besides its period."""

    accounts: tuple[IntegrationId, ...] = ()
    """The accounts of the report; empty for every account of the tenant."""
    groups: tuple[AccountGroup, ...] = ()
    compare: ComparedPeriods = ComparedPeriods.BOTH
    with_costs: bool = True
    language: str = "en"


@dataclass(frozen=True, slots=True)
class ReportBrand:
    """How a tenant's reports look."""

    title: str = ""
    """The title of the reports; empty for the title of the language."""
    cover_note: str = ""
    accent: str = ""
    """The colour of headings and charts, such as `#0f766e`; empty for Roost's own."""
    language: str = "en"
    """The language of a report whose options name no other."""
    logo: bytes | None = None
    logo_type: str | None = None
    """The logo's media type; None without a logo."""


@dataclass(frozen=True, slots=True)
class NarrationVerdict:
    """What Roost's checker found in one narration of a model."""

    ok: bool
    prompt_hash: str
    """SHA-256 of the prompt that the narration answers."""
    findings: tuple[str, ...] = ()
    """Why the narration was refused."""


@dataclass(frozen=True, slots=True)
class NarrativeSource:
    """Who has written the narrative of one subject of a report, if a model was set."""

    subject: str
    """The key of the subject, such as `account.17`."""
    model: str
    prompt_hash: str = ""
    """SHA-256 of the prompt that the narrative answers; empty if the sentences are Roost's own."""
    verdicts: tuple[NarrationVerdict, ...] = ()
    """One for each narration of the model; empty if the model gave none."""
    error: str = ""
    """The code of the error because of which the model gave no narration; empty if it gave one."""

    @property
    def is_by_model(self) -> bool:
        """Whether the model has written the narrative; otherwise the sentences are Roost's own."""
        return bool(self.prompt_hash)


@dataclass(frozen=True, slots=True)
class KeptReport:
    """A report that was made, without its document."""

    id: ReportId
    number: int
    """The number among the tenant's reports, counted from 1."""
    first_day: date
    last_day: date
    options: ReportOptions
    made_at: datetime
    made_by: str
    """The actor, in the form in which actors are stored."""
    schedule_id: ScheduleId | None
    """The schedule that made the report; None if a person made it."""
    skipped: tuple[date, ...] = ()
    """The first days of the earlier periods for which the schedule has made no report, because no
    worker ran in time."""
    narratives: tuple[NarrativeSource, ...] = ()
    """One for each subject; empty if no model was set."""


class Cadence(StrEnum):
    """How often a schedule makes a report."""

    WEEKLY = "weekly"
    MONTHLY = "monthly"


@dataclass(frozen=True, slots=True)
class ReportTime:
    """When a schedule makes its reports, in the tenant's time zone."""

    cadence: Cadence
    day: int
    """The day of the week, of which 0 is Monday; for a monthly report, the day of the month."""
    local_time: time


@dataclass(frozen=True, slots=True)
class ReportSchedule:
    """A schedule that makes reports."""

    id: ScheduleId
    environment: Environment
    """The environment whose workers make the reports."""
    time: ReportTime
    options: ReportOptions
    next_at: datetime
    """The instant for which the next report is planned. It is in the past if the report is late."""
    failure: str | None
    """The code of the error because of which the last attempt made no report."""
    created_at: datetime
    created_by: str
