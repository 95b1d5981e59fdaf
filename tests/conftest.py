"""Loads the fixtures of all suites as plugins."""

import signal

pytest_plugins = [
    "fix_postgres",
    "fix_emulator",
    "fix_runtime",
    "fix_publishing",
    "fix_model",
    "x_emulator.pytest_plugin",
]

# In a background job of a shell, SIGINT is ignored. Child processes would inherit this, so that
# tests could not stop them by SIGINT.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
