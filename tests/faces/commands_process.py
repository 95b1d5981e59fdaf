"""Runs many command lines in one process, because a process for each would take minutes.

Reads a JSON list of command lines from stdin; writes their results as JSON to stdout.
"""

import contextlib
import io
import json
import sys

from roost.cli import app
from roost.cli.command import run_command_line


def main() -> None:
    """Run the command lines in order; write `[exit code, stdout, stderr]` for each."""
    results = []
    for arguments in json.load(sys.stdin):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run_command_line(app, arguments)
        results.append([code, out.getvalue(), err.getvalue()])
    sys.stdout.write(json.dumps(results))


if __name__ == "__main__":
    main()
