"""Complaint counts as columns: a file of a million rows without a record for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

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


@dataclass(frozen=True, slots=True, kw_only=True)
class CountColumns:
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
