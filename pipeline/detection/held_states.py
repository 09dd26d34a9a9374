"""Where the state of a group's detector is between two passes of detect: the database, or the memory of a replay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import NamedTuple

from detectors.contract import Detector, DetectorState
from pipeline.core.series import SeriesColumn
from pipeline.detection.foreseen import ForeseenState, Foresight
from pipeline.detection.series_groups import SeriesGroup
from pipeline.detection.states import ReadParts, open_state, state_content
from pipeline.store import Store, detector_input, detector_state

NOW, DAY = "now", "day"  # slots: the newest state, and the one at the last midnight


class _Held(NamedTuple):
    """A state in memory: the object itself, or as it is to be stored where the object goes on being changed."""

    mark: detector_state.StateMark
    state: DetectorState | detector_state.StoredState


@dataclass(frozen=True, slots=True)
class DetectorStates:
    """The states of one database.

    `in_memory`, for a replay: between steps they stay in memory, and `write` stores them at the end. Nobody else may
    judge in that database meanwhile. `foresight` knows what was judged ahead there, None: nothing.
    """

    store: Store
    in_memory: bool = False
    foresight: Foresight | None = None
    _held: dict[tuple[str, str], _Held] = field(default_factory=dict)

    def begin(self, group: SeriesGroup, detector: Detector, columns: Sequence[SeriesColumn]) -> DetectorState:
        """Return a state without history. Raises ValueError on a width of bins that the detector cannot take."""
        ahead = self.foresight.of(group, detector) if self.foresight is not None else None
        if ahead is not None:
            return ForeseenState(ahead, list(columns))
        return detector.begin(group.bin_s, columns, talk=group.kind == "votes")

    def mark(self, subject: str, slot: str) -> detector_state.StateMark | None:
        """Return of which detector the state of a slot is and up to when it judged; None where there is none."""
        if (held := self._held.get((subject, slot))) is not None:
            return held.mark
        return detector_state.state_mark(self.store, subject, slot)

    def load(self, group: SeriesGroup, detector: Detector, slot: str) -> DetectorState | None:
        """Return the state of a slot; None where there is none or it cannot be used.

        Of one in the database parts are read, and checked, when they are needed: what uses it may raise
        IncompatibleStateError.
        """
        held = self._held.get((group.subject, slot))
        if held is None:
            version = detector_state.state_version(self.store, group.subject, slot)
            read: ReadParts = partial(detector_state.state_parts, self.store, group.subject, slot)
        elif isinstance(held.state, detector_state.StoredState):
            version, read = held.state.version, partial(_of_content, held.state.content)
        else:
            return replace(held.state) if isinstance(held.state, ForeseenState) else held.state
        columns = partial(detector_input.series_columns, self.store, group.kind, group.source, group.bin_s)
        return None if version is None else open_state(detector, version, read, columns)

    def keep(self, subject: str, slot: str, detector: str, through: datetime, state: DetectorState) -> None:
        """Hold a state in memory as it is now; the one of the slot `now` is the object itself, which judges on."""
        held: DetectorState | detector_state.StoredState
        if isinstance(state, ForeseenState) and state.own is None:
            held = replace(state)
        else:
            held = state if slot == NOW else stored_state(state, detector, through)
        self._held[subject, slot] = _Held(detector_state.StateMark(detector, through), held)

    def write(self, store: Store) -> None:
        """Store what is held in memory, in this database or in a copy of it; it is held on."""
        for (subject, slot), (mark, state) in self._held.items():
            stored = state if isinstance(state, detector_state.StoredState) else stored_state(state, *mark)
            with store.transaction() as conn:
                detector_state.put_state(conn, subject, slot, stored)


def stored_state(
    state: DetectorState, detector: str, through: datetime, *, changed_only: bool = False
) -> detector_state.StoredState:
    """Return a state as it is to be stored; `changed_only` as `state_content` has it, and what that raises."""
    state = state.settled() if isinstance(state, ForeseenState) else state
    version, parts = state_content(state, changed_only=changed_only)
    return detector_state.StoredState(detector, version, through, *parts)


def _of_content(content: Mapping[int, bytes], parts: Sequence[int] | None = None) -> Mapping[int, bytes]:
    return content if parts is None else {part: content[part] for part in parts if part in content}
