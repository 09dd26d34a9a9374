"""Detectors' states as the database keeps them: their series are columns of a service and an indicator."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from detectors.contract import Detector, DetectorState, IncompatibleStateError
from detectors.packing import rename_series
from pipeline.core.series import SeriesColumn


def load_state(
    detector: Detector, blob: bytes, known_columns: Callable[[], Iterable[SeriesColumn]]
) -> DetectorState | None:
    """Return a stored state, None where it cannot be used.

    Version 0.1 named a series `service` or `service|indicator`. Such a name is looked up among those of the series
    that are known, and not taken apart: a service and an indicator may hold the separator themselves.
    """
    try:
        state = detector.load(blob)
        if any(isinstance(name, str) for name in state.series):
            state = detector.load(rename_series(blob, {_old_name(column): column for column in known_columns()}))
    except IncompatibleStateError:
        return None
    return state


def _old_name(column: SeriesColumn) -> str:
    return f"{column.service}|{column.indicator}" if column.indicator else column.service


def columns_of(state: DetectorState) -> list[SeriesColumn]:
    """Return the columns of a state in their order."""
    return [SeriesColumn(*name) for name in state.series if not isinstance(name, str)]
