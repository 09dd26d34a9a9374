"""Alarms of a service's totals as spans of time. A gap neither opens nor closes one; a long silence does. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import numpy as np
from msgspec import structs

from detectors.contract import Floats
from detectors.events import Event, find_events
from pipeline.core.series import Interval, Points, SeriesKey

Heard = Mapping[str, Sequence[tuple[datetime, datetime]]]
QUIET = timedelta(minutes=30)
ONSET_WITHIN = timedelta(hours=1)
LOST = timedelta(hours=6)  # a source unread for so long holds nothing open any more
LOST_BINS = 4  # and for so many bins: of wide ones, one is still running and the one before may not be published yet


def spans(
    service: str,
    alarms: Mapping[SeriesKey, Points],
    heard: Heard,
    now: datetime,
    alarm: float,
    zeros_until: Mapping[SeriesKey, datetime] | None = None,
) -> list[Interval]:
    """Return the spans in which the service's totals were above what was expected.

    `alarms` are the kept bins of each series, oldest first; a bin that was not kept was quiet, unless it lies outside
    what was read: after the last count of complaints, or outside a source's spans in `heard` (none: always read).
    Zeros are not kept: `zeros_until` says up to when the counts after the last kept bin of a series were zero.
    """
    found = []
    for key, points in sorted(alarms.items(), key=lambda pair: str(pair[0])):
        if key.service != service or not key.is_total or not points:
            continue
        begin = points[0].start
        size = int((now - begin).total_seconds()) // key.bin_s + 1
        observed, expected, score = np.zeros(size), np.full(size, np.nan), np.zeros(size)
        if key.channel != "complaints":
            _leave_out_unread(observed, begin, key.bin_s, heard.get(key.source, ()))
        last = 0
        for point in points:
            last = int((point.start - begin).total_seconds()) // key.bin_s
            observed[last], expected[last], score[last] = point.observed, point.expected, point.score
        if key.channel == "complaints":
            known = (zeros_until or {}).get(key, begin)
            observed[max(last + 1, int((known - begin).total_seconds()) // key.bin_s) :] = np.nan
        _give_up(observed, max(LOST_BINS, int(LOST.total_seconds()) // key.bin_s))
        _carry(expected)
        events = find_events(
            observed,
            expected,
            score,
            alarm=alarm,
            quiet_bins=max(2, int(QUIET.total_seconds()) // key.bin_s),
            look_back=int(ONSET_WITHIN.total_seconds()) // key.bin_s,
        )
        joint = [point for point in points if point.joint]
        for event in events:
            interval = interval_of(event, key, begin, observed, expected)
            highest = any(p.score >= event.score and interval.onset <= p.start < interval.last_alarm for p in joint)
            found.append(structs.replace(interval, joint=True) if highest else interval)
    return found


def _leave_out_unread(observed: Floats, begin: datetime, width: int, read: Sequence[tuple[datetime, datetime]]) -> None:
    """Make NaN the bins that no span of reading holds whole."""
    if not read:
        return
    inside = np.zeros(len(observed), dtype=bool)
    for since, until in read:
        first = -int((begin - since).total_seconds() // width)  # rounded up
        inside[max(0, first) : max(0, int((until - begin).total_seconds() // width))] = True
    observed[~inside] = np.nan


def _give_up(observed: Floats, longest: int) -> None:
    """Make gaps of so many bins and more quiet: what was open before them is over."""
    gap = np.isnan(observed)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], gap, [False]]).astype(np.int8)))
    for first, end in zip(edges[::2], edges[1::2], strict=True):
        if end - first >= longest:
            observed[first:end] = 0.0


def _carry(expected: Floats) -> None:
    """Fill bins whose expectation was not kept with the one before (the one after, at the beginning)."""
    known = np.flatnonzero(~np.isnan(expected))
    if len(known):
        place = np.maximum.accumulate(np.where(~np.isnan(expected), np.arange(len(expected)), 0))
        expected[:] = expected[place]
        expected[: known[0]] = expected[known[0]]


def interval_of(event: Event, key: SeriesKey, begin: datetime, observed: Floats, expected: Floats) -> Interval:
    """Return an event of a series whose first bin starts at `begin` as a span of time."""

    def moment(slot: int) -> datetime:
        return begin + timedelta(seconds=slot * key.bin_s)

    return Interval(
        series=key,
        onset=moment(event.onset),
        alarmed_at=moment(event.alarmed + 1),
        peak=moment(event.peak),
        end=None if event.quiet is None else moment(event.quiet),
        last_alarm=moment(event.last + 1),
        score=round(event.score, 1),
        observed_peak=float(observed[event.peak]),
        expected_peak=float(expected[event.peak]),
        expected_total=round(float(np.nansum(expected[event.onset : event.last + 1])), 1),
    )
