"""Series that are judged together: which there are, and up to when their bins are complete."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from pipeline.core.series import SeriesColumn, SeriesKey
from pipeline.core.times import floor_to
from pipeline.store import Store, detector_input

VOTE_BIN = 60
FORGETTING = timedelta(minutes=10)  # after midnight, in which old verdicts are forgotten


class SeriesGroup(Struct, frozen=True, kw_only=True):
    """Series that share a source and bin width and so one detector state."""

    subject: str
    source: str
    bin_s: int
    kind: str
    window: str = ""

    @property
    def divides_day(self) -> bool:
        """Return whether bins begin at midnight of every day."""
        return 86400 % self.bin_s == 0

    def key(self, column: SeriesColumn) -> SeriesKey:
        """Return the key of a column of this group."""
        return SeriesKey(
            service=column.service,
            channel=self.kind,
            source=self.source,
            bin_s=self.bin_s,
            indicator=column.indicator,
        )


def series_groups(store: Store) -> list[SeriesGroup]:
    """Return every group of a database: reports by source of posts, and counts by source, width and window."""
    return [
        SeriesGroup(subject=f"votes:{source}", source=source, bin_s=VOTE_BIN, kind="votes")
        for source in detector_input.post_sources(store)
    ] + [
        SeriesGroup(
            subject=f"complaints:{source}:{width}:{window}",
            source=source,
            bin_s=width,
            kind="complaints",
            window=window,
        )
        for source, width, window in detector_input.count_groups(store)
    ]


def complete_until(
    store: Store, group: SeriesGroup, spans: Sequence[tuple[datetime, datetime]], now: datetime
) -> datetime | None:
    """Return the end of the last bin that will not change any more; `spans` are when posts were read."""
    if group.kind == "votes":
        return floor_to(min(spans[-1][1], now), group.bin_s) if spans else None
    newest = detector_input.newest_start(store, group.source, group.bin_s, group.window)
    if newest is None:
        return None
    # intervals may begin at any minute, as 00:01, 00:16; bins begin at midnight
    end = (floor_to(newest, group.bin_s) if group.divides_day else newest) + timedelta(seconds=group.bin_s)
    return end if end <= now else floor_to(now, group.bin_s)


def offered_bins(group: SeriesGroup, until: datetime, now: datetime) -> int:
    """Return how many known bins a run has been offered again where nothing of a group is new."""
    return max(1, int((min(until, now) - (now - timedelta(minutes=5))).total_seconds() // group.bin_s))
