"""`groundswell check-config`: is the configuration right? Offline, changes nothing."""

from __future__ import annotations

import click

from pipeline.commands.common import Setting, common
from pipeline.config.load import Config
from pipeline.config.paths import MODELS, SHIPPED_MODELS
from pipeline.core.errors import ChannelError, ConfigError
from pipeline.core.extras import how_to_install, is_present


@click.command("check-config")
@common
def check_config_command(setting: Setting) -> None:
    """Exit 0 when the configuration is right; else one line with file, key and reason, and exit 2."""
    from pipeline.config.load import read_toml
    from pipeline.config.renamed import former_names
    from pipeline.detection.factory import make_detector
    from pipeline.http.session import HttpClient
    from pipeline.notify.routing import routes_of
    from pipeline.sources import SOURCES, build_sources
    from pipeline.text.models.outage import model_problems

    config = setting.config
    make_detector(config)
    if "apprise" in {*config.alerts.channels, *(c for route in config.alerts.routes for c in route.channels)}:
        _check_apprise(config)
    sources = [source.name for source in build_sources(config, HttpClient(), setting.config_path)]
    click.echo(f"configuration  {setting.config_path or 'none, the defaults'}")
    for name in former_names(read_toml(setting.config_path)) if setting.config_path else ():
        click.echo(f"former name    {name}: write the present one; the former one is read in this version only")
    click.echo(
        f"watch          {', '.join(config.watch) or 'the whole catalogue'} ({len(config.catalogue)} services known)"
    )
    click.echo(f"sources        {len(sources)}: {', '.join(sources[:8])}{', …' if len(sources) > 8 else ''}")
    click.echo(f"alerts         {', '.join(config.alerts.channels)}; mail to {', '.join(config.mail.to) or 'nobody'}")
    for route in routes_of(config) if config.alerts.routes else ():
        asked = [
            f"{key} {', '.join(values)}"
            for key, values in (("services", route.services), ("parts", route.components), ("regions", route.regions))
            if values
        ]
        if route.services and not set(route.services) & set(config.watched):
            asked.append("none of which is watched: it will hear of nothing")
        if route.to and "email" not in (route.channels or config.alerts.channels):
            asked.append("it has addresses but no email channel")
        click.echo(
            f"route          {route.name}: {', '.join(route.channels or config.alerts.channels)}; "
            f"from {route.from_state}, impact {route.from_impact}" + "".join(f"; {words}" for words in asked)
        )
    if config.mail.user and config.secrets.smtp_password is None:
        click.echo("mail           mail.user is set, but GROUNDSWELL_SMTP_PASSWORD is not: no mail can be sent")
    for spec in SOURCES.values():
        if spec.secrets:
            words = "no key: not read (optional)" if spec.missing_secrets(config) else "configured"
            click.echo(f"{spec.kind:<15}{words}")
    where = "" if MODELS == SHIPPED_MODELS else f", trained here: {MODELS}"
    click.echo(f"text model     {'; '.join(model_problems(MODELS)) or 'present'}{where}")
    if not is_present("matplotlib"):
        click.echo(f"pictures       mails carry none: this needs {how_to_install('matplotlib')}")


def _check_apprise(config: Config) -> None:
    """Raise ConfigError where Apprise is missing, or reads an address otherwise than it is written."""
    from pipeline.notify.channels.apprise import address_problems

    try:
        problems = address_problems(config.secrets.apprise_urls)
    except ChannelError as error:
        raise ConfigError(str(error)) from error
    if problems:
        raise ConfigError(f"GROUNDSWELL_APPRISE_URLS: {'; '.join(problems)}")
