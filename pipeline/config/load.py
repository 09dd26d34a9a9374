"""TOML and environment become one frozen Config, validated once, before any other input or output.

The only reader of the environment. Secrets are SecretStr: they show as asterisks in every repr.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from pipeline.config.kept_settings import ReadConfig, kept_catalogue, kept_config
from pipeline.config.paths import CATALOGUE
from pipeline.config.renamed import former_names
from pipeline.config.settings import Alerts, Config, Route, Secrets
from pipeline.config.validation_words import nearest, secret_reason
from pipeline.core.catalogue import Service, service_by_name, service_ids
from pipeline.core.errors import ConfigError
from pipeline.core.kept import parsed_toml
from pipeline.core.names import SERVICE_ID
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


def _services(path: Path, tables: Mapping[str, Any], into: dict[str, Service]) -> dict[str, Service]:
    """Add or override catalogue entries from `[services.<id>]` tables; raises ConfigError."""
    from pipeline.config.validation import validated

    if not isinstance(tables, Mapping):
        raise ConfigError(f"{path}: services: must be tables, as [services.mine]")
    for service_id, table in tables.items():
        where = f"services.{service_id}"
        if not SERVICE_ID.fullmatch(service_id):
            raise ConfigError(f"{path}: {where}: an id has only a-z, 0-9 and _")
        if not isinstance(table, Mapping):
            raise ConfigError(f"{path}: {where}: must be a table")
        if "id" in table:
            raise ConfigError(f"{path}: {where}.id: unknown key")
        base = asdict(into[service_id]) if service_id in into else {"id": service_id}
        service = validated(Service, base | _page_of_their_own(base, table) | dict(table), str(path), where)
        _check_names(path, where, service)
        for number, part in enumerate(service.components):
            if not SERVICE_ID.fullmatch(part.id):
                raise ConfigError(f"{path}: {where}.components.{number}.id: an id has only a-z, 0-9 and _")
        if not all(name.strip() for name in service.status_components):
            raise ConfigError(f"{path}: {where}.status_components: an empty name")
        if service.status_page and not re.fullmatch(r"https?://\S+", service.status_page):
            raise ConfigError(f"{path}: {where}.status_page: {service.status_page!r} is not an address as https://…")
        into[service_id] = service
    return into


def _check_names(path: Path, where: str, service: Service) -> None:
    """Raise ConfigError on a name that is empty: it would fit every text, or none."""
    named: dict[str, Sequence[str]] = {"name": (service.name,)}
    for key in ("aliases", "joined_aliases", "vendor_aliases", "named_by", "app_names", "communities"):
        named[key] = getattr(service, key)
    for number, part in enumerate(service.components):
        named[f"components.{number}.name"] = (part.name,)
        named[f"components.{number}.official"], named[f"components.{number}.aliases"] = part.official, part.aliases
    for key, names in named.items():
        if not all(name.strip() for name in names):
            raise ConfigError(f"{path}: {where}.{key}: is empty, or holds an empty name")


def _page_of_their_own(base: Mapping[str, Any], table: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of the catalogue does not hold for another status page than the catalogue's."""
    if table.get("status_page", base.get("status_page")) == base.get("status_page"):
        return {}
    paths = tuple(path for path in base.get("status_data", ()) if "://" not in path)
    return {"status_data": paths, **({"status_format": "auto"} if base.get("status_format") == "none" else {})}


