"""The files in `deploy` use only commands, settings and files that exist."""

import configparser
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from roost.cli import app
from roost.settings import ENVIRONMENT_NAMES

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
CONTAINERFILE = (DEPLOY / "Containerfile").read_text("utf-8")
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))


def compose_services() -> dict[str, Any]:
    """Return the services of the compose file that run Roost's image."""
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))["services"]
    return {name: one for name, one in services.items() if one["image"] == "roost"}


def read_unit(path: Path) -> configparser.SectionProxy:
    unit = configparser.ConfigParser(interpolation=None, strict=False)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read(path, "utf-8")
    return unit["Service"]


def test_compose_file_runs_commands_with_settings_that_exist() -> None:
    services = compose_services()
    assert set(services) == {"init", "serve", "worker"}
    for service in services.values():
        app.parse_args(service["command"], exit_on_error=False, print_error=False)
        assert set(service["environment"]) <= set(ENVIRONMENT_NAMES.values())


def test_only_init_gets_the_administrators_address() -> None:
    named = {
        name
        for name, service in compose_services().items()
        if "ROOST_ADMIN_DATABASE_URL" in service["environment"]
    }
    assert named == {"init"}


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_unit_runs_a_command_as_a_plain_user_in_its_folder(path: Path) -> None:
    unit = read_unit(path)
    program, *words = shlex.split(unit["ExecStart"])
    assert program == "/opt/roost/bin/roost"
    app.parse_args(words, exit_on_error=False, print_error=False)
    assert f"roost-{words[0]}" == path.stem
    assert unit["User"] == "roost"
    assert unit["Environment"] == f"ROOST_HOME=/var/lib/{unit['StateDirectory']}"
    assert (unit["NoNewPrivileges"], unit["ProtectSystem"]) == ("yes", "strict")


def test_image_copies_files_that_exist_and_runs_as_a_plain_user() -> None:
    copied = [
        name
        for line in re.findall(r"(?m)^COPY (?!--)(.*)$", CONTAINERFILE)
        for name in line.split()[:-1]
    ]
    assert {"src", "examples", "requirements.txt"} <= set(copied)
    assert [name for name in copied if not (ROOT / name).exists()] == []
    assert re.findall(r"(?m)^USER (.*)$", CONTAINERFILE) == ["10001:10001"]
    assert "/healthz" in CONTAINERFILE
