"""How well posts are classified: on other people's posts where EVAL_DATA points, and on the tenth of our own rows that
no model is trained on; compared with a keyword rule, TF-IDF and logistic regression on the same rows, and the majority.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.core.errors import StoreError
from pipeline.evaluation import end_to_end, no_reports
from pipeline.text.extract import masked_for, outage_probabilities
from pipeline.text.models.encoder import Encoder
from pipeline.text.models.metrics import HEADER, THRESHOLD, classification_scores, reliability
from pipeline.text.models.outage import OutageModel, rule_score
from pipeline.text.models.training import Labelled, fit_outage, fit_plain, vectors_of
from pipeline.text.services import ServiceMatcher

FEWEST = 30  # rows of a kind that a line is printed for
CALLED_OTHERWISE = {"american": "american_airlines"}  # in posts.csv, names too short to be ones of the catalogue
LEFT_OUT = 4  # services, those with most rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A post with its label; `sure` when whoever labelled it had no doubt."""

    text: str
    masked: str
    service: str
    source: str
    language: str
    outage: bool
    sure: bool


def read_posts(path: Path, matcher: ServiceMatcher) -> list[Row]:
    """Read text/posts.csv of EVAL_DATA; raises StoreError when it is not what its README says."""
    rows = []
    try:
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                service = (
                    ""
                    if row["service"] == "none"
                    else matcher.id_of(CALLED_OTHERWISE.get(row["service"], row["service"]))
                )
                language = re.search(r"lang=(\w+)", row["notes"])
                rows.append(
                    Row(
                        text=row["text"],
                        masked=masked_for(row["text"], service, matcher),
                        service=service,
                        source=row["source"],
                        language=language[1] if language else "fr" if row["source"].endswith("-fr") else "en",
                        outage=row["label"] == "outage",
                        sure="conf=high" in row["notes"],
                    )
                )
    except (OSError, KeyError) as error:
        raise StoreError(f"{path}: cannot be read as labelled posts: {error}") from error
    return rows


Scorer = Callable[[Sequence[Row]], list[float]]
Mask = NDArray[np.bool_]


def report(
    folder: Path | None,
    labels: Sequence[Labelled],
    model: OutageModel,
    encoder: Encoder | None,
    matcher: ServiceMatcher,
    unseen: Sequence[no_reports.NoReport] = (),
    languages: Sequence[Labelled] = (),
) -> Iterator[str]:
    """Yield the lines of the section; `model` is the stored one, `encoder` None where it is not installed.

    `unseen` are posts of ours that are no reports, `languages` posts of ours in languages of few rows; no model is
    trained on either.
    """
    rest = [row for row in labels if row.is_holdout]
    kept = [row for row in labels if not row.is_holdout]
    ours = [_own(row) for row in rest]
    plain = fit_plain([row.text for row in kept], [row.outage for row in kept])
    common = sum(row.outage for row in kept) * 2 > len(kept)
    first = OutageModel(model.id, "", model.linear)
    scorers: dict[str, Scorer] = {
        "majority": lambda rows: [float(common)] * len(rows),
        "keyword rule": lambda rows: [rule_score(row.masked) for row in rows],
        "TF-IDF + LR": lambda rows: [float(p) for p in plain.predict_proba([row.text for row in rows])[:, 1]],
        "first look": lambda rows: outage_probabilities([row.masked for row in rows], first),
        "both looks": lambda rows: outage_probabilities([row.masked for row in rows], model),
    }
    if model.second is None:
        yield f"only the first look: {model.note}"
        del scorers["both looks"]
    yield f"trained on {len(kept)} rows of ours; held back: {len(rest)}"
    posts = [] if folder is None else read_posts(folder / "text" / "posts.csv", matcher)
    if not posts:
        yield "posts of others: skipped, EVAL_DATA is not set"
    kept_apart = [_own(row) for row in languages]
    titles = (("posts of others", posts), ("our rows held back", ours), ("languages of few rows", kept_apart))
    for title, rows in titles:
        if rows:
            yield from _table(title, rows, scorers)
    if posts:
        bare = [end_to_end.JudgedPost(row.text, row.service, row.outage, row.language, row.source) for row in posts]
        yield from end_to_end.report(bare, matcher, model)
    if unseen:
        yield from no_reports.report(unseen, matcher, model)
    if encoder is not None:
        yield from _left_out(labels, encoder)


