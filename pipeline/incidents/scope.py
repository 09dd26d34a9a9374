"""What is hit and what is not: parts, symptoms, places, in numbers and over time. Pure.

Votes and the page's word stay apart.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from msgspec import structs

from pipeline.core.catalogue import Service, names
from pipeline.core.incidents import ComponentSpan, Evidence
from pipeline.core.reports import Report, account_age
from pipeline.core.row_refs import RowRef
from pipeline.core.times import clock_and_day
from pipeline.core.vocabulary import ComponentStatus, EvidenceKind, RowTable, VoteReason
from pipeline.incidents.component_spans import RECENT, people_say
from pipeline.incidents.episodes import ProviderIncident
from pipeline.incidents.places import continents, reported_places
from pipeline.text.normalize import normalize, text_fingerprint
from pipeline.text.symptoms import matched_symptoms

FRONT, BACK = ("web", "mobile", "desktop", "login", "code", "console"), ("api",)
CITED = 40  # rows named behind one statement; more are told as a span
VOICE, YOUNG = timedelta(hours=6), timedelta(days=7)
NEVER = datetime.min.replace(tzinfo=UTC)


def symptom_of(votes: Sequence[Report], provider_incidents: Sequence[ProviderIncident] = ()) -> str:
    """Return the symptom most reports name, a kind of failure before the mere word that it is down.

    Of symptoms named equally often it is the one that the provider's notices name; empty where they name none or
    several of them.
    """
    counted = Counter(r.symptom for r in votes if r.symptom)
    specific = Counter({name: number for name, number in counted.items() if name != "all"})
    most = max((specific or counted).values(), default=0)
    first = {name for name, number in (specific or counted).items() if number == most}
    if len(first) > 1:
        texts = {text for notice in provider_incidents for u in notice.updates for text in (u.name, u.body)}
        first &= {name for text in texts for name in matched_symptoms(normalize(text))}
    return first.pop() if len(first) == 1 else ""


def cite(reports: Sequence[Report]) -> tuple[RowRef, ...]:
    """Return the rows behind a statement about reports: each, or the first of many and the span they lie in."""
    rows = [RowRef(RowTable.VOTES, f"{r.source}/{r.native_id}") for r in reports[:CITED]]
    if len(reports) > CITED:
        rows.append(RowRef(RowTable.POST_TAGS, reports[0].service, reports[0].created, reports[-1].created))
    return tuple(rows)


def deduplicate_clearances(reports: Sequence[Report]) -> list[Report]:
    """Return reports, oldest first, with what clears a part counted once.

    An author and a text have one voice in six hours. Bots, moderators, posts without an author and
    accounts younger than a week clear nothing. Else one person could talk an outage away.
    """
    heard: dict[tuple[str, str], datetime] = {}
    found: list[Report] = []
    for report in reports:
        if report.working_components:
            voices = [
                ("author", report.author_key),
                ("text", text_fingerprint(f"{report.title} {report.text}")),
            ]
            age = account_age(report.source, report.created, report.author_created)
            again = any(name and report.created - heard.get((kind, name), NEVER) < VOICE for kind, name in voices)
            by_user = report.reason != VoteReason.NOT_A_USER
            if again or not by_user or not report.author_key or (age is not None and age < YOUNG):
                report = structs.replace(report, working_components=())
            else:
                heard.update((voice, report.created) for voice in voices)
        found.append(report)
    return found


def shares(service: Service, votes: Sequence[Report], onset: datetime) -> Iterator[Evidence]:
    """Yield how many reports name each symptom and each part of the world, most first."""
    for kind, told in (
        (EvidenceKind.SYMPTOM, lambda r: [r.symptom] if r.symptom else []),
        (EvidenceKind.REGION, continents),
    ):
        naming: dict[str, list[Report]] = {}
        number_naming = 0
        for report in votes:
            if items := told(report):
                number_naming += 1
                for item in set(items):
                    naming.setdefault(item, []).append(report)
        for item, mine in sorted(naming.items(), key=lambda pair: (-len(pair[1]), pair[0]))[:6]:
            what = f"{'place' if kind == EvidenceKind.REGION else 'symptom'}"
            yield Evidence(
                kind=kind,
                at=onset,
                subject=item,
                value=len(mine),
                compared_with=number_naming,
                rows=cite(mine),
                statement=f"{len(mine)} of {number_naming} reports that name a {what} name {item.replace('_', ' ')}",
            )
    yield from reported_places(votes, onset, cite)


def parts_in_notices(service: Service, provider_incidents: Sequence[ProviderIncident]) -> set[str]:
    """Return the ids of the parts that the words of notices name, whether or not the page lists them as failing."""
    texts = [text for notice in provider_incidents for u in notice.updates for text in (u.name, u.body)]
    words = "\n".join(dict.fromkeys(texts)).casefold()
    return {
        part.id
        for part in service.components
        for name in {part.name, *part.official, *part.aliases}
        if re.search(rf"(?<!\w){re.escape(name.casefold())}(?!\w)", words)
    }


def parts_in_words(
    service: Service,
    spans: Sequence[ComponentSpan],
    reports: Sequence[Report],
    onset: datetime,
    in_notices: Collection[str] = (),
) -> Iterator[Evidence]:
    """Yield parts' sums, which parts nobody speaks of, where votes and page differ, front door against back door.

    Of parts that notices name (`in_notices`) it is not said that the provider does not list them.
    """
    status: dict[str, dict[str, ComponentSpan]] = {"votes": {}, "official": {}}
    for span in spans:
        if span.status is ComponentStatus.AFFECTED:
            status[span.source].setdefault(span.component, span)
    fails: Counter[str] = Counter(part for r in reports if r.counted for part in r.components)
    works: Counter[str] = Counter(part for r in reports for part in r.working_components)
    for part in sorted({*fails, *works}):
        name = names([part], service)[0]
        mine = [r for r in reports if part in r.components or part in r.working_components]
        yield Evidence(
            kind=EvidenceKind.PART,
            at=onset,
            subject=part,
            value=fails[part],
            compared_with=works[part],
            rows=cite(mine),
            statement=f"{name}: {people_say(fails[part])} it fails, {works[part]} that it works",
        )
    told = {*fails, *works, *status["official"]}
    unknown = [part.id for part in service.components if part.id not in told]
    if unknown and told:
        yield Evidence(
            kind=EvidenceKind.UNKNOWN,
            at=onset,
            subject=" ".join(unknown),
            value=len(unknown),
            compared_with=len(service.components),
            rows=(RowRef(RowTable.COMPONENTS, service.id),),
            statement=f"no report mentions {', '.join(names(unknown, service))}",
        )
    for part in sorted(set(status["votes"]) ^ set(status["official"])):
        source, other = ("votes", "official") if part in status["votes"] else ("official", "votes")
        if other == "official" and (not status["official"] or part in in_notices):
            continue
        span = status[source][part]
        who = {"votes": "people name", "official": "the provider lists"}[source]
        not_who = "the provider does not list it as failing"
        if other == "votes":
            few = fails[part]
            not_who = f"too few people name it ({few})" if few else "people do not name it as failing"
        rows = cite([r for r in reports if part in r.components]) or (
            RowRef(RowTable.INCIDENT_COMPONENTS, quote(part, safe=""), span.since),
        )
        yield Evidence(
            kind=EvidenceKind.DIFFERS,
            at=span.since,
            subject=part,
            rows=rows,
            statement=f"{who} {names([part], service)[0]} from {clock_and_day(span.since)}, {not_who}",
        )
    yield from _doors(service, spans, reports)


def _doors(service: Service, spans: Sequence[ComponentSpan], reports: Sequence[Report]) -> Iterator[Evidence]:
    """Yield that what people open is broken and what programs call works, while that is so."""
    role = {part.id: part.role for part in service.components}
    front = [c for c in spans if c.status is ComponentStatus.AFFECTED and role.get(c.component) in FRONT]
    back = [c for c in spans if c.status is ComponentStatus.WORKS and role.get(c.component) in BACK]
    if not front or not back:
        return
    span = back[0]
    parts = sorted({c.component for c in front if c.since <= (span.until or c.since)})
    if not parts:
        return
    until = f" until {span.until:%H:%M}" if span.until else ""
    fail, work, say, fail_once = (
        ("failed", "worked", "said", "failed") if span.until else ("are failing", "works", "say", "fails")
    )
    name = names([span.component], service)[0]
    during = [r for r in reports if span.since - RECENT <= r.created and (span.until is None or r.created < span.until)]
    clear = [r for r in during if span.component in r.working_components]
    blame = [r for r in during if r.counted and span.component in r.components]
    yield Evidence(
        kind=EvidenceKind.DOORS,
        at=span.since,
        subject=span.component,
        value=len(clear),
        compared_with=len(blame),
        rows=cite([*clear, *blame]),
        statement=(
            f"web and apps {fail} ({', '.join(names(parts, service))}); programmatic access {work}: {len(clear)} people"
            f" {say} that {name} {work}, {len(blame)} that it {fail_once}, from {span.since:%H:%M}{until} UTC"
        ),
    )
