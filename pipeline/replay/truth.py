"""What truly happened in a recorded folder, as truth.toml says: outages, and spans in which nothing was broken."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from pipeline.config.load import read_toml
from pipeline.core.errors import ConfigError
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
    """All of truth.toml, in the order of the file."""

    outages: tuple[TrueOutage, ...] = ()
    quiet: tuple[QuietSpan, ...] = ()


def read_truth(path: Path) -> Truth:
    """Read truth.toml, nothing where there is none; raises ConfigError naming the entry and key that is wrong."""
    if not path.exists():
        return Truth()
    table = read_toml(path)
    outages = [TrueOutage(*entry) for entry in _entries(path, table.get("incident", []), "incident", "onset", "end")]
    quiet = [QuietSpan(*entry) for entry in _entries(path, table.get("quiet", []), "quiet", "from", "until")]
    return Truth(outages=tuple(outages), quiet=tuple(quiet))


class _Entry(NamedTuple):
    service: str
    since: datetime
    until: datetime


def _entries(path: Path, listed: object, kind: str, since: str, until: str) -> list[_Entry]:
    entries = []
    for number, entry in enumerate(listed if isinstance(listed, list) else [listed], 1):
        where = f"{path}: {kind} {number}"
        if not isinstance(entry, dict) or not isinstance(service := entry.get("service"), str):
            raise ConfigError(f"{where}: must be a [[{kind}]] table with a service")
        times = []
        for key in (since, until):
            if key not in entry:
                raise ConfigError(f"{where}: {key}: is missing")
            try:
                times.append(moment(entry[key]))
            except ValueError as error:
                raise ConfigError(f"{where}: {key}: {error}") from error
        entries.append(_Entry(service, *times))
    return entries


def moment(value: object) -> datetime:
    """Return a time of a TOML file, a date-time or text, in UTC; raises ValueError where it has no zone."""
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError(f"{value} has no time zone; end it with Z")
        return value.astimezone(UTC)
    return utc(str(value))
