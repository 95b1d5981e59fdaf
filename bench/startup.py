"""Benchmark the start: time of two commands, disk space of the installation, idle memory.

`help_s` and `posts_s` are medians of runs in new processes, after one run that is not counted;
`posts_s` is measured while the web server, a worker and the embedded PostgreSQL run.
`base_install_mb` and `all_install_mb` are MiB on disk, as `du` counts them, from the records of the
installed distributions (see tests/harness/installed.py); `all_install_mb` leaves out the later
extras `ai`, `reports`, `pdf` and `parquet`. `idle_pss_mb` is the proportional set size
of the web server, the worker and PostgreSQL in MiB, in which shared memory counts once. It is
measured after each page was opened once, and after a pause.

Other load on the machine changes the times, so run the benchmark on an idle machine.
"""

import contextlib
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import psutil

from harness.installed import measure_mib, measure_unlisted_mib
from harness.report import Threshold, report

RUNS = 11
#: The extras that `all_install_mb` measures, and those that were added later. The bar of
#: `all_install_mb` was set before the later extras existed.
_EXTRAS = ("media", "server", "charts", "emulator", "testing")
_LATER_EXTRAS = ("ai", "reports", "pdf", "parquet")
#: Seconds to wait until the processes are idle, including PostgreSQL's background processes.
SETTLE_S = 20
_PAGES = ("/", "/posts", "/reports")
_ROOST = (sys.executable, "-m", "roost")


class Times(NamedTuple):
    """The median seconds of a command: wall time, and CPU time of the command's processes."""

    wall_s: float
    cpu_s: float


def measure_command(*arguments: str, environment: Mapping[str, str]) -> Times:
    """Run `roost ARGUMENTS` repeatedly; the first run, which fills caches, is left out."""
    runs = []
    for _ in range(RUNS + 1):
        cpu_s, started = _children_cpu_s(), time.perf_counter()
        subprocess.run(
            [*_ROOST, *arguments], env=environment, stdout=subprocess.DEVNULL, check=True
        )
        runs.append((time.perf_counter() - started, _children_cpu_s() - cpu_s))
    wall_s, cpu_s = (statistics.median(values) for values in zip(*runs[1:], strict=True))
    return Times(wall_s, cpu_s)


def _children_cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


@contextlib.contextmanager
def running(command: str, environment: Mapping[str, str], *arguments: str) -> Iterator[str]:
    """Run `roost serve`, `worker` or `emulator`; yield the line that reports its readiness."""
    process = subprocess.Popen(
        [*_ROOST, command, *arguments, "--json"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline()
    finally:
        process.terminate()
        process.wait()


def pss_by_process(home: Path) -> dict[str, float]:
    """Return the proportional set size in MiB of the web server, the worker and PostgreSQL."""
    postmaster = int((home / "postgres" / "data" / "postmaster.pid").read_text().split()[0])
    found = {"serve": 0.0, "worker": 0.0, "postgres": _pss_mib(psutil.Process(postmaster))}
    for child in psutil.Process().children():
        name = child.cmdline()[3]
        if name in found:
            found[name] += _pss_mib(child)
    return found


def _pss_mib(process: psutil.Process) -> float:
    tree = [process, *process.children(recursive=True)]
    return sum(each.memory_full_info().pss for each in tree) / (1 << 20)


def measure_services(home: Path) -> tuple[Times, Times, dict[str, float]]:
    """Measure `roost posts` without and with an emulator's clock, and the idle memory."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("ROOST_", "TWITTER_"))}
    environment = clean | {"ROOST_HOME": str(home)}
    environment.pop("DATABASE_URL", None)
    subprocess.run([*_ROOST, "init"], env=environment, stdout=subprocess.DEVNULL, check=True)
    with (
        running("worker", environment),
        running("serve", environment, "--port", "0") as web,
    ):
        for page in _PAGES:
            with urllib.request.urlopen(json.loads(web)["url"] + page) as response:
                response.read()
        time.sleep(SETTLE_S)
        memory = pss_by_process(home)
        posts = measure_command("posts", environment=environment)
        with running("emulator", environment, "--port", "0") as emulator:
            url = json.loads(emulator)["url"]
            emulated = {"ROOST_X_BASE_URL": url, "ROOST_CLOCK_URL": f"{url}/_emulator/clock"}
            with_clock = measure_command("posts", environment=environment | emulated)
    return posts, with_clock, memory


def main() -> int:
    """Measure start, disk space and memory, and print the results."""
    with tempfile.TemporaryDirectory(prefix="roost-startup-") as folder:
        shown = measure_command("--help", environment=os.environ)
        home = Path(folder)
        try:
            posts, with_clock, memory = measure_services(home)
        finally:
            _remove_database(home)
    return report(
        "startup",
        [
            Threshold("help_s", shown.wall_s, "<=", 0.35),
            Threshold("posts_s", posts.wall_s, "<=", 0.7),
            Threshold("base_install_mb", measure_mib(), "<=", 150),
            Threshold("all_install_mb", measure_mib(*_EXTRAS), "<=", 560),
            Threshold("idle_pss_mb", sum(memory.values()), "<=", 260),
        ],
        {
            "help_cpu_s": shown.cpu_s,
            "posts_cpu_s": posts.cpu_s,
            "posts_emulator_clock_s": with_clock.wall_s,
            "posts_emulator_clock_cpu_s": with_clock.cpu_s,
            **{f"{name}_pss_mb": value for name, value in memory.items()},
            **{f"{extra}_install_mb": measure_mib(extra) for extra in (*_EXTRAS, *_LATER_EXTRAS)},
            "every_extra_install_mb": measure_mib("all"),
            "unlisted_install_mb": measure_unlisted_mib(),
            "load_1_min": os.getloadavg()[0],
        },
        as_json="--json" in sys.argv,
    )


def _remove_database(home: Path) -> None:
    # If root runs the benchmark, the data of the embedded server is outside ROOST_HOME.
    script = "import asyncio, sys; from pathlib import Path; from roost.store.embedded import"
    script += " remove_embedded; asyncio.run(remove_embedded(Path(sys.argv[1])))"
    subprocess.run([sys.executable, "-c", script, str(home)], check=False)


if __name__ == "__main__":
    sys.exit(main())
