"""`groundswell train`: rebuild the text models from labelled texts; the old stay where the new are no better."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.commands.common import Setting, common, open_store_to_read
from pipeline.commands.terminal import elapsed_time
from pipeline.config.load import load_catalogue
from pipeline.config.paths import LABELS, MODELS, TRAINED_MODELS

if TYPE_CHECKING:
    from pipeline.store.labels import Correction


@click.command("train")
@click.option(
    "--labels",
    type=click.Path(path_type=Path),
    default=LABELS,
    show_default=False,
    help="Folder of posts*.csv and headlines*.csv.  [default: data/labels]",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=TRAINED_MODELS,
    show_default=False,
    help="Folder of the models.  [default: data/model in a checkout, else ~/.local/share/groundswell/model]",
)
@click.option("--force", is_flag=True, help="Write the new models even when they are no better than the old ones.")
@common
def train_command(setting: Setting, labels: Path, out: Path, force: bool) -> None:
    """Train on the labelled texts, and on what `label` stored in the database if there is one.

    Old and new are measured on the same tenth of the texts, which neither was trained on; a new model is kept only
    where it is better there.
    """
    from pipeline.text.models import checks, kinds, training
    from pipeline.text.models import files as modelfile
    from pipeline.text.models import outage as classifier
    from pipeline.text.models.encoder import find_encoder
    from pipeline.text.models.metrics import HEADER, classification_scores
    from pipeline.text.services import ServiceMatcher

    matcher = ServiceMatcher(load_catalogue())
    rows = training.read_labels(labels, matcher)
    for text, service, outage, language in _corrections(setting):
        rows.append(training.labelled(text, outage, matcher, language=language, service=service))
    before = MODELS if out == TRAINED_MODELS and not out.exists() else out
    encoder, why = find_encoder()
    if encoder is None:
        click.echo(f"groundswell: {why}; only the first look is trained", err=True)
    kept = [row for row in rows if not row.is_holdout]
    rest = [row for row in rows if row.is_holdout]
    click.echo(f"outage: {len(kept)} texts to learn from, {len(rest)} held back\n            {HEADER}")
    with elapsed_time("train"):
        old, new = classifier.load(before), training.fit_outage(kept, encoder)
    f1 = []
    for name, model in (("old", old), ("new", new)):
        scores = classification_scores(model.scores([row.masked for row in rest]), [row.outage for row in rest])
        f1.append(scores.f1)
        click.echo(f"{name:>3} {model.note[:10] or 'both looks':>10}  {scores}")
    assert new.linear is not None
    if before != out:
        shutil.copytree(before, out)  # what is not trained anew stays as it was shipped
    usable = old.linear is not None and (old.second is not None or encoder is None)
    if _better("outage", force or not usable, f1[0], f1[1]):
        first = modelfile.save(new.linear.weights.to_model(), out / checks.FIRST)
        if new.second is not None:
            modelfile.save(new.second.weights.to_model(first), out / checks.SECOND)
    if encoder is None:
        return
    with elapsed_time("train"):
        symptoms = training.fit_symptoms(kept, encoder)
    share = [training.symptom_accuracy(model, rest) for model in (old.symptoms, symptoms)]
    if symptoms is None:
        click.echo("symptom: the labels name fewer than two symptoms: the old model is kept")
    elif _better("symptom", force or old.symptoms is None, share[0], share[1]):
        modelfile.save(symptoms.regression.to_model("symptom"), out / checks.SYMPTOM)
    headlines = training.read_headlines(labels)
    old_news = kinds.load_news(before)
    news = training.fit_news([row for row in headlines if not row.is_holdout], encoder)
    share = [training.accuracy(model, [row for row in headlines if row.is_holdout]) for model in (old_news, news)]
    if _better("news", force or old_news.encoder is None, share[0], share[1]):
        assert news.regression is not None
        modelfile.save(news.regression.to_model("news"), out / checks.NEWS)


def _better(name: str, anyway: bool, old: float, new: float) -> bool:
    """Say which of two models is kept, by their figures on the texts held back."""
    write = anyway or new > old
    kept = (
        "the new model is written" if write else "the old model is kept, the new one is no better (--force writes it)"
    )
    click.echo(f"{name}: held back, old {old:.3f}, new {new:.3f}: {kept}")
    return write


def _corrections(setting: Setting) -> list[Correction]:
    from pipeline.store.labels import corrections

    if not setting.db.exists():
        return []
    with open_store_to_read(setting) as store:
        return corrections(store)
