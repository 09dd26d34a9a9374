"""Rivals while a service is out: who gained, who had trouble too, who is fine. Pure.

What a rival's own days before make usual at that time of day, against what came during the incident. Who has trouble of
its own is told apart: talk about a rival that fails too is no displacement.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from pipeline.core.catalogue import Catalogue
from pipeline.core.incidents import Evidence, Incident
from pipeline.core.row_refs import RowRef
from pipeline.core.vocabulary import EvidenceKind, RowTable

DAYS = 7
CERTAIN = 3.0  # standard deviations
LEAST = 3  # days of history
FRESH = timedelta(hours=1)  # what was last seen before that says nothing of now


@dataclass(frozen=True, slots=True, kw_only=True)
class CompetitorActivity:
    """What is stored about a rival: posts about it by hour (start, posts), its chart ranks (at, rank), its incidents.

    `counted_to` and `heard_to` are up to when complaints were counted and posts were read; None = not known.
    """

    service: str
    hours: Mapping[datetime, int]
    ranks: Sequence[tuple[datetime, int]]
    incidents: Sequence[Incident]
    complaints: Mapping[datetime, float]
    counted_to: datetime | None = None
    heard_to: datetime | None = None


class Activity(NamedTuple):
    """What came in a span, what is usual then, and the standard deviation of that."""

    observed: float
    usual: float
    deviation: float

    @property
    def stands_out(self) -> bool:
        """Return whether it is more than usual, beyond chance."""
        return (self.observed - self.usual) / self.deviation >= CERTAIN


@lru_cache(maxsize=256)  # an incident is compared with the same hours again and again, for each rival and region
def _same_hours(begin: datetime, length: int) -> tuple[tuple[datetime, ...], ...]:
    """Return the hours of a stretch, and after them those of the same stretch 1 to DAYS days before."""
    return tuple(
        tuple(begin + timedelta(hours=n) - timedelta(days=days) for n in range(length)) for days in range(DAYS + 1)
    )


def expected(
    hours: Mapping[datetime, float], since: datetime, until: datetime, *, counted: bool = False
) -> Activity | None:
    """Return what came in [since, until), what the same hours of days before make usual, and its standard deviation.

    An hour without posts had none; in counts (`counted`) an absent hour is a gap: it is left out, and so is a day that
    lacks an hour. Of the last hour that is not over, days before count in part. None with fewer than three earlier
    days. The deviation is the larger of the days' own and Poisson's.
    """
    begin = since.replace(minute=0, second=0)
    length = max(1, math.ceil((until - begin) / timedelta(hours=1)))
    same_hours = _same_hours(begin, length)
    places = [n for n, hour in enumerate(same_hours[0]) if hour in hours or not counted]
    if not places:
        return None
    wanted = [same_hours[0][n] for n in places]
    known = min(hours, default=until)
    part = min(1.0, (until - wanted[-1]) / timedelta(hours=1))
    sums = []
    for day in same_hours[1:]:
        if day[0] < known or (counted and not all(day[n] in hours for n in places)):
            continue
        came = [hours.get(day[n], 0) for n in places]
        sums.append(sum(came[:-1]) + came[-1] * part)
    if len(sums) < LEAST:
        return None
    mean = sum(sums) / len(sums)
    spread = math.sqrt(sum((s - mean) ** 2 for s in sums) / (len(sums) - 1))
    seen = float(sum(hours.get(h, 0) for h in wanted))
    return Activity(seen, mean, max(spread, math.sqrt(max(mean, 1.0))))


def competitor_evidence(
    incident: Incident, rivals: Sequence[CompetitorActivity], catalogue: Catalogue, now: datetime
) -> Iterator[Evidence]:
    """Yield for each rival with data what it gained or lost, and which rivals show no trouble now."""
    until = min(incident.end or now, now)
    fine = []
    for rival in rivals:
        name = catalogue[rival.service].name
        own = [i for i in rival.incidents if i.onset <= until and (i.end is None or i.end >= incident.onset)]
        history = incident.onset - timedelta(days=DAYS)
        heard_to = min(until, rival.heard_to or until)
        talk = expected(rival.hours, incident.onset, heard_to) if heard_to > incident.onset else None
        if talk is not None:
            verdict = (
                ("trouble of its own at the time" if own else "gained talk")
                if talk.stands_out
                else "no gain that stands out"
            )
            yield Evidence(
                kind=EvidenceKind.RIVAL,
                at=incident.onset,
                subject=rival.service,
                value=talk.observed,
                compared_with=round(talk.usual, 1),
                rows=(RowRef(RowTable.POST_TAGS, rival.service, history, until),),
                statement=f"{name}: {talk.observed:.0f} posts, {talk.usual:.0f} usual at these hours "
                f"(± {talk.deviation:.0f}): {verdict}",
            )
        complaints = expected(rival.complaints, incident.onset, rival.counted_to or until, counted=True)
        if complaints is not None:
            yield Evidence(
                kind=EvidenceKind.RIVAL,
                at=incident.onset,
                subject=rival.service,
                value=round(complaints.observed),
                compared_with=round(complaints.usual, 1),
                rows=(RowRef(RowTable.COMPLAINT_COUNTS, rival.service, history, until),),
                statement=f"{name}: {complaints.observed:.0f} complaints, {complaints.usual:.0f} usual "
                f"(± {complaints.deviation:.0f}): "
                f"{'more than usual' if complaints.stands_out else 'as usual'}",
            )
        before = [rank for at, rank in rival.ranks if at <= incident.onset]
        during = [(at, rank) for at, rank in rival.ranks if incident.onset < at <= until + timedelta(hours=24)]
        if before and during:
            best = min(rank for _, rank in during)
            yield Evidence(
                kind=EvidenceKind.RIVAL,
                at=incident.onset,
                subject=rival.service,
                value=best,
                compared_with=before[-1],
                rows=(RowRef(RowTable.CHART_RANKS, rival.service, incident.onset, during[-1][0]),),
                statement=f"{name}: best place {best} in the app chart within a day, {before[-1]} before",
            )
        fresh = any(at is not None and until - at <= FRESH for at in (rival.counted_to, rival.heard_to))
        if (
            (talk is not None or complaints is not None)
            and fresh
            and not any(i.active for i in own)
            and incident.active
        ):
            fine.append(rival.service)
    if fine:
        told = ", ".join(catalogue[s].name for s in fine)
        yield Evidence(
            kind=EvidenceKind.FALLBACK,
            at=incident.onset,
            subject=" ".join(fine),
            value=len(fine),
            rows=(RowRef(RowTable.INCIDENTS, incident.id),),
            statement=f"no trouble is seen now at {told}",
        )
