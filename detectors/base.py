"""The contract of a detector, and what every detector checks, packs and returns in the same way.

A detector is a frozen, keyword-only dataclass of its parameters; its repr is stored beside each verdict. It judges
counts in equal bins, many series at once: a frame with a UTC DatetimeIndex of bin starts and one column a series.
NaN is a gap, which is not zero: it neither raises nor ends anything and is not learned from.

`detect` over a history and `start` + `extend`/`update` bin by bin give the same figures, because the first is a
loop over the second. Nothing looks ahead: the result on a prefix is the prefix of the result.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
FIELDS = ("observed", "expected", "upperbound", "score", "p", "level")
LARGEST = float(2**53)


class LateBin(ValueError):
    """A bin at or before the last one judged was offered; go back to an older state to judge it."""


class ForeignState(ValueError):
    """The bytes are not a state of this detector, version and parameters."""


@dataclass(frozen=True, slots=True)
class Verdicts:
    """Frames of the shape of the counts.

    observed: counts, NaN in a gap. expected: counts. upperbound: the smallest single-bin count that would alarm.
    score: natural-log likelihood ratio, >= 0, higher is more anomalous, NaN in a gap. p: probability of at least so
    many by chance. level: 0, 1 = alarm, 2 = strong.
    """

    observed: pd.DataFrame
    expected: pd.DataFrame
    upperbound: pd.DataFrame
    score: pd.DataFrame
    p: pd.DataFrame
    level: pd.DataFrame


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


def bin_seconds(index: pd.DatetimeIndex) -> int:
    """Return the bin width; raises ValueError unless bins are equal, in order, in UTC and 1 minute to 1 day wide."""
    if not isinstance(index, pd.DatetimeIndex) or str(index.tz) not in ("UTC", "UTC+00:00"):
        raise ValueError("counts need a DatetimeIndex of bin starts in UTC")
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


def checked(counts: pd.DataFrame, like: pd.DataFrame | None = None) -> Floats:
    """Return the values as floats; raises ValueError on negative, infinite or uncountably large ones."""
    if like is not None and (not counts.columns.equals(like.columns) or not counts.index.equals(like.index)):
        raise ValueError("mentions must have the index and the columns of counts")
    values = counts.to_numpy(dtype=np.float64)
    if np.isinf(values).any() or (values < 0).any():
        raise ValueError("counts must be finite and not negative; use NaN for what was not observed")
    if (values > LARGEST).any():
        raise ValueError("counts beyond 2**53 cannot be told apart")
    return values


def frames(parts: Mapping[str, Floats], index: pd.DatetimeIndex, columns: pd.Index) -> Verdicts:
    """Dress arrays of shape (bins, series) as Verdicts."""
    dressed = {name: pd.DataFrame(parts[name], index=index, columns=columns) for name in FIELDS}
    dressed["level"] = dressed["level"].astype("int8")
    return Verdicts(**dressed)


def pack(header: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> bytes:
    """Return a JSON header line followed by the arrays' bytes: same state, same bytes."""
    shapes = {name: [str(array.dtype), list(array.shape)] for name, array in arrays.items()}
    head = json.dumps({**header, "arrays": shapes}, sort_keys=True).encode()
    return head + b"\n" + b"".join(np.ascontiguousarray(array).tobytes() for array in arrays.values())


def unpack(blob: bytes, **expected: Any) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
    """Read `pack` back; raises ForeignState when the bytes are cut, foreign or made with other parameters."""
    try:
        head, _, body = blob.partition(b"\n")
        header = json.loads(head)
        shapes = header.pop("arrays")
        wrong = [name for name, value in expected.items() if header.get(name) != value]
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise ForeignState("not a detector state") from error
    if wrong:
        raise ForeignState(f"state of another detector or version: {', '.join(wrong)} differ")
    arrays: dict[str, npt.NDArray[Any]] = {}
    offset = 0
    # arrays lie in the order they were packed, which JSON sorted by name would lose: names carry it
    for name in header["order"]:
        dtype, shape = shapes[name]
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        if offset + size > len(body):
            raise ForeignState("the state is cut short")
        arrays[name] = np.frombuffer(body[offset : offset + size], dtype=dtype).reshape(shape).copy()
        offset += size
    return header, arrays
