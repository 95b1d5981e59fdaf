"""Settings are read from the environment; errors name invalid settings and show no secret."""

import os
from datetime import timedelta
from pathlib import Path

import pytest

from roost import scrub
from roost.endpoint import LIVE_X
from roost.errors import SettingInvalid
from roost.models import Environment
from roost.settings import ENVIRONMENT_NAMES, Settings, read_settings


@pytest.fixture(autouse=True)
def clean_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment with an empty ROOST_HOME and no other setting of Roost."""
    for name in list(os.environ):
        if name.startswith(("ROOST_", "TWITTER_", "DATABASE_URL")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    return monkeypatch


def with_base(url: str) -> Settings:
    return Settings(_env_file=None, x_base_url=url)


def test_without_anything_set_roost_means_the_real_x() -> None:
    settings = read_settings()
    assert settings.x_base_url == "https://api.x.com"
    assert settings.environment is Environment.LIVE
    assert settings.x_endpoint == LIVE_X
    assert settings.database_url is None
    assert settings.home == Path.home() / ".roost"
    assert settings.create_timeout == timedelta(seconds=10)
    assert settings.timeline_lag == timedelta(seconds=15)
    assert settings.resend_window == timedelta(minutes=10)


def test_an_empty_value_is_none(clean_environment: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "ROOST_VAULT_KEYS", "ROOST_CLOCK_URL", "ROOST_HEARTBEAT_S"):
        clean_environment.setenv(name, "")
    settings = read_settings()
    assert settings.database_url is None
    assert settings.vault_keys is None
    assert settings.clock_url is None
    assert settings.heartbeat_interval == timedelta(seconds=2.0)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ROOST_X_BASE_URL", "api.x.com"),
        ("ROOST_X_BASE_URL", "ftp://api.x.com"),
        ("ROOST_X_BASE_URL", "http://"),
        ("ROOST_X_BASE_URL", "http://127.0.0.1:port"),
        ("ROOST_CLOCK_URL", "http://[::1"),
        ("TWITTER_CALLBACK_URL", "http://127.0.0.1:99999999/callback"),
        ("ROOST_X_BASE_URL", "https://user@example.org/api.x.com"),
        ("ROOST_X_BASE_URL", "https://user:a-password@example.org"),
        ("ROOST_X_BASE_URL", "https://a-password@api.x.com"),
        ("ROOST_CLOCK_URL", "http://user:a-password@127.0.0.1:8710"),
        ("TWITTER_CALLBACK_URL", "http://user:a-password@127.0.0.1:8700/callback"),
        ("ROOST_X_BASE_URL", "http://[a-password]/"),
        ("ROOST_X_BASE_URL", "http://a-password\u2100.example/"),
        ("DATABASE_URL", "mysql://user:a-password@host/db"),
        ("DATABASE_URL", "host=somewhere password=a-password"),
        ("ROOST_CREATE_TIMEOUT_S", "soon"),
        ("ROOST_CREATE_TIMEOUT_S", "0"),
        ("ROOST_TIMELINE_LAG_S", "-1"),
        ("ROOST_HEARTBEAT_S", "nan"),
        ("ROOST_SEGMENT_BYTES", "4194305"),
    ],
)
def test_a_malformed_setting_is_named_with_its_purpose(
    clean_environment: pytest.MonkeyPatch, name: str, value: str
) -> None:
    clean_environment.setenv(name, value)
    with pytest.raises(SettingInvalid, match=name) as caught:
        read_settings()
    assert caught.value.facts == {"setting": name}
    assert "Its purpose: " in caught.value.message
    assert "a-password" not in repr(caught.value.as_dict())


DESCRIPTIONS = {
    ENVIRONMENT_NAMES[field]: str(info.description) for field, info in Settings.model_fields.items()
}
#: A valid value of each setting that is a text. The tests insert white space after `the-`.
TEXTS = {
    "TWITTER_CLIENT_ID": "the-client",
    "TWITTER_CLIENT_SECRET": "the-secret",
    "TWITTER_API_KEY": "the-key",
    "TWITTER_API_SECRET": "the-api-secret",
    "TWITTER_CALLBACK_URL": "http://127.0.0.1:8700/the-way/back",
    "DATABASE_URL": "postgresql://user:the-password@host/db",
    "ROOST_ADMIN_DATABASE_URL": "postgresql://user:the-password@host/db",
    "ROOST_HOME": "/the-home",
    "ROOST_VAULT_KEYS": "k1:the-ring",
    "ROOST_X_EMULATOR_HOST": "the-emulator.example.org",
    "ROOST_X_BASE_URL": "http://127.0.0.1:8710/the-x",
    "ROOST_X_TIER": "enterprise",
    "ROOST_CLOCK_URL": "http://127.0.0.1:8710/the-clock",
    "ROOST_LATE_POSTS": "publish",
    "ROOST_MODEL": "openai:the-model",
    "ROOST_MODEL_URL": "http://127.0.0.1:8080/the-model/v1",
    "ROOST_MODEL_KEY": "the-model-key",
}


def test_every_setting_that_is_a_text_has_a_value_here() -> None:
    numbers = {"_S", "_BYTES", "_ACCOUNTS", "_MONTH"}
    names = set(ENVIRONMENT_NAMES.values())
    assert {n for n in names if not n.endswith(tuple(numbers))} == set(TEXTS)


@pytest.mark.parametrize("space", [" ", "\t", "\n", "\r\n", "\u00a0", "\u200b", "\ufeff"])
@pytest.mark.parametrize("name", TEXTS)
def test_white_space_in_a_setting_is_named_and_the_value_is_not_shown(
    clean_environment: pytest.MonkeyPatch, name: str, space: str
) -> None:
    value = TEXTS[name]
    clean_environment.setenv(name, value)
    read_settings()
    inner = value.replace("the-", f"the-{space}")
    wrong = {space + value, value + space} | ({inner} if name != "ROOST_HOME" else set())
    for each in wrong - {value}:
        clean_environment.setenv(name, each)
        with pytest.raises(SettingInvalid, match=f"^{name}: .*white space") as refused:
            read_settings()
        assert refused.value.facts == {"setting": name}
        assert "the-" not in repr(refused.value.as_dict()).replace(DESCRIPTIONS[name], "")


def test_a_home_may_have_a_space_inside(
    clean_environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    clean_environment.setenv("ROOST_HOME", str(tmp_path / "my roost"))
    assert read_settings().home == tmp_path / "my roost"


@pytest.mark.parametrize("end", ["", "/", "//", "/?a=b/"])
def test_the_callback_is_kept_letter_by_letter(
    clean_environment: pytest.MonkeyPatch, end: str
) -> None:
    url = f"http://127.0.0.1:8700/api/auth/callback/twitter{end}"
    clean_environment.setenv("TWITTER_CALLBACK_URL", url)
    assert read_settings().twitter_callback_url == url


def test_every_malformed_setting_is_named(clean_environment: pytest.MonkeyPatch) -> None:
    clean_environment.setenv("ROOST_HEARTBEAT_S", "often")
    clean_environment.setenv("DATABASE_URL", "nowhere")
    with pytest.raises(SettingInvalid) as caught:
        read_settings()
    assert "ROOST_HEARTBEAT_S: " in caught.value.message
    assert "DATABASE_URL: " in caught.value.message


def test_no_secret_is_in_the_repr(clean_environment: pytest.MonkeyPatch) -> None:
    secrets = {
        "TWITTER_CLIENT_SECRET": "s-client",
        "TWITTER_API_KEY": "s-key",
        "TWITTER_API_SECRET": "s-api",
        "ROOST_VAULT_KEYS": "k1:s-ring",
        "DATABASE_URL": "postgresql://user:s-password@host/db",
    }
    for name, value in secrets.items():
        clean_environment.setenv(name, value)
    settings = read_settings()
    assert settings.twitter_client_secret == "s-client"
    assert "s-" not in repr(settings) + str(settings)


@pytest.mark.parametrize("name", ["DATABASE_URL", "ROOST_ADMIN_DATABASE_URL"])
def test_password_of_a_database_url_is_masked_alone(
    clean_environment: pytest.MonkeyPatch, name: str
) -> None:
    password = f"password-of-{name}"
    clean_environment.setenv(name, f"postgresql://user:{password}@host/db")
    read_settings()
    assert scrub.mask_known_secrets(f"refused {password}") == "refused ***"


@pytest.mark.parametrize(
    ("url", "environment"),
    [
        ("https://api.x.com/", Environment.LIVE),
        ("https://api.twitter.com", Environment.LIVE),
        ("http://127.0.0.1:8710", Environment.EMULATOR),
    ],
)
def test_what_is_the_real_x_and_what_is_not(url: str, environment: Environment) -> None:
    assert with_base(url).environment is environment


@pytest.mark.parametrize("url", ["http://api.x.com", "https://api.x.com.", "http://example.org"])
def test_an_address_that_may_not_have_secrets_is_refused_at_the_start(
    clean_environment: pytest.MonkeyPatch, url: str
) -> None:
    clean_environment.setenv("ROOST_X_BASE_URL", url)
    with pytest.raises(SettingInvalid, match="ROOST_X_BASE_URL"):
        read_settings()


def test_an_emulator_on_another_machine_needs_a_setting_that_names_it(
    clean_environment: pytest.MonkeyPatch,
) -> None:
    clean_environment.setenv("ROOST_X_BASE_URL", "https://emulator.example.org")
    with pytest.raises(SettingInvalid, match="ROOST_X_EMULATOR_HOST"):
        read_settings()
    clean_environment.setenv("ROOST_X_EMULATOR_HOST", "emulator.example.org")
    assert read_settings().environment is Environment.EMULATOR
    clean_environment.setenv("ROOST_X_BASE_URL", "http://emulator.example.org")
    with pytest.raises(SettingInvalid, match="https"):
        read_settings()


def test_an_x_app_that_is_not_set_is_named() -> None:
    with pytest.raises(SettingInvalid, match="TWITTER_CLIENT_ID"):
        read_settings().require_x_app()


def test_environment_names_are_stable() -> None:
    assert set(ENVIRONMENT_NAMES.values()) == set(TEXTS) | {
        "ROOST_CREATE_TIMEOUT_S",
        "ROOST_TIMELINE_LAG_S",
        "ROOST_RESEND_WINDOW_S",
        "ROOST_LATE_TOLERANCE_S",
        "ROOST_UPLOAD_LEAD_S",
        "ROOST_HEARTBEAT_S",
        "ROOST_WORKER_TIMEOUT_S",
        "ROOST_SHARED_ACCOUNTS",
        "ROOST_MODEL_TIMEOUT_S",
        "ROOST_MODEL_TOKENS_PER_MONTH",
        "ROOST_MODEL_USD_PER_MONTH",
        "ROOST_SEGMENT_BYTES",
    }


def test_environment_is_read_by_these_names_alone(clean_environment: pytest.MonkeyPatch) -> None:
    for name in ("ROOST_TWITTER_CLIENT_ID", "ROOST_DATABASE_URL", "CLOCK_URL"):
        clean_environment.setenv(name, "postgresql://user@host/db")
    clean_environment.setenv("ROOST_CREATE_TIMEOUT", "1")
    assert read_settings() == Settings(_env_file=None)


def test_code_gives_a_setting_by_the_name_of_its_field(
    clean_environment: pytest.MonkeyPatch,
) -> None:
    clean_environment.setenv("ROOST_CREATE_TIMEOUT_S", "2.5")
    assert read_settings().create_timeout == timedelta(seconds=2.5)
    settings = Settings(
        _env_file=None, twitter_client_id="app", create_timeout=timedelta(seconds=3)
    )
    assert settings.twitter_client_id == "app"
    assert settings.create_timeout == timedelta(seconds=3)
