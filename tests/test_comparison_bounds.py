"""Each bound of what an incident is compared with, held just below and just above it: competitors, surges, chance."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from pipeline.core.catalogue import Component, Service
from pipeline.core.incidents import Advisory, Evidence, PastOutage
from pipeline.core.news_events import NewsEntity, NewsEvent
from pipeline.core.times import utc
from pipeline.core.vocabulary import Impact
from pipeline.incidents import chance, competitors, similar, surge
from tests.copies import replace
from tests.test_story import SERVICE, at, built, interval, report

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
NOW = utc("2026-02-28T12:00:00Z")

# competitors: 100 posts an hour are usual, so that their deviation is 10

ONSET = at("11:00", 9)


def hourly(days: int, usual: float = 100.0, seen: float = 100.0) -> dict[datetime, float]:
    """Return one hour's posts of `days` days before 9 March 11:00, and of that hour."""
    return {ONSET - n * DAY: usual for n in range(1, days + 1)} | {ONSET: seen}


@pytest.mark.parametrize(("days", "known"), [(2, False), (3, True)])
def test_three_earlier_days_make_an_hour_comparable(days: int, known: bool) -> None:
    assert (competitors.expected(hourly(days), ONSET, ONSET + HOUR) is not None) == known


@pytest.mark.parametrize(("day", "mean"), [(7, 200.0), (8, 100.0)])
def test_seven_earlier_days_are_usual(day: int, mean: float) -> None:
    hours = hourly(8) | {ONSET - day * DAY: 800.0}
    found = competitors.expected(hours, ONSET, ONSET + HOUR)
    assert found is not None
    assert found[1] == mean


@pytest.mark.parametrize(("usual", "deviation"), [(0.0, 1.0), (1.0, 1.0), (100.0, 10.0)])
def test_the_deviation_is_at_least_that_of_a_poisson_count(usual: float, deviation: float) -> None:
    found = competitors.expected(hourly(7, usual), ONSET, ONSET + HOUR)
    assert found is not None
    assert found[2] == deviation


def compared(now: datetime = ONSET + HOUR, **known: Any) -> list[Evidence]:
    """Return what is said of a competitor while an incident lasts from 11:00."""
    (incident,) = built([interval("11:00", None, day=9)], [], now)
    usual: dict[str, Any] = {"hours": {}, "ranks": (), "incidents": (), "complaints": {}}
    activity = competitors.CompetitorActivity(service="r", **(usual | known))
    return list(competitors.competitor_evidence(incident, [activity], {"r": Service(id="r", name="Rival")}, now))


@pytest.mark.parametrize(("posts", "verdict"), [(129, "no gain that stands out"), (130, "gained talk")])
def test_a_competitor_gains_talk_from_three_deviations(posts: int, verdict: str) -> None:
    (stated,) = (e for e in compared(hours=hourly(7, seen=posts)) if e.kind == "rival")
    assert stated.statement.endswith(verdict)


@pytest.mark.parametrize(("complaints", "verdict"), [(129, "as usual"), (130, "more than usual")])
def test_a_competitor_has_more_complaints_from_three_deviations(complaints: int, verdict: str) -> None:
    (stated,) = (e for e in compared(complaints=hourly(7, seen=complaints)) if e.kind == "rival")
    assert stated.statement.endswith(verdict)


@pytest.mark.parametrize(("age", "named"), [(HOUR, True), (HOUR + SECOND, False)])
@pytest.mark.parametrize("which", ["counted_to", "heard_to"])
def test_a_competitor_without_trouble_was_seen_within_the_hour(which: str, age: timedelta, named: bool) -> None:
    now = ONSET + 2 * HOUR
    hours = {h + n * HOUR: v for h, v in hourly(7).items() for n in range(3)}
    found = compared(now, hours=hours, complaints=hours, **{which: now - age})
    assert ("fallback" in {e.kind for e in found}) == named


