"""The contract of a detector, and what every detector checks, packs and returns in the same way.

A detector is a frozen, keyword-only dataclass of its parameters; its repr is stored beside each verdict. It judges
counts in equal bins, many series at once: a frame with a UTC DatetimeIndex of bin starts and one column a series.
NaN is a gap, which is not zero: it neither raises nor ends anything and is not learned from.

`detect` over a history and `start` + `extend`/`update` bin by bin give the same figures, because the first is a
loop over the second. Nothing looks ahead: the result on a prefix is the prefix of the result.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import cached_property
from typing import Any, Protocol, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
FIELDS = ("observed", "expected", "upperbound", "score", "p", "level")
HEADER = 4096  # bytes a header of a state is a multiple of
LARGEST = float(2**53)


class LateBin(ValueError):
    """A bin at or before the last one judged was offered; go back to an older state to judge it."""


class ForeignState(ValueError):
    """The bytes are not a state of this detector, version and parameters."""


class Verdicts:
    """Frames of the shape of the counts, each made when first asked for.

    observed: counts, NaN in a gap. expected: counts. upperbound: the smallest single-bin count that would alarm.
    score: natural-log likelihood ratio, >= 0, higher is more anomalous, NaN in a gap or with too little history. p:
    probability of at least so many by chance, NaN where the score is. level: 0, 1 = alarm, 2 = strong.
    """

    def __init__(
        self, index: pd.DatetimeIndex, columns: pd.Index, **values: Floats | Callable[[], npt.NDArray[Any]]
    ) -> None:
        """Keep arrays of shape (bins, series), or functions that work them out, by the names of FIELDS."""
        self.index, self.columns, self._values = index, columns, values

    def _frame(self, name: str) -> pd.DataFrame:
        values = self._values[name]
        return pd.DataFrame(values() if callable(values) else values, index=self.index, columns=self.columns)

    @cached_property
    def observed(self) -> pd.DataFrame:
        """Counts as given."""
        return self._frame("observed")

    @cached_property
    def expected(self) -> pd.DataFrame:
        """Counts."""
        return self._frame("expected")

    @cached_property
    def upperbound(self) -> pd.DataFrame:
        """Counts."""
        return self._frame("upperbound")

    @cached_property
    def score(self) -> pd.DataFrame:
        """Nats, unless the detector says otherwise."""
        return self._frame("score")

    @cached_property
    def p(self) -> pd.DataFrame:
        """Probabilities."""
        return self._frame("p")

    @cached_property
    def level(self) -> pd.DataFrame:
        """0, 1 or 2."""
        return self._frame("level")


class State(Protocol):
    """What a detector remembers between bins."""

    def update(self, bin_start: pd.Timestamp, counts: Floats, mentions: Floats | None = None) -> Verdicts:
        """Judge the next bin of every series. Raises LateBin."""
        ...

    def extend(self, counts: pd.DataFrame, mentions: pd.DataFrame | None = None) -> Verdicts:
        """Judge several bins in order. Raises LateBin."""
        ...

    def with_series(self, series: list[str], *, silent: bool = False) -> State:
        """Return the state widened to more series, new or (`silent`) observed all the while with nothing to count."""
        ...

    def to_bytes(self) -> bytes:
        """Return the state as bytes that `load` of the same detector reads back."""
        ...


class Detector(Protocol):
    """A detector and its parameters."""

    def detect(self, counts: pd.DataFrame, mentions: pd.DataFrame | None = None) -> Verdicts:
        """Judge a history, bin by bin, each from the bins before it."""
        ...

    def start(self, history: pd.DataFrame, mentions: pd.DataFrame | None = None) -> State:
        """Learn from a history and be ready for the bin after it."""
        ...

    def load(self, blob: bytes) -> State:
        """Read a state back. Raises ForeignState."""
        ...


def bin_seconds(index: pd.DatetimeIndex, known: int = 0) -> int:
    """Return the bin width; raises ValueError unless bins are equal, in order, in UTC and 1 minute to 1 day wide.

    One bin alone has the width its index says (`freq`), or the one `known`.
    """
    if not isinstance(index, pd.DatetimeIndex) or str(index.tz) not in ("UTC", "UTC+00:00"):
        raise ValueError("counts need a DatetimeIndex of bin starts in UTC")
    if known and len(index) == 1:
        return known
    if index.freq is not None:
        width = pd.Timedelta(cast(Any, index.freq)).total_seconds()
    elif len(index) < 2:
        raise ValueError("one bin has no width; give its index a freq, as in pd.date_range(..., freq='15min')")
    else:
        steps = np.diff(index.as_unit("s").asi8)
        if steps.min() <= 0:
            raise ValueError("bins must be in order and come once")
        if (steps != steps[0]).any():
            raise ValueError("bins are not equally wide; put absent bins in as NaN")
        width = float(steps[0])
    if not 60 <= width <= 86400:
        raise ValueError(f"bins of {width:g} s: from 1 minute to 1 day is supported")
    return int(width)


def divides_a_day(bin_s: int) -> None:
    """Raise ValueError unless a day is a whole number of bins, without which an hour of the day is no bin of it."""
    if 86400 % bin_s:
        raise ValueError(f"bins of {bin_s} s: a day is no whole number of them")


def utc_index(counts: pd.DataFrame) -> pd.DatetimeIndex:
    """Return the frame's index; raises ValueError unless it is one of times."""
    if not isinstance(counts.index, pd.DatetimeIndex):
        raise ValueError("counts need a DatetimeIndex of bin starts in UTC")
    return counts.index


