"""Generates the reference page of the commands from the definitions of the command line."""

from inspect import Parameter
from pathlib import Path
from typing import get_args

from cyclopts import App
from cyclopts.argument import Argument

from roost.cli import app

_HEAD = """# Commands

Every command of `roost`, with all its options and an example.
[The command line](cli.md) describes what the commands have in common: times, exit codes, JSON.

`--env-file PATH`, before the name of a command, reads settings from this file ([settings](settings.md)).
Options that the table does not mark as "required" can be left out; "–" means that there is no default.

`tools/make_docs.py` generates this page from the command line's definitions.

"""
#: An example of each command, without the leading `roost`. A test parses the examples.
EXAMPLES = {
    "demo": "demo --scenario steady --keep demo-data --serve",
    "init": "init --tenant acme --time-zone Europe/Berlin",
    "tenant": "tenant --tenant acme --no-drafts-without-person",
    "doctor": "doctor --live --yes",
    "serve": "serve --port 8700",
    "worker": "worker",
    "emulator": "emulator --scenario viral --state world.state",
    "connect": "connect --tenant acme --no-browser",
    "draft": "draft --brief brief.yaml",
    "drafts": "drafts --state draft",
    "approve": "approve 7 --at 2026-12-01T09:00",
    "check": 'check "Our new opening hours: example.com/hours"',
    "publish": 'publish "We open at 7 from Monday." --media shop.jpg --alt "Our shop" --at +2h',
    "edit": 'edit 17 --text "We open at 8 from Monday." --at 2026-12-01T09:00',
    "cancel": "cancel 17",
    "posts": "posts 17 --history",
    "resolve": "resolve 17 found https://x.com/i/web/status/1990000000000000001",
    "pause": "pause --account @acmeplumbing",
    "resume": "resume --account @acmeplumbing",
    "alerts": "alerts --json",
    "import": "import plan.csv --dry-run",
    "metrics": "metrics --days 7",
    "report": "report --last month --output november.pdf",
    "reports": 'reports --schedule weekly --at "Mon 08:00"',
}


def commands_page() -> str:
    """Return the text of `docs/reference/commands.md`."""
    names = [name for name in app if not name.startswith("-")]
    index = ", ".join(f"[{name}](#roost-{name})" for name in names)
    return f"{_HEAD}{index}\n\n" + "\n".join(_section(name, app[name]) for name in names)


def _section(name: str, command: App) -> str:
    arguments = [each for each in command.assemble_argument_collection() if each.show]
    positional = [each for each in arguments if _is_positional(each)]
    words = [each.name if each.required else f"[{each.name}]" for each in positional]
    required = [f"{each.name} {_value(each)}" for each in arguments if each.required]
    words += [word for word in required if word.startswith("--")]
    usage = " ".join(["roost", name, *words, "[OPTIONS]"])
    lines = [
        f"## roost {name}\n",
        f"{command.help}\n",
        f"```text\n{usage}\n```\n",
        f"For example:\n\n```sh\nroost {EXAMPLES[name]}\n```\n",
    ]
    rows = [_row(each) for each in arguments if each.parameter.help or not _is_positional(each)]
    if rows:
        lines.append("| option | default | meaning |\n|---|---|---|\n" + "\n".join(rows) + "\n")
    return "\n".join(lines)


def _row(argument: Argument) -> str:
    value = _value(argument)
    name = argument.name if _is_positional(argument) or not value else f"{argument.name} {value}"
    names = ", ".join(f"`{each}`" for each in (name, *argument.names[1:]))
    return f"| {names} | {_default(argument)} | {_meaning(argument)} |"


def _is_positional(argument: Argument) -> bool:
    return argument.field_info.kind is Parameter.POSITIONAL_ONLY


def _value(argument: Argument) -> str:
    """Return the placeholder for an option's value, such as PATH; empty for a flag."""
    if argument.hint is bool:
        return ""
    types = {argument.hint, *get_args(argument.hint)}
    if argument.get_choices():
        return "NAME"
    if Path in types or list[Path] in types:
        return "PATH"
    return "NUMBER" if int in types else "TEXT"


def _default(argument: Argument) -> str:
    if argument.required:
        return "required"
    default = argument.field_info.default
    if argument.hint is bool:
        return f"`{argument.name}`" if default else "–"
    return "–" if default in (None, "") else f"`{default}`"


def _meaning(argument: Argument) -> str:
    choices = argument.get_choices() or ()
    listed = "One of " + ", ".join(f"`{each}`" for each in choices) + "." if choices else ""
    return " ".join(part for part in (argument.parameter.help, listed) if part).replace("|", "\\|")
