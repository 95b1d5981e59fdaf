"""The command line: `roost`. One command a room; answers on standard output, the rest on error."""

import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

EXIT_CODES = (
    "Exit codes: 0 done · 1 X refused it (or a plan's row was), it is in another state, or not"
    " there · 2 the request, the post or a setting is wrong · 3 `roost init` or an administrator"
    " has to act · 4 try again later · 5 something is broken · 130 interrupted."
)


def _version() -> str:
    """`roost --version`; with `--verbose` also the versions of the data that rules stand on."""
    lines = [f"roost {version('roost')}"]
    if "--verbose" in sys.argv:
        from roost.prices import PRICES_AS_OF
        from roost.text import data_versions

        lines += [f"{name} {number}" for name, number in sorted(data_versions().items())]
        lines.append(f"prices as of {PRICES_AS_OF}")
    return "\n".join(lines)


app = App(
    name="roost",
    help="Publish to X exactly once, and understand what it earned.",
    help_epilogue=EXIT_CODES,
    help_on_error=False,
    version=_version,
    help_format="plaintext",
)

#: Loaded when they are called: `roost --version` imports none of them.
_COMMANDS = (
    ("demo", "demo:demo", "The whole way through the runtime, against the emulator, in a minute."),
    ("init", "setup:init", "Make what Roost needs, or bring it up to date; safe to run again."),
    ("doctor", "doctor:doctor", "Look at everything and say what to do."),
    ("serve", "processes:serve", "Serve the page and the connection's way, until ended."),
    ("worker", "processes:worker", "Publish what is due and collect figures, until ended."),
    ("emulator", "processes:emulator", "Play the X API over HTTP, until ended."),
    ("connect", "connect:connect", "Connect an X account."),
    ("write", "writing:write", "Draft posts from a brief."),
    ("check", "writing:check", "Weigh, judge and price a text with its media."),
    ("post", "posts:post", "Publish or schedule a post."),
    ("edit", "posts:edit", "Change a post that has not begun."),
    ("cancel", "posts:cancel", "Take a post back before its time."),
    ("posts", "listing:posts", "List posts, or show one with its history."),
    ("decide", "deciding:decide", "Settle a post that waits for a person."),
    ("pause", "pausing:pause", "Hold posts back: one, an account's, a tenant's, all."),
    ("resume", "pausing:resume", "Let posts go on that were held back."),
    ("alerts", "alerts:alerts", "List what a person has to see to."),
    ("import", "plans:import_plan", "Import a content plan (CSV)."),
    ("metrics", "figures:metrics", "Show what accounts and posts earned."),
    ("report", "figures:report", "Write the report."),
)
for _name, _place, _help in _COMMANDS:
    app.command(f"roost.cli.{_place}", name=_name, help=_help)


@app.meta.default
def _launch(
    *tokens: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
    env_file: Annotated[
        Path | None,
        Parameter(help="Settings for what the environment leaves unset; else ROOST_HOME/.env."),
    ] = None,
) -> Any:
    from roost.cli import command_settings

    command_settings.env_file.set(env_file)
    return app(tokens, exit_on_error=False, print_error=False, result_action="return_value")


def main(arguments: list[str] | None = None) -> None:
    """Run one command and end with its exit code."""
    try:
        from roost.cli.output import run

        sys.exit(run(app.meta, arguments))
    except KeyboardInterrupt:  # while the program was still loading
        sys.exit(130)
