"""`groundswell evaluate`: how good the detectors are, a section a topic, with figures and drawings."""

from __future__ import annotations

from pathlib import Path

import click

from pipeline.config import evaluation_data


@click.command("evaluate")
@click.option("--seed", type=int, default=2026, show_default=True, help="Of the simulation and of random crops.")
@click.option("--series", type=click.IntRange(4, 2000), default=160, show_default=True, help="Simulated services.")
@click.option("--days", type=click.IntRange(21, 400), default=42, show_default=True)
@click.option("--out", type=click.Path(path_type=Path), help="Folder for drawings of false alarms and misses.")
def evaluate_command(seed: int, series: int, days: int, out: Path | None) -> None:
    """Print figures of the detectors on simulated counts and, where EVAL_DATA points, on recorded ones."""
    from pipeline.trials import real, simulated

    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
    click.echo("== detectors, simulated counts")
    for words in simulated.report(seed, series, days, out):
        click.echo(words)
    click.echo("\n== detectors, recorded counts")
    folder = evaluation_data()
    if folder is None:
        click.echo("skipped: EVAL_DATA is not set; other people's series are read where it points")
        return
    for words in real.report(folder, seed):
        click.echo(words)
