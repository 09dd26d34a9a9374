"""Convolutions along a line of rows with half of the multiplications: Winograd's minimal filtering.

Some neighbouring outputs of a filter of n taps are the values of a product of two polynomials, and such a product is
known from its values at outputs + n - 1 points instead of from outputs * n products of coefficients (Lavin and Gray
2016, "Fast Algorithms for Convolutional Neural Networks").
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.text.models.tiles import kinds_of_places, kinds_of_rows, places_of

HEIGHT = 96  # runs of rows that are filtered together: what they need stays in the processor's second cache
# the points by taps, besides infinity, which is always the last: with these, rounding in single precision adds no more
# than twice what it adds to the plain sum
POINTS: Mapping[int, tuple[float, ...]] = {
    2: (0.0, -1.0, 0.75),
    3: (0.0, -1.0, 0.75, 1.5),
    5: (0.0, 1.5, -1.5, 2 / 3, -2 / 3),
}

Floats = NDArray[np.float32]


def points_of(taps: int) -> int:
    """Return at how many points a filter of so many taps is computed: as many as a run has rows."""
    return len(POINTS[taps]) + 1


def outputs_of(taps: int) -> int:
    """Return how many neighbouring outputs are computed together."""
    return points_of(taps) - taps + 1


class Transforms(NamedTuple):
    """What takes a run of rows (points, rows) and a filter (points, taps) to the points, and back (outputs, points)."""

    of_rows: NDArray[np.float64]
    of_filter: NDArray[np.float64]
    back: NDArray[np.float64]


@cache
def transforms(taps: int) -> Transforms:
    """Return the transforms for a filter of so many taps."""
    points, outputs = POINTS[taps], outputs_of(taps)
    others = [[other for other in points if other != point] for point in points]
    rows = np.zeros((points_of(taps), points_of(taps)))
    for row, roots in zip(rows[:-1], others, strict=True):
        row[:-1] = np.poly(roots)[::-1]
    rows[-1] = np.poly(points)[::-1]
    of_filter = [
        [point**tap / np.prod([point - other for other in roots]) for tap in range(taps)]
        for point, roots in zip(points, others, strict=True)
    ]
    back = [[*(point**output for point in points), float(output == outputs - 1)] for output in range(outputs)]
    return Transforms(rows, np.array([*of_filter, [0.0] * (taps - 1) + [1.0]]), np.array(back))


def at_points(weights: NDArray[np.floating]) -> Floats:
    """Return a filter's weights (taps, k, m) at its points, (points, k, m)."""
    points = np.tensordot(transforms(len(weights)).of_filter, weights.astype(np.float64), axes=1)
    return points.astype(np.float32)


class Filter:
    """A filter of weights at their points, (points, k, k), and the room in which runs are worked on."""

    def __init__(self, taps: int, weights: Floats) -> None:
        """Take how many taps it has and what `at_points` returns."""
        self._weights = weights
        self.points, width = weights.shape[:2]
        self.together = outputs_of(taps)
        found = transforms(taps)
        self._of_rows, self._back = found.of_rows.astype(np.float32), found.back.astype(np.float32)
        self._rows, self._transformed, self._products = (
            np.zeros((self.points, HEIGHT, width), np.float32) for _ in range(3)
        )
        self._outputs = np.empty((0, self.together, HEIGHT, width), np.float32)
        self._kinds = kinds_of_places(width, width, "f", HEIGHT)

    def places(self, table: Floats, runs: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return at which place each run (count, points) is filtered, counted through all tiles of HEIGHT."""
        if not self._kinds.any():
            return np.arange(len(runs))
        first = table[:, 0][runs]  # the bits of each row's first number tell runs apart well enough
        return places_of(kinds_of_rows(first, self._kinds), self._kinds)

    def outputs(
        self, table: Floats, runs: NDArray[np.int64], places: NDArray[np.int64], left: int, bias: Floats
    ) -> Floats:
        """Return the outputs of runs of rows, (tiles, together, HEIGHT, k): the run at place p is row p % HEIGHT.

        `runs` (count, points) are rows of `table` (rows, k), and `places` is what `places` returns of them. An output
        is the filtered rows and their bias, where positive, and the row itself, which stands `left` after the first
        that it reads. It is the same to the last bit whatever other runs there are, and overwritten by the next call.
        """
        tiles = -(-int(places.max(initial=-1) + 1) // HEIGHT)
        read = np.zeros((tiles * HEIGHT, self.points), np.int64)
        read[places] = runs
        if tiles > len(self._outputs):
            self._outputs = np.empty((tiles, *self._outputs.shape[1:]), np.float32)
        outputs = self._outputs[:tiles]
        for tile, output in zip(read.reshape(tiles, HEIGHT, -1), outputs, strict=True):
            np.take(table, tile.T, axis=0, out=self._rows, mode="clip")
            flat = self._rows.reshape(self.points, -1)
            np.matmul(self._of_rows, flat, out=self._transformed.reshape(self.points, -1))
            np.matmul(self._transformed, self._weights, out=self._products)
            np.matmul(self._back, self._products.reshape(self.points, -1), out=output.reshape(self.together, -1))
            output += bias
            np.maximum(output, 0, out=output)
            output += self._rows[left : left + self.together]
        return outputs
