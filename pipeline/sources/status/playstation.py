"""PlayStation Network: `/data/statuses/region/SCEA.json` and others, the notices of a region, its countries, services.

The same notice stands under every country and service it concerns. Ended and coming ones may be listed too. A file
tells of one region: SCEA the Americas, SCEE Europe, SCEJA Japan and Asia.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.sources.status.notices import Notice, Rows, affected
from pipeline.sources.status.open_lists import close_absent
from pipeline.sources.status.reader import Answer, PageContext, Reader, Reading, Verification
from pipeline.sources.status.typed_json import (
    Entries,
    Entry,
    Moment,
    Text,
    accepted,
    each,
    labels,
    listed,
    member,
    parsed,
    value_of,
)

IMPACTS = {"Outage": "major", "Degraded": "minor", "Maintenance": "maintenance"}
STATES = {"Outage": "major_outage", "Degraded": "degraded_performance", "Maintenance": "under_maintenance"}
WELL = "OK"


class _Status(Entry):
    statusId: Text = ""  # noqa: N815  as the answer writes it
    statusType: Text = ""  # noqa: N815
    startDate: Moment = None  # noqa: N815
    endDate: Moment = None  # noqa: N815
    createdDate: Moment = None  # noqa: N815
    modifiedDate: Moment = None  # noqa: N815


class _Service(Entry):
    serviceName: Text = ""  # noqa: N815
    status: Entries = ()


class _Country(Entry):
    countryCode: Text = ""  # noqa: N815
    status: Entries = ()
    services: Entries = ()


class _Listed(Entry):
    """A notice with the services and countries it stands under."""

    status: _Status
    services: tuple[str, ...]
    countries: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Place:
    status: object
    country: str
    service: str


def recognises(answer: Answer) -> bool:
    """Return whether an answer is a region with countries."""
    value = parsed(answer.body)
    return isinstance(member(value, "regionName"), str) and isinstance(member(value, "countries"), list)


def read(answer: Answer, context: PageContext) -> Reading:
    """Read a region's notices. Raises SourceError when it is no such answer."""
    value = value_of(answer, context, recognises)
    rows = Rows(answer, context)
    places = [_Place(status, "", "") for status in listed(member(value, "status"))]
    places += _places(listed(member(value, "countries")))
    rows.add(_merged(places), _Listed, lambda entry: _notice(entry, context), "notice")
    return close_absent(rows.reading(), context)


def _places(countries: list[object]) -> Iterator[_Place]:
    for country in accepted(each(_Country, countries, "country")):
        for status in country.status:
            yield _Place(status, country.countryCode, "")
        for service in accepted(each(_Service, country.services, "service")):
            for status in service.status:
                yield _Place(status, country.countryCode, service.serviceName)


def _merged(places: list[_Place]) -> list[object]:
    """Return every notice once, with the services and countries it stands under."""
    found: dict[object, list[_Place]] = {}
    for number, place in enumerate(places):
        named = [member(place.status, key) for key in ("statusId", "statusType", "startDate")]
        known = tuple(str(item) for item in named) if any(named) else number
        found.setdefault(str(named[0]) if named[0] else known, []).append(place)
    return [
        {
            "status": places[0].status,
            "services": list(dict.fromkeys(place.service for place in places if place.service)),
            "countries": list(dict.fromkeys(place.country for place in places if place.country)),
        }
        for places in found.values()
    ]


def _notice(entry: _Listed, context: PageContext) -> Notice | None:
    status = entry.status
    if status.statusType == WELL:
        return None
    if status.statusType not in IMPACTS:
        raise ValueError(f"unknown type {status.statusType!r}")
    began = status.startDate or status.createdDate
    if began is None:
        raise ValueError("no start")
    services = labels({"name": name} for name in entry.services)
    planned, begun = status.statusType == "Maintenance", began <= context.fetched_at
    ended = status.endDate if status.endDate is not None and status.endDate <= context.fetched_at else None
    if not begun and not planned:
        raise ValueError(f"time {began.isoformat()} is in the future")
    if planned:
        word = "completed" if ended else "in_progress" if begun else "scheduled"
    else:
        word = "resolved" if ended else "investigating"
    return Notice(
        id=status.statusId or f"{status.statusType} {began.isoformat()} {', '.join(services)}"[:250],
        name=f"{', '.join(services) or 'PlayStation Network'}: {status.statusType}",
        status=word,
        impact=IMPACTS[status.statusType],
        started_at=began if begun else None,
        resolved_at=ended if begun else None,
        scheduled_for=began if planned else None,
        scheduled_until=status.endDate if planned else None,
        parts=affected(services, STATES[status.statusType]),
        also_named=(*services, *entry.countries),
    )


PLAYSTATION = Reader(
    name="playstation",
    platform="PlayStation",
    paths=("data/statuses/region/SCEA.json",),
    recognises=recognises,
    read=read,
    verification=Verification.CLIENT,
    origin="inket/stts@1aa936d6/stts/Services/Super/PlayStationNetwork.swift; other public clients for the dates",
)
