"""Each bound of what is said of places, held just below and just above it."""

from __future__ import annotations

import pytest

from pipeline.config.paths import PLACES
from pipeline.core.row_refs import RowRef
from pipeline.core.vocabulary import RowTable
from pipeline.incidents import places, scope
from pipeline.text import places as place_names
from tests.scope_inputs import HOUR, MINUTE, SECOND, START, posted
from tests.test_story import SERVICE

COUNTS = RowRef(RowTable.COMPLAINT_COUNTS, "svc")


@pytest.mark.parametrize(("placed", "known"), [(4, False), (5, True)])
def test_fewer_than_five_reports_that_name_a_place_do_not_say_where(placed: int, known: bool) -> None:
    votes = [posted(n * SECOND, fails="web", region="Berlin, DE") for n in range(placed)]
    kinds = {evidence.kind for evidence in scope.shares(SERVICE, votes, START)}
    assert ("where" in kinds, "region" in kinds) == (known, True)


@pytest.mark.parametrize(("elsewhere", "where"), [(0, "Berlin only"), (1, "Europe and beyond")])
def test_one_report_from_another_continent_is_beyond(elsewhere: int, where: str) -> None:
    votes = [posted(n * SECOND, fails="web", region="Berlin, DE") for n in range(5)]
    votes += [posted(n * MINUTE, fails="web", region="US-OH") for n in range(1, elsewhere + 1)]
    assert [e.subject for e in scope.shares(SERVICE, votes, START) if e.kind == "where"] == [where]


@pytest.mark.parametrize(
    ("came", "usual", "clear"),
    [(129.9, 100.0, False), (130.0, 100.0, True), (2.9, 0.0, False), (3.0, 0.0, True), (3.3, 0.4, False)],
)
def test_complaints_of_places_are_clear_from_three_poisson_deviations(came: float, usual: float, clear: bool) -> None:
    # the square root of 100 is 10; of less than one complaint the deviation is taken as one
    assert bool(list(places.counted_places({"DE": (came, usual)}, START, COUNTS))) == clear


@pytest.mark.parametrize(("more", "where"), [(14.9, "Germany only"), (15.0, "Europe and beyond")])
def test_complaints_from_beyond_are_fifteen_percent_of_those_of_the_first_place(more: float, where: str) -> None:
    counted = {"DE": (100.0, 0.0), "US": (more, 0.0)}
    assert [e.subject for e in places.counted_places(counted, START, COUNTS) if e.kind == "where"] == [where]


@pytest.mark.parametrize(
    ("regions", "units"),
    [
        (("US", "CA"), ("US", "CA")),
        (("US-OH", "CA-ON"), ("US", "CA")),
        (("CA-ON", "CA-QC"), ("CA-ON", "CA-QC")),  # the country would say nothing
        (("CA-ON",), ("CA",)),
        (("Ontario", "Québec"), ("Ontario", "Québec")),
        (("DEutschland", "FR"), ("DEutschland", "FR")),
        (
            ("BC", "ON", "QC", "NL", "PE", "SK"),
            ("BC", "ON", "QC", "NL", "PE", "SK"),
        ),  # half are countries' codes, too
        (("NSW", "VIC", "SA", "WA"), ("NSW", "VIC", "SA", "WA")),
        (("ES-AN", "ES-CT", "ES-M"), ("ES-AN", "ES-CT", "ES-M")),
        (("CA", "CA-ON", "US"), ("CA", "US")),  # Ontario is in Canada's total already
    ],
)
def test_a_region_counts_for_its_country_or_for_itself(regions: tuple[str, ...], units: tuple[str, ...]) -> None:
    assert tuple(places.units_of(regions).values()) == units


