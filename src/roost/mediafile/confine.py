"""What a process gives up before it looks at a stranger's file: a hole in a decoder gets little.

It keeps the open files it was given and processor time: no other file, no socket, no program with
more rights, and, where Roost runs as root, not root's rights either.
"""

import contextlib
import ctypes
import os
import resource
import secrets
import signal
import sys
from typing import Final

#: Numbers that no account has (systemd's for services without one): each process its own, because
#: processes of one user may end, and look into, each other.
_USERS: Final = range(61_184, 65_520)
#: Threads that a decoder may start, where the user is the process's own.
_THREADS: Final = 64
_PR_SET_PDEATHSIG: Final = 1
_PR_SET_NO_NEW_PRIVS: Final = 38
#: glibc's `mallopt`: one arena, and memory of one picture is kept for the next step of its
#: decoding. The address space, which is limited, is not spent on reserves.
_MALLOC: Final = {-8: 1, -3: 16 << 20, -1: 32 << 20}


def tune_memory() -> None:
    """Set up the C library's memory, which a process without an environment is not told of."""
    with contextlib.suppress(AttributeError, OSError):
        library = ctypes.CDLL(None)
        for parameter, value in _MALLOC.items():
            library.mallopt(parameter, value)


def confine(*, wall_seconds: int, cpu_seconds: int, parent: int) -> None:
    """Give up everything but the files that are open now; all modules have to be loaded.

    Raises: OSError, where root may not become another user.
    """
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    if os.geteuid() == 0:
        _leave_root()
    if library is not None:
        _control(library, _PR_SET_NO_NEW_PRIVS, 1)
        _control(library, _PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
    signal.alarm(wall_seconds + 1)
    # At the first the kernel says why, at the second it kills.
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 1))
    # From here on nothing can be opened; what is open stays usable.
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))


def _leave_root() -> None:
    number = _USERS[secrets.randbelow(len(_USERS))]
    resource.setrlimit(resource.RLIMIT_NPROC, (_THREADS, _THREADS))
    os.setgroups([])
    os.setgid(number)
    os.setuid(number)


def _control(library: ctypes.CDLL, option: int, value: int) -> None:
    # All five are read, and of full width.
    if library.prctl(option, *(ctypes.c_ulong(each) for each in (value, 0, 0, 0))) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
