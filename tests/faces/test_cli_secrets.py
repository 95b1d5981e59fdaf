"""A command that fails shows no secret from its settings, however the settings are given."""

import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fix_postgres import PostgresServer
from roost import cli, scrub
from roost.cli.command import run_command_line
from roost.settings import ENVIRONMENT_NAMES, Settings

SECRETS = [
    ENVIRONMENT_NAMES[name] for name, field in Settings.model_fields.items() if not field.repr
]
#: The two halves of the secrets. The tests search for each half, in case only one is shown.
ALPHA, OMEGA = "aLpHa5f1c9e7b3", "oMeGa8d2a6c4f0"
#: Every command, with arguments for which the command fails: because an argument is wrong, or
#: because there is no database.
COMMANDS = {
    "demo": (),
    "init": (),
    "doctor": (),
    "serve": ("--port", "0"),
    "worker": (),
    "emulator": ("--port", "0", "--faults", "none.yaml"),
    "connect": ("--no-browser",),
    "draft": ("--brief", "none.yaml"),
    "drafts": (),
    "approve": ("1", "--at", "+1h"),
    "tenant": (),
    "check": ("word " * 100,),
    "publish": ("Hello",),
    "edit": ("1", "--text", "Hello"),
    "cancel": ("1",),
    "posts": (),
    "resolve": ("1", "acknowledge"),
    "pause": (),
    "resume": (),
    "alerts": (),
    "import": ("none.csv",),
    "metrics": (),
    "report": (),
    "reports": (),
}
#: Malformed settings, each with its name and a value that contains a part of a secret.
WRONG = [
    *(("DATABASE_URL", f"postgresql://user:{ALPHA}{between}{OMEGA}@127.0.0.1:9/db")
      for between in "@/?#[]% \\:"),
    ("DATABASE_URL", f"postgresql://user:[{ALPHA}]@127.0.0.1:9/db"),
    ("DATABASE_URL", f"postgresql://user:{ALPHA}"),
    ("DATABASE_URL", f"postgresql://user:{ALPHA}/{OMEGA}"),
    ("DATABASE_URL", f"postgresql://{ALPHA}:{OMEGA}"),
    ("DATABASE_URL", f"postgresql://user@127.0.0.1:9/db?pasword={ALPHA}"),
    ("DATABASE_URL", f"postgresql://user@127.0.0.1:9/db?password={ALPHA}&sslmode={ALPHA}"),
    ("DATABASE_URL", f"postgresql://user@127.0.0.1:9/db?{ALPHA}"),
    ("DATABASE_URL", f"mysql://user:{ALPHA}@127.0.0.1/db"),
    ("DATABASE_URL", f"host=127.0.0.1 port=9 password={ALPHA}"),
    ("DATABASE_URL", ALPHA),
    ("ROOST_VAULT_KEYS", ALPHA),
    ("ROOST_VAULT_KEYS", f"{ALPHA}:{OMEGA}"),
    ("ROOST_VAULT_KEYS", f"{ALPHA},{OMEGA}"),
    *((name, f"http://{userinfo}127.0.0.1:9{path}")
      for name in ("ROOST_X_BASE_URL", "ROOST_CLOCK_URL", "TWITTER_CALLBACK_URL")
      for userinfo, path in ((f"user:{ALPHA}@", ""), (f"{ALPHA}@", ""), (f"[{ALPHA}]@", ""))),
    ("ROOST_X_BASE_URL", f"http://[{ALPHA}]"),
    ("ROOST_X_BASE_URL", f"http://127.0.0.1:{ALPHA}"),
]  # fmt: skip

Give = Callable[[dict[str, str]], tuple[str, ...]]


