"""Every setting of Roost: its name in the environment, type, default and description."""

import io
import os
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import SplitResult, parse_qsl, urlsplit

from dotenv.parser import parse_stream
from pydantic import BeforeValidator, Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from roost import scrub
from roost.database_address import describe_malformed
from roost.endpoint import XApp, XEndpoint
from roost.errors import SettingInvalid, UnsafeHost
from roost.file_trust import read_private_file
from roost.invalid_values import describe_invalid
from roost.models import Environment

#: The OAuth 2.0 scopes that a connection requests.
DEFAULT_SCOPES = ("tweet.read", "tweet.write", "users.read", "media.write", "offline.access")
_PREFIX: Final = "ROOST_"


def _parse_seconds(value: object) -> object:
    """Convert a number of seconds to a timedelta. Raises: ValueError."""
    if not isinstance(value, str | int | float):
        return value
    try:
        return timedelta(seconds=float(value))
    except (ValueError, OverflowError):
        raise ValueError("Input should be a number of seconds") from None


#: A duration that the environment gives as a number of seconds.
_Seconds = Annotated[timedelta, BeforeValidator(_parse_seconds)]


class Settings(BaseSettings):
    """All settings. docs/reference/settings.md is generated from the fields' descriptions."""

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX,
        env_file_encoding="utf-8",
        extra="ignore",
        env_ignore_empty=True,
        frozen=True,
        hide_input_in_errors=True,
        populate_by_name=True,
    )

    twitter_client_id: str | None = Field(
        default=None,
        validation_alias="twitter_client_id",
        description="OAuth 2.0 client ID of your X app. Required to connect accounts.",
    )
    twitter_client_secret: str | None = Field(
        default=None,
        validation_alias="twitter_client_secret",
        repr=False,
        description="OAuth 2.0 client secret of your X app. Leave this unset for a public client.",
    )
    twitter_api_key: str | None = Field(
        default=None,
        validation_alias="twitter_api_key",
        repr=False,
        description="OAuth 1.0a API key (consumer key) of your X app. Only media uploads by API "
        "v1.1 and `TwitterTool` with OAuth 1.0a use this key.",
    )
    twitter_api_secret: str | None = Field(
        default=None,
        validation_alias="twitter_api_secret",
        repr=False,
        description="OAuth 1.0a API secret (consumer secret) that belongs to TWITTER_API_KEY.",
    )
    twitter_callback_url: str = Field(
        default="http://127.0.0.1:8700/api/auth/callback/twitter",
        validation_alias="twitter_callback_url",
        description="The URL to which X redirects the browser after consent. The URL must equal a "
        "callback URL of the X app, character by character.",
    )
    database_url: str | None = Field(
        default=None,
        validation_alias="database_url",
        repr=False,
        description="URL of a PostgreSQL database (version 15 or later), with the login "
        "`<database>_app`. If unset, Roost runs a private PostgreSQL server inside ROOST_HOME.",
    )
    admin_database_url: str | None = Field(
        default=None,
        repr=False,
        description="URL of the same database, with a login that may create roles and tables. "
        "Only `roost init` uses it.",
    )
    home: Path = Field(
        default_factory=lambda: Path.home() / ".roost",
        description="Data folder: the embedded database, keys, and copies of the media files.",
    )
    vault_keys: str | None = Field(
        default=None,
        repr=False,
        description="Vault keys as `id:base64`, separated by commas. The first key encrypts. "
        "If set, the key file is not read.",
    )
    x_emulator_host: str | None = Field(
        default=None,
        description="Host name of an emulator on another machine, reached over https. Apart "
        "from X and this machine, only this host may receive the X app's secret.",
    )
    x_base_url: str = Field(
        default="https://api.x.com",
        description="Base URL of the X API, or of an emulator on this machine (for another "
        "machine see ROOST_X_EMULATOR_HOST). A connection that was made to an emulator never "
        "becomes a connection to X.",
    )
    x_tier: Literal["self-serve", "enterprise"] = Field(
        default="self-serve",
        description="The X app's plan. X lets only `enterprise` apps quote posts, and reply to "
        "authors who have not mentioned or quoted the account.",
    )
    clock_url: str | None = Field(
        default=None,
        description="URL of the emulator's clock (`…/_emulator/clock`). Allowed only if "
        "ROOST_X_BASE_URL is an emulator.",
    )
    create_timeout: _Seconds = Field(
        default=timedelta(seconds=10),
        validation_alias="roost_create_timeout_s",
        gt=timedelta(0),
        description="Timeout of a request that creates a post, in seconds of wall time. After "
        "the timeout, the outcome counts as unknown.",
    )
    timeline_lag: _Seconds = Field(
        default=timedelta(seconds=15),
        validation_alias="roost_timeline_lag_s",
        ge=timedelta(0),
        description="Seconds after which a new post is certain to be on the account's timeline.",
    )
    resend_window: _Seconds = Field(
        default=timedelta(minutes=10),
        validation_alias="roost_resend_window_s",
        gt=timedelta(0),
        description="For this many seconds after an attempt, Roost may resend a part that X does "
        "not have.",
    )
    late_tolerance: _Seconds = Field(
        default=timedelta(hours=1),
        validation_alias="roost_late_tolerance_s",
        ge=timedelta(0),
        description="Seconds by which a post may be late and still be published automatically. "
        "A post can have its own value.",
    )
    late_posts: Literal["miss", "publish"] = Field(
        default="miss",
        description="Whether a post that is later than ROOST_LATE_TOLERANCE_S is marked as missed, "
        "with an alert (`miss`), or published (`publish`).",
    )
    upload_lead: _Seconds = Field(
        default=timedelta(minutes=10),
        validation_alias="roost_upload_lead_s",
        ge=timedelta(0),
        description="Roost uploads a post's media to X this many seconds before the post is due.",
    )
    heartbeat_interval: _Seconds = Field(
        default=timedelta(seconds=2),
        validation_alias="roost_heartbeat_s",
        gt=timedelta(0),
        description="Seconds of wall time between two heartbeats of a worker.",
    )
    worker_timeout: _Seconds = Field(
        default=timedelta(seconds=8),
        validation_alias="roost_worker_timeout_s",
        gt=timedelta(0),
        description="Seconds of wall time without a heartbeat after which a worker counts as dead "
        "and its jobs are reassigned.",
    )
    shared_accounts: bool = Field(
        default=False,
        description="Whether several tenants may connect the same X account. The tenants' posts "
        "are then published in turn, and each tenant sees only its own posts.",
    )
    model: str | None = Field(
        default=None,
        description="Model that words drafts and the narratives of reports, as `PROVIDER:NAME`, or "
        "the name alone with ROOST_MODEL_URL. If unset, Roost writes both without a model.",
    )
    model_url: str | None = Field(
        default=None,
        description="URL of an OpenAI-compatible server, such as `http://127.0.0.1:8080/v1`. If "
        "unset, the provider in ROOST_MODEL has its own.",
    )
    model_key: str | None = Field(
        default=None,
        repr=False,
        description="API key of the model's provider. A local server may need none.",
    )
    model_timeout: _Seconds = Field(
        default=timedelta(minutes=2),
        validation_alias="roost_model_timeout_s",
        gt=timedelta(0),
        description="Timeout of one attempt to reach the model, in seconds of wall time.",
    )
    model_tokens_per_month: int | None = Field(
        default=None,
        ge=0,
        description="The most tokens that the model may use for one tenant in a UTC month, prompts "
        "and replies together. If unset, there is no cap.",
    )
    model_usd_per_month: Decimal | None = Field(
        default=None,
        ge=0,
        description="The most US dollars that the model may cost for one tenant in a UTC month. If "
        "unset, there is no cap. A model whose price is not known has only the cap of tokens.",
    )
    segment_bytes: int = Field(
        default=4 * 1024 * 1024,
        gt=0,
        le=4 * 1024 * 1024,
        description="Size of one media upload segment in bytes. X refuses more than 4 MiB.",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let environment variables set a field with an alias only by the alias.

        The same applies to the `.env` file. The field's own name is only for arguments in code.
        """
        for source in (env_settings, dotenv_settings):
            source.config = SettingsConfigDict(**source.config | {"populate_by_name": False})
        return init_settings, env_settings, dotenv_settings

    @field_validator("*", mode="before")
    @classmethod
    def _refuse_white_space(cls, value: object, info: ValidationInfo) -> object:
        """Refuse white space in a value, which was probably copied by mistake.

        Roost would send the white space to X as a part of a secret.
        """
        if isinstance(value, str | Path):
            text = str(value)
            # The name of a folder may have spaces inside.
            checked = text[:1] + text[-1:] if info.field_name == "home" else text
            if any(char.isspace() or not char.isprintable() for char in checked):
                raise ValueError(
                    "it contains white space or an invisible character; delete that character"
                )
        return value

    @field_validator("x_base_url")
    @classmethod
    def _validate_endpoint(cls, value: str, info: ValidationInfo) -> str:
        try:
            return XEndpoint(value, info.data.get("x_emulator_host")).base_url
        except UnsafeHost as error:
            raise ValueError(f"{error.message} {error.next}") from None

    @field_validator("clock_url", "twitter_callback_url", "model_url")
    @classmethod
    def _validate_url(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None:
            return None
        parts = _split(value)
        try:
            _ = parts.port
        except ValueError:
            raise ValueError("its port is not a number from 0 to 65535") from None
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("an http or https URL is expected")
        if "@" in parts.netloc:
            raise ValueError(
                "a URL without user and password is expected, because the URL is not kept secret"
            )
        # X compares the callback URL character by character.
        return value if info.field_name == "twitter_callback_url" else value.rstrip("/")

    @field_validator("database_url", "admin_database_url")
    @classmethod
    def _validate_database_url(cls, value: str | None) -> str | None:
        if value is not None and (problem := describe_malformed(value)):
            raise ValueError(problem)
        return value

    @property
    def x_endpoint(self) -> XEndpoint:
        """The X API that this process uses: X's own, or an emulator's.

        Tokens and posts that belong to another X API are never sent to this one.
        Raises: UnsafeHost.
        """
        return XEndpoint(self.x_base_url, self.x_emulator_host)

    @property
    def environment(self) -> Environment:
        """The environment of the X API: `live` for X, `emulator` for an emulator."""
        return self.x_endpoint.environment

    @property
    def may_quote(self) -> bool:
        """Whether X lets the app quote posts."""
        return self.x_tier == "enterprise"

    def require_x_app(self) -> str:
        """Return the client ID. Raises: SettingInvalid if the client ID is not set."""
        if not self.twitter_client_id:
            raise SettingInvalid(
                "TWITTER_CLIENT_ID is not set. It is the OAuth 2.0 client ID of the X app that"
                " accounts are connected through.",
                setting="TWITTER_CLIENT_ID",
            )
        return self.twitter_client_id

    def x_app(self) -> XApp:
        """Return the X app, bound to the endpoint of these settings.

        Raises: SettingInvalid if the client ID is not set.
        """
        return XApp(self.x_endpoint, self.require_x_app(), self.twitter_client_secret)


#: The name of the environment variable of each field; for example, ROOST_HOME for `home`.
ENVIRONMENT_NAMES: Final = {
    name: str(field.validation_alias or f"{_PREFIX}{name}").upper()
    for name, field in Settings.model_fields.items()
}
_FIELDS: Final = {environment_name: name for name, environment_name in ENVIRONMENT_NAMES.items()}


class _Home(BaseSettings):
    """The data folder. This setting is read first, because the `.env` file is in the folder."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, env_ignore_empty=True, extra="ignore")
    home: Path = Field(default_factory=lambda: Path.home() / ".roost")


def read_settings(env_file: Path | None = None) -> Settings:
    """Read the settings from the environment, then from `env_file` or ROOST_HOME's `.env`.

    A `.env` file in the working folder is not read, because other users may be able to write it.
    Errors and logs mask the secrets of these settings from then on.
    Raises: SettingInvalid, which names every malformed setting with its purpose, but never its
    value; UntrustedPath.
    """
    home = _Home().home
    file = env_file or home / ".env"
    if env_file is not None or os.path.lexists(file):
        _require_readable(file)
    try:
        settings = Settings(_env_file=file)
    except ValidationError as error:
        raise _describe_invalid(error) from None
    scrub.register_secrets(_secrets(settings))
    if env_file is None and settings.home != home:
        raise SettingInvalid(
            f"ROOST_HOME in {file} must be the folder that contains this file.",
            next="Set ROOST_HOME in the environment, or pass the file as --env-file.",
            setting="ROOST_HOME",
        )
    if settings.home.exists() and not settings.home.is_dir():
        raise SettingInvalid(
            f"ROOST_HOME: {settings.home} is not a folder. Its purpose:"
            f" {Settings.model_fields['home'].description}",
            setting="ROOST_HOME",
        )
    return settings


def _describe_invalid(error: ValidationError) -> SettingInvalid:
    """Return an error that names every malformed setting.

    The error's fact `setting` contains only the name of the first malformed setting.
    """
    problems = {}
    for problem in error.errors(include_input=False, include_url=False):
        field = str(problem["loc"][0])
        name = ENVIRONMENT_NAMES.get(field, field.upper())
        purpose = Settings.model_fields[_FIELDS[name]].description
        reason = describe_invalid(problem).removesuffix(".")
        problems[name] = f"{name}: {reason}. Its purpose: {purpose}"
    return SettingInvalid(" ".join(problems.values()), setting=next(iter(problems)))


def _require_readable(file: Path) -> None:
    """Check that a settings file can be read, and that each line is a setting or a comment.

    Raises: SettingInvalid if the file is missing, is not text, or has a line of any other kind;
    UntrustedPath.
    """
    try:
        text = read_private_file(file).decode()
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else type(error).__name__
        raise SettingInvalid(
            f"The settings in {file} cannot be read: {reason}.",
            next="Correct the file's path or its mode.",
        ) from None
    except UnicodeDecodeError:
        raise SettingInvalid(
            f"The settings in {file} are not UTF-8 text.", next="Save the file as UTF-8."
        ) from None
    # The parser yields a line without `=`, such as a single word, as a name without a value.
    for one in parse_stream(io.StringIO(text)):
        if one.error or (one.key is not None and one.value is None):
            blank = one.original.string[: -len(one.original.string.lstrip())]
            line = one.original.line + len(blank.splitlines())
            # The line is not quoted, because it may contain a secret.
            raise SettingInvalid(
                f"Line {line} of {file} is not a setting.",
                next="Write NAME=value, close every quotation mark, and begin a comment with `#`.",
            )


def _split(url: str) -> SplitResult:
    """Split a URL. Raises: ValueError, whose message contains no part of the URL."""
    try:
        return urlsplit(url)
    except ValueError:
        raise ValueError("it is not a valid URL") from None


def _secrets(settings: Settings) -> Iterator[str]:
    """Yield the values that `repr` hides, and the passwords and keys that they contain."""
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        if field.repr or value is None:
            continue
        if name in {"database_url", "admin_database_url"}:
            address = urlsplit(value)
            yield address.password or ""
            yield from (one for key, one in parse_qsl(address.query) if key.endswith("password"))
        elif name == "vault_keys":
            yield from (line.partition(":")[2].strip() for line in value.split(","))
        yield value
