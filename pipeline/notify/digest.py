"""Messages that are not about one incident: several told together, the digest, the program's own troubles. Pure.

A note is a subject, a heading, and sections of lines; `facts` of such an alert hold them under "note".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pipeline.core.alerts import Alert
from pipeline.core.times import iso, utc

NAMED = 50


def system_message(
    subject: str, heading: str, sections: Sequence[tuple[str, Sequence[str]]], now: datetime
) -> dict[str, Any]:
    """Return the facts of a note."""
    return {
        "note": True,
        "subject": subject,
        "heading": heading,
        "at": iso(now),
        "simulated": False,
        "sections": [{"title": title, "lines": _some(lines)} for title, lines in sections if lines],
    }


def _some(lines: Sequence[str]) -> list[str]:
    rest = len(lines) - NAMED
    return [*lines[:NAMED], *([f"and {rest} more"] if rest > 0 else [])]


def summary_message(alerts: Sequence[Alert], now: datetime, *, held: bool) -> dict[str, Any]:
    """Return one message that names what several would have told: of each incident its newest word. `held`: by quiet hours, or the cap."""
    newest: dict[str, Alert] = {}
    for alert in sorted(alerts, key=lambda a: (a.created, a.message_id)):
        newest[alert.incident] = alert
    in_order = sorted(newest.values(), key=lambda a: (str(a.facts["service"]), a.incident))
    open_now = [a for a in in_order if a.transition != "over"]
    over = [a for a in in_order if a.transition == "over"]
    names = list(dict.fromkeys(str(a.facts["service"]) for a in in_order))
    simulated = any(a.facts.get("simulated") for a in alerts)
    what = f"{len(open_now)} open, {len(over)} over" if over else f"{len(open_now)} incidents"
    subject = f"{'Held back until now: ' if held else ''}{what}: {', '.join(names[:4])}{' and more' if len(names) > 4 else ''}"
    told = system_message(
        ("[simulated] " if simulated else "") + subject,
        subject,
        [
            ("Open", [_line(a) for a in open_now[:NAMED]]),
            ("Over", [_line(a) for a in over[:NAMED]]),
            (
                "More",
                [f"{len(newest) - 2 * NAMED} more incidents: groundswell incidents"] if len(newest) > 2 * NAMED else [],
            ),
        ],
        now,
    )
    return {**told, "simulated": simulated, "incidents": sorted(newest)}


def _line(alert: Alert) -> str:
    onset = utc(str(alert.facts["onset"]))
    return f"{alert.subject.removeprefix('[simulated] ')}, since {onset:%Y-%m-%d %H:%M} UTC ({alert.incident})"


def digest_message(told: Mapping[str, Any], now: datetime, days: int) -> dict[str, Any]:
    """Return the digest of the last days from counted facts; see pipeline.reports.alert_record.alert_record."""
    span = "day" if days == 1 else "week"
    right, wrong, unknown = told["right"], told["wrong"], told["unknown"]
    counted = (
        f"{told['alerted']} incidents were alerted: {right} right, {wrong} wrong, {unknown} not known (right: the provider posted"
        " within two hours, or you said so)"
    )
    sections = [
        ("Alerts", [counted]),
        ("What we missed", told["missed"]),
        ("Open now", told["open"]),
        ("Messages that could not be sent", told["failed"]),
        ("Blind", [f"{source}: {hours:.1f} h without an answer" for source, hours in told["blind"]]),
        ("Database", [f"{told['bytes'] / 1e6:.1f} MB, {told['new_rows']} rows came in the {span}"]),
    ]
    subject = f"Digest of the {span}: {told['alerted']} incidents alerted, {len(told['missed'])} missed, {len(told['open'])} open"
    return system_message(subject, subject, sections, now)
