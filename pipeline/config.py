"""TOML and environment become one frozen Config, validated once, before any other input or output.

The only reader of the environment. Secrets are SecretStr: they show as asterisks in every repr.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError, field_validator

from pipeline.errors import ConfigError
from pipeline.model import Component, Service

ROOT = Path(__file__).resolve().parent.parent
CATALOGUE = ROOT / "data" / "services.toml"
MODELS = ROOT / "data" / "model"
PLACES = ROOT / "data" / "places.toml"
OUTAGES = ROOT / "data" / "incidents.csv"
PRESS = ROOT / "data" / "press_claims.csv"
LABELS = ROOT / "data" / "labels"
DASHBOARDS = ROOT / "dashboards"

_UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86400}


def parse_duration(value: object) -> timedelta:
    """Read `30s`, `5min`, `3h` or `14d`; raises ValueError on anything else."""
    if isinstance(value, timedelta):
        return value
    match = re.fullmatch(r"\s*(\d{1,6})\s*(s|min|h|d)\s*", str(value))
    if not match:
        raise ValueError(f"{value!r} is not a duration; write it as 30s, 5min, 3h or 14d")
    return timedelta(seconds=int(match[1]) * _UNITS[match[2]])


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class Mail(_Strict):
    """Where alert mails go and by which server. The password comes from GROUNDSWELL_SMTP_PASSWORD."""

    to: tuple[str, ...] = ()
    sender: str = "groundswell@localhost"
    host: str = "localhost"
    port: int = Field(default=25, ge=1, le=65535)
    security: Literal["none", "starttls", "tls"] = "none"
    user: str = ""
    timeout: Duration = timedelta(seconds=20)

    @field_validator("to", "sender")
    @classmethod
    def _plain_address(cls, value: tuple[str, ...] | str) -> tuple[str, ...] | str:
        for address in (value,) if isinstance(value, str) else value:
            if not re.fullmatch(r"[A-Za-z0-9._%+\-]{1,64}@[A-Za-z0-9.\-]{1,255}", address):
                raise ValueError(f"{address!r} is not a plain mail address such as me@example.org")
        return value


class Alerts(_Strict):
    """When to write and where to. The gap between mails of one incident doubles after each, from `min_gap`."""

    channels: tuple[Literal["file", "email"], ...] = ("file",)
    folder: str = "mail"
    from_state: Literal["possible", "likely", "confirmed"] = "possible"
    min_gap: Duration = timedelta(minutes=15)
    max_gap: Duration = timedelta(hours=4)
    quiet_to_close: Duration = timedelta(minutes=90)


class Sources(_Strict):
    """Which sources the scheduled run reads. Empty lists and false switch a kind off.

    The bases are for mirrors and local stand-ins; under `statuspage_base` each page lies by its service's id.
    """

    statuspage: bool = True
    hacker_news: bool = True
    downstatus: bool = True
    downdetector: bool = True
    downdetector_countries: tuple[str, ...] = ()
    reddit: bool = True
    communities: tuple[str, ...] = ()
    bluesky: bool = True
    news_desks: bool = True
    google_news: bool = True
    feeds: tuple[str, ...] = ()
    counts: tuple[str, ...] = ()
    charts: tuple[str, ...] = ()
    mastodon: tuple[str, ...] = ()
    mastodon_tags: tuple[str, ...] = ()
    allow_hosts: tuple[str, ...] = ()
    deadline: Duration = timedelta(seconds=30)
    statuspage_base: str = ""
    google_news_base: str = "https://news.google.com"
    hacker_news_base: str = "https://hn.algolia.com"
    downstatus_base: str = "https://isitdownstatus.com"
    downdetector_base: str = "https://downdetectorapi.com/v2"
    reddit_base: str = ""
    bluesky_base: str = "https://bsky.social"
    charts_base: str = "https://rss.marketingtools.apple.com"
    charts_legacy_base: str = "https://itunes.apple.com"

    @field_validator("feeds", "mastodon")
    @classmethod
    def _web_addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for url in value:
            try:
                parts = urlsplit(url)
            except ValueError:
                parts = urlsplit("")
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise ValueError(f"{url!r} is not an address such as https://example.org/feed.xml")
        return value

    @field_validator("charts")
    @classmethod
    def _countries(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for where in value:
            if not re.fullmatch(r"[a-z]{2}(:\d{1,6})?", where):
                raise ValueError(f"{where!r} is not a country as us, or country and genre as us:6007")
        return value

    @field_validator("allow_hosts")
    @classmethod
    def _hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for entry in value:
            try:
                ip_network(entry)
            except ValueError:
                if not re.fullmatch(r"[A-Za-z0-9._-]{1,253}", entry):
                    raise ValueError(f"{entry!r} is neither a host nor a network such as 10.1.0.0/16") from None
        return value


class DetectorChoice(_Strict):
    """Which detector judges the series, and its parameters."""

    name: str = "seasonal_nb"
    params: dict[str, float | int | str] = {}


class Secrets(_Strict):
    """Credentials, from the environment only."""

    smtp_password: SecretStr | None = None
    reddit_client_id: SecretStr | None = None
    reddit_client_secret: SecretStr | None = None
    downdetector_client_id: SecretStr | None = None
    downdetector_client_secret: SecretStr | None = None
    bluesky_identifier: SecretStr | None = None
    bluesky_password: SecretStr | None = None
    author_salt: SecretStr | None = None


class Config(_Strict):
    """Everything a run needs to know that is not in the database."""

    watch: tuple[str, ...] = ()
    display_timezone: str = "UTC"
    mail: Mail = Mail()
    alerts: Alerts = Alerts()
    sources: Sources = Sources()
    detector: DetectorChoice = DetectorChoice()
    secrets: Secrets = Secrets()
    report: str = "report"
    catalogue: dict[str, Service] = {}

    @field_validator("display_timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"{value!r} is no time zone; write it as Europe/Berlin or UTC") from error
        return value

    @property
    def watched(self) -> tuple[str, ...]:
        """Services that may alert: the configured ones, or the whole catalogue when none is named."""
        return self.watch or tuple(sorted(self.catalogue))


class _ComponentTable(_Strict):
    id: str = Field(pattern=r"^[a-z0-9_]{1,40}$")
    name: str
    role: str = "other"
    aliases: tuple[str, ...] = ()
    official: tuple[str, ...] = ()


class _ServiceTable(_Strict):
    name: str
    kind: str = "other"
    vendor: str = ""
    aliases: tuple[str, ...] = ()
    vendor_aliases: tuple[str, ...] = ()
    named_by: tuple[str, ...] = ()
    homograph: bool = False
    communities: tuple[str, ...] = ()
    status_page: str = Field(default="", pattern=r"^(https?://\S+)?$")
    status_format: Literal["", "statuspage", "atom"] = ""
    downstatus: str = ""
    downdetector: str = ""
    app_names: tuple[str, ...] = ()
    rivals: tuple[str, ...] = ()
    runs_on: tuple[str, ...] = ()
    components: tuple[_ComponentTable, ...] = ()


def evaluation_data() -> Path | None:
    """Return the folder of other people's data that EVAL_DATA names, None when it is unset."""
    named = os.environ.get("EVAL_DATA", "")
    return Path(named) if named else None


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file; raises ConfigError naming the file, and the line where TOML itself is broken."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: no such file") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error