def _own(row: Labelled) -> Row:
    return Row(
        text=row.text,
        masked=row.masked,
        service=row.service,
        source="ours",
        language=row.language,
        outage=row.outage,
        sure=True,
    )


def _table(title: str, rows: Sequence[Row], scorers: dict[str, Scorer]) -> Iterator[str]:
    scores = {name: np.array(scorer(rows)) for name, scorer in scorers.items()}
    truth, sure = np.array([row.outage for row in rows]), np.array([row.sure for row in rows])
    groups: list[tuple[str, Mask]] = []
    for language in sorted({row.language for row in rows}):
        groups.append((f"language {language}", np.array([row.language == language for row in rows])))
    for source in sorted({row.source for row in rows}):
        groups.append((f"source {source}", np.array([row.source == source for row in rows])))
    yield f"{title:<44} {HEADER}"
    everything = np.ones(len(rows), bool)
    chosen = [("all, labelled surely", sure)] + [(f"{name}, surely", mask & sure) for name, mask in groups]
    if not sure.all():
        chosen += [("all", everything), *groups]
    for name, mask in chosen:
        if mask.sum() < FEWEST:
            continue
        wanted = scorers if name.startswith(("all", "language")) and "surely" in name else [list(scorers)[-1]]
        for scorer in wanted:
            yield f"  {name:<30} {scorer:<12}{classification_scores(scores[scorer][mask], truth[mask])}"
    best = list(scorers)[-1]
    yield from _at_the_rules_recall(scores["keyword rule"][sure], scores[best][sure], truth[sure])
    cells = [
        f"{b.mean_probability:.2f} {b.outage_share:.2f} ({b.texts})"
        for b in reliability(scores[best][sure], truth[sure])
    ]
    yield f"  reliability of {best}: said, seen (texts)  {'  '.join(cells)}"


def _at_the_rules_recall(rule: NDArray[np.float64], p: NDArray[np.float64], truth: Mask) -> Iterator[str]:
    """Say how many false reports remain at the threshold that finds as many outages as the keyword rule does."""
    predicted = rule >= THRESHOLD
    correct = int((predicted & truth).sum())
    threshold = np.sort(p[truth])[::-1][correct - 1] if correct else 1.0
    by_rule, by_model = int((predicted & ~truth).sum()), int(((p >= threshold) & ~truth).sum())
    yield (
        f"  at the keyword rule's recall ({correct} of {int(truth.sum())}): {by_rule} false by the rule, "
        f"{by_model} by the model (p >= {threshold:.2f})"
    )


def _left_out(labels: Sequence[Labelled], encoder: Encoder) -> Iterator[str]:
    """Train without a language, then without a service, and try on what was left out."""
    vectors = vectors_of(labels, encoder)
    services = Counter(row.service for row in labels if row.service)
    busy = sorted(services, key=lambda service: (-services[service], service))[:LEFT_OUT]
    yield f"{'our rows, part left out of training':<44} {HEADER}"
    for what, value in [
        *(("language", lang) for lang in sorted({row.language for row in labels})),
        *(("service", s) for s in busy),
    ]:
        out = np.array([getattr(row, what) == value for row in labels])
        rows = [row for row, left in zip(labels, out, strict=True) if left]
        model = fit_outage([row for row, left in zip(labels, out, strict=True) if not left], encoder, vectors[~out])
        scores = classification_scores(model.scores([row.masked for row in rows]), [row.outage for row in rows])
        yield f"  {f'without {what} {value}':<43}{scores}"
