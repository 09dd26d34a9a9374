"""Weighted sums of rows: the product of a sparse matrix and a dense one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FEW = 2_048  # rows in all; for these the import of SciPy's sparse matrices, 0.3 s, costs more than they do


def weighted_sums(
    weights: NDArray[np.float32], at: NDArray[np.integer], ends: NDArray[np.integer], rows: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return (texts, width), for each text the sum of `weights` times `rows[at]` over its places.

    The places of text i are those from `ends[i]` to `ends[i + 1]`; a text without any has zeros. Both ways add one row
    after the other, in the order of the places, and so round alike.
    """
    if len(at) > FEW:
        from scipy.sparse import csr_array

        product: NDArray[np.float32] = csr_array((weights, at, ends), shape=(len(ends) - 1, len(rows))) @ rows
        return product
    sums = np.zeros((len(ends) - 1, rows.shape[1]), np.float32)
    starts, lengths = ends[:-1], np.diff(ends)
    for place in range(int(lengths.max(initial=0))):
        having = np.flatnonzero(lengths > place)
        places = starts[having] + place
        sums[having] += weights[places, None] * rows[at[places]]
    return sums
