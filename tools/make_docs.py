"""Writes the pages of docs/reference that are generated from the code; a test compares them."""

import importlib
import pkgutil
from pathlib import Path

import roost
from roost.errors import RoostError, snake_case
from roost.settings import Settings

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
_ERRORS = """# Errors

Every error that a user can meet has a stable `code` and a kind.
Its text says what happened and to what, what Roost did about it, and what to do next.
The kind determines the exit code ([command line](cli.md#exit-codes)) and the HTTP status ([HTTP](http.md#errors)).
A post that breaks a rule of X is not an error of its own: each broken rule is a `Violation` with a code, reported before anything is sent ([texts](text.md), [media](media.md), [plan files](plan-files.md)).

`tools/make_docs.py` generates this page from the error classes.

| code | kind | when |
|---|---|---|
"""


def settings_page() -> str:
    """`docs/reference/settings.md`."""
    rows = []
    for name, field in Settings.model_fields.items():
        if name == "roost_home":
            default = "`~/.roost`"
        else:
            default = "–" if field.default is None else f"`{field.default}`"
        rows.append(f"| `{name.upper()}` | {default} | {field.description} |\n")
    return _SETTINGS + "".join(rows)


def errors_page() -> str:
    """`docs/reference/errors.md`."""
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
    reference = Path(__file__).parents[1] / "docs" / "reference"
    (reference / "settings.md").write_text(settings_page(), "utf-8")
    (reference / "errors.md").write_text(errors_page(), "utf-8")
