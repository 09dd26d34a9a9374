"""What was judged ahead of the steps of a replay is what the steps find by themselves, and so is the state after it."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from detectors.contract import BinnedCounts, Detector, DetectorState
from detectors.registry import DETECTORS
from pipeline.core.series import SeriesColumn
from pipeline.core.times import utc
from pipeline.detection.binning import verdict_columns
from pipeline.detection.foreseen import ForeseenGroup, ForeseenState
from pipeline.detection.series_groups import SeriesGroup

GROUP = SeriesGroup(subject="x", source="complaints", bin_s=900, kind="complaints", window="interval")
TWO = [SeriesColumn("github"), SeriesColumn("netflix")]
THREE = [*TWO, SeriesColumn("slack", "login")]
BEGIN = int(utc("2026-03-02T00:00:00Z").timestamp())
EARLY, ALL = 300, 700  # bins: two series are counted at first, three after them


def bins(first: int, last: int, columns: list[SeriesColumn]) -> BinnedCounts:
    """Return the bins [first, last) of the same made-up counts, some of them missing, with an outage in each series."""
    totals = np.random.default_rng(5).poisson(8.0, (ALL, len(THREE))).astype(float)
    totals[310:316, 0] += 90
    totals[520:530, 1:] += 70
    totals[[40, 41, 400], [0, 0, 1]] = np.nan
    return BinnedCounts(BEGIN + 900 * np.arange(first, last), totals[first:last, : len(columns)])


def ahead(detector: Detector) -> ForeseenGroup:
    group = ForeseenGroup(GROUP, detector)
    group.judge(TWO, bins(0, EARLY, TWO))
    group.judge(THREE, bins(EARLY, 500, THREE))
    assert group.judge(THREE, bins(500, ALL, THREE)).any()
    return group


def stepwise(
    state: DetectorState, name: str, changed: int | None = None
) -> list[tuple[list[tuple[object, ...]], bytes]]:
    """Return what each step finds, and the state after it; the count of one bin is not what was foreseen."""
    found = []
    edges = [0, 250, EARLY, 301, 302, 480, 510, 515, 699, ALL]
    for first, last in pairwise(edges):
        columns = TWO if last <= EARLY else THREE
        state = state.with_series(columns)
        here = bins(first, last, columns)
        if changed is not None and first <= changed < last:
            here.counts[changed - first, 0] += 60
        if isinstance(state, ForeseenState):
            verdicts = state.judge(here)
        else:
            verdicts = [verdict_columns(GROUP, columns, here, state.extend_arrays(here), name)]
        found.append(([row for part in verdicts for row in part.rows()], state.to_bytes()))
    return found


@pytest.mark.parametrize("name", ["seasonal_nb", "robust_z"])
def test_verdicts_and_states_are_those_of_a_detector_that_looked_at_nothing_ahead(name: str) -> None:
    detector = DETECTORS[name]()
    foreseen = ForeseenState(ahead(detector), TWO)
    plain = stepwise(detector.begin(900, TWO, talk=False), repr(detector))
    assert stepwise(foreseen, repr(detector)) == plain
    assert any(row[-2] for rows, _ in plain for row in rows), "an alarm"


def test_bins_that_were_judged_ahead_are_not_judged_again() -> None:
    foreseen = ForeseenState(ahead(DETECTORS["seasonal_nb"]()), TWO)
    assert foreseen.judge(bins(0, EARLY, TWO))
    wider = foreseen.with_series(THREE)
    wider.judge(bins(EARLY, 520, THREE))
    assert wider.own is None
    assert wider.last == BEGIN + 900 * 519


@pytest.mark.parametrize("changed", [0, 301, 512])
def test_a_count_that_is_not_the_one_foreseen_is_judged_by_itself_and_so_is_all_after_it(changed: int) -> None:
    detector = DETECTORS["seasonal_nb"]()
    plain = stepwise(detector.begin(900, TWO, talk=False), repr(detector), changed)
    assert stepwise(ForeseenState(ahead(detector), TWO), repr(detector), changed) == plain
    assert plain != stepwise(detector.begin(900, TWO, talk=False), repr(detector))


def test_a_series_that_was_not_foreseen_is_judged_by_the_state_itself() -> None:
    detector = DETECTORS["seasonal_nb"]()
    group = ForeseenGroup(GROUP, detector)
    group.judge(TWO, bins(0, ALL, TWO))
    foreseen, plain = ForeseenState(group, TWO), detector.begin(900, TWO, talk=False)
    assert stepwise(foreseen, repr(detector)) == stepwise(plain, repr(detector))
