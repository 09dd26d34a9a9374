"""Everything a message about an incident says, as plain values fixed when its row is written. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipeline.core.alert_facts import AlertFacts, ComponentFacts, LinkFacts, OfficialLine, PeakFacts
from pipeline.core.catalogue import Service, names
from pipeline.core.incidents import Evidence, Incident
from pipeline.core.news_events import Link, NewsEvent
from pipeline.core.reports import Report
from pipeline.core.series import Interval, Points, SeriesKey
from pipeline.core.vocabulary import ComponentStatus, EvidenceKind, RowTable, Transition, VoteReason
from pipeline.incidents.confidence import what_is_missing
from pipeline.incidents.episodes import ProviderIncident
from pipeline.notify.chart_series import chart
from pipeline.notify.out_links import out_links
from pipeline.render.charts import highest_peak, peak_of
from pipeline.render.formatting import page_url
from pipeline.text.normalize import differently_worded

QUOTES = 3
NEWEST = 20  # reports among which the surest are quoted in a later message
NEWS = 3
BEFORE_ONSET = timedelta(minutes=5)  # reports so shortly before the onset belong to it
BASIS = ("complaints", "votes", "shared", "doors")


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertContext:
    """What a message about an incident is made of.

    `series` holds recent verdicts. `news` are the events that `links` may name, by id. `hit` are the services of a
    shared failure. `next_after` is when ordinary news may follow. Below a probability of `sure_from` it says what is
    missing; `language` is the reader's; `new_level` says which counts stayed above what they were before. The report
    is served at `public_url`, empty for nowhere. `first_message_at` is when the first message about it was written,
    None for now, `last_message_at` the latest before this one, None for none. `failing` are the service, or those of a
    shared failure; `notices` is what their pages post.
    """

    incident: Incident
    service: Service
    reports: Sequence[Report]
    intervals: Sequence[Interval]
    series: Mapping[SeriesKey, Points]
    links: Sequence[Link]
    news: Mapping[str, NewsEvent]
    hit: tuple[str, ...]
    next_after: datetime
    simulated: bool
    sure_from: float = 0.0
    new_level: Sequence[str] = ()
    language: str = "en"
    public_url: str = ""
    first_message_at: datetime | None = None
    last_message_at: datetime | None = None
    failing: Sequence[Service] = ()
    notices: Sequence[ProviderIncident] = ()


def alert_facts(context: AlertContext, transition: Transition, now: datetime) -> AlertFacts:
    """Return everything a message says that tells of a transition now."""
    incident, service = context.incident, context.service
    reports = [r for r in context.reports if incident.onset - BEFORE_ONSET <= r.created <= (incident.end or now)]
    votes = [r for r in reports if r.counted]
    affected = incident.affected(now)
    works = _working(incident, now)
    is_restoring = incident.is_group and transition is Transition.EASING
    restored = [s for s in context.failing if s.id in context.hit and s.name not in affected] if is_restoring else []
    since = None if transition is Transition.OVER else context.last_message_at
    quoted = quoted_reports(votes, context.language, since)
    earlier = [e for e in incident.evidence if e.kind == "comparable"]
    if not service.status_page:  # of a service of one's own the outages of other providers say nothing
        earlier = [e for e in earlier if all(row.table is RowTable.INCIDENTS for row in e.rows)]
    similar = sorted(earlier, key=lambda e: -(e.compared_with or 0.0))
    return AlertFacts(
        service=service.name,
        service_id=service.id,
        transition=transition,
        state=incident.state,
        impact=incident.impact,
        symptom=incident.symptom,
        onset=incident.onset,
        peak=incident.peak,
        end=incident.end,
        at=now,
        official_first_at=incident.official_first_at,
        affected=affected,
        affected_names=tuple(names(affected, service)),
        works_names=tuple(names(sorted(works), service)),
        components=_components(incident, service),
        evidence=(
            *tuple(e.statement for e in incident.evidence if e.kind in BASIS)[-5:],
            *(e.statement for e in incident.evidence if e.kind == "maintenance"),
        ),
        official=_official(incident)[-4:],
        sources=tuple(sorted({_source_name(i.series) for i in context.intervals})),
        votes=len(votes),
        refused=_refused(reports),
        quotes=tuple(map(_one_line, quoted)),
        quoted_at=tuple(report.created for report in quoted),
        episodes=incident.episode_count,
        probability=incident.probability,
        where=_first(incident, "where"),
        fallback=_first(incident, "fallback"),
        comparable=tuple(e.statement for e in similar)[:3],
        differs=tuple(e.statement for e in incident.evidence if e.kind == "differs")[:2],
        links=_links(context),
        next_after=context.next_after,
        simulated=context.simulated,
        chart=chart(service, context.series, incident, now),
        hit=context.hit,
        restored=tuple(s.id for s in restored),
        restored_names=tuple(s.name for s in restored),
        confirmed_by=incident.confirmed_by,
        new_level=tuple(context.new_level),
        missing=what_is_missing(incident, context.sure_from) if transition is not Transition.OVER else (),
        page_url=page_url(context.public_url, "incident", incident.id),
        status_page=service.status_page,
        peak_count=_peak(context),
        first_message_at=context.first_message_at or now,
        out_links=out_links(
            context.failing or (service,),
            [notice for notice in context.notices if _is_of(notice, incident, now)],
            () if context.simulated else quoted,  # a simulated post has no page
            [context.news[link.news_event] for link in _told(context)],
        ),
    )


def _official(incident: Incident) -> tuple[OfficialLine, ...]:
    """Return a line a notice of the provider with its latest update, and how many came before it since when."""
    updates: dict[str, list[Evidence]] = {}
    for evidence in incident.evidence:
        if evidence.kind is EvidenceKind.OFFICIAL:
            updates.setdefault(evidence.subject or evidence.statement, []).append(evidence)
    lines = []
    for of_notice in updates.values():
        first, last = of_notice[0], of_notice[-1]
        day = "" if first.at.date() == last.at.date() else f"{first.at:%-d %B} "
        since = f" ({len(of_notice)} updates since {day}{first.at:%H:%M} UTC)" if len(of_notice) > 1 else ""
        lines.append(OfficialLine(last.at, f"{last.statement}{since}"))
    return tuple(sorted(lines, key=lambda line: line.at))


def _working(incident: Incident, now: datetime) -> set[str]:
    """Return the parts that are said to work now, and that no source holds to be affected since that was said."""
    works = {
        c.component: c.since
        for c in incident.components
        if c.status is ComponentStatus.WORKS and c.since <= now and (c.until is None or now < c.until)
    }
    failing = {c.component for c in incident.components if c.status is ComponentStatus.AFFECTED and c.until is None}
    return set(works) - failing - set(incident.affected(now))


def _peak(context: AlertContext) -> PeakFacts | None:
    """Return the highest count of the service, or of those of a shared failure, while it lasted; None without any."""
    hit = {service.id: service.name for service in context.failing if service.id in context.hit}
    peak = highest_peak(context.series, context.incident, hit) if hit else peak_of(context.series, context.incident)
    return PeakFacts(*peak) if peak is not None else None


def _is_of(notice: ProviderIncident, incident: Incident, now: datetime) -> bool:
    """Return whether a notice stood while an incident lasted."""
    until = incident.end or now
    return notice.posted <= until and (notice.resolved is None or notice.resolved >= incident.onset)


def _components(incident: Incident, service: Service) -> tuple[ComponentFacts, ...]:
    return tuple(
        ComponentFacts(
            name=names([c.component], service)[0],
            source=c.source,
            status=c.status,
            since=c.since,
            until=c.until,
            detail=c.detail,
        )
        for c in sorted(incident.components, key=lambda c: (c.since, c.component, c.source))
    )


def _told(context: AlertContext) -> list[Link]:
    """Return the links to news that a message names: the strongest of those that random dates do not equal."""
    return [link for link in context.links if link.news_event in context.news and link.better_than_chance][:NEWS]


def _links(context: AlertContext) -> tuple[LinkFacts, ...]:
    known = [(link, context.news[link.news_event]) for link in _told(context)]
    return tuple(
        LinkFacts(
            relation=link.relation,
            title=event.title,
            seen=event.first_seen,
            outlets=len(event.outlets),
            evidence_for=link.evidence_for,
            evidence_against=link.evidence_against,
        )
        for link, event in known
    )


def _first(incident: Incident, kind: str) -> str:
    return next((e.statement for e in incident.evidence if e.kind == kind), "")


def _refused(reports: Sequence[Report]) -> dict[str, int]:
    """Return how many reports of an incident were not counted, by why, most first."""
    why = Counter(
        r.reason.value
        for r in reports
        if not r.counted and r.reason not in (VoteReason.UNKNOWN, VoteReason.NOT_ABOUT_OUTAGE)
    )
    return dict(sorted(why.items(), key=lambda pair: (-pair[1], pair[0])))


def _source_name(series: SeriesKey) -> str:
    return {"complaints": "complaint counts"}.get(series.channel, f"posts on {series.source}")


def quoted_reports(votes: Sequence[Report], language: str = "en", since: datetime | None = None) -> list[Report]:
    """Return at most three short reports to quote, each worded differently.

    They are of the newest after `since`, where there are any. Those in the reader's `language` come first, the surest
    before others; no other is translated.
    """
    short = [report for report in votes if 20 <= len(_one_line(report)) <= 220]
    if since is not None and (later := [report for report in short if report.created > since]):
        short = sorted(later, key=lambda r: (r.created, r.native_id))[-NEWEST:]
    short.sort(key=lambda r: (r.language != language, -round(r.p_outage, 2), r.created, r.native_id))
    return [short[place] for place in differently_worded(list(map(_one_line, short)), QUOTES)]


def _one_line(report: Report) -> str:
    title = report.title.strip()
    stop = "" if not title or title[-1] in "?!…。？！:" else "."  # a question needs no full stop
    return " ".join(f"{title}{stop} {report.text}".strip(". ").split())