@pytest.mark.parametrize(("after", "counts"), [(DAY, True), (DAY + SECOND, False)])
def test_the_best_chart_place_is_that_of_a_day(after: timedelta, counts: bool) -> None:
    now = ONSET + HOUR
    found = compared(now, ranks=[(ONSET, 20), (now + after, 3)])
    assert [e.value for e in found if e.kind == "rival"] == ([3] if counts else [])


# surges

SOME_POSTS = {NOW - n * HOUR: (2, 0.1) for n in range(1, 24 * 8 + 1)}


def signal(name: str, **seen: Any) -> bool | None:
    """Return whether a signal of a service stands out, None where it cannot be judged."""
    inputs = surge.SurgeInputs(**({"posts": {}, "ranks": [], "events": []} | seen))
    judged = surge.signals("svc", inputs, NOW)
    return judged[name].stands_out if name in judged else None


def article(before: timedelta, *outlets: str) -> NewsEvent:
    return NewsEvent(
        id=f"{before}",
        kind="politics_regulation",
        title="t",
        entities=(NewsEntity("svc", ("headline", "name")),),
        outlets=outlets,
        first_seen=NOW - before,
        items=(),
    )


@pytest.mark.parametrize(
    ("outlets", "week", "loud"),
    [
        (3, 0, False),
        (4, 0, True),
        (4, 9, True),  # 9 in a week are 1.29 a day, three times that is 3.9
        (4, 10, False),
        (5, 14, False),  # 2 a day
        (6, 14, True),
    ],
)
def test_news_stand_out_from_four_outlets_and_three_times_the_usual(outlets: int, week: int, loud: bool) -> None:
    events = [article(HOUR, *(f"new{n}" for n in range(outlets))), article(3 * DAY, *(f"old{n}" for n in range(week)))]
    assert signal("news", events=events) == loud


@pytest.mark.parametrize(("before", "loud"), [(DAY - SECOND, True), (DAY, False)])
def test_news_are_those_of_a_day(before: timedelta, loud: bool) -> None:
    assert signal("news", events=[article(before, "a", "b", "c", "d")]) == loud


@pytest.mark.parametrize(("before", "loud"), [(8 * DAY - SECOND, False), (8 * DAY, True)])
def test_usual_news_are_those_of_the_week_before(before: timedelta, loud: bool) -> None:
    events = [article(HOUR, "a", "b", "c", "d"), article(before, *(f"o{n}" for n in range(10)))]
    assert signal("news", events=events) == loud


def days_of_posts(last: int, usual: int, anger: float = 0.0, days: int = 7) -> dict[datetime, tuple[int, float]]:
    """Return posts in the last hour, with their anger, and in the same hour of the days before, without anger."""
    return {NOW - HOUR: (last, anger)} | {NOW - HOUR - n * DAY: (usual, 0.0) for n in range(1, days + 1)}


@pytest.mark.parametrize(
    ("last", "usual", "loud"), [(79, 40, False), (80, 40, True), (29, 10, False), (30, 10, True), (30, 15, True)]
)
def test_posts_stand_out_from_twice_the_median_day_and_thirty(last: int, usual: int, loud: bool) -> None:
    assert signal("mentions", posts=days_of_posts(last, usual)) == loud


@pytest.mark.parametrize(("last", "loud"), [(79, False), (80, True)])
def test_of_an_even_number_of_days_the_upper_of_the_two_in_the_middle_is_usual(last: int, loud: bool) -> None:
    earlier = {NOW - HOUR - n * DAY: (posts, 0.0) for n, posts in enumerate((10, 50, 20, 40), 1)}
    assert signal("mentions", posts={NOW - HOUR: (last, 0.0)} | earlier) == loud


@pytest.mark.parametrize(
    ("anger", "last", "loud"), [(0.0799, 40, False), (0.0801, 40, True), (0.9, 29, False), (0.9, 30, True)]
)
def test_anger_stands_out_from_eight_hundredths_above_the_median_day_and_thirty_posts(
    anger: float, last: int, loud: bool
) -> None:
    assert signal("anger", posts=days_of_posts(last, 40, anger)) == loud


