"""The figures of many series as one table: of those that are stored, what a bin needs is read, and checked then.

A figure of all series lies in one stretch, so that the few figures that a bin touches, of however many series, are a
few parts of what is stored.
"""

from __future__ import annotations

from collections.abc import Mapping
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
        self._as_read: dict[int, bytes] = {}
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
        read = dict(zip(parts.tolist(), content, strict=True))
        sums = [self._fill(part, blob) for part, blob in read.items()]
        if (np.array(sums, np.uint64) != self._stored.sums[parts]).any():
            raise IncompatibleStateError("the state is damaged")
        self._as_read |= read
        self._present[parts] = True

    def restore(self) -> None:
        """Put everything that was read back to what it was then."""
        for part, blob in self._as_read.items():
            self._fill(part, blob)

    def changed(self) -> dict[int, bytes]:
        """Return the bytes of the parts that are not as they are stored, by number."""
        if self._stored is None:
            return self.content()
        now = ((part, self._bytes(part), stored) for part, stored in sorted(self._as_read.items()))
        return {part: content for part, content, stored in now if content != stored}

    def content(self) -> dict[int, bytes]:
        """Return the bytes of all parts by number; raises IncompatibleStateError as `read`."""
        self.read_all()
        return {part: self._bytes(part) for part in range(self.parts)}

    def sums(self, content: Mapping[int, bytes]) -> npt.NDArray[np.uint64]:
        """Return what the words of every part add up to, those in `content` having these bytes."""
        sums = np.zeros(self.parts, np.uint64) if self._stored is None else self._stored.sums.copy()
        sums[list(content)] = [_word_sum(blob) for blob in content.values()]
        return sums

    def _bytes(self, part: int) -> bytes:
        return self.figures[part * self._figures_a_part : (part + 1) * self._figures_a_part].tobytes()

    def _fill(self, part: int, content: bytes) -> int:
        """Put a part's bytes into memory; return what their words add up to, while the cache has them."""
        place = self.figures[part * self._figures_a_part : (part + 1) * self._figures_a_part]
        place[:] = np.frombuffer(content).reshape(place.shape)
        return _word_sum(content)


def _word_sum(content: bytes) -> int:
    """Return what the 64-bit words of a part add up to, modulo 2**64."""
    return int(np.add.reduce(np.frombuffer(content, np.uint64)))
