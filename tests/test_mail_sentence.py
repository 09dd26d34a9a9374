"""What a message says first, its links out, and that nothing in it contradicts the rest."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from pipeline.commands.test_alert import sample
from pipeline.core.alert_facts import AlertFacts, ComponentFacts, OfficialLine, OutLink, PeakFacts
from pipeline.core.alerts import Alert
from pipeline.core.incidents import ComponentSpan
from pipeline.core.news_events import NewsEvent
from pipeline.core.vocabulary import ComponentStatus, ConfirmedBy, State, Transition
from pipeline.incidents.episodes import read_provider_incidents
from pipeline.incidents.scope import parts_in_notices, parts_in_words
from pipeline.notify.out_links import out_links
from pipeline.render.mail import chat_text, compose, plain_text
from pipeline.render.mail_text import first_sentence
from pipeline.store import Store
from pipeline.store.outbox import alerts_of
from tests.conftest import Day
from tests.copies import replace
from tests.mail_contradictions import contradictions
from tests.test_shared_causes import notice
from tests.test_story import report
from tests.world import CATALOGUE, World, at


def part(
    name: str, status: ComponentStatus = ComponentStatus.AFFECTED, until: datetime | None = None
) -> ComponentFacts:
    return ComponentFacts(
        name=name, source="votes", status=status, since=at("11:38"), until=until, detail="3 reports name it"
    )


FACTS = replace(
    sample(at("11:55")).incident_facts,
    service="Claude",
    transition=Transition.CONFIRMED,
    state=State.CONFIRMED,
    confirmed_by=ConfirmedBy.PROVIDER,
    symptom="login",
    onset=at("11:37"),
    at=at("11:55"),
    next_after=at("12:10"),
    official_first_at=at("11:49"),
    official=(OfficialLine(at("11:49"), "the provider: investigating: errors"),),
    affected_names=("claude.ai",),
    works_names=("Claude API",),
    components=(part("claude.ai"), part("Claude API", ComponentStatus.WORKS)),
    first_message_at=at("11:40"),
    probability=0.99,
    differs=(),
    chart=None,
    peak_count=PeakFacts(640.0, 12.0, "complaints", 15),
    out_links=tuple(OutLink(name, f"https://{name}.example/") for name in ("page", "post", "article")),
)
OVER = replace(
    FACTS,
    transition=Transition.OVER,
    state=State.RESOLVED,
    confirmed_by=None,
    end=at("15:02"),
    at=at("16:35"),
    next_after=at("17:00"),
    affected_names=(),
    works_names=(),
    components=(part("claude.ai", until=at("15:02")), part("Claude Code", until=at("14:00"))),
)


def mail(facts: AlertFacts) -> Alert:
    return replace(sample(facts.at), facts=facts, subject="Claude: outage", incident="claude-1")


def test_a_message_begins_with_what_fails_since_when_what_works_the_provider_and_the_peak() -> None:
    assert first_sentence(FACTS, "UTC") == (
        "Claude: logins have been failing (claude.ai) since 11:37 UTC on 2 March (18 min so far), while Claude API "
        "works for most; the first alert went out 9 min before the provider's first notice (11:49 UTC); at the peak "
        "640 complaints in 15 min against 12 normally."
    )
    assert plain_text(mail(FACTS), "UTC").splitlines()[0] == first_sentence(FACTS, "UTC")
    unsure = replace(FACTS, state=State.POSSIBLE, confirmed_by=None, official_first_at=None, peak_count=None)
    unsure = replace(unsure, works_names=())
    sentence = (
        "Claude (possible outage, not confirmed): logins have been failing (claude.ai) since 11:37 UTC on 2 March "
        "(18 min so far)"
    )
    assert first_sentence(replace(unsure, status_page="https://status.claude.com"), "UTC") == (
        f"{sentence}; no notice from the provider has been seen."
    )
    assert first_sentence(replace(unsure, status_page=""), "UTC") == f"{sentence}.", "no page, no notice to miss"


def test_an_end_says_how_long_it_lasted_and_what_was_affected() -> None:
    assert first_sentence(replace(OVER, peak_count=None), "UTC") == (
        "Claude: incident of 3 h 25 min on 2 March 2026, from 11:37 UTC until 15:02, mostly login failures "
        "(claude.ai and Claude Code); the first alert went out 9 min before the provider's first notice (11:49 UTC)."
    )


def test_parts_that_failed_before_are_named_where_none_fails_now() -> None:
    facts = replace(FACTS, affected_names=(), components=(part("claude.ai", until=at("11:50")),), works_names=())
    assert "logins have been failing (claude.ai) since" in first_sentence(facts, "UTC")
    assert "No component is named yet" not in plain_text(mail(facts), "UTC")


def test_a_shared_failure_names_its_services() -> None:
    facts = replace(
        FACTS,
        service="AWS",
        hit=("a", "b"),
        affected_names=("Heroku", "Vercel"),
        components=(part("Heroku"), part("Vercel")),
        works_names=(),
        symptom="",
        official_first_at=None,
        official=(),
        confirmed_by=ConfirmedBy.DEPENDENTS,
        peak_count=None,
    )
    assert first_sentence(facts, "UTC") == (
        "AWS: 2 services (Heroku and Vercel) have been failing together since 11:37 UTC on 2 March (18 min so far)."
    )
    assert contradictions(mail(facts)) == []


def test_links_lead_to_pages_notices_posts_and_articles_and_nowhere_else() -> None:
    provider = [
        replace(n, url="https://status.x/1") for n in read_provider_incidents([notice("chatgpt", "x")], at("12:00"))
    ]
    post = replace(report("11:40"), url="https://reddit.com/1", community="OpenAI")
    hostile = replace(post, url="javascript:alert(1)")
    event = NewsEvent(
        id="n",
        kind="other",
        title="Down",
        entities=(),
        outlets=("a",),
        first_seen=at("11:50"),
        items=(),
        url="http://a/b",
    )
    links = out_links([CATALOGUE["chatgpt"]], provider, [post, hostile, post], [event])
    assert [link.url for link in links] == [
        "https://status.openai.com",
        "https://status.x/1",
        "https://reddit.com/1",
        "http://a/b",
        *(f"https://www.reddit.com/r/{name}/new/" for name in CATALOGUE["chatgpt"].communities[:2]),
    ]
    page = compose(mail(replace(FACTS, out_links=links)), sender="a@b", to=["c@d"], zone="UTC").as_string()
    assert page.count("https://status.x/1") >= 1


def test_of_a_service_without_pages_a_message_links_to_searches() -> None:
    assert [link.url for link in out_links([CATALOGUE["optus"]], [], [], [])] == [
        "https://www.reddit.com/search/?sort=new&q=Optus",
        "https://news.google.com/search?q=Optus",
        "https://bsky.app/search?q=Optus",
    ]


def test_a_notice_of_statuspage_has_an_address_also_where_the_page_gives_none() -> None:
    (posted,) = read_provider_incidents(
        [replace(notice(CATALOGUE["claude"].page, "x"), incident_id="a/b")], at("12:00")
    )
    urls = [link.url for link in out_links([CATALOGUE["claude"]], [posted], [], [])]
    assert "https://status.claude.com/incidents/a%2Fb" in urls
    assert not any("/incidents/" in link.url for link in out_links([CATALOGUE["github"]], [posted], [], []))


def test_a_message_asks_whether_it_was_right_and_whether_it_was_wrong() -> None:
    text = plain_text(mail(FACTS), "UTC")
    assert "groundswell feedback claude-1 right" in text
    assert "groundswell feedback claude-1 wrong" in text


def test_messages_about_one_incident_are_one_thread() -> None:
    first, second = (compose(mail(f), sender="a@b", to=["c@d"], zone="UTC") for f in (FACTS, OVER))
    assert first["In-Reply-To"] == second["In-Reply-To"] == first["References"]
    other = compose(replace(mail(OVER), incident="claude-2"), sender="a@b", to=["c@d"], zone="UTC")
    assert other["In-Reply-To"] != first["In-Reply-To"]


def test_of_a_part_that_a_notice_names_it_is_not_said_that_the_provider_does_not_list_it() -> None:
    claude = CATALOGUE["claude"]
    posted = read_provider_incidents(
        [notice("claude", "claude.ai, the console and Claude Code return errors.")], at("12:00")
    )
    assert parts_in_notices(claude, posted) >= {"web", "code"}
    assert "api" not in parts_in_notices(claude, posted)
    spans = [
        ComponentSpan(
            component=name, source=source, status=ComponentStatus.AFFECTED, since=at("11:38"), until=None, detail=""
        )
        for source, name in (("votes", "code"), ("official", "web"))
    ]
    plain = [e.subject for e in parts_in_words(claude, spans, [], at("11:37")) if e.kind == "differs"]
    told = [e.subject for e in parts_in_words(claude, spans, [], at("11:37"), {"code"}) if e.kind == "differs"]
    assert (plain, told) == (["code", "web"], ["web"])


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"official_first_at": None}, "no first notice, and notices"),
        ({"works_names": ("claude.ai",)}, "claude.ai fails and works"),
        ({"probability": 0.3}, "confirmed at 30%"),
        ({"state": State.POSSIBLE, "confirmed_by": None}, "possible at 99%"),
        ({"onset": at("12:00")}, "it begins after it was written"),
        ({"end": at("11:50")}, "has an end and is not over"),
        ({"out_links": FACTS.out_links[:2]}, "2 links out"),
        ({"affected_names": ("Console",)}, "the table of parts lacks"),
        (
            {
                "differs": ("people name claude.ai from 11:38 UTC, the provider does not list it as failing",),
                "official": (OfficialLine(at("11:49"), "the provider: claude.ai returns errors"),),
            },
            "does not list it",
        ),
    ],
)
def test_each_contradiction_is_found(wrong: dict[str, object], words: str) -> None:
    assert contradictions(mail(FACTS)) == []
    assert contradictions(mail(OVER)) == []
    assert any(words in line for line in contradictions(mail(replace(FACTS, **wrong))))  # type: ignore[arg-type]


def test_no_message_of_the_recorded_hours_contradicts_itself(day: Day) -> None:
    with Store(day[0] / "a.db") as store:
        messages = [alert for alert in alerts_of(store) if alert.incident]
    assert len(messages) >= 3
    assert [line for alert in messages for line in contradictions(alert)] == []


def test_a_page_in_trouble_of_its_own_makes_a_message_without_contradictions(store: Store) -> None:
    world = World(store, ("github",))
    world.bins("github", "11:00", 6, 400, 60)
    world.explain("11:30")
    world.page("github", "A", "11:40", "investigating", "major")
    world.explain("11:50")
    world.bins("github", "11:30", 12, 4, 0.5)
    world.page("github", "A", "12:10", "resolved", "major")
    world.explain("14:00")
    messages = alerts_of(store)
    assert [a.transition for a in messages] == ["opened", "confirmed", "over"]
    assert [line for a in messages for line in contradictions(a)] == []
    assert messages[-1].created - messages[0].created > timedelta(hours=2)


def test_a_mail_has_a_row_a_part_with_what_each_source_says_of_it() -> None:
    spans = [("11:39", "18:14", "votes"), *((f"{h}:00", f"{h}:30", "official") for h in range(12, 17))]
    several = tuple(
        replace(part("claude.ai", until=at(until)), since=at(since), source=source) for since, until, source in spans
    )
    works = replace(part("Claude API", ComponentStatus.WORKS, until=at("14:01")), since=at("11:41"))
    fails = replace(part("Claude API"), since=at("14:01"))
    text = plain_text(mail(replace(FACTS, components=(*several, works, fails), at=at("20:00"))), "UTC")
    begin = text.index("Parts (times in UTC)")
    assert text[begin:].splitlines()[1:6] == [
        "- claude.ai",
        "    users: affected 11:39 – 18:14 (3 reports name it)",
        "    the provider: affected 12:00 – 12:30, 13:00 – 13:30, 14:00 – 14:30; 2 more",
        "- Claude API",
        "    users: works 11:41 – 14:01, affected since 14:01 (3 reports name it)",
    ]


def test_a_chat_has_the_sentence_where_to_look_and_how_to_answer() -> None:
    text = chat_text(mail(replace(FACTS, page_url="https://status.example/incident-claude-1.html")), "UTC")
    lines = text.splitlines()
    assert lines[0] == first_sentence(FACTS, "UTC")
    assert "Report: https://status.example/incident-claude-1.html" in lines
    assert "page: https://page.example/" in lines
    assert lines[-3:] == [
        "Was it right? groundswell feedback claude-1 right",
        "Was it wrong? groundswell feedback claude-1 wrong",
        "Incident claude-1",
    ]
