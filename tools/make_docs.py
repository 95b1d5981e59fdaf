"""Writes the pages of docs/reference that are generated from the code; a test compares them."""

import importlib
import pkgutil
from datetime import timedelta
from pathlib import Path

from command_reference import commands_page
from cost_tables import costs_page

import roost
from roost.errors import RoostError, snake_case
from roost.settings import ENVIRONMENT_NAMES, Settings

_SETTINGS = """# Settings

Roost reads settings from the environment.
For a setting that the environment does not have, it reads one file: `.env` in ROOST_HOME, or the file of `--env-file`.
It does not read a `.env` in the working directory, because any user may have written it.

- The settings file and the vault's key file must not be accessible to other users (`chmod 600`).
- Other users must not be able to write to ROOST_HOME or to any directory above it, as for `ssh`; the error is `untrusted_path`.
- A malformed setting stops every command at its start. The error names the setting and its purpose, never its value.
- A value must not contain white space or invisible characters, except for spaces inside ROOST_HOME.
- In DATABASE_URL, percent-encode every character of the user and the password that is not a letter or a digit.

`tools/make_docs.py` generates this page from `src/roost/settings.py`.

| setting | default | purpose |
|---|---|---|
"""
_TREE = """
## The classes

The errors of X have two base classes: `XError`, and the one below which they are drawn.

"""
_ERRORS = """# Errors

Every error that a user can meet has a stable `code` and a kind.
Its text says what happened and to what, what Roost did about it, and what to do next.
The kind determines the exit code ([command line](cli.md#exit-codes)) and the HTTP status ([HTTP](http.md#errors)).
A post that breaks a rule of X is not an error of its own: each broken rule is a `Violation` with a code, reported before anything is sent ([texts](text.md), [media](media.md), [plan files](plan-files.md)).

`tools/make_docs.py` generates this page from the error classes.

"""


def settings_page() -> str:
    """Return the text of `docs/reference/settings.md`."""
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
    """Return the text of `docs/reference/errors.md`: every error by code, then the tree of classes."""
    load_roost()
    rows = ["| code | kind | when |\n|---|---|---|\n"]
    for error in sorted(_descendants(RoostError), key=lambda one: one.__name__):
        when = (error.__doc__ or "").strip().splitlines()[0]
        rows.append(f"| `{snake_case(error.__name__)}` | {error.kind} | {when} |\n")
    tree = "".join(f"{line}\n" for line in draw_tree(RoostError, set()))
    return f"{_ERRORS}{''.join(rows)}{_TREE}```text\n{tree}```\n"


def load_roost() -> None:
    """Import every module of Roost, because the page lists the error classes of all modules."""
    for module in pkgutil.walk_packages(roost.__path__, "roost."):
        if ".migrations" not in module.name and not module.name.endswith("__main__"):
            importlib.import_module(module.name)


def draw_tree(error: type[RoostError], drawn: set[type[RoostError]]) -> list[str]:
    """Return the lines that draw a class's public subclasses, each with its module.

    A class with two base classes is drawn only once.
    """
    lines = [f"{error.__name__}  ({error.__module__})"]
    drawn.add(error)
    children = sorted(_public_children(error) - drawn, key=lambda child: child.__name__)
    for child in children:
        is_last = child is children[-1]
        first, *others = draw_tree(child, drawn)
        lines.append(f"{'└── ' if is_last else '├── '}{first}")
        lines += [f"{'    ' if is_last else '│   '}{line}" for line in others]
    return lines


def _public_children(error: type[RoostError]) -> set[type[RoostError]]:
    """Return the subclasses of a class; a private subclass is replaced by its own subclasses."""
    children = set()
    for child in error.__subclasses__():
        children |= _public_children(child) if child.__name__.startswith("_") else {child}
    return children


def _descendants(parent: type[RoostError]) -> set[type[RoostError]]:
    found = set()
    for child in parent.__subclasses__():
        found |= {child} | _descendants(child)
    return {one for one in found if not one.__name__.startswith("_")}


if __name__ == "__main__":
    reference = Path(__file__).parents[1] / "docs" / "reference"
    (reference / "settings.md").write_text(settings_page(), "utf-8")
    (reference / "errors.md").write_text(errors_page(), "utf-8")
    (reference / "commands.md").write_text(commands_page(), "utf-8")
    (reference / "monthly-costs.md").write_text(costs_page(), "utf-8")