@pytest.mark.parametrize(("days", "judged"), [(2, None), (3, True)])
def test_posts_are_judged_from_three_earlier_days(days: int, judged: bool | None) -> None:
    assert signal("mentions", posts=days_of_posts(80, 40, days=days)) == judged


@pytest.mark.parametrize(("hours", "judged"), [(5, False), (6, True)])
def test_posts_are_judged_from_six_hours_that_were_read(hours: int, judged: bool) -> None:
    read = {NOW - (n + 1) * HOUR - d * DAY for n in range(hours) for d in range(8)}
    assert (signal("mentions", posts=SOME_POSTS, read=read) is not None) == judged


@pytest.mark.parametrize(("missing", "judged"), [(2, True), (3, False)])
def test_a_day_of_which_a_fifth_was_not_read_is_left_out(missing: int, judged: bool) -> None:
    # 8 of 10 hours are enough, 7 are not; three earlier days are needed
    read = {NOW - (n + 1) * HOUR - d * DAY for n in range(10) for d in range(4)}
    read -= {NOW - (n + 1) * HOUR - 3 * DAY for n in range(missing)}
    assert (signal("mentions", posts=SOME_POSTS, read=read) is not None) == judged


@pytest.mark.parametrize(
    ("then", "last", "week", "loud"),
    [
        (20, 11, 20, False),
        (20, 10, 20, True),
        (2, 1, 2, True),  # first place, newly reached
        (3, 2, 3, False),
        (2, 1, 1, False),  # it was first within the week
    ],
)
def test_a_climb_stands_out_from_ten_places_or_at_the_first(then: int, last: int, week: int, loud: bool) -> None:
    ranks = [(NOW - 5 * DAY, week), (NOW - 2 * DAY, then), (NOW - HOUR, last)]
    assert signal("chart", ranks=ranks) == loud


@pytest.mark.parametrize(("before", "judged"), [(2 * DAY - SECOND, False), (2 * DAY, True)])
def test_a_climb_is_one_from_two_days_before(before: timedelta, judged: bool) -> None:
    assert (signal("chart", ranks=[(NOW - before, 20), (NOW, 5)]) is not None) == judged


@pytest.mark.parametrize(("before", "loud"), [(8 * DAY - SECOND, False), (8 * DAY, True)])
def test_a_first_place_is_new_after_a_week(before: timedelta, loud: bool) -> None:
    assert signal("chart", ranks=[(NOW - before, 1), (NOW - 3 * DAY, 2), (NOW, 1)]) == loud


NEWS = {"events": [article(HOUR, "a", "b", "c", "d")]}
CLIMB = {"ranks": [(NOW - 3 * DAY, 40), (NOW - HOUR, 2)]}
GROWTH = {"posts": days_of_posts(80, 40)}


@pytest.mark.parametrize(
    ("seen", "level"), [({}, None), (NEWS, None), (NEWS | CLIMB, "watch"), (NEWS | CLIMB | GROWTH, "high")]
)
def test_two_signals_make_a_watch_and_three_a_high_one(seen: dict[str, Any], level: str | None) -> None:
    inputs = surge.SurgeInputs(**({"posts": {}, "ranks": [], "events": []} | seen))
    advisory, _ = surge.update_advisory("svc", inputs, None, None, NOW, broken=False)
    assert (advisory and advisory.level) == level


@pytest.mark.parametrize(("quiet", "over"), [(DAY - SECOND, False), (DAY, True)])
def test_an_advisory_ends_a_day_after_the_last_signal(quiet: timedelta, over: bool) -> None:
    open_now = Advisory(service="svc", since=NOW - 3 * DAY, until=None, level="watch", reasons=(), signals=())
    nothing = surge.SurgeInputs(posts={}, ranks=[], events=[])
    advisory, _ = surge.update_advisory("svc", nothing, open_now, NOW - quiet, NOW, broken=False)
    assert advisory is not None
    assert advisory.until == (NOW if over else None)


# chance

MINE = chance.PastIncident(onset=at("12:00"), end=at("13:00"), size=(3, 60.0))
TEN_DAYS = chance.Window(before=10 * DAY, after=timedelta(0))


