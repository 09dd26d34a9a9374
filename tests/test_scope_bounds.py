"""Each bound of what is said of components and symptoms, held just below and just above it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from pipeline.core.catalogue import Component, Service
from pipeline.core.incidents import ComponentSpan
from pipeline.core.vocabulary import ComponentStatus
from pipeline.incidents import episodes, scope
from pipeline.incidents.component_spans import official_components
from tests.copies import replace
from tests.scope_inputs import DAY, HOUR, MINUTE, SECOND, START, component_spans, posted
from tests.test_story import SERVICE, notice, report

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
    assert [s.component for s in official_components(SERVICE, read)] == ["web"] * affected


@pytest.mark.parametrize(("clock", "components"), [("12:00", ["api", "web"]), ("12:01", ["web"])])
def test_an_update_after_the_end_reports_no_new_failure(clock: str, components: list[str]) -> None:
    first = notice(1, "11:00", "investigating", "major", web="major_outage")
    (read,) = episodes.read_provider_incidents([first, notice(1, "12:00", "resolved", "major", web="operational")])
    late = notice(1, clock, "postmortem", "major", api="major_outage")
    read = replace(read, updates=(*read.updates, late))
    assert [s.component for s in official_components(SERVICE, [read])] == components


# components as people name them


@pytest.mark.parametrize(("fails", "affected"), [(2, False), (3, True)])
def test_a_component_is_affected_from_the_third_report(fails: int, affected: bool) -> None:
    found = component_spans([posted(n * MINUTE, fails="web") for n in range(fails)])
    assert found == ([("web", "affected", 2 * MINUTE, 62 * MINUTE)] if affected else [])


@pytest.mark.parametrize(("last", "affected"), [(HOUR, True), (HOUR + SECOND, False)])
def test_reports_of_a_component_lie_within_an_hour(last: timedelta, affected: bool) -> None:
    found = component_spans(
        [posted(0 * MINUTE, fails="web"), posted(30 * MINUTE, fails="web"), posted(last, fails="web")]
    )
    assert bool(found) == affected


@pytest.mark.parametrize(("others", "affected"), [(17, True), (18, False)])
def test_a_component_is_named_by_fifteen_percent_of_reports_that_name_one(others: int, affected: bool) -> None:
    # 3 of 20 are 15 %, 3 of 21 are less
    reports = [posted(n * SECOND, fails="api") for n in range(others)]
    reports += [posted(MINUTE + n * SECOND, fails="web") for n in range(3)]
    assert ("web" in {row[0] for row in component_spans(reports)}) == affected


@pytest.mark.parametrize(("works", "affected"), [(2, True), (3, False)])
def test_a_component_is_affected_while_more_report_a_failure_than_deny_it(works: int, affected: bool) -> None:
    reports = [posted(n * SECOND, works="web") for n in range(works)]
    reports += [posted(MINUTE + n * SECOND, fails="web") for n in range(3)]
    assert ("affected" in {row[1] for row in component_spans(reports)}) == affected


@pytest.mark.parametrize(
    ("works", "fails", "status"),
    [(1, 0, set()), (2, 0, {"works"}), (2, 1, {"works"}), (2, 2, set()), (3, 2, {"works"})],
)
def test_a_component_is_said_to_work_from_the_second_statement_if_fewer_say_it_fails(
    works: int, fails: int, status: set[str]
) -> None:
    reports = [posted(n * SECOND, fails="web") for n in range(fails)]
    reports += [posted(MINUTE + n * SECOND, works="web") for n in range(works)]
    assert {row[1] for row in component_spans(reports)} == status


@pytest.mark.parametrize(("pause", "expected"), [(HOUR, 1), (HOUR + SECOND, 2)])
def test_a_component_stays_affected_for_an_hour_after_the_last_report(pause: timedelta, expected: int) -> None:
    first = [posted(0 * HOUR, fails="web") for _ in range(3)]
    again = [posted(pause, fails="web") for _ in range(3)]
    assert len(component_spans([*first, *again])) == expected


@pytest.mark.parametrize(
    ("now", "until"), [(HOUR + 2 * SECOND, HOUR + 2 * SECOND), (HOUR + SECOND, None), (2 * HOUR, HOUR + 2 * SECOND)]
)
def test_a_component_without_new_reports_is_over_after_an_hour(now: timedelta, until: timedelta | None) -> None:
    (found,) = component_spans([posted(n * SECOND, fails="web") for n in range(3)], now=START + now)
    assert found[3] == until


# one statement a person


@pytest.mark.parametrize(("after", "counts"), [(6 * HOUR - SECOND, False), (6 * HOUR, True)])
@pytest.mark.parametrize("same", ["author_key", "text"])
def test_an_author_and_a_text_deny_a_failure_once_in_six_hours(same: str, after: timedelta, counts: bool) -> None:
    reports = [
        posted(0 * HOUR, works="api", **{same: "the same"}),
        posted(after, works="api", **{same: "the same"}),
    ]
    assert bool(scope.deduplicate_clearances(reports)[1].working_components) == counts


@pytest.mark.parametrize(("age", "counts"), [(7 * DAY - SECOND, False), (7 * DAY, True), (None, True)])
def test_an_account_younger_than_a_week_denies_no_failure(age: timedelta | None, counts: bool) -> None:
    made = None if age is None else START - age
    (left,) = scope.deduplicate_clearances([posted(0 * HOUR, works="api", author_created=made)])
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
    listed = official_components(SERVICE, episodes.read_provider_incidents([first]))
    reports = [posted(n * MINUTE, fails="api") for n in range(people)]
    (differs,) = [e for e in scope.parts_in_words(SERVICE, listed, reports, START) if e.kind == "differs"]
    assert differs.statement.endswith(words)
    (one,) = [e for e in scope.parts_in_words(SERVICE, [], [posted(MINUTE, fails="api")], START) if e.kind == "part"]
    assert one.statement == "Svc API: 1 person says it fails, 0 that it works"


@pytest.mark.parametrize(("reports", "rows"), [(39, 39), (40, 40), (41, 41), (80, 41)])
def test_forty_rows_are_cited_and_more_as_a_span(reports: int, rows: int) -> None:
    cited = scope.cite([posted(n * SECOND, fails="web", native_id=str(n)) for n in range(reports)])
    assert len(cited) == rows
    assert cited[-1].is_span == (reports > 40)


def test_at_most_six_symptoms_are_listed() -> None:
    votes = [posted(n * SECOND, fails="web", symptom=f"s{n}") for n in range(8)]
    symptoms = [e.subject for e in scope.shares(SERVICE, votes, START) if e.kind == "symptom"]
    assert symptoms == ["s0", "s1", "s2", "s3", "s4", "s5"]


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
    reports = [posted(denials, works="b")]
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
