"""The settings that a command works with: from the environment and, after it, from one file."""

from contextvars import ContextVar
from pathlib import Path

from roost.settings import Settings, read_settings

#: What `--env-file` named; None: `.env` in ROOST_HOME, where it is.
env_file: ContextVar[Path | None] = ContextVar("env_file", default=None)


def command_settings() -> Settings:
    """The settings. Raises: what `read_settings` raises."""
    return read_settings(env_file.get())