def share(known_since: datetime, window: chance.Window = TEN_DAYS, lag: timedelta = 10 * DAY) -> float | None:
    """Return the share of random dates linked to one incident, None where the history is too short."""
    found = chance.RandomDates([], MINE, known_since).p_value(window, MINE.onset - lag)
    return None if found is None else found[1]


@pytest.mark.parametrize(("history", "known"), [(14 * DAY - SECOND, False), (14 * DAY, True)])
def test_chance_is_known_from_two_weeks_of_history(history: timedelta, known: bool) -> None:
    assert (share(MINE.onset - history) is not None) == known


@pytest.mark.parametrize(("history", "expected"), [(89, 81), (90, 80), (91, 80), (1000, 80)])
def test_random_dates_are_720_of_the_last_ninety_days(history: int, expected: int) -> None:
    # ten days of ninety are 80 of 720 dates, of 89 they are 81
    assert share(MINE.onset - history * DAY) == expected / 720


@pytest.mark.parametrize(("after", "from_end", "expected"), [(0, False, 0), (9, False, 60), (9, True, 120)])
def test_a_window_reaches_from_the_onset_or_from_the_end(after: int, from_end: bool, expected: int) -> None:
    long = replace(MINE, end=MINE.onset + 9 * DAY)
    window = chance.Window(before=timedelta(0), after=after * DAY, from_end=from_end)
    found = chance.RandomDates([], long, MINE.onset - 90 * DAY).p_value(window, long.onset + 18 * DAY)
    assert found is not None
    # the dates end where the news was seen, 18 days after the onset: 720 in 108 days
    assert found[1] == expected / 720


@pytest.mark.parametrize(
    ("size", "joins"), [((3, 59.0), False), ((3, 60.0), True), ((2, 900.0), False), ((4, 1.0), True)]
)
def test_incidents_at_least_as_large_count_impact_first(size: tuple[int, float], joins: bool) -> None:
    other = chance.PastIncident(onset=MINE.onset - 40 * DAY, end=MINE.onset - 39 * DAY, size=size)
    found = chance.RandomDates([other], MINE, MINE.onset - 90 * DAY).p_value(TEN_DAYS, MINE.onset - 10 * DAY)
    assert found is not None
    assert found[1] == (160 if joins else 80) / 720


@pytest.mark.parametrize(("end", "minutes"), [("11:59", 0), ("12:00", 0), ("12:30", 30)])
def test_the_size_of_an_incident_is_its_impact_and_its_minutes(end: str, minutes: int) -> None:
    assert chance.size_of(Impact.HIGH, at("12:00"), at(end)) == (3, minutes)


# similar outages

OUTAGE = PastOutage(
    id="a",
    provider="p",
    service="svc",
    began=at("10:00", 1),
    minutes=60.0,
    impact=Impact.HIGH,
    roles=frozenset({"web"}),
    symptom="login",
    steps=(),
    source="s",
)


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ({}, 0.0),
        ({"roles": frozenset({"api"})}, 0.35),
        ({"roles": frozenset({"web", "api"})}, 0.35 / 2),
        ({"roles": frozenset()}, 0.35 / 2),
        ({"symptom": "slow"}, 0.25),
        ({"symptom": ""}, 0.25 / 2),
        ({"impact": Impact.NONE}, 0.1 * 3 / 4),
        ({"minutes": 120.0}, 0.15 / 4),
        ({"minutes": 60.0 * 16}, 0.15),
        ({"minutes": 60.0 * 17}, 0.15),
        ({"minutes": 15.0}, 0.15 / 2),
    ],
)
def test_outages_differ_by_components_symptom_impact_and_duration(other: dict[str, Any], expected: float) -> None:
    # without steps of the page the four weights are 0.85 together
    assert similar.distance(OUTAGE, replace(OUTAGE, **other), lasting=False) == pytest.approx(expected / 0.85)


@pytest.mark.parametrize(("minutes", "expected"), [(59.0, True), (60.0, False), (600.0, False)])
def test_while_an_outage_lasts_only_a_shorter_one_differs_in_duration(minutes: float, expected: bool) -> None:
    assert (similar.distance(OUTAGE, replace(OUTAGE, minutes=minutes), lasting=True) > 0) == expected