@pytest.mark.parametrize(
    ("regions", "failing", "where"),
    [
        (("CA-AB", "CA-ON", "CA-QC"), "CA-ON", "Ontario only"),
        (("ES-AN", "ES-CT", "ES-MD"), "ES-CT", "Cataluña only"),
        (("ES-A", "ES-B", "ES-V"), "ES-B", "ES-B only"),  # no name is known of it
        (("AB", "BC", "MB", "NB", "NL", "NS", "ON", "PE", "QC", "SK"), "NL", "NL only"),
        (("New South Wales", "Victoria", "South Australia"), "South Australia", "South Australia only"),
        (("CA", "US", "GB"), "CA", "Canada only"),
    ],
)
def test_an_outage_in_one_province_or_country_is_placed_there(
    regions: tuple[str, ...], failing: str, where: str
) -> None:
    counted = {region: (400.0 if region == failing else 50.0, 50.0) for region in places.units_of(regions).values()}
    (said_where,) = [e for e in places.counted_places(counted, START, COUNTS) if e.kind == "where"]
    assert said_where.subject == where
    assert said_where.statement.startswith(f"{where}: 350 of 350 complaints above the usual are from ")


@pytest.mark.parametrize(
    ("regions", "where"),
    [
        (("CA-ON",) * 5, "Ontario only"),
        (("ES-CT",) * 6, "Cataluña only"),
        (("Toronto, CA",) * 5, "Toronto only"),
        (("CA-ON", "CA-ON", "CA-ON", "CA-ON", "Toronto, CA"), "Canada only"),
        (("CA-ON", "CA-QC", "CA-QC", "CA-QC", "CA-QC"), "Canada only"),
        (("CA-ON", "US-NY", "CA-QC", "CA-QC", "CA-QC"), "North America only"),
        (("CA-ON; Toronto, CA",) * 5, "Canada only"),
    ],
)
def test_reports_place_a_failure_in_the_narrowest_place_that_all_of_them_name(
    regions: tuple[str, ...], where: str
) -> None:
    votes = [posted(n * SECOND, fails="web", region=region) for n, region in enumerate(regions)]
    assert [e.subject for e in scope.shares(SERVICE, votes, START) if e.kind == "where"] == [where]


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("Rogers is down in Ontario", "network rogers; CA-ON"),
        ("no signal in Saskatchewan since noon", "CA-SK"),
        ("is it down in Newfoundland too?", "CA-NL"),
        ("sin internet en Cataluña", "ES-CT"),
        ("caído en Andalucía desde las 9", "ES-AN"),
        ("no funciona en Castilla y León", "ES-CL"),
        ("Telstra out across the Northern Territory", "network telstra; AU-NT"),
    ],
)
def test_a_post_that_names_a_province_is_read_as_from_there(text: str, region: str) -> None:
    assert place_names.where(text, PLACES) == region


def test_regions_that_are_no_countries_are_named_and_not_called_elsewhere() -> None:
    counted = {"Ontario": (900.0, 10.0), "Québec": (300.0, 10.0)}
    found = list(places.counted_places(counted, START, COUNTS))
    assert [e.subject for e in found] == ["Ontario", "Québec", "Ontario and beyond"]
    mixed = list(places.counted_places({"CA": (900.0, 10.0), "ZZ": (300.0, 10.0)}, START, COUNTS))
    assert [e.subject for e in mixed] == ["North America", "elsewhere", "Canada and beyond"]


@pytest.mark.parametrize(
    ("region", "expected"),
    [
        ("Osaka, JP", ["Asia"]),
        ("US-OH", ["North America"]),
        ("AE", ["Asia"]),
        ("Berlin, DE; Lagos, NG", ["Europe", "Africa"]),
        ("Lima, PE", ["South America"]),
        ("San José, CR", ["Central America"]),
        ("NZ", ["Oceania"]),
        ("XX", []),
        ("", []),
    ],
)
def test_a_place_is_read_as_its_continent(region: str, expected: list[str]) -> None:
    assert list(places.continents(posted(0 * HOUR, region=region))) == expected
