"""Without extras, Roost needs only its base dependencies; errors name a missing extra."""

import json
import os
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

import roost
from harness.installed import close, list_extra, read_project
from roost.cli import _COMMANDS, _EXTRAS
from roost.extras import EXTRA_MODULES, Extra, require_extra

ROOT = Path(__file__).parents[2]
PICTURE = ROOT / "examples" / "media" / "croissant.jpg"
WITHOUT_EXTRA = {name for name, extras in _EXTRAS.items() if not extras}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def run_base(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command or a script in a process that can import only the base dependencies."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("ROOST_", "TWITTER_"))}
    tests = os.pathsep.join(filter(None, [str(ROOT / "tests"), os.environ.get("PYTHONPATH")]))
    return subprocess.run(
        [sys.executable, str(ROOT / "tests" / "harness" / "base_only.py"), *arguments],
        env=clean | {"ROOST_HOME": str(home), "PYTHONPATH": tests},
        capture_output=True,
        text=True,
        check=False,
    )


def run_roost(home: Path, *arguments: str) -> tuple[int, dict[str, object]]:
    result = run_base(home, "roost", *arguments, "--json")
    assert result.stdout, result.stderr
    return result.returncode, json.loads(result.stdout)


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (("--help",), "Exit codes:"),
        (("--version", "--verbose"), "prices as of"),
        (("check", "--help"), "--premium"),
    ],
)
def test_base_runs_a_command(home: Path, arguments: tuple[str, ...], shown: str) -> None:
    result = run_base(home, "roost", *arguments)
    assert (result.returncode, result.stderr) == (0, "")
    assert shown in result.stdout


def test_base_checks_and_prices_a_text(home: Path) -> None:
    code, result = run_roost(home, "check", "See example.com")
    assert (code, result["valid"], result["weighted_length"]) == (0, True, 27)


def test_base_drafts_from_a_brief(home: Path) -> None:
    code, result = run_roost(home, "draft", "--brief", str(ROOT / "examples" / "brief.yaml"))
    assert (code, bool(result["drafts"])) == (0, True)


def test_base_has_the_library(home: Path) -> None:
    script = (
        "import roost, roost.prices, roost.rate_limits\n"
        "from roost import text, x\n"
        "x.Client, x.posts, x.media, x.metrics, x.auth.oauth2\n"
        "roost.TwitterTool('token')\n"
        "print(text.weigh('Hello').weighted_length, roost.__version__)\n"
    )
    result = run_base(home, "script", script)
    assert (result.stdout, result.stderr) == (f"5 {roost.__version__}\n", "")


@pytest.mark.parametrize("command", [n for n, _, _ in _COMMANDS if n not in WITHOUT_EXTRA])
def test_command_names_the_extra_that_it_needs(home: Path, command: str) -> None:
    code, result = run_roost(home, command)
    error = result["error"]
    assert isinstance(error, dict)
    extras = list(_EXTRAS.get(command, ("server",)))
    assert (code, error["code"], error["facts"]["extras"]) == (3, "extra_missing", extras)
    assert error["message"].startswith(f"`roost {command}` needs the extra")
    assert "pip install" in error["next"]
    assert f"[{','.join(extras)}]" in error["next"]
    assert not home.exists()


def test_media_file_needs_the_extra_for_media(home: Path) -> None:
    code, result = run_roost(home, "check", "Fresh", "--media", str(PICTURE))
    error = result["error"]
    assert isinstance(error, dict)
    assert (code, error["code"], error["facts"]["extras"]) == (3, "extra_missing", ["media"])
    assert error["facts"]["missing"] == ["PIL", "av"]


def test_library_names_the_extra_of_the_runtime(home: Path) -> None:
    script = (
        "import roost\n"
        "try:\n"
        "    roost.open_runtime\n"
        "except roost.RoostError as error:\n"
        "    print(error.code, *error.facts['extras'])\n"
    )
    assert run_base(home, "script", script).stdout == "extra_missing server\n"


@pytest.mark.parametrize(
    ("module", "call", "extra"),
    [
        ("pdf", "render_pdf(document, {})", "pdf"),
        ("xlsx", "render_xlsx(document)", "reports"),
        ("parquet", "render_parquets(document)", "parquet"),
    ],
)
def test_form_of_a_report_names_its_extra(home: Path, module: str, call: str, extra: str) -> None:
    script = (
        "import roost\n"
        "from harness.sample_document import make_document\n"
        f"from roost.insights.reports.forms.{module} import {call.partition('(')[0]}\n"
        "document = make_document(posts=1)\n"
        "try:\n"
        f"    {call}\n"
        "except roost.RoostError as error:\n"
        "    print(error.code, *error.facts['extras'])\n"
    )
    assert run_base(home, "script", script).stdout == f"extra_missing {extra}\n"


def test_emulator_module_names_its_extra(home: Path) -> None:
    result = run_base(home, "script", "import x_emulator.__main__")
    assert result.returncode == 1
    assert "install Roost with its extra `emulator`" in result.stderr


@pytest.mark.parametrize("extra", EXTRA_MODULES)
def test_installed_extra_is_accepted(extra: Extra) -> None:
    require_extra(extra, purpose="This test")


def test_modules_of_each_extra_are_those_that_it_installs() -> None:
    owners = packages_distributions()
    for extra, modules in EXTRA_MODULES.items():
        installed = close(list_extra(extra))
        assert [m for m in modules if installed.isdisjoint(map(canonicalize_name, owners[m]))] == []
        required = {canonicalize_name(each.name) for each in list_extra(extra)}
        named = {canonicalize_name(name) for module in modules for name in owners[module]}
        assert required <= named


def test_extra_all_has_every_other_extra() -> None:
    extras = set(read_project()["optional-dependencies"]) - {"all"}
    assert extras == {*EXTRA_MODULES, "testing"}
    (everything,) = read_project()["optional-dependencies"]["all"]
    assert set(everything.removeprefix("roost[").removesuffix("]").split(",")) == extras


def test_shell_completes_names_that_are_not_loaded() -> None:
    assert {"TwitterTool", "open_runtime", "__version__"} <= set(dir(roost))
