"""Each documented bound of the incident story, held just below and just above it."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pytest

from pipeline.core.catalogue import Service
from pipeline.core.incidents import Incident, PastOutage
from pipeline.core.news_events import NewsEntity, NewsEvent
from pipeline.core.series import SeriesKey
from pipeline.core.times import utc
from pipeline.core.vocabulary import ComponentStatus, Impact, Relation
from pipeline.detection import alarm_intervals
from pipeline.incidents import confidence, episodes, phases, reliability
from pipeline.incidents.link_context import LinkContext
from pipeline.incidents.news_links import link
from pipeline.incidents.reliability import ReliabilityRecord
from pipeline.incidents.shared_dependency import groups
from pipeline.incidents.similar import distance
from tests.copies import replace
from tests.test_story import SERVICE, at, built, interval, notice

MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)


# alarm intervals


def test_a_bin_counts_as_observed_only_when_it_was_read_whole() -> None:
    begin = at("10:00")
    half_read = [(begin + 30 * SECOND, begin + 4 * MINUTE + 30 * SECOND)]
    observed = np.zeros(6)
    alarm_intervals._leave_out_unread(observed, begin, 60, half_read)
    assert np.isnan(observed).tolist() == [True, False, False, False, True, True]
    observed = np.zeros(6)
    alarm_intervals._leave_out_unread(observed, begin, 60, [(begin, begin + 5 * MINUTE)])
    assert np.isnan(observed).tolist() == [False] * 5 + [True]


def test_an_expectation_that_was_not_kept_is_that_of_the_bin_before_and_at_the_beginning_of_the_bin_after() -> None:
    nan = np.nan
    expected = np.array([nan, nan, 3.0, nan, 5.0, nan])
    alarm_intervals._carry(expected)
    assert expected.tolist() == [3.0, 3.0, 3.0, 3.0, 5.0, 5.0]
    unknown = np.array([nan, nan])
    alarm_intervals._carry(unknown)
    assert np.isnan(unknown).all()


@pytest.mark.parametrize(("gap", "closes"), [(359, False), (360, True)])
def test_a_source_unread_for_six_hours_holds_nothing_open(gap: int, closes: bool) -> None:
    observed = np.concatenate([np.ones(1), np.full(gap, np.nan), np.ones(1)])
    alarm_intervals._give_up(observed, 360)
    assert np.isnan(observed).any() != closes


# episodes and incidents


@pytest.mark.parametrize(("pause", "expected"), [(30, 1), (31, 2)])
def test_intervals_within_half_an_hour_make_one_episode(pause: int, expected: int) -> None:
    first = interval("10:00", "11:00")
    onset = at("11:00") + pause * MINUTE
    second = replace(first, onset=onset, end=onset + timedelta(hours=1))
    assert len(episodes.merge_into_episodes([first, second], [])) == expected


@pytest.mark.parametrize(("pause", "expected"), [(179, 1), (180, 2)])
def test_episodes_less_than_three_hours_apart_make_one_incident(pause: int, expected: int) -> None:
    first = interval("10:00", "11:00")
    onset = at("11:00") + pause * MINUTE
    second = replace(first, onset=onset, end=onset + MINUTE)
    assert len(episodes.group_into_incidents(episodes.merge_into_episodes([first, second], []))) == expected


@pytest.mark.parametrize(("hours", "resolved"), [(72, False), (73, True)])
def test_a_provider_incident_without_updates_for_three_days_is_over(hours: int, resolved: bool) -> None:
    update = notice(1, "11:49", "investigating", "major")
    found = episodes.read_provider_incidents([update], update.displayed_at + timedelta(hours=hours))
    assert (found[0].resolved is not None) == resolved


# impact and phases


def _impact(scores: dict[str, float], parts: int) -> str:
    """Return the impact of an hour in which channels reach the given scores and so many components are affected."""
    (incident,) = built([interval("11:00", "12:00")], [], at("11:30"))
    base = incident.components
    assert base == ()
    spans = [_affected(f"part{n}") for n in range(parts)]
    intervals = [interval("11:00", "12:00", channel=channel, score=score) for channel, score in scores.items()]
    (episode,) = episodes.merge_into_episodes(intervals, [])
    return phases.impact(episode, spans, {}, at("11:00"), at("12:00"))


def _affected(component: str) -> phases.ComponentSpan:
    return phases.ComponentSpan(
        component=component,
        source="votes",
        status=ComponentStatus.AFFECTED,
        since=at("11:00"),
        until=at("12:00"),
        detail="",
    )


@pytest.mark.parametrize(
    ("score", "impact"),
    [(24.9, "low"), (25.0, "moderate"), (79.9, "moderate"), (80.0, "high"), (299.9, "high"), (300.0, "critical")],
)
def test_impact_follows_the_score(score: float, impact: str) -> None:
    assert _impact({"complaints": score}, parts=0) == impact


@pytest.mark.parametrize(
    ("scores", "parts", "impact"),
    [
        ({"complaints": 30.0}, 3, "moderate"),
        ({"complaints": 30.0, "votes": 10.0}, 2, "moderate"),
        ({"complaints": 30.0, "votes": 10.0}, 3, "high"),
    ],
)
def test_impact_is_raised_only_by_two_channels_and_three_components(
    scores: dict[str, float], parts: int, impact: str
) -> None:
    assert _impact(scores, parts) == impact


# confidence


@pytest.mark.parametrize(("works", "fails", "denied"), [(1, 0, 0.0), (2, 0, 0.0), (2, 1, 2 / 3), (3, 0, 1.0)])
def test_fewer_than_three_statements_about_components_deny_nothing(works: int, fails: int, denied: float) -> None:
    signals = confidence.signals(
        [interval("11:00", None)], [], voters=5, works=works, fails=fails, doubtful=0.0, outlets=0
    )
    assert signals.denied == pytest.approx(denied)


@pytest.mark.parametrize(
    ("scores", "state"),
    [
        ((35.9,), "possible"),
        ((36.0,), "likely"),
        ((1000.0,), "likely"),
        ((149.9, 10.0), "likely"),
        ((150.0, 10.0), "confirmed"),
    ],
)
def test_state_follows_channels_and_the_strongest_score(scores: tuple[float, ...], state: str) -> None:
    channels = ("complaints", "votes")
    found = [interval("11:00", None, channel=c, score=s) for c, s in zip(channels, scores, strict=False)]
    signals = confidence.signals(found, [], voters=0, works=0, fails=0, doubtful=0.0, outlets=0)
    assert confidence.state(found, signals) == state


@pytest.mark.parametrize(("works", "state"), [(0, "confirmed"), (60, "possible")])
def test_what_is_less_probable_than_not_is_no_more_than_possible(works: int, state: str) -> None:
    found = [interval("11:00", None, channel=c, score=200.0) for c in ("complaints", "votes")]
    rests = confidence.signals(found, [], voters=20, works=works, fails=20, doubtful=0.0, outlets=0)
    assert (confidence.probability(rests)[0] < 0.5) is (state == "possible")
    assert confidence.state(found, rests) == state
    assert confidence.state(found, replace(rests, notice=True)) == "confirmed"


# shared dependencies


def _failing(service: str, minute: int = 0) -> Incident:
    (incident,) = built([interval("11:00", None)], [], at("11:40"))
    return replace(incident, id=service, service=service, onset=at("11:00") + minute * MINUTE, probability=None)


def _catalogue(on_cloud: int, others: int) -> dict[str, Service]:
    members = {f"m{n}": replace(SERVICE, id=f"m{n}", name=f"M{n}", runs_on=("cloud",)) for n in range(on_cloud)}
    rest = {f"o{n}": replace(SERVICE, id=f"o{n}", name=f"O{n}", runs_on=(), vendor=f"V{n}") for n in range(others)}
    return {**members, **rest}


@pytest.mark.parametrize(("on_cloud", "others", "grouped"), [(2, 0, 0), (3, 0, 1), (3, 2, 1), (3, 3, 0)])
def test_a_shared_dependency_needs_three_members_and_three_in_five(on_cloud: int, others: int, grouped: int) -> None:
    catalogue = _catalogue(on_cloud, others)
    assert len(groups([_failing(name) for name in catalogue], catalogue, at("11:40"))) == grouped


@pytest.mark.parametrize(("minute", "grouped"), [(30, 1), (31, 0)])
def test_failures_of_a_shared_dependency_begin_within_half_an_hour(minute: int, grouped: int) -> None:
    incidents = [_failing("m0"), _failing("m1"), _failing("m2", minute)]
    assert len(groups(incidents, _catalogue(3, 0), at("12:00"))) == grouped


# similar outages


def test_the_steps_of_the_page_are_a_seventh_of_the_distance() -> None:
    one = PastOutage(
        id="a",
        provider="p",
        service="svc",
        began=at("10:00"),
        minutes=60.0,
        impact=Impact.HIGH,
        roles=frozenset({"web"}),
        symptom="login",
        steps=(("identified", 10.0),),
        source="s",
    )
    assert distance(one, one, lasting=False) == 0.0
    # (235 + 5) / (10 + 5) is 16 times as long, where the difference is capped
    slow = replace(one, id="b", steps=(("identified", 235.0),))
    slower = replace(one, id="c", steps=(("identified", 2000.0),))
    assert distance(one, slow, lasting=False) == pytest.approx(0.15)
    assert distance(one, slower, lasting=False) == pytest.approx(0.15)
    twice = replace(one, id="d", steps=(("identified", 25.0),))
    assert distance(one, twice, lasting=False) == pytest.approx(0.15 / 4)


# reliability


def _entry(began: datetime, minutes: float, **more: datetime) -> ReliabilityRecord:
    return ReliabilityRecord(
        id=f"{began}",
        began=began,
        ended=began + timedelta(minutes=minutes),
        posted=more.get("posted", began),
        impact="major",
        components=frozenset(),
        crowd=more.get("crowd"),
    )


def test_mtbf_is_time_up_by_incidents_not_all_time() -> None:
    begin = utc("2026-06-01T00:00:00Z")
    # June has 43,200 minutes; two incidents of 600 and 1,000 minutes leave 41,600 up
    entries = [_entry(begin, 600), _entry(begin + timedelta(days=10), 1000)]
    (june,) = reliability.months(entries, utc("2026-07-01T00:00:00Z"))
    assert june.down_minutes == pytest.approx(1600)
    assert june.mtbf == pytest.approx(41_600 / 2)
    assert june.mttr == pytest.approx(800)
    assert june.availability == pytest.approx(1 - 1600 / 43_200)


@pytest.mark.parametrize(
    ("minutes", "letter"),
    [(14.9, "A"), (15, "B"), (29.9, "B"), (30, "C"), (119.9, "C"), (120, "D"), (239.9, "D"), (240, "F")],
)
def test_grades_of_acknowledgement(minutes: float, letter: str) -> None:
    assert reliability.grade(minutes) == letter


# links to news


def _link(*onsets: datetime) -> tuple[float, int]:
    """Return the score of an announcement's link, earlier incidents given, and how many statements speak against it."""
    (incident,) = built([interval("11:00", "12:00")], [], at("14:00"))
    event = NewsEvent(
        id="e",
        kind="politics_regulation",
        title="Ministry fines Maker over Svc",
        entities=(NewsEntity("svc", ("name", "headline")),),
        outlets=("one.example",),
        first_seen=at("10:00"),
        items=(("feed:x", "1"),),
    )
    lies = LinkContext(past=[], known_since=incident.onset - timedelta(days=60), onsets=onsets)
    (found,) = link(incident, SERVICE, [(event, event.title)], lies, at("14:00"))
    return found.score, len(found.evidence_against)


