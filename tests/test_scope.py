"""What is said of an incident: one voice a person, rows behind numbers, words that hold for what was measured."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pipeline.core.catalogue import Component, Service
from pipeline.core.news_events import NewsEntity, NewsEvent
from pipeline.core.reports import Report
from pipeline.core.row_refs import RowRef
from pipeline.core.vocabulary import RowTable
from pipeline.incidents.competitors import CompetitorActivity, competitor_evidence
from pipeline.incidents.component_spans import official_components
from pipeline.incidents.discrepancies import SourcedClaim, disagreements
from pipeline.incidents.episodes import read_provider_incidents
from pipeline.incidents.link_context import LinkContext
from pipeline.incidents.news_links import link
from pipeline.incidents.scope import CITED, cite, deduplicate_clearances
from pipeline.text.claims import claims
from tests.copies import replace
from tests.test_story import at, built, interval, notice, report

SERVICE = Service(id="svc", name="Svc", components=(Component(id="api", name="API", role="api", official=("API",)),))


def clears(clock: str, author: str, text: str, **more: Any) -> Report:
    return replace(report(clock, (), ("api",), weight=0.0), author_key=author, text=text, **more)


def test_one_person_clears_a_part_once_and_a_text_too() -> None:
    said = [clears(f"11:{m}", "one", f"works {m}") for m in range(10, 40)]
    said += [clears(f"11:{m}", f"copy{m}", "The API works fine!") for m in range(40, 50)]
    said += [clears("11:50", "", "nobody"), clears("11:51", "young", "new here", author_created=at("11:00"))]
    said += [
        clears("11:52", "old", "an old hand", author_created=at("11:00") - timedelta(days=90)),
        clears("18:00", "one", "works still"),
    ]
    left = [r.created for r in deduplicate_clearances(said) if r.working_components]
    assert left == [at("11:10"), at("11:40"), at("11:52"), at("18:00")]
    assert len(deduplicate_clearances(said)) == len(said)


def test_who_says_another_part_works_does_not_deny_the_failure() -> None:
    fails = [report(f"11:{m}", ("web",)) for m in range(38, 50)]
    works = [report(f"11:{m}", (), ("api",), weight=0.0) for m in range(38, 50)]
    spans = [interval("11:37", None, channel="votes")]
    (alone,), (beside,) = (
        built(spans, [], at("12:00"), reports=r) for r in (fails, sorted([*fails, *works], key=lambda r: r.created))
    )
    assert alone.probability == beside.probability
    denied = [report(f"11:{m}", (), ("web",), weight=0.0) for m in range(38, 50)]
    (doubted,) = built(spans, [], at("12:00"), reports=sorted([*fails, *denied], key=lambda r: r.created))
    assert doubted.probability is not None
    assert alone.probability is not None
    assert doubted.probability < alone.probability


def test_more_rows_than_are_cited_are_told_as_a_span() -> None:
    many = [replace(report("11:00"), created=at("11:00") + timedelta(seconds=n), native_id=str(n)) for n in range(120)]
    rows = cite(many)
    assert (len(rows), str(rows[-1])) == (CITED + 1, "post_tags:svc@2026-03-02T11:00:00Z/2026-03-02T11:01:59Z")
    assert len(cite(many[:CITED])) == CITED


def test_words_about_ends_and_starts_hold_for_what_there_is() -> None:
    def told(incident: Any, text: str, pages: Any) -> list[str]:
        said = [
            SourcedClaim(claim=c, where="Outlet", published=at("18:00"), row=RowRef(RowTable.CLAIMS, "x"))
            for c in claims(text, at("18:00").date())
        ]
        return [e.statement for e in disagreements(incident, said, pages, SERVICE)]

    (crowd,) = built([interval("11:37", "15:00")], [], at("18:00"))
    assert told(crowd, "Svc was restored at 13:00 UTC after the outage.", []) == [
        "Outlet: end 13:00 UTC; it was over at 15:00"
    ]
    notices = [notice(1, "11:49", "investigating", "major"), notice(1, "15:47", "resolved", "major")]
    (page,) = built([], notices, at("18:00"))
    (words,) = told(page, "Svc was down from 13:30 UTC.", read_provider_incidents(notices))
    assert "first reports" not in words, "nobody reported anything"


def test_a_notice_written_afterwards_is_not_told_as_if_it_had_been_posted_then() -> None:
    late = [
        replace(notice(1, clock, status, "critical"), created_at=at("19:00"))
        for clock, status in (("11:40", "investigating"), ("14:00", "resolved"))
    ]
    (incident,) = built([interval("11:37", "15:00")], late, at("20:00"))
    assert any(p.why == "the provider dates its notice here (investigating), written at 19:00" for p in incident.phases)
    assert not any("posts its first notice" in p.why for p in incident.phases)
    assert [e.statement for e in incident.evidence if e.kind == "page"] == [
        "the provider's first notice came 443 min after the onset"
    ]
    (alone,) = built([], [replace(notice(1, "14:00", "resolved", "critical"), created_at=at("19:00"))], at("20:00"))
    assert alone.impact == "critical"


def test_silence_counts_while_a_notice_stands() -> None:
    updates = [
        notice(1, "11:00", "investigating", "major"),
        notice(1, "11:20", "resolved", "major"),
        notice(2, "14:00", "investigating", "major"),
        notice(2, "14:30", "resolved", "major"),
    ]
    (incident,) = built([], updates, at("18:00"))
    (silence,) = [e for e in incident.evidence if e.subject == "silence"]
    assert (silence.value, silence.at) == (30, at("14:00"))


def test_updates_of_the_same_second_are_read_in_their_order_and_a_look_back_fails_nothing() -> None:
    first = replace(notice(1, "11:00", "resolved", "major"), update_id="a", created_at=at("11:00"))
    second = replace(notice(1, "11:00", "investigating", "major"), update_id="b", created_at=at("11:00"))
    assert read_provider_incidents([first, second])[0].resolved == at("11:00")
    updates = [
        notice(1, "11:00", "investigating", "major", api="partial_outage"),
        notice(1, "12:00", "resolved", "major", api="operational"),
        notice(1, "17:00", "postmortem", "major", api="partial_outage"),
    ]
    assert [(c.since, c.until) for c in official_components(SERVICE, read_provider_incidents(updates))] == [
        (at("11:00"), at("12:00"))
    ]


def test_only_what_came_after_the_announcement_lies_between() -> None:
    (incident,) = built([interval("11:37", "15:00")], [], at("18:00"))
    event = NewsEvent(
        id="n",
        kind="politics_regulation",
        title="Minister bans Svc",
        entities=(NewsEntity("svc", ("name", "headline")),),
        outlets=("A",),
        first_seen=at("10:00"),
        items=(),
    )
    stood = {"chart": "place 1 in the app chart", "mentions": "900 posts"}

    def told(*between: Any) -> list[str]:
        found = link(
            incident,
            SERVICE,
            [(event, event.title)],
            LinkContext(past=[], known_since=at("00:00"), between=between),
            at("18:00"),
        )
        return [words for k in found for words in k.evidence_for if "in between" in words]

    assert told((at("11:00", 1), stood), (at("11:00"), stood)) == []
    assert told((at("09:00"), {"chart": "x"}), (at("11:00"), stood)) == ["in between: 900 posts (at 2 March 11:00 UTC)"]
    assert told((at("09:00"), {}), (at("11:00"), {})) == []


def test_a_rival_nobody_looked_at_is_no_fallback() -> None:
    (incident,) = built([interval("11:00", None)], [], at("12:06"))
    catalogue = {"r": Service(id="r", name="Rival")}
    hours = {at("12:00") - n * timedelta(hours=1): 20 for n in range(24 * 9)}

    def verdict(**known: Any) -> list[str]:
        rival = CompetitorActivity(service="r", hours=hours, ranks=(), incidents=(), complaints={}, **known)
        return [e.kind for e in competitor_evidence(incident, [rival], catalogue, at("12:06"))]

    assert verdict(heard_to=at("12:05")) == ["rival", "fallback"]
    assert verdict(heard_to=at("00:00")) == []
    assert verdict() == ["rival"], "not known up to when it was read"
