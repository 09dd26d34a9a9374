"""From spikes to stories: episodes, phases, scope, shared failures, surges, rivals, comparable outages, chance."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pipeline.config.load import load_catalogue
from pipeline.config.paths import OUTAGES, PRESS
from pipeline.config.reference_data import known_outages, press_comparisons
from pipeline.core.alert_json import advisory_json
from pipeline.core.catalogue import Component, Service
from pipeline.core.incidents import Advisory, Incident
from pipeline.core.news_events import NewsEntity, NewsEvent
from pipeline.core.row_refs import RowRef
from pipeline.core.status_records import StatusUpdate
from pipeline.core.times import utc
from pipeline.core.vocabulary import RowTable, VoteReason
from pipeline.detection.report_counting import is_first_copy
from pipeline.incidents.chance import PastIncident, RandomDates, Window
from pipeline.incidents.competitors import CompetitorActivity, competitor_evidence, expected
from pipeline.incidents.discrepancies import SourcedClaim, disagreements, provider_discrepancies
from pipeline.incidents.episodes import group_into_incidents, merge_into_episodes, read_provider_incidents
from pipeline.incidents.places import counted_places
from pipeline.incidents.shared_dependency import groups
from pipeline.incidents.similar import EarlierOutages, comparable
from pipeline.incidents.surge import SurgeInputs, advisory_facts, update_advisory
from pipeline.notify.channels.webhook import signed
from pipeline.replay.scenario import read_scenario
from pipeline.replay.scenario_sources import load_recorded
from pipeline.text.claims import claims
from pipeline.text.named_days import days_named, looks_years_back
from tests.conftest import SCENARIO
from tests.copies import replace
from tests.test_story import at, built, interval, notice, report

COUNTS = RowRef(RowTable.COMPLAINT_COUNTS, "svc")
DAY = timedelta(days=1)


def test_the_week_of_the_record_is_stories_of_a_day_and_never_one_endless_one() -> None:
    recorded = read_scenario(SCENARIO)
    sources, _ = load_recorded(recorded)
    rows = [
        row for s in sources for row in s.fetch(recorded.start, recorded.end, {}).rows if isinstance(row, StatusUpdate)
    ]
    found = group_into_incidents(merge_into_episodes([], read_provider_incidents(rows)))
    second = next(s for s in found if any(o.id == "0ghc53zpsfmt" for e in s for o in e.provider_incidents))
    assert {o.id for e in second for o in e.provider_incidents} == {
        "0ghc53zpsfmt",
        "5zg05jnrqmzg",
        "0j8dkb38jymf",
        "63943gpfb97z",
        "vqnfq1179169",
    }
    third = found[found.index(second) + 1]
    assert third[0].start == utc("2026-03-03T03:15:21Z")
    of_week = [s for s in found if s[0].start >= utc("2026-02-25T00:00:00Z")]
    assert len(of_week) >= 6
    assert all(stretch.start - s[0].start <= DAY for s in found for stretch in s)


def test_trouble_without_a_pause_is_cut_after_a_day() -> None:
    chain = [interval(f"{hour:02d}:00", f"{hour:02d}:40", day=day) for day in (2, 3, 4) for hour in range(0, 24, 1)]
    found = group_into_incidents(merge_into_episodes(chain, []))
    assert [s[0].start for s in found] == [at("00:00", 2), at("01:00", 3), at("02:00", 4)]


def test_phases_follow_each_other_and_say_what_changed() -> None:
    updates = [
        notice(1, "11:49", "investigating", "major", web="partial_outage"),
        notice(1, "12:06", "investigating", "major", web="partial_outage", api="partial_outage"),
        notice(1, "12:21", "investigating", "major", web="partial_outage", api="operational"),
        notice(1, "13:22", "identified", "major", web="partial_outage"),
        notice(1, "13:37", "identified", "major", web="partial_outage", api="partial_outage"),
        notice(1, "15:25", "monitoring", "major", web="partial_outage", api="partial_outage"),
        notice(1, "15:47", "resolved", "major", web="operational", api="operational"),
    ]
    (incident,) = built([interval("11:37", "15:00")], updates, at("18:00"))
    told = {f"{p.since:%H:%M}": (p.phase, p.why) for p in incident.phases}
    assert told["11:37"][0] == "onset"
    assert told["12:06"] == ("worsening", "it adds Svc API")
    assert told["12:21"] == ("easing", "it takes back Svc API")
    assert "identified" in told["13:22"][1]
    assert told["13:37"] == ("worsening", "it adds Svc API")
    assert told["15:25"] == ("easing", "the provider: monitoring")
    assert told["15:47"][0] == "over"
    for before, after in zip(incident.phases, incident.phases[1:], strict=False):
        assert before.until == after.since
    assert incident.phases[-1].impact == "none"


def test_a_mere_update_carries_the_state_on_and_what_looks_back_opens_nothing() -> None:
    updates = [
        notice(1, "11:49", "investigating", "major", web="partial_outage"),
        notice(1, "12:06", "update", "major"),
        notice(1, "12:21", "investigating", "major"),
        notice(1, "12:40", "monitoring", "major", web="degraded_performance", api="partial_outage"),
        notice(1, "12:50", "update", "major", web="degraded_performance", api="operational"),
        notice(1, "13:00", "resolved", "major", web="operational", api="operational"),
        notice(1, "13:30", "update", "major", web="partial_outage"),
        notice(1, "13:40", "postmortem", "major", api="partial_outage"),
    ]
    (incident,) = built([interval("11:37", "15:00")], updates, at("18:00"))
    changes = {f"{p.since:%H:%M}": p.why for p in incident.phases}
    assert "12:06" not in changes
    assert "12:21" not in changes, "it was being investigated all the while"
    assert "12:50" not in changes, "what is monitored is taken back bit by bit"
    assert "13:30" not in changes
    assert "13:40" not in changes or "adds" not in changes["13:40"]
    assert [c.component for c in incident.components if c.since >= at("13:30")] == []
    (incident,) = built([], updates, at("18:00"))
    assert (incident.active, incident.end) == (False, at("13:00"))


def test_each_episode_keeps_its_own_row() -> None:
    (incident,) = built(
        [interval("08:00", "09:00"), interval("11:00", "11:30")],
        [notice(1, "11:10", "resolved", "minor", web="operational")],
        at("20:00"),
    )
    assert [(e.number, e.onset, e.end, e.by_crowd) for e in incident.episodes] == [
        (1, at("08:00"), at("09:00"), True),
        (2, at("11:00"), at("11:30"), True),
    ]
    assert [e.official_first_at for e in incident.episodes] == [None, at("11:10")]


def test_a_part_nobody_names_any_more_is_over_and_front_door_is_told_from_back_door() -> None:
    said = [report(f"11:{m}", ("web",), ("api",) if m > 40 else ()) for m in range(38, 44)]
    (incident,) = built([interval("11:37", None, channel="votes")], [], at("14:00"), reports=said)
    (web,) = [c for c in incident.components if c.component == "web"]
    assert (web.since, web.until) == (at("11:40"), at("12:43"))
    doors = [e for e in incident.evidence if e.kind == "doors"]
    assert [(e.subject, e.value, e.compared_with) for e in doors] == [("api", 3, 0)]
    assert "programmatic access worked" in doors[0].statement


def test_doubt_lowers_the_probability_and_a_notice_settles_it() -> None:
    few = [report(f"11:{m}", ("web",)) for m in range(38, 43)]
    dropped = [
        replace(report("11:45", weight=0.0), native_id=f"d{n}", reason=VoteReason.SAME_AUTHOR) for n in range(80)
    ]
    now = at("11:50")
    plain = built([interval("11:37", None, channel="votes", score=10)], [], now, reports=few)[0]
    doubted = built([interval("11:37", None, channel="votes", score=10)], [], now, reports=[*few, *dropped])[0]
    sure = built(
        [interval("11:37", None, channel="votes", score=10)],
        [notice(1, "11:45", "investigating", "major")],
        now,
        reports=few,
    )[0]
    assert plain.probability is not None
    assert doubted.probability is not None
    assert sure.probability is not None
    assert doubted.probability < 0.05 < plain.probability < sure.probability
    assert any(e.subject == "doubtful" and (e.value or 0) < 0 for e in doubted.evidence)


def story(service: str, clock: str, *, active: bool = True) -> Incident:
    (one,) = built([interval(clock, None)], [], at("12:20"))
    from tests.copies import replace

    return replace(one, id=f"{service}-x", service=service, active=active)


def test_services_that_fail_together_name_what_they_run_on_and_strangers_do_not() -> None:
    def service(name: str, *below: str) -> Service:
        return Service(
            id=name, name=name.title(), runs_on=below, components=(Component(id="web", name="w", role="web"),)
        )

    catalogue = {
        s.id: s
        for s in (service("a", "net"), service("b", "net"), service("c", "net", "db"), service("d"), service("net"))
    }
    together = [story("a", "12:00"), story("b", "12:05"), story("c", "12:20"), story("d", "12:01")]
    ((group, members),) = groups(together, catalogue, at("12:30"))
    assert (group.service, members, group.state) == ("net", ["a-x", "b-x", "c-x"], "likely")
    assert "3 services that run on Net" in group.evidence[0].statement
    assert groups(together[:2], catalogue, at("12:30")) == []
    assert groups([story("a", "09:00"), story("b", "10:00"), story("c", "12:00")], catalogue, at("12:30")) == []


def test_a_service_that_fails_twice_a_day_follows_every_date_and_a_rare_one_does_not() -> None:
    begin = utc("2026-01-01T00:00:00Z")
    often = [
        PastIncident(onset=begin + timedelta(hours=12 * n), end=begin + timedelta(hours=12 * n + 1), size=(1, 60.0))
        for n in range(120)
    ]
    rare = PastIncident(
        onset=begin + timedelta(days=60, hours=5), end=begin + timedelta(days=60, hours=9), size=(3, 240.0)
    )
    window = Window(before=timedelta(days=7), after=timedelta(0))
    small = RandomDates([*often, rare], often[119], begin).p_value(window, often[119].onset - timedelta(hours=11))
    large = RandomDates([*often, rare], rare, begin).p_value(window, rare.onset - timedelta(hours=11))
    assert small is not None
    assert large is not None
    assert small[0] > 0.5
    assert large[0] < 0.05
    assert RandomDates([rare], rare, rare.onset - timedelta(days=10)).p_value(window, rare.onset) is None, (
        "too little history"
    )


def test_days_are_read_in_four_languages() -> None:
    monday = utc("2026-03-04T12:00:00Z").date()  # a Wednesday
    assert days_named("what Monday taught us", monday) == {utc("2026-03-02T00:00:00Z").date()}
    assert days_named("am 2. März, gestern", monday) == {
        utc("2026-03-02T00:00:00Z").date(),
        utc("2026-03-03T00:00:00Z").date(),
    }
    assert days_named("le 28 février 2025", monday) == {utc("2025-02-28T00:00:00Z").date()}
    assert days_named("on 31 February", monday) == set()
    assert looks_years_back("One year later: the week in which it stood still")


def test_surge_is_raised_by_two_signals_held_by_one_and_never_during_an_outage() -> None:
    now = utc("2026-02-28T12:00:00Z")
    hours = {now - timedelta(hours=n): (40 if n <= 24 else 8, 0.1) for n in range(1, 24 * 8)}
    climbing = [(now - timedelta(days=3), 40), (now - timedelta(days=2), 38), (now - timedelta(hours=1), 2)]
    news = [
        NewsEvent(
            id="n",
            kind="politics_regulation",
            title="t",
            entities=(NewsEntity("svc", ("headline", "name")),),
            outlets=("a",),
            first_seen=now - DAY / 2,
            items=(),
        )
    ]
    seen = SurgeInputs(posts=hours, ranks=climbing, events=news)
    raised, loud = update_advisory("svc", seen, None, None, now, broken=False)
    assert raised is not None
    assert (raised.level, loud) == ("watch", True)
    assert update_advisory("svc", seen, None, None, now, broken=True)[0] is None
    quiet = SurgeInputs(posts=dict.fromkeys(hours, (8, 0.1)), ranks=climbing, events=[])
    assert update_advisory("svc", quiet, raised, now, now, broken=False)[0] == raised, "the chart still stands out"
    over, _ = update_advisory("svc", SurgeInputs(posts={}, ranks=[], events=[]), raised, now - DAY, now, broken=False)
    assert over is not None
    assert over.until == now


def test_the_payload_for_an_autoscaler_is_signed() -> None:
    advisory = Advisory(
        service="svc", since=at("12:00"), until=None, level="high", reasons=("r",), signals=(("news", 7.0, 1.0),)
    )
    body, signature = signed(advisory_json(advisory_facts(advisory, "Svc", simulated=True)), "secret")
    assert b'"level":"high"' in body
    assert b'"simulated":true' in body
    assert signature.startswith("sha256=")
    assert signature != signed(advisory_json(advisory_facts(advisory, "Svc", simulated=False)), "secret")[1]
    assert signature != signed(advisory_json(advisory_facts(advisory, "Svc", simulated=True)), "other")[1]


def test_rivals_are_held_against_their_own_days_and_their_own_trouble() -> None:
    (incident,) = built([interval("11:00", "13:00")], [], at("18:00"))
    catalogue = {"r": Service(id="r", name="Rival")}
    hours = {at("00:00") - n * timedelta(hours=1): 10 for n in range(24 * 7)} | {at("11:00"): 80, at("12:00"): 90}

    def verdict(**more: Any) -> list[str]:
        rival = CompetitorActivity(
            service="r", hours=hours, ranks=(), incidents=more.get("incidents", ()), complaints={}
        )
        return [e.statement for e in competitor_evidence(incident, [rival], catalogue, at("18:00"))]

    assert verdict() == ["Rival: 170 posts, 20 usual at these hours (± 4): gained talk"]
    assert verdict(incidents=[incident])[0].endswith("trouble of its own at the time")


def test_a_gap_in_counts_is_not_zero_and_an_hour_that_is_not_over_is_compared_with_its_part() -> None:
    hours = {at("11:00", 9) - n * timedelta(hours=1): 12.0 for n in range(24 * 8)} | {at("11:00", 9): 40.0}
    assert expected(hours, at("11:05", 9), at("11:45", 9), counted=True) == (40.0, 9.0, 3.0)
    holes = {h: n for h, n in hours.items() if h.day not in (6, 7)}
    assert expected(holes, at("11:05", 9), at("12:45", 9), counted=True) == (40.0, 12.0, 12.0**0.5)
    assert expected(holes, at("11:05", 9), at("11:45", 9)) != expected(
        holes, at("11:05", 9), at("11:45", 9), counted=True
    )
    assert expected(holes, at("13:00", 9), at("13:45", 9), counted=True) is None


def test_places_of_complaints_are_told_in_numbers() -> None:
    found = list(
        counted_places(
            {"US": (60.0, 10.0), "CA": (30.0, 10.0), "DE": (21.0, 5.0), "JP": (4.0, 5.0)}, at("11:00"), COUNTS
        )
    )
    assert [(e.kind, e.subject, e.value, e.compared_with) for e in found] == [
        ("region", "North America", 90, 20.0),
        ("region", "Europe", 21, 5.0),
        ("where", "North America and beyond", 70, 86),
    ]
    alone = list(counted_places({"US": (60.0, 10.0), "DE": (6.0, 5.0)}, at("11:00"), COUNTS))[-1]
    assert (alone.subject, alone.statement) == (
        "USA only",
        "USA only: 50 of 51 complaints above the usual are from USA",
    )
    assert list(counted_places({"US": (5.0, 10.0), "JP": (12.0, 10.0)}, at("11:00"), COUNTS)) == []


def test_three_parts_of_the_world_make_it_worse() -> None:
    far = [
        interval("11:30", "13:00", score=30.0),
        interval("11:30", "13:00", channel="votes", score=30.0),
    ]
    here = [replace(report(f"11:{m}", ("web",)), region="US") for m in range(38, 44)]
    wide = [
        replace(r, region=place) for r, place in zip(here, ("US", "DE", "JP", "US-OH", "Osaka, JP", "DE"), strict=True)
    ]
    assert [built(far, [], at("18:00"), reports=r)[0].impact for r in (here, wide)] == ["moderate", "high"]


def test_the_provider_is_held_to_its_own_word_of_when() -> None:
    late = replace(
        notice(1, "15:47", "resolved", "major"), body="Between 13:10 UTC and 15:40 UTC users could not log in."
    )
    early = replace(notice(1, "11:49", "investigating", "major"), body="We are looking into trouble since 11:35 UTC.")
    pages = read_provider_incidents([early, late])
    (incident,) = built([interval("11:37", "15:00")], [early, late], at("18:00"))
    (told,) = provider_discrepancies(incident, pages, Service(id="svc", name="Svc"), at("18:00"))
    assert (
        told.statement
        == "the provider: start 13:10 UTC, 93 minutes after the first reports, 81 minutes after the first notice"
    )
    assert str(told.rows[0]) == f"status_updates:{late.page}/{late.incident_id}/{late.update_id}"


def test_claims_are_laid_beside_what_was_measured() -> None:
    (incident,) = built(
        [interval("11:37", "15:00")],
        [
            notice(1, "11:49", "investigating", "major", api="partial_outage"),
            notice(1, "15:47", "resolved", "major", api="operational"),
        ],
        at("18:00"),
    )
    service = Service(id="svc", name="Svc", components=(Component(id="api", name="Svc API", role="api"),))
    text = "Svc was down from 5:30 AM PST. The API stayed up throughout."
    said = [
        SourcedClaim(claim=c, where="Outlet", published=at("16:00"), row=RowRef(RowTable.CLAIMS, "x"))
        for c in claims(text, at("16:00").date())
    ]
    from pipeline.incidents.episodes import read_provider_incidents as grouped

    found = [
        e.statement
        for e in disagreements(incident, said, grouped([notice(1, "11:49", "investigating", "major")]), service)
    ]
    assert found == [
        "Outlet: start 13:30 UTC, 113 minutes after the first reports, 101 minutes after the first notice",
        "Outlet: Svc API unaffected, contradicted by the provider at 11:49 UTC",
    ]


def test_comparable_outages_come_from_public_records_of_six_providers() -> None:
    known = known_outages(OUTAGES)
    assert len({k.provider for k in known}) >= 6
    assert all(k.source and k.minutes > 0 for k in known)
    (incident,) = built(
        [interval("11:37", "15:00")], [], at("18:00"), reports=[report(f"11:{m}", ("web",)) for m in range(38, 44)]
    )
    found = list(comparable(incident, load_catalogue()["claude"], EarlierOutages(incident, known), at("18:00")))
    assert [e.kind for e in found] == ["comparable"] * 5 + ["outlook"]
    assert all("lasted" in e.statement for e in found)
    assert {c.found for c in press_comparisons(PRESS)} == {True, False}


def test_copies_are_one_voice_in_the_talk() -> None:
    heard: dict[str, Any] = {}
    assert [is_first_copy(heard, "same", at("12:00") + timedelta(minutes=n)) for n in (0, 1, 2, 400)] == [
        True,
        False,
        False,
        True,
    ]
    assert [is_first_copy(heard, "", at("12:00")) for _ in range(2)] == [True, True], "what has no words is no copy"
