"""The delay before a worker retries a database that was away."""

import pytest

from roost.worker import next_delay


@pytest.mark.parametrize(
    ("delay", "worked_s", "expected"),
    [
        pytest.param(0, 0.1, 1, id="the first failure"),
        pytest.param(1, 0.1, 2, id="the second"),
        pytest.param(4, 0.1, 8, id="doubled"),
        pytest.param(8, 0.1, 10, id="up to ten seconds"),
        pytest.param(10, 9.9, 10, id="not more"),
        pytest.param(10, 11, 1, id="after working for a while"),
    ],
)
def test_next_delay_grows(delay: float, worked_s: float, expected: float) -> None:
    assert next_delay(delay, worked_s) == expected
