"""Who is notified of an incident, and when: routes, mute times, silences. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from pipeline.config.setting_values import TimeInterval, parse_time_interval
from pipeline.config.settings import Config, Route
from pipeline.core.alerts import Silence
from pipeline.core.incidents import Incident
from pipeline.core.vocabulary import Impact, State


def routes_of(config: Config) -> tuple[Route, ...]:
    """Return the configured routes, each with its state said; without any, one that gets every message."""
    everything = Route(name="", from_state=config.alerts.from_state)
    state = config.alerts.from_state
    return tuple(r if r.from_state else replace(r, from_state=state) for r in config.alerts.routes) or (everything,)


def route_mismatches(route: Route, incident: Incident, at: datetime, hit: Collection[str] = ()) -> Iterator[str]:
    """Yield in words why an incident does not match a route as it stands; nothing where it does.

    `hit` are the services of a shared failure: a route that takes one of them takes it.
    """
    name = f"route {route.name}" if route.name else "alerts"
    if route.services and not {incident.service, *hit} & set(route.services):
        yield f"{name} takes {', '.join(route.services)} only"
    affected = incident.affected(at)
    if route.components and not set(affected) & set(route.components):
        named = ", ".join(affected) or "no part is named"
        yield f"{name} takes {', '.join(route.components)} only; affected: {named}"
    places = {e.subject for e in incident.evidence if e.kind == "region"}
    if route.regions and not places & set(route.regions):
        yield f"{name} takes {', '.join(route.regions)} only; named: {', '.join(sorted(places)) or 'no place'}"
    least = State(route.from_state or State.POSSIBLE)
    if incident.active and incident.state.rank < least.rank:
        yield f"{name} waits until it is {least}; it is {incident.state}"
    if incident.impact.rank < Impact(route.from_impact).rank:
        yield f"{name} takes impact {route.from_impact} and above; it is {incident.impact}"


def muted_until(route: Route, impact: Impact, at: datetime) -> datetime | None:
    """Return when a route's mute time intervals end; None where it may be notified now, or the impact goes through.

    Intervals that follow on each other count as one, each of them once.
    """
    if impact.rank >= Impact(route.quiet_except).rank:
        return None
    intervals = [parse_time_interval(value) for value in route.mute_time_intervals]
    until: datetime | None = None
    while intervals:
        covering = next((i for i in intervals if _end_of(i, until or at) is not None), None)
        if covering is None:
            break
        until = _end_of(covering, until or at)
        intervals.remove(covering)
    return until


def _end_of(interval: TimeInterval, at: datetime) -> datetime | None:
    """Return when an interval that holds a moment ends, None where it does not hold it.

    The wall clock of its zone counts, over changes of clocks, too.
    """
    begin, end, zone = interval
    there = at.astimezone(zone)
    over_night = begin >= end
    inside = there.time() >= begin or there.time() < end if over_night else begin <= there.time() < end
    if not inside:
        return None
    day = there.date() + timedelta(days=1 if over_night and there.time() >= begin else 0)
    return datetime.combine(day, end, tzinfo=zone).astimezone(at.tzinfo)


def active_silence(
    silences: Sequence[Silence], services: Collection[str], affected: Iterable[str], at: datetime
) -> Silence | None:
    """Return the first silence that keeps what hits these services quiet at a moment: each of them must be silenced."""
    affected = set(affected)
    covering = [next((s for s in silences if s.covers(service, affected, at)), None) for service in services]
    return covering[0] if covering and None not in covering else None
