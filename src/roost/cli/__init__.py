"""The command line `roost`: one module per command, imported when the command is called.

A command prints its result on standard output and everything else on standard error.
"""

import gc
import sys
from collections.abc import Sequence
from contextvars import ContextVar
from pathlib import Path
from typing import Annotated, Any, Final

from cyclopts import App, Parameter

from roost.extras import Extra, require_extra

EXIT_CODES = (
    "Exit codes: 0 done · 1 refused by X (or a row of a plan was), in another state, or not found"
    " · 2 the request, the post or a setting is invalid · 3 `roost init` or an administrator has"
    " to act · 4 try again later · 5 something is broken · 130 interrupted."
)


#: The file that `--env-file` names; None: `.env` in ROOST_HOME, if it exists.
env_file: ContextVar[Path | None] = ContextVar("env_file", default=None)


def _version() -> str:
    """Return the text of `roost --version`; `--verbose` adds the versions of X's rules."""
    from importlib.metadata import version

    lines = [f"roost {version('roost')}"]
    if "--verbose" in sys.argv:
        from roost.prices import PRICES_AS_OF
        from roost.text import data_versions

        lines += [f"{name} {number}" for name, number in sorted(data_versions().items())]
        lines.append(f"prices as of {PRICES_AS_OF}")
    return "\n".join(lines)


app = App(
    name="roost",
    help="Publish to X exactly once, and measure how posts perform.",
    help_epilogue=EXIT_CODES,
    help_on_error=False,
    version=_version,
    help_format="plaintext",
)

#: Name, module and function, help. The modules are imported when they are needed: `roost
#: --version` imports none of them.
_COMMANDS = (
    ("demo", "demo.run:demo", "Run every step of Roost against the emulator, in a minute."),
    ("init", "init:init", "Set up Roost, or bring it up to date; safe to run again."),
    ("doctor", "doctor:doctor", "Check the installation and say what to do."),
    ("serve", "serve:serve", "Run the web server: pages, OAuth callback and HTTP API."),
    ("worker", "serve:worker", "Run a worker: publish due posts and collect metrics."),
    ("emulator", "serve:emulator", "Run the emulator of the X API."),
    ("connect", "connect:connect", "Connect an X account."),
    ("draft", "draft:draft", "Draft posts from a brief."),
    ("check", "check:check", "Check a text and its media by X's rules, and price it."),
    ("publish", "publish:publish", "Publish or schedule a post."),
    ("edit", "edit:edit", "Change a post that X has nothing of."),
    ("cancel", "edit:cancel", "Cancel a post that X has nothing of."),
    ("posts", "posts:posts", "List posts, or show one with its history."),
    ("resolve", "resolve:resolve", "Decide about a post that waits for a person."),
    ("pause", "pause:pause", "Pause a post, an account, a tenant or everything."),
    ("resume", "pause:resume", "Resume what was paused."),
    ("alerts", "alerts:alerts", "List what an operator has to act on."),
    ("import", "import_plan:import_plan", "Import a content plan (CSV)."),
    ("metrics", "metrics:metrics", "Show what accounts and posts earned."),
    ("report", "report:report", "Write the report."),
)
#: The extras of the commands that need others than `server`.
_EXTRAS: Final[dict[str, tuple[Extra, ...]]] = {
    "demo": ("server", "charts", "media", "emulator"),
    "emulator": ("emulator",),
    "draft": (),
    "check": (),
    "report": ("server", "charts"),
}
#: Former names of commands, which the error for an unknown command maps to the new ones.
_FORMER_NAMES = {"publish": "post", "resolve": "decide", "draft": "write", "alerts": "alarms"}
for _name, _function, _help in _COMMANDS:
    app.command(f"roost.cli.{_function}", name=_name, help=_help, synonym=_FORMER_NAMES.get(_name))


def require_extras(tokens: Sequence[str]) -> None:
    """Check the extras of the command that a command line names, before its module is imported.

    Raises: ExtraMissing.
    """
    words = iter(tokens)
    for word in words:
        if word == "--env-file":
            next(words, None)
        elif not word.startswith("-"):
            if any(word == name for name, _, _ in _COMMANDS):
                require_extra(*_EXTRAS.get(word, ("server",)), purpose=f"`roost {word}`")
            return


@app.meta.default
def _launch(
    *tokens: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
    settings_file: Annotated[
        Path | None,
        Parameter(
            name="--env-file",
            help="A file of settings for what the environment does not set; default:"
            " ROOST_HOME/.env.",
        ),
    ] = None,
) -> Any:
    gc.enable()  # The command's module is imported by now.
    env_file.set(settings_file)
    return app(tokens, exit_on_error=False, print_error=False, result_action="return_value")


def main(arguments: list[str] | None = None) -> None:
    """Run one command and exit with its exit code."""
    # Imports make almost no garbage, and collecting meanwhile takes a tenth of a start.
    gc.disable()
    try:
        from roost.cli.command import run_command_line

        sys.exit(run_command_line(app.meta, arguments))
    except KeyboardInterrupt:  # while the program was still being imported
        sys.exit(130)
