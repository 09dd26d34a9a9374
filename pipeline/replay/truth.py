"""What truly happened in a recorded folder, as truth.toml says: outages, and spans in which nothing was broken."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from pipeline.config.load import read_toml
from pipeline.core.times import utc


class TrueOutage(NamedTuple):
    """An outage that happened: from when until when."""

    service: str
    onset: datetime
    end: datetime


class QuietSpan(NamedTuple):
    """A span in which a service was not broken, whatever was said of it."""

    service: str
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """All of truth.toml that can be used, in the order of the file; `problems` has a line for each other entry."""

    outages: tuple[TrueOutage, ...] = ()
    quiet: tuple[QuietSpan, ...] = ()
    problems: tuple[str, ...] = ()


def read_truth(path: Path, until: datetime) -> Truth:
    """Read truth.toml, nothing where there is none; raises ConfigError where it is no TOML.

    What has no end lasts to `until`, the end of the recording.
    """
    if not path.exists():
        return Truth()
    table = read_toml(path)
    problems: list[str] = []
    found: dict[str, list[_Entry]] = {}
    for kind, since, end in (("incident", "onset", "end"), ("quiet", "from", "until")):
        listed = table.get(kind, [])
        entries: list[_Entry] = []
        for number, entry in enumerate(listed if isinstance(listed, list) else [listed], 1):
            where = f"{path}: {kind} {number}"
            try:
                read = _entry(entry, kind, since, end, until)
            except ValueError as error:
                problems.append(f"{where}: {error}; left out")
                continue
            if end not in entry:
                problems.append(f"{where}: {end}: is missing; taken for {until:%Y-%m-%d %H:%M} UTC")
            if read in entries:
                problems.append(f"{where}: is the same as an earlier one; left out")
            else:
                entries.append(read)
        found[kind] = entries
    return Truth(
        outages=tuple(TrueOutage(*entry) for entry in found["incident"]),
        quiet=tuple(QuietSpan(*entry) for entry in found["quiet"]),
        problems=tuple(problems),
    )


class _Entry(NamedTuple):
    service: str
    since: datetime
    until: datetime


def _entry(entry: object, kind: str, since: str, end: str, until: datetime) -> _Entry:
    """Read one entry; raises ValueError that says what is wrong with it."""
    if not isinstance(entry, dict) or not isinstance(service := entry.get("service"), str):
        raise ValueError(f"must be a [[{kind}]] table with a service")
    if since not in entry:
        raise ValueError(f"{since}: is missing")
    times = []
    for key, value in ((since, entry[since]), (end, entry.get(end, until))):
        try:
            times.append(moment(value))
        except ValueError as error:
            raise ValueError(f"{key}: {error}") from error
    if times[1] < times[0]:
        raise ValueError(f"{end}: lies before {since}")
    return _Entry(service, *times)


def moment(value: object) -> datetime:
    """Return a time of a TOML file, a date-time or text, in UTC; raises ValueError where it has no zone."""
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError(f"{value} has no time zone; end it with Z")
        return value.astimezone(UTC)
    return utc(str(value))
