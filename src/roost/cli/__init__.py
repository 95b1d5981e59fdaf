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
    "Exit codes: 0 done · 1 X refused the request, a row of a plan was refused, the post's state"
    " does not allow the request, or something was not found · 2 the request, the post or a setting"
    " is invalid · 3 run `roost init`, ask an administrator, or install an extra · 4 try again"
    " later · 5 something is broken · 130 interrupted."
)


#: The settings file that `--env-file` names; None means `.env` in ROOST_HOME, if there is one.
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


def _describe_default(value: object) -> str | None:
    """Return an option's default for the help; None for a flag or an empty text."""
    return None if value is None or value is False or value == "" else str(value)


app = App(
    name="roost",
    help="Publish to X exactly once, and measure how each post performed.",
    help_epilogue=EXIT_CODES,
    help_on_error=False,
    version=_version,
    help_format="plaintext",
    default_parameter=Parameter(show_default=_describe_default),
)

#: Each command's name, `module:function` and help. A module is imported only when its command
#: runs, so that `roost --version` imports none of them.
_COMMANDS = (
    ("demo", "demo.run:demo", "Run every step of Roost against the emulator, in a minute."),
    ("init", "init:init", "Set up Roost, or bring it up to date; safe to run again."),
    ("tenant", "tenant:tenant", "Show or change the settings of a tenant."),
    ("doctor", "doctor:doctor", "Check the installation and say what to do."),
    ("serve", "serve:serve", "Run the web server: pages, OAuth callback and HTTP API."),
    ("worker", "serve:worker", "Run a worker: publish due posts and collect metrics."),
    ("emulator", "emulator:emulator", "Run the emulator of the X API."),
    ("connect", "connect:connect", "Connect an X account."),
    ("draft", "draft:draft", "Draft posts from a brief; show, change or discard a draft."),
    ("drafts", "stored_drafts:drafts", "List the drafts."),
    ("approve", "stored_drafts:approve", "Approve a draft: schedule exactly what you have read."),
    ("check", "check:check", "Check a text and its media by X's rules, and show the price."),
    ("publish", "publish:publish", "Publish or schedule a post."),
    ("edit", "edit:edit", "Change a post, as long as no part of it is on X."),
    ("cancel", "edit:cancel", "Cancel a post, as long as no part of it is on X."),
    ("posts", "posts:posts", "List posts, or show one post with its history."),
    ("resolve", "resolve:resolve", "Decide about a post that Roost cannot finish by itself."),
    ("pause", "pause:pause", "Pause a post, an account, a tenant or everything."),
    ("resume", "pause:resume", "Resume what was paused."),
    ("alerts", "alerts:alerts", "List the open alerts, on which an operator must act."),
    ("import", "import_plan:import_plan", "Import a content plan (CSV)."),
    ("metrics", "metrics:metrics", "Show the metrics of accounts and posts."),
    ("report", "report:report", "Make a report, keep it, and write it to a file."),
    ("reports", "report:reports", "List the reports; add or remove a schedule."),
)
#: The optional dependencies (extras of the package) that a command needs. A command that is not
#: listed needs the extra `server`.
_EXTRAS: Final[dict[str, tuple[Extra, ...]]] = {
    "demo": ("server", "reports", "media", "emulator"),
    "emulator": ("emulator",),
    "draft": (),
    "check": (),
    "report": ("server", "reports"),
    "reports": ("server", "reports"),
}
#: The former name of each renamed command. If a user types a former name, the error suggests the
#: current name.
_FORMER_NAMES = {"publish": "post", "resolve": "decide", "draft": "write", "alerts": "alarms"}
for _name, _function, _help in _COMMANDS:
    app.command(f"roost.cli.{_function}", name=_name, help=_help, synonym=_FORMER_NAMES.get(_name))


def list_command_names() -> dict[str, str]:
    """Map each current and each former command name to the command's current name."""
    present = {name: name for name, _, _ in _COMMANDS}
    return present | {former: name for name, former in _FORMER_NAMES.items()}


def require_extras(tokens: Sequence[str]) -> None:
    """Check that the extras that a command needs are installed.

    `tokens` are the words of the command line. The check precedes the import of the command's
    module, because the module may import packages of the extras. Raises: ExtraMissing.
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
            help="A file with settings; environment variables have priority. Default:"
            " ROOST_HOME/.env.",
        ),
    ] = None,
) -> Any:
    gc.enable()  # `main` has disabled the collector for the imports, which are done now.
    env_file.set(settings_file)
    return app(tokens, exit_on_error=False, print_error=False, result_action="return_value")


def main(arguments: list[str] | None = None) -> None:
    """Run one command and exit with its exit code."""
    # The garbage collector would take a tenth of the start-up time, although imports leave almost
    # no garbage.
    gc.disable()
    try:
        from roost.cli.command import run_command_line

        sys.exit(run_command_line(app.meta, arguments))
    except KeyboardInterrupt:  # Ctrl-C was pressed while modules were imported.
        sys.exit(130)
