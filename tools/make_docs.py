"""Writes the pages of docs/reference that are generated from the code.

A test checks that the pages are up to date.
"""

import importlib
import json
import pkgutil
from datetime import timedelta
from pathlib import Path
from typing import Any

from command_reference import commands_page
from cost_tables import costs_page

import roost
from roost.cli.schemas.commands import OUTPUTS
from roost.cli.schemas.fields import Output
from roost.errors import RoostError, snake_case
from roost.settings import ENVIRONMENT_NAMES, Settings

_SETTINGS = """# Settings

Roost reads settings from the environment.
For a setting that the environment does not have, it reads one file: `.env` in ROOST_HOME, or the file of `--env-file`.
It does not read a `.env` in the working directory, because any user may have written it.

- The settings file and the vault's key file must not be accessible to other users (`chmod 600`).
- Other users must not be able to write to ROOST_HOME or to any directory above it, as for `ssh`; the error is `untrusted_path`.
- A malformed setting stops every command at its start. The error names the setting and its purpose, never its value.
- A line of the settings file that is neither a setting (`NAME=value`) nor a comment does so, too. The error names the file and the line, never its content.
- A value must not contain white space or invisible characters, except for spaces inside ROOST_HOME.
- In DATABASE_URL, percent-encode every character of the user and the password that is not a letter or a digit.

`tools/make_docs.py` generates this page from `src/roost/settings.py`.

| setting | default | purpose |
|---|---|---|
"""
_TREE = """
## The classes

Every class in `roost.x.errors` is also a subclass of `XError`.
The tree shows each class only once: `Rejected`, for example, below `Refused` and not below `XError`.

"""
_JSON = """# JSON

With `--json`, a command prints one JSON object on standard output, on one line, and nothing else there.
A command that fails prints [an error](#errors) instead; its exit code says the same ([command line](cli.md#exit-codes)).

- Every key is always present; null means that there is no value.
- A time is in UTC, in ISO 8601 with `Z` at the end. A duration is a number of seconds, a price a number of dollars.
- `account` is the username on X, without `@`. `url` is an address on x.com; it is null for a post on an emulator.
- If standard output is not UTF-8, every other character than ASCII is escaped (`\\u2713`).

Each schema is a [JSON Schema](https://json-schema.org/) of draft 2020-12.
`tools/make_docs.py` generates this page and the schemas from `src/roost/cli/schemas`.
"""
_ERRORS = """# Errors

Every error that a user can meet has a stable `code` and a kind.
Its text says what happened and to what, what Roost did about it, and what to do next.
The kind determines the exit code ([command line](cli.md#exit-codes)) and the HTTP status ([HTTP](http.md#errors)).
If a post breaks rules of X, Roost does not send the post, and raises `PostRefused`.
Each broken rule is a `Violation` with its own code ([texts](text.md), [media](media.md), [plan files](plan-files.md)).
The code of `PostRefused` is the code of the first violation, so it can be a code that this table does not list.
`roost import` reports the violations of each row of a plan file, and skips the posts that have violations.

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
    """Return the text of `docs/reference/errors.md`.

    The page lists every error by its code, and then draws the tree of the error classes.
    """
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
    """Return the lines of a tree: an error class and its public subclasses, with modules.

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


def json_page() -> str:
    """Return the text of `docs/reference/json.md`: the keys of every command's JSON."""
    sections = [_JSON]
    described: set[str] = set()
    for name, output in OUTPUTS.items():
        purpose = f"{_first_line(output)} [Schema](json/{name}.json)"
        sections.append(f"\n## {_command(name)}\n\n{purpose}\n")
        sections += _tables(output.model_json_schema(mode="serialization"), described)
    return "".join(sections)


def _command(name: str) -> str:
    """Return the heading for an output: the command line that prints it, or `Errors`."""
    headings = {
        "error": "Errors",
        "posts-post": "roost posts POST",
        "publish-dry-run": "roost publish --dry-run",
    }
    return headings.get(name, f"roost {name}")


def _first_line(output: type[Output]) -> str:
    return (output.__doc__ or "").strip().splitlines()[0]


def _tables(schema: dict[str, Any], described: set[str]) -> list[str]:
    """Return a table for an object, and for each object in it that was not described before."""
    title = schema["title"]
    if title in described:
        return [f"\nThe keys are those of `{_object_name(title)}` above.\n"]
    defs = schema.get("$defs", {})
    tables = [_table(schema, defs)]
    described.add(title)
    for name, inner in defs.items():
        if "properties" in inner and name not in described:
            described.add(name)
            purpose = inner["description"].splitlines()[0]
            tables.append(f"\n### {_object_name(name)}\n\n{purpose}\n{_table(inner, defs)}")
    return tables


def _table(schema: dict[str, Any], defs: dict[str, Any]) -> str:
    rows = ["\n| key | type | meaning |\n|---|---|---|\n"]
    for key, value in schema["properties"].items():
        meaning = value.get("description", "")
        rows.append(f"| `{key}` | {_type(value, defs)} | {meaning} |\n")
    return "".join(rows)


def _type(value: dict[str, Any], defs: dict[str, Any]) -> str:
    """Describe the type of a key: `number or null`, `list of Part`."""
    if "$ref" in value:
        name = value["$ref"].rpartition("/")[2]
        if "enum" in defs[name]:
            return ", ".join(f"`{one}`" for one in defs[name]["enum"])
        return _object_name(name)
    if "anyOf" in value:
        return " or ".join(_type(one, defs) for one in value["anyOf"])
    if value.get("type") == "array":
        return f"list of {_type(value['items'], defs)}"
    if value.get("format") == "date-time":
        return "time (UTC)"
    if value.get("format") == "date":
        return "day (UTC)"
    return str(value.get("type", "any"))


def _object_name(title: str) -> str:
    """Return the name of an object in the documentation: `Part` for `PartOutput`."""
    return title.removesuffix("Output")


def json_schemas() -> dict[str, str]:
    """Return the JSON Schema of every command's output by file name."""
    draft = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return {
        f"{name}.json": json.dumps(draft | output.model_json_schema(mode="serialization"), indent=1)
        + "\n"
        for name, output in OUTPUTS.items()
    }


if __name__ == "__main__":
    reference = Path(__file__).parents[1] / "docs" / "reference"
    (reference / "json.md").write_text(json_page(), "utf-8")
    (reference / "json").mkdir(exist_ok=True)
    for file_name, schema_text in json_schemas().items():
        (reference / "json" / file_name).write_text(schema_text, "utf-8")
    (reference / "settings.md").write_text(settings_page(), "utf-8")
    (reference / "errors.md").write_text(errors_page(), "utf-8")
    (reference / "commands.md").write_text(commands_page(), "utf-8")
    (reference / "monthly-costs.md").write_text(costs_page(), "utf-8")
