"""The sandbox of a decoder, which limits the harm that an exploited decoder can do.

The process may use its open files, for a limited processor time. It cannot open other files or
sockets, and cannot gain rights by running programs. If Roost runs as root, the process gives up
root's rights.
"""

import contextlib
import ctypes
import os
import resource
import secrets
import signal
import sys
from typing import Final

#: User ids that belong to no user account (systemd's range for dynamic users). Each process gets a
#: user id of its own, because processes with the same user id may kill and inspect each other.
_USER_IDS: Final = range(61_184, 65_520)
#: The number of threads that a decoder may start, if the process has a user id of its own.
_MAX_THREADS: Final = 64
_PR_SET_PDEATHSIG: Final = 1
_PR_SET_NO_NEW_PRIVS: Final = 38
#: Parameters of glibc's `mallopt`: use one arena, and keep freed memory for the next decoding step.
#: With the default parameters, memory that the allocator reserves would use up the limited address
#: space.
_MALLOC: Final = {-8: 1, -3: 16 << 20, -1: 32 << 20}


def tune_memory() -> None:
    """Configure the memory allocator of the C library.

    The usual way, by environment variables, is not possible: the process has none.
    """
    with contextlib.suppress(AttributeError, OSError):
        library = ctypes.CDLL(None)
        for parameter, value in _MALLOC.items():
            library.mallopt(parameter, value)


def enter_sandbox(*, wall_seconds: int, cpu_seconds: int, parent: int) -> None:
    """Give up all rights except the use of open files; all modules must be loaded before.

    Raises: OSError if root may not become another user.
    """
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    if os.geteuid() == 0:
        _drop_root()
    if library is not None:
        _control(library, _PR_SET_NO_NEW_PRIVS, 1)
        _control(library, _PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
    signal.alarm(wall_seconds + 1)
    # The kernel sends SIGXCPU at the soft limit, and SIGKILL at the hard limit a second later.
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 1))
    # After this call the process cannot open files; files that are already open remain usable.
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))


def _drop_root() -> None:
    user_id = _USER_IDS[secrets.randbelow(len(_USER_IDS))]
    resource.setrlimit(resource.RLIMIT_NPROC, (_MAX_THREADS, _MAX_THREADS))
    os.setgroups([])
    os.setgid(user_id)
    os.setuid(user_id)


def _control(library: ctypes.CDLL, option: int, value: int) -> None:
    # `prctl` reads all five arguments as unsigned longs, so each argument is passed in this type.
    if library.prctl(option, *(ctypes.c_ulong(each) for each in (value, 0, 0, 0))) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
