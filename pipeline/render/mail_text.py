"""The texts of a mail as the templates read them: times in the reader's zone, outside text cut and cleaned."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import zip_longest
from typing import NamedTuple
from zoneinfo import ZoneInfo

from msgspec import Struct

from pipeline.core.alert_facts import AlertFacts, LinkFacts, Section, SystemFacts
from pipeline.core.incidents import state_in_words
from pipeline.core.times import iso
from pipeline.core.vocabulary import ComponentStatus, Transition
from pipeline.render.formatting import cut, in_percent, local
from pipeline.render.mail_parts import MAX_NAME, PartText, part_texts, zone_name
from pipeline.render.summary import IncidentSummary, PeakCount, summary_sentence, symptom_name

MAX_PARTS, MAX_REASONS, MAX_LABEL = 12, 4, 120


class ReasonCount(NamedTuple):
    """How many reports were not counted for one reason."""

    reason: str
    reports: int


class TimedLine(NamedTuple):
    """A statement and when it was made."""

    at: str
    text: str


class OutLinkText(NamedTuple):
    """An address of the web and what is there."""

    label: str
    url: str


class LinkText(NamedTuple):
    """A news event, with what speaks against the association."""

    relation: str
    title: str
    seen: str
    outlets: int
    against: tuple[str, ...]


class IncidentText(Struct, frozen=True, kw_only=True):
    """A mail about one incident. Empty text: there is nothing to say of it."""

    incident: str
    sentence: str
    service: str
    transition: str
    state: str
    impact: str
    symptom: str
    affected: tuple[str, ...]
    affected_so_far: tuple[str, ...]
    works: tuple[str, ...]
    onset: str
    end: str
    written: str
    official_first: str
    next_after: str
    evidence: tuple[str, ...]
    votes: int
    refused: tuple[ReasonCount, ...]
    new_level: tuple[str, ...]
    missing: tuple[str, ...]
    where: str
    probability: str
    official: tuple[TimedLine, ...]
    components: tuple[PartText, ...]
    more_components: int
    zone: str
    differs: tuple[str, ...]
    fallback: str
    comparable: tuple[str, ...]
    quotes: tuple[TimedLine, ...]
    links: tuple[LinkText, ...]
    chart_label: str
    simulated: bool
    out_links: tuple[OutLinkText, ...]
    why_command: str
    right_command: str
    wrong_command: str
    silence_command: str
    page_url: str
    status_page: str


class SystemText(Struct, frozen=True, kw_only=True):
    """A mail about no single incident."""

    heading: str
    written: str
    simulated: bool
    sections: tuple[Section, ...]


def incident_text(facts: AlertFacts, incident: str, zone: str) -> IncidentText:
    """Return the texts of a mail about an incident, times in `zone`."""
    parts = part_texts(facts.components, facts.at, zone)
    times = facts.quoted_at[: len(facts.quotes)]
    return IncidentText(
        incident=incident,
        sentence=first_sentence(facts, zone),
        service=cut(facts.service),
        transition=facts.transition,
        state=state_in_words(facts.state, facts.confirmed_by),
        impact=facts.impact,
        symptom=symptom_name(facts.symptom) if facts.symptom else "",
        affected=_few(facts.affected_names),
        affected_so_far=_few(affected_so_far(facts)),
        works=_few(facts.works_names),
        onset=local(facts.onset, zone),
        end=local(facts.end, zone),
        written=local(facts.at, zone),
        official_first=_clock(facts.official_first_at, facts.at, zone),
        next_after=_clock(facts.next_after, facts.at, zone),
        evidence=_cut_all(facts.evidence),
        votes=facts.votes,
        refused=tuple(ReasonCount(cut(reason), count) for reason, count in facts.refused.items())[:MAX_REASONS],
        new_level=_cut_all(facts.new_level),
        missing=_cut_all(facts.missing),
        where=cut(facts.where),
        probability=in_percent(facts.probability) if facts.probability is not None else "",
        official=tuple(TimedLine(_clock(line.at, facts.at, zone), cut(line.statement)) for line in facts.official),
        components=parts[:MAX_PARTS],
        more_components=max(0, len(parts) - MAX_PARTS),
        zone=zone_name(facts.at, zone),
        differs=_cut_all(facts.differs),
        fallback=cut(facts.fallback),
        comparable=_cut_all(facts.comparable),
        quotes=tuple(TimedLine(_clock(at, facts.at, zone), cut(text)) for text, at in zip_longest(facts.quotes, times)),
        links=tuple(_link(link, zone) for link in facts.links),
        chart_label=facts.chart.label if facts.chart else "",
        simulated=facts.simulated,
        why_command=f"groundswell why {facts.service_id} --at {iso(facts.at)}",
        out_links=tuple(OutLinkText(cut(link.label, MAX_LABEL), link.url) for link in facts.out_links),
        right_command=f"groundswell feedback {incident} right",
        wrong_command=f"groundswell feedback {incident} wrong",
        silence_command=f'groundswell silence add {facts.service_id} --for 4h --reason "..."',
        page_url=facts.page_url,
        status_page=facts.status_page,
    )


def affected_so_far(facts: AlertFacts) -> tuple[str, ...]:
    """Return the parts, or the services of a shared failure, that any source held to be affected at any time."""
    return tuple(dict.fromkeys(c.name for c in facts.components if c.status is ComponentStatus.AFFECTED))


def first_sentence(facts: AlertFacts, zone: str) -> str:
    """Return a message in the sentence that the incident's page begins with; times in `zone`."""
    over = facts.transition is Transition.OVER and facts.end is not None
    failing = affected_so_far(facts) if over or not facts.affected_names else facts.affected_names
    peak = facts.peak_count
    summary = IncidentSummary(
        service=cut(facts.service, MAX_NAME),
        state=facts.state,
        symptom=facts.symptom,
        onset=facts.onset,
        end=facts.end if over else None,
        now=facts.at,
        affected=[cut(name, MAX_NAME) for name in failing],
        works=[] if over else [(cut(name, MAX_NAME), None) for name in facts.works_names],
        official_first_at=facts.official_first_at,
        reported_since=None,
        first_alert_at=facts.first_message_at,
        peak=PeakCount(*peak)._replace(service=cut(peak.service, MAX_NAME)) if peak is not None else None,
        members=[cut(name, MAX_NAME) for name in failing] if facts.hit else (),
        restored=[cut(name, MAX_NAME) for name in facts.restored_names],
        has_page=bool(facts.status_page),
    )
    return summary_sentence(summary, zone)