def load_catalogue(path: Path = CATALOGUE, *, extra: Path | None = None) -> dict[str, Service]:
    """Read the catalogue, then the entries of `extra` (a file of the same schema) over it."""
    content = _content(path)
    services = kept_catalogue(content, lambda: _services(path, _parse_toml(path, content).get("services", {}), {}))
    if extra is not None and extra.exists():
        _services(extra, read_toml(extra).get("services", {}), services)
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

    Raises ConfigError with `file: key: reason`. `extra` is a further catalogue file (a scenario's own services).
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
    config = replace(read.config, secrets=secrets, catalogue={**catalogue, **read.config.catalogue})
    _check_routes(shown, config)
    return config


def _read_config(path: Path, content: bytes, catalogue: Mapping[str, Service]) -> ReadConfig:
    """Return what a file says; its services are those of its own and those it changes. Raises ConfigError."""
    from pipeline.config.validation import validated

    table = _parse_toml(path, content)
    former = tuple(former_names(table))
    services = _services(path, table.pop("services", {}), dict(catalogue))
    for reserved in ("secrets", "catalogue"):
        if reserved in table:
            inside = table[reserved] if isinstance(table[reserved], Mapping) else {}
            found = next((reason for key in inside if (reason := secret_reason(key))), "")
            raise ConfigError(f"{path}: {reserved}: {found or 'unknown key'}")
    config = replace(validated(Config, table, str(path)), catalogue=services)
    try:
        ids = service_ids(services)
        watch = tuple(dict.fromkeys(service_by_name(services, ids, name).id for name in config.watch))
    except ConfigError as error:
        raise ConfigError(f"{path}: watch: {error}; one of your own needs a [services.<id>] table") from error
    own = {name: service for name, service in services.items() if catalogue.get(name) is not service}
    return ReadConfig(replace(config, watch=watch, alerts=_with_service_ids(path, config, ids), catalogue=own), former)


def _with_service_ids(shown: Path, config: Config, ids: Mapping[str, str]) -> Alerts:
    """Return the alert settings with the services of routes by id; raises ConfigError on one that is not known."""
    routes = []
    for route in config.alerts.routes:
        try:
            services = tuple(dict.fromkeys(service_by_name(config.catalogue, ids, n).id for n in route.services))
        except ConfigError as error:
            raise ConfigError(f"{shown}: alerts.routes.{route.name}.services: {error}") from error
        routes.append(replace(route, services=services))
    return replace(config.alerts, routes=tuple(routes))


def _check_routes(shown: Path, config: Config) -> None:
    """Raise ConfigError where a channel lacks what it needs, or a route names what is not there."""
    routes = config.alerts.routes or (Route(name="all"),)
    for route in routes:
        channels = route.channels or config.alerts.channels
        if config.alerts.routes and not channels:
            raise ConfigError(
                f"{shown}: alerts.routes.{route.name}.channels: empty, as alerts.channels is: no message would be sent"
            )
        if "email" in channels and not (route.to or config.mail.to):
            raise ConfigError(f"{shown}: mail.to: the email channel needs at least one address")
        if "webhook" in channels and (config.secrets.webhook_url is None or config.secrets.webhook_secret is None):
            raise ConfigError(
                f"{shown}: the webhook channel needs GROUNDSWELL_WEBHOOK_URL and GROUNDSWELL_WEBHOOK_SECRET"
            )
        if "apprise" in channels and config.secrets.apprise_urls is None:
            raise ConfigError(f"{shown}: the apprise channel needs GROUNDSWELL_APPRISE_URLS")
        if "alertmanager" in channels and config.secrets.alertmanager_url is None:
            raise ConfigError(f"{shown}: the alertmanager channel needs GROUNDSWELL_ALERTMANAGER_URL")
        if "pagerduty" in channels and config.secrets.pagerduty_routing_key is None:
            raise ConfigError(f"{shown}: the pagerduty channel needs GROUNDSWELL_PAGERDUTY_ROUTING_KEY")
        if not route.components:
            continue
        parts = {p.id for name in (route.services or config.catalogue) for p in config.catalogue[name].components}
        for part in set(route.components) - parts:
            raise ConfigError(
                f"{shown}: alerts.routes.{route.name}.components: no such part: {part}{nearest(part, parts)}"
            )


def resolve_near(config_path: Path | None, name: str) -> Path:
    """Resolve a path of the configuration against the folder of its file (the working folder without one)."""
    base = config_path.parent if config_path is not None else Path()
    return base / Path(name).expanduser()
