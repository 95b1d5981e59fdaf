"""Loads the fixtures of all suites as plugins."""

import signal

pytest_plugins = [
    "fix_postgres",
    "fix_emulator",
    "fix_runtime",
    "fix_publishing",
    "x_emulator.pytest_plugin",
]

# A shell that runs the tests in the background ignores SIGINT, which every child would inherit.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
