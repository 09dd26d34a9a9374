"""TOML and environment become one frozen Config, validated once, before any other input or output.

The only reader of the environment. Secrets are SecretStr: they show as asterisks in every repr.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.config.kept_settings import ReadConfig, kept_catalogue, kept_config
from pipeline.config.paths import CATALOGUE
from pipeline.config.renamed import former_names
from pipeline.config.service_tables import read_services
from pipeline.config.setting_values import parse_time_interval, zone_name
from pipeline.config.settings import Config, DetectorChoice, Route, Secrets
from pipeline.config.validation_words import nearest, secret_reason
from pipeline.core.catalogue import Service, service_by_name, service_ids
from pipeline.core.errors import ConfigError, SettingsError
from pipeline.core.kept import parsed_toml
from pipeline.core.redaction import remember_secrets
from pipeline.core.secret import SecretStr

logger = logging.getLogger(__name__)


def evaluation_data() -> Path | None:
    """Return the folder of other people's data that EVAL_DATA names, None when it is unset."""
    named = os.environ.get("EVAL_DATA", "")
    return Path(named) if named else None


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file; raises ConfigError naming the file, and the line where TOML itself is broken."""
    return _parse_toml(path, _content(path))


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: no such file") from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error


def _parse_toml(path: Path, content: bytes) -> dict[str, Any]:
    import tomllib

    try:
        tables = parsed_toml(content)
        repr(tables)  # a hexadecimal number of thousands of digits is read, but no message could show it
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, lists within lists
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    return tables


def load_catalogue(path: Path = CATALOGUE, *, extra: Path | None = None) -> dict[str, Service]:
    """Read the catalogue, then the entries of `extra` (a file of the same schema) over it."""
    content = _content(path)
    services = kept_catalogue(content, lambda: _with_services(path, _parse_toml(path, content), {}))
    if extra is not None and extra.exists():
        return _with_services(extra, read_toml(extra), services)
    return services


def _with_services(path: Path, tables: Mapping[str, Any], known: Mapping[str, Service]) -> dict[str, Service]:
    """Return the known services and those of a file over them; raises SettingsError."""
    services = dict(known)
    if wrong := list(read_services(path, tables.get("services", {}), services)):
        raise SettingsError(path, wrong)
    return services


def read_secrets(env: Mapping[str, str]) -> Secrets:
    """Read GROUNDSWELL_<NAME>, or the file named by GROUNDSWELL_<NAME>_FILE; an unreadable file is an error."""
    found: dict[str, SecretStr] = {}
    for name in Secrets.names():
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

    `report.metrics` is resolved against the folder of the file. `extra` is a further catalogue file (a scenario's own
    services). Raises ConfigError with `file: key: reason`.
    """
    if path is not None and not path.exists():
        raise ConfigError(f"{path}: no such file; `groundswell init` writes one")
    catalogue = load_catalogue(CATALOGUE, extra=extra)
    shown = path or Path("(no configuration file)")
    if path is None:
        read = ReadConfig(Config())
    elif extra is not None:
        read = _read_config(path, _content(path), catalogue)
    else:
        content = _content(path)
        read = kept_config((content, _content(CATALOGUE)), lambda: _read_config(path, content, catalogue))
    if read.former:
        logger.warning("%s: settings under former names, read in this version only: %s", shown, "; ".join(read.former))
    secrets = read_secrets(os.environ if env is None else env)
    remember_secrets(secrets.values())
    report = read.config.report
    if report.metrics:
        report = replace(report, metrics=str(resolve_near(path, report.metrics)))
    everything = {**catalogue, **read.config.catalogue}
    config = replace(read.config, secrets=secrets, catalogue=everything, report=report)
    if wrong := list(dict.fromkeys([*_zone_reasons(config), *_channel_reasons(config)])):
        raise SettingsError(shown, wrong)
    return config


