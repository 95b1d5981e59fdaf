"""`python -m x_emulator`: run the emulator until it receives SIGTERM or SIGINT."""

import argparse
import json
import sys
from pathlib import Path

try:
    from x_emulator.access import ENVIRONMENT_VARIABLE, read_secret
    from x_emulator.faults.fault_specs import read_fault_file
    from x_emulator.scenarios.catalog import SCENARIOS
    from x_emulator.server import serve
    from x_emulator.state import World
except ModuleNotFoundError as missing:
    sys.exit(f"x_emulator needs {missing.name}: install Roost with its extra `emulator`.")


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65_535:
        raise argparse.ArgumentTypeError(f"{port} is not a port from 0 to 65535")
    return port


def main() -> None:
    """Parse the command line and run the server."""
    parser = argparse.ArgumentParser(prog="x_emulator", description="Emulate the X API over HTTP.")
    parser.add_argument("--port", type=_port, default=8099, help="0: any free port (default 8099)")
    parser.add_argument("--scenario", choices=sorted(SCENARIOS), default="purge")
    parser.add_argument("--seed", type=int, default=7, help="random seed (default 7)")
    parser.add_argument("--json", action="store_true", help="print the URL as one line of JSON")
    parser.add_argument(
        "--host", default="127.0.0.1", help="listen address; needs a secret unless it is loopback"
    )
    parser.add_argument(
        "--secret-file",
        type=Path,
        help="file with the HTTP Basic password of the control API and the pages"
        f" (default: {ENVIRONMENT_VARIABLE})",
    )
    parser.add_argument("--state", type=Path, help="file that keeps the state between runs")
    parser.add_argument("--faults", type=Path, help="YAML file of faults to inject from the start")
    arguments = parser.parse_args()

    def print_url(url: str) -> None:
        line = f"The X emulator is running at {url} (press Ctrl-C to stop)"
        sys.stdout.write((json.dumps({"url": url}) if arguments.json else line) + "\n")
        sys.stdout.flush()

    try:
        secret = read_secret(arguments.secret_file)
        faults = read_fault_file(arguments.faults) if arguments.faults else ()
        serve(
            arguments.host,
            arguments.port,
            World(arguments.scenario, arguments.seed, faults),
            on_listening=print_url,
            secret=secret,
            state=arguments.state,
        )
    except (OSError, ValueError) as error:
        parser.exit(1, f"{parser.prog}: {error}\n")


if __name__ == "__main__":
    main()
