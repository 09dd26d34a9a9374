"""Each documented bound of notification, held just below and just above it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from pipeline.commands.test_alert import sample
from pipeline.config.settings import Alerts, Route
from pipeline.core.alert_facts import AlertFacts, ComponentFacts, OfficialLine, Section
from pipeline.core.alerts import Alert
from pipeline.core.catalogue import Service
from pipeline.core.errors import ChannelError
from pipeline.core.incidents import GROUP, ComponentSpan, Evidence, Incident, Phase
from pipeline.core.reports import Report
from pipeline.core.row_refs import RowRef
from pipeline.core.times import utc
from pipeline.core.vocabulary import (
    ComponentStatus,
    EvidenceKind,
    Impact,
    PhaseName,
    RowTable,
    State,
    Transition,
    VoteReason,
)
from pipeline.notify.digest import summary_message, system_message
from pipeline.notify.payload import AlertContext, alert_facts, quoted_reports, subject
from pipeline.notify.policy import NotificationPolicy, Rise, newly_affected, next_gap, next_transition
from pipeline.notify.routing import muted_until
from pipeline.render.mail import compose, plain_text
from pipeline.render.mail_text import incident_text
from pipeline.stages.alert.stage import Delivery, run_alert, send
from pipeline.store import Store
from pipeline.store.outbox import alerts_of
from tests.test_alerts import Ears
from tests.test_delivery import put, row
from tests.world import at

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
BEGAN = utc("2026-03-02T11:00:00Z")
POLICY = NotificationPolicy(
    from_state="possible",
    group_interval=Alerts().group_interval,
    max_group_interval=Alerts().max_group_interval,
    alerting_since=BEGAN - SECOND,
)
INCIDENT = Incident(
    id="i",
    service="svc",
    state=State.POSSIBLE,
    opened_at=BEGAN,
    onset=BEGAN,
    peak=None,
    end=None,
    impact=Impact.LOW,
    symptom="",
    official_first_at=None,
    episode_count=1,
    active=True,
)
EASING = Phase(episode=1, phase=PhaseName.EASING, since=BEGAN, until=None, impact=Impact.LOW, why="")


def message(when: datetime, transition: Transition = Transition.OPENED, **facts: Any) -> Alert:
    usual = {"transition": transition, "state": State.POSSIBLE, "impact": Impact.LOW, "affected": ()}
    about = replace(sample(when).incident_facts, **{**usual, **facts})
    return replace(sample(when), incident="i", transition=transition, facts=about)


def messages(count: int, **facts: Any) -> list[Alert]:
    """Return so many messages, a second apart, the last one at BEGAN."""
    return [message(BEGAN - n * SECOND, **facts) for n in reversed(range(count))]


def span(component: str, source: str) -> ComponentSpan:
    return ComponentSpan(
        component=component, source=source, status=ComponentStatus.AFFECTED, since=BEGAN, until=None, detail=""
    )


@pytest.mark.parametrize(
    ("change", "transition"),
    [
        ({}, Transition.OPENED),
        ({"probability": 0.05}, Transition.OPENED),
        ({"probability": 0.0499}, None),
        ({"opened_at": BEGAN - SECOND}, Transition.UNDER_WAY),
        ({"active": False}, None),
        ({"phases": (EASING,)}, Transition.OPENED),
        ({"phases": (replace(EASING, phase=PhaseName.OVER),)}, None),
    ],
)
def test_a_first_message_needs_an_open_and_probable_incident(
    change: dict[str, Any], transition: Transition | None
) -> None:
    assert next_transition(replace(INCIDENT, **change), [], POLICY, BEGAN) is transition


@pytest.mark.parametrize("least", ["possible", "likely", "confirmed"])
@pytest.mark.parametrize("state", [State.POSSIBLE, State.LIKELY, State.CONFIRMED])
def test_a_first_message_waits_for_the_least_state(least: str, state: State) -> None:
    found = next_transition(replace(INCIDENT, state=state), [], replace(POLICY, from_state=least), BEGAN)
    assert (found is Transition.OPENED) is (state.rank >= State(least).rank)


@pytest.mark.parametrize(
    ("change", "transition"),
    [
        ({"state": State.CONFIRMED}, Transition.CONFIRMED),
        ({"impact": Impact.CRITICAL}, Transition.WORSE),
        ({"components": (span("web", "votes"),)}, Transition.COMPONENT_ADDED),
        ({"impact": Impact.HIGH}, Transition.WORSE),
    ],
    ids=["confirmed", "critical", "component", "worse"],
)
def test_what_follows_a_first_message_waits_for_the_group_interval(
    change: dict[str, Any], transition: Transition
) -> None:
    incident = replace(INCIDENT, **change)
    assert next_transition(incident, messages(1), POLICY, BEGAN + 15 * MINUTE - SECOND) is None
    assert next_transition(incident, messages(1), POLICY, BEGAN + 15 * MINUTE) is transition


def test_a_further_part_waits_for_an_hour_and_goes_with_what_becomes_critical_before() -> None:
    first, second = span("web", "official"), span("api", "official")
    past = [message(BEGAN, affected=("web",))]
    more = replace(INCIDENT, components=(first, second))
    assert next_transition(more, past, POLICY, BEGAN + 60 * MINUTE - SECOND) is None
    assert next_transition(more, past, POLICY, BEGAN + 60 * MINUTE) is Transition.COMPONENT_ADDED
    critical = replace(more, impact=Impact.CRITICAL)
    assert next_transition(critical, past, POLICY, BEGAN + 20 * MINUTE) is Transition.WORSE


def test_an_end_and_a_return_wait_for_nothing() -> None:
    over = [message(BEGAN, Transition.OVER)]
    assert next_transition(replace(INCIDENT, active=False), messages(1), POLICY, BEGAN) is Transition.OVER
    assert next_transition(replace(INCIDENT, active=False), over, POLICY, BEGAN + timedelta(days=9)) is None
    assert next_transition(INCIDENT, over, POLICY, BEGAN) is Transition.REOPENED


@pytest.mark.parametrize(("sent", "minutes"), [(1, 15), (2, 30), (3, 60), (4, 120), (5, 240), (6, 240), (60, 240)])
def test_the_gap_doubles_with_each_message_up_to_its_maximum(sent: int, minutes: int) -> None:
    assert next_gap(sent, POLICY) == minutes * MINUTE


@pytest.mark.parametrize(("sent", "minutes"), [(1, 15), (2, 30), (3, 60), (4, 120)])
def test_routine_news_waits_for_the_gap_of_the_messages_so_far(sent: int, minutes: int) -> None:
    worse = replace(INCIDENT, impact=Impact.HIGH)
    assert next_transition(worse, messages(sent), POLICY, BEGAN + minutes * MINUTE - SECOND) is None
    assert next_transition(worse, messages(sent), POLICY, BEGAN + minutes * MINUTE) is Transition.WORSE


@pytest.mark.parametrize(("sent", "routine"), [(4, True), (5, False), (6, False)])
def test_after_five_messages_only_urgent_ones_are_sent(sent: int, routine: bool) -> None:
    late = BEGAN + timedelta(days=2)
    past = messages(sent)
    worse, easing = replace(INCIDENT, impact=Impact.HIGH), replace(INCIDENT, phases=(EASING,))
    assert next_transition(worse, past, POLICY, late) is (Transition.WORSE if routine else None)
    critical = messages(sent, impact=Impact.CRITICAL)
    assert next_transition(easing, critical, POLICY, late) is None
    assert next_transition(easing, critical[:3], POLICY, late) is Transition.EASING
    assert next_transition(easing, past, POLICY, late) is None, "of what was never critical only the end is news"
    for change, transition in (
        ({"impact": Impact.CRITICAL}, Transition.WORSE),
        ({"state": State.CONFIRMED}, Transition.CONFIRMED),
        ({"components": (span("web", "official"),)}, Transition.COMPONENT_ADDED),
        ({"active": False}, Transition.OVER),
    ):
        assert next_transition(replace(INCIDENT, **change), past, POLICY, late) is transition


def test_a_reminder_comes_at_the_repeat_interval_however_many_were_sent() -> None:
    policy = replace(POLICY, repeat_interval=timedelta(hours=2))
    for sent in (1, 7):
        assert next_transition(INCIDENT, messages(sent), policy, BEGAN + timedelta(hours=2) - SECOND) is None
        assert next_transition(INCIDENT, messages(sent), policy, BEGAN + timedelta(hours=2)) is Transition.REMINDER
    assert next_transition(INCIDENT, messages(1), POLICY, BEGAN + timedelta(days=9)) is None, "0: never"


def test_what_was_critical_before_is_no_urgent_news() -> None:
    past = [message(BEGAN - SECOND, impact=Impact.CRITICAL), *messages(4)]
    critical = replace(INCIDENT, impact=Impact.CRITICAL)
    assert next_transition(critical, past, POLICY, BEGAN + timedelta(days=1)) is None


@pytest.mark.parametrize(
    ("named", "source", "new"),
    [
        ([()], "votes", ["web"]),
        ([("web",)], "votes", []),
        ([("web",), ()], "votes", []),
        ([("web",), ()], "official", ["web"]),
        ([(), ("web",)], "official", []),
    ],
)
def test_a_component_is_news_once_and_after_hours_where_the_page_lists_it_again(
    named: Sequence[tuple[str, ...]], source: str, new: list[str]
) -> None:
    past = [message(BEGAN + n * SECOND, affected=parts) for n, parts in enumerate(named)]
    incident = replace(INCIDENT, components=(span("web", source),))
    assert newly_affected(incident, past, BEGAN + 6 * HOUR) == new
    if new and any(named):
        assert newly_affected(incident, past, BEGAN + 6 * HOUR - SECOND) == []


def test_a_part_that_only_people_name_is_no_news_once_anything_has_confirmed() -> None:
    incident = replace(INCIDENT, components=(span("web", "votes"),), state=State.LIKELY)
    assert newly_affected(incident, [message(BEGAN)], BEGAN) == ["web"]
    incident = replace(incident, state=State.CONFIRMED)
    assert newly_affected(incident, [message(BEGAN)], BEGAN) == [], "confirmed by reports"
    group = replace(incident, id=f"svc{GROUP}")
    assert newly_affected(group, [message(BEGAN)], BEGAN) == ["web"], "a service that joins a shared failure is news"
    assert newly_affected(replace(incident, official_first_at=BEGAN), [message(BEGAN)], BEGAN) == []


def notice(after: timedelta, impact: Impact = Impact.LOW) -> Rise:
    return Rise(since=BEGAN + after, impact=impact, by_provider=True)


def rise(after: timedelta, impact: Impact = Impact.MODERATE) -> Rise:
    return Rise(since=BEGAN + after, impact=impact, by_provider=False)


@pytest.mark.parametrize(
    ("began", "waited", "said", "again"),
    [
        (notice(HOUR + SECOND), HOUR + SECOND + 15 * MINUTE, {}, True),
        (notice(HOUR + SECOND), HOUR + 15 * MINUTE, {}, False),  # a lesser one waits for others
        (notice(HOUR + SECOND, Impact.HIGH), HOUR + SECOND, {}, True),  # a grave one does not
        (notice(HOUR), 2 * HOUR, {}, False),  # a message an hour old says as much
        (notice(30 * MINUTE, Impact.HIGH), 30 * MINUTE, {}, True),  # but not of something worse
        (notice(30 * MINUTE, Impact.HIGH), 30 * MINUTE, {"impact": Impact.CRITICAL}, False),
        (notice(30 * MINUTE), 45 * MINUTE, {"transition": Transition.EASING}, True),
        (notice(-SECOND, Impact.HIGH), 9 * HOUR, {}, False),  # the message knew of it
        (rise(2 * HOUR), 2 * HOUR, {}, True),
        (rise(2 * HOUR - SECOND), 3 * HOUR, {}, False),
        (rise(2 * HOUR, Impact.LOW), 3 * HOUR, {}, False),
        (rise(20 * MINUTE), 20 * MINUTE, {"transition": Transition.EASING}, True),
    ],
)
@pytest.mark.parametrize("sent", [1, 4])
def test_a_second_wave_is_told_once_also_at_the_highest_impact(
    began: Rise, waited: timedelta, said: dict[str, Any], again: bool, sent: int
) -> None:
    past = [*messages(sent - 1, impact=Impact.CRITICAL), message(BEGAN, **said)]
    incident = replace(INCIDENT, impact=said.get("impact", Impact.LOW))
    expected = Transition.WORSE_AGAIN if again else None
    assert next_transition(incident, past, POLICY, BEGAN + waited, [began]) is expected
    past.append(message(BEGAN + waited, Transition.WORSE_AGAIN, impact=incident.impact))
    assert next_transition(incident, past, POLICY, BEGAN + waited + HOUR, [began]) is None


@pytest.mark.parametrize(("sent", "again"), [(4, True), (5, False)])
def test_after_five_messages_in_a_day_a_rise_of_reports_is_no_second_wave_and_a_notice_is(
    sent: int, again: bool
) -> None:
    past = messages(sent)
    expected = Transition.WORSE_AGAIN if again else None
    assert next_transition(INCIDENT, past, POLICY, BEGAN + 3 * HOUR, [rise(3 * HOUR)]) is expected
    assert next_transition(INCIDENT, past, POLICY, BEGAN + 4 * HOUR, [notice(3 * HOUR)]) is Transition.WORSE_AGAIN
    assert next_transition(INCIDENT, past, POLICY, BEGAN + 25 * HOUR, [rise(24 * HOUR)]) is Transition.WORSE_AGAIN


def test_two_notices_that_come_together_are_one_message() -> None:
    both = [notice(5 * HOUR), notice(5 * HOUR + 14 * MINUTE)]
    told = BEGAN + 5 * HOUR + 15 * MINUTE
    assert next_transition(INCIDENT, messages(4), POLICY, told - SECOND, both) is None
    assert next_transition(INCIDENT, messages(4), POLICY, told, both) is Transition.WORSE_AGAIN
    past = [*messages(4), message(told, Transition.WORSE_AGAIN)]
    assert next_transition(INCIDENT, past, POLICY, told + HOUR, both) is None


def test_what_eased_and_is_worse_for_a_while_is_told() -> None:
    eased = [message(BEGAN - HOUR, impact=Impact.CRITICAL), message(BEGAN, Transition.EASING, impact=Impact.CRITICAL)]
    peak = replace(EASING, phase=PhaseName.PEAK, since=BEGAN - 2 * HOUR)
    again = replace(INCIDENT, impact=Impact.CRITICAL, phases=(peak,))
    assert next_transition(again, eased, POLICY, BEGAN + 15 * MINUTE - SECOND) is None
    assert next_transition(again, eased, POLICY, BEGAN + 15 * MINUTE) is Transition.WORSE_AGAIN
    assert next_transition(replace(again, phases=(EASING,)), eased, POLICY, BEGAN + 5 * HOUR) is None


@pytest.mark.parametrize(
    ("at", "until"),
    [
        ("2026-03-02T21:59:59Z", None),
        ("2026-03-02T22:00:00Z", "2026-03-03T07:00:00Z"),
        ("2026-03-03T00:00:00Z", "2026-03-03T07:00:00Z"),
        ("2026-03-03T06:59:59Z", "2026-03-03T07:00:00Z"),
        ("2026-03-03T07:00:00Z", None),
    ],
)
def test_a_mute_time_interval_holds_from_its_begin_to_its_end(at: str, until: str | None) -> None:
    night = Route(name="night", mute_time_intervals=("22:00-07:00 UTC",), quiet_except="high")
    assert muted_until(night, Impact.MODERATE, utc(at)) == (utc(until) if until else None)
    assert muted_until(night, Impact.HIGH, utc(at)) is None, "this impact and above is sent at once"


@pytest.mark.parametrize(("count", "merged"), [(1, False), (2, False), (3, True), (4, True)])
def test_three_incidents_at_once_are_one_message(store: Store, count: int, merged: bool) -> None:
    put(store, *(row(f"i{n}", "11:00") for n in range(count)))
    ears = Ears()
    run_alert(store, {"file": ears}, BEGAN)
    assert [a.transition for a in ears.heard] == (["summary"] if merged else ["opened"] * count)


@pytest.mark.parametrize(("waited", "sent"), [(timedelta(hours=1) - SECOND, False), (timedelta(hours=1), True)])
def test_above_the_hourly_cap_a_message_waits_until_the_first_is_an_hour_old(
    store: Store, waited: timedelta, sent: bool
) -> None:
    cap = Alerts().max_per_hour
    assert cap == 20
    ears = Ears()
    for n in range(cap):
        put(store, row(f"i{n}", "11:00"))
        run_alert(store, {"file": ears}, BEGAN, Delivery(max_per_hour=cap))
    assert len(ears.heard) == cap, "the cap itself is sent"
    put(store, row("above", "11:00"))
    run_alert(store, {"file": ears}, BEGAN, Delivery(max_per_hour=cap))
    assert len(ears.heard) == cap
    run_alert(store, {"file": ears}, BEGAN + waited, Delivery(max_per_hour=cap))
    assert (len(ears.heard) > cap) is sent


@pytest.mark.parametrize(("more", "messages_sent"), [(1, 2), (2, 2)])
def test_what_there_is_no_room_for_in_this_hour_is_merged(store: Store, more: int, messages_sent: int) -> None:
    delivery, ears = Delivery(max_per_hour=2), Ears()
    put(store, row("first", "11:00"))
    run_alert(store, {"file": ears}, BEGAN, delivery)
    put(store, *(row(f"more{n}", "11:00") for n in range(more)))
    run_alert(store, {"file": ears}, BEGAN, delivery)
    assert [a.transition for a in ears.heard] == ["opened", "opened" if more == 1 else "summary"]
    assert len(ears.heard) == messages_sent


@pytest.mark.parametrize(("attempts", "minutes"), [(0, 1), (1, 2), (5, 32), (6, 60), (60, 60)])
def test_a_failed_message_is_tried_again_after_waits_that_double_up_to_an_hour(attempts: int, minutes: int) -> None:
    class Failing(Ears):
        def send(self, alert: Alert) -> None:
            raise ChannelError("answered 451")

    outcome = send(Failing(), replace(row("one", "11:00"), attempts=attempts))
    assert outcome.retry_after == minutes * MINUTE


def test_a_first_message_that_waits_for_others_goes_at_its_time(store: Store) -> None:
    ears, wait = Ears(), Delivery(group_wait=10 * MINUTE)
    put(store, row("one", "11:00", due="11:10"))
    run_alert(store, {"file": ears}, BEGAN + 10 * MINUTE - SECOND, wait)
    assert ears.heard == []
    run_alert(store, {"file": ears}, BEGAN + 10 * MINUTE, wait)
    assert [a.transition for a in ears.heard] == ["opened"]
    assert alerts_of(store)[0].sent_at == BEGAN + 10 * MINUTE


@pytest.mark.parametrize(("lines", "shown", "rest"), [(49, 49, None), (50, 50, None), (51, 51, "and 1 more")])
def test_a_section_names_fifty_lines(lines: int, shown: int, rest: str | None) -> None:
    facts = system_message("s", "h", (Section("Runs", tuple(f"line {n}" for n in range(lines))),), BEGAN)
    assert len(facts.sections[0].lines) == shown
    assert (facts.sections[0].lines[-1] == rest) is (rest is not None)


@pytest.mark.parametrize(("services", "more"), [(4, False), (5, True)])
def test_a_summary_names_four_services_in_its_subject(services: int, more: bool) -> None:
    rows = [message(BEGAN, service=f"S{n}") for n in range(services)]
    facts = summary_message([replace(a, incident=f"i{n}") for n, a in enumerate(rows)], BEGAN, held=False)
    assert facts.subject.endswith(" and more") is more
    assert facts.subject.startswith(f"{services} incidents: S0, S1, S2, S3")


@pytest.mark.parametrize(("names", "more"), [(3, False), (4, True)])
def test_a_subject_names_three_components(names: int, more: bool) -> None:
    facts = replace(sample(BEGAN).incident_facts, affected_names=tuple(f"c{n}" for n in range(names)))
    assert ("c2 and more" in subject(facts)) is more
    assert "c3" not in subject(facts)


def report(text: str, p: float = 0.9) -> Report:
    return Report(service="svc", source="x", native_id=text, created=BEGAN, weight=1.0, p_outage=p, text=text)


SERVICE = Service(id="svc", name="Svc")


def facts_of(
    reports: list[Report],
    now: datetime,
    transition: Transition = Transition.OVER,
    last_message_at: datetime | None = None,
    service: Service = SERVICE,
    **incident: Any,
) -> AlertFacts:
    context = AlertContext(
        incident=replace(INCIDENT, onset=BEGAN, **incident),
        service=service,
        reports=reports,
        intervals=(),
        series={},
        links=(),
        news={},
        hit=(),
        next_after=now,
        simulated=False,
        last_message_at=last_message_at,
    )
    return alert_facts(context, transition, now)


def test_of_a_service_without_a_page_only_our_own_earlier_outages_are_compared() -> None:
    alike = tuple(
        Evidence(
            kind=EvidenceKind.COMPARABLE,
            at=BEGAN,
            subject=name,
            value=30,
            compared_with=0.65,
            statement=name,
            rows=(RowRef(table, name),),
        )
        for name, table in (("other vendor", RowTable.PUBLIC_OUTAGES), ("here", RowTable.INCIDENTS))
    )
    assert facts_of([], BEGAN, evidence=alike).comparable == ("here",)
    paged = replace(SERVICE, status_page="https://status.svc.example")
    assert facts_of([], BEGAN, service=paged, evidence=alike).comparable == ("other vendor", "here")


def quotes(reports: list[Report]) -> list[str]:
    return [quoted.text for quoted in quoted_reports(reports)]


@pytest.mark.parametrize(("length", "quoted"), [(19, False), (20, True), (220, True), (221, False)])
def test_a_quote_has_from_twenty_to_two_hundred_and_twenty_characters(length: int, quoted: bool) -> None:
    assert bool(quotes([report("w" * length)])) is quoted


def test_a_mail_quotes_three_people_in_words_of_their_own() -> None:
    texts = [" ".join(f"{word}{n}" for word in ("alpha", "bravo", "carol", "delta")) for n in range(5)]
    assert quotes([report(text) for text in texts]) == texts[:3]
    half = "alpha0 bravo0 other other2"
    assert quotes([report(texts[0]), report(half, 0.8)]) == [texts[0], half], "half of its words are its own"
    most = "alpha0 bravo0 carol0 other"
    assert quotes([report(texts[0]), report(most, 0.8)]) == [texts[0]]


def test_a_later_mail_quotes_what_was_written_since_the_last_one() -> None:
    early = report("nothing loads here since this morning", 0.99)
    later = replace(report("still errors on every single page", 0.8), created=BEGAN + 2 * HOUR)
    assert quoted_reports([early, later], "en", BEGAN + HOUR) == [later]
    assert quoted_reports([early], "en", BEGAN + HOUR) == [early], "nobody wrote since"
    assert quoted_reports([early, later]) == [early, later]
    now, heard = BEGAN + 3 * HOUR, BEGAN + HOUR
    assert facts_of([early, later], now, Transition.REMINDER, heard).quotes == (later.text,)
    assert facts_of([early, later], now, Transition.OVER, heard).quotes == (early.text, later.text), "of all of it"


def test_a_title_that_is_a_question_is_quoted_without_another_stop() -> None:
    asked = replace(report("Every page is an error"), title="Is it down?")
    plain = replace(report("Every page is an error"), title="It is down")
    context = facts_of([asked], BEGAN), facts_of([plain], BEGAN)
    assert [facts.quotes for facts in context] == [
        ("Is it down? Every page is an error",),
        ("It is down. Every page is an error",),
    ]
    assert context[0].quoted_at == (BEGAN,)
    assert "> 11:00 UTC: Is it down? Every" in plain_text(replace(row("one", "11:00"), facts=context[0]), "UTC")


def test_a_report_written_after_the_end_is_neither_counted_nor_quoted() -> None:
    within = report("nothing loads here since this morning")
    after = replace(report("it was down for me the whole day"), created=BEGAN + 2 * HOUR)
    doubtful = replace(after, weight=0.0, reason=VoteReason.SAME_AUTHOR)
    facts = facts_of([within, after, doubtful], BEGAN + 3 * HOUR, end=BEGAN + HOUR)
    assert (facts.votes, facts.refused, facts.quotes) == (1, {}, (within.text,))
    text = plain_text(replace(row("one", "11:00"), facts=facts), "UTC")
    assert "- 1 report counted, each a person" in text


def test_a_notice_has_one_line_with_its_latest_update() -> None:
    def posted(clock: str, notice: str, words: str) -> Evidence:
        return Evidence(kind=EvidenceKind.OFFICIAL, at=at(clock), subject=notice, statement=words, rows=())

    evidence = (
        posted("11:05", "a", "the provider: investigating: A fails"),
        posted("11:10", "b", "the provider: investigating: B fails"),
        posted("11:20", "a", "the provider: resolved: A fails"),
    )
    facts = facts_of([], BEGAN + HOUR, evidence=evidence)
    assert facts.official == (
        OfficialLine(at("11:10"), "the provider: investigating: B fails"),
        OfficialLine(at("11:20"), "the provider: resolved: A fails (2 updates since 11:05 UTC)"),
    )


@pytest.mark.parametrize(("parts", "shown", "more"), [(12, 12, 0), (13, 12, 1)])
def test_a_mail_lists_twelve_components(parts: int, shown: int, more: int) -> None:
    part = ComponentFacts(
        name="web", source="votes", status=ComponentStatus.AFFECTED, since=BEGAN, until=None, detail=""
    )
    facts = replace(
        sample(BEGAN).incident_facts,
        components=tuple(replace(part, name=f"c{n}") for n in range(parts)) * 2,  # of a part there is one row
        affected_names=tuple(f"c{n}" for n in range(parts)),
    )
    text = incident_text(facts, "i", "UTC")
    assert (len(text.components), text.more_components) == (shown, more)
    assert (text.affected[-1] == "1 more") is bool(more)


def test_a_time_of_another_day_than_the_mails_in_the_readers_zone_has_its_date() -> None:
    part = ComponentFacts(
        name="web",
        source="votes",
        status=ComponentStatus.AFFECTED,
        since=BEGAN - 12 * HOUR,
        until=BEGAN - HOUR,
        detail="",
    )
    facts = replace(sample(BEGAN).incident_facts, at=BEGAN, components=(part,))
    (shown,) = incident_text(facts, "i", "UTC").components
    assert shown.lines == ("users: affected 1 Mar 23:00 – 2 Mar 10:00",)
    (shown,) = incident_text(facts, "i", "Asia/Tokyo").components
    assert shown.lines == ("users: affected 08:00 – 19:00",)
    assert incident_text(facts, "i", "Asia/Tokyo").zone == "JST"


@pytest.mark.parametrize(("transition", "asks"), [(Transition.OPENED, True), (Transition.OVER, False)])
def test_only_a_mail_of_what_lasts_says_that_no_component_is_named_yet(transition: Transition, asks: bool) -> None:
    mail = compose(
        message(BEGAN, transition, affected_names=()), sender="a@example.org", to=["b@example.org"], zone="UTC"
    )
    for kind in ("plain", "html"):
        body = mail.get_body((kind,))
        assert body is not None
        assert ("No component is named yet" in body.get_content()) is asks


@pytest.mark.parametrize(("length", "kept"), [(400, 400), (401, 400)])
def test_a_line_of_a_mail_has_four_hundred_characters(length: int, kept: int) -> None:
    text = incident_text(replace(sample(BEGAN).incident_facts, evidence=("x" * length,)), "i", "UTC")
    assert len(text.evidence[0]) == kept


@pytest.mark.parametrize(("reasons", "shown"), [(4, 4), (5, 4)])
def test_a_mail_gives_four_reasons_why_reports_were_not_counted(reasons: int, shown: int) -> None:
    facts = replace(sample(BEGAN).incident_facts, refused={f"reason {n}": 1 for n in range(reasons)})
    assert len(incident_text(facts, "i", "UTC").refused) == shown
