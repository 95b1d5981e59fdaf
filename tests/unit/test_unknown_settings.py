"""Settings that do not exist are named, with the setting that was probably meant."""

from pathlib import Path

import pytest

from roost.settings import ENVIRONMENT_NAMES
from roost.unknown_settings import find_unknown_settings


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ROOST_TEST_CLOCK", raising=False)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("ROOST_X_BASEURL", "ROOST_X_BASE_URL"),
        ("ROOST_CLOCK_URI", "ROOST_CLOCK_URL"),
        ("ROOST_CREATE_TIMEOUT", "ROOST_CREATE_TIMEOUT_S"),
        ("ROOST_KEYS", "ROOST_VAULT_KEYS"),
        ("ROOST_DATABASE_URL", "DATABASE_URL"),
        ("ROOST_TWITTER_CLIENT_ID", "TWITTER_CLIENT_ID"),
        ("roost_homes", "ROOST_HOME"),
        ("ROOST_FLAVOUR", None),
    ],
)
def test_unknown_setting_in_the_environment_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, meant: str | None
) -> None:
    monkeypatch.setenv(name, "secret-value")
    (unknown,) = find_unknown_settings(tmp_path / ".env")
    assert (unknown.name, unknown.place, unknown.meant) == (name.upper(), "the environment", meant)
    assert "secret-value" not in unknown.message + unknown.next


def test_unknown_settings_in_the_file_are_named(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("TWITTER_CLIENT_SECRETS=a\nROOST_HOME=/home\nEDITOR=vi\nexport ROOST_TEIR=b\n")
    found = [(one.name, one.place, one.meant) for one in find_unknown_settings(file)]
    assert found == [
        ("ROOST_TEIR", str(file), "ROOST_X_TIER"),
        ("TWITTER_CLIENT_SECRETS", str(file), "TWITTER_CLIENT_SECRET"),
    ]


def test_every_setting_is_known(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("".join(f"{name}=1\n" for name in ENVIRONMENT_NAMES.values()))
    assert find_unknown_settings(file) == []


def test_variable_of_another_program_is_not_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TWITTER_ARCHIVE", "x")
    assert find_unknown_settings(tmp_path / "none") == []
