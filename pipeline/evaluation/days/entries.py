"""The alerts of any system, a JSON object a line: the form in which a system of another make enters the benchmark."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from pipeline.core.times import iso, utc
from pipeline.sources.delimited import read_capped

LONGEST_LINE = 100_000
MOST_BYTES = 64 * 1024 * 1024
FIELDS = ("at", "services", "kind", "alarm", "components", "links", "day")


class EntryKind(StrEnum):
    """What a message says: something is wrong, more of it, it eases, it is over."""

    ALARM = "alarm"
    UPDATE = "update"
    EASING = "easing"
    OVER = "over"

    @property
    def warns(self) -> bool:
        """Return whether a reader learns from it that something is wrong."""
        return self in (EntryKind.ALARM, EntryKind.UPDATE)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertEntry:
    """One message of a system: when it was sent, what it says, and which services, components and news it names.

    alarm: the same for all messages of one alarm; empty: the system does not say. day: the name of the recorded day;
    empty: the one in whose span it lies.
    """

    at: datetime
    services: tuple[str, ...]
    kind: EntryKind = EntryKind.ALARM
    alarm: str = ""
    components: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    day: str = ""

    def to_json(self) -> str:
        """Return it as a line of a file; what is empty is left out."""
        fields = {
            "at": iso(self.at),
            "services": self.services,
            "kind": self.kind,
            "alarm": self.alarm,
            "components": self.components,
            "links": self.links,
            "day": self.day,
        }
        return json.dumps({key: value for key, value in fields.items() if value}, ensure_ascii=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownDay:
    """A day that entries may be about: its name, its span, and the services that are watched in it."""

    name: str
    begin: datetime
    until: datetime
    watched: Collection[str]


class ReadEntries(NamedTuple):
    """The entries of a file, oldest first, and a line for each that was refused: `file:line: why`."""

    entries: tuple[AlertEntry, ...]
    refused: tuple[str, ...]


def read_entries(path: Path, days: Sequence[KnownDay], now: datetime) -> ReadEntries:
    """Read a file of alerts; what cannot be scored is refused by line and the rest is used.

    Refused are: no JSON object, a field that is missing, unknown or of the wrong type, a time without a zone, in the
    future or outside of all days, a service that is not watched on that day, and the repetition of an earlier line.
    Raises SourceError where the file cannot be opened or is too large.
    """
    lines = read_capped(path, MOST_BYTES).split(b"\n")
    found: dict[AlertEntry, int] = {}
    refused: list[str] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            entry = _entry(line, days, now)
            if entry in found:
                raise ValueError(f"is the same as line {found[entry]}")
        except ValueError as error:
            refused.append(f"{path}:{number}: {error}")
            continue
        found[entry] = number
    return ReadEntries(tuple(sorted(found, key=lambda entry: entry.at)), tuple(refused))


def _entry(line: bytes, days: Sequence[KnownDay], now: datetime) -> AlertEntry:
    """Read one line; raises ValueError that says why it cannot be scored."""
    if len(line) > LONGEST_LINE:
        raise ValueError(f"is longer than {LONGEST_LINE} bytes")
    try:
        fields = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError("is not JSON") from error
    if not isinstance(fields, dict):
        raise ValueError("is not a JSON object")
    if unknown := sorted(set(fields) - set(FIELDS)):
        raise ValueError(f"{unknown[0][:40]!r}: unknown field; one of {', '.join(FIELDS)}")
    at = _time(fields.get("at"), now)
    kind = fields.get("kind", EntryKind.ALARM.value)
    if kind not in tuple(EntryKind):
        raise ValueError(f"kind: must be one of {', '.join(EntryKind)}")
    services = _texts(fields, "services")
    if not services:
        raise ValueError("services: must name at least one")
    day = _day_of(at, _text(fields, "day"), days)
    if unwatched := sorted(set(services) - set(day.watched)):
        raise ValueError(f"services: {unwatched[0][:40]!r} is not watched on {day.name}")
    return AlertEntry(
        at=at,
        services=services,
        kind=EntryKind(kind),
        alarm=_text(fields, "alarm"),
        components=_texts(fields, "components"),
        links=_texts(fields, "links"),
        day=day.name,
    )


def _time(value: object, now: datetime) -> datetime:
    if not isinstance(value, str):
        raise ValueError("at: must be a time as text, as 2026-03-02T11:40:00Z")
    try:
        at = utc(value)
    except ValueError as error:
        raise ValueError(f"at: {error}") from error
    if at > now:
        raise ValueError(f"at: {value} is in the future")
    return at


def _day_of(at: datetime, name: str, days: Sequence[KnownDay]) -> KnownDay:
    """Return the day that an entry is about; raises ValueError where there is none or more than one."""
    if name and name not in {day.name for day in days}:
        raise ValueError(f"day: {name[:40]!r} is none of the days")
    near = [day for day in days if day.begin <= at <= day.until and name in ("", day.name)]
    if not near:
        raise ValueError(f"at: {iso(at)} is in none of the days" if not name else f"at: {iso(at)} is not of {name}")
    if len(near) > 1:
        raise ValueError(f"day: must be named, {near[0].name} and {near[1].name} both have {iso(at)}")
    return near[0]


def _text(fields: dict[str, object], key: str) -> str:
    value = fields.get(key, "")
    if not isinstance(value, str):
        raise ValueError(f"{key}: must be text")
    return value


def _texts(fields: dict[str, object], key: str) -> tuple[str, ...]:
    value = fields.get(key, [])
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ValueError(f"{key}: must be a list of texts")
    return tuple(dict.fromkeys(value))


def write_entries(path: Path, entries: Iterable[AlertEntry]) -> None:
    """Write a file of alerts as `read_entries` reads it."""
    path.write_text("".join(f"{entry.to_json()}\n" for entry in entries), encoding="utf-8")
