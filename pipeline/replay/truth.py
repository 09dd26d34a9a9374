"""What truly happened in a recorded folder, as truth.toml says: outages, quiet spans, and news that belongs to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from pipeline.config.load import read_toml
from pipeline.core.times import utc

IMPACTS = ("minor", "major", "critical")


class TrueOutage(NamedTuple):
    """An outage that happened, from when until when, and what else is known of it.

    impact: minor, major or critical; empty where the record does not say. third_report: when the third credible report
    of it existed. official_first: the provider's first notice. components: ids of the parts that failed. main: whether
    the recording is about this outage and has others before and after it. Times are None where they are not known.
    """

    service: str
    onset: datetime
    end: datetime
    impact: str = ""
    third_report: datetime | None = None
    official_first: datetime | None = None
    components: tuple[str, ...] = ()
    main: bool = False


class QuietSpan(NamedTuple):
    """A span in which a service was not broken, whatever was said of it."""

    service: str
    since: datetime
    until: datetime


class TrueLink(NamedTuple):
    """How the news items whose ids begin with `url` stand to the outages of a service; `unrelated`: not at all."""

    service: str
    url: str
    relation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """All of truth.toml that can be used, in the order of the file; `problems` has a line for each other entry."""

    outages: tuple[TrueOutage, ...] = ()
    quiet: tuple[QuietSpan, ...] = ()
    links: tuple[TrueLink, ...] = ()
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
    details: list[TrueOutage] = []
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
                continue
            entries.append(read)
            if kind == "incident":
                details.append(_with_details(read, entry, where, problems))
        found[kind] = entries
    return Truth(
        outages=tuple(details),
        quiet=tuple(QuietSpan(*entry) for entry in found["quiet"]),
        links=tuple(_links(table)),
        problems=tuple(problems),
    )


def _with_details(read: _Entry, entry: Mapping[str, object], where: str, problems: list[str]) -> TrueOutage:
    """Return an outage with what else its entry says; what cannot be read is left out and added to `problems`."""
    times: dict[str, datetime | None] = {"third_report": None, "official_first": None}
    for key in times:
        try:
            times[key] = moment(entry[key]) if key in entry else None
        except ValueError as error:
            problems.append(f"{where}: {key}: {error}; left out")
    impact, parts = entry.get("impact", ""), entry.get("components", [])
    if impact not in ("", *IMPACTS):
        problems.append(f"{where}: impact: must be one of {', '.join(IMPACTS)}; left out")
        impact = ""
    return TrueOutage(
        *read,
        impact=str(impact),
        third_report=times["third_report"],
        official_first=times["official_first"],
        components=tuple(map(str, parts)) if isinstance(parts, list) else (),
        main=entry.get("main") is True,
    )


def _links(table: Mapping[str, object]) -> Iterator[TrueLink]:
    """Yield the links of truth.toml: of a service, or of the service of the incident whose `official` id they name."""
    incidents, listed = (table.get(key) for key in ("incident", "link"))
    owners = {
        str(entry["official"]): str(entry.get("service", ""))
        for entry in (incidents if isinstance(incidents, list) else [])
        if isinstance(entry, dict) and "official" in entry
    }
    for entry in listed if isinstance(listed, list) else []:
        if isinstance(entry, dict) and isinstance(url := entry.get("url"), str) and url:
            service = str(entry.get("service", owners.get(str(entry.get("incident")), "")))
            yield TrueLink(service, url, str(entry.get("relation", "")))


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
