"""`roost emulator`: runs the emulator of the X API, or shows settings for a running one."""

import asyncio
import contextlib
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from cyclopts import Parameter

from roost.cli.arguments import Json, Port, command_settings
from roost.cli.command import run_async
from roost.cli.output import print_note, print_result
from roost.cli.schemas.installation import EmulatorAppOutput, ListeningOutput
from roost.cli.usage import UsageInvalid
from roost.endpoint import is_loopback
from roost.errors import Busy, InvalidInput
from roost.ports import describe_listen_failure, describe_os_error

if TYPE_CHECKING:  # imported when the command needs it: the HTTP client takes time to load
    from roost.cli.demo.emulator import EmulatorControl

Scenario = Literal[
    "bot-burst",
    "growth",
    "month",
    "outage",
    "purge",
    "rival-hashtag",
    "shadow-limited",
    "steady",
    "token-revoked",
    "viral",
]
_DEFAULT_PORT: Final = 8710
#: Wall seconds that `--app` waits for an emulator that is starting.
_START_TIMEOUT_S: Final = 10
_POLL_INTERVAL_S: Final = 0.1
_NOT_STARTED: Final = "The emulator did not start."


class EmulatorNotRunning(Busy):
    """No emulator responds at the address."""


class EmulatorFileInvalid(InvalidInput):
    """A file of the emulator is missing, unsafe or damaged, or cannot be written."""


def emulator(
    *,
    app: Annotated[
        bool,
        Parameter(
            negative="",
            help="Print the settings of an X app of the running emulator, as lines for the shell.",
        ),
    ] = False,
    port: Port = _DEFAULT_PORT,
    scenario: Annotated[Scenario, Parameter(help="What happens to the accounts.")] = "purge",
    seed: Annotated[int, Parameter(help="The same seed gives the same metrics.")] = 7,
    state: Annotated[
        Path | None, Parameter(help="A file that keeps the state between runs.")
    ] = None,
    faults: Annotated[Path | None, Parameter(help="A YAML file of faults.")] = None,
    host: Annotated[str, Parameter(help="An address other than loopback needs a secret.")] = (
        "127.0.0.1"
    ),
    secret_file: Annotated[
        Path | None,
        Parameter(help="A file with the control API's secret; default: X_EMULATOR_SECRET."),
    ] = None,
    as_json: Json = False,
) -> int:
    """Run the emulator of the X API over HTTP until SIGTERM or Ctrl-C."""
    from x_emulator import server
    from x_emulator.access import read_secret
    from x_emulator.faults.fault_specs import read_fault_file
    from x_emulator.state import World

    is_started = False

    def on_listening(url: str) -> None:
        nonlocal is_started
        is_started = True
        print_result(ListeningOutput(url=url), f"The emulator is at {url}", as_json=as_json)
        listening_port = urlsplit(url).port
        option = "" if listening_port == _DEFAULT_PORT else f" --port {listening_port}"
        print_note(f'Settings for Roost: eval "$(roost emulator --app{option})"')

    with _reading("--secret-file", secret_file):
        secret = read_secret(secret_file)
    if app:
        if (scenario, seed, state, faults) != ("purge", 7, None, None):
            raise UsageInvalid(
                "--app asks an emulator that already runs, so --scenario, --seed, --state and"
                " --faults have no effect.",
                next="Start an emulator with these options, then run `roost emulator --app`.",
            )
        return _print_app(_loopback_url(host, port), secret, as_json=as_json)
    if not secret and not is_loopback(host):
        raise UsageInvalid(
            f"Other machines may reach {host}, so an emulator at this address needs a secret.",
            did=_NOT_STARTED,
            next="Name a file with the secret by --secret-file, or leave --host out.",
        )
    with _reading("--faults", faults):
        world = World(scenario, seed, read_fault_file(faults) if faults else ())
    # The state file is written only when the emulator ends, so check its folder now.
    if state is not None and not state.parent.is_dir():
        raise EmulatorFileInvalid(
            f"The folder {state.parent} of the state file does not exist.",
            did=_NOT_STARTED,
            next="Create the folder, or name another file by --state.",
        )
    with _reading("--state", state):
        try:
            server.serve(host, port, world, on_listening=on_listening, secret=secret, state=state)
        except OSError as error:
            if is_started:
                raise EmulatorFileInvalid(
                    f"The state cannot be written to {state}: {describe_os_error(error)}.",
                    did="The emulator ended without saving its state.",
                    next="Free space on the disk, or name another file by --state.",
                ) from None
            if error.filename is not None:
                raise
            raise describe_listen_failure(error, host, port, server="The emulator") from None
    return 0


@contextlib.contextmanager
def _reading(option: str, file: Path | None) -> Iterator[None]:
    """Convert an OSError or ValueError about the file of an option to EmulatorFileInvalid."""
    try:
        yield
    except (OSError, ValueError) as error:
        reason = str(error)
        if isinstance(error, OSError):
            reason = f"{file} cannot be read: {describe_os_error(error)}."
        raise EmulatorFileInvalid(
            reason,
            did=_NOT_STARTED,
            next=f"Correct the file, or name another one by {option}.",
        ) from None


def _loopback_url(host: str, port: int) -> str:
    """Return the URL of an emulator on this machine. Raises: UsageInvalid for another host."""
    if not is_loopback(host):
        raise UsageInvalid(
            f"--app finds an emulator on this machine only, and {host} is not a loopback address.",
            next="Leave --host out: an emulator that listens on another address of this machine"
            " usually listens on 127.0.0.1, too.",
        )
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _print_app(url: str, secret: str | None, *, as_json: bool) -> int:
    """Print the settings with which Roost uses the emulator at `url` and one of its X apps."""

    async def work() -> None:
        from roost.cli.demo.emulator import EmulatorControl

        callback = command_settings().twitter_callback_url
        found = await _find_or_add_app(EmulatorControl(url, secret), callback)
        settings = {
            "ROOST_X_BASE_URL": url,
            "ROOST_CLOCK_URL": f"{url}/_emulator/clock",
            "TWITTER_CALLBACK_URL": callback,
            "TWITTER_CLIENT_ID": found["client_id"],
            "TWITTER_CLIENT_SECRET": found["client_secret"],
            "TWITTER_API_KEY": found["api_key"],
            "TWITTER_API_SECRET": found["api_secret"],
        }
        lines = [f"export {name}={shlex.quote(value)}" for name, value in settings.items()]
        result = EmulatorAppOutput.model_validate(settings)
        print_result(result, "\n".join(lines), as_json=as_json)

    return run_async(work)


async def _find_or_add_app(emulator: "EmulatorControl", callback: str) -> dict[str, Any]:
    """Return the first confidential app with this callback; if there is none, register one.

    Raises: EmulatorNotRunning.
    """
    for app in await _list_apps(emulator):
        if callback in app["callbacks"] and app["client_secret"] is not None:
            return app
    return await emulator.add_app(callback)


async def _list_apps(emulator: "EmulatorControl") -> list[dict[str, Any]]:
    """List the X apps; wait if the emulator is still starting. Raises: EmulatorNotRunning."""
    from aiohttp import ClientConnectionError

    try:
        async with asyncio.timeout(_START_TIMEOUT_S):
            while True:
                with contextlib.suppress(ClientConnectionError):
                    return await emulator.list_apps()
                await asyncio.sleep(_POLL_INTERVAL_S)
    except TimeoutError:
        raise EmulatorNotRunning(
            f"No emulator responds at {emulator.url}.",
            next="Start it with `roost emulator`, in another terminal or in the background.",
        ) from None
