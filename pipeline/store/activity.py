"""What is said and counted about a service over time: by hour, by bin and by region."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import NamedTuple

from pipeline.core.series import CountedInterval
from pipeline.core.times import floor_to, utc
from pipeline.store import Store
from pipeline.store.count_tables import HOUR_S
from pipeline.store.counts import OF_SERIES, epoch, from_epoch
from pipeline.store.detector_input import count_sources
from pipeline.store.kept_answers import SpanTopic

_WIDER = 100_000  # seconds: more than any interval
_ENDS = f"c.start * {_WIDER} + s.interval_s"  # starts in their order, and of one start the widths
_OF_SPAN = "s.service = ? AND s.indicator = '' AND s.window != 'rolling' AND c.start >= ? AND c.start < ?"


def talk_by_hour(store: Store, service: str, since: datetime, until: datetime) -> dict[datetime, tuple[int, float]]:
    """Return (posts, mean anger) about a service by hour; hours without any are absent."""
    talk: dict[datetime, tuple[int, float]] = {}
    for begin, end in _whole_spans(since, until):
        talk |= store.kept.of_span(
            SpanTopic.POSTS_BY_HOUR, service, begin, end, partial(_talk_by_hour, store, service, begin, end)
        )
    return talk


def _talk_by_hour(store: Store, service: str, since: datetime, until: datetime) -> dict[datetime, tuple[int, float]]:
    rows = store.rows(
        "SELECT substr(created, 1, 13) AS hour, count(*), avg(anger) FROM post_tags WHERE service = ? AND created >= ?"
        " AND created < ? GROUP BY hour",
        (service, since, until),
    )
    return {utc(f"{row[0]}:00:00Z"): (int(row[1]), float(row[2])) for row in rows}


def complaint_bins(store: Store, service: str, since: datetime, until: datetime) -> list[CountedInterval]:
    """Return a service's complaints by the source that counted most intervals of it, oldest first.

    Where a source tells parts only, they are summed; moving totals are left out.
    """
    return store.kept.of_span(
        SpanTopic.COUNTS_BY_BIN, service, since, until, lambda: _complaint_bins(store, service, since, until)
    )


def _complaint_bins(store: Store, service: str, since: datetime, until: datetime) -> list[CountedInterval]:
    by_source: dict[str, list[CountedInterval]] = {}
    span = (service, epoch(since), epoch(until))
    for source in count_sources(store):
        # only where a source tells no totals are its parts summed
        rows = store.rows(
            f"SELECT c.start, s.interval_s, c.total FROM {OF_SERIES} WHERE s.source = ? AND {_OF_SPAN}"
            " AND s.region = '' ORDER BY c.start, s.interval_s",
            (source, *span),
        ) or store.rows(
            f"SELECT c.start, s.interval_s, sum(c.total) FROM {OF_SERIES} WHERE s.source = ? AND {_OF_SPAN}"
            " GROUP BY c.start, s.interval_s ORDER BY c.start, s.interval_s",
            (source, *span),
        )
        if rows:
            by_source[source] = [CountedInterval(from_epoch(row[0]), int(row[1]), float(row[2])) for row in rows]
    return max((by_source[name] for name in sorted(by_source)), key=len, default=[])


def _whole_spans(since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yield a span in parts that begin at whole hours: up to the last midnight in it, up to its last hour, the rest.

    Of a span whose end moves on the first two are mostly those of the last time.
    """
    for end in (floor_to(until, 86400), floor_to(until, HOUR_S), until):
        if since < end:
            yield since, end
            since = end


def complaints_by_hour(
    store: Store, service: str, since: datetime, until: datetime
) -> tuple[dict[datetime, float], datetime | None]:
    """Return a service's totals by hour, and up to when they were counted; as complaint_bins.

    They are those of the source that counted most intervals.
    """
    return store.kept.of_span(
        SpanTopic.COUNTS_BY_HOUR, service, since, until, lambda: _complaints_by_hour(store, service, since, until)
    )


class _CountedHours(NamedTuple):
    """A source's totals by hour, how many intervals they are of, and the last interval: start * _WIDER + width."""

    totals: dict[datetime, float]
    intervals: int
    last: int


