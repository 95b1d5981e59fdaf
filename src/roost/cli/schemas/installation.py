"""The JSON of the commands that set up, run and show the installation."""

from datetime import date
from pathlib import Path

from pydantic import Field

from roost.cli.schemas.fields import Dollars, Output
from roost.models import Metric


class InitOutput(Output):
    """What `roost init` has set up."""

    home: Path
    key_made: bool = Field(description="Whether a vault key was created.")
    database: str = Field(description="`embedded`, or `DATABASE_URL`.")
    migrated: bool = Field(description="Whether the tables were created or migrated.")
    tenant: str
    tenant_made: bool = Field(description="Whether the tenant was created.")
    time_zone: str = Field(description="The tenant's time zone, an IANA name.")
    callback_url: str
    to_set: tuple[str, ...] = Field(description="Settings without which no account can connect.")


class ListeningOutput(Output):
    """The address of a server, printed once it accepts connections."""

    url: str


class EmulatorAppOutput(Output):
    """The settings for a running emulator and one of its X apps, by environment variable."""

    x_base_url: str = Field(alias="ROOST_X_BASE_URL")
    clock_url: str = Field(alias="ROOST_CLOCK_URL")
    callback_url: str = Field(alias="TWITTER_CALLBACK_URL")
    client_id: str = Field(alias="TWITTER_CLIENT_ID")
    client_secret: str = Field(alias="TWITTER_CLIENT_SECRET", repr=False)
    api_key: str = Field(alias="TWITTER_API_KEY")
    api_secret: str = Field(alias="TWITTER_API_SECRET", repr=False)


class WorkerOutput(Output):
    """The line that `roost worker` prints once the worker runs."""

    worker: str = Field(description="`ready`.")


class DemoRefusedOutput(Output):
    """A row of a plan that the demo does not publish, because it breaks a rule."""

    row: int
    code: str
    message: str


class DemoAnomalyOutput(Output):
    """An anomaly that Roost has found, or that the emulator has produced."""

    account: str
    metric: Metric
    day: date


class DemoTruthOutput(Output):
    """What the emulator itself has recorded, to compare with Roost's counts."""

    posts: int
    media: int
    dollars: float
    anomalies: tuple[DemoAnomalyOutput, ...]


class DemoOutput(Output):
    """The result of the demo: Roost's counts, and the emulator's ground truth."""

    tenants: int
    connected: int
    published: int
    refused: tuple[DemoRefusedOutput, ...]
    parts: int
    media: int
    snapshots: int
    anomalies: tuple[DemoAnomalyOutput, ...]
    requests: int = Field(description="Requests to X.")
    dollars: Dollars = Field(description="What the real X would have charged.")
    ground_truth: DemoTruthOutput
    report: str = Field(description="The page of the first tenant's report.")
    reports: tuple[str, ...] = Field(description="The page of each tenant's report.")
    seconds: float
