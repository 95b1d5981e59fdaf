"""The wheel and the sdist build without network access, and work outside the repository."""

import os
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import pytest

import roost

ROOT = Path(__file__).parents[2]
SHIPPED = ("pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE", "src", "examples")


def build(source: Path, target: str, out: Path) -> Path:
    """Build a wheel or an sdist with the installed build backend, and return the file."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(out)],
        cwd=source,
        check=True,
        capture_output=True,
    )
    (built,) = out.iterdir()
    return built


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sdist, built from a copy of the source files outside the repository."""
    source = tmp_path_factory.mktemp("source")
    for name in SHIPPED:
        if (ROOT / name).is_dir():
            shutil.copytree(
                ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__")
            )
        else:
            shutil.copy(ROOT / name, source)
    return build(source, "sdist", tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="module")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that is built from the source distribution."""
    unpacked = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(sdist) as archive:
        # Python has this filter from 3.11.4; Debian 12 has 3.11.2.
        archive.extraction_filter = getattr(tarfile, "data_filter", None)
        archive.extractall(unpacked)
    (source,) = unpacked.iterdir()
    return build(source, "wheel", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new virtual environment with the wheel, which also finds Roost's dependencies.

    A `.pth` file adds the folder of the installed dependencies to the import path. Python still
    imports the wheel's Roost, which comes first on the path. Python also ignores an editable
    install of the repository, because it reads no `.pth` file in a folder that a `.pth` file adds.
    """
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(python)]
    subprocess.run(
        [*pip, "install", "--no-deps", "--no-index", "--quiet", str(wheel)],
        check=True,
        capture_output=True,
    )
    (site_packages,) = (folder / "lib").glob("python*/site-packages")
    dependencies = distribution("cyclopts").locate_file("")
    (site_packages / "dependencies.pth").write_text(f"{dependencies}\n")
    return folder


def run(environment: Path, folder: Path, *command: str) -> str:
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("ROOST_", "TWITTER_", "PYTHON"))
    }
    completed = subprocess.run(
        [str(environment / "bin" / command[0]), *command[1:]],
        cwd=folder,
        env=clean | {"ROOST_HOME": str(folder / "home")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert completed.returncode == 0, completed.stdout + completed.stderr
    return completed.stdout


def test_wheel_has_every_file_of_the_packages(wheel: Path) -> None:
    shipped = {
        str(path.relative_to(ROOT / "src"))
        for path in (ROOT / "src").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    shipped |= {
        str(Path("roost/cli/demo") / path.relative_to(ROOT))
        for path in (ROOT / "examples").rglob("*")
        if path.is_file()
    }
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert names == shipped


def test_installed_wheel_runs_without_the_clone(environment: Path, tmp_path: Path) -> None:
    script = "import roost, x_emulator; print(roost.__file__, roost.__version__)"
    place, version = run(environment, tmp_path, "python", "-c", script).split()
    assert Path(place).is_relative_to(environment)
    assert version == roost.__version__
    assert "5 of 280" in run(environment, tmp_path, "roost", "check", "Hello")


def test_installed_wheel_has_the_files_of_the_demo(environment: Path, tmp_path: Path) -> None:
    script = "from roost.cli.demo.run import _examples; print(_examples())"
    folder = Path(run(environment, tmp_path, "python", "-c", script).strip())
    assert folder.is_relative_to(environment)
    assert (folder / "media" / "croissant.jpg").stat().st_size > 0


def test_command_that_adds_an_extra_names_the_wheel(
    environment: Path, wheel: Path, tmp_path: Path
) -> None:
    script = "from roost.extras import install_command; print(install_command('emulator'))"
    shown = run(environment, tmp_path, "python", "-c", script).strip()
    assert shown == f"pip install '{wheel}[emulator]'"
