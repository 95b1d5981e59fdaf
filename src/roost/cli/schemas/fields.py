"""The base class and the field types of JSON output.

Times are strings in UTC that end in `Z`. Amounts of dollars are numbers, and durations are numbers
of seconds.
"""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, PlainSerializer, WithJsonSchema

#: Matches a time in UTC in the form in which the facts of events, reasons and alerts contain it.
_STORED_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?\+00:00")


class Output(BaseModel):
    """A JSON object that a command prints; every key is always present."""

    model_config = ConfigDict(
        from_attributes=True, extra="forbid", frozen=True, defer_build=True, serialize_by_alias=True
    )


def format_instant(instant: datetime) -> str:
    """Return an instant in UTC, in ISO 8601 with a `Z` at the end."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _plain(value: Any) -> Any:
    """Return facts as JSON values, with their times in the form of `format_instant`."""
    from roost.cli.output import to_json

    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, str):
        return value.replace("+00:00", "Z") if _STORED_TIME.fullmatch(value) else value
    if isinstance(value, datetime):
        return format_instant(value)
    return to_json(value)


Instant = Annotated[
    datetime,
    PlainSerializer(format_instant, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time", "pattern": "Z$"}),
]
Seconds = Annotated[timedelta, PlainSerializer(timedelta.total_seconds, return_type=float)]
Dollars = Annotated[Decimal, PlainSerializer(float, return_type=float)]
#: Values by name. Which names there are depends on the code of the same event, error or action.
Facts = Annotated[dict[str, Any], PlainSerializer(_plain), WithJsonSchema({"type": "object"})]
