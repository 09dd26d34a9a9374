"""The running state of `SeasonalNB`: bins in, verdicts out, one kernel call for each stretch of bins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt

from detectors.contract import BinnedCounts, Floats, SeriesName, Verdicts
from detectors.packing import FIRST_PART, HEAD_PART, NAMES_PART, StateHeader, StateParts, pack, pack_head, pack_names
from detectors.seasonal.compiled import KERNELS, KernelSelector, ScanBins, ScanFigures
from detectors.seasonal.layout import (
    CHANNELS,
    HALF_HOUR,
    TOTAL,
    KernelParams,
    assumed_cells,
    exposure_places,
    fill_blank,
    windows_of,
)
from detectors.seasonal.needs import always_needed, part_bounds, read_needed
from detectors.seasonal.parameters import VERSION, SeasonalParameters
from detectors.seasonal.table import FigureTable
from detectors.seasonal.tails import TailFigures
from detectors.seasonal.times import times_of
from detectors.validation import (
    alarm_levels,
    bin_seconds,
    divides_a_day,
    index_of,
    missing_bins,
    starts_of,
    utc_index,
    validate_bins,
    validate_counts,
    validate_values,
)

if TYPE_CHECKING:
    import pandas as pd


class SeasonalState:
    """The running state of the scan over a fixed list of series; `with_series` widens it."""

    def __init__(
        self,
        detector: SeasonalParameters,
        bin_s: int,
        series: list[SeriesName],
        *,
        talk: bool,
        kernels: KernelSelector = KERNELS,
        table: FigureTable | None = None,
    ) -> None:
        """Start without history, or with the figures of a state of these series.

        `talk` says whether mentions come with the counts, `kernels` what scores them. Raises ValueError when bins wider
        than half an hour do not divide a day.
        """
        if bin_s > HALF_HOUR:  # narrower ones lie in the half-hours of the profile, whatever their width
            divides_a_day(bin_s)
        self.detector, self.bin_s, self.series, self.talk = detector, bin_s, series, talk
        self.last: int | None = None
        self.params = KernelParams.of(detector, bin_s, talk=talk)
        self._windows = windows_of(bin_s)
        self._kernels = kernels
        self._judged = False
        self._changing = np.arange(0)  # places of the figures that judging may have changed, of a table that is in part
        self._table = table if table is not None else FigureTable(part_bounds(self.params, len(series)), len(series))
        if table is None:
            fill_blank(self._table.rows, self.params)

    @cached_property
    def columns(self) -> pd.Index:
        """The series as columns of a frame."""
        import pandas as pd

        return pd.Index(self.series)

    @property
    def rows(self) -> Floats:
        """All that is remembered, a row a series; `layout` says of what. Raises IncompatibleStateError as `extend`."""
        self._table.read_all()
        return self._table.rows

    def with_series(self, series: Sequence[SeriesName], *, silent: bool = False) -> Self:
        """Return this state widened to more series.

        The new ones begin without history, or, when `silent`, as if they had been observed with nothing to count.
        """
        series = list(series)
        if series == self.series:
            return self
        grown = type(self)(self.detector, self.bin_s, series, talk=self.talk, kernels=self._kernels)
        grown.last = self.last
        if silent and self.series:
            exposed = exposure_places(self.params)
            grown.rows[:, exposed] = self.rows[:, exposed].max(axis=0)
        grown.rows[[series.index(name) for name in self.series]] = self.rows
        return grown

    def unknown(self) -> list[SeriesName]:
        """Return the series of which nothing has been learned yet."""
        self._table.read(always_needed(self.params))
        known = self._table.figures[CHANNELS + TOTAL + 1]
        return [self.series[place] for place in np.flatnonzero(known == 0.0).tolist()]

    def assume(self, expected: BinnedCounts) -> None:
        """Take what a source itself expects for the mean of series of which nothing is known yet.

        expected: counts of this state's series, NaN = not told; only the first day of each is used, so that no bin is
        judged by what was expected later. Raises ValueError on negative or infinite ones.
        """
        starts, counts, _ = expected
        for name in self.unknown():
            place = self.series.index(name)
            known = validate_values(counts[:, place])
            seen = np.flatnonzero(~np.isnan(known))
            seen = seen[starts[seen] < starts[seen[0]] + 86400] if len(seen) else seen
            if len(seen):
                assumed_cells(self.rows[place], self.params, starts[seen].tolist(), known[seen].tolist())

    def extend(self, counts: pd.DataFrame, mentions: pd.DataFrame | None = None) -> Verdicts:
        """Score several bins in order; bins left out since the last call are gaps.

        Raises LateBinError, ValueError, and of a state that is read in parts IncompatibleStateError on damage, with the
        state as it was.
        """
        if not counts.columns.equals(self.columns):
            raise ValueError("the columns are not the series of this state")
        index = utc_index(counts)
        if bin_seconds(index) != self.bin_s:
            raise ValueError(f"bins are not {self.bin_s} s wide")
        talk = None if mentions is None else validate_counts(mentions, counts)
        return self._verdicts(lambda: index, BinnedCounts(starts_of(index, self.bin_s), validate_counts(counts), talk))

    def extend_arrays(self, bins: BinnedCounts) -> Verdicts:
        """Score several bins in order as `extend` does, given as arrays. Raises LateBinError, ValueError."""
        bins = validate_bins(bins, self.bin_s, len(self.series))
        return self._verdicts(lambda: index_of(bins.starts, self.bin_s), bins)

    def update(self, bin_start: pd.Timestamp, counts: Floats, mentions: Floats | None = None) -> Verdicts:
        """Score the next bin; `counts` and `mentions` have shape (series,). Raises LateBinError, ValueError."""
        import pandas as pd

        index = pd.DatetimeIndex([bin_start])
        bin_seconds(index, self.bin_s)
        talk = None if mentions is None else validate_values(np.array(mentions, dtype=np.float64, ndmin=2))
        values = validate_values(np.array(counts, dtype=np.float64, ndmin=2))
        if values.shape != (1, len(self.series)) or (talk is not None and talk.shape != values.shape):
            raise ValueError(f"one count for each of the {len(self.series)} series is needed")
        starts = np.array([bin_start.timestamp()], dtype=np.int64)
        return self._verdicts(lambda: index, BinnedCounts(starts, values, talk))

    def _verdicts(self, index: Callable[[], pd.DatetimeIndex], bins: BinnedCounts) -> Verdicts:
        starts, values, talk = bins
        if (talk is not None) != self.talk:
            raise ValueError("mentions belong to a state from its start on, or never; use NaN where they are unknown")
        # a ring's length of gaps forgets all there is to forget; the rest only turns the ring
        missing, depth = missing_bins(self.last, starts, self.bin_s), self.params.depth
        missing = missing if missing <= depth else depth + missing % depth
        if missing and self.last is not None:
            gap = np.full((values.shape[1], missing), np.nan)
            self._scan(self.last + self.bin_s * np.arange(1, missing + 1), gap, gap)
        counts = np.ascontiguousarray(values.T)
        other = counts if talk is None else np.ascontiguousarray(np.maximum(talk - values, 0.0).T)
        tails = self._scan(starts, counts, other)
        if len(starts):
            self.last = int(starts[-1])
        score = tails.figures.score.T
        return Verdicts(
            index,
            lambda: self.columns,
            observed=values,
            expected=tails.figures.expected.T,
            score=score,
            upperbound=tails.upper_bounds,
            p=tails.p_values,
            level=alarm_levels(score, self.detector.alarm, self.detector.strong),
        )

    def _scan(self, starts: npt.NDArray[np.int64], counts: Floats, other: Floats) -> TailFigures:
        """Judge bins, counts and the rest of the talk of shape (series, bins), and learn from them."""
        times = times_of(starts, self.params)
        slots = times.slots - times.slots[:1]  # no bin is wider than a slot: none is left out
        output = ScanFigures(
            expected=np.empty(counts.shape),
            score=np.empty(counts.shape),
            slot_params=np.empty((int(slots[-1]) + 1 if len(slots) else 0, len(counts), 3)),
            best_windows=np.empty((counts.size, 4)),  # pages that no row touches are never asked of the machine
            reshaped=np.zeros(len(counts)),
        )
        bins = ScanBins(times, _readonly(counts), _readonly(other))
        run, table = self._kernels.choose(counts.size), self._table
        if len(starts) and not table.is_whole:
            if self._judged:  # what was read is no longer what is stored, and could not be put back
                table.read_all()
            else:
                self._changing = read_needed(table, self.params, times)
        self._judged = self._judged or bool(len(starts))
        found = run(table.rows, self.params, self._windows, bins, output)
        if output.reshaped.any() and not table.is_whole:
            table.restore()
            table.read_all()
            found = run(table.rows, self.params, self._windows, bins, output)
        output = output._replace(best_windows=output.best_windows[:found].copy())
        return TailFigures(detector=self.detector, penalty=self.params.penalty, slots=slots, figures=output)

    def to_bytes(self) -> bytes:
        """Return the state as bytes, figure after figure. Raises IncompatibleStateError as `extend`."""
        self._table.read_all()
        return pack(self._header(), {"rows": self._table.figures})

    def parts(self, *, changed_only: bool) -> StateParts:
        """Return the state in parts as `SeasonalNB.open` reads them; `changed_only` of those that are not stored so.

        Raises IncompatibleStateError as `extend`.
        """
        table = self._table
        content = table.changed(table.places if table.is_whole else self._changing) if changed_only else table.content()
        named = {} if changed_only and table.is_stored else {NAMES_PART: pack_names(self.series)}
        head = {HEAD_PART: pack_head(self._header(), table.sums(content))}
        figures = {FIRST_PART + part: blob for part, blob in content.items()}
        return StateParts(FIRST_PART + table.parts, named | head | figures)

    def _header(self) -> StateHeader:
        return StateHeader(
            detector=repr(self.detector),
            version=VERSION,
            bin_s=self.bin_s,
            series=self.series,
            last=self.last,
            talk=self.talk,
        )


def _readonly(values: Floats) -> Floats:
    """Return a view that cannot be written to: for arrays that can be, the kernel would be compiled once more."""
    view = values.view()
    view.flags.writeable = False
    return view
