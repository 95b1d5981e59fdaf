"""The error of a server that cannot listen at its address."""

import errno
import os

from roost.errors import Broken


class PortTaken(Broken):
    """A server cannot listen at its address; usually, another program already uses the port."""

    default_next = "End that program, or choose another port; `--port 0` uses any free port."


def describe_listen_failure(error: OSError, host: str, port: int, *, server: str) -> PortTaken:
    """Return the error for a server that cannot listen on a port.

    `server` is the server's name in the error's message, such as `Roost`.
    """
    did = f"{server} did not start."
    if error.errno == errno.EADDRINUSE:
        return PortTaken(f"Another program listens on port {port} of {host}.", did=did)
    return PortTaken(
        f"{server} cannot listen on port {port} of {host}: {describe_os_error(error)}.",
        did=did,
        next="Choose another address or port; `--port 0` uses any free port.",
    )


def describe_os_error(error: OSError) -> str:
    """Return the system's reason, without the number, path or address that Python adds."""
    if error.errno is None:
        return type(error).__name__
    # A failed address lookup has a negative number, which `os.strerror` does not know.
    return os.strerror(error.errno) if error.errno > 0 else error.strerror or type(error).__name__