@pytest.mark.parametrize("kind", ["service_outage", "product"])
@pytest.mark.parametrize(("early", "linked"), [("10:45:00", True), ("10:44:59", False)])
def test_an_article_reports_an_incident_from_a_quarter_of_an_hour_before_its_onset(
    kind: str, early: str, linked: bool
) -> None:
    (incident,) = built([interval("11:00", "12:00")], [], at("14:00"))
    event = NewsEvent(
        id="e",
        kind=kind,
        title="Svc is down for many users",
        entities=(NewsEntity("svc", ("name", "headline")),),
        outlets=("one.example",),
        first_seen=utc(f"{incident.onset:%Y-%m-%d}T{early}Z"),
        items=(("feed:x", "1"),),
    )
    context = LinkContext(past=[], known_since=incident.onset - timedelta(days=60))
    links = link(incident, SERVICE, [(event, event.title)], context, at("14:00"))
    assert [k.relation for k in links] == ([Relation.REPORTS] if linked else [])


def test_each_statement_against_a_link_lowers_its_score() -> None:
    alone, none = _link()
    once, one = _link(at("10:00", 1))
    twice, two = _link(at("10:00", 1), at("09:00"))
    assert (none, one, two) == (0, 1, 2)
    assert alone / once == pytest.approx(1.15)
    assert alone / twice == pytest.approx(1.3)


def test_series_of_one_channel_and_source_are_one_kind_of_signal() -> None:
    one = interval("11:00", None)
    other = replace(one, series=SeriesKey(service="svc", channel="complaints", source="y", bin_s=900))
    signals = confidence.signals([one, one], [], voters=0, works=0, fails=0, doubtful=0.0, outlets=0)
    assert signals.kinds == 1
    signals = confidence.signals([one, other], [], voters=0, works=0, fails=0, doubtful=0.0, outlets=1)
    assert signals.kinds == 2
    signals = confidence.signals([one, other], [], voters=0, works=0, fails=0, doubtful=0.0, outlets=2)
    assert signals.kinds == 3
