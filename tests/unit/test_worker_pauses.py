"""How long a worker waits before it tries a database again that was away."""

import pytest

from roost.worker import next_pause


@pytest.mark.parametrize(
    ("pause", "worked_s", "expected"),
    [
        pytest.param(0, 0.1, 1, id="the first failure"),
        pytest.param(1, 0.1, 2, id="the second"),
        pytest.param(4, 0.1, 8, id="ever more rarely"),
        pytest.param(8, 0.1, 10, id="up to ten seconds"),
        pytest.param(10, 9.9, 10, id="and no more"),
        pytest.param(10, 11, 1, id="it worked for a while in between"),
    ],
)
def test_pauses_grow_until_it_works_again(pause: float, worked_s: float, expected: float) -> None:
    assert next_pause(pause, worked_s) == expected
