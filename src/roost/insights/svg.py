"""Draws Vega-Lite specifications as SVG, in a fresh interpreter of its own.

vl-convert keeps the interpreter's lock for as long as it draws, and hangs in a forked process.
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

_PROGRAM = Path(__file__).with_name("svg_process.py")

#: Wall time; a picture takes under a tenth of a second, the first one a second or two more.
_START_SECONDS = 60
_PICTURE_SECONDS = 2


class ChartsNotDrawn(Broken):
    """The drawing process failed or took too long."""

    default_next = "Try again; if it stays so, report it with the message above."


def draw_svgs(specs: Sequence[dict[str, Any]]) -> list[str]:
    """One SVG for each specification; blocks the caller's thread, not the interpreter.

    Raises: ChartsNotDrawn.
    """
    if not specs:
        return []
    try:
        ended = subprocess.run(  # noqa: S603  our own interpreter, our own file
            [sys.executable, "-P", str(_PROGRAM)],
            input=json.dumps(_escaped(specs)),
            capture_output=True,
            encoding="ascii",
            env=child_environment(),
            timeout=_START_SECONDS + _PICTURE_SECONDS * len(specs),
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ChartsNotDrawn(
            f"Drawing {len(specs)} charts took longer than {error.timeout:.0f} s.",
            did="The process that drew them was stopped; no report was made.",
        ) from None
    if ended.returncode != 0:
        # The last line names the error; the lines before may show a post's text.
        kind = (ended.stderr.strip().splitlines() or ["no output"])[-1].partition(":")[0]
        raise ChartsNotDrawn(
            f"Drawing {len(specs)} charts failed with {kind}.", did="No report was made."
        )
    return [str(picture) for picture in json.loads(ended.stdout)]


def _escaped(spec: Any) -> Any:
    """A specification whose every string is safe in a picture, whoever wrote it."""
    if isinstance(spec, str):
        return escaping.markup(spec)
    if isinstance(spec, dict):
        return {name: _escaped(value) for name, value in spec.items()}
    if isinstance(spec, list | tuple):
        return [_escaped(value) for value in spec]
    return spec
