"""The JSON of `import` and of `publish --dry-run`."""

from pydantic import Field

from roost.cli.schemas.checks import (
    FindingOutput,
    OptionsOutput,
    PriceOutput,
    ViolationOutput,
)
from roost.cli.schemas.errors import ErrorDetailOutput
from roost.cli.schemas.fields import Instant, Output
from roost.cli.schemas.posts import WaitOutput
from roost.models import Environment, IntegrationStatus
from roost.services.pause import PauseScope


class ImportedPostOutput(Output):
    """A post that was scheduled from a plan."""

    id: int | None = Field(description="The number of the post; null in a dry run.")
    line: int = Field(description="The line of the file on which its first row begins.")
    account: str = Field(description="The username of the account on X, without `@`.")
    due_at: Instant


class RefusedRowOutput(Output):
    """A row of the plan file that was refused."""

    line: int = Field(description="The line of the file on which the row begins.")
    code: str = Field(description="The code of the first reason.")
    message: str = Field(description="The messages of all reasons.")
    reasons: tuple[ViolationOutput, ...]


class RowFindingOutput(Output):
    """A probable mistake in a row of the plan file; the row is imported in spite of it."""

    line: int
    finding: FindingOutput


class ImportOutput(Output):
    """The result of importing a plan."""

    posts: tuple[ImportedPostOutput, ...] = Field(description="The posts that were scheduled.")
    already_imported: int = Field(description="Posts that an earlier import has scheduled.")
    refused: tuple[RefusedRowOutput, ...]
    findings: tuple[RowFindingOutput, ...]
    price: PriceOutput = Field(description="The price of the scheduled posts.")


class PreviewOutput(Output):
    """What would happen to a post if it were published; the command does not store the post."""

    parts: tuple[str, ...] = Field(description="The text of each part.")
    options: tuple[OptionsOutput, ...]
    violations: tuple[ViolationOutput, ...]
    findings: tuple[FindingOutput, ...]
    problems: tuple[ErrorDetailOutput, ...] = Field(description="Other reasons to refuse the post.")
    account: str = Field(description="The username of the account on X, without `@`.")
    environment: Environment
    status: IntegrationStatus = Field(description="The status of the account.")
    due_at: Instant
    paused_by: tuple[PauseScope, ...]
    wait: WaitOutput | None
    is_other_x: bool = Field(description="Whether the account's environment is not Roost's.")
    worker_alive: bool
    price: PriceOutput
