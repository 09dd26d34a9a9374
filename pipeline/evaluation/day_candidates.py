"""First looks at what stood out on replayed days, whether it reached the alarm or not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from pipeline.core.series import Points, SeriesKey
from pipeline.core.vocabulary import Channel
from pipeline.detection.alarm_intervals import spans
from pipeline.incidents.confidence import ALARM, Signals, signals
from pipeline.replay.truth import Truth
from pipeline.store import Store
from pipeline.store.reports import reports
from pipeline.store.runs import heard
from pipeline.store.verdicts import verdicts

CANDIDATE = ALARM / 3
RUN = timedelta(minutes=5)
APART = timedelta(hours=3)  # what stands out again so soon is the same candidate
BEFORE_ONSET = timedelta(minutes=5)
LOOK_BACK = timedelta(hours=6)
SOON = timedelta(minutes=30)  # a candidate so long before a true onset is of it


class DayLook(NamedTuple):
    """What the first look at a candidate rests on, when it was, of which service, and whether something was broken."""

    signals: Signals
    at: datetime
    service: str
    real: bool


def day_looks(store: Store, truth: Truth, services: Sequence[str], since: datetime, until: datetime) -> list[DayLook]:
    """Return the first look at each candidate of a replayed span, by service and time.

    A candidate begins with a bin of a total that scores a third of an alarm, three hours after the last one. What has
    its end in the truth, but no onset near, is left out: it is the rest of an outage.
    """
    return [look for service in services for look in _of_service(store, truth, service, since, until)]


def _of_service(store: Store, truth: Truth, service: str, since: datetime, until: datetime) -> Iterator[DayLook]:
    levels = {
        key: points
        for key, points in verdicts(store, since - LOOK_BACK, until, service=service).items()
        if key.is_total
    }
    outages = [o for o in truth.outages if o.service == service]
    last: datetime | None = None
    for seen in _times(levels):
        is_new = last is None or seen - last > APART
        last = seen
        if not is_new or seen < since:
            continue
        near = [o for o in outages if o.onset - SOON <= seen <= o.end + APART]
        if any(seen - o.onset > APART for o in near):
            continue
        moment = _run_after(seen)
        rests = _rests(store, service, levels, moment)
        if rests is not None:
            yield DayLook(rests, moment, service, bool(near))


def _times(levels: Mapping[SeriesKey, Points]) -> list[datetime]:
    """Return when each bin that stands out was over, oldest first."""
    loud = ((key, p) for key, points in levels.items() for p in points if p.score >= CANDIDATE)
    return sorted(p.start + timedelta(seconds=key.bin_s) for key, p in loud)


def _run_after(moment: datetime) -> datetime:
    begin = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return begin + -(-(moment - begin) // RUN) * RUN


def _rests(store: Store, service: str, levels: Mapping[SeriesKey, Points], moment: datetime) -> Signals | None:
    known = {
        key: [p for p in points if moment - LOOK_BACK <= p.start <= moment - timedelta(seconds=key.bin_s)]
        for key, points in levels.items()
    }
    read = {key.source: heard(store, key.source) for key in known if key.channel == Channel.VOTES}
    intervals = [i for i in spans(service, known, read, moment, CANDIDATE) if i.end is None]
    if not intervals:
        return None
    onset = min(i.onset for i in intervals)
    mine = reports(store, service, onset - BEFORE_ONSET, moment)
    counted = [r for r in mine if r.counted]
    blamed = {part for r in counted for part in r.components}
    dropped = [r for r in mine if not r.counted and r.reason.doubts_origin]
    posted = len(counted) + len(dropped)
    return signals(
        intervals,
        [],
        voters=len(counted),
        works=sum(len(blamed & set(r.working_components)) for r in mine),
        fails=sum(len(r.components) for r in counted),
        doubtful=len(dropped) / posted if posted >= 4 else 0.0,
        outlets=0,
        minutes=(moment - onset) / timedelta(minutes=1),
    )
