"""The figures of many series as one table: of those that are stored, what a bin needs is read, and checked then.

A figure of all series lies in one stretch, so that the few figures that a bin touches, of however many series, are a
few parts of what is stored. A figure that is the same in all series is stored once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from detectors.contract import Floats, IncompatibleStateError
from detectors.packing import FIRST_PART, PartReader

Words = npt.NDArray[np.uint64]  # the bytes of doubles: what is read is what was written, to the bit


class StoredFigures(NamedTuple):
    """Figures as they are stored: `read` returns parts by their numbers, `sums` are the sums of the words of each."""

    read: PartReader
    sums: npt.NDArray[np.uint64]


class FigureTable:
    """Figures of series, (figures, series), read from where they are stored when they are needed."""

    def __init__(self, bounds: npt.NDArray[np.int64], series: int, stored: StoredFigures | None = None) -> None:
        """Begin with zeros, or with what is stored; raises IncompatibleStateError when that has other parts.

        bounds: the first figure of each part, then how many figures there are.
        """
        # an odd length: figures that lie a power of two apart would share a few lines of the processor's cache
        shape = int(bounds[-1]), (series + 1) | 1
        table: Floats = np.zeros(shape) if stored is None else np.empty(shape)  # what is not read yet is not filled
        self.figures = table[:, :series]
        self.rows: Floats = self.figures.T
        self._bounds, self._begins = bounds, bounds.tolist()
        self.parts = len(bounds) - 1
        self._stored = stored
        self._present = np.full(self.parts, stored is None)
        self._as_read: dict[int, bytes] = {}
        if stored is not None and len(stored.sums) != self.parts:
            raise IncompatibleStateError("the state's parts do not fit its series")

    @property
    def places(self) -> npt.NDArray[np.int64]:
        """Return the places of all figures."""
        return np.arange(len(self.figures))

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
        self.read(self.places)

    def read(self, figures: npt.NDArray[np.int64]) -> None:
        """Read those of some figures that are not in memory yet.

        Raises IncompatibleStateError when a part is absent, cut short or does not add up to what it should.
        """
        parts = np.flatnonzero(self._has(figures) & ~self._present)
        if self._stored is None or not len(parts):
            return
        found = self._stored.read((parts + FIRST_PART).tolist())
        read = {part: found.get(part + FIRST_PART, b"") for part in parts.tolist()}
        sums = [self._fill(part, blob) for part, blob in read.items()]
        if (np.array(sums, np.uint64) != self._stored.sums[parts]).any():
            raise IncompatibleStateError("the state is damaged")
        self._as_read |= read
        self._present[parts] = True

    def restore(self) -> None:
        """Put everything that was read back to what it was then."""
        for part, blob in self._as_read.items():
            self._fill(part, blob)

    def changed(self, figures: npt.NDArray[np.int64]) -> dict[int, bytes]:
        """Return the bytes of those parts of some figures, all read, that are not as they are stored, by number."""
        if self._stored is None:
            return self.content()
        now = {part: self._bytes(part) for part in np.flatnonzero(self._has(figures)).tolist()}
        return {part: content for part, content in now.items() if content != self._as_read[part]}

    def content(self) -> dict[int, bytes]:
        """Return the bytes of all parts by number; raises IncompatibleStateError as `read`."""
        self.read_all()
        return {part: self._bytes(part) for part in range(self.parts)}

    def sums(self, content: Mapping[int, bytes]) -> npt.NDArray[np.uint64]:
        """Return what the words of every part add up to, those in `content` having these bytes."""
        sums = np.zeros(self.parts, np.uint64) if self._stored is None else self._stored.sums.copy()
        sums[list(content)] = [_word_sum(np.frombuffer(blob, np.uint64)) for blob in content.values()]
        return sums

    def _has(self, figures: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Return of each part whether it has one of some figures."""
        has = np.zeros(self.parts, np.bool_)
        has[self._bounds.searchsorted(figures, side="right") - 1] = True
        return has

    def _words(self, part: int) -> Words:
        return self.figures[self._begins[part] : self._begins[part + 1]].view(np.uint64)

    def _bytes(self, part: int) -> bytes:
        """Return a part's figures, one that is the same in all series as one word.

        Of a part of several figures these words come first, and before them a word for each figure, 1 where it has one.
        """
        words = self._words(part)
        if len(words) == 1:
            line = words[0]
            is_same = len(line) > 0 and line[0] == line[-1] and bool((line == line[0]).all())
            return bytes(line[:1].data if is_same else line.data)
        same = (words == words[:, :1]).all(axis=1)
        return b"".join(each.tobytes() for each in (same.astype(np.uint64), words[same, :1], words[~same]))

    def _fill(self, part: int, content: bytes) -> int:
        """Put a part's bytes into memory; return what their words add up to, while the cache has them.

        Raises IncompatibleStateError when they are cut short, or are no whole words.
        """
        place = self._words(part)
        figures, series = place.shape
        try:
            stored = np.frombuffer(content, np.uint64)
            if figures == 1:
                place[:] = stored
            else:
                same = stored[:figures] == 1
                others = figures + int(np.count_nonzero(same))
                place[same] = stored[figures:others, None]
                place[~same] = stored[others:].reshape(-1, series)
        except (ValueError, IndexError) as error:
            raise IncompatibleStateError("the state is cut short, or holds more than it should") from error
        return _word_sum(stored)


def _word_sum(words: Words) -> int:
    """Return what 64-bit words and their number add up to, modulo 2**64."""
    return (int(np.add.reduce(words)) + len(words)) % 2**64
