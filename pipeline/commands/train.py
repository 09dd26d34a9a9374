"""`groundswell train`: rebuild the two text models from the texts in data/labels."""

from __future__ import annotations

from pathlib import Path

import click

from pipeline.config import LABELS, MODEL, load_catalogue


@click.command("train")
@click.option(
    "--labels", type=click.Path(path_type=Path), default=LABELS, show_default=False, help="Default: data/labels."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=MODEL,
    show_default=False,
    help="Default: data/model/outage.skops.",
)
@click.option("--measure/--no-measure", default=True, help="Print five-fold figures (takes a minute).")
def train_command(labels: Path, out: Path, measure: bool) -> None:
    """Train on the labelled texts and print how well the models do on texts they have not seen."""
    from pipeline.text import classifier
    from pipeline.text.services import ServiceMatcher

    out.parent.mkdir(parents=True, exist_ok=True)
    matcher = ServiceMatcher(load_catalogue())
    for name, (texts, truth) in (
        ("outage", classifier.read_labels(labels, matcher)),
        ("news", classifier.read_headlines(labels)),
    ):
        if measure:
            figures = classifier.measure(classifier.build(), texts, truth)
            shown = ", ".join(f"{key} {value:.3f}" for key, value in figures.items())
            click.echo(f"{name}: {len(texts)} texts; on five folds: {shown}")
        path = out if name == "outage" else out.with_name("news.skops")
        click.echo(f"{name}: wrote {path.name}, id {classifier.save(classifier.fit(texts, truth), path)}")