def _explain(path: Path, error: ValidationError, prefix: str = "") -> ConfigError:
    """Turn pydantic's report into `file: key: reason` lines joined by a semicolon."""
    lines = []
    for item in error.errors():
        key = ".".join(str(part) for part in ((prefix, *item["loc"]) if prefix else item["loc"]))
        reason = "unknown key" if item["type"] == "extra_forbidden" else item["msg"].removeprefix("Value error, ")
        lines.append(f"{key}: {reason}")
    return ConfigError(f"{path}: " + "; ".join(lines))


def _services(path: Path, tables: Mapping[str, Any], into: dict[str, Service]) -> dict[str, Service]:
    """Add or override catalogue entries from `[services.<id>]` tables."""
    if not isinstance(tables, Mapping):
        raise ConfigError(f"{path}: services: must be tables, as [services.mine]")
    for service_id, table in tables.items():
        if not re.fullmatch(r"[a-z0-9_]{1,40}", service_id):
            raise ConfigError(f"{path}: services.{service_id}: an id has only a-z, 0-9 and _")
        base = {} if service_id not in into else _as_table(into[service_id])
        try:
            checked = _ServiceTable.model_validate({**base, **table})
        except ValidationError as error:
            raise _explain(path, error, f"services.{service_id}") from error
        except TypeError as error:
            raise ConfigError(f"{path}: services.{service_id}: must be a table") from error
        parts = tuple(Component(**part.model_dump()) for part in checked.components)
        into[service_id] = Service(id=service_id, **{**checked.model_dump(), "components": parts})
    return into


