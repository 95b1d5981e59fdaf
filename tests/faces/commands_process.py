"""Runs many command lines in one process: a JSON list of them on stdin, what each said on stdout.

A process for each would take minutes to start.
"""

import contextlib
import io
import json
import sys

from roost.cli import app
from roost.cli.output import run


def main() -> None:
    """Run them one after the other; `[exit code, standard output, standard error]` of each."""
    said = []
    for arguments in json.load(sys.stdin):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run(app, arguments)
        said.append([code, out.getvalue(), err.getvalue()])
    sys.stdout.write(json.dumps(said))


if __name__ == "__main__":
    main()
