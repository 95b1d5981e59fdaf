"""Draws Vega-Lite specifications as SVG or PNG in a fresh Python process.

The drawing needs a process of its own, because vl-convert holds the interpreter's lock while it
draws. The process is not a fork, because vl-convert hangs in a forked process.
"""

import base64
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from roost import escaping
from roost.child_environment import child_environment
from roost.errors import Broken
from roost.formats import format_count
from roost.insights.reports.colors import light_palette, paint
from roost.insights.reports.document import Chart, Document, Section

_PROGRAM = Path(__file__).with_name("svg_process.py")

#: Limits in wall time. A chart takes less than 0.1 s; the first chart takes a second or two more.
_START_TIMEOUT_S = 60
_CHART_TIMEOUT_S = 2


class ChartsNotDrawn(Broken):
    """The process that draws the charts failed or timed out."""

    default_next = "Try again. If drawing fails repeatedly, report the message above as a bug."


def list_charts(document: Document) -> list[Chart]:
    """Return all charts of a document, in its order."""
    return list(_find_charts(document.sections))


def draw_charts(document: Document) -> dict[str, str]:
    """Draw the charts of a document as SVG, in the light colours of its brand.

    Returns the pictures by the names of the charts. Call this in a thread, because it waits for
    another process.

    Raises: ChartsNotDrawn.
    """
    charts = list_charts(document)
    pictures = draw_svgs(_paint(charts, document))
    return {chart.name: picture for chart, picture in zip(charts, pictures, strict=True)}


def draw_png_charts(document: Document) -> dict[str, bytes]:
    """Draw the charts of a document as PNG on paper, at twice their size; see `draw_charts`.

    Raises: ChartsNotDrawn.
    """
    charts = list_charts(document)
    paper = light_palette(document.brand.accent).paper
    specs = [spec | {"background": paper, "padding": 12} for spec in _paint(charts, document)]
    pictures = _draw(specs, "png")
    return {
        chart.name: base64.b64decode(picture)
        for chart, picture in zip(charts, pictures, strict=True)
    }


def draw_svgs(specs: Sequence[dict[str, Any]]) -> list[str]:
    """Draw one SVG per specification. The call blocks its thread, but not other threads.

    Raises: ChartsNotDrawn.
    """
    return _draw(specs, "svg")


def _find_charts(sections: Sequence[Section]) -> Iterator[Chart]:
    for section in sections:
        yield from (block for block in section.blocks if isinstance(block, Chart))
        yield from _find_charts(section.sections)


def _paint(charts: Sequence[Chart], document: Document) -> list[dict[str, Any]]:
    palette = light_palette(document.brand.accent)
    return [paint(chart.spec, palette) for chart in charts]


def _draw(specs: Sequence[dict[str, Any]], form: Literal["svg", "png"]) -> list[str]:
    """Draw the specifications; return texts, which are base64 for PNG."""
    if not specs:
        return []
    try:
        process = subprocess.run(  # noqa: S603  our own interpreter, our own file
            [sys.executable, "-P", str(_PROGRAM), form],
            input=json.dumps(_neutralize(specs)),
            capture_output=True,
            encoding="ascii",
            env=child_environment(),
            timeout=_START_TIMEOUT_S + _CHART_TIMEOUT_S * len(specs),
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ChartsNotDrawn(
            f"Drawing {format_count(len(specs), 'chart')} took longer than {error.timeout:.0f} s.",
            did="The drawing process was stopped. No report was written.",
        ) from None
    if process.returncode != 0:
        # The last line names the error. Earlier lines are not used, as they may quote a post.
        error_name = (process.stderr.strip().splitlines() or ["no output"])[-1].partition(":")[0]
        raise ChartsNotDrawn(
            f"Drawing {format_count(len(specs), 'chart')} failed with {error_name}.",
            did="No report was written.",
        )
    return [str(picture) for picture in json.loads(process.stdout)]


def _neutralize(spec: Any) -> Any:
    """Return a copy of a specification in which control characters are escaped."""
    if isinstance(spec, str):
        return escaping.markup(spec)
    if isinstance(spec, dict):
        return {name: _neutralize(value) for name, value in spec.items()}
    if isinstance(spec, list | tuple):
        return [_neutralize(value) for value in spec]
    return spec
