"""Matrix products whose every row is the same to the last bit, whatever other rows it is computed with.

BLAS takes another kernel for few rows than for many, and kernels may round differently. So rows are multiplied in
tiles of one fixed height, the last one filled up with zeros. On some processors even the places within a tile round
differently (OpenBLAS for AVX2: the second six of each twelve rows). Which places round alike is found out by a product
of equal rows, and a row's own content decides at which kind of place it is put.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

F = TypeVar("F", np.float32, np.float64)
Places = NDArray[np.int64]
HEIGHT = 48  # rows: four fifths of the speed of any height, and little wasted on one text
SINES = 4099  # that weights are filled with, over and over: a prime, so that rows of them are not alike


def tiled_product(rows: NDArray[F], weights: NDArray[F], height: int = HEIGHT) -> NDArray[F]:
    """Return `rows @ weights`, shapes (n, k) and (k, m); a row of the result depends on that row alone.

    `height` is that of a tile, in rows: the same each time that the same rows are multiplied.
    """
    kinds = kinds_of_places(*weights.shape, rows.dtype.char, height)
    if not kinds.any():
        return _in_tiles(rows, weights, height)
    contiguous = np.ascontiguousarray(rows)
    places = places_of(kinds_of_rows(contiguous, kinds), kinds)
    spread = np.zeros((-(-int(places.max(initial=-1) + 1) // height) * height, rows.shape[1]), rows.dtype)
    spread[places] = contiguous
    product: NDArray[F] = _in_tiles(spread, weights, height)[places]
    return product


def _in_tiles(rows: NDArray[F], weights: NDArray[F], height: int) -> NDArray[F]:
    product = np.empty((len(rows), weights.shape[1]), rows.dtype)
    whole = len(rows) - len(rows) % height
    for start in range(0, whole, height):
        np.matmul(rows[start : start + height], weights, out=product[start : start + height])
    if whole < len(rows):
        tile = np.zeros((height, rows.shape[1]), rows.dtype)
        tile[: len(rows) - whole] = rows[whole:]
        product[whole:] = np.matmul(tile, weights)[: len(rows) - whole]
    return product


@cache
def kinds_of_places(inner: int, columns: int, dtype: str, height: int) -> Places:
    """Return the kind of each place of a tile, from 0 up: of places of one kind, equal rows have equal products.

    The tile is (height, inner) and is multiplied by (inner, columns) of a dtype, named by its character.
    """
    weights = np.resize(np.sin(np.arange(SINES)).astype(dtype), (inner, columns))
    tile = np.tile(np.cos(np.arange(inner)).astype(dtype), (height, 1))
    with single_thread():
        product = np.matmul(tile, weights)
    kind_of: dict[bytes, int] = {}
    return np.array([kind_of.setdefault(row.tobytes(), len(kind_of)) for row in product])


def kinds_of_rows(rows: NDArray[F], kinds: Places) -> Places:
    """Return of each row (n, k) the kind of place that it is put at: it depends on the row's bits alone."""
    bits = np.bitwise_xor.reduce(rows.view(f"u{rows.itemsize}"), axis=1, initial=0)
    kinds_of: Places = (bits % np.uint8(kinds.max() + 1)).astype(np.int64)
    return kinds_of


def places_of(kinds_of_rows: Places, kinds: Places) -> Places:
    """Return the place of each row, counted through all tiles: the next free one of its kind."""
    places = np.empty(len(kinds_of_rows), np.int64)
    for kind in range(int(kinds.max()) + 1):
        rows, free = np.flatnonzero(kinds_of_rows == kind), np.flatnonzero(kinds == kind)
        tile, turn = np.divmod(np.arange(len(rows)), len(free))
        places[rows] = tile * len(kinds) + free[turn]
    return places


@cache
def _libraries() -> ThreadpoolController:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()  # looks for loaded libraries, once


def single_thread() -> AbstractContextManager[object]:
    """Return a context in which products take one thread: how threads divide the work is not the same everywhere."""
    limit: AbstractContextManager[object] = _libraries().limit(limits=1, user_api="blas")
    return limit
