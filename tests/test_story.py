"""Incidents, transitions and links: pure functions, told as small situations."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from pipeline.core.alert_facts import AlertFacts
from pipeline.core.alerts import Alert
from pipeline.core.catalogue import Component, Service
from pipeline.core.incidents import Incident
from pipeline.core.news_events import NewsEntity, NewsEvent
from pipeline.core.reports import Report
from pipeline.core.series import Interval, SeriesKey
from pipeline.core.status_records import ComponentChange, StatusUpdate
from pipeline.core.times import utc
from pipeline.core.vocabulary import Impact, State, Transition
from pipeline.incidents.build import IncidentInputs, build
from pipeline.incidents.chance import PastIncident
from pipeline.incidents.closing import ClosingRule
from pipeline.incidents.episodes import read_provider_incidents
from pipeline.incidents.link_context import LinkContext
from pipeline.incidents.news_links import link
from pipeline.notify.policy import NotificationPolicy, next_gap, next_transition
from tests.copies import replace

SERVICE = Service(
    id="svc",
    name="Svc",
    vendor="Maker",
    runs_on=("cloud",),
    status_page="https://status.svc.example",
    components=(
        Component(id="web", name="svc.example", role="web", official=("Website",)),
        Component(id="api", name="Svc API", role="api", official=("API",)),
    ),
)
QUIET = timedelta(minutes=90)


def at(clock: str, day: int = 2) -> datetime:
    return utc(f"2026-03-{day:02d}T{clock}:00Z")


def interval(
    onset: str, end: str | None, *, channel: str = "complaints", score: float = 20.0, day: int = 2
) -> Interval:
    key = SeriesKey(service="svc", channel=channel, source="x", bin_s=900)
    return Interval(
        series=key,
        onset=at(onset, day),
        alarmed_at=at(onset, day),
        peak=at(onset, day) + timedelta(minutes=15),
        end=at(end, day) if end else None,
        last_alarm=at(end, day) if end else at(onset, day),
        score=score,
        observed_peak=50,
        expected_peak=5,
    )


def notice(number: int, clock: str, status: str, impact: str, **components: str) -> StatusUpdate:
    names = {"web": "Website", "api": "API"}
    return StatusUpdate(
        page="p",
        incident_id=f"i{number}",
        update_id=f"{clock}",
        name="trouble",
        status=status,
        impact=impact,
        components=tuple(ComponentChange(names[k], "operational", v) for k, v in components.items()),
        displayed_at=at(clock),
        created_at=at(clock),
        collected=at(clock),
    )


def built(
    intervals: list[Interval],
    updates: list[StatusUpdate],
    now: datetime,
    known: list[Incident] | None = None,
    reports: list[Report] | None = None,
) -> list[Incident]:
    inputs = IncidentInputs(
        intervals=intervals, provider_incidents=read_provider_incidents(updates), reports=reports or []
    )
    return build(SERVICE, inputs, known or [], now, closing=ClosingRule(quiet=QUIET))[0]


def report(
    clock: str, parts: tuple[str, ...] = (), works: tuple[str, ...] = (), symptom: str = "login", weight: float = 1.0
) -> Report:
    return Report(
        service="svc",
        source="x",
        native_id=clock,
        created=at(clock),
        weight=weight,
        components=parts,
        working_components=works,
        symptom=symptom,
    )


def test_one_channel_is_possible_two_are_likely_the_page_confirms() -> None:
    now = at("12:00")
    assert built([interval("11:37", None)], [], now)[0].state == "possible"
    assert built([interval("11:37", None), interval("11:40", None, channel="votes")], [], now)[0].state == "likely"
    assert built([interval("11:37", None, score=50)], [], now)[0].state == "likely", "far above its history"
    assert built([interval("11:37", None)], [notice(1, "11:49", "investigating", "major")], now)[0].state == "confirmed"


@pytest.mark.parametrize("impact", ["none", "maintenance"])
def test_a_notice_without_impact_neither_opens_nor_confirms(impact: str) -> None:
    assert built([], [notice(1, "11:49", "investigating", impact)], at("12:00")) == []
    assert (
        built([interval("11:37", None)], [notice(1, "11:49", "investigating", impact)], at("12:00"))[0].state
        == "possible"
    )


def test_waves_less_than_three_hours_apart_are_one_story_with_episodes() -> None:
    waves = [interval("08:00", "09:00"), interval("11:00", "11:30"), interval("15:00", "15:30")]
    found = built(waves, [], at("20:00"))
    assert [(i.onset, i.end, i.episode_count) for i in found] == [
        (at("08:00"), at("11:30"), 2),
        (at("15:00"), at("15:30"), 1),
    ]


def test_an_incident_is_over_only_after_a_quiet_time() -> None:
    quiet = [interval("11:00", "12:00")]
    before, after = built(quiet, [], at("13:29"))[0], built(quiet, [], at("13:30"))[0]
    assert (before.active, before.state, before.end) == (True, "possible", None)
    assert (after.active, after.state, after.end) == (False, "resolved", at("12:00"))


def test_an_open_notice_holds_the_incident_open() -> None:
    found = built([interval("11:00", "11:30")], [notice(1, "11:20", "investigating", "minor")], at("18:00"))
    assert found[0].active
    assert found[0].official_first_at == at("11:20")


def test_the_same_story_keeps_its_id_when_the_onset_is_re_estimated() -> None:
    first = built([interval("11:40", None)], [], at("11:50"))
    second = built([interval("11:37", None)], [notice(1, "11:49", "investigating", "major")], at("12:00"), known=first)
    assert second[0].id == first[0].id
    assert second[0].opened_at == first[0].opened_at
    assert second[0].onset == at("11:37")
    assert (
        built([interval("11:37", None)], [notice(1, "11:49", "investigating", "major")], at("12:00"), known=second)
        == second
    )


def test_two_stories_that_grow_together_become_one() -> None:
    apart = built([interval("08:00", "08:30"), interval("12:00", None)], [], at("12:10"))
    assert len(apart) == 2
    spans = [interval("08:00", "08:30"), interval("10:00", "10:30"), interval("12:00", None)]
    joined, absorbed = build(
        SERVICE, IncidentInputs(intervals=spans), apart, at("12:20"), closing=ClosingRule(quiet=QUIET)
    )
    assert len(joined) == 1
    assert absorbed == {apart[1].id: apart[0].id}


def test_of_two_stories_that_grow_together_the_id_that_messages_name_is_kept() -> None:
    apart = built([interval("08:00", "08:30"), interval("12:00", None)], [], at("12:10"))
    spans = [interval("08:00", "08:30"), interval("10:00", "10:30"), interval("12:00", None)]
    inputs = IncidentInputs(intervals=spans)
    joined, absorbed = build(
        SERVICE, inputs, apart, at("12:20"), closing=ClosingRule(quiet=QUIET), alerted={apart[1].id}
    )
    assert [i.id for i in joined] == [apart[1].id]
    assert absorbed == {apart[0].id: apart[1].id}
    # the count between them is corrected: two stories again, and never two of one id
    split, _ = build(
        SERVICE, IncidentInputs(intervals=[spans[0], spans[2]]), joined, at("12:30"), closing=ClosingRule(quiet=QUIET)
    )
    assert len({i.id for i in split}) == 2
    assert apart[1].id in {i.id for i in split}


def test_components_are_listed_withdrawn_and_listed_again() -> None:
    updates = [
        notice(1, "11:49", "investigating", "major", web="partial_outage"),
        notice(1, "12:06", "investigating", "major", web="partial_outage", api="partial_outage"),
        notice(1, "12:21", "investigating", "major", web="partial_outage", api="operational"),
        notice(1, "13:37", "identified", "major", web="partial_outage", api="partial_outage"),
        notice(1, "15:47", "resolved", "major", web="operational", api="operational"),
    ]
    (incident,) = built([], updates, at("18:00"))
    spans = [(c.component, c.since, c.until) for c in incident.components]
    assert spans == [
        ("web", at("11:49"), at("15:47")),
        ("api", at("12:06"), at("12:21")),
        ("api", at("13:37"), at("15:47")),
    ]
    assert incident.affected(at("12:30")) == ("web",)


def test_a_notice_that_is_opened_again_is_over_when_it_is_closed_for_good() -> None:
    updates = [
        notice(1, "09:00", "investigating", "major", web="major_outage"),
        notice(1, "10:00", "resolved", "major", web="operational"),
        notice(1, "10:30", "investigating", "major", web="major_outage"),
        notice(1, "12:00", "resolved", "major", web="operational"),
    ]
    (incident,) = built([], updates, at("18:00"))
    assert incident.end == at("12:00")
    assert [(c.since, c.until) for c in incident.components] == [(at("09:00"), at("10:00")), (at("10:30"), at("12:00"))]


def test_votes_name_components_and_clear_them() -> None:
    said = [
        report("11:38", ("web",)),
        report("11:39", ("web",), ("api",)),
        report("11:40", ("web",), ("api",)),
        report("11:41", ("api",)),
        report("11:42", (), (), "error", 0.0),
    ]
    (incident,) = built([interval("11:37", None, channel="votes")], [], at("11:50"), reports=said)
    spans = {(c.component, c.status) for c in incident.components if c.source == "votes"}
    assert spans == {("web", "affected"), ("api", "works")}
    assert incident.symptom == "login"


POLICY = NotificationPolicy(
    from_state="possible",
    group_interval=timedelta(minutes=15),
    max_group_interval=timedelta(hours=4),
    alerting_since=at("00:00"),
)


def told(transition: str, when: datetime, **facts: Any) -> Alert:
    about = AlertFacts(
        service="Svc",
        service_id="svc",
        transition=Transition(transition),
        state=State(facts.pop("state", State.POSSIBLE)),
        impact=Impact(facts.pop("impact", Impact.LOW)),
        symptom="",
        onset=when,
        at=when,
        next_after=when,
        affected=tuple(facts.pop("affected", ())),
        **facts,
    )
    return Alert(
        message_id=f"<{when}>",
        incident="i",
        service="svc",
        transition=about.transition,
        channel="file",
        created=when,
        due_at=when,
        subject="",
        facts=about,
    )


def test_opened_is_told_at_once_and_the_past_never() -> None:
    incident = built([interval("11:37", None)], [], at("11:50"))[0]
    assert next_transition(incident, [], POLICY, at("11:50")) == "opened"
    assert next_transition(replace(incident, active=False, state=State.RESOLVED), [], POLICY, at("11:50")) is None
    assert next_transition(incident, [], replace(POLICY, alerting_since=at("11:50")), at("11:50")) == "under_way"
    assert next_transition(incident, [], replace(POLICY, from_state="likely"), at("11:50")) is None
    past = built([interval("09:00", "10:00")], [], at("10:30"))[0]
    assert next_transition(past, [], replace(POLICY, alerting_since=at("10:30")), at("10:30")) is None, (
        "over before we began"
    )


def test_news_waits_for_a_gap_that_doubles_and_over_does_not() -> None:
    incident = built([interval("11:37", None, score=90)], [], at("12:00"))[0]
    once = [told("opened", at("11:40"))]
    assert next_transition(incident, once, POLICY, at("11:50")) is None
    assert next_transition(incident, once, POLICY, at("11:55")) == "worse"
    twice = [*once, told("worse", at("11:55"), impact="low")]
    assert next_transition(incident, twice, POLICY, at("12:20")) is None, "the second gap is half an hour"
    assert next_transition(incident, twice, POLICY, at("12:25")) == "worse"
    assert [next_gap(n, POLICY) for n in (1, 2, 3, 9)] == [timedelta(minutes=m) for m in (15, 30, 60, 240)]
    over = replace(incident, active=False, state=State.RESOLVED)
    assert next_transition(over, twice, POLICY, at("12:00")) == "over"
    assert next_transition(over, [*twice, told("over", at("12:00"))], POLICY, at("12:30")) is None
    assert next_transition(incident, [*twice, told("over", at("12:00"))], POLICY, at("12:05")) == "reopened"


def test_a_newly_affected_component_always_tells() -> None:
    updates = [notice(1, "11:49", "investigating", "minor", web="partial_outage", api="partial_outage")]
    incident = built([], updates, at("14:00"))[0]
    many = [told("opened", at("11:50"), affected=["web"], state="confirmed", impact="high")]
    many += [told("worse", at("12:00"), affected=["web"], state="confirmed", impact="high")] * 6
    assert next_transition(incident, many, POLICY, at("14:00")) == "component_added"
    assert (
        next_transition(
            incident,
            [replace(a, facts=replace(a.incident_facts, affected=("web", "api"))) for a in many],
            POLICY,
            at("14:00"),
        )
        is None
    )


def event(kind: str, clock: str, entities: tuple[str, ...], *, day: int = 2, outlets: int = 3) -> NewsEvent:
    return NewsEvent(
        id=f"e{kind}{clock}{day}",
        kind=kind,
        title="t",
        entities=tuple(map(NewsEntity.parse, entities)),
        first_seen=at(clock, day) if day > 0 else utc("2026-02-27T20:58:00Z"),
        outlets=tuple(f"o{i}" for i in range(outlets)),
        items=(),
    )


AROUND = LinkContext(past=[], known_since=at("00:00"))


def relation(kind: str, clock: str, entities: tuple[str, ...], **more: Any) -> str | None:
    (incident,) = built([interval("11:37", "15:00", score=90)], [notice(1, "11:49", "resolved", "major")], at("18:00"))
    found = link(incident, SERVICE, [(event(kind, clock, entities, **more), "text")], AROUND, at("15:00", 3))
    return found[0].relation if found else None


def test_links_by_kind_name_and_time() -> None:
    assert relation("service_outage", "12:10", ("svc:name",)) == "reports"
    assert relation("service_outage", "12:10", ("other:name",)) is None, "another service's outage"
    assert relation("service_outage", "09:00", ("svc:name",)) is None, "before it began"
    assert relation("outage_followup", "10:00", ("svc:name",), day=3) == "follow_up"
    assert relation("politics_regulation", "x", ("svc:vendor",), day=0) == "context_before"
    assert relation("politics_regulation", "x", ("rival:vendor",), day=0) is None
    assert relation("politics_regulation", "12:10", ("svc:vendor",)) is None, (
        "after the onset it is no context before it"
    )
    assert relation("infrastructure_outage", "06:00", ("cloud:name",)) == "other_incident"
    assert relation("product", "12:10", ("svc:name",)) is None


def test_evidence_against_is_computed() -> None:
    incident = built(
        [interval("11:37", None, score=90)],
        [notice(1, "11:49", "investigating", "major", api="partial_outage")],
        at("20:00"),
    )[0]
    notices = read_provider_incidents([notice(1, "11:49", "investigating", "major")])
    before = [utc("2026-02-27T12:59:00Z"), utc("2026-02-27T13:14:00Z"), utc("2026-02-25T10:00:00Z")]
    (context,) = link(
        incident,
        SERVICE,
        [(event("politics_regulation", "x", ("svc:vendor",), day=0), "")],
        LinkContext(past=[], known_since=at("00:00"), onsets=before, provider_incidents=notices),
        at("20:00"),
    )
    assert context.evidence_against[0] == "2 incidents of Svc began that day before it (12:59, 13:14 UTC)"
    assert context.evidence_against[1].startswith("3 incidents of Svc began in the seven days before it")
    assert context.p is None, "too little history"


def test_what_speaks_against_a_link_says_the_same_share_of_random_dates_as_its_p() -> None:
    (incident,) = built([interval("11:37", "12:37", score=90)], [], at("20:00"))
    often = [
        PastIncident(onset=at("11:37") - timedelta(days=n), end=at("12:37") - timedelta(days=n), size=(5, 600.0))
        for n in range(1, 80)
    ]
    known_since = at("11:37") - timedelta(days=90)
    context = LinkContext(past=often, known_since=known_since, onsets=[p.onset for p in often])
    events = [(event("politics_regulation", "x", ("svc:vendor",), day=0), "")]
    (found,) = link(incident, SERVICE, events, context, at("20:00"))
    assert found.p is not None
    assert found.p > 0.05
    (words,) = [line for line in found.evidence_against if "chance" in line]
    assert words == f"no better than chance: {found.p:.0%} of random dates are linked as well"