def _as_table(service: Service) -> dict[str, Any]:
    fields = {name: getattr(service, name) for name in _ServiceTable.model_fields if name != "components"}
    parts = [{key: getattr(part, key) for key in _ComponentTable.model_fields} for part in service.components]
    return {**fields, "components": parts}


def load_catalogue(path: Path = CATALOGUE, *, extra: Path | None = None) -> dict[str, Service]:
    """Read the catalogue, then the entries of `extra` (a file of the same schema) over it."""
    services = _services(path, read_toml(path).get("services", {}), {})
    if extra is not None and extra.exists():
        _services(extra, read_toml(extra).get("services", {}), services)
    return services


def read_secrets(env: Mapping[str, str]) -> Secrets:
    """Read GROUNDSWELL_<NAME>, or the file named by GROUNDSWELL_<NAME>_FILE; an unreadable file is an error."""
    found: dict[str, SecretStr] = {}
    for name in Secrets.model_fields:
        variable = f"GROUNDSWELL_{name.upper()}"
        if path := env.get(f"{variable}_FILE"):
            try:
                found[name] = SecretStr(Path(path).read_text(encoding="utf-8").strip())
            except (OSError, UnicodeDecodeError) as error:
                reason = getattr(error, "strerror", None) or "not text"
                raise ConfigError(f"{variable}_FILE: {path}: cannot be read: {reason}") from error
        elif value := env.get(variable):
            found[name] = SecretStr(value)
    return Secrets(**found)


def load_config(path: Path | None, env: Mapping[str, str] | None = None, *, extra: Path | None = None) -> Config:
    """Build the Config from a file (None = defaults), the environment and the catalogue.

    Raises ConfigError with `file: key: reason`. `extra` is a further catalogue file (a scenario's own services).
    """
    table = read_toml(path) if path is not None else {}
    shown = path or Path("(no configuration file)")
    catalogue = load_catalogue(extra=extra)
    _services(shown, table.pop("services", {}), catalogue)
    for reserved in ("secrets", "catalogue"):
        if reserved in table:
            raise ConfigError(f"{shown}: {reserved}: unknown key")
    secrets = read_secrets(os.environ if env is None else env)
    try:
        config = Config.model_validate({**table, "secrets": secrets, "catalogue": catalogue})
    except ValidationError as error:
        raise _explain(shown, error) from error
    unknown = [service for service in config.watch if service not in catalogue]
    if unknown:
        raise ConfigError(
            f"{shown}: watch: {', '.join(unknown)} is not in the catalogue; add a [services.{unknown[0]}] table"
        )
    if "email" in config.alerts.channels and not config.mail.to:
        raise ConfigError(f"{shown}: mail.to: the email channel needs at least one address")
    return config


def resolve_near(config_path: Path | None, name: str) -> Path:
    """Resolve a path of the configuration against the folder of its file (the working folder without one)."""
    base = config_path.parent if config_path is not None else Path()
    return base / Path(name).expanduser()
