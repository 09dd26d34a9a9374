"""`groundswell check-config`: is the configuration right? Offline, changes nothing."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click

from pipeline.commands.common import NO_CHANNEL, PARTIAL, Setting, common
from pipeline.commands.terminal import colored
from pipeline.config.load import load_catalogue, resolve_near
from pipeline.config.paths import MODELS, SHIPPED_MODELS
from pipeline.config.settings import Config
from pipeline.core.errors import ChannelError, ConfigError
from pipeline.core.extras import how_to_install, is_present
from pipeline.core.quantities import quantity
from pipeline.core.records import source_kind


class Statement(NamedTuple):
    """A line of the answer; `problem`: as configured, something will not work."""

    what: str
    words: str
    problem: bool = False


@click.command("check-config")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, schema 1.")
@common
def check_config_command(setting: Setting, as_json: bool) -> None:
    """Check the configuration. Exit codes: 0 right, 3 a part of it will not work, such as a login without a password.

    A configuration that cannot be read is reported in one line with file, key and reason, and ends with exit code 2.
    """
    statements = list(_statements(setting))
    if as_json:
        click.echo(json.dumps({"schema": 1, "statements": [item._asdict() for item in statements]}, indent=1))
    else:
        for statement in statements:
            click.echo(colored(f"{statement.what:<15}", "warn" if statement.problem else "-") + statement.words)
    sys.exit(PARTIAL if any(statement.problem for statement in statements) else 0)


def _statements(setting: Setting) -> Iterator[Statement]:
    """Yield what a run would do as configured; raises ConfigError."""
    from pipeline.config.load import read_toml
    from pipeline.config.renamed import former_names
    from pipeline.detection.factory import make_detector
    from pipeline.http.session import HttpClient
    from pipeline.sources import SOURCES, build_sources
    from pipeline.text.models.checks import model_problems

    config = setting.config
    make_detector(config)
    if "apprise" in {*config.alerts.channels, *(c for route in config.alerts.routes for c in route.channels)}:
        _check_apprise(config)
    sources = Counter(source_kind(source.name) for source in build_sources(config, HttpClient(), setting.config_path))
    yield Statement("configuration", str(setting.config_path or "none, the defaults"))
    for name in former_names(read_toml(setting.config_path)) if setting.config_path else ():
        yield Statement("former name", f"{name}: write the present one; the former one is read in this version only")
    watch = ", ".join(config.watch) or "all services"
    yield Statement("watch", f"{watch} ({quantity(len(config.catalogue), 'service')} known)")
    yield from _unwatched(config)
    kinds = ", ".join(f"{number} {kind}" for kind, number in sources.items())
    yield Statement("sources", f"{sources.total()}: {kinds or 'nothing is read'}", problem=not sources)
    for name in config.sources.counts:
        if not resolve_near(setting.config_path, name).is_file():
            yield Statement("counts", f"{name}: no such file, so its counts are missing until there is one", True)
    yield from _alerting(config, resolve_near(setting.config_path, config.alerts.folder))
    for spec in SOURCES.values():
        if spec.secrets:
            yield Statement(spec.kind, "no key: not read (optional)" if spec.missing_secrets(config) else "configured")
    where = "" if MODELS == SHIPPED_MODELS else f", trained here: {MODELS}"
    wrong = "; ".join(model_problems(MODELS))
    yield Statement("text model", f"{wrong or 'present'}{where}", problem=bool(wrong))
    if not is_present("matplotlib"):
        yield Statement("pictures", f"mails carry none: this needs {how_to_install('matplotlib')}")


def _unwatched(config: Config) -> Iterator[Statement]:
    """Yield the services of one's own that never alert, nor explain the failure of one that does."""
    known = {*load_catalogue(), *config.watched}
    needed = {needed for name in config.watched for needed in config.catalogue[name].runs_on}
    for name in sorted(config.catalogue.keys() - known - needed):
        yield Statement("not watched", f"{name}: defined here, but not in watch: it never alerts", problem=True)


def _alerting(config: Config, folder: Path) -> Iterator[Statement]:
    """Yield who gets messages, and which route or channel never sends one."""
    from pipeline.notify.routing import routes_of

    where = {"file": f"file (into {folder})", "email": f"email to {', '.join(config.mail.to) or 'nobody'}"}
    channels = ", ".join(where.get(name, name) for name in config.alerts.channels)
    nowhere = not channels and not config.alerts.routes
    yield Statement("alerts", NO_CHANNEL if nowhere else channels or "as the routes say", problem=nowhere)
    watched = frozenset(config.watched)
    for route in routes_of(config) if config.alerts.routes else ():
        asked = [
            f"{key} {', '.join(values)}"
            for key, values in (("services", route.services), ("parts", route.components), ("regions", route.regions))
            if values
        ]
        unwatched = bool(route.services) and watched.isdisjoint(route.services)
        no_mail = bool(route.to) and "email" not in (route.channels or config.alerts.channels)
        if unwatched:
            asked.append("none of these services is watched: it gets no message")
        if no_mail:
            asked.append("it has addresses but no email channel")
        yield Statement(
            "route",
            f"{route.name}: {', '.join(route.channels or config.alerts.channels)}; "
            f"from {route.from_state}, impact {route.from_impact}" + "".join(f"; {words}" for words in asked),
            problem=unwatched or no_mail,
        )
    if config.mail.user and config.secrets.smtp_password is None:
        words = "mail.user is set, but GROUNDSWELL_SMTP_PASSWORD is not: no mail can be sent"
        yield Statement("mail", words, problem=True)
    elif config.mail.user and config.mail.security == "none":
        words = "a password is never sent without TLS: set mail.security to starttls or tls; no mail can be sent"
        yield Statement("mail", words, problem=True)


def _check_apprise(config: Config) -> None:
    """Raise ConfigError where Apprise is missing, or reads an address otherwise than it is written."""
    from pipeline.notify.channels.apprise import address_problems

    try:
        problems = address_problems(config.secrets.apprise_urls)
    except ChannelError as error:
        raise ConfigError(str(error)) from error
    if problems:
        raise ConfigError(f"GROUNDSWELL_APPRISE_URLS: {'; '.join(problems)}")
