"""`python -m x_emulator`: serve the emulator until a signal comes."""

import argparse
import json
import sys
from pathlib import Path

from x_emulator.access import VARIABLE, read_secret
from x_emulator.faults.fault_specs import read_fault_file
from x_emulator.scenarios.catalog import SCENARIOS
from x_emulator.server import serve


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="x_emulator", description="The X API played over HTTP.")
    parser.add_argument("--port", type=int, default=8099, help="0 takes a free one (default 8099)")
    parser.add_argument("--scenario", choices=sorted(SCENARIOS), default="purge")
    parser.add_argument("--seed", type=int, default=7, help="what luck is drawn from (default 7)")
    parser.add_argument("--json", action="store_true", help="tell the URL as one line of JSON")
    parser.add_argument("--host", default="127.0.0.1", help="another address needs a secret")
    parser.add_argument(
        "--secret-file",
        type=Path,
        help=f"holds what the doors ask for, as HTTP Basic password (else {VARIABLE})",
    )
    parser.add_argument("--state", type=Path, help="keep the world in this file between runs")
    parser.add_argument(
        "--faults", type=Path, help="a YAML file of faults that hold from the start"
    )
    asked = parser.parse_args()

    def tell(url: str) -> None:
        line = json.dumps({"url": url}) if asked.json else f"X is played at {url} (stop: Ctrl-C)"
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    try:
        serve(
            asked.host,
            asked.port,
            scenario=asked.scenario,
            seed=asked.seed,
            on_listening=tell,
            secret=read_secret(asked.secret_file),
            state=asked.state,
            faults=read_fault_file(asked.faults) if asked.faults else (),
        )
    except (OSError, ValueError) as error:
        parser.exit(1, f"{parser.prog}: {error}\n")


if __name__ == "__main__":
    main()
