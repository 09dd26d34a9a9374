"""Complaint counts as columns: a file of a million rows without a record for each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

from pipeline.core.series import SeriesColumn, SeriesCount

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class CountKey(NamedTuple):
    """What is counted, by whom, in which intervals (seconds); empty region or indicator means all of them."""

    source: str
    interval_s: int
    window: str
    service: str
    region: str
    indicator: str


class CountColumns(Struct, frozen=True, kw_only=True):
    """Counts, none of an interval twice.

    `series`, `start`, `total` and `collected` have one entry for each count: the place of its key in `keys`, seconds of
    the epoch, how many, and when it was collected in seconds of the epoch.
    """

    keys: tuple[CountKey, ...]
    series: NDArray[np.int64]
    start: NDArray[np.int64]
    total: NDArray[np.int64]
    collected: NDArray[np.int64]

    def __len__(self) -> int:
        """Return how many counts these are."""
        return len(self.start)


class CountArrays(NamedTuple):
    """Counts of series as arrays of one length: place of the series, start in seconds of the epoch, the count."""

    column: NDArray[np.int64]
    at: NDArray[np.int64]
    value: NDArray[np.float64]

    def moved(self, columns: Sequence[SeriesColumn], others: Sequence[SeriesColumn]) -> CountArrays:
        """Return the counts with the places that the series, which are those of `columns`, have among others."""
        import numpy as np

        place = {column: n for n, column in enumerate(others)}
        places = np.array([place[column] for column in columns], dtype=np.int64)
        return self._replace(column=places[self.column])


class SeriesCounts(NamedTuple):
    """Counts, and the series that they are of, sorted; of each there is at least one count."""

    columns: list[SeriesColumn]
    arrays: CountArrays


def to_arrays(raw: Iterable[SeriesCount], columns: Sequence[SeriesColumn]) -> CountArrays:
    """Return counts as arrays; the column of each must be one of `columns`."""
    import numpy as np

    place = {column: i for i, column in enumerate(columns)}
    rows = [(place[column], at.timestamp(), n) for column, at, n in raw]
    table = np.array(rows, dtype=float).reshape(-1, 3)
    return CountArrays(table[:, 0].astype(np.int64), table[:, 1].astype(np.int64), table[:, 2])
