"""Who said what, beside what was measured. Pure.

Claims of articles and of the page, with the disagreement in minutes and words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from msgspec import structs

from pipeline.core.catalogue import Service
from pipeline.core.incidents import Evidence, Incident
from pipeline.core.news_events import Claim
from pipeline.core.row_refs import RowRef
from pipeline.core.series import CountedInterval
from pipeline.core.times import minutes_between
from pipeline.core.vocabulary import ClaimKind, ComponentStatus, EvidenceKind, SaidBy
from pipeline.incidents.episodes import ProviderIncident, update_ref
from pipeline.text.claims import claims

AGREES = 20.0  # minutes: a claim this near is right
FAR = 600.0  # a claim this far off is about something else


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcedClaim:
    """A claim with where it stands: `row` the stored claim, `where` the outlet."""

    claim: Claim
    where: str
    published: datetime
    row: RowRef


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplaintBins:
    """A service's complaints in the incident's days, oldest first, and their rows."""

    bins: Sequence[CountedInterval]
    row: RowRef


class _Difference(NamedTuple):
    """How a claim differs: in words, the number claimed, and what was measured (None where it holds no number)."""

    statement: str
    value: float | None = None
    measured: float | None = None


def disagreements(
    incident: Incident,
    claimed: Sequence[SourcedClaim],
    provider_incidents: Sequence[ProviderIncident],
    service: Service,
) -> Iterator[Evidence]:
    """Yield where what is claimed parts from what was measured and posted; what came after a claim is called later."""
    for one in claimed:
        difference = _compare_claim(incident, one.claim, one.published, provider_incidents, service)
        if difference is not None:
            yield Evidence(
                kind=EvidenceKind.DISAGREEMENT,
                at=one.published,
                subject=one.where,
                value=difference.value,
                compared_with=difference.measured,
                rows=(one.row, *(update_ref(n.updates[0]) for n in provider_incidents[:3])),
                statement=f"{one.where}: {difference.statement}",
            )


def provider_discrepancies(
    incident: Incident, provider_incidents: Sequence[ProviderIncident], service: Service, now: datetime
) -> Iterator[Evidence]:
    """Yield where the provider's words on start and end part from what was measured of the episode they are about."""
    for provider_incident in provider_incidents:
        of = [
            e
            for e in incident.episodes
            if e.onset - timedelta(minutes=30) <= provider_incident.posted <= (e.end or now)
        ]
        for update in provider_incident.updates if of else ():
            found = claims(update.body, update.displayed_at.date()) if update.body else ()
            said = [
                SourcedClaim(
                    claim=structs.replace(c, said_by=SaidBy.OUTLET),
                    where="the provider",
                    published=update.displayed_at,
                    row=update_ref(update),
                )
                for c in found
                if c.kind in (ClaimKind.START, ClaimKind.END)
            ]
            episode = structs.replace(incident, onset=of[0].onset, end=of[0].end)
            yield from disagreements(episode, said, [provider_incident], service)


def _compare_claim(
    incident: Incident,
    claim: Claim,
    published: datetime,
    provider_incidents: Sequence[ProviderIncident],
    service: Service,
) -> _Difference | None:
    who = {SaidBy.COMPANY: " (quoting the company)", SaidBy.TRACKER: " (quoting a tracker)"}.get(claim.said_by, "")
    if claim.kind is ClaimKind.START:
        moment = nearest(claim.value, incident.onset)
        late = minutes_between(incident.onset, moment)
        if AGREES < abs(late) < FAR and moment <= published:
            known = [n.first_posted_at for n in provider_incidents if n.first_posted_at <= published]
            posted = min(known, default=None)
            by_crowd = any(e.by_crowd for e in incident.episodes if e.onset == incident.onset)
            apart = [_apart(late, "the first reports" if by_crowd else "what the page gives as the start")]
            apart += [_apart(minutes_between(posted, moment), "the first notice")] if posted else []
            return _Difference(f"start {moment:%H:%M} UTC{who}, {', '.join(apart)}", late, 0.0)
    elif claim.kind is ClaimKind.END:
        first = next(
            (n.resolved for n in provider_incidents if n.resolved and n.posted - incident.onset < timedelta(hours=1)),
            None,
        )
        ends = [moment for moment in (first, incident.end) if moment is not None]
        if ends:
            moment = nearest(claim.value, ends[0])
            off = min((minutes_between(end, moment) for end in ends), key=abs)
            if AGREES < abs(off) < FAR:
                closed = [f"the first notice was closed at {first:%H:%M}{_later(first, published)}"] if first else []
                if incident.end and incident.end != first:
                    closed.append(f"it was over at {incident.end:%H:%M}{_later(incident.end, published)}")
                return _Difference(f"end {moment:%H:%M} UTC{who}; {', '.join(closed)}", off, 0.0)
    elif claim.kind in (ClaimKind.UP, ClaimKind.DOWN):
        return _part(incident, claim, published, service, who)
    elif claim.kind is ClaimKind.CAUSE:
        return _Difference(f"names a cause{who}: {claim.value}; nothing measured here tells causes")
    return None


