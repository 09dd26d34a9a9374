"""What commands do about this machine's clock: a run stops where servers prove it wrong, and undoes earlier errors."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from pipeline.commands.common import Setting, open_store_to_read
from pipeline.commands.findings import Finding, Level
from pipeline.core.errors import ClockError, StoreError
from pipeline.core.records import Run
from pipeline.core.times import iso
from pipeline.http.server_clocks import ClockFinding, ClockState, ServerClocks
from pipeline.store.clock import ClockNotes, clock_notes, note_clock, rewind_future_clock

if TYPE_CHECKING:
    from pipeline.store import Store

logger = logging.getLogger(__name__)

REMEDY = "set it, and keep it right by NTP (timedatectl set-ntp true)"


class ClockGuard:
    """The clock checks of one run. `servers` is None at a time given by --now, which is not the machine's."""

    def __init__(self, setting: Setting, store: Store) -> None:
        """`store` is open and its lock is held."""
        self._store, self._now = store, setting.now
        self.servers = (
            ServerClocks(setting.clock, setting.now, wrong_before=bool(clock_notes(store).wrong))
            if setting.clock is not None
            else None
        )
        self._corrected_from: datetime | None = None

    def correct(self) -> None:
        """Undo what an earlier run with a clock ahead left, before this one stores anything; raises ClockError."""
        self._corrected_from = rewind_future_clock(self._store, self._now)

    def correct_without_servers(self) -> None:
        """Do so in a run that asks no servers; raises ClockError while what the last one found stands."""
        known = clock_notes(self._store)
        if self.servers is not None and known.wrong:
            raise ClockError(f"{known.wrong} by the last collect; run it again once the clock is right")
        self.correct()

    @contextmanager
    def collecting(self) -> Iterator[None]:
        """Note what the servers showed of the clock in the block, for `status` and `doctor`, and print a new doubt."""
        before = clock_notes(self._store)
        try:
            yield
        except ClockError as error:
            note_clock(self._store, ClockNotes(wrong=str(error)))
            raise
        found = self.servers.finding() if self.servers is not None else None
        doubted = f"{found.words}; is it right?" if found and found.state is ClockState.DOUBTED else ""
        if doubted and not before.doubted:
            logger.warning("%s", doubted)
        note_clock(self._store, ClockNotes(doubted=doubted))

    def result(self) -> Run:
        """Return what the run reports of the clock: an error where it has undone what an earlier run noted."""
        problem = ""
        if self._corrected_from is not None:
            problem = (
                f"the last run was dated {iso(self._corrected_from)}, after now ({iso(self._now)}):"
                " what it noted is undone; is the clock right?"
            )
        outcome = "error" if problem else "ok"
        return Run(stage="clock", subject="clock", started=self._now, outcome=outcome, error=problem)


def clock_findings(setting: Setting, servers: ServerClocks | None) -> Iterator[Finding]:
    """Say for `doctor` what the servers that were asked show of the clock, else what the last collect found of it."""
    found = servers.finding() if servers is not None else ClockFinding(ClockState.UNKNOWN)
    if found.state is ClockState.WRONG:
        yield Finding(Level.FAIL, "clock", f"{found.words}; a run would store and send nothing", REMEDY)
    elif found.state is ClockState.DOUBTED:
        yield Finding(Level.WARN, "clock", f"{found.words}; is it right?", REMEDY)
    elif found.state is ClockState.RIGHT:
        yield Finding(Level.OK, "clock", found.words)
    elif known := wrong_before(setting):
        yield Finding(Level.FAIL, "clock", f"by the last collect: {known}", REMEDY)
    else:
        yield Finding(Level.NOTE, "clock", "not compared with that of any server")


def wrong_before(setting: Setting) -> str:
    """Return what the last collect found wrong with the clock; empty also where the database cannot be read."""
    if not (setting.db.is_file() and setting.db.stat().st_size):
        return ""
    try:
        with open_store_to_read(setting) as store:
            return clock_notes(store).wrong
    except StoreError:
        return ""  # the finding about the database says so
