"""An incident in one plain sentence: what fails, since when, how long, what works, lead over the provider, the peak."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from msgspec import Struct

from pipeline.core.vocabulary import State

NAMED = 4  # names in one list; the rest is counted
NEAR = 1.5  # times what is expected: up to there a count is no peak

# how it fails, while it lasts
_SYMPTOMS = {
    "login": "logins have been failing",
    "error": "requests have been ending in errors",
    "slow": "it has been slow",
    "no_response": "it has not been responding",
    "crash": "apps have been crashing",
    "payment": "payments have been failing",
    "data": "data has been wrong or missing",
    "connection": "connections have been failing",
    "partial": "some functions have been failing",
}
_ANY = "it has been failing"
_NAMES = {
    "login": "login failures",
    "error": "errors",
    "slow": "slow responses",
    "no_response": "no responses",
    "crash": "crashes",
    "payment": "payment failures",
    "data": "wrong or missing data",
    "connection": "connection failures",
    "partial": "partial failures",
}


def symptom_name(symptom: str) -> str:
    """Return what fails as a title says it."""
    return _NAMES.get(symptom, "outage")


class PeakCount(NamedTuple):
    """The highest count of a chart: what was counted in `minutes`, and what is expected then (None: not known).

    `service` is the name of the service of a shared failure that it is of, empty where there is only one.
    """

    observed: float
    expected: float | None
    unit: str
    minutes: int
    service: str = ""


class IncidentSummary(Struct, frozen=True, kw_only=True):
    """What the sentence is made of. `members` are the services of a shared failure, which has no symptom of its own;
    `restored` those of them that are over while `members` still fail.

    `works` are components that users say work, each with until when (None: to the end, or now). `reported_since` is
    since when reports or complaints rose, None where they never did. `has_page` false: it has no status page.
    """

    service: str
    state: State
    symptom: str
    onset: datetime
    end: datetime | None
    now: datetime
    affected: Sequence[str]
    works: Sequence[tuple[str, datetime | None]]
    official_first_at: datetime | None
    reported_since: datetime | None
    first_alert_at: datetime | None
    peak: PeakCount | None = None
    members: Sequence[str] = ()
    restored: Sequence[str] = ()
    has_page: bool = True


def summary_sentence(summary: IncidentSummary, zone: str) -> str:
    """Return the sentence, times in `zone`."""
    s = summary
    over = s.end is not None
    doubt = f" ({s.state} outage, not confirmed)" if s.state in (State.POSSIBLE, State.LIKELY) else ""
    parts = f" ({listed(s.affected)})" if s.affected and not s.members else ""
    if s.members:
        what = f"{_services(s.members)} {'failed' if over else 'have been failing'} together {_span(s, zone)}"
        if s.restored:
            back = f"{_services(s.restored)} {'are' if len(s.restored) > 1 else 'is'} back to normal"
            still = f"{listed(s.members)} {'have' if len(s.members) > 1 else 'has'} been failing"
            what = f"{back}, while {still} {_span(s, zone)}"
    elif over:  # what most reports named need not have lasted to the end
        mostly = f"mostly {symptom_name(s.symptom)}" if s.symptom in _NAMES else "parts affected" if parts else ""
        what = ", ".join(filter(None, (f"incident {_span(s, zone)}", f"{mostly}{parts}")))
    else:
        what = f"{_SYMPTOMS.get(s.symptom, _ANY)}{parts} {_span(s, zone)}"
    clauses = [f"{s.service}{doubt}: {what}"]
    if s.works and not s.members:
        clauses[0] += f", while {_works(s, zone)}"
    clauses.append(_lead(s, zone))
    if s.peak is not None:
        clauses.append(_peak(s.peak, over=over))
    return "; ".join(filter(None, clauses)) + "."


def listed(names: Sequence[str], most: int = NAMED) -> str:
    """Return names as `a, b and c`; those beyond `most` are counted. Empty of none."""
    if not names:
        return ""
    shown = list(names) if len(names) <= most else [*names[: most - 1], f"{len(names) - most + 1} more"]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def duration(span: timedelta) -> str:
    """Return a span as `under 1 min`, `12 min`, `9 h 39 min` or `2 d 4 h`."""
    minutes = max(0, round(span / timedelta(minutes=1)))
    if minutes == 0:
        return "under 1 min"
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def _works(s: IncidentSummary, zone: str) -> str:
    throughout = [name for name, until in s.works if until is None]
    clauses = []
    if throughout:
        verb = "worked" if s.end else "works" if len(throughout) == 1 else "work"
        clauses.append(f"{listed(throughout)} {verb} for most")
    clauses += [
        f"{name} worked for most until {_clock_and_day(until, s, zone)}" for name, until in s.works if until is not None
    ]
    return " and ".join(clauses[:2])


def _services(members: Sequence[str]) -> str:
    return f"{len(members)} services ({listed(members)})" if len(members) > 1 else members[0]


def _span(s: IncidentSummary, zone: str) -> str:
    here = ZoneInfo(zone)
    begin = s.onset.astimezone(here)
    lasted = duration((s.end or s.now) - s.onset)
    if s.end is None:
        return f"since {_clock(s.onset, here)} on {begin:%-d %B} ({lasted} so far)"
    end = s.end.astimezone(here)
    day, since = f"{begin:%-d %B %Y}", _clock(s.onset, here)
    lasted = f"{'for' if s.members else 'of'} {lasted}"
    if end.date() == begin.date():
        return f"{lasted} on {day}, from {since} until {end:%H:%M}"
    return f"{lasted}, from {since} on {day} until {end:%H:%M} on {end:%-d %B}"


def _lead(s: IncidentSummary, zone: str) -> str:
    official = s.official_first_at
    if official is None:
        return (
            "" if s.members or not s.has_page else f"no notice from the provider {'was' if s.end else 'has been'} seen"
        )
    if s.first_alert_at is not None:
        first, who = s.first_alert_at, "the first alert went out"
    elif s.reported_since is not None:
        first, who = s.reported_since, "reports rose"
    else:
        return f"known from the provider's status page ({_clock_and_day(official, s, zone)})"
    minutes, posted = round((official - first) / timedelta(minutes=1)), _clock_and_day(official, s, zone)
    if minutes == 0:
        return f"{who} with the provider's first notice ({posted})"
    order = "before" if minutes > 0 else "after"
    return f"{who} {duration(abs(official - first))} {order} the provider's first notice ({posted})"


def _clock_and_day(moment: datetime, s: IncidentSummary, zone: str) -> str:
    """Return the time of day, with its day where it did not begin on that one."""
    here = ZoneInfo(zone)
    there = moment.astimezone(here)
    day = "" if there.date() == s.onset.astimezone(here).date() else f" on {there:%-d %B}"
    return f"{_clock(moment, here)}{day}"


def _clock(moment: datetime, here: ZoneInfo) -> str:
    there = moment.astimezone(here)
    return f"{there:%H:%M} UTC" if here.key == "UTC" else f"{there:%H:%M %Z}"


def _peak(peak: PeakCount, *, over: bool) -> str:
    about = f" about {peak.service}" if peak.service else ""
    if peak.expected is not None and peak.observed <= NEAR * peak.expected:
        verb = "stayed" if over else "are"
        most = f"at most {peak.observed:,.0f} in {peak.minutes} min against {_amount(peak.expected)}"
        return f"{peak.unit}{about} {verb} near normal ({most})"
    usual = f" against {_amount(peak.expected)} normally" if peak.expected is not None else ""
    return f"at the peak {peak.observed:,.0f} {peak.unit}{about} in {peak.minutes} min{usual}"


def _amount(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}".removesuffix(".0")