def checked(counts: pd.DataFrame, like: pd.DataFrame | None = None) -> Floats:
    """Return the values as floats; raises ValueError on negative, infinite or uncountably large ones."""
    if like is not None and (not counts.columns.equals(like.columns) or not counts.index.equals(like.index)):
        raise ValueError("mentions must have the index and the columns of counts")
    return counted(counts.to_numpy(dtype=np.float64))


def counted(values: Floats) -> Floats:
    """Return the values; raises ValueError as `checked` does."""
    low, high = (
        (float(np.fmin.reduce(values, None)), float(np.fmax.reduce(values, None))) if values.size else (0.0, 0.0)
    )
    if low < 0 or high == np.inf:
        raise ValueError("counts must be finite and not negative; use NaN for what was not observed")
    if high > LARGEST:
        raise ValueError("counts beyond 2**53 cannot be told apart")
    return values


def levels(score: Floats, alarm: float, strong: float) -> Callable[[], npt.NDArray[np.int8]]:
    """Return how to tell the level of each score; unknown is no alarm, as a comparison with NaN is false."""
    return lambda: (score >= alarm).astype(np.int8) + (score >= strong).astype(np.int8)


def short(detector: Any, version: int) -> str:
    """Return a name to store beside verdicts: the class, its version and the parameters that are not the default."""
    own = [
        f"{f.name}={getattr(detector, f.name)!r}" for f in fields(detector) if getattr(detector, f.name) != f.default
    ]
    return f"{type(detector).__name__}/{version}({', '.join(own)})"


def in_step(last: int | None, starts: npt.NDArray[np.int64], bin_s: int) -> int:
    """Return how many bins are missing between the last one judged and these; raises LateBin, ValueError."""
    if last is None or not len(starts):
        return 0
    if int(starts[0]) <= last:
        raise LateBin(f"bin {pd.Timestamp(int(starts[0]), unit='s', tz='UTC')} was already judged")
    if (int(starts[0]) - last) % bin_s:
        raise ValueError("bins are not in step with those judged before")
    return (int(starts[0]) - last) // bin_s - 1


def pack(header: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> bytes:
    """Return a JSON header line followed by the arrays' bytes: same state, same bytes.

    The header is filled up with blanks, so that what did not change between two states lies at the same place in both.
    """
    shapes = {name: [str(array.dtype), list(array.shape)] for name, array in arrays.items()}
    body = b"".join(np.ascontiguousarray(array).tobytes() for array in arrays.values())
    head = json.dumps({**header, "arrays": shapes, "crc": zlib.crc32(body)}, sort_keys=True).encode()
    return head.ljust(-(-(len(head) + 1) // HEADER) * HEADER - 1) + b"\n" + body


def unpack(blob: bytes, **expected: Any) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
    """Read `pack` back; raises ForeignState when the bytes are cut, foreign or made with other parameters."""
    try:
        head, _, body = blob.partition(b"\n")
        header = json.loads(head)
        shapes, order = header.pop("arrays"), header["order"]
        if header.pop("crc") != zlib.crc32(body):
            raise ForeignState("the state is cut short or damaged")
        wrong = [name for name, value in expected.items() if header.get(name) != value]
        if wrong:
            raise ForeignState(f"state of another detector or version: {', '.join(wrong)} differ")
        arrays: dict[str, npt.NDArray[Any]] = {}
        offset = 0
        # arrays lie in the order they were packed, which JSON sorted by name would lose
        for name in order:
            kind, shape = np.dtype(shapes[name][0]), shapes[name][1]
            size = int(np.prod(shape)) * kind.itemsize
            arrays[name] = np.frombuffer(body[offset : offset + size], dtype=kind).reshape(shape).copy()
            offset += size
    except ForeignState:
        raise
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise ForeignState("not a detector state, or cut short") from error
    return header, arrays
