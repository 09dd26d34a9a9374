"""Whether complaints are counted as usual while posts alone report a service. Pure.

A final, a rise of prices or a joke ("is X down?") makes people write what reads like reports. Who counts complaints
counts far more people than write posts: where the counter is read, has enough to count and sees no rise, posts alone
are not sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from pipeline.core.incidents import Incident
from pipeline.core.series import Points, SeriesKey
from pipeline.core.vocabulary import Channel, EvidenceKind
from pipeline.incidents.attention import signal_kinds

LEAST_EXPECTED = 5.0  # complaints of an interval: fewer do not show that there is no rise
SHARE_OF_ALARM = 0.5  # of the score of an alarm, from which counts rise
RISEN = 2.0  # times the expected count, in RISEN_IN_A_ROW intervals: a rise, whatever the spread of usual days allows
RISEN_IN_A_ROW = 2
FRESH = timedelta(minutes=30)  # a counter that has been silent for so much longer than its interval says nothing

IN_WORDS = (
    "only posts report it while its complaints are counted and usual: held until these rise, or its provider or the"
    " press report it"
)


def counts_are_usual(incident: Incident, judged: Mapping[SeriesKey, Points], now: datetime, alarm: float) -> bool:
    """Return whether posts alone report an incident while complaints about the service are counted and do not rise.

    `judged` are the judged bins of the service since the onset, of all its series; `alarm` is the score of an alarm.
    Counts say so where an interval that began after the onset is judged, has LEAST_EXPECTED expected and not zero
    counted (such a counter is dead), and the newest is fresh; no series of complaints, a region's
    included, may have SHARE_OF_ALARM of an alarm, or RISEN times the expected in its newest RISEN_IN_A_ROW intervals.
    """
    if signal_kinds(incident) != {EvidenceKind.VOTES}:
        return False
    usual = False
    for key, points in judged.items():
        if key.channel != Channel.COMPLAINTS:
            continue
        since = [point for point in points if point.start >= incident.onset]
        if any(point.score >= SHARE_OF_ALARM * alarm for point in since):
            return False
        width = timedelta(seconds=key.bin_s)
        is_fresh = bool(since) and now - (since[-1].start + width) <= width + FRESH
        if is_fresh and _has_risen(since[-RISEN_IN_A_ROW:], width):
            return False
        usual |= key.is_total and is_fresh and since[-1].observed > 0 and since[-1].expected >= LEAST_EXPECTED
    return usual


def _has_risen(newest: Points, width: timedelta) -> bool:
    """Return whether RISEN_IN_A_ROW intervals that follow one another have RISEN times what is expected."""
    if len(newest) < RISEN_IN_A_ROW or newest[-1].start - newest[0].start != width * (RISEN_IN_A_ROW - 1):
        return False
    return all(point.observed >= RISEN * max(point.expected, LEAST_EXPECTED) for point in newest)
