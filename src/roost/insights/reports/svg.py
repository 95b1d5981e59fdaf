"""Draws Vega-Lite specifications as SVG in a fresh Python process.

The drawing needs a process of its own, because vl-convert holds the interpreter's lock while it
draws. The process is not a fork, because vl-convert hangs in a forked process.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from roost import escaping
from roost.child_environment import child_environment
from roost.errors import Broken
from roost.formats import format_count

_PROGRAM = Path(__file__).with_name("svg_process.py")

#: Limits in wall time. A chart takes less than 0.1 s; the first chart takes a second or two more.
_START_TIMEOUT_S = 60
_CHART_TIMEOUT_S = 2


class ChartsNotDrawn(Broken):
    """The process that draws the charts failed or timed out."""

    default_next = "Try again. If drawing fails repeatedly, report the message above as a bug."


def draw_svgs(specs: Sequence[dict[str, Any]]) -> list[str]:
    """Draw one SVG per specification. The call blocks its thread, but not other threads.

    Raises: ChartsNotDrawn.
    """
    if not specs:
        return []
    try:
        process = subprocess.run(  # noqa: S603  our own interpreter, our own file
            [sys.executable, "-P", str(_PROGRAM)],
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
