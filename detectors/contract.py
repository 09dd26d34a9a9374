"""What every detector offers: the protocols `Detector` and `DetectorState`, and the `Verdicts` they return.

A detector is a frozen, keyword-only dataclass of its parameters; its repr is stored with each verdict. It scores
counts in equal bins, many series at once: a frame with a UTC DatetimeIndex of bin starts and one column a series.
NaN is a gap, which is not zero: it neither raises nor ends an alarm and is not learned from.

`detect` over a history and `start` + `extend`/`update` bin by bin give the same figures, because the first is a
loop over the second. Nothing looks ahead: the result on a prefix is the prefix of the result.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, Protocol, Self

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pandas as pd

Floats = npt.NDArray[np.float64]
Levels = npt.NDArray[np.int8]
Values = Floats | Levels | Callable[[], Floats] | Callable[[], Levels]
SeriesName = str | tuple[str, ...]  # the label of a column of the counts; a tuple where the columns are a MultiIndex
FIELDS = ("observed", "expected", "upperbound", "score", "p", "level")


class LateBinError(ValueError):
    """A bin at or before the last one scored was offered; go back to an older state to score it."""


class IncompatibleStateError(ValueError):
    """The bytes are not a state of this detector, version and parameters."""


class BinnedCounts(NamedTuple):
    """Counts in equal bins as arrays: what a frame of counts holds, at none of its cost.

    starts: seconds of the epoch of the bins' starts, (bins,). counts: (bins, series), NaN = gap. mentions: of the same
    shape, None where there are none.
    """

    starts: npt.NDArray[np.int64]
    counts: Floats
    mentions: Floats | None = None


class Verdicts:
    """Frames of the shape of the counts, each made when first asked for, and the same as plain arrays by `values`.

    observed: counts, NaN in a gap. expected: counts. upperbound: the smallest single-bin count that would alarm.
    score: natural-log likelihood ratio, >= 0, higher is more anomalous, NaN in a gap or with too little history. p:
    probability of at least so many by chance, NaN where the score is. level: 0 = no alarm or unknown, 1 = the score
    reaches the detector's `alarm`, 2 = it reaches `strong`.
    """

    def __init__(
        self,
        index: pd.DatetimeIndex | Callable[[], pd.DatetimeIndex],
        columns: pd.Index | Callable[[], pd.Index],
        **values: Values,
    ) -> None:
        """Keep arrays of shape (bins, series), or functions that return them, by the names of FIELDS.

        So may the axes be functions: a run that asks for `values` alone never imports pandas.
        """
        self._index, self._columns, self._values = index, columns, values
        self._arrays: dict[str, Floats | Levels] = {}

    @cached_property
    def index(self) -> pd.DatetimeIndex:
        """Starts of the bins, in UTC."""
        return self._index() if callable(self._index) else self._index

    @cached_property
    def columns(self) -> pd.Index:
        """Names of the series."""
        return self._columns() if callable(self._columns) else self._columns

    @property
    def scores(self) -> Floats:
        """The scores, (bins, series), NaN in a gap or with too little history."""
        return self.values("score").astype(np.float64, copy=False)

    def values(self, name: str) -> Floats | Levels:
        """Return the array of one of FIELDS, (bins, series); raises KeyError on a field that was not given."""
        if name not in self._arrays:
            given = self._values[name]
            self._arrays[name] = given() if callable(given) else given
        return self._arrays[name]

    def _frame(self, name: str) -> pd.DataFrame:
        import pandas as pd

        return pd.DataFrame(self.values(name), index=self.index, columns=self.columns)

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
        """0 = no alarm or unknown, 1 = alarm, 2 = strong alarm."""
        return self._frame("level")


class DetectorState(Protocol):
    """What a detector keeps between bins, for a fixed list of series."""

    @property
    def series(self) -> list[SeriesName]:
        """Names of the series, in the order of the columns of the counts."""
        ...

    def update(self, bin_start: pd.Timestamp, counts: Floats, mentions: Floats | None = None) -> Verdicts:
        """Score the next bin; `counts` and `mentions` have shape (series,). Raises LateBinError, ValueError."""
        ...

    def extend(self, counts: pd.DataFrame, mentions: pd.DataFrame | None = None) -> Verdicts:
        """Score several bins in order, shape (bins, series). Raises LateBinError, ValueError."""
        ...

    def extend_arrays(self, bins: BinnedCounts) -> Verdicts:
        """Score several bins in order as `extend` does, given as arrays. Raises LateBinError, ValueError."""
        ...

    def with_series(self, series: Sequence[SeriesName], *, silent: bool = False) -> Self:
        """Return the state widened to more series, new or (`silent`) observed all the while with nothing to count."""
        ...

    def to_bytes(self) -> bytes:
        """Return the state as bytes that `load` of the same detector reads back."""
        ...


class Detector(Protocol):
    """A detector and its parameters; its repr names both and the version.

    `mentions`, everything said of a service, complaints included, has the shape of the counts. Every detector takes
    and checks it; only `SeasonalNB` uses it, to tell an outage from news.
    """

    @property
    def alarm(self) -> float:
        """Score from which a bin has level 1, in the unit of the detector's score."""
        ...

    @property
    def strong(self) -> float:
        """Score from which a bin has level 2."""
        ...

    def detect(self, counts: pd.DataFrame, mentions: pd.DataFrame | None = None) -> Verdicts:
        """Score a history, shape (bins, series), each bin from the bins before it. Raises ValueError."""
        ...

    def start(self, history: pd.DataFrame, mentions: pd.DataFrame | None = None) -> DetectorState:
        """Learn from a history, which may have no rows, and be ready for the bin after it. Raises ValueError."""
        ...

    def begin(self, bin_s: int, series: Sequence[SeriesName], *, talk: bool) -> DetectorState:
        """Return a state without history for bins of `bin_s` seconds; `talk` says whether mentions come with counts.

        Raises ValueError on a width that the detector cannot take.
        """
        ...

    def load(self, blob: bytes) -> DetectorState:
        """Read a state back. Raises IncompatibleStateError."""
        ...
