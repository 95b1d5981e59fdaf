"""Settings are read from the environment, then from `--env-file` or ROOST_HOME/.env only."""

import os
from datetime import timedelta
from pathlib import Path

import pytest

from roost.errors import SettingInvalid, UntrustedPath
from roost.settings import ENVIRONMENT_NAMES, read_settings


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty ROOST_HOME, which is not the working folder."""
    for name in list(os.environ):
        if name.startswith(("ROOST_", "TWITTER_", "DATABASE_URL")):
            monkeypatch.delenv(name)
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    home.mkdir(mode=0o700)
    elsewhere.mkdir(mode=0o700)
    monkeypatch.chdir(elsewhere)
    monkeypatch.setenv("ROOST_HOME", str(home))
    return home


def write(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text, "utf-8")
    path.chmod(mode)
    return path


def every_setting(value: str) -> str:
    """Return the text of a file that sets every setting to `value`."""
    return "".join(f"{name}={value}\n" for name in ENVIRONMENT_NAMES.values())


def test_env_file_of_the_working_folder_decides_nothing() -> None:
    without = read_settings()
    write(Path(".env"), every_setting("https://x.example"))
    assert read_settings() == without


def test_the_environment_wins_over_the_file_of_the_home(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(home / ".env", "TWITTER_CLIENT_ID=from-file\nROOST_TIMELINE_LAG_S=20\nOTHER=1\n")
    monkeypatch.setenv("TWITTER_CLIENT_ID", "from-environment")
    settings = read_settings()
    assert settings.twitter_client_id == "from-environment"
    assert settings.timeline_lag == timedelta(seconds=20.0)


def test_a_named_file_is_read_in_place_of_the_homes(home: Path, tmp_path: Path) -> None:
    write(home / ".env", "TWITTER_CLIENT_ID=of-home\nROOST_TIMELINE_LAG_S=20\n")
    named = write(tmp_path / "named.env", f"TWITTER_CLIENT_ID=named\nROOST_HOME={tmp_path}\n")
    settings = read_settings(named)
    assert settings.twitter_client_id == "named"
    assert settings.timeline_lag == timedelta(seconds=15.0)
    assert settings.home == home  # ROOST_HOME of the environment has priority.
    assert read_settings().twitter_client_id == "of-home"


def test_a_named_file_names_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ROOST_HOME")
    named = write(tmp_path / "named.env", f"ROOST_HOME={tmp_path / 'other'}\n")
    assert read_settings(named).home == tmp_path / "other"


def test_the_homes_file_cannot_name_another_home(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ROOST_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    default = tmp_path / ".roost"
    default.mkdir(mode=0o700)
    write(default / ".env", f"ROOST_HOME={home}\n")
    with pytest.raises(SettingInvalid, match="must be the folder that contains this file"):
        read_settings()


def test_a_missing_env_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(SettingInvalid, match=r"none\.env cannot be read: No such file"):
        read_settings(tmp_path / "none.env")


def test_an_env_file_that_is_not_text_is_reported_without_its_bytes(home: Path) -> None:
    (home / ".env").write_bytes(b"TWITTER_CLIENT_SECRET=\xff\xfesecret\n")
    (home / ".env").chmod(0o600)
    with pytest.raises(SettingInvalid, match="not UTF-8") as caught:
        read_settings()
    assert "secret" not in str(caught.value.as_dict()).replace("SECRET", "")


@pytest.mark.parametrize("named", [False, True], ids=["of the home", "named"])
@pytest.mark.parametrize("mode", [0o644, 0o660, 0o604])
def test_a_file_that_others_may_use_is_refused(home: Path, mode: int, named: bool) -> None:
    file = write(home / ".env", "TWITTER_CLIENT_ID=a\n", mode)
    with pytest.raises(UntrustedPath):
        read_settings(file if named else None)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
@pytest.mark.parametrize("given", [".env", "."])
def test_a_strangers_file_or_home_is_refused(home: Path, given: str) -> None:
    write(home / ".env", "ROOST_X_BASE_URL=https://x.example\n")
    os.chown(home / given, 54_321, 54_321)
    with pytest.raises(UntrustedPath, match="another user"):
        read_settings()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("garbage hunter2", 1),
        ("TWITTER_CLIENT_ID=a\n\n# A comment\n\nhunter2\n", 5),
        ("TWITTER_CLIENT_ID=a\nTWITTER_CLIENT_SECRET='hunter2\nROOST_X_TIER=enterprise\n", 2),
        ("\r\n\r\nTWITTER_CLIENT_SECRET: hunter2\r\n", 3),
    ],
    ids=["two words", "one word", "open quotation mark", "colon"],
)
def test_a_line_that_is_not_a_setting_is_named_and_not_quoted(
    home: Path, text: str, line: int
) -> None:
    file = write(home / ".env", text)
    with pytest.raises(SettingInvalid) as caught:
        read_settings()
    assert caught.value.message == f"Line {line} of {file} is not a setting."
    assert "hunter2" not in str(caught.value.as_dict())


def test_comments_blank_lines_quotes_and_empty_values_are_settings(home: Path) -> None:
    write(
        home / ".env",
        "# A comment\n\n \nexport TWITTER_CLIENT_ID='a' # more\nTWITTER_API_KEY=\nA=\"b\nc\"\n\n",
    )
    assert read_settings().twitter_client_id == "a"
