"""Settings from the environment or `.env`: every error at once, secrets never printed."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from bot.domain.desk import MS_PER_MINUTE, DeskRules
from bot.domain.scoring import AUTO, MODELS

S = TypeVar("S", bound=BaseSettings)


class SettingsError(Exception):
    """The settings cannot be used. `problems` has one plain line for each wrong or missing setting."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def is_loopback(host: str | None) -> bool:
    """Whether a URL's host can only be this machine. A name other than localhost counts as far away."""
    if host is None:
        return False
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _url(value: str, *, secure: str, plain: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in (secure, plain) or not parts.hostname:
        raise ValueError(f"expected a {secure}:// address")
    if parts.scheme == plain and not is_loopback(parts.hostname):
        raise ValueError(f"{plain}:// is allowed for this machine only; use {secure}://")
    return value.rstrip("/")


def _http_url(value: str) -> str:
    return _url(value, secure="https", plain="http")


def _ws_url(value: str) -> str:
    return _url(value, secure="wss", plain="ws")


def _database_url(value: str) -> str:
    try:
        url = make_url(value)
    except ArgumentError:
        raise ValueError("expected sqlite:///FILE or postgresql://USER@HOST/DATABASE") from None
    if url.get_backend_name() not in ("sqlite", "postgresql"):
        raise ValueError("expected sqlite:///FILE or postgresql://USER@HOST/DATABASE")
    if url.get_backend_name() == "sqlite" and not url.database:
        raise ValueError("expected a file after sqlite:///; memory databases would lose everything")
    return value


def _blank_to_none(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


HttpUrl = Annotated[str, AfterValidator(_http_url)]
WsUrl = Annotated[str, AfterValidator(_ws_url)]
OptionalHttpUrl = Annotated[HttpUrl | None, BeforeValidator(_blank_to_none)]
OptionalPath = Annotated[Path | None, BeforeValidator(_blank_to_none)]


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen. Port 0: any free one."""

    host: str
    port: int


def _address(value: object) -> object:
    if value is None or isinstance(value, Address):
        return value
    host, colon, port = str(value).strip().rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not host or not port.isascii() or not port.isdigit() or int(port) > 65_535:
        raise ValueError("expected HOST:PORT, as 127.0.0.1:8090")
    return Address(host, int(port))


OptionalAddress = Annotated[Address | None, BeforeValidator(_address), BeforeValidator(_blank_to_none)]


def _time_of_day(value: str) -> str:
    hours, colon, minutes = value.strip().partition(":")
    if not colon or not (hours.isdecimal() and minutes.isdecimal()) or int(hours) > 23 or int(minutes) > 59:
        raise ValueError("expected a time of the day, as 08:00")
    return f"{int(hours):02}:{int(minutes):02}"


class _KeySettings(BaseSettings):
    """The data API's key, read apart: whether one is there is told beside every other error."""

    model_config = SettingsConfigDict(
        env_file_encoding="utf-8", extra="ignore", frozen=True, hide_input_in_errors=True
    )

    fanapi_key: SecretStr | None = None
    fanapi_key_file: OptionalPath = None


class ApiSettings(_KeySettings):
    """What a command needs that asks the data API."""

    fanapi_kind: Literal["fansapi", "ofapi_ai"] = "fansapi"
    fanapi_base_url: OptionalHttpUrl = None
    fanapi_variant: Literal["v1", "gateway"] = "v1"
    fanapi_top_fans: int = Field(default=50, ge=1, le=1000)
    fanapi_requests_per_minute: int = Field(default=1000, gt=0, le=100_000)
    store_message_text: bool = False

    @model_validator(mode="after")
    def _address_is_known(self) -> Self:
        if self.fanapi_kind == "ofapi_ai" and self.fanapi_base_url is None:
            raise ValueError("FANAPI_BASE_URL: is missing; FANAPI_KIND=ofapi_ai has no usual address")
        return self

    def api_base_url(self) -> str:
        """The base of the data API; `fansapi` has a usual one."""
        return self.fanapi_base_url or "https://app.onlyfansapi.com"

    def requests_per_minute(self) -> int:
        """What is set; where nothing is, what the smallest paid plan of the kind allows."""
        if self.fanapi_kind == "ofapi_ai" and "fanapi_requests_per_minute" not in self.model_fields_set:
            return 60
        return self.fanapi_requests_per_minute

    def read_fanapi_key(self) -> SecretStr:
        """The data API's key, from the setting or the first line of its file. Raises SettingsError."""
        if self.fanapi_key is not None:
            key = self.fanapi_key.get_secret_value()
            where = "FANAPI_KEY"
        else:
            where = "FANAPI_KEY_FILE"
            path = self.fanapi_key_file
            assert path is not None  # noqa: S101 - _one_key has seen to it
            try:
                key = path.read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                raise SettingsError(
                    [f"FANAPI_KEY_FILE: cannot read {path} ({type(error).__name__})"]
                ) from error
        if not key or any(c.isspace() for c in key):
            raise SettingsError([f"{where}: expected the key, one word without blanks"])
        return SecretStr(key)


class DatabaseSettings(BaseSettings):
    """What a command needs that works on the database alone; the server's id only where there are several."""

    model_config = _KeySettings.model_config

    database_url: Annotated[str, AfterValidator(_database_url)] = "sqlite:///fanwatch.db"
    discord_guild_id: Annotated[int | None, BeforeValidator(_blank_to_none)] = Field(default=None, gt=0)
    clock_url: OptionalHttpUrl = None


class Settings(ApiSettings):
    """Everything an operator can set. Names are the environment's, in lower case; see `.env.example`."""

    discord_token: SecretStr
    discord_guild_id: int = Field(gt=0)
    discord_api_base: HttpUrl = "https://discord.com/api/v10"
    discord_gateway_url: WsUrl = "wss://gateway.discord.gg"
    database_url: Annotated[str, AfterValidator(_database_url)] = "sqlite:///fanwatch.db"
    roster_file: OptionalPath = None
    score_model: str = "auto"
    clock_url: OptionalHttpUrl = None
    poll_minutes: int = Field(default=60, ge=5, le=1440)
    history_days: int = Field(default=120, ge=60, le=3650)
    chat_url: str = "https://onlyfans.com/my/chats/chat/{fan_id}"
    credits_per_day: int = Field(default=85, ge=1, le=1_000_000)
    webhook_listen: OptionalAddress = None
    webhook_secret: SecretStr | None = None
    webhook_secret_previous: SecretStr | None = None
    metrics_listen: OptionalAddress = None
    alert_budget: int = Field(default=8, ge=1, le=100)
    escalate_lead_minutes: int = Field(default=15, ge=1, le=1440)
    escalate_manager_minutes: int = Field(default=60, ge=2, le=2880)
    remind_claim_minutes: int = Field(default=120, ge=0, le=1440)
    digest_at: Annotated[str, AfterValidator(_time_of_day)] = "08:00"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @field_validator("discord_token")
    @classmethod
    def _token_is_one_word(cls, value: SecretStr) -> SecretStr:
        token = value.get_secret_value()
        if not token or token != token.strip() or any(c.isspace() for c in token):
            raise ValueError("expected the bot's token, one word without blanks")
        return value

    @field_validator("score_model")
    @classmethod
    def _model_is_known(cls, value: str) -> str:
        if value not in (AUTO, *MODELS):
            raise ValueError(f"expected one of {', '.join((AUTO, *MODELS))}")
        return value

    @field_validator("chat_url")
    @classmethod
    def _chat_url_has_a_place(cls, value: str) -> str:
        if not value.startswith("https://") or "{fan_id}" not in value:
            raise ValueError("expected an https:// address with {fan_id} in it")
        return value

    @field_validator("metrics_listen")
    @classmethod
    def _metrics_stay_here(cls, value: Address | None) -> Address | None:
        if value is not None and not is_loopback(value.host):
            raise ValueError("only this machine may read the metrics; use 127.0.0.1:PORT")
        return value

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        secrets = [s for s in (self.webhook_secret,) if s is not None and s.get_secret_value()]
        if self.webhook_listen is not None and not secrets:
            raise ValueError("WEBHOOK_SECRET: is missing; WEBHOOK_LISTEN takes signed events only")
        if self.escalate_manager_minutes <= self.escalate_lead_minutes:
            raise ValueError("ESCALATE_MANAGER_MINUTES: must be more than ESCALATE_LEAD_MINUTES")
        return self

    def desk_rules(self) -> DeskRules:
        """The rules of the desk, in milliseconds where these settings are in minutes."""
        hours, minutes = self.digest_at.split(":")
        return DeskRules(
            alert_budget=self.alert_budget,
            escalate_lead_ms=self.escalate_lead_minutes * MS_PER_MINUTE,
            escalate_manager_ms=self.escalate_manager_minutes * MS_PER_MINUTE,
            remind_claim_ms=self.remind_claim_minutes * MS_PER_MINUTE,
            digest_minute=int(hours) * 60 + int(minutes),
        )


def load_settings(env_file: str | Path | None = ".env") -> Settings:
    """Read the environment and, below it, `env_file` ("" or None: no file). Raises SettingsError."""
    settings = _load(Settings, env_file, with_key=True)
    settings.read_fanapi_key()
    return settings


def load_database_settings(env_file: str | Path | None = ".env") -> DatabaseSettings:
    """The same, of what a command needs that neither talks to Discord nor to the data API."""
    return _load(DatabaseSettings, env_file, with_key=False)


def load_api_settings(env_file: str | Path | None = ".env") -> ApiSettings:
    """The same, of what a command needs that asks the data API."""
    settings = _load(ApiSettings, env_file, with_key=True)
    settings.read_fanapi_key()
    return settings


def _load(kind: type[S], env_file: str | Path | None, *, with_key: bool) -> S:
    problems: list[str] = []
    settings: S | None = None
    try:
        if with_key:
            keys = _KeySettings(_env_file=env_file or None)  # type: ignore[call-arg]
            if (keys.fanapi_key is None) == (keys.fanapi_key_file is None):
                problems.append("FANAPI_KEY or FANAPI_KEY_FILE: set one of the two")
        settings = kind(_env_file=env_file or None)
    except ValidationError as error:
        problems += [_sentence(dict(e)) for e in error.errors(include_input=False)]
    except UnicodeDecodeError:
        problems = [f"{env_file}: it is not UTF-8 text"]
    if settings is None or problems:
        raise SettingsError(problems)
    return settings


def _sentence(error: dict[str, object]) -> str:
    location = error["loc"]
    name = str(location[0]).upper() if isinstance(location, tuple) and location else ""
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "missing":
        message = "is missing"
        return f"{name}: {message}"
    return f"{name}: {message}" if name else message
