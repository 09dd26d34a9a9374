"""Each bound of what is claimed of an incident, and of its figures, held just below and just above it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from pipeline.core.catalogue import Component, Service
from pipeline.core.incidents import ComponentSpan, Evidence, Incident
from pipeline.core.news_events import Claim
from pipeline.core.row_refs import RowRef
from pipeline.core.series import CountedInterval
from pipeline.core.vocabulary import ClaimKind, ComponentStatus, RowTable
from pipeline.incidents import discrepancies, episodes
from tests.copies import replace
from tests.test_story import SERVICE, at, built, interval, notice

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def incident(onset: str = "11:00", end: str | None = "13:00") -> Incident:
    (found,) = built([interval(onset, end)], [], at("18:00"))
    return found


def differs(
    kind: str, value: str, of: Incident, *, published: datetime | None = None, notices: tuple[str, ...] = ()
) -> list[Evidence]:
    """Return what is said of a claim; `notices` are when a notice of the provider was posted and when resolved."""
    claim = discrepancies.SourcedClaim(
        claim=Claim(kind=ClaimKind(kind), value=value),
        where="one.example",
        published=published or at("18:00"),
        row=RowRef(RowTable.CLAIMS, "1"),
    )
    updates = [
        notice(1, clock, status, "major") for clock, status in zip(notices, ("investigating", "resolved"), strict=False)
    ]
    read = episodes.read_provider_incidents(updates)
    return list(discrepancies.disagreements(of, [claim], read, SERVICE))


@pytest.mark.parametrize(
    ("clock", "minutes"),
    [("11:20", None), ("11:21", 21.0), ("10:40", None), ("10:39", -21.0), ("20:59", 599.0), ("21:00", None)],
)
def test_a_claimed_start_differs_from_twenty_minutes_to_ten_hours(clock: str, minutes: float | None) -> None:
    found = differs("start", clock, incident(), published=at("12:00", 3))
    assert [e.value for e in found] == ([] if minutes is None else [minutes])


@pytest.mark.parametrize(("published", "stated"), [("11:59", False), ("12:00", True)])
def test_a_claimed_start_after_the_article_is_no_claim(published: str, stated: bool) -> None:
    assert bool(differs("start", "12:00", incident(), published=at(published))) == stated


@pytest.mark.parametrize(
    ("clock", "minutes"), [("13:20", None), ("13:21", 21.0), ("12:39", -21.0), ("22:59", 599.0), ("23:00", None)]
)
def test_a_claimed_end_differs_from_twenty_minutes_to_ten_hours(clock: str, minutes: float | None) -> None:
    assert [e.value for e in differs("end", clock, incident())] == ([] if minutes is None else [minutes])


@pytest.mark.parametrize(("posted", "agrees"), [("11:59", True), ("12:00", False)])
def test_a_claimed_end_may_be_that_of_a_notice_posted_within_an_hour(posted: str, agrees: bool) -> None:
    # the notice was resolved at 15:00, two hours after the end that was measured
    assert (differs("end", "15:00", incident(), notices=(posted, "15:00")) == []) == agrees


@pytest.mark.parametrize(("posted", "read"), [("10:29", False), ("10:30", True), ("13:00", True), ("13:01", False)])
def test_a_notice_is_of_the_episode_it_was_posted_in_or_half_an_hour_before(posted: str, read: bool) -> None:
    update = replace(notice(1, posted, "investigating", "major"), body="There was trouble since 09:00 UTC.")
    notices = episodes.read_provider_incidents([update])
    found = list(discrepancies.provider_discrepancies(incident(), notices, SERVICE, at("18:00")))
    assert bool(found) == read


@pytest.mark.parametrize(("after", "contradicted"), [(4 * HOUR - SECOND, True), (4 * HOUR, False)])
def test_a_component_claimed_to_work_is_contradicted_by_the_provider_within_four_hours(
    after: timedelta, contradicted: bool
) -> None:
    of = incident()
    span = ComponentSpan(
        component="api",
        source="official",
        status=ComponentStatus.AFFECTED,
        since=of.onset + after,
        until=None,
        detail="",
    )
    assert bool(differs("up", "api", replace(of, components=(span,)))) == contradicted
    assert differs("down", "api", replace(of, components=(span,))) == []


@pytest.mark.parametrize(
    ("clock", "expected"), [("23:59", "23:59 of the 1st"), ("11:59", "11:59 of the 2nd"), ("12:00", "12:00 of the 1st")]
)
def test_a_time_of_day_is_that_nearest_to_the_moment(clock: str, expected: str) -> None:
    found = discrepancies.nearest(clock, at("00:00"))
    assert expected == f"{found:%H:%M} of the {'1st' if found.day == 1 else '2nd'}"


def figures(*bins: tuple[str, int, float], of: Incident | None = None) -> dict[str, float | None]:
    counted = discrepancies.ComplaintBins(
        bins=[CountedInterval(at(clock), minutes * 60, number) for clock, minutes, number in bins],
        row=RowRef(RowTable.COMPLAINT_COUNTS, "svc"),
    )
    return {e.subject: e.value for e in discrepancies.report_counts(of or incident(), counted, [])}


@pytest.mark.parametrize(
    ("clock", "minutes", "number"),
    [
        ("10:45", 15, 0.0),  # over at the onset
        ("11:30", 15, 60.0),
        ("11:30", 30, 30.0),  # half of it lies in the first 45 minutes
        ("11:45", 15, 0.0),
    ],
)
def test_the_first_figure_is_that_of_45_minutes_from_the_onset(clock: str, minutes: int, number: float) -> None:
    assert figures((clock, minutes, 60.0), ("12:45", 15, 1.0))["first 45 minutes"] == number


@pytest.mark.parametrize(
    ("clock", "peak"), [("10:45", 1.0), ("10:46", 60.0), ("12:59", 60.0), ("13:00", 1.0), ("13:15", 1.0)]
)
def test_the_peak_is_that_of_bins_that_touch_the_incident(clock: str, peak: float) -> None:
    assert figures((clock, 15, 60.0), ("12:45", 15, 1.0))["peak"] == peak


def test_the_total_is_that_of_the_day_of_the_onset() -> None:
    of = incident("00:10", "00:20")
    day = [("00:00", 15, 1.0), ("23:45", 15, 10.0)]
    rows = [CountedInterval(at(clock), minutes * 60, number) for clock, minutes, number in day]
    before, after = CountedInterval(at("23:45", 1), 900, 100.0), CountedInterval(at("00:00", 3), 900, 1000.0)
    rows = [before, *rows, after]
    counted = discrepancies.ComplaintBins(bins=rows, row=RowRef(RowTable.COMPLAINT_COUNTS, "svc"))
    totals = [e.value for e in discrepancies.report_counts(of, counted, []) if e.subject == "total"]
    assert totals == [11]


@pytest.mark.parametrize(
    ("published", "statement"),
    [
        ("11:55", "one.example: Svc API unaffected, later contradicted by the provider at 12:06 and 13:37 UTC"),
        ("13:12", "one.example: Svc API unaffected, contradicted by the provider at 12:06 UTC, later at 13:37 UTC"),
        ("15:50", "one.example: Svc API unaffected, contradicted by the provider at 12:06 and 13:37 UTC"),
    ],
)
def test_what_the_provider_posts_after_an_article_is_called_later(published: str, statement: str) -> None:
    updates = [
        notice(1, "11:49", "investigating", "major"),
        notice(1, "12:06", "investigating", "major", api="partial_outage"),
        notice(1, "12:21", "investigating", "major", api="operational"),
        notice(1, "13:37", "identified", "major", api="partial_outage"),
        notice(1, "15:47", "resolved", "major", api="operational"),
    ]
    (of,) = built([interval("11:37", "16:00")], updates, at("18:00"))
    claim = discrepancies.SourcedClaim(
        claim=Claim(kind=ClaimKind.UP, value="api"),
        where="one.example",
        published=at(published),
        row=RowRef(RowTable.CLAIMS, "1"),
    )
    service = Service(id="svc", name="Svc", components=(Component(id="api", name="Svc API", role="api"),))
    found = discrepancies.disagreements(of, [claim], episodes.read_provider_incidents(updates), service)
    assert [e.statement for e in found] == [statement]


@pytest.mark.parametrize(("published", "later"), [("12:59", True), ("13:00", False)])
def test_an_end_that_came_after_an_article_is_called_later(published: str, later: bool) -> None:
    (found,) = differs("end", "12:10", incident(), published=at(published))
    assert found.statement.endswith(", after this was published") == later


@pytest.mark.parametrize(("posted", "known"), [("12:30", True), ("12:31", False)])
def test_a_claimed_start_is_not_compared_with_a_notice_of_later(posted: str, known: bool) -> None:
    (found,) = differs("start", "12:00", incident(), published=at("12:30"), notices=(posted,))
    assert ("the first notice" in found.statement) == known
