"""`groundswell check-config`: is the configuration right? Offline, changes nothing."""

from __future__ import annotations

import click

from pipeline.commands.common import Setting, common
from pipeline.config import MODELS


@click.command("check-config")
@common
def check_config_command(setting: Setting) -> None:
    """Exit 0 when the configuration is right; else one line with file, key and reason, and exit 2."""
    from pipeline.backtest import make_detector
    from pipeline.fetch import Fetcher
    from pipeline.sources import SOURCES
    from pipeline.text.classifier import doubts

    config = setting.config
    make_detector(config)
    sources = [s.name for build in SOURCES.values() for s in build(config, Fetcher(), setting.config_path)]
    click.echo(f"configuration  {setting.config_path or 'none, the defaults'}")
    click.echo(
        f"watch          {', '.join(config.watch) or 'the whole catalogue'} ({len(config.catalogue)} services known)"
    )
    click.echo(f"sources        {len(sources)}: {', '.join(sources[:8])}{', …' if len(sources) > 8 else ''}")
    click.echo(f"alerts         {', '.join(config.alerts.channels)}; mail to {', '.join(config.mail.to) or 'nobody'}")
    click.echo(f"reddit         {'configured' if config.secrets.reddit_client_id else 'no key: not read (optional)'}")
    click.echo(f"text model     {'; '.join(doubts(MODELS)) or 'present'}")
