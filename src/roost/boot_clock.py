"""The clock for deadlines: it never jumps, and runs on while the machine is suspended."""

import time
from typing import Final

#: macOS needs no extra clock, because its monotonic clock includes suspended time.
_BOOT_CLOCK: Final[int] = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def boot_seconds() -> float:
    """Return the clock's time in seconds; only the difference of two values has a meaning."""
    return time.clock_gettime(_BOOT_CLOCK)
