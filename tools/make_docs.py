"""Writes the pages of docs/ that are made from the code; a test compares."""

import importlib
import pkgutil
from datetime import timedelta
from pathlib import Path

import roost
from roost.errors import RoostError, snake_case
from roost.settings import ENVIRONMENT_NAMES, Settings

_SETTINGS = """# Settings

From the environment, and for what it leaves unset from one file: `.env` in ROOST_HOME, or the one
that `--env-file` names. A `.env` of the working folder is not read: that folder may be anybody's.
The file has to be its owner's alone (`chmod 600`), as the vault's key file has, and ROOST_HOME and
all folders above it closed to the writing of others, as ssh demands it. A malformed setting is
named at the start, with what it is for and never with its value; nothing starts half-configured.
In DATABASE_URL, percent-encode what is no letter or digit in user and password.
This page is made by `tools/make_docs.py`.

| setting | default | what it is for |
|---|---|---|
"""
_ERRORS = """# Errors

Every failure that a person can meet has a stable `code`, a kind, and four sentences: what happened,
to whom, what Roost did about it, and what to do next. The command line's exit code and the HTTP
status follow from the kind. What breaks a rule of X is a `Violation` with a code of its own, told
before anything is sent. This page is made by `tools/make_docs.py`.

| code | kind | when |
|---|---|---|
"""


def settings_page() -> str:
    """`docs/settings.md`."""
    rows = []
    for name, field in Settings.model_fields.items():
        if name == "home":
            default = "`~/.roost`"
        else:
            value = field.default
            if isinstance(value, timedelta):
                value = f"{value.total_seconds():g}"
            default = "–" if value is None else f"`{value}`"
        rows.append(f"| `{ENVIRONMENT_NAMES[name]}` | {default} | {field.description} |\n")
    return _SETTINGS + "".join(rows)


def errors_page() -> str:
    """`docs/errors.md`."""
    for module in pkgutil.walk_packages(roost.__path__, "roost."):
        if ".migrations" not in module.name and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    rows = []
    for error in sorted(_descendants(RoostError), key=lambda one: one.__name__):
        when = (error.__doc__ or "").strip().splitlines()[0]
        rows.append(f"| `{snake_case(error.__name__)}` | {error.kind} | {when} |\n")
    return _ERRORS + "".join(rows)


def _descendants(parent: type[RoostError]) -> set[type[RoostError]]:
    found = set()
    for child in parent.__subclasses__():
        found |= {child} | _descendants(child)
    return {one for one in found if not one.__name__.startswith("_")}


if __name__ == "__main__":
    docs = Path(__file__).parents[1] / "docs"
    (docs / "settings.md").write_text(settings_page(), "utf-8")
    (docs / "errors.md").write_text(errors_page(), "utf-8")
