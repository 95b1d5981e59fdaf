"""Times and counts as the commands, the pages and the report show them."""

from datetime import UTC, datetime

import pytest

from roost.formats import format_local_time, format_time
from roost.models import Alert, AlertKind, SubjectType
from roost.publishing.alerts import describe_alert
from roost.web import templating

TEN = datetime(2026, 11, 28, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("instant", "zone", "expected"),
    [
        (TEN, "Europe/Berlin", "Sat 28 Nov 2026, 10:00 (Europe/Berlin)"),
        (TEN.replace(second=5), "Europe/Berlin", "Sat 28 Nov 2026, 10:00:05 (Europe/Berlin)"),
        (TEN.replace(microsecond=9), "UTC", "Sat 28 Nov 2026, 09:00 (UTC)"),
        (TEN.replace(day=1, hour=23), "Asia/Tokyo", "Mon 2 Nov 2026, 08:00 (Asia/Tokyo)"),
        # This instant cannot be expressed in the time zone.
        (datetime.max.replace(tzinfo=UTC), "Asia/Tokyo", "Fri 31 Dec 9999, 23:59:59 (UTC)"),
    ],
)
def test_time_names_its_zone(instant: datetime, zone: str, expected: str) -> None:
    assert format_time(instant, zone) == expected


def test_time_in_a_list_leaves_the_zone_to_the_heading() -> None:
    assert format_local_time(TEN, "Europe/Berlin") == "Sat 28 Nov 2026, 10:00"


def test_page_and_alert_show_a_time_in_the_same_form() -> None:
    assert f">{format_time(TEN, 'Europe/Berlin')}</time>" in templating.moment(TEN, "Europe/Berlin")
    alert = Alert(AlertKind.LATE, SubjectType.SERVICE, "", TEN, {"due_at": TEN.isoformat()})
    assert describe_alert(alert) == f"A post due on {format_time(TEN, 'UTC')} is not published."
