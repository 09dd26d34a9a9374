"""Matrix products whose every row is the same to the last bit, whatever other rows it is computed with.

BLAS takes another kernel for few rows than for many, and kernels may round differently. So rows are multiplied in
tiles of one fixed height, the last one filled up with zeros: each row then goes through the same instructions.
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
HEIGHT = 48  # rows: four fifths of the speed of any height, and little wasted on one text
TALL = 192  # where there are mostly many rows: a quarter faster, for weights are packed anew for each tile


def tiled_product(rows: NDArray[F], weights: NDArray[F], height: int = HEIGHT) -> NDArray[F]:
    """Return `rows @ weights`, shapes (n, k) and (k, m); a row of the result depends on that row alone.

    `height` is that of a tile, in rows: the same each time that the same rows are multiplied.
    """
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
def _libraries() -> ThreadpoolController:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()  # looks for loaded libraries, once


def single_thread() -> AbstractContextManager[object]:
    """Return a context in which products take one thread: how threads divide the work is not the same everywhere."""
    limit: AbstractContextManager[object] = _libraries().limit(limits=1, user_api="blas")
    return limit
