"""Outages like this one, and how long they lasted: nearest neighbours over our own history and public records. Pure."""

from __future__ import annotations

import math
import statistics
from bisect import insort
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from pipeline.core.catalogue import Service
from pipeline.core.incidents import OURS, Evidence, Incident, PastOutage
from pipeline.core.row_refs import RowRef
from pipeline.core.times import minutes_between
from pipeline.core.vocabulary import ComponentStatus, EvidenceKind, Impact, RowTable
from pipeline.incidents.episodes import UPDATE, ProviderIncident

NEAREST = 5
UNKNOWN = 0.5
# what people call a part of any provider that has a role
_NAMES = {
    "api": "API",
    "code": "coding tool",
    "desktop": "desktop app",
    "mobile": "mobile app",
    "other": "other parts",
    "web": "website",
}
STEPS = ("investigating", "identified", "monitoring", "resolved")


def of_incident(
    incident: Incident, service: Service, now: datetime, provider_incidents: Sequence[ProviderIncident] = ()
) -> PastOutage:
    """Return an incident of ours in the form it is compared in; while it lasts, its minutes are those so far.

    The page's steps are those of the `provider_incidents` that the incident's evidence names.
    """
    role = {part.id: part.role for part in service.components}
    hit = {role.get(c.component, "other") for c in incident.components if c.status is ComponentStatus.AFFECTED}
    named = {e.subject for e in incident.evidence if e.kind == EvidenceKind.OFFICIAL}
    updates = [u for p in provider_incidents if p.id in named for u in p.updates]
    steps: dict[str, float] = {}
    for update in sorted((u for u in updates if u.status != UPDATE), key=lambda u: u.displayed_at):
        steps.setdefault(update.status, minutes_between(incident.onset, update.displayed_at))
    return PastOutage(
        id=incident.id,
        provider=service.vendor or service.name,
        service=service.id,
        began=incident.onset,
        minutes=((incident.end or now) - incident.onset) / timedelta(minutes=1),
        impact=incident.impact,
        roles=frozenset(hit),
        symptom=incident.symptom,
        steps=tuple(steps.items()),
        source=OURS,
    )


def distance(a: PastOutage, b: PastOutage, *, lasting: bool) -> float:
    """Return how unlike two outages are, 0 to 1: parts (Jaccard), symptom, impact, duration (log), the page's steps.

    Parts or a symptom that either does not tell count as half alike. While the first lasts, only an outage that was
    shorter than it is already counts as unlike in duration.
    """
    return _distance(_unlike_in_kind(_traits(a), b), a.minutes, b.minutes, lasting=lasting)


class _Traits(NamedTuple):
    """All of an outage that it is compared by but how long it lasted."""

    roles: frozenset[str]
    symptom: str
    impact: Impact
    steps: tuple[tuple[str, float], ...]


class _UnlikeInKind(NamedTuple):
    """How unlike two outages are in parts, symptom and impact, as weighed, and in the page's steps, None: not known."""

    parts: float
    steps: float | None


def _traits(outage: PastOutage) -> _Traits:
    return _Traits(outage.roles, outage.symptom, outage.impact, outage.steps)


def _unlike_in_kind(a: _Traits, b: PastOutage) -> _UnlikeInKind:
    roles = 1 - len(a.roles & b.roles) / len(a.roles | b.roles) if a.roles and b.roles else UNKNOWN
    symptom = float(a.symptom != b.symptom) if a.symptom and b.symptom else UNKNOWN
    parts = 0.35 * roles + 0.25 * symptom + 0.1 * (abs(a.impact.rank - b.impact.rank) / 4)
    mine, theirs = dict(a.steps), dict(b.steps)
    both = [s for s in STEPS if s in mine and s in theirs]
    off = [min(1.0, abs(math.log2((abs(mine[s]) + 5) / (abs(theirs[s]) + 5))) / 4) for s in both]
    return _UnlikeInKind(parts, sum(off) / len(off) if off else None)


def _distance(kind: _UnlikeInKind, mine: float, theirs: float, *, lasting: bool) -> float:
    """Return how unlike two outages of so many minutes are."""
    longer = math.log2(max(1.0, mine) / max(1.0, theirs))
    return _weighed(kind, min(1.0, max(0.0, longer) / 4 if lasting else abs(longer) / 4))