def system_text(facts: SystemFacts, zone: str) -> SystemText:
    """Return the texts of a mail about no single incident, times in `zone`."""
    return SystemText(
        heading=cut(facts.heading),
        written=local(facts.at, zone),
        simulated=facts.simulated,
        sections=tuple(Section(section.title, _cut_all(section.lines)) for section in facts.sections),
    )


def _cut_all(lines: Iterable[str]) -> tuple[str, ...]:
    return tuple(cut(line) for line in lines)


def _few(names: tuple[str, ...]) -> tuple[str, ...]:
    rest = len(names) - MAX_PARTS
    shown = tuple(cut(name, MAX_NAME) for name in names)[:MAX_PARTS]
    return (*shown, f"{rest} more") if rest > 0 else shown


def _clock(stamp: datetime | None, written: datetime, zone: str) -> str:
    """Return the time of day, with its date where that is not the day of the message in the reader's zone."""
    if stamp is None:
        return ""
    here = ZoneInfo(zone)
    return local(stamp, zone, date=stamp.astimezone(here).date() != written.astimezone(here).date())


def _link(link: LinkFacts, zone: str) -> LinkText:
    return LinkText(
        relation=link.relation.replace("_", " "),
        title=cut(link.title),
        seen=local(link.seen, zone),
        outlets=link.outlets,
        against=_cut_all(link.evidence_against),
    )
