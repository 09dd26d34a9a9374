"""Where a service fails: the narrowest place that most reports or complaints come from. Pure.

A place is a country by its code (`CA`), a part of one (`CA-ON`), a city (`Toronto, CA`), or, where a source has regions
of its own, what that source calls it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache

from pipeline.config.paths import PLACES
from pipeline.core.incidents import Evidence
from pipeline.core.reports import Report
from pipeline.core.row_refs import RowRef
from pipeline.core.vocabulary import EvidenceKind
from pipeline.text.places import name_of_place

MIN_SHARE = 0.15
PLACED = 5  # fewer reports that name a place tell nothing of where
CONTINENTS = {
    "North America": "US CA MX",
    "South America": "BR AR CO CL PE UY EC VE",
    "Central America": "SV GT CR PA DO HN",
    "Europe": "GB IE DE AT CH FR BE NL LU ES PT IT PL CZ SE NO DK FI GR RO HU UA RS HR BG SK TR RU",
    "Asia": "IN PK BD LK JP KR CN TW HK SG MY ID PH TH VN AE SA IL QA KW",
    "Oceania": "AU NZ",
    "Africa": "ZA NG KE EG MA GH",
}
_CONTINENT_OF = {code: name for name, codes in CONTINENTS.items() for code in codes.split()}
ELSEWHERE = "elsewhere"
UNPLACED = ("ZZ", "XX")  # codes for what has no place


def continents(report: Report) -> Sequence[str]:
    """Return the parts of the world a report names, from `Osaka, JP`, `US-OH` or `AE`."""
    return _continents(report.region) if report.region else ()


@lru_cache(maxsize=1_000)  # while an incident lasts, its reports are looked at again and again
def _continents(region: str) -> Sequence[str]:
    return tuple(_CONTINENT_OF[code] for place in _places(region) if (code := _country(place)) in _CONTINENT_OF)


def _places(region: str) -> list[str]:
    return [place for place in region.split("; ") if place]


def _country(place: str) -> str:
    """Return the code of the country a place lies in: the end of `Osaka, JP`, the beginning of `US-OH`."""
    return place.rpartition(", ")[2][:2]


def reported_places(
    votes: Sequence[Report], onset: datetime, cite: Callable[[Sequence[Report]], tuple[RowRef, ...]]
) -> Iterator[Evidence]:
    """Yield where most reports that name a place come from; nothing where fewer than PLACED name one.

    It is the narrowest place that all of them name (a city, a province, a country), else the part of the world that
    most name. `cite` gives the rows behind reports.
    """
    placed = [r for r in votes if continents(r)]
    if len(placed) < PLACED:
        return
    known = [[place for place in _places(r.region) if _country(place) in _CONTINENT_OF] for r in placed]
    for narrowed in (known, [[_country(place) for place in places] for places in known]):
        alone = {place for places in narrowed for place in places}
        if len(alone) == 1:
            first, most, others = name_of_place(alone.pop(), PLACES), len(placed), 0
            break
    else:
        where = Counter(item for r in placed for item in set(continents(r)))
        first, most = min(where.items(), key=lambda pair: (-pair[1], pair[0]))
        others = sum(where.values()) - most
    words = f"{first} and beyond" if others else f"{first} only"
    yield Evidence(
        kind=EvidenceKind.WHERE,
        at=onset,
        subject=words,
        value=most,
        compared_with=len(placed),
        rows=cite(placed),
        statement=f"{words}: {most} of {len(placed)} reports that name a place are from {first}",
    )


def counted_places(counted: Mapping[str, tuple[float, float]], onset: datetime, row: RowRef) -> Iterator[Evidence]:
    """Yield complaints by part of the world, and where most of what is above the usual came from.

    `counted` is (came, usual) by country code, or by region as `units_of` names them. Where one country or region alone
    is above, that one is named. Nothing where they are not clearly above.
    """
    by_country = _are_countries(counted)
    sums: dict[str, tuple[float, float]] = {}
    for unit, (came, usual) in counted.items():
        # where the regions are no countries, each is a place of its own, and `NL` is not the Netherlands
        region = name_of_place(unit, PLACES) if unit not in _CONTINENT_OF else unit
        place = _CONTINENT_OF.get(unit, ELSEWHERE) if by_country else region
        before = sums.get(place, (0.0, 0.0))
        sums[place] = (before[0] + came, before[1] + usual)
    above = _above(sums)
    # as a Poisson count would have it: fewer may be chance
    if sum(above.values()) < 3 * math.sqrt(max(1.0, sum(usual for _, usual in sums.values()))):
        return
    for place in sorted(above, key=lambda p: (-above[p], p)):
        came, usual = sums[place]
        yield Evidence(
            kind=EvidenceKind.REGION,
            at=onset,
            subject=place,
            value=round(came),
            compared_with=round(usual, 1),
            rows=(row,),
            statement=f"{place}: {came:,.0f} complaints, {usual:,.0f} usual at these hours",
        )
    units = _above({unit: sums_of for unit, sums_of in counted.items() if unit in _CONTINENT_OF}) if by_country else {}
    if units and len(counted) > 1 and not _others(units):
        units = {name_of_place(unit, PLACES): more for unit, more in units.items()}
        elsewhere = above.get(ELSEWHERE, 0.0)
        above = units | ({ELSEWHERE: elsewhere} if elsewhere else {})
    first = _first(above)
    words = f"{first} and beyond" if _others(above) else f"{first} only"
    total = sum(above.values())
    yield Evidence(
        kind=EvidenceKind.WHERE,
        at=onset,
        subject=words,
        value=round(above[first]),
        compared_with=round(total),
        rows=(row,),
        statement=f"{words}: {above[first]:,.0f} of {total:,.0f} complaints above the usual are from {first}",
    )


def _above(counted: Mapping[str, tuple[float, float]]) -> dict[str, float]:
    return {place: came - usual for place, (came, usual) in counted.items() if came > usual}


def _first(above: Mapping[str, float]) -> str:
    return min(above, key=lambda place: (-above[place], place))


def _others(above: Mapping[str, float]) -> bool:
    """Return whether a place beside the first is above by a share (MIN_SHARE) of it."""
    first = _first(above)
    return any(more >= MIN_SHARE * above[first] for place, more in above.items() if place != first)


def _are_countries(regions: Collection[str]) -> bool:
    """Return whether a source's regions are countries: more than half of those it places are codes of some.

    Codes of provinces and states (`NL`, `PE`, `SK` beside `ON` and `QC`) may be codes of countries, too.
    """
    placed = [region in _CONTINENT_OF for region in regions if region not in UNPLACED]
    return sum(placed) * 2 > len(placed)


def units_of(regions: Collection[str]) -> dict[str, str]:
    """Return by region what it counts for: its country's code, or itself where it is in no country known.

    Where all are parts of one country (`CA-ON`, `CA-QC`) each counts for itself: the country would say nothing. So does
    each where the regions are no countries. A part of a country whose own total is given counts for nothing (it is
    left out).
    """
    parts = {region: region[:2] for region in regions if region[2:3] == "-" and region[:2] in _CONTINENT_OF}
    whole = [region for region in regions if region not in parts]
    if not whole and len(parts) > 1 and len(set(parts.values())) == 1:
        return {region: region for region in regions}
    if whole and not _are_countries(whole):
        return {region: region for region in regions}
    return {region: parts.get(region, region) for region in regions if parts.get(region) not in whole}
