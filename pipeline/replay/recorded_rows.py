"""The rows of a recorded source in the order in which they became public: records, or counts as columns."""

from __future__ import annotations

import bisect
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol

import numpy as np
import numpy.typing as npt
from msgspec import structs

from pipeline.core.count_columns import CountColumns
from pipeline.core.records import ChartRank, ComplaintCount, ExternalStatus, Record
from pipeline.core.status_records import OfficialIncident, StatusUpdate
from pipeline.core.times import iso
from pipeline.sources.count_columns import rows_of


class RecordedRows(Protocol):
    """Rows by place, each with when it became public."""

    def __len__(self) -> int:
        """Return how many there are."""
        ...

    def after(self, moment: datetime) -> int:
        """Return the place of the first row that became public after a moment."""
        ...

    def public(self, place: int) -> datetime:
        """Return when the row at a place became public."""
        ...

    def between(self, low: int, high: int) -> Sequence[Record]:
        """Return the rows at the places [low, high) as records."""
        ...

    def columns(self, low: int, high: int) -> CountColumns | None:
        """Return the rows at the places [low, high) as columns, with only their keys; None: they are records."""
        ...


class ListedRows:
    """Rows as records."""

    def __init__(self, public: Sequence[datetime], rows: Sequence[Record]) -> None:
        """Both in the order in which they became public."""
        self._public, self._rows = public, rows

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._rows)

    def after(self, moment: datetime) -> int:
        """Return the place of the first row that became public after a moment."""
        return bisect.bisect_right(self._public, moment)

    def public(self, place: int) -> datetime:
        """Return when the row at a place became public."""
        return self._public[place]

    def between(self, low: int, high: int) -> Sequence[Record]:
        """Return the rows at the places [low, high)."""
        return self._rows[low:high]

    def columns(self, low: int, high: int) -> CountColumns | None:
        """Return None: these are records."""
        return None


class CountedRows:
    """Counts as columns; each was collected when it became public."""

    def __init__(self, counts: CountColumns, since: datetime, delay: timedelta) -> None:
        """Keep the counts of intervals that ended at a moment or later; each becomes public whole seconds after."""
        kept = ends_of(counts) >= since.timestamp()
        public = ends_of(counts) + int(delay.total_seconds())
        # as `key_of` orders records of the same moment: by the text of their names, start and width
        names = _ranks([f"{key.service}/{key.region}/{key.indicator}/" for key in counts.keys])
        texts = _ranks([str(key.interval_s) for key in counts.keys])
        order = np.lexsort((texts[counts.series], counts.start, names[counts.series], public))
        order = order[kept[order]]
        self._columns = CountColumns(
            keys=counts.keys,
            series=counts.series[order],
            start=counts.start[order],
            total=counts.total[order],
            collected=public[order],
        )

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._columns)

    def after(self, moment: datetime) -> int:
        """Return the place of the first count that became public after a moment."""
        whole = np.int64(moment.timestamp() // 1)  # beside a float all would be made floats, at each question
        return int(np.searchsorted(self._columns.collected, whole, side="right"))

    def public(self, place: int) -> datetime:
        """Return when the count at a place became public."""
        return datetime.fromtimestamp(int(self._columns.collected[place]), UTC)

    def between(self, low: int, high: int) -> Sequence[Record]:
        """Return the counts at the places [low, high) as records."""
        return list(rows_of(self.columns(low, high)))

    def columns(self, low: int, high: int) -> CountColumns:
        """Return the counts at the places [low, high), with only their keys, in the order in which they come."""
        known, here = self._columns, slice(low, high)
        found, first, series = np.unique(known.series[here], return_index=True, return_inverse=True)
        order = np.argsort(first)
        place = np.empty(len(order), dtype=np.int64)
        place[order] = np.arange(len(order))
        return CountColumns(
            keys=tuple(known.keys[n] for n in found[order].tolist()),
            series=place[series],
            start=known.start[here],
            total=known.total[here],
            collected=known.collected[here],
        )


def ends_of(counts: CountColumns) -> npt.NDArray[np.int64]:
    """Return when the interval of each count ends, in seconds of the epoch."""
    widths = np.array([key.interval_s for key in counts.keys], dtype=np.int64)
    return counts.start + widths[counts.series]


def runs_backwards(counts: CountColumns) -> bool:
    """Return whether the intervals of anything that is counted do not come in the order in which they end."""
    names = _ranks([f"{key.service}/{key.region}/{key.indicator}" for key in counts.keys])[counts.series]
    order = np.argsort(names, kind="stable")
    names, ends = names[order], ends_of(counts)[order]
    return bool(((names[1:] == names[:-1]) & (ends[1:] < ends[:-1])).any())


def by_service(counts: CountColumns) -> Counter[str]:
    """Return how many counts there are of each service."""
    found: Counter[str] = Counter()
    for key, many in zip(counts.keys, np.bincount(counts.series, minlength=len(counts.keys)).tolist(), strict=True):
        found[key.service] += many
    return found


def _ranks(texts: Sequence[str]) -> npt.NDArray[np.int64]:
    """Return the place of each text among all different ones, sorted."""
    places = {text: n for n, text in enumerate(sorted(set(texts)))}
    return np.array([places[text] for text in texts], dtype=np.int64)


def listed(rows: Iterable[tuple[datetime, Record]]) -> ListedRows:
    """Return rows, each with when it became public, in that order, and as collected then."""
    ordered = sorted(rows, key=lambda pair: (pair[0], key_of(pair[1])))
    return ListedRows([public for public, _ in ordered], [_collected(row, public) for public, row in ordered])


def _collected(row: Record, at: datetime) -> Record:
    """Return a row as collected at a moment."""
    if not isinstance(row, ComplaintCount):
        return structs.replace(row, collected=at)
    return ComplaintCount(  # of these there are millions, and `replace` takes three times as long
        service=row.service,
        source=row.source,
        region=row.region,
        indicator=row.indicator,
        start=row.start,
        interval_s=row.interval_s,
        total=row.total,
        collected=at,
        baseline=row.baseline,
        window=row.window,
    )


def key_of(row: Record) -> str:
    """Return the key of a row within its file."""
    if isinstance(row, ComplaintCount):
        return f"{row.service}/{row.region}/{row.indicator}/{iso(row.start)}/{row.interval_s}"
    if isinstance(row, StatusUpdate):
        return f"{row.page}/{row.incident_id}/{row.update_id}"
    if isinstance(row, OfficialIncident):
        return f"{row.page}/{row.incident_id}"
    if isinstance(row, ChartRank):
        return f"{row.store}/{row.country}/{row.chart}/{row.app}/{iso(row.observed)}"
    if isinstance(row, ExternalStatus):
        return f"{row.source}/{row.service}"
    return row.native_id
