"""Where the state of a group's detector is between two passes of detect: the database, or the memory of a replay."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from detectors.contract import Detector, DetectorState
from pipeline.detection.series_groups import SeriesGroup
from pipeline.detection.states import load_state
from pipeline.store import Store
from pipeline.store import verdicts as rows

NOW, DAY = "now", "day"  # slots: the newest state, and the one at the last midnight


class LoadedState(NamedTuple):
    """A state and its bytes as they lie in the database; empty where they are not known to."""

    state: DetectorState
    stored: bytes


class _Held(NamedTuple):
    """A state in memory: the object itself, or its bytes where the object goes on being changed."""

    mark: rows.StateMark
    state: DetectorState | bytes


@dataclass(frozen=True, slots=True)
class DetectorStates:
    """The states of one database.

    `in_memory`, for a replay: between steps they stay in memory, and `write` stores them at the end. Nobody else may
    judge in that database meanwhile.
    """

    store: Store
    in_memory: bool = False
    _held: dict[tuple[str, str], _Held] = field(default_factory=dict)

    def mark(self, subject: str, slot: str) -> rows.StateMark | None:
        """Return of which detector the state of a slot is and up to when it judged; None where there is none."""
        if (held := self._held.get((subject, slot))) is not None:
            return held.mark
        return rows.state_mark(self.store, subject, slot)

    def load(self, group: SeriesGroup, detector: Detector, slot: str) -> LoadedState | None:
        """Return the state of a slot; None where there is none or it cannot be used."""
        stored, held = b"", self._held.get((group.subject, slot))
        if held is None:
            found = rows.load_state(self.store, group.subject, slot)
            if found is None:
                return None
            stored = content = found.content
        elif isinstance(held.state, bytes):
            content = held.state
        else:
            return LoadedState(held.state, b"")
        state = load_state(
            detector, content, lambda: rows.series_columns(self.store, group.kind, group.source, group.bin_s)
        )
        return None if state is None else LoadedState(state, stored)

    def keep(self, subject: str, slot: str, detector: str, through: datetime, state: DetectorState) -> None:
        """Hold a state in memory as it is now; the one of the slot `now` is the object itself, which judges on."""
        mark = rows.StateMark(detector, through)
        self._held[subject, slot] = _Held(mark, state if slot == NOW else state.to_bytes())

    def write(self) -> None:
        """Store what is held in memory."""
        for (subject, slot), (mark, state) in self._held.items():
            content = state if isinstance(state, bytes) else state.to_bytes()
            with self.store.transaction() as conn:
                rows.put_state(conn, subject, slot, rows.StoredState(mark.detector, 1, mark.through, content))
        self._held.clear()
