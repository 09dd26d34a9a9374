"""The evidence of an incident in words: its signals, and the intervals between the updates of the page. Pure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from pipeline.core.incidents import Evidence
from pipeline.core.reports import Report
from pipeline.core.row_refs import RowRef
from pipeline.core.series import Interval
from pipeline.core.times import clock_and_day
from pipeline.core.vocabulary import EvidenceKind, RowTable
from pipeline.incidents import scope
from pipeline.incidents.episodes import (
    ProviderIncident,
    update_ref,
)


def doubtful_share(within: Sequence[Report]) -> float:
    """Return the share of reports left uncounted for their author or their wording; 0 where there are few."""
    dropped = [r for r in within if not r.counted and r.reason.doubts_origin]
    spoke = dropped + [r for r in within if r.counted]
    return len(dropped) / len(spoke) if len(spoke) >= 4 else 0.0


def signals_in_words(
    intervals: Sequence[Interval], provider_incidents: Sequence[ProviderIncident], votes: Sequence[Report]
) -> Iterator[Evidence]:
    """Yield the statements an incident rests on, each with the rows behind it."""
    for i in sorted(intervals, key=lambda i: (i.onset, str(i.series))):
        mine = [r for r in votes if r.source == i.series.source and i.onset <= r.created <= (i.end or i.last_alarm)]
        if i.series.channel == "votes":
            usual = None if math.isnan(i.expected_total) else i.expected_total
            words = "" if usual is None else f", {usual:.1f} expected"
            yield Evidence(
                kind=EvidenceKind.VOTES,
                at=i.onset,
                subject=i.series.source,
                value=len(mine),
                compared_with=usual,
                rows=scope.cite(mine),
                statement=f"{len(mine)} {'person' if len(mine) == 1 else 'people'} reported trouble on"
                f" {i.series.source} from {clock_and_day(i.onset)}{words} "
                f"(score {i.score:.0f}{' together with complaints' if i.joint else ''})",
            )
        else:
            yield Evidence(
                kind=EvidenceKind.COMPLAINTS,
                at=i.onset,
                subject=i.series.source,
                value=i.observed_peak,
                compared_with=round(i.expected_peak, 1),
                rows=(RowRef(RowTable.VERDICTS, str(i.series), i.peak),),
                statement=f"{i.observed_peak:g} complaints in {i.series.bin_s // 60} min at {clock_and_day(i.peak)},"
                f" {i.expected_peak:.1f} expected (score {i.score:.0f}{' together with posts' if i.joint else ''})",
            )
    for provider_incident in provider_incidents:
        for u in provider_incident.updates:
            yield Evidence(
                kind=EvidenceKind.OFFICIAL,
                at=u.displayed_at,
                statement=f"the provider: {u.status}: {provider_incident.name}",
                subject=provider_incident.id,
                rows=(update_ref(u),),
            )


def page_in_words(provider_incidents: Sequence[ProviderIncident], onset: datetime) -> Iterator[Evidence]:
    """Yield the delay of the provider's first notice, the number of updates, and the longest interval between two."""
    if not provider_incidents:
        return
    first = min(provider_incidents, key=lambda o: o.first_posted_at)
    lead = (first.first_posted_at - onset) / timedelta(minutes=1)
    yield Evidence(
        kind=EvidenceKind.PAGE,
        at=first.first_posted_at,
        subject="first notice",
        value=round(lead, 1),
        rows=(update_ref(first.updates[0]),),
        statement=f"the provider's first notice came {abs(lead):.0f} min {'after' if lead >= 0 else 'before'} "
        "the onset",
    )
    # an interval counts while a notice stands, from when its text was written
    updates = [u for o in provider_incidents for u in o.updates]
    gaps = [
        (abs(b.written - a.written), a)
        for o in provider_incidents
        for a, b in pairwise(o.updates)
        if o.resolved is None or b.displayed_at <= o.resolved
    ]
    if not any(gap for gap, _ in gaps):
        return
    longest, before = max(gaps, key=lambda pair: pair[0])
    middle = statistics.median_high(gap for gap, _ in gaps)
    yield Evidence(
        kind=EvidenceKind.PAGE,
        at=before.written,
        subject="silence",
        value=round(longest / timedelta(minutes=1), 1),
        compared_with=round(middle / timedelta(minutes=1), 1),
        rows=tuple(update_ref(u) for u in updates[: scope.CITED]),
        statement=f"{len(updates)} provider updates, median interval {middle / timedelta(minutes=1):.0f} min,"
        f" longest {longest / timedelta(minutes=1):.0f} min from {clock_and_day(before.written)}",
    )
