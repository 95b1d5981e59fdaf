"""`python -m x_emulator`: serve the emulator until a signal comes."""

import argparse
import json
import sys

from x_emulator.scenarios import SCENARIOS
from x_emulator.server import serve


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="x_emulator", description="The X API played over HTTP.")
    parser.add_argument("--port", type=int, default=8099, help="0 takes a free one (default 8099)")
    parser.add_argument("--scenario", choices=sorted(SCENARIOS), default="purge")
    parser.add_argument("--seed", type=int, default=7, help="what luck is drawn from (default 7)")
    parser.add_argument("--json", action="store_true", help="tell the URL as one line of JSON")
    asked = parser.parse_args()

    def tell(url: str) -> None:
        line = json.dumps({"url": url}) if asked.json else f"X is played at {url} (stop: Ctrl-C)"
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    serve("127.0.0.1", asked.port, scenario=asked.scenario, seed=asked.seed, on_listening=tell)


if __name__ == "__main__":
    main()
