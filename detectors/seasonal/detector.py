"""Seasonal negative-binomial scan: is the sum of the last k bins more than the hour, the season and the talk explain?

Statistic: the generalised likelihood ratio of a multiplicative increase over the last k bins, the largest over
several window lengths (window-limited GLR: Lai 1995, "Sequential changepoint detection in quality control and
dynamical systems", section 3; for negative binomial counts: Höhle and Paul 2008, "Count data regression charts for
the monitoring of surveillance time series", section 3). `kernel` describes the baseline.

What it does not learn: anything while the ratio is high, so that an outage does not become normal, until the new
level has lasted; anything younger than a guard of minutes, so that an onset is never its own baseline; and holes of
zeros where many reports were due. With a second channel, all talk about the service, the expectation grows with how
much more than usual everybody talks: news alone does not alarm. With one channel news cannot be seen: the variance
then has room for it, and a series whose quiet days are loud has its scores divided by how loud they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from detectors.contract import IncompatibleStateError, SeriesName, Verdicts
from detectors.packing import PartReader, StateHeader, read_head, unpack
from detectors.seasonal.layout import KernelParams
from detectors.seasonal.needs import part_bounds
from detectors.seasonal.parameters import VERSION, SeasonalParameters
from detectors.seasonal.state import SeasonalState
from detectors.seasonal.table import FigureTable, StoredFigures
from detectors.validation import bin_seconds, supported_width, utc_index

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class SeasonalNB(SeasonalParameters):
    """The detector of these parameters. It learns from every bin and uses `mentions`, where they are given."""

    def detect(self, counts: pd.DataFrame, mentions: pd.DataFrame | None = None) -> Verdicts:
        """Score a history, shape (bins, series), NaN = gap; mentions are all talk, complaints included.

        Raises ValueError on an index that is not of equal bins in UTC, on negative, infinite or too large counts, and
        on mentions of another shape.
        """
        return self._fresh(counts, mentions).extend(counts, mentions)

    def start(self, history: pd.DataFrame, mentions: pd.DataFrame | None = None) -> SeasonalState:
        """Return the state after a history, shape (bins, series), which may have no rows but must have the bins' freq.

        Mentions must be given from the start on or never: later calls without them, or with them for the first time,
        raise ValueError. Raises ValueError as `detect` does.
        """
        state = self._fresh(history, mentions)
        state.extend(history, mentions)
        return state

    def _fresh(self, counts: pd.DataFrame, mentions: pd.DataFrame | None) -> SeasonalState:
        series: list[SeriesName] = list(counts.columns)
        state = SeasonalState(self, bin_seconds(utc_index(counts)), series, talk=mentions is not None)
        state.columns = counts.columns.set_names([None] * counts.columns.nlevels)
        return state

    def begin(self, bin_s: int, series: Sequence[SeriesName], *, talk: bool) -> SeasonalState:
        """Return a state without history for bins of `bin_s` seconds; `talk` says whether mentions come with counts.

        Raises ValueError on a width of less than a minute or more than a day, or of no whole number a day.
        """
        return SeasonalState(self, supported_width(bin_s), list(series), talk=talk)

    def load(self, blob: bytes) -> SeasonalState:
        """Read a state back; raises IncompatibleStateError."""
        header, arrays = unpack(blob, detector=repr(self), version=VERSION)
        rows, table = arrays.get("rows"), FigureTable(self._bounds(header), len(header.series))
        if rows is None or rows.dtype != np.float64 or rows.shape != table.figures.shape:
            raise IncompatibleStateError("the state's rows do not fit its series")
        table.figures[:] = rows
        return self._with_table(header, table)

    def open(self, read: PartReader) -> SeasonalState:
        """Return a state that is kept in parts, as `SeasonalState.parts` returned them.

        Of its figures those are read and checked that a bin needs, when it needs them: until then `read` must find
        them as they are now. Raises IncompatibleStateError.
        """
        header, sums = read_head(read, detector=repr(self), version=VERSION)
        table = FigureTable(self._bounds(header), len(header.series), StoredFigures(read, sums))
        return self._with_table(header, table)

    def _bounds(self, header: StateHeader) -> npt.NDArray[np.int64]:
        """Return the bounds of the parts of a state's figures; raises IncompatibleStateError where it does not say."""
        if header.talk is None:
            raise IncompatibleStateError("the state's header is incomplete")
        return part_bounds(KernelParams.of(self, header.bin_s, talk=header.talk), len(header.series))

    def _with_table(self, header: StateHeader, table: FigureTable) -> SeasonalState:
        state = SeasonalState(self, header.bin_s, header.series, talk=bool(header.talk), table=table)
        state.last = header.last
        return state