def _weighed(kind: _UnlikeInKind, duration: float) -> float:
    """Return how unlike two outages are, of durations that are unlike by 0 to 1."""
    unlike, weight = kind.parts + 0.15 * duration, 0.35 + 0.25 + 0.1 + 0.15
    if kind.steps is not None:
        unlike, weight = unlike + 0.15 * kind.steps, weight + 0.15
    return unlike / weight


class _Neighbour(NamedTuple):
    outage: PastOutage
    distance: float


class _Compared(NamedTuple):
    """How unlike an outage is in kind, and how unlike it is at least, however long it lasted."""

    least: float
    kind: _UnlikeInKind
    outage: PastOutage


def _order(neighbour: _Neighbour) -> tuple[float, float, str]:
    """Return what puts the nearest first; of equals the latest."""
    return neighbour.distance, -neighbour.outage.began.timestamp(), neighbour.outage.id


class EarlierOutages:
    """The outages that were over before an incident began, which it is compared with whenever it is explained."""

    def __init__(self, incident: Incident, known: Iterable[PastOutage]) -> None:
        """Take of the known outages those that were over."""
        self._outages = [
            k
            for k in known
            if k.id != incident.id and k.began + timedelta(minutes=k.minutes) <= incident.onset and k.minutes > 0
        ]
        self._compared: dict[_Traits, list[_Compared]] = {}  # by what the incident is compared by, the nearest first

    def nearest(self, mine: PastOutage, *, lasting: bool) -> list[_Neighbour]:
        """Return the outages that are most like an incident, the nearest first; of equals the latest."""
        near: list[_Neighbour] = []
        for least, kind, outage in self._compared_in_kind(_traits(mine)):
            if len(near) == NEAREST and least > near[-1].distance:
                break
            unlike = _distance(kind, mine.minutes, outage.minutes, lasting=lasting)
            insort(near, _Neighbour(outage, unlike), key=_order)
            del near[NEAREST:]
        return near

    def _compared_in_kind(self, traits: _Traits) -> list[_Compared]:
        """Return the outages in the order of how unlike they are at least."""
        if traits not in self._compared:
            kinds = [_unlike_in_kind(traits, outage) for outage in self._outages]
            compared = [_Compared(_weighed(kind, 0.0), kind, k) for kind, k in zip(kinds, self._outages, strict=True)]
            self._compared[traits] = sorted(compared, key=lambda one: one.least)
        return self._compared[traits]


def comparable(
    incident: Incident,
    service: Service,
    earlier: EarlierOutages,
    now: datetime,
    provider_incidents: Sequence[ProviderIncident] = (),
) -> Iterator[Evidence]:
    """Yield the nearest outages that were over before this one began, and how long such outages lasted."""
    mine = of_incident(incident, service, now, provider_incidents)
    near = earlier.nearest(mine, lasting=incident.active)
    for k, unlike in near:
        alike = 1 - unlike
        what = ", ".join(_NAMES.get(role, role) for role in sorted(k.roles)) or "parts not known"
        symptom = "" if k.symptom == "all" else k.symptom.replace("_", " ")
        yield Evidence(
            kind=EvidenceKind.COMPARABLE,
            at=incident.onset,
            subject=k.id,
            value=round(k.minutes),
            compared_with=round(alike, 2),
            rows=(_row(k),),
            statement=f"{k.provider}, {k.began:%-d %B %Y}: {what}{f'; {symptom}' if symptom else ''}; "
            f"impact {k.impact},"
            f" lasted {_length(k.minutes)} ({alike:.0%} similar; {k.source})",
        )
    if len(near) >= 3:
        lengths = sorted(k.minutes for k, _ in near)
        median = statistics.median(lengths)
        yield Evidence(
            kind=EvidenceKind.OUTLOOK,
            at=incident.onset,
            subject="duration",
            value=round(median),
            compared_with=round(lengths[-1]),
            rows=tuple(_row(k) for k, _ in near),
            statement=f"the {len(near)} most similar incidents lasted {_length(lengths[0])} to {_length(lengths[-1])},"
            f" median {_length(median)}",
        )


def _row(known: PastOutage) -> RowRef:
    return RowRef(RowTable.INCIDENTS if known.source == OURS else RowTable.PUBLIC_OUTAGES, known.id)


def _length(minutes: float) -> str:
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.1f} h"
