"""The demo's output on a terminal: progress bars, then a table of results."""

from types import TracebackType
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn
from rich.progress import Progress as Bars
from rich.text import Text

from roost.cli.output import make_console
from roost.cli.table import Column, print_table
from roost.escaping import one_line
from roost.formats import format_count
from roost.models import Post
from roost.publishing.history import describe_reason, describe_state


class Progress:
    """Shows the current step on standard error; shows nothing unless `shown` is set."""

    def __init__(self, *, shown: bool) -> None:
        self._console = make_console(stderr=True, quiet=not shown)
        self._bars = Bars(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            console=self._console,
            transient=True,
        )
        self._tasks: dict[str, Any] = {}

    def __enter__(self) -> "Progress":
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Remove the progress bars from the terminal."""
        self._bars.stop()

    def step(self, text: str) -> None:
        """Print the name of a step whose progress is not counted."""
        self._console.print(Text.assemble(("· ", "dim"), one_line(text)))

    def count(self, name: str, done: int, total: int) -> None:
        """Show how many of the `total` units of a step are done."""
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(name, total=total)
        self._bars.update(self._tasks[name], completed=done, total=total)


def show_result(result: dict[str, Any], unpublished: list[Post], *, shown: bool) -> None:
    """Print the table of results on standard output, if `shown` is set."""
    if not shown:
        return
    counted = result["ground_truth"]["dollars"]
    rows = [
        ("accounts connected", str(result["connected"])),
        (
            "published",
            f"{format_count(result['published'], 'post')}, {format_count(result['parts'], 'part')},"
            f" {format_count(result['media'], 'file')}",
        ),
        *(
            ("refused", f"line {row['row']}: {row['message']} ({row['code']})")
            for row in result["refused"]
        ),
        *(("not published", _describe_unpublished(post)) for post in unpublished),
        ("requests to X", str(result["requests"])),
        (
            "the real X would have charged",
            f"${result['dollars']:.3f} (the emulator counted ${counted:.3f})",
        ),
        ("snapshots", str(result["snapshots"])),
        *(
            ("anomaly", f"@{anomaly['account']}: {anomaly['metric']} on {anomaly['day']}")
            for anomaly in result["anomalies"]
        ),
    ]
    if not result["anomalies"]:
        rows.append(("anomalies", "none"))
    rows += [("report", path) for path in result["reports"]]
    rows.append(("seconds", str(result["seconds"])))
    columns = (Column("result", 0, wraps=True), Column("value", 1, wraps=True))
    print_table(columns, [(name, one_line(value)) for name, value in rows])


def _describe_unpublished(post: Post) -> str:
    reason = "no reason" if post.reason is None else describe_reason(post.reason)
    return f"post {post.id} {describe_state(post.state)}: {reason}"