@pytest.fixture(autouse=True)
def restored_process_state(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Restore the process-wide state that a command changes: logging, hooks, known secrets."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    monkeypatch.setattr(scrub, "_known", set())
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    yield
    logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture(params=["environment", "home", "named file"])
def give(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Give:
    """Return a function that sets settings; it returns the arguments that a command needs.

    The fixture's parameters are the ways to give settings: environment variables, the file `.env`
    in ROOST_HOME, or a file named by `--env-file`.
    """
    for name in list(os.environ):
        if name.startswith(("ROOST_", "TWITTER_", "DATABASE_URL")):
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    monkeypatch.setenv("ROOST_HOME", str(home))
    monkeypatch.chdir(tmp_path)

    def set_settings(settings: dict[str, str]) -> tuple[str, ...]:
        if request.param == "environment":
            for name, value in settings.items():
                monkeypatch.setenv(name, value)
            return ()
        file = home / ".env" if request.param == "home" else tmp_path / "named.env"
        file.write_text("".join(f"{name}='{value}'\n" for name, value in settings.items()))
        file.chmod(0o600)
        return () if request.param == "home" else ("--env-file", str(file))

    return set_settings


def canaries(server: PostgresServer) -> dict[str, str]:
    """Return a recognizable value for every setting that is secret.

    DATABASE_URL names a real server, and a database that does not exist.
    """
    address = server.url("no_such_database").replace("postgres@", f"postgres:{ALPHA}%40{OMEGA}@")
    known = {"DATABASE_URL": address, "ROOST_VAULT_KEYS": f"k1:{'Q' * 42}8="}
    return {name: known.get(name, f"{name}-{ALPHA}-{OMEGA}") for name in SECRETS}


def require_hidden(output: str, arguments: tuple[str, ...]) -> None:
    for secret in (ALPHA, OMEGA, "Q" * 20, ALPHA[-6:], OMEGA[-6:], ALPHA.lower(), OMEGA.lower()):
        assert secret not in output, f"roost {' '.join(arguments)} shows a secret"
    assert "Traceback" not in output
    assert "unexpected error" not in output


def test_every_command_and_every_secret_is_covered() -> None:
    assert COMMANDS.keys() == {name for name, _, _ in cli._COMMANDS}
    assert {"DATABASE_URL", "ROOST_VAULT_KEYS", "TWITTER_CLIENT_SECRET", "TWITTER_API_KEY"} < {
        *SECRETS
    }


@pytest.mark.parametrize("as_json", [False, True], ids=["text", "json"])
@pytest.mark.parametrize("command", COMMANDS)
def test_command_that_fails_shows_no_secret(
    give: Give,
    postgres_server: PostgresServer,
    capfd: pytest.CaptureFixture[str],
    command: str,
    as_json: bool,
) -> None:
    arguments = (command, *COMMANDS[command], *give(canaries(postgres_server)))
    status = run_command_line(cli.app.meta, [*arguments, *(["--json"] if as_json else [])])
    printed = capfd.readouterr()
    assert status != 0
    assert printed.out + printed.err
    require_hidden(printed.out + printed.err, arguments)


@pytest.mark.parametrize(
    ("command", "name", "value"),
    [
        (command, name, value)
        for name, value in WRONG
        # The demo ignores ROOST_VAULT_KEYS, because it creates its own vault key.
        for command in ("posts", "init", *(("demo",) if name == "DATABASE_URL" else ()))
    ],
    ids=ascii,
)
def test_malformed_setting_is_not_repeated(
    give: Give, capfd: pytest.CaptureFixture[str], command: str, name: str, value: str
) -> None:
    keys = {} if name == "ROOST_VAULT_KEYS" else {"ROOST_VAULT_KEYS": f"k1:{'Q' * 42}8="}
    database = {} if name == "DATABASE_URL" else {"DATABASE_URL": "postgresql://u@127.0.0.1:9/db"}
    arguments = (command, *COMMANDS[command], *give({**keys, **database, name: value}))
    status = run_command_line(cli.app.meta, [*arguments])
    printed = capfd.readouterr()
    assert status in (2, 5)
    require_hidden(printed.out + printed.err, arguments)