def _later(moment: datetime, published: datetime) -> str:
    return ", after this was published" if moment > published else ""


def _part(incident: Incident, claim: Claim, published: datetime, service: Service, who: str) -> _Difference | None:
    ids = {part.id: part.name for part in service.components if part.role == claim.value}
    if not ids or claim.kind is not ClaimKind.UP:
        return None
    failing = sorted(
        (c for c in incident.components if c.component in ids and c.status is ComponentStatus.AFFECTED),
        key=lambda c: c.since,
    )
    posted = sorted(
        {c.since for c in failing if c.source == "official" and c.since < incident.onset + timedelta(hours=4)}
    )
    reported = [c for c in failing if c.source == "votes"]
    name = next(iter(ids.values()))
    before, after = ([m for m in posted if (m > published) is late][:3] for late in (False, True))
    if before or after:
        times = [f"contradicted by the provider at {_clocks(before)} UTC"] if before else []
        if after:
            by_provider = "" if before else "contradicted by the provider "
            times.append(f"later {by_provider}at {_clocks(after)} UTC")
        return _Difference(f"{name} unaffected{who}, {', '.join(times)}")
    if reported:
        first = reported[0]
        later = "later " if first.since > published else ""
        by = f"{later}contradicted by reports from {first.since:%H:%M} UTC ({first.detail})"
        return _Difference(f"{name} unaffected{who}, {by}")
    return None


def _clocks(moments: Sequence[datetime]) -> str:
    return " and ".join(f"{moment:%H:%M}" for moment in moments)


def nearest(clock: str, moment: datetime) -> datetime:
    """Return the time of day `HH:MM` that lies nearest to a moment."""
    hour, _, minute = clock.partition(":")
    day = moment.replace(hour=int(hour), minute=int(minute), second=0)
    return min((day + timedelta(days=n) for n in (-1, 0, 1)), key=lambda d: (abs(d - moment), d))


def _apart(minutes: float, what: str) -> str:
    return f"{abs(minutes):.0f} minutes {'after' if minutes >= 0 else 'before'} {what}"


def report_counts(incident: Incident, counted: ComplaintBins, said: Sequence[SourcedClaim]) -> Iterator[Evidence]:
    """Yield how many complaints there were by each definition, each beside the press figure it may mean.

    Peak: the highest bin; the first 45 minutes; the sum of the onset's day. A claim that says which it means is laid
    beside that one, others beside the nearest.
    """
    if not counted.bins:
        return
    begin, width = incident.onset, counted.bins[0].interval_s
    day = begin.replace(hour=0, minute=0, second=0)
    during = [b for b in counted.bins if b.end > begin and (incident.end is None or b.start < incident.end)]
    today = [b for b in counted.bins if day <= b.start < day + timedelta(days=1)]
    if not during:
        return
    sizes = {
        "peak": (max(b.total for b in during), f"in the highest {width // 60} min"),
        "first 45 minutes": (
            sum(b.total * _inside(b, begin, begin + timedelta(minutes=45)) for b in during),
            "in the first 45 min",
        ),
        "total": (sum(b.total for b in today), f"on {day:%-d %B}"),
    }
    claims: Mapping[str, list[tuple[float, SourcedClaim]]] = {name: [] for name in sizes}
    for one in said:
        if one.claim.kind is ClaimKind.REPORTS:
            value = float(one.claim.value)
            given = one.claim.definition if one.claim.definition in sizes else ""
            claims[given or min(sizes, key=lambda n: abs(sizes[n][0] - value))].append((value, one))
    for name, (number, words) in sizes.items():
        figures = "; ".join(f"{one.where} wrote {value:,.0f}" for value, one in claims[name][:3])
        yield Evidence(
            kind=EvidenceKind.FIGURE,
            at=incident.onset,
            subject=name,
            value=round(number),
            rows=(counted.row, *(one.row for _, one in claims[name][:3])),
            compared_with=claims[name][0][0] if claims[name] else None,
            statement=f"{number:,.0f} complaints {words}{f' ({figures})' if figures else ''}",
        )


def _inside(one: CountedInterval, since: datetime, until: datetime) -> float:
    """Return which part of an interval lies in a span."""
    return max(0.0, (min(one.end, until) - max(one.start, since)) / timedelta(seconds=one.interval_s))