def _read_config(path: Path, content: bytes, catalogue: Mapping[str, Service]) -> ReadConfig:
    """Return what a file says; its services are those of its own and those it changes. Raises SettingsError."""
    from pipeline.config.detector_checks import detector_reasons
    from pipeline.config.validation import validated

    table = _parse_toml(path, content)
    former = tuple(former_names(table))
    services = dict(catalogue)
    wrong = [*read_services(path, table.pop("services", {}), services), *_reserved_reasons(table)]
    config = Config()
    try:
        config = replace(validated(Config, table, path), catalogue=services)
    except SettingsError as error:
        wrong += error.reasons
    if config.detector != DetectorChoice():
        wrong += detector_reasons(config.detector)
    ids = service_ids(services)
    watch = _ids_of(config.watch, "watch", services, ids)
    wrong += [f"{reason}; one of your own needs a [services.<id>] table" for reason in watch.wrong]
    routes = []
    for route in config.alerts.routes:
        named = _ids_of(route.services, f"alerts.routes.{route.name}.services", services, ids)
        wrong += named.wrong
        routes.append(replace(route, services=named.ids))
    if wrong:
        raise SettingsError(path, wrong)
    own = {name: service for name, service in services.items() if catalogue.get(name) is not service}
    alerts = replace(config.alerts, routes=tuple(routes))
    return ReadConfig(replace(config, watch=watch.ids, alerts=alerts, catalogue=own), former)


def _reserved_reasons(table: dict[str, Any]) -> Iterator[str]:
    """Take away what is a setting of the program, but no table of the file; yield `key: reason` for each."""
    for reserved in ("secrets", "catalogue"):
        if reserved in table:
            written = table.pop(reserved)
            inside = written if isinstance(written, Mapping) else {}
            reason = next((reason for key in inside if (reason := secret_reason(key))), "")
            yield f"{reserved}: {reason or 'unknown key'}"


class _NamedServices(NamedTuple):
    """The ids of services that a setting names, each once, and `key: reason` for names that are not known."""

    ids: tuple[str, ...]
    wrong: list[str]


def _ids_of(
    names: Sequence[str], key: str, services: Mapping[str, Service], known: Mapping[str, str]
) -> _NamedServices:
    found: dict[str, None] = {}
    wrong = []
    for name in names:
        try:
            found[service_by_name(services, known, name).id] = None
        except ConfigError as error:
            wrong.append(f"{key}: {error}")
    return _NamedServices(tuple(found), wrong)


def _zone_reasons(config: Config) -> Iterator[str]:
    """Yield which time zones this machine does not know: also of kept settings, as zones change with the system's."""
    try:
        zone_name(config.display_timezone)
    except ValueError as error:
        yield f"display_timezone: {error}"
    for route in config.alerts.routes:
        for interval in route.mute_time_intervals:
            try:
                parse_time_interval(interval)
            except ValueError as error:
                yield f"alerts.routes.{route.name}.mute_time_intervals: {error}"


def _channel_reasons(config: Config) -> Iterator[str]:
    """Yield why a channel or a route of a configuration cannot work: each reason once, with its key."""
    for route in config.alerts.routes or (Route(name="all"),):
        channels = route.channels or config.alerts.channels
        if config.alerts.routes and not channels:
            yield f"alerts.routes.{route.name}.channels: empty, as alerts.channels is: no message would be sent"
        if "email" in channels and not (route.to or config.mail.to):
            yield "mail.to: the email channel needs at least one address"
        if "webhook" in channels and (config.secrets.webhook_url is None or config.secrets.webhook_secret is None):
            yield "the webhook channel needs GROUNDSWELL_WEBHOOK_URL and GROUNDSWELL_WEBHOOK_SECRET"
        if "apprise" in channels and config.secrets.apprise_urls is None:
            yield "the apprise channel needs GROUNDSWELL_APPRISE_URLS"
        if "alertmanager" in channels and config.secrets.alertmanager_url is None:
            yield "the alertmanager channel needs GROUNDSWELL_ALERTMANAGER_URL"
        if "pagerduty" in channels and config.secrets.pagerduty_routing_key is None:
            yield "the pagerduty channel needs GROUNDSWELL_PAGERDUTY_ROUTING_KEY"
        if not route.components:
            continue
        parts = {p.id for name in (route.services or config.catalogue) for p in config.catalogue[name].components}
        for part in sorted(set(route.components) - parts):
            yield f"alerts.routes.{route.name}.components: no such part: {part}{nearest(part, parts)}"


def resolve_near(config_path: Path | None, name: str) -> Path:
    """Resolve a path of the configuration against the folder of its file (the working folder without one)."""
    base = config_path.parent if config_path is not None else Path()
    return base / Path(name).expanduser()
