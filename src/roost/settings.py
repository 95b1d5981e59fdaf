"""Everything that can be set, from the environment or a file: names, defaults, units, help."""

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Literal
from urllib.parse import SplitResult, parse_qsl, urlsplit

from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from roost import scrub
from roost.database_address import describe_malformed
from roost.endpoint import XApp, XEndpoint
from roost.errors import SettingInvalid, UnsafeHost
from roost.file_trust import read_private_file
from roost.models import Environment

#: What an account's grant is asked for.
DEFAULT_SCOPES = ("tweet.read", "tweet.write", "users.read", "media.write", "offline.access")


class Settings(BaseSettings):
    """One value for all of Roost; each field's description is the documentation's."""

    model_config = SettingsConfigDict(
        env_file_encoding="utf-8",
        extra="ignore",
        env_ignore_empty=True,
        frozen=True,
        hide_input_in_errors=True,
        populate_by_name=True,
    )

    twitter_client_id: str | None = Field(
        default=None,
        description="OAuth 2.0 client id of the platform's X app; connecting needs it.",
    )
    twitter_client_secret: str | None = Field(
        default=None,
        repr=False,
        description="OAuth 2.0 client secret; leave unset for a public client.",
    )
    twitter_api_key: str | None = Field(
        default=None,
        repr=False,
        description="OAuth 1.0a consumer key, for what OAuth 2.0 cannot do.",
    )
    twitter_api_secret: str | None = Field(
        default=None, repr=False, description="OAuth 1.0a consumer secret."
    )
    twitter_callback_url: str = Field(
        default="http://127.0.0.1:8700/api/auth/callback/twitter",
        description="Where X sends the browser back; registered with the X app, letter by letter.",
    )
    database_url: str | None = Field(
        default=None,
        repr=False,
        description="PostgreSQL 15 or later, as the login `<database>_app`; unset: a private one "
        "inside ROOST_HOME.",
    )
    roost_admin_database_url: str | None = Field(
        default=None,
        repr=False,
        description="The same database as somebody who may make its roles and tables; for `roost "
        "init` alone.",
    )
    roost_home: Path = Field(
        default_factory=lambda: Path.home() / ".roost",
        description="Data folder: embedded database, keys, copies of posts' files.",
    )
    roost_vault_keys: str | None = Field(
        default=None,
        repr=False,
        description="Vault keys, `id:base64` separated by commas; the first encrypts. Wins "
        "over the key file.",
    )
    roost_x_emulator_host: str | None = Field(
        default=None,
        description="Host of an emulator on another machine, asked by https: the one address "
        "besides X's and this machine's that the app's secret may be sent to.",
    )
    roost_x_base_url: str = Field(
        default="https://api.x.com",
        description="The X API, or an emulator on this machine (another: see "
        "ROOST_X_EMULATOR_HOST). Connections made to an emulator stay `emulator` forever.",
    )
    roost_x_tier: Literal["self-serve", "enterprise"] = Field(
        default="self-serve",
        description="The X app's plan. X lets only `enterprise` quote posts, and reply to authors "
        "who have not mentioned or quoted the account.",
    )
    roost_clock_url: str | None = Field(
        default=None,
        description="The emulator's clock (`…/_emulator/clock`); only beside an emulator "
        "at ROOST_X_BASE_URL.",
    )
    roost_create_timeout_s: float = Field(
        default=10.0,
        gt=0,
        description="Wall seconds that one create may take before it counts as unknown.",
    )
    roost_timeline_lag_s: float = Field(
        default=15.0,
        ge=0,
        description="Seconds after which a new post is on X's timeline for sure.",
    )
    roost_resend_window_s: float = Field(
        default=600.0,
        gt=0,
        description="Seconds after an attempt in which an absent part may be sent again.",
    )
    roost_late_tolerance_s: float = Field(
        default=3600.0,
        ge=0,
        description="Seconds that a post may be late and still go out by itself; a post may have "
        "its own.",
    )
    roost_late_posts: Literal["miss", "publish"] = Field(
        default="miss",
        description="What becomes of a later one: `miss` marks it missed, with an alert; "
        "`publish` sends it all the same.",
    )
    roost_upload_lead_s: float = Field(
        default=600.0,
        ge=0,
        description="Seconds before its time at which a post's files are brought to X.",
    )
    roost_heartbeat_s: float = Field(
        default=2.0,
        gt=0,
        description="Wall seconds between two signs of life of a worker.",
    )
    roost_worker_timeout_s: float = Field(
        default=8.0,
        gt=0,
        description="Wall seconds of silence after which a worker's jobs go to another.",
    )
    roost_shared_accounts: bool = Field(
        default=False,
        description="Whether several tenants may connect the same X account. Its posts then take "
        "turns, and each tenant sees its own.",
    )
    roost_segment_bytes: int = Field(
        default=4 * 1024 * 1024,
        gt=0,
        le=4 * 1024 * 1024,
        description="Bytes of one media segment; X refuses more than 4 MiB.",
    )

    @field_validator("*", mode="before")
    @classmethod
    def _is_clean(cls, value: object, info: ValidationInfo) -> object:
        """Refuse what a copied value brings along: it would be sent to X as a part of a secret."""
        if isinstance(value, str | Path):
            text = str(value)
            # A folder's name may have spaces inside.
            looked_at = text[:1] + text[-1:] if info.field_name == "roost_home" else text
            if any(char.isspace() or not char.isprintable() for char in looked_at):
                raise ValueError("it holds white space or an invisible character; delete that")
        return value

    @field_validator("roost_x_base_url")
    @classmethod
    def _is_endpoint(cls, value: str, info: ValidationInfo) -> str:
        try:
            return XEndpoint(value, info.data.get("roost_x_emulator_host")).base_url
        except UnsafeHost as error:
            raise ValueError(f"{error.message} {error.next}") from None

    @field_validator("roost_clock_url", "twitter_callback_url")
    @classmethod
    def _is_address(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None:
            return None
        parts = _split(value)
        try:
            _ = parts.port
        except ValueError:
            raise ValueError("its port is no number from 0 to 65535") from None
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("an http(s) address is expected")
        if "@" in parts.netloc:
            raise ValueError("an address without user and password is expected: it is shown")
        # X compares the callback letter by letter.
        return value if info.field_name == "twitter_callback_url" else value.rstrip("/")

    @field_validator("database_url", "roost_admin_database_url")
    @classmethod
    def _is_postgres(cls, value: str | None) -> str | None:
        if value is not None and (wrong := describe_malformed(value)):
            raise ValueError(wrong)
        return value

    @property
    def x_endpoint(self) -> XEndpoint:
        """The X that this process works with; nothing of another's is sent there.

        Raises: UnsafeHost.
        """
        return XEndpoint(self.roost_x_base_url, self.roost_x_emulator_host)

    @property
    def environment(self) -> Environment:
        """Which X it is."""
        return self.x_endpoint.environment

    @property
    def may_quote(self) -> bool:
        """Whether X lets the app quote posts."""
        return self.roost_x_tier == "enterprise"

    @property
    def create_timeout(self) -> timedelta:
        """How long one create may take, in wall time."""
        return timedelta(seconds=self.roost_create_timeout_s)

    @property
    def timeline_lag(self) -> timedelta:
        """How late X's timeline may be, in domain time."""
        return timedelta(seconds=self.roost_timeline_lag_s)

    @property
    def resend_window(self) -> timedelta:
        """How long after an attempt a part may be sent again, in domain time."""
        return timedelta(seconds=self.roost_resend_window_s)

    @property
    def late_tolerance(self) -> timedelta:
        """How late a post may be and still go out by itself, in domain time."""
        return timedelta(seconds=self.roost_late_tolerance_s)

    @property
    def upload_lead(self) -> timedelta:
        """How long before its time a post's files are brought to X, in domain time."""
        return timedelta(seconds=self.roost_upload_lead_s)

    def require_x_app(self) -> str:
        """The client id. Raises: SettingInvalid where connecting is not set up."""
        if not self.twitter_client_id:
            raise SettingInvalid(
                "TWITTER_CLIENT_ID is not set. It is the OAuth 2.0 client id of the X app that"
                " accounts are connected through.",
                setting="TWITTER_CLIENT_ID",
            )
        return self.twitter_client_id

    def x_app(self) -> XApp:
        """The X app, bound to the endpoint of these settings.

        Raises: SettingInvalid where connecting is not set up.
        """
        return XApp(self.x_endpoint, self.require_x_app(), self.twitter_client_secret)


class _Home(BaseSettings):
    """Where the data folder is, which decides where the rest of the settings is read."""

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore")
    roost_home: Path = Field(default_factory=lambda: Path.home() / ".roost")


def read_settings(env_file: Path | None = None) -> Settings:
    """Settings from the environment, then from `env_file`, or `.env` in ROOST_HOME without one.

    A file of the working folder decides nothing: that folder may be anybody's. The secrets read
    are taken out of all texts from now on.
    Raises: SettingInvalid, naming every malformed setting and what it is for; values are not shown.
    UntrustedPath.
    """
    home = _Home().roost_home
    file = env_file or home / ".env"
    if env_file is not None or os.path.lexists(file):
        _require_readable(file)
    try:
        settings = Settings(_env_file=file)
    except ValidationError as error:
        told = []
        for problem in error.errors(include_input=False, include_url=False):
            name = str(problem["loc"][0])
            about = Settings.model_fields[name].description
            what = problem["msg"].removeprefix("Value error, ")
            told.append(f"{name.upper()}: {what}. It is for: {about}")
        first = str(error.errors()[0]["loc"][0]).upper()
        raise SettingInvalid(" ".join(told), setting=first) from None
    scrub.remember(_secrets(settings))
    if env_file is None and settings.roost_home != home:
        raise SettingInvalid(
            f"ROOST_HOME: {file} cannot name another folder than the one that it is in.",
            next="Set ROOST_HOME in the environment, or name the file by --env-file.",
            setting="ROOST_HOME",
        )
    if settings.roost_home.exists() and not settings.roost_home.is_dir():
        raise SettingInvalid(
            f"ROOST_HOME: {settings.roost_home} is not a folder. It is for:"
            f" {Settings.model_fields['roost_home'].description}",
            setting="ROOST_HOME",
        )
    return settings


def _require_readable(file: Path) -> None:
    """Raises: SettingInvalid (not there, no text), UntrustedPath."""
    try:
        read_private_file(file).decode()
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else type(error).__name__
        raise SettingInvalid(f"The settings in {file} cannot be read: {why}.") from None
    except UnicodeDecodeError:
        raise SettingInvalid(f"The settings in {file} are not UTF-8 text.") from None


def _split(address: str) -> SplitResult:
    """The parts of an address. Raises: ValueError, in words that hold nothing of it."""
    try:
        return urlsplit(address)
    except ValueError:
        raise ValueError("it cannot be read as an address") from None


def _secrets(settings: Settings) -> Iterator[str]:
    """The values of the settings that `repr` hides, and the parts that are secrets alone."""
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        if field.repr or value is None:
            continue
        if name == "database_url":
            address = urlsplit(value)
            yield address.password or ""
            yield from (one for key, one in parse_qsl(address.query) if key.endswith("password"))
        elif name == "roost_vault_keys":
            yield from (line.partition(":")[2].strip() for line in value.split(","))
        yield value
