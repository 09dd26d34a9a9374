"""The story of a replay for a terminal: timeline, incidents, components, links. Pure: a result in, text out."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from pipeline.core.catalogue import Catalogue, names
from pipeline.core.quantities import quantity
from pipeline.core.replay_result import IncidentResult, ReplayResult, Scores
from pipeline.core.times import minutes_between
from pipeline.render.formatting import header_safe

RELATIONS = {
    "context_before": "news before it",
    "reports": "news that reports it",
    "follow_up": "news that follows it up",
    "other_incident": "news of another incident",
}
PACIFIC = ZoneInfo("America/Los_Angeles")


def two_clocks(moment: datetime) -> str:
    """Return `11:37 UTC  03:37 PST`."""
    return f"{moment:%H:%M} UTC  {moment.astimezone(PACIFIC):%H:%M %Z}"


def story(outcome: ReplayResult, catalogue: Catalogue) -> str:
    """Return every incident of a replay with its first alert beside the first official notice, and the alerts."""
    lines = ["Incidents (first alert beside the first official notice)"]
    lines += [f"  {line_of(incident, catalogue)}" for incident in outcome.incidents]
    lines += ["", f"Alerts: {len(outcome.alerts)}"]
    lines += [f"  {alert.at:%Y-%m-%d %H:%M} UTC  {header_safe(alert.subject)}" for alert in outcome.alerts]
    lines += ["", *score_lines(outcome.scores)]
    return "\n".join(lines)


def line_of(incident: IncidentResult, catalogue: Catalogue) -> str:
    """Return one incident on one line."""
    service = catalogue[incident.service]
    alerted, official = incident.first_alert_at, incident.official_first_at
    lead = ""
    if alerted and official:
        minutes = minutes_between(alerted, official)
        lead = f", {abs(minutes):.0f} min {'before' if minutes >= 0 else 'after'} the provider"
    alert = f"alert {alerted:%H:%M}{lead}" if alerted else "no alert"
    posted = f"official {official:%H:%M:%S}" if official else "no official notice"
    parts = ", ".join(names(incident.components, service)) or "-"
    end = f"{incident.end:%m-%d %H:%M}" if incident.end else "open"
    return (
        f"{incident.onset:%Y-%m-%d %H:%M} to {end}  {service.name}: {incident.state}, impact {incident.impact}; "
        f"{alert}; {posted}; {parts}"
    )


def score_lines(scores: Scores) -> list[str]:
    """Return the comparison with the recorded truth, each outage and each notice without a message on its own line."""
    delay = scores.median_minutes_to_alert
    lines = [
        f"Against the recorded truth: {scores.found} of the {scores.outages} outages that began in the replay alerted"
        + (f", {delay:g} min after their onset in the median" if delay is not None else "")
        + f"; {scores.alerts_in_quiet_spans} alerts in {scores.quiet_spans} spans in which nothing was broken.",
    ]
    for outage in scores.by_outage:
        if outage.alert_at is None:
            outcome = "MISSED"
        elif outage.minutes is None:
            outcome = f"early: {minutes_between(outage.alert_at, outage.onset):.0f} min before"
        else:
            outcome = f"{outage.minutes:.0f} min"
        lines.append(f"  {outage.onset:%Y-%m-%d %H:%M} UTC  {outage.service}: {outcome}")
    lines.append(
        f"Of {scores.notices} notices of providers {scores.notices_with_message} have a message"
        " from 30 min before to 2 h after."
    )
    lines.append(
        f"{scores.notices_covered} of {scores.notices} have one within 30 min,"
        " or one less than an hour old that already says as much."
    )
    lines += [
        f"  {notice.posted:%Y-%m-%d %H:%M} UTC  {notice.service}: "
        + ("already said by the message before" if notice.covered else "no message")
        + f" ({notice.notice})"
        for notice in scores.by_notice
        if notice.alert_at is None or not notice.covered
    ]
    return lines


def timeline(outcome: ReplayResult, incident_id: str, catalogue: Catalogue, day: datetime) -> list[str]:
    """Return what happened on a day in one incident, in UTC and Pacific time: signals, notices, alerts, press."""
    incident = next(i for i in outcome.incidents if i.id == incident_id)
    service = catalogue[incident.service]
    entries: list[tuple[datetime, str]] = [
        (phase.since, f"{phase.phase} ({phase.why})" if phase.why else phase.phase)
        for phase in outcome.phases
        if phase.incident == incident_id and phase.phase in ("onset", "peak", "over")
    ]
    entries += [(note.at, note.statement) for note in outcome.official if note.incident == incident_id]
    for span in outcome.components:
        if span.incident != incident_id:
            continue
        part = names([span.component], service)[0]
        verb = "affected" if span.status == "affected" else "said to work"
        entries.append((span.since, f"{part} {verb}, by {span.source}: {span.detail}"))
        if span.until and span.source == "official":
            entries.append((span.until, f"{part} no longer listed by the provider"))
    entries += [
        (alert.at, f"mail, {alert.transition.replace('_', ' ')}: {header_safe(alert.subject)}")
        for alert in outcome.alerts
        if alert.incident == incident_id
    ]
    lines = [f"  {two_clocks(at)}  {line}" for at, line in sorted(entries) if at.date() == day.date()]
    return list(dict.fromkeys(lines))  # a provider may post one thing twice in a minute


def link_lines(outcome: ReplayResult, incident_id: str, *, most: int = 5) -> list[str]:
    """Return the links of an incident by relation, the strongest of each, with the evidence against."""
    lines = []
    for relation, heading in RELATIONS.items():
        links = [link for link in outcome.links if link.incident == incident_id and link.relation == relation]
        if not links:
            continue
        lines.append(f"  {heading} ({len(links)})")
        links.sort(key=lambda link: (-len(link.evidence_against) if relation == "reports" else 0, -link.score))
        for link in links[:most]:
            lines.append(
                f"    {link.first_seen:%m-%d %H:%M} UTC  {header_safe(link.title, 90)}"
                f" ({quantity(link.outlets, 'outlet')})"
            )
            lines += [f"      against: {reason}" for reason in link.evidence_against]
    return lines
