"""A real worker that ends itself with SIGKILL when it comes to a named point: `POINT`."""

import os
import signal
import sys

from roost import telemetry
from roost.cli import main

doomed_at = sys.argv[1]


def strike(step: str) -> None:
    if step == doomed_at:
        os.kill(os.getpid(), signal.SIGKILL)


telemetry.observe(strike)
main(["worker", "--json"])
