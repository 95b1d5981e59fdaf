"""Rate limits: every family of headers, and the wait after every kind of 429."""

from datetime import UTC, datetime, timedelta

import pytest

from roost.rate_limits import (
    Family,
    WaitReason,
    Window,
    parse_windows,
    time_until_allowed,
    wait_after_429,
)

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
IN_TEN_MINUTES = datetime(2026, 11, 23, 12, 10, 0, tzinfo=UTC)
IN_FIVE_HOURS = datetime(2026, 11, 23, 17, 0, 0, tzinfo=UTC)


def headers(prefix: str, limit: object, remaining: object, reset: object) -> dict[str, str]:
    values = {"limit": limit, "remaining": remaining, "reset": reset}
    return {f"{prefix}-{name}": str(value) for name, value in values.items()}


def short(remaining: int, limit: int = 100) -> Window:
    return Window(Family.FIFTEEN_MINUTES, limit, remaining, IN_TEN_MINUTES)


def day(remaining: int, family: Family = Family.USER_DAY) -> Window:
    return Window(family, 10_000, remaining, IN_FIVE_HOURS)


def test_parse_windows_reads_all_three_families() -> None:
    response_headers = {
        **headers("x-rate-limit", 100, 99, 1795436400),
        **headers("X-User-Limit-24Hour", 25, 0, 1795453200),
        **headers("x-app-limit-24hour", 1200000, 7, 1795453200),
    }
    assert parse_windows(response_headers) == (
        Window(Family.FIFTEEN_MINUTES, 100, 99, datetime(2026, 11, 23, 12, 20, tzinfo=UTC)),
        Window(Family.USER_DAY, 25, 0, datetime(2026, 11, 23, 17, 0, tzinfo=UTC)),
        Window(Family.APP_DAY, 1200000, 7, datetime(2026, 11, 23, 17, 0, tzinfo=UTC)),
    )


@pytest.mark.parametrize(
    "response_headers",
    [
        {},
        {"x-rate-limit-limit": "100", "x-rate-limit-remaining": "0"},
        headers("x-rate-limit", "many", 0, 1795436400),
        headers("x-rate-limit", 100, -1, 1795436400),
        headers("x-rate-limit", 100, 0, "9" * 6000),
        headers("x-rate-limit", 100, 0, 99999999999999),
        headers("x-rate-limit", 100, "٣", 1795436400),
    ],
    ids=["none", "incomplete", "words", "negative", "too long", "beyond time", "other digits"],
)
def test_parse_windows_skips_malformed_headers(response_headers: dict[str, str]) -> None:
    assert parse_windows(response_headers) == ()


def test_time_until_allowed_is_zero__requests_remaining() -> None:
    assert time_until_allowed([short(1), day(500)], now=NOW) == timedelta(0)
    assert time_until_allowed([], now=NOW) == timedelta(0)


def test_time_until_allowed_ends_with_the_reset__window_empty() -> None:
    assert time_until_allowed([short(0), day(500)], now=NOW) == timedelta(minutes=10, seconds=1)


def test_time_until_allowed_counts_every_part_of_a_thread() -> None:
    assert time_until_allowed([short(3), day(500)], now=NOW, requests=4) == timedelta(
        minutes=10, seconds=1
    )


def test_time_until_allowed_is_the_longest_of_several_windows() -> None:
    assert time_until_allowed([short(0), day(0)], now=NOW) == timedelta(hours=5, seconds=1)


def test_time_until_allowed_is_none__limit_below_requests() -> None:
    assert time_until_allowed([short(25, limit=25)], now=NOW, requests=26) is None


def test_time_until_allowed_ignores_a_window_that_has_reset() -> None:
    assert time_until_allowed([short(0)], now=IN_TEN_MINUTES) == timedelta(0)


def test_wait_after_429_ends_with_the_reset__window_empty() -> None:
    wait = wait_after_429([short(0), day(12)], now=NOW)
    assert wait.until == IN_TEN_MINUTES + timedelta(seconds=1)
    assert (wait.reason, wait.family) == (WaitReason.WINDOW_EMPTY, Family.FIFTEEN_MINUTES)


@pytest.mark.parametrize("family", [Family.USER_DAY, Family.APP_DAY])
def test_wait_after_429_ends_with_the_day__only_day_window_empty(family: Family) -> None:
    wait = wait_after_429([short(87), day(0, family)], now=NOW)
    assert wait.until == IN_FIVE_HOURS + timedelta(seconds=1)
    assert wait.family is family


@pytest.mark.parametrize("windows", [[], [short(87)], [short(87), day(9_000)]])
@pytest.mark.parametrize(
    ("refusals", "minutes"), [(1, 1), (2, 2), (3, 4), (4, 8), (5, 15), (60, 15)]
)
def test_wait_after_429_backs_off__no_empty_window(
    windows: list[Window], refusals: int, minutes: int
) -> None:
    wait = wait_after_429(windows, now=NOW, refusals=refusals)
    assert wait.until == NOW + timedelta(minutes=minutes)
    assert (wait.reason, wait.family) == (WaitReason.UNEXPLAINED, None)


@pytest.mark.parametrize(
    ("period", "now", "until"),
    [
        ("Daily", NOW, datetime(2026, 11, 24, 0, 0, 1, tzinfo=UTC)),
        ("Monthly", NOW, datetime(2026, 12, 1, 0, 0, 1, tzinfo=UTC)),
        ("Monthly", datetime(2026, 12, 31, 23, 59, tzinfo=UTC),
         datetime(2027, 1, 1, 0, 0, 1, tzinfo=UTC)),
        ("", NOW, datetime(2026, 12, 1, 0, 0, 1, tzinfo=UTC)),
    ],
    ids=["day", "month", "end of year", "unknown"],
)  # fmt: skip
def test_wait_after_429_ignores_windows__usage_cap(
    period: str, now: datetime, until: datetime
) -> None:
    wait = wait_after_429([short(0)], now=now, usage_cap=period)
    assert (wait.until, wait.reason, wait.family) == (until, WaitReason.USAGE_CAP, None)


def test_wait_after_429_is_at_most_one_window__absurd_reset() -> None:
    far = Window(Family.FIFTEEN_MINUTES, 100, 0, NOW + timedelta(days=400))
    assert wait_after_429([far], now=NOW).until == NOW + timedelta(minutes=15, seconds=1)
