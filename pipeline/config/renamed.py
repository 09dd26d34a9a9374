"""Settings under their former names: read for one more version, with a notice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from msgspec import Struct


class Renamed(Struct, frozen=True, kw_only=True):
    """One key of a table that has another name now; `convert` turns its former value into the present one."""

    old: str
    new: str
    convert: Callable[[object], object] = lambda value: value


ALERT_KEYS = (
    Renamed(old="wait_for_more", new="group_wait"),
    Renamed(old="min_gap", new="group_interval"),
    Renamed(old="max_gap", new="max_group_interval"),
    Renamed(old="remind_every", new="repeat_interval"),
)
ROUTE_KEYS = (
    Renamed(
        old="quiet_hours",
        new="mute_time_intervals",
        convert=lambda value: (value,) if isinstance(value, str) and value else value or (),
    ),
)


def with_present_names(table: object, renamed: Sequence[Renamed]) -> object:
    """Return a table with each former key under its present name; raises ValueError where both are there.

    What is no table is returned as it is, for the validation that follows to refuse.
    """
    if not isinstance(table, Mapping):
        return table
    present = dict(table)
    for key in renamed:
        if key.old in present:
            if key.new in present:
                raise ValueError(f"{key.old} is the former name of {key.new}: set only {key.new}")
            present[key.new] = key.convert(present.pop(key.old))
    return present


def former_names(table: Mapping[str, object]) -> Iterator[str]:
    """Yield `former key -> present key` for each former name that a configuration uses, each once."""
    alerts = table.get("alerts")
    if not isinstance(alerts, Mapping):
        return
    yield from (f"alerts.{key.old} -> {key.new}" for key in ALERT_KEYS if key.old in alerts)
    routes = alerts.get("routes")
    tables = [route for route in routes if isinstance(route, Mapping)] if isinstance(routes, list) else []
    for key in ROUTE_KEYS:
        if any(key.old in route for route in tables):
            yield f"alerts.routes.{key.old} -> {key.new}"
