"""The JSON of an error, which any command may print instead of its result."""

from typing import Any

from pydantic import Field

from roost.cli.schemas.fields import Facts, Output


class NextActionOutput(Output):
    """What to do next, as a code for programs."""

    code: str
    facts: Facts


class ErrorDetailOutput(Output):
    """What happened, what Roost did about it, and what to do next."""

    code: str = Field(description="The stable name of the error.")
    kind: str = Field(description="The kind of the error, which determines the exit code.")
    message: str
    did: str = Field(description="What Roost did; whether anything was changed.")
    next: str = Field(description="What to do next, as a sentence; may be empty.")
    next_action: NextActionOutput | None = Field(description="What to do next, as a code.")
    facts: Facts = Field(default_factory=dict, description="Plain values that depend on the code.")


class ErrorOutput(Output):
    """The output of a command that fails."""

    error: ErrorDetailOutput


def describe_error(fields: dict[str, Any]) -> ErrorOutput:
    """Build the JSON output of an error from its fields, such as code, message and next."""
    return ErrorOutput.model_validate({"error": fields})
