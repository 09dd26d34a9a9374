"""Each bound of what is said of components, symptoms and places, held just below and just above it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from pipeline.config.paths import PLACES
from pipeline.core.catalogue import Component, Service
from pipeline.core.incidents import ComponentSpan, NewsEntity, NewsEvent
from pipeline.core.reports import Report
from pipeline.core.row_refs import RowRef
from pipeline.core.vocabulary import ComponentStatus, RowTable, VoteReason
from pipeline.incidents import build, episodes, places, scope
from pipeline.incidents.closing import ClosingRule
from pipeline.text import places as place_names
from tests.test_story import SERVICE, at, built, interval, notice, report

COUNTS = RowRef(RowTable.COMPLAINT_COUNTS, "svc")
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
START = at("10:00")


def said(after: timedelta, *, fails: str = "", works: str = "", author: str = "", **more: Any) -> Report:
    """Return a report so long after 10:00 that one component fails or works; its author and text are its own."""
    base = report("10:00", (fails,) if fails else (), (works,) if works else (), weight=1.0 if fails else 0.0)
    author = author or f"author {after}"
    own = replace(base, created=START + after, native_id=f"{after} {author}", author_key=author, text=author)
    return replace(own, **more)


def spans(reports: list[Report], end: datetime | None = None, now: datetime | None = None) -> list[Any]:
    found = scope.voted_components(reports, end, now or START + DAY)
    return [(s.component, s.status, s.since - START, s.until and s.until - START) for s in found]


# components as the provider lists them


@pytest.mark.parametrize(
    ("status", "affected"),
    [
        ("operational", False),
        ("under_maintenance", False),
        ("", False),
        ("degraded_performance", True),
        ("partial_outage", True),
        ("major_outage", True),
    ],
)
def test_a_component_is_affected_by_every_status_but_working_and_maintenance(status: str, affected: bool) -> None:
    read = episodes.read_provider_incidents([notice(1, "11:00", "investigating", "major", web=status)])
    assert [s.component for s in scope.official_components(SERVICE, read)] == ["web"] * affected


@pytest.mark.parametrize(("clock", "components"), [("12:00", ["api", "web"]), ("12:01", ["web"])])
def test_an_update_after_the_end_reports_no_new_failure(clock: str, components: list[str]) -> None:
    first = notice(1, "11:00", "investigating", "major", web="major_outage")
    (read,) = episodes.read_provider_incidents([first, notice(1, "12:00", "resolved", "major", web="operational")])
    late = notice(1, clock, "postmortem", "major", api="major_outage")
    read = replace(read, updates=(*read.updates, late))
    assert [s.component for s in scope.official_components(SERVICE, [read])] == components


# components as people name them


@pytest.mark.parametrize(("fails", "affected"), [(2, False), (3, True)])
def test_a_component_is_affected_from_the_third_report(fails: int, affected: bool) -> None:
    found = spans([said(n * MINUTE, fails="web") for n in range(fails)])
    assert found == ([("web", "affected", 2 * MINUTE, 62 * MINUTE)] if affected else [])


@pytest.mark.parametrize(("last", "affected"), [(HOUR, True), (HOUR + SECOND, False)])
def test_reports_of_a_component_lie_within_an_hour(last: timedelta, affected: bool) -> None:
    found = spans([said(0 * MINUTE, fails="web"), said(30 * MINUTE, fails="web"), said(last, fails="web")])
    assert bool(found) == affected


@pytest.mark.parametrize(("others", "affected"), [(17, True), (18, False)])
def test_a_component_is_named_by_fifteen_percent_of_reports_that_name_one(others: int, affected: bool) -> None:
    # 3 of 20 are 15 %, 3 of 21 are less
    reports = [said(n * SECOND, fails="api") for n in range(others)]
    reports += [said(MINUTE + n * SECOND, fails="web") for n in range(3)]
    assert ("web" in {row[0] for row in spans(reports)}) == affected


@pytest.mark.parametrize(("works", "affected"), [(2, True), (3, False)])
def test_a_component_is_affected_while_more_report_a_failure_than_deny_it(works: int, affected: bool) -> None:
    reports = [said(n * SECOND, works="web") for n in range(works)]
    reports += [said(MINUTE + n * SECOND, fails="web") for n in range(3)]
    assert ("affected" in {row[1] for row in spans(reports)}) == affected


@pytest.mark.parametrize(
    ("works", "fails", "status"),
    [(1, 0, set()), (2, 0, {"works"}), (2, 1, {"works"}), (2, 2, set()), (3, 2, {"works"})],
)
def test_a_component_is_said_to_work_from_the_second_statement_if_fewer_say_it_fails(
    works: int, fails: int, status: set[str]
) -> None:
    reports = [said(n * SECOND, fails="web") for n in range(fails)]
    reports += [said(MINUTE + n * SECOND, works="web") for n in range(works)]
    assert {row[1] for row in spans(reports)} == status


@pytest.mark.parametrize(("pause", "expected"), [(HOUR, 1), (HOUR + SECOND, 2)])
def test_a_component_stays_affected_for_an_hour_after_the_last_report(pause: timedelta, expected: int) -> None:
    first = [said(0 * HOUR, fails="web") for _ in range(3)]
    again = [said(pause, fails="web") for _ in range(3)]
    assert len(spans([*first, *again])) == expected


@pytest.mark.parametrize(
    ("now", "until"), [(HOUR + 2 * SECOND, HOUR + 2 * SECOND), (HOUR + SECOND, None), (2 * HOUR, HOUR + 2 * SECOND)]
)
def test_a_component_without_new_reports_is_over_after_an_hour(now: timedelta, until: timedelta | None) -> None:
    (found,) = spans([said(n * SECOND, fails="web") for n in range(3)], now=START + now)
    assert found[3] == until


# one statement a person


@pytest.mark.parametrize(("after", "counts"), [(6 * HOUR - SECOND, False), (6 * HOUR, True)])
@pytest.mark.parametrize("same", ["author_key", "text"])
def test_an_author_and_a_text_deny_a_failure_once_in_six_hours(same: str, after: timedelta, counts: bool) -> None:
    reports = [said(0 * HOUR, works="api", **{same: "the same"}), said(after, works="api", **{same: "the same"})]
    assert bool(scope.deduplicate_clearances(reports)[1].working_components) == counts


@pytest.mark.parametrize(("age", "counts"), [(7 * DAY - SECOND, False), (7 * DAY, True), (None, True)])
def test_an_account_younger_than_a_week_denies_no_failure(age: timedelta | None, counts: bool) -> None:
    made = None if age is None else START - age
    (left,) = scope.deduplicate_clearances([said(0 * HOUR, works="api", author_created=made)])
    assert bool(left.working_components) == counts


# symptoms and places


@pytest.mark.parametrize(
    ("symptoms", "expected"),
    [
        ({"all": 9}, "all"),
        ({"all": 9, "login": 1}, "login"),
        ({"slow": 3, "login": 2}, "slow"),
        ({"slow": 2, "login": 2}, ""),
        ({"": 3}, ""),
    ],
)
def test_a_kind_of_failure_goes_before_the_word_that_it_is_down_and_of_two_neither(
    symptoms: dict[str, int], expected: str
) -> None:
    votes = [report("11:00", symptom=name) for name, number in symptoms.items() for _ in range(number)]
    assert scope.symptom_of(votes) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [("Requests return errors", "error"), ("We look into it", ""), ("Logins fail, requests return errors", "")],
)
def test_of_symptoms_named_equally_often_the_notices_decide(body: str, expected: str) -> None:
    votes = [report("11:00", symptom=name) for name in ("login", "error", "slow") for _ in range(2 - (name == "slow"))]
    update = replace(notice(1, "11:00", "investigating", "major"), body=body)
    assert scope.symptom_of(votes, episodes.read_provider_incidents([update])) == expected


@pytest.mark.parametrize(("people", "words"), [(0, "people do not name it as failing"), (2, "people name it (2)")])
def test_few_people_who_name_a_part_are_not_denied(people: int, words: str) -> None:
    first = notice(1, "11:00", "investigating", "major", api="major_outage")
    spans = scope.official_components(SERVICE, episodes.read_provider_incidents([first]))
    reports = [said(n * MINUTE, fails="api") for n in range(people)]
    (differs,) = [e for e in scope.parts_in_words(SERVICE, spans, reports, START) if e.kind == "differs"]
    assert differs.statement.endswith(words)
    (one,) = [e for e in scope.parts_in_words(SERVICE, [], [said(MINUTE, fails="api")], START) if e.kind == "part"]
    assert one.statement == "Svc API: 1 person says it fails, 0 that it works"


@pytest.mark.parametrize(("reports", "rows"), [(39, 39), (40, 40), (41, 41), (80, 41)])
def test_forty_rows_are_cited_and_more_as_a_span(reports: int, rows: int) -> None:
    cited = scope.cite([said(n * SECOND, fails="web", native_id=str(n)) for n in range(reports)])
    assert len(cited) == rows
    assert cited[-1].is_span == (reports > 40)


@pytest.mark.parametrize(("placed", "known"), [(4, False), (5, True)])
def test_fewer_than_five_reports_that_name_a_place_do_not_say_where(placed: int, known: bool) -> None:
    votes = [said(n * SECOND, fails="web", region="Berlin, DE") for n in range(placed)]
    kinds = {evidence.kind for evidence in scope.shares(SERVICE, votes, START)}
    assert ("where" in kinds, "region" in kinds) == (known, True)


@pytest.mark.parametrize(("elsewhere", "where"), [(0, "Berlin only"), (1, "Europe and beyond")])
def test_one_report_from_another_continent_is_beyond(elsewhere: int, where: str) -> None:
    votes = [said(n * SECOND, fails="web", region="Berlin, DE") for n in range(5)]
    votes += [said(n * MINUTE, fails="web", region="US-OH") for n in range(1, elsewhere + 1)]
    assert [e.subject for e in scope.shares(SERVICE, votes, START) if e.kind == "where"] == [where]


def test_at_most_six_symptoms_are_listed() -> None:
    votes = [said(n * SECOND, fails="web", symptom=f"s{n}") for n in range(8)]
    symptoms = [e.subject for e in scope.shares(SERVICE, votes, START) if e.kind == "symptom"]
    assert symptoms == ["s0", "s1", "s2", "s3", "s4", "s5"]


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
    votes = [said(n * SECOND, fails="web", region=region) for n, region in enumerate(regions)]
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
    assert places.continents(said(0 * HOUR, region=region)) == expected


# what people open, and what programs call


def doors(front: str, back: str, since: timedelta = timedelta(0), denials: timedelta = timedelta(0)) -> list[Any]:
    """Return the statement on a component of one role that fails while one of another works; `denials` is when."""
    service = Service(
        id="svc",
        name="Svc",
        components=(Component(id="f", name="F", role=front), Component(id="b", name="B", role=back)),
    )
    usual = ComponentSpan(
        component="f", source="votes", status=ComponentStatus.AFFECTED, since=START + since, until=None, detail=""
    )
    works = replace(usual, component="b", status=ComponentStatus.WORKS, since=START, until=START + HOUR)
    reports = [said(denials, works="b")]
    return [e for e in scope.parts_in_words(service, [usual, works], reports, START) if e.kind == "doors"]


@pytest.mark.parametrize("front", ["web", "mobile", "desktop", "login", "code", "console", "api", "other"])
@pytest.mark.parametrize("back", ["api", "web"])
def test_front_and_back_are_told_apart_by_role(front: str, back: str) -> None:
    assert bool(doors(front, back)) == (back == "api" and front not in ("api", "other"))


@pytest.mark.parametrize(("since", "stated"), [(HOUR, True), (HOUR + SECOND, False)])
def test_the_front_fails_while_the_back_works(since: timedelta, stated: bool) -> None:
    assert bool(doors("web", "api", since)) == stated


@pytest.mark.parametrize(("denials", "number"), [(-HOUR - SECOND, 0), (-HOUR, 1), (HOUR - SECOND, 1), (HOUR, 0)])
def test_statements_on_the_back_are_counted_from_an_hour_before(denials: timedelta, number: int) -> None:
    (stated,) = doors("web", "api", denials=denials)
    assert stated.value == number


# an incident's reports, and how doubtful they are


def probability(counted: int, uncounted: int, reason: VoteReason) -> float:
    """Return an incident's probability from reports that count and reports left out for a reason."""
    reports = [said(n * SECOND, fails="web") for n in range(counted)]
    reports += [said(MINUTE + n * SECOND, fails="web", weight=0.0, reason=reason) for n in range(uncounted)]
    (incident,) = built([interval("10:00", None, channel="votes")], [], at("11:00"), reports=reports)
    assert incident.probability is not None
    return incident.probability


