"""Which language a text is in: py3langid's model (Lui and Baldwin 2012, "langid.py"), for many texts at once.

Its automaton is one of Aho and Corasick: the state after a byte depends on no more bytes than the longest feature
has, so that all bytes of all texts take their steps together instead of one after the other.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple, get_args
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from pipeline.core.catalogue import LanguageCode
from pipeline.text.models.arrays import Model
from pipeline.text.models.cache import kept_arrays
from pipeline.text.models.sums import weighted_sums

# short posts are taken for small neighbours of large languages (Galician, Luxembourgish); few of those are posted
LANGUAGES: list[str] = [*get_args(LanguageCode)]
LONGEST = 400  # characters that are looked at
FEWEST = 6  # letters among them
UNDETERMINED = "und"


class _Automaton(NamedTuple):
    """The model: `step[row[state] + byte]` is the next state, `feature[state]` what it shows, -1 for nothing."""

    step: NDArray[np.integer]
    row: NDArray[np.int64]
    feature: NDArray[np.integer]
    depth: int  # bytes of the longest feature
    weights: NDArray[np.float32]  # (features, languages)
    prior: NDArray[np.float32]
    languages: Sequence[str]


@cache
def _automaton() -> _Automaton:
    spec = find_spec("py3langid")  # its import is of no use here and takes a tenth of a second
    folder = Path(str(spec.origin)).parent if spec is not None else Path()
    name = f"languages-1-{crc32(repr(LANGUAGES).encode()):08x}"
    stored = kept_arrays(name, folder / "data" / "model.npz.xz", _worked_out)
    languages = stored.text("languages").split()
    return _Automaton(
        step=stored.whole_numbers("step", -1),
        row=stored.whole_numbers("row", -1).astype(np.int64, copy=False),
        feature=stored.whole_numbers("feature", -1),
        depth=int(stored.text("depth")),
        weights=stored.floats("weights", -1, len(languages)),
        prior=stored.floats("prior", len(languages)),
        languages=languages,
    )


def _worked_out(model: Path) -> Model:
    """Return the automaton of py3langid's model for LANGUAGES as it is kept."""
    from py3langid.langid import LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(str(model))
    identifier.set_languages(list(LANGUAGES))
    step = np.asarray(identifier.tk_nextmove)
    row = np.asarray(identifier.tk_row, np.int64) << 8
    return Model(
        {"depth": str(_depth(step, row)), "languages": " ".join(identifier.nb_classes)},
        {
            "step": step,
            "row": row,
            "feature": np.asarray(identifier.tk_output),
            "weights": np.ascontiguousarray(identifier.nb_ptc, np.float32),
            "prior": np.asarray(identifier.nb_pc, np.float32),
        },
    )


def _depth(step: NDArray[np.integer], row: NDArray[np.int64]) -> int:
    """Return after how many bytes every state has been met."""
    depth = 0
    seen = np.zeros(len(row), bool)
    front = np.array([0])
    while len(front):
        seen[front] = True
        reached = np.zeros(len(row), bool)
        for start in np.unique(row[front]).tolist():
            reached[step[start : start + 256]] = True
        front = np.flatnonzero(reached & ~seen)
        depth += bool(len(front))
    return depth


def language_of(text: str) -> str:
    """Return the ISO 639-1 code, `und` where there is too little to tell."""
    return languages_of([text])[0]


def languages_of(texts: Sequence[str]) -> list[str]:
    """Return the ISO 639-1 code of each text, `und` where there is too little to tell."""
    cut = [text[:LONGEST].replace(chr(0), " ") for text in texts]
    long_enough = [i for i, text in enumerate(cut) if sum(map(str.isalpha, text)) >= FEWEST]
    languages = [UNDETERMINED] * len(texts)
    for i, language in zip(long_enough, _detected([_encoded(cut[i]) for i in long_enough]), strict=True):
        languages[i] = language
    return languages


def _encoded(text: str) -> bytes:
    """Return the bytes that the model reads of a text, as py3langid takes them."""
    lower = text.lower() if text.isupper() else text
    return unicodedata.normalize("NFC", lower).encode("utf-8", "surrogatepass")


def _detected(encoded: Sequence[bytes]) -> list[str]:
    model = _automaton()
    # zeros between texts lead back to the beginning, since no feature holds one
    gap = bytes(model.depth)
    line = np.frombuffer(gap.join([b"", *encoded]), np.uint8).astype(np.int64)
    ends = np.cumsum([len(text) + len(gap) for text in encoded])
    count = max(0, len(line) - model.depth)
    state = np.zeros(count, np.int64)
    for offset in range(1, model.depth + 1):
        state = model.step[model.row[state] + line[offset : offset + count]]
    places = np.flatnonzero(model.feature[state] >= 0)
    text_of = np.searchsorted(ends, places + model.depth, side="right")
    size = len(model.weights)
    keys, counts = np.unique(text_of * size + model.feature[state[places]], return_counts=True)
    starts = np.searchsorted(keys, np.arange(len(encoded) + 1) * size)
    shown = weighted_sums(np.log1p(counts.astype(np.float32)), keys % size, starts, model.weights)
    best = (shown + model.prior).argmax(axis=1)
    # where a text shows nothing that the model knows, py3langid names its first language
    best[np.diff(starts) == 0] = 0
    return [model.languages[i] for i in best.tolist()]
