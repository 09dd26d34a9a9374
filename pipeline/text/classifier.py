"""Is this text a report of an outage? A linear model over words and character runs, or rules when it is missing.

The model file is skops, read with an allow-list and only when its hash is the one written beside it. A missing,
cut or foreign file means rules-only mode, which `describe` says aloud; nothing is ever unpickled.
"""

from __future__ import annotations

import csv
import hashlib
import io
import math
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.errors import StoreError
from pipeline.text.cues import cues, with_cues
from pipeline.text.news import KINDS, kind_of, news_cues, says_down
from pipeline.text.services import ServiceMatcher

RULES = "rules"
SEED = 7
FEW = 100  # up to so many texts, one at a time is quicker than as a matrix
_REPORTS = {"cue_down", "cue_outage", "cue_cannot", "cue_broken", "cue_errorcode", "cue_kicked", "cue_spin"}
_SOUNDS_LIKE = {
    "cue_limit",
    "cue_howto",
    "cue_wish",
    "cue_past",
    "cue_mine",
    "cue_works",
    "cue_account",
    "cue_politics",
    "cue_joke",
}


def rule_score(masked: str) -> float:
    """Return a rough probability from cues alone: what rules-only mode uses, and the baseline to beat."""
    found = set(cues(masked))
    if not found & _REPORTS:
        return 0.05
    return 0.4 if found & _SOUNDS_LIKE else 0.75


@dataclass(frozen=True)
class OutageModel:
    """A loaded model, or rules; `id` is stored with every tag it gives."""

    id: str
    note: str
    pipeline: Any = None
    scorer: Any = None

    def kind(self, title: str, summary: str) -> str:
        """Return the kind of a news item."""
        if self.pipeline is None:
            return kind_of(title, summary)
        guess = str(self.pipeline.predict([news_cues(title, summary)])[0])
        # a headline that says outright that something is down is no business news
        plain = guess in ("company_business", "product", "other") and says_down(title)
        return "service_outage" if plain else guess

    def scores(self, masked: Sequence[str]) -> list[float]:
        """Return the probability that each masked text reports an outage."""
        if not masked:
            return []
        if self.pipeline is None:
            return [rule_score(text) for text in masked]
        if self.scorer is None:
            object.__setattr__(self, "scorer", _Scorer(self.pipeline))
        texts = [with_cues(text) for text in masked]
        if len(texts) > FEW:
            column = int(np.flatnonzero(self.pipeline.classes_ == 1)[0])
            return [float(p) for p in self.pipeline.predict_proba(texts)[:, column]]
        return [self.scorer.score(text) for text in texts]


class _Scorer:
    """The fitted pipeline's arithmetic for one text at a time; equal to its `predict_proba`, which a test holds it to.

    For the handful of posts of a run, scikit-learn's own path costs ten times the work it does.
    """

    def __init__(self, pipeline: Any) -> None:
        from sklearn.utils import murmurhash3_32

        self._hash = murmurhash3_32
        features, model = pipeline.steps[0][1], pipeline.steps[1][1]
        self._bias = float(model.intercept_[0])
        self._parts: list[tuple[Any, int, list[float] | None, list[float]]] = []
        column = 0
        for name, part in features.transformer_list:
            weighed = hasattr(part, "steps")
            counter = part.steps[0][1] if weighed else part
            idf = [float(v) for v in part.steps[1][1].idf_] if weighed else None
            size = counter.n_features
            coef = [float(v) for v in model.coef_[0, column : column + size] * features.transformer_weights[name]]
            self._parts.append((counter.build_analyzer(), size, idf, coef))
            column += size
        self._slots: dict[tuple[int, str], int] = {}

    def score(self, text: str) -> float:
        margin = self._bias
        for number, (analyze, size, idf, coef) in enumerate(self._parts):
            counts: dict[int, int] = {}
            for token in analyze(text):
                slot = self._slots.get((number, token))
                if slot is None:
                    slot = abs(self._hash(token, seed=0)) % size
                    if len(self._slots) < 500_000:
                        self._slots[number, token] = slot
                counts[slot] = counts.get(slot, 0) + 1
            if idf is None:
                margin += sum(coef[slot] for slot in counts)
                continue
            weights = {slot: (1.0 + math.log(n)) * idf[slot] for slot, n in counts.items()}
            length = math.sqrt(sum(w * w for w in weights.values()))
            if length:
                margin += sum(w * coef[slot] for slot, w in weights.items()) / length
        return 1.0 / (1.0 + math.exp(-margin))


def build(seed: int = SEED) -> Any:
    """Return the untrained scikit-learn pipeline."""
    from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import FeatureUnion, Pipeline

    def hashed(size: int, **how: Any) -> Any:
        return HashingVectorizer(n_features=2**size, alternate_sign=False, lowercase=False, **how)

    def weighed(size: int, **how: Any) -> Any:
        return Pipeline([("count", hashed(size, norm=None, **how)), ("weigh", TfidfTransformer(sublinear_tf=True))])

    # hashed features need no vocabulary in the model file; cues keep weight one, whatever the text's length
    return Pipeline([
        ("features", FeatureUnion([
            ("words", weighed(15, ngram_range=(1, 2), token_pattern=r"(?u)\b(?!cue_)\w+\b|[?!]")),
            ("runs", weighed(16, analyzer="char_wb", ngram_range=(2, 4))),
            ("cues", hashed(8, norm=None, binary=True, token_pattern=r"cue_\w+")),
        ], transformer_weights={"words": 1.0, "runs": 0.8, "cues": 0.5})),
        ("model", LogisticRegression(C=4.0, max_iter=4000, random_state=seed)),
    ])  # fmt: skip


