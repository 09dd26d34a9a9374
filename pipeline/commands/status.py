"""`groundswell status`: what is open now, which sources are silent, what waits to be sent."""

from __future__ import annotations

import json
import sys

import click

from pipeline.commands.common import PARTIAL, Setting, common
from pipeline.config import MODELS


@click.command("status")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, schema 1.")
@common
def status_command(setting: Setting, as_json: bool) -> None:
    """Exit 0 when every source answers and nothing is stuck, else 3."""
    from pipeline.store import Store, must_exist
    from pipeline.store.outbox import due_alerts
    from pipeline.store.summary import blind_sources, counts_of_rows, failed_alerts
    from pipeline.text.classifier import doubts

    must_exist(setting.db)
    with Store(setting.db) as store:
        wrong = [dict(row) for row in store.rows("SELECT * FROM what_is_wrong_now")]
        blind = blind_sources(store, setting.now)
        waiting = [a.subject for a in due_alerts(store, setting.now)]
        failed = failed_alerts(store)
        rows = counts_of_rows(store)
    model = "; ".join(doubts(MODELS))
    if as_json:
        click.echo(json.dumps({"schema": 1, "open": wrong, "silent_sources": blind, "waiting": waiting, "failed": failed,
                               "model": model or "ok", "rows": rows}, indent=1))  # fmt: skip
    else:
        for row in wrong:
            click.echo(f"open     {row['service']}: {row['state']}, impact {row['impact']}, since {row['onset']}")
        for item in blind:
            click.echo(
                f"silent   {item['source']}: last read {item['since'] or 'never'}{'; ' + item['error'] if item['error'] else ''}"
            )
        for words, many in (("waiting", waiting), ("failed", failed)):
            for subject in many:
                click.echo(f"{words:<8} {subject}")
        if model:
            click.echo(f"model    {model}")
        click.echo(
            f"{'well     ' if not (wrong or blind or waiting or failed or model) else ''}{rows['posts']} posts, {rows['incidents']} incidents, {rows['alerts']} alerts on record"
        )
    sys.exit(PARTIAL if blind or waiting or failed or model else 0)
