"""The figures of many series as one table: of those that are stored, what a bin needs is read, and checked then.

A figure of all series lies in one stretch, so that the few figures that a bin touches, of however many series, are a
few parts of what is stored.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from detectors.contract import Floats, IncompatibleStateError
from detectors.packing import FIRST_PART, PartReader

PART_FLOATS = 4096  # floats a part holds at least, but for the last


class StoredFigures(NamedTuple):
    """Figures as they are stored: `read` returns parts by their numbers, `sums` is what the words of each add up to."""

    read: PartReader
    sums: npt.NDArray[np.uint64]


class _ReadFigures(NamedTuple):
    """Figures as they were read: their numbers, and their values one after the other, (figures, series)."""

    places: npt.NDArray[np.int64]
    values: Floats


class FigureTable:
    """Figures of series, (figures, series), read from where they are stored when they are needed."""

    def __init__(self, figures: int, series: int, stored: StoredFigures | None = None) -> None:
        """Begin with zeros, or with what is stored; raises IncompatibleStateError when that has other parts."""
        # an odd length: figures that lie a power of two apart would share a few lines of the processor's cache
        shape = figures, (series + 1) | 1
        table: Floats = np.zeros(shape) if stored is None else np.empty(shape)  # what is not read yet is not filled
        self.figures = table[:, :series]
        self.rows: Floats = self.figures.T
        self._figures_a_part = max(1, PART_FLOATS // max(1, series))
        self.parts = -(-figures // self._figures_a_part)
        self._stored = stored
        self._present = np.full(self.parts, stored is None)
        self._as_read: list[_ReadFigures] = []
        if stored is not None and len(stored.sums) != self.parts:
            raise IncompatibleStateError("the state's parts do not fit its series")

    @property
    def is_whole(self) -> bool:
        """Return whether every figure is in memory."""
        return bool(self._present.all())

    @property
    def is_stored(self) -> bool:
        """Return whether it began with what is stored."""
        return self._stored is not None

    def read_all(self) -> None:
        """Read what is not in memory yet; raises IncompatibleStateError as `read`."""
        self.read(np.arange(len(self.figures)))

    def read(self, figures: npt.NDArray[np.int64]) -> None:
        """Read those of some figures that are not in memory yet.

        Raises IncompatibleStateError when a part is absent, cut short or does not add up to what it should.
        """
        parts = np.unique(figures // self._figures_a_part)
        parts = parts[~self._present[parts]]
        if self._stored is None or not len(parts):
            return
        numbers = (parts + FIRST_PART).tolist()
        found = self._stored.read(numbers)
        content = [found.get(number, b"") for number in numbers]
        begins, (total, series) = parts * self._figures_a_part, self.figures.shape
        lengths = [len(blob) for blob in content]
        if (lengths != np.minimum(self._figures_a_part, total - begins) * series * 8).any():
            raise IncompatibleStateError("the state is cut short")
        joined = b"".join(content)
        if (part_sums(joined, lengths) != self._stored.sums[parts]).any():
            raise IncompatibleStateError("the state is damaged")
        places = np.add.outer(begins, np.arange(self._figures_a_part)).ravel()
        read = _ReadFigures(places[places < total], np.frombuffer(joined).reshape(-1, series))
        self.figures[read.places] = read.values
        self._as_read.append(read)
        self._present[parts] = True

    def restore(self) -> None:
        """Put everything that was read back to what it was then."""
        for read in self._as_read:
            self.figures[read.places] = read.values

    def changed_parts(self) -> list[int]:
        """Return the parts that are not as they are stored."""
        if self._stored is None:
            return list(range(self.parts))
        changed: set[int] = set()
        for places, values in self._as_read:
            differs = (self.figures[places].view(np.uint64) != values.view(np.uint64)).any(axis=1)
            changed.update((places[differs] // self._figures_a_part).tolist())
        return sorted(changed)

    def content(self, parts: Iterable[int]) -> list[bytes]:
        """Return the bytes of parts."""
        many = self._figures_a_part
        return [self.figures[part * many : (part + 1) * many].tobytes() for part in parts]

    def sums(self, parts: list[int], content: list[bytes]) -> npt.NDArray[np.uint64]:
        """Return what the words of every part add up to; `parts` have been given this content."""
        sums = np.zeros(self.parts, np.uint64) if self._stored is None else self._stored.sums.copy()
        sums[parts] = part_sums(b"".join(content), [len(blob) for blob in content])
        return sums


def part_sums(joined: bytes, lengths: list[int]) -> npt.NDArray[np.uint64]:
    """Return what the 64-bit words of each part add up to; the parts lie one after the other, of so many bytes."""
    words = np.frombuffer(joined, np.uint64)
    if not len(words):
        return np.zeros(len(lengths), np.uint64)
    begins = np.concatenate(([0], np.cumsum(lengths)[:-1])) // 8
    return np.add.reduceat(words, begins)
