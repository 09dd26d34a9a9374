"""Messages that are not about one incident: several in one, the digest, the program's own troubles. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from msgspec import Struct

from pipeline.core.alert_facts import Section, SummaryFacts, SystemFacts
from pipeline.core.alerts import Alert
from pipeline.core.quantities import quantity
from pipeline.core.vocabulary import Transition

NAMED = 50


class BlindHours(NamedTuple):
    """For how many hours a source gave no answer."""

    source: str
    hours: float


class DigestFacts(Struct, frozen=True, kw_only=True):
    """What a digest counts of a span: incidents alerted, and of them right, wrong or not known; then lines by topic.

    `database_bytes` is the size of the database, `new_rows` how many rows came in.
    """

    alerted: int
    right: int
    wrong: int
    unknown: int
    missed: tuple[str, ...]
    open_now: tuple[str, ...]
    failed: tuple[str, ...]
    blind: tuple[BlindHours, ...]
    database_bytes: int
    new_rows: int


def system_message(subject: str, heading: str, sections: Sequence[Section], now: datetime) -> SystemFacts:
    """Return what a system message says; sections without lines are left out."""
    return SystemFacts(subject=subject, heading=heading, at=now, sections=with_lines(sections))


def with_lines(sections: Sequence[Section]) -> tuple[Section, ...]:
    """Return the sections that have lines, each with at most NAMED of them."""
    return tuple(Section(title, _some(lines)) for title, lines in sections if lines)


def _some(lines: Sequence[str]) -> tuple[str, ...]:
    rest = len(lines) - NAMED
    return (*lines[:NAMED], *([f"and {rest} more"] if rest > 0 else []))


def summary_message(alerts: Sequence[Alert], now: datetime, *, held: bool) -> SummaryFacts:
    """Return one message that names what several alerts would have said: of each incident the newest.

    `held`: they were held back, by a mute time interval or by the hourly cap.
    """
    newest: dict[str, Alert] = {}
    for alert in sorted(alerts, key=lambda a: (a.created, a.message_id)):
        newest[alert.incident] = alert
    in_order = sorted(newest.values(), key=lambda a: (a.incident_facts.service, a.incident))
    open_now = [a for a in in_order if a.transition != Transition.OVER]
    over = [a for a in in_order if a.transition == Transition.OVER]
    services = list(dict.fromkeys(a.incident_facts.service for a in in_order))
    simulated = any(a.facts.simulated for a in alerts)
    counted = f"{len(open_now)} open, {len(over)} over" if over else quantity(len(open_now), "incident")
    more_services = " and more" if len(services) > 4 else ""
    heading = f"{'Held back until now: ' if held else ''}{counted}: {', '.join(services[:4])}{more_services}"
    rest = len(newest) - 2 * NAMED
    sections = (
        Section("Open", tuple(_line(a) for a in open_now[:NAMED])),
        Section("Over", tuple(_line(a) for a in over[:NAMED])),
        Section("More", (f"{rest} more incidents: groundswell incidents",) if rest > 0 else ()),
    )
    return SummaryFacts(
        subject=("[simulated] " if simulated else "") + heading,
        heading=heading,
        at=now,
        sections=with_lines(sections),
        simulated=simulated,
        incidents=tuple(sorted(newest)),
    )


def _line(alert: Alert) -> str:
    onset = alert.incident_facts.onset
    return f"{alert.subject.removeprefix('[simulated] ')}, since {onset:%Y-%m-%d %H:%M} UTC ({alert.incident})"


def digest_message(facts: DigestFacts, now: datetime, days: int) -> SystemFacts:
    """Return the digest of the last days (1 or 7); see pipeline.reports.alert_record."""
    span = "day" if days == 1 else "week"
    counted = (
        f"{quantity(facts.alerted, 'incident')} alerted:"
        f" {facts.right} right, {facts.wrong} wrong, {facts.unknown} not known"
        " (right: the provider posted within two hours, or you said so)"
    )
    size = f"{facts.database_bytes / 1e6:.1f} MB, {quantity(facts.new_rows, 'row')} came in the {span}"
    sections = (
        Section("Alerts", (counted,)),
        Section("What we missed", facts.missed),
        Section("Open now", facts.open_now),
        Section("Messages that could not be sent", facts.failed),
        Section("Blind", tuple(f"{source}: {hours:.1f} h without an answer" for source, hours in facts.blind)),
        Section("Database", (size,)),
    )
    subject = (
        f"Digest of the {span}: {quantity(facts.alerted, 'incident')} alerted, {len(facts.missed)} missed,"
        f" {len(facts.open_now)} open"
    )
    return system_message(subject, subject, sections, now)
