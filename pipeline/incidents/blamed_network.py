"""Whether a network is reported only by those who cannot use another service. Pure.

Customers blame their network: on 4 October 2021 Verizon, T-Mobile and AT&T were reported by some hundreds while
Facebook was by a hundred thousand. What is compared are excesses over the usual of one channel, in the same span.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from pipeline.core.incidents import Incident
from pipeline.core.series import SeriesKey, VerdictPoint
from pipeline.core.vocabulary import Channel, EvidenceKind
from pipeline.incidents.holds import FAR_ABOVE_USUAL, FAR_MORE, STAYED, SUSTAINED_MIN, HoldReason
from pipeline.incidents.phases import Levels

BLOCK = timedelta(minutes=SUSTAINED_MIN)  # the excess of a span this long is compared with that of another
LATEST = timedelta(hours=1)  # what came after the other's end is judged by so much of it at most


def blamed(incident: Incident, other: Incident, levels: Levels) -> HoldReason | None:
    """Return why a network's reports are explained by another service's failure; None where they are not.

    `levels` are the bins above the alarm of both services' totals, since the network's onset at the latest. Complaints
    are compared with complaints, else posts with posts, in the span in which both are counted above the usual. It is
    explained where the other's are FAR_MORE times as many. Where complaints count the other and only posts report the
    network, it is where fewer post about it than about the other, or nobody posts about that one. Complaints of a
    network are not explained by posts about another service.

    Two ways out do not depend on the other: a notice of the provider, and complaints (not posts: these repeat what
    others write) that stay at FAR_ABOVE_USUAL times the usual. The carriers of 2021 had 16 times the usual in the
    replay of the largest failure there was, so that a hundred times is far beyond what blame brings; below one
    expected complaint a bin counts as one expected.

    Once the other is over only what comes after its end counts: the network was failing itself where its excess did
    not fall below STAYED of the highest before. What fell stays held until it ends.
    """
    kinds = {e.kind for e in incident.evidence}
    if EvidenceKind.OFFICIAL in kinds or _is_far_above_usual(incident, levels):
        return None
    counted = {e.kind for e in other.evidence}
    if EvidenceKind.COMPLAINTS in kinds:
        channel, reason, times = Channel.COMPLAINTS, HoldReason.OUTNUMBERED, FAR_MORE
    elif EvidenceKind.COMPLAINTS in counted:
        channel, reason, times = Channel.VOTES, HoldReason.POSTS_ALONE, 1.0
    else:
        channel, reason, times = Channel.VOTES, HoldReason.OUTNUMBERED, FAR_MORE
    if EvidenceKind(channel) in counted:
        if not _is_outnumbered(incident, other, channel, levels, times):
            return None
    elif reason is not HoldReason.POSTS_ALONE:
        return None
    if other.end is None or other.active:
        return reason
    return None if _stayed(incident, channel, levels, other.end) else HoldReason.SUBSIDED


def _bins(service: str, channel: Channel, levels: Levels) -> Iterator[tuple[SeriesKey, VerdictPoint]]:
    """Yield the bins of a service's totals of one channel."""
    for key, points in levels.items():
        if key.service == service and key.channel == channel and key.is_total:
            yield from ((key, point) for point in points)


def _last_counted(service: str, channel: Channel, levels: Levels) -> datetime | None:
    ends = (point.start + timedelta(seconds=key.bin_s) for key, point in _bins(service, channel, levels))
    return max(ends, default=None)


def _excess(service: str, channel: Channel, levels: Levels, since: datetime, until: datetime) -> float:
    """Return how many more than expected were counted in a span; of a bin that lies partly in it, that part."""
    total = 0.0
    for key, point in _bins(service, channel, levels):
        width = timedelta(seconds=key.bin_s)
        inside = min(until, point.start + width) - max(since, point.start)
        if inside > timedelta(0) and point.observed > point.expected:  # false where nothing is expected yet (NaN)
            total += (point.observed - point.expected) * (inside / width)
    return total


def _is_outnumbered(incident: Incident, other: Incident, channel: Channel, levels: Levels, times: float) -> bool:
    """Return whether the other's excess is so many times the network's, from its onset while both are above.

    Where the newest bin of the other one ends before that onset, the last BLOCK of each is compared.
    """
    last = _last_counted(incident.service, channel, levels)
    others_last = _last_counted(other.service, channel, levels)
    if last is None or others_last is None:
        return False
    crowds = [e.crowd_until for e in other.episodes if e.by_crowd]
    others_end = max((end for end in crowds if end is not None), default=last) if None not in crowds else last
    since, until = incident.onset, min(last, others_last, others_end)
    if since < until:
        mine = _excess(incident.service, channel, levels, since, until)
        theirs = _excess(other.service, channel, levels, since, until)
    else:
        mine = _excess(incident.service, channel, levels, last - BLOCK, last)
        theirs = _excess(other.service, channel, levels, others_last - BLOCK, others_last)
    return theirs >= times * mine


def _is_far_above_usual(incident: Incident, levels: Levels) -> bool:
    """Return whether one counter's complaints were at FAR_ABOVE_USUAL times the usual for SUSTAINED_MIN in all."""
    lasted: dict[SeriesKey, timedelta] = {}
    for key, point in _bins(incident.service, Channel.COMPLAINTS, levels):
        if point.start >= incident.onset and point.observed >= FAR_ABOVE_USUAL * max(1.0, point.expected):
            lasted[key] = lasted.get(key, timedelta(0)) + timedelta(seconds=key.bin_s)
    return max(lasted.values(), default=timedelta(0)) >= BLOCK


def _stayed(incident: Incident, channel: Channel, levels: Levels, end: datetime) -> bool:
    """Return whether a network's excess after another's end, in the LATEST hour, is STAYED of its highest before."""
    last = _last_counted(incident.service, channel, levels)
    if last is None or last - end < BLOCK:
        return False
    since = max(end, last - LATEST)
    after = _excess(incident.service, channel, levels, since, last) * (BLOCK / (last - since))
    blocks = int((end - incident.onset) / BLOCK) + 1
    highest = max(
        _excess(incident.service, channel, levels, end - (n + 1) * BLOCK, end - n * BLOCK) for n in range(blocks)
    )
    return after >= STAYED * highest > 0