def alike(*known: PastOutage) -> list[Evidence]:
    reports = [report("11:00", ("web",))]
    (incident,) = built([interval("11:00", "12:00")], [], at("18:00"), reports=reports)
    return list(similar.comparable(incident, SERVICE, similar.EarlierOutages(incident, known), at("18:00")))


@pytest.mark.parametrize(("known", "near", "outlook"), [(2, 2, 0), (3, 3, 1), (5, 5, 1), (6, 5, 1)])
def test_five_are_nearest_and_three_tell_how_long_it_lasts(known: int, near: int, outlook: int) -> None:
    found = [e.kind for e in alike(*(replace(OUTAGE, id=f"k{n}") for n in range(known)))]
    assert (found.count("comparable"), found.count("outlook")) == (near, outlook)


@pytest.mark.parametrize(("minutes", "counts"), [(0.0, False), (1.0, True), (60.0, True), (61.0, False)])
def test_an_outage_is_comparable_when_it_was_over_before_the_onset(minutes: float, counts: bool) -> None:
    assert bool(alike(replace(OUTAGE, began=at("10:00"), minutes=minutes))) == counts


@pytest.mark.parametrize(("minutes", "words"), [(119.0, "lasted 119 min"), (120.0, "lasted 2.0 h")])
def test_two_hours_and_more_are_written_in_hours(minutes: float, words: str) -> None:
    (stated,) = alike(replace(OUTAGE, minutes=minutes))
    assert words in stated.statement


def test_the_middle_of_an_even_number_of_outages_lies_between_two() -> None:
    lengths = (10.0, 20.0, 30.0, 40.0)
    found = alike(*(replace(OUTAGE, id=f"k{n}", minutes=minutes) for n, minutes in enumerate(lengths)))
    assert [(e.value, e.compared_with) for e in found if e.kind == "outlook"] == [(25, 40)]


@pytest.mark.parametrize(("component", "role"), [("web", "web"), ("gone", "other")])
def test_a_component_the_catalogue_lacks_has_another_role(component: str, role: str) -> None:
    reports = [report("11:00", (component,)), report("11:01", (component,)), report("11:02", (component,))]
    (incident,) = built([interval("11:00", "12:00")], [], at("18:00"), reports=reports)
    service = replace(SERVICE, components=(Component(id="web", name="W", role="web"),))
    assert similar.of_incident(incident, service, at("18:00")).roles == {role}


def test_a_past_outage_is_described_in_words_and_not_in_ids() -> None:
    roles = frozenset({"api", "other", "web"})
    (stated,) = alike(replace(OUTAGE, roles=roles, symptom="no_response"))
    assert "API, other parts, website; no response; impact" in stated.statement


def test_the_nearest_are_those_of_the_least_distance_however_the_incident_has_changed_meanwhile() -> None:
    reports = [report("11:00", ("web",))]
    (incident,) = built([interval("11:00", "12:00")], [], at("18:00"), reports=reports)
    known = [
        replace(OUTAGE, id=f"k{n}", minutes=10.0 * n, roles=frozenset({("web", "api")[n % 2]}), symptom=symptom)
        for n, symptom in enumerate(["login", "slow", "", "all"] * 6)
    ]
    later = [replace(OUTAGE, id="later", began=incident.onset), replace(OUTAGE, id=incident.id)]
    earlier = similar.EarlierOutages(incident, [*known, *later])
    for roles in ({"web"}, {"api"}, {"web"}):
        for minutes in (30.0, 100.0):
            mine = replace(OUTAGE, roles=frozenset(roles), minutes=minutes)
            near = earlier.nearest(mine, lasting=False)
            lasted = [k for k in known if k.minutes > 0]
            distances = sorted(similar.distance(mine, k, lasting=False) for k in lasted)
            assert [n.distance for n in near] == distances[:5]
            assert [similar.distance(mine, n.outage, lasting=False) for n in near] == distances[:5]
