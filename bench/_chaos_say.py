"""Says how far chaos is, on standard error."""

import sys
import time


def say(text: str) -> None:
    """Print a line with the wall time."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)
