"""The story of a replay for a terminal: timeline, incidents, components, links. Pure: a result in, text out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pipeline.core.catalogue import Catalogue, names
from pipeline.core.times import minutes_between, utc
from pipeline.render.formatting import header_safe

PACIFIC = ZoneInfo("America/Los_Angeles")


def two_clocks(stamp: str) -> str:
    """Return `11:37 UTC  03:37 PST`."""
    moment = utc(stamp)
    return f"{moment:%H:%M} UTC  {moment.astimezone(PACIFIC):%H:%M %Z}"


def story(outcome: Mapping[str, Any], catalogue: Catalogue) -> str:
    """Return every incident of a replay with its first alert beside the first official notice, and the alerts."""
    lines = ["Incidents (first alert beside the first official notice)"]
    for incident in outcome["incidents"]:
        lines.append(f"  {line_of(incident, catalogue)}")
    lines += ["", f"Alerts: {len(outcome['alerts'])}"]
    lines += [
        f"  {alert['at'][:16].replace('T', ' ')} UTC  {header_safe(alert['subject'])}" for alert in outcome["alerts"]
    ]
    lines += ["", scores_line(outcome["scores"])]
    return "\n".join(lines)


def line_of(incident: Mapping[str, Any], catalogue: Catalogue) -> str:
    """Return one incident on one line."""
    service = catalogue[incident["service"]]
    first, official = incident["first_alert_at"], incident["official_first_at"]
    lead = ""
    if first and official:
        minutes = minutes_between(utc(first), utc(official))
        lead = f", {abs(minutes):.0f} min {'before' if minutes >= 0 else 'after'} the provider"
    alert = f"alert {first[11:16]}{lead}" if first else "no alert"
    posted = f"official {official[11:19]}" if official else "no official notice"
    parts = ", ".join(names(incident["components"], service)) or "-"
    onset = incident["onset"]
    end = incident["end"][5:16].replace("T", " ") if incident["end"] else "open"
    return (
        f"{onset[:10]} {onset[11:16]} to {end}  {service.name}: {incident['state']}, impact {incident['impact']}; "
        f"{alert}; {posted}; {parts}"
    )


def scores_line(scores: Mapping[str, Any]) -> str:
    """Return the comparison with the recorded truth."""
    delay = scores["median_minutes_to_alert"]
    return (
        f"Against the recorded truth: {scores['found']} of {scores['outages']} outages alerted"
        + (f", {delay:g} min after their onset in the median" if delay is not None else "")
        + f"; {scores['alerts_in_quiet_spans']} alerts in {scores['quiet_spans']} spans in which nothing was broken."
    )


def timeline(outcome: Mapping[str, Any], incident_id: str, catalogue: Catalogue, day: datetime) -> list[str]:
    """Return what happened on a day in one incident, in UTC and Pacific time: signals, notices, alerts, press."""
    incident = next(i for i in outcome["incidents"] if i["id"] == incident_id)
    service = catalogue[incident["service"]]
    rows: list[tuple[str, str]] = []
    for phase in outcome["phases"]:
        if phase["incident"] == incident_id and phase["phase"] in ("onset", "peak", "over"):
            rows.append((phase["since"], f"{phase['phase']}: {phase['why']}"))
    for note in outcome["official"]:
        if note["incident"] == incident_id:
            rows.append((note["at"], note["statement"]))
    for span in outcome["components"]:
        if span["incident"] != incident_id:
            continue
        part = names([span["component"]], service)[0]
        verb = "affected" if span["status"] == "affected" else "said to work"
        rows.append((span["since"], f"{part} {verb}, by {span['source']}: {span['detail']}"))
        if span["until"] and span["source"] == "official":
            rows.append((span["until"], f"{part} no longer listed by the provider"))
    rows += [
        (a["at"], f"MAIL {a['transition']}: {header_safe(a['subject'])}")
        for a in outcome["alerts"]
        if a["incident"] == incident_id
    ]
    today = [row for row in rows if utc(row[0]).date() == day.date()]
    return [f"  {two_clocks(stamp)}  {words}" for stamp, words in sorted(today)]


def link_lines(outcome: Mapping[str, Any], incident_id: str, *, most: int = 5) -> list[str]:
    """Return the links of an incident by relation, the strongest of each, with the evidence against."""
    lines = []
    mine = [k for k in outcome["links"] if k["incident"] == incident_id]
    for relation in ("context_before", "reports", "follow_up", "other_incident"):
        some = [k for k in mine if k["relation"] == relation]
        if not some:
            continue
        lines.append(f"  {relation} ({len(some)})")
        for k in sorted(some, key=lambda k: (-len(k["evidence_against"]) if relation == "reports" else 0, -k["score"]))[
            :most
        ]:
            lines.append(
                f"    {k['first_seen'][5:16].replace('T', ' ')} UTC  {header_safe(k['title'], 90)} "
                f"({k['outlets']} outlets)"
            )
            lines += [f"      against: {reason}" for reason in k["evidence_against"]]
    return lines
