"""Whether counts alone report a service that is new to the detector, while posts about it are read and report nothing.

In its first week a series has days that were not seen yet: the first workday of an office after a weekend, the first
weekend of a game. Counts that rise then may be usual ones. Where people post about the service, an outage makes some of
them report it: until one does, such counts are not sent, unless they stay high for longer than a usual rise. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from pipeline.core.incidents import Incident
from pipeline.core.reports import Report
from pipeline.core.series import Points, SeriesKey
from pipeline.core.vocabulary import Channel, EvidenceKind
from pipeline.incidents.attention import BEFORE_ONSET, signal_kinds
from pipeline.incidents.confidence import FAR_ABOVE
from pipeline.store.service_history import FRESH, ServiceHistory

DAY, WEEK = timedelta(days=1), timedelta(days=7)
LONGEST_USUAL_ALARM = timedelta(
    hours=8
)  # the longest alarm of a first workday or weekend lasted 4 h 15 min in the replays
LEAST_MENTIONS = 20  # posts about the service in the week before: of fewer no report is to be expected

IN_WORDS = (
    "only its complaints rise, which have been counted for less than a week, and none of the posts about it that are"
    " read reports it: held until one does, its provider or the press report it, or complaints are far above the usual"
    f" or in alarm for {LONGEST_USUAL_ALARM // timedelta(hours=1)} hours"
)


def counts_are_unreported(
    incident: Incident,
    reports: Sequence[Report],
    levels: Mapping[SeriesKey, Points],
    history: ServiceHistory,
    now: datetime,
    alarm: float,
) -> bool:
    """Return whether counts alone report an incident of a service in its first week, while posts are silent.

    Not on the first day: then no hour is known, and counts are judged by the hours before. `reports` are those about
    the service, `levels` the judged bins of its totals since the onset: a score of FAR_ABOVE is
    no usual rise, nor is that of an `alarm` for LONGEST_USUAL_ALARM in all.
    """
    since, mentions, read_until = history
    if since is None or not DAY <= incident.onset - since < WEEK:
        return False
    if mentions < LEAST_MENTIONS or read_until is None or now - read_until > FRESH:
        return False
    if signal_kinds(incident) != {EvidenceKind.COMPLAINTS}:
        return False
    if any(report.counted and report.created >= incident.onset - BEFORE_ONSET for report in reports):
        return False
    counts = [(key, points) for key, points in levels.items() if key.channel == Channel.COMPLAINTS]
    if any(point.score >= FAR_ABOVE for _, points in counts for point in points):
        return False
    in_alarm = [sum(point.score >= alarm for point in points) * key.bin_s for key, points in counts if key.is_total]
    return timedelta(seconds=max(in_alarm, default=0)) < LONGEST_USUAL_ALARM