DOUBTFUL = {
    VoteReason.HALF,
    VoteReason.NO_AUTHOR,
    VoteReason.SAME_MINUTE_ACCOUNT,
    VoteReason.SAME_DAY_ACCOUNT,
    VoteReason.YOUNG_ACCOUNT,
    VoteReason.SAME_AUTHOR,
    VoteReason.SAME_TEXT,
}


@pytest.mark.parametrize("reason", list(VoteReason))
def test_reports_left_out_for_author_account_or_wording_make_an_incident_doubtful(reason: VoteReason) -> None:
    assert (probability(4, 4, reason) < probability(4, 0, VoteReason.UNKNOWN)) == (reason in DOUBTFUL)
    assert reason.doubts_origin == (reason in DOUBTFUL)


@pytest.mark.parametrize(("uncounted", "doubtful"), [(1, False), (2, True)])
def test_fewer_than_four_reports_are_not_doubtful(uncounted: int, doubtful: bool) -> None:
    reason = VoteReason.SAME_TEXT
    assert (probability(2, uncounted, reason) < probability(2, 0, VoteReason.UNKNOWN)) == doubtful


@pytest.mark.parametrize(("before", "counts"), [(5 * MINUTE, True), (5 * MINUTE + SECOND, False)])
def test_reports_belong_to_an_incident_from_five_minutes_before_it(before: timedelta, counts: bool) -> None:
    reports = [said(-before, fails="web", symptom="login")]
    (incident,) = built([interval("10:00", "11:00")], [], at("11:00"), reports=reports)
    assert incident.symptom == ("login" if counts else "")


