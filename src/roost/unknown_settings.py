"""Finds settings that do not exist, in the environment and in the settings file.

Roost ignores such a setting, so a misspelled ROOST_X_BASE_URL would publish to X itself.
"""

import difflib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic_settings import DotEnvSettingsSource

from roost.settings import ENVIRONMENT_NAMES, Settings

_KNOWN: Final = frozenset(ENVIRONMENT_NAMES.values())
#: In the settings file, a name with either prefix is meant for Roost. In the environment, only a
#: name with `ROOST_` is, because a name with `TWITTER_` may belong to another program.
_BEGINNINGS: Final = ("ROOST_", "TWITTER_")
#: The former names of settings that were renamed.
_RENAMED: Final = {
    "ROOST_KEYS": "ROOST_VAULT_KEYS",
    "ROOST_CREATE_DEADLINE_S": "ROOST_CREATE_TIMEOUT_S",
    "ROOST_READ_LAG_S": "ROOST_TIMELINE_LAG_S",
    "ROOST_RESEND_WITHIN_S": "ROOST_RESEND_WINDOW_S",
    "ROOST_PREPARE_AHEAD_S": "ROOST_UPLOAD_LEAD_S",
    "ROOST_STALLED_AFTER_S": "ROOST_WORKER_TIMEOUT_S",
}


@dataclass(frozen=True, slots=True)
class UnknownSetting:
    """A name that is set like a setting of Roost, although Roost has no such setting."""

    name: str
    place: str
    """Where it is set: `the environment`, or the path of the settings file."""
    meant: str | None
    """The setting that was probably meant."""

    @property
    def message(self) -> str:
        """A message that Roost ignores the name, without a period at the end."""
        return f"{self.name} in {self.place} is not a setting of Roost, so it is ignored"

    @property
    def next(self) -> str:
        """The advice: use the setting that was probably meant, or remove the name."""
        if self.meant is None:
            return "Remove it; docs/reference/settings.md lists the settings."
        return f"Did you mean {self.meant}?"


def find_unknown_settings(file: Path) -> list[UnknownSetting]:
    """Return unknown names of settings in the environment and in a settings file.

    The file may be missing. Upper and lower case letters count as equal, as they do in the names of
    existing settings.
    """
    of_environment = [name for name in os.environ if name.upper().startswith(_BEGINNINGS[0])]
    in_file = DotEnvSettingsSource(Settings, env_file=file).env_vars
    of_file = [name for name in in_file if name.upper().startswith(_BEGINNINGS)]
    return [*_find(of_environment, "the environment"), *_find(of_file, str(file))]


def _find(names: Iterable[str], place: str) -> list[UnknownSetting]:
    return [
        UnknownSetting(name, place, _find_meant(name))
        for name in sorted(map(str.upper, names))
        if name not in _KNOWN
    ]


def _find_meant(name: str) -> str | None:
    """Return the setting with the new or the most similar name; None if there is none.

    The prefix `ROOST_` does not count towards the similarity.
    """
    if name in _RENAMED:
        return _RENAMED[name]
    bare = {known.removeprefix(_BEGINNINGS[0]): known for known in _KNOWN}
    closest = difflib.get_close_matches(name.removeprefix(_BEGINNINGS[0]), bare, n=1)
    return bare[closest[0]] if closest else None