def _complaints_by_hour(
    store: Store, service: str, since: datetime, until: datetime
) -> tuple[dict[datetime, float], datetime | None]:
    best = _CountedHours({}, 0, 0)
    for source in count_sources(store):
        for topic in (SpanTopic.TOTALS_BY_HOUR, SpanTopic.PARTS_BY_HOUR):
            counted = _counted_hours(store, topic, source, service, since, until)
            if counted.totals:
                break
        if counted.intervals > best.intervals:
            best = counted
    return best.totals, from_epoch(sum(divmod(best.last, _WIDER))) if best.totals else None


def _counted_hours(
    store: Store, topic: SpanTopic, source: str, service: str, since: datetime, until: datetime
) -> _CountedHours:
    part, intervals = ("AND s.region = ''", "*") if topic is SpanTopic.TOTALS_BY_HOUR else ("", f"DISTINCT {_ENDS}")
    sql = (
        f"SELECT c.start / {HOUR_S} * {HOUR_S} AS hour, sum(c.total), count({intervals}), max({_ENDS})"
        f" FROM {OF_SERIES} WHERE s.source = ? AND {_OF_SPAN} {part} GROUP BY hour ORDER BY hour"
    )

    def read(begin: datetime, end: datetime) -> _CountedHours:
        rows = store.rows(sql, (source, service, epoch(begin), epoch(end)))
        totals = {from_epoch(row[0]): float(row[1]) for row in rows}
        return _CountedHours(totals, sum(row[2] for row in rows), rows[-1][3] if rows else 0)

    spans = [
        store.kept.of_span(topic, service, begin, end, partial(read, begin, end), source)
        for begin, end in _whole_spans(since, until)
    ]
    return _CountedHours(
        {hour: total for counted in spans for hour, total in counted.totals.items()},
        sum(counted.intervals for counted in spans),
        max((counted.last for counted in spans), default=0),
    )


def complaints_by_region(
    store: Store, service: str, since: datetime, until: datetime
) -> tuple[dict[str, dict[datetime, float]], datetime]:
    """Return a service's complaints by region and hour, and up to when they were counted.

    They are those of the source that tells most regions.
    """
    by_source: dict[str, dict[str, dict[datetime, float]]] = {}
    ends: dict[str, datetime] = {}
    for begin, end in _whole_spans(since, until):
        counted = store.kept.of_span(
            SpanTopic.COUNTS_BY_REGION, service, begin, end, partial(_regions_counted, store, service, begin, end)
        )
        for source, (regions, last) in counted.items():
            ends[source] = max(ends.get(source, since), last)
            known = by_source.setdefault(source, {})
            for region, hours in regions.items():
                known[region] = {**known[region], **hours} if region in known else hours
    most = max(sorted(by_source), key=lambda name: len(by_source[name]), default="")
    return by_source.get(most, {}), ends.get(most, since)


class _CountedRegions(NamedTuple):
    """A source's totals by region and hour, and the end of the last interval."""

    hours: dict[str, dict[datetime, float]]
    end: datetime


def _regions_counted(store: Store, service: str, since: datetime, until: datetime) -> dict[str, _CountedRegions]:
    """Return what each source that tells regions counted in a span."""
    totals_by_region: dict[str, dict[str, dict[datetime, float]]] = {}
    ends: dict[str, datetime] = {}
    for source in count_sources(store):
        rows = store.rows(
            f"SELECT s.region, c.start / {HOUR_S} * {HOUR_S} AS hour, sum(c.total), max(c.start), max(s.interval_s)"
            f" FROM {OF_SERIES} WHERE s.source = ? AND {_OF_SPAN} AND s.region > '' GROUP BY s.region, hour",
            (source, service, epoch(since), epoch(until)),
        )
        for region, hour, total, last, width in rows:
            ends[source] = max(ends.get(source, since), from_epoch(last + width))
            totals_by_region.setdefault(source, {}).setdefault(region, {})[from_epoch(hour)] = float(total)
    return {source: _CountedRegions(regions, ends[source]) for source, regions in totals_by_region.items()}