@pytest.mark.parametrize(
    ("clocks", "longest", "usual"),
    [
        (("11:00", "11:10"), 10, 10),
        (("11:00", "11:10", "11:40"), 30, 30),  # the upper of two
        (("11:00", "11:10", "11:40", "11:45"), 30, 10),
    ],
)
def test_the_page_is_silent_for_its_longest_gap_and_usually_for_the_upper_median(
    clocks: tuple[str, ...], longest: float, usual: float
) -> None:
    updates = [notice(1, clock, "investigating", "major") for clock in clocks]
    (incident,) = built([], updates, at("11:50"))
    silences = [(e.value, e.compared_with) for e in incident.evidence if e.subject == "silence"]
    assert silences == [(longest, usual)]


@pytest.mark.parametrize(
    ("seen", "counts"),
    [
        (START - 15 * MINUTE - SECOND, False),
        (START - 15 * MINUTE, True),
        (START + 2 * HOUR, True),
        (START + 2 * HOUR + SECOND, False),
    ],
)
def test_articles_belong_to_an_incident_from_a_quarter_hour_before_it_to_an_hour_after(
    seen: datetime, counts: bool
) -> None:
    event = NewsEvent(
        id="e",
        kind="service_outage",
        title="Svc is down",
        entities=(NewsEntity("svc", ("name",)),),
        outlets=("one.example", "two.example"),
        first_seen=seen,
        items=(("feed:x", "1"),),
    )
    spans = [interval("10:00", "11:00")]
    inputs = build.IncidentInputs(intervals=spans, articles=[event])
    ((incident,), _) = build.build(SERVICE, inputs, [], at("12:30"), closing=ClosingRule(quiet=5 * HOUR))
    # a second kind of signal makes it likely
    assert incident.state == ("likely" if counts else "possible")
