"""Detectors' states as the database keeps them: their series are columns of a service and an indicator."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from detectors.contract import Detector, DetectorState, IncompatibleStateError
from detectors.packing import StateParts, rename_series
from detectors.seasonal.detector import SeasonalNB
from detectors.seasonal.state import SeasonalState
from pipeline.core.series import SeriesColumn

# versions of a stored form: the bytes of a state cut up, and parts that are read one by one; 2 had them in other parts
WHOLE, IN_PARTS = 1, 3
PIECE = 1 << 15  # bytes


class ReadParts(Protocol):
    """Reads the parts of a stored state."""

    def __call__(self, parts: Sequence[int] | None = None, /) -> Mapping[int, bytes]:
        """Return parts by number, None for all of them in order; those that there are not are left out."""
        ...


class StateContent(NamedTuple):
    """A state as it is stored: the version of the form, and its parts."""

    version: int
    parts: StateParts


def state_content(state: DetectorState, *, changed_only: bool = False) -> StateContent:
    """Return a state as it is to be stored; `changed_only` without what lies there since it was opened.

    Raises IncompatibleStateError where a state that is read in parts turns out to be damaged.
    """
    if isinstance(state, SeasonalState):
        return StateContent(IN_PARTS, state.parts(changed_only=changed_only))
    blob = state.to_bytes()
    pieces = {at // PIECE: blob[at : at + PIECE] for at in range(0, len(blob), PIECE)}
    return StateContent(WHOLE, StateParts(len(pieces), pieces))


def open_state(
    detector: Detector, version: int, read: ReadParts, known_columns: Callable[[], Iterable[SeriesColumn]]
) -> DetectorState | None:
    """Return a stored state, None where it cannot be used; `version` is that of its form.

    Of a state in parts most is read, and checked, when it is needed.
    """
    if version != IN_PARTS:
        return load_state(detector, b"".join(read().values()), known_columns)
    if not isinstance(detector, SeasonalNB):
        return None
    try:
        return detector.open(read)
    except IncompatibleStateError:
        return None


def load_state(
    detector: Detector, blob: bytes, known_columns: Callable[[], Iterable[SeriesColumn]]
) -> DetectorState | None:
    """Return a state of bytes, None where it cannot be used.

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
