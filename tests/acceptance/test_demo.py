"""The demo, run by its command: its counts must equal the emulator's own counts."""

import asyncio
import csv
import json
import os
import re
import signal
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from harness.json_output import validate_output

pytestmark = pytest.mark.timing

ROOT = Path(__file__).parents[2]


async def _start(folder: Path, *arguments: str) -> asyncio.subprocess.Process:
    plain = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("TWITTER_", "ROOST_", "DATABASE_URL"))
    }
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "roost", "demo", *arguments,
        cwd=folder, env=plain | {"HOME": str(folder), "TMPDIR": str(folder)},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


def _planned() -> tuple[int, int]:
    """Count the valid rows of the example plans, and the media files of these rows."""
    rows = []
    for name in ("plan.csv", "plan-lune.csv"):
        with (ROOT / "examples" / name).open(encoding="utf-8", newline="") as file:
            rows += [row for row in csv.DictReader(file) if len(row["text"]) != 300]
    return len(rows), sum(len(row["media"].split("|")) for row in rows if row["media"])


def assert_charts_show_month(report: str, *, has_popular_post: bool) -> None:
    """Check the chart of daily impressions, which has 30 bars.

    The account has most of its impressions on weekdays. With `has_popular_post`, its eleventh bar
    is the highest, and its two middle weeks have the most impressions.
    """
    chart = report.partition('aria-label="Bar chart of the impressions')[2].partition("</svg>")[0]
    labels = re.findall(r'aria-label="\d+ \w+ \d{4}: ([\d,]+)[" ]', chart)
    plumber = [int(label.replace(",", "")) for label in labels]
    assert len(plumber) == 30
    assert max(plumber) < sum(plumber) / 2
    weeks = [plumber[start : start + 7] for start in range(0, 28, 7)]
    assert all(sum(week[:5]) > 5 * sum(week[5:]) for week in weeks)
    if has_popular_post:
        assert plumber.index(max(plumber)) == 10
        rising, falling = sum(weeks[1] + weeks[2]), sum(weeks[0] + weeks[3])
        assert rising > 2 * falling


@pytest.mark.parametrize("scenario", ["month", "steady"])
async def test_the_demo_agrees_with_what_x_counted(scenario: str, tmp_path: Path) -> None:
    async with asyncio.timeout(300):
        demo = await _start(tmp_path, "--json", "--scenario", scenario)
        output, errors = await demo.communicate()
    assert demo.returncode == 0, errors.decode()
    result: dict[str, Any] = json.loads(output)
    validate_output(["demo"], result)
    truth = result["ground_truth"]
    assert (result["tenants"], result["connected"]) == (2, 2)
    assert [row["code"] for row in result["refused"]] == ["text_too_long"]
    parts, media = _planned()
    # In addition to the posts of the plans, the demo publishes four drafts.
    assert result["parts"] == truth["posts"] == parts + 4
    assert result["media"] == truth["media"] == media
    assert result["dollars"] == truth["dollars"] > 0
    assert result["anomalies"] == truth["anomalies"]
    assert len(result["anomalies"]) == (1 if scenario == "month" else 0)
    report = (tmp_path / result["report"]).read_text("utf-8")
    assert "<svg" in report
    assert_charts_show_month(report, has_popular_post=scenario == "month")
    assert 'src="http' not in report
    assert list(tmp_path.glob("roost-demo-*")) == []


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
async def test_an_interrupted_demo_leaves_nothing_behind(
    how: signal.Signals, tmp_path: Path
) -> None:
    demo = await _start(tmp_path)
    assert demo.stderr is not None
    seen = b""
    async with asyncio.timeout(120):
        while b"connecting" not in seen:
            said = await demo.stderr.read(200)
            assert said, seen.decode()
            seen += said
    family = psutil.Process(demo.pid).children(recursive=True)
    assert len(family) >= 3
    demo.send_signal(how)
    async with asyncio.timeout(120):
        assert await demo.wait() == 130
    assert [process for process in family if process.is_running()] == []
    assert list(tmp_path.glob("roost-demo-*")) == []
