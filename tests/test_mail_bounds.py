"""Each bound of what a mail says, held just below and just above it: quotes, components, lines, times."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from pipeline.commands.test_alert import sample
from pipeline.core.alert_facts import AlertFacts, ComponentFacts, OfficialLine
from pipeline.core.catalogue import Service
from pipeline.core.incidents import Evidence
from pipeline.core.reports import Report
from pipeline.core.row_refs import RowRef
from pipeline.core.vocabulary import ComponentStatus, EvidenceKind, RowTable, Transition, VoteReason
from pipeline.notify.payload import AlertContext, alert_facts, quoted_reports
from pipeline.notify.subject import subject
from pipeline.render.mail import compose, plain_text
from pipeline.render.mail_text import incident_text
from tests.copies import replace
from tests.policy_inputs import BEGAN, HOUR, INCIDENT, message
from tests.sending import alert_row
from tests.world import at


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
    assert "> 11:00 UTC: Is it down? Every" in plain_text(replace(alert_row("one", "11:00"), facts=context[0]), "UTC")


def test_a_report_written_after_the_end_is_neither_counted_nor_quoted() -> None:
    within = report("nothing loads here since this morning")
    after = replace(report("it was down for me the whole day"), created=BEGAN + 2 * HOUR)
    doubtful = replace(after, weight=0.0, reason=VoteReason.SAME_AUTHOR)
    facts = facts_of([within, after, doubtful], BEGAN + 3 * HOUR, end=BEGAN + HOUR)
    assert (facts.votes, facts.refused, facts.quotes) == (1, {}, (within.text,))
    text = plain_text(replace(alert_row("one", "11:00"), facts=facts), "UTC")
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
        components=tuple(replace(part, name=f"c{n}") for n in range(parts)) * 2,  # of a part there is one alert_row
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
