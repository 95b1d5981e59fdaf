"""A small line that shows which way a count went; gaps stay gaps."""

import math
from collections.abc import Sequence

#: The drawing's size, in its own units; the page scales it.
WIDTH, HEIGHT = 120, 32
_MARGIN = 2


def draw_lines(values: Sequence[float]) -> list[str]:
    """The points of each unbroken stretch, for `<polyline points=…>`; NaN ends a stretch.

    A stretch of one value is a short dash, a series that never moves a line at half height.
    """
    known = [value for value in values if not math.isnan(value)]
    if not known:
        return []
    low, span = min(known), max(known) - min(known)
    step = (WIDTH - 2 * _MARGIN) / max(len(values) - 1, 1)
    stretches: list[list[tuple[float, float]]] = [[]]
    for position, value in enumerate(values):
        if math.isnan(value):
            stretches.append([])
            continue
        share = (value - low) / span if span else 0.5
        x = _MARGIN + position * step
        y = HEIGHT - _MARGIN - share * (HEIGHT - 2 * _MARGIN)
        stretches[-1].append((x, y))
    return [_points(stretch) for stretch in stretches if stretch]


def _points(stretch: list[tuple[float, float]]) -> str:
    if len(stretch) == 1:
        (x, y) = stretch[0]
        stretch = [(x - 1, y), (x + 1, y)]
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in stretch)
