"""`groundswell label`: walk through the posts the model is least sure of, and keep what a person says of them."""

from __future__ import annotations

import click

from pipeline.commands.common import Setting, common, open_existing_store

ANSWERS = {"o": True, "n": False}


@click.command("label")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="Number of posts to label.")
@common
def label_command(setting: Setting, limit: int) -> None:
    """Show each post with the model's guess and ask: o = an outage, n = not, s = skip, q = stop.

    Answers are stored at once; the next `groundswell train` uses them.
    """
    from pipeline.render.formatting import header_safe
    from pipeline.store.labels import least_sure, put_label

    stored = 0
    with open_existing_store(setting) as store:
        posts = least_sure(store, limit)
        for number, (source, native_id, service, p, created, text) in enumerate(posts, 1):
            click.echo(f"\n{number}/{len(posts)}  {created}  {source}  about {service}, p = {p:.2f}")
            click.echo(header_safe(text, 600))
            answer = click.prompt("outage?", type=click.Choice(["o", "n", "s", "q"]), show_choices=True)
            if answer == "q":
                break
            if answer in ANSWERS:
                put_label(store, (source, native_id, service), ANSWERS[answer], setting.now)
                stored += 1
    click.echo(f"{stored} stored; `groundswell train` learns from them" if posts else "nothing to label")
