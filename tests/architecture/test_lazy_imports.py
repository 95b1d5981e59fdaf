"""A process does not load the libraries that it does not need: they cost time and memory."""

import subprocess
import sys

import pytest

MIGRATIONS = {"sqlalchemy", "alembic", "mako"}
CHARTS = {"vl_convert", "babel"}
MEDIA = {"PIL", "av"}
WEB = {"fastapi", "starlette", "uvicorn"}
DATABASE = {"psycopg", "procrastinate", "cryptography"}
SETTINGS = {"pydantic", "pydantic_settings", "dotenv"}
X_CLIENT = {"aiohttp", "oauthlib", "opentelemetry"}


def loaded_by(script: str) -> set[str]:
    """Run a script in a new process, and return the top-level modules that it has loaded."""
    show = f"import sys; {script}\nprint(*(name for name in sys.modules if '.' not in name))"
    done = subprocess.run([sys.executable, "-c", show], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_help_loads_only_the_command_line() -> None:
    help_page = "import roost.cli.command as command; from roost.cli import app\n"
    loaded = loaded_by(help_page + "command.run_command_line(app.meta, ['--help'])")
    assert loaded & (MIGRATIONS | CHARTS | MEDIA | WEB | DATABASE | SETTINGS | X_CLIENT) == set()


def test_commands_that_read_the_database_load_no_x_client() -> None:
    loaded = loaded_by("import roost.cli.posts, roost.cli.alerts")
    unneeded = MIGRATIONS | CHARTS | MEDIA | WEB | X_CLIENT | {"cryptography", "numpy"}
    assert "psycopg" in loaded
    assert loaded & unneeded == set()


def test_garbage_is_collected_while_a_command_runs() -> None:
    run = "import gc; from roost.cli import main\ntry: main(['check', 'Hello'])\n"
    loaded_by(f"{run}except SystemExit: assert gc.isenabled()")


@pytest.mark.parametrize("module", ["roost.web.server", "roost.worker"])
def test_services_load_no_migrations_charts_or_decoders(module: str) -> None:
    loaded = loaded_by(f"import {module}, roost.cli.serve")
    assert "psycopg" in loaded
    assert loaded & (MIGRATIONS | CHARTS | MEDIA) == set()


def test_text_rules_load_only_what_is_used() -> None:
    loaded = loaded_by("import roost.text; roost.text.weigh('Hello')")
    assert loaded & (MIGRATIONS | CHARTS | MEDIA | WEB | DATABASE | SETTINGS | X_CLIENT) == set()
