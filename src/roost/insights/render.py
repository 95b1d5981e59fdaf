"""A report as one HTML file that opens without a network: its pictures, style and script inside.

The page allows itself nothing but its own style and script, by their hashes, so that no text of a
post can become more than text.
"""

import base64
import hashlib
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from typing import Any

import jinja2
from markupsafe import Markup

from roost.agents import narrator
from roost.insights import charts
from roost.insights.report import AccountReport, PostReport, Report
from roost.insights.svg import draw_svgs


def render_html(report: Report) -> str:
    """The page; draws its charts in a process of its own, so call it in a thread.

    Raises: roost.insights.svg.ChartsNotDrawn.
    """
    style, script = _read("report.css"), _read("report.js")
    policy = (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)};"
        " base-uri 'none'; form-action 'none'"
    )
    return _environment().from_string(_read("report.html.j2")).render(
        report=report,
        period=_tell_period(report),
        made=_tell_instant(report.made_at),
        pictures=_draw(report),
        policy=policy,
        # Ours, and hashed: escaping would change the bytes.
        style=Markup(style),  # noqa: S704
        script=Markup(script),  # noqa: S704
    )