def _labelled(folder: Path, pattern: str, column: str, allowed: Sequence[str]) -> Iterator[dict[str, str]]:
    """Yield the rows of the files of a pattern; raises StoreError with file and line on one without text or label."""
    for path in sorted(folder.glob(pattern)):
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            for row in reader:
                if row.get(column) not in allowed or not row.get("text"):
                    raise StoreError(
                        f"{path}:{reader.line_num}: needs a text and a {column}, one of {', '.join(allowed)}"
                    )
                yield row


def read_labels(folder: Path, matcher: ServiceMatcher) -> tuple[list[str], list[int]]:
    """Read posts*.csv of a folder as masked texts and labels; raises StoreError with file and line on a bad row."""
    texts: list[str] = []
    labels: list[int] = []
    for row in _labelled(folder, "posts*.csv", "label", ("outage", "not_outage")):
        named = list(matcher.about(row["text"]))
        texts.append(with_cues(matcher.masked(row["text"], named[0] if named else "")))
        labels.append(int(row["label"] == "outage"))
    if len(set(labels)) < 2:
        raise StoreError(f"{folder}: no labelled posts of both kinds to learn from")
    return texts, labels


def read_headlines(folder: Path) -> tuple[list[str], list[str]]:
    """Read headlines*.csv of a folder as texts with cues and kinds; raises StoreError with file and line."""
    texts: list[str] = []
    kinds: list[str] = []
    for row in _labelled(folder, "headlines*.csv", "kind", KINDS):
        title, _, summary = row["text"].partition(" — ")
        texts.append(news_cues(title, summary))
        kinds.append(row["kind"])
    return texts, kinds


def fit(texts: Sequence[str], truth: Sequence[Any]) -> Any:
    """Return the trained pipeline; one thread, so that a machine gives the same bytes each time.

    Another processor may differ in the last digits: held to by a test of the scores, not of the bytes.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        return build().fit(list(texts), list(truth))


def save(pipeline: Any, path: Path) -> str:
    """Write a model and its hash beside it, each by rename; return the model's id."""
    import skops.io

    path.parent.mkdir(parents=True, exist_ok=True)
    body = _canonical(skops.io.dumps(pipeline))
    digest = hashlib.sha256(body).hexdigest()
    for target, content in ((path, body), (path.with_suffix(path.suffix + ".sha256"), f"{digest}\n".encode())):
        fresh = target.with_name(target.name + ".new")
        fresh.write_bytes(content)
        fresh.replace(target)
    return digest[:12]


def _canonical(body: bytes) -> bytes:
    """Return a skops archive without what changes from run to run: addresses used as names, and times of files."""
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    schema = files.pop("schema.json").decode()
    numbers: dict[str, str] = {}

    def number(match: re.Match[str]) -> str:
        return match[1] + numbers.setdefault(match[2], str(len(numbers) + 1)) + match[3]

    schema = re.sub(r'("__id__": )(\d+)()', number, schema)
    schema = re.sub(r"()(\d+)(\.npy)", number, schema)
    # a reference to an object met before names its address as content
    schema = re.sub(r'("content": ")(\d+)(")', lambda m: number(m) if m[2] in numbers else m[0], schema)
    renamed = {f"{numbers[name.removesuffix('.npy')]}.npy": data for name, data in files.items()}
    fresh = io.BytesIO()
    with zipfile.ZipFile(fresh, "w") as archive:
        for name, data in sorted({**renamed, "schema.json": schema.encode()}.items()):
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
    return fresh.getvalue()


def load(path: Path) -> OutageModel:
    """Load a model; on any doubt return rules-only mode with the reason in `note`."""
    stamp = path.with_suffix(path.suffix + ".sha256")
    try:
        body, wanted = path.read_bytes(), stamp.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return OutageModel(RULES, f"rules only: {path.name} or its .sha256 is missing; run `groundswell train`")
    digest = hashlib.sha256(body).hexdigest()
    if digest != wanted:
        return OutageModel(
            RULES, f"rules only: {path.name} is not the file its .sha256 speaks of; run `groundswell train`"
        )
    try:
        import skops.io

        unknown = skops.io.get_untrusted_types(data=body)
        if unknown:
            raise ValueError(f"holds types that are not on the list: {', '.join(unknown)[:120]}")
        pipeline = skops.io.loads(body, trusted=[])
    except Exception as error:  # noqa: BLE001  a damaged file may fail anywhere inside
        return OutageModel(RULES, f"rules only: {path.name} cannot be used: {str(error)[:160]}")
    return OutageModel(digest[:12], "", pipeline)


def measure(pipeline: Any, texts: Sequence[str], truth: Sequence[Any]) -> dict[str, float]:
    """Return five-fold figures with a fixed split: precision, recall and F1 of two classes, else the share right."""
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    folds = StratifiedKFold(5, shuffle=True, random_state=SEED)
    labels = np.array(truth)
    guess = cross_val_predict(pipeline, list(texts), labels, cv=folds)
    if set(truth) != {0, 1}:
        return {"accuracy": float((guess == labels).mean())}
    hits = float(((guess == 1) & (labels == 1)).sum())
    precision, recall = hits / max(1, int((guess == 1).sum())), hits / max(1, int((labels == 1).sum()))
    return {"precision": precision, "recall": recall, "f1": 2 * precision * recall / max(1e-9, precision + recall)}
