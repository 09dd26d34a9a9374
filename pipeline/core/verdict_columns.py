"""Verdicts as columns: those on many bins without a record for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

KEPT_SCORE = 2.0  # verdicts with such a score or a higher one are kept for good


class VerdictColumns(NamedTuple):
    """Verdicts as arrays of one length, named as the columns of their table and in its order; NaN = not known.

    `series` are the texts of keys, `bin_start` ISO text. The verdicts lie in the order of their bins.
    """

    series: NDArray[np.object_]
    bin_start: NDArray[np.str_]
    observed: NDArray[np.float64]
    expected: NDArray[np.float64]
    upperbound: NDArray[np.float64]
    score: NDArray[np.float64]
    p: NDArray[np.float64]
    level: NDArray[np.int64]
    alarm: NDArray[np.int64]
    detector: NDArray[np.object_]

    @property
    def size(self) -> int:
        """How many verdicts these are."""
        return len(self.series)

    @property
    def quiet(self) -> NDArray[np.bool_]:
        """Whether each says nothing unusual, so that it is not kept for good."""
        loud: NDArray[np.bool_] = (self.score >= KEPT_SCORE) | (self.alarm != 0)
        return ~loud

    def where(self, chosen: NDArray[np.bool_] | list[bool] | slice) -> VerdictColumns:
        """Return the chosen verdicts."""
        return VerdictColumns._make(values[chosen] for values in self)

    def rows(self) -> list[tuple[object, ...]]:
        """Return the verdicts as rows of their table, None for what is not known."""
        return list(zip(*map(_listed, self), strict=True))


def _listed(values: NDArray[np.generic]) -> list[object]:
    listed: list[object] = values.tolist()
    if values.dtype.kind == "f" and (values != values).any():
        return [None if value != value else value for value in listed]
    return listed
