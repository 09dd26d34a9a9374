"""What fails together and why: what notices and news name, who joins late, and what is mere talk about another one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.config.load import load_catalogue
from pipeline.core.catalogue import Service
from pipeline.core.incidents import Evidence, Incident
from pipeline.core.news_events import NewsEntity, NewsEvent
from pipeline.core.reports import Report
from pipeline.core.status_records import StatusUpdate
from pipeline.core.vocabulary import EvidenceKind, Impact, NewsKind, State
from pipeline.incidents.attention import overshadowing
from pipeline.incidents.episodes import read_provider_incidents
from pipeline.incidents.ordered_shutdown import is_ordered
from pipeline.incidents.phases import Levels
from pipeline.incidents.shared_dependency import groups, named_causes
from pipeline.notify.payload import quoted_reports
from pipeline.replay.scenario import read_scenario
from pipeline.replay.scenario_sources import load_recorded
from pipeline.store import Store
from tests.copies import replace
from tests.test_incident_bounds import _catalogue, _failing
from tests.test_story import report
from tests.world import CATALOGUE, MATCHER, World, at

ROOT = Path(__file__).resolve().parents[1]
NOW = at("12:00")


def service(name: str, *below: str, kind: str = "other", rivals: tuple[str, ...] = ()) -> Service:
    return Service(id=name, name=name.title(), kind=kind, runs_on=below, rivals=rivals)


def event(title: str, *services: str, kind: NewsKind = NewsKind.SERVICE_OUTAGE, clock: str = "11:30") -> NewsEvent:
    return NewsEvent(
        id=title,
        kind=kind,
        title=title,
        entities=tuple(NewsEntity(name, ("name", "headline")) for name in services),
        outlets=("a",),
        first_seen=at(clock),
        items=(("s", title),),
    )


def notice(service: str, body: str) -> StatusUpdate:
    when = at("11:20")
    return StatusUpdate(
        page=service,
        incident_id="n",
        update_id="u",
        name="n",
        status="identified",
        impact="major",
        components=(),
        displayed_at=when,
        created_at=when,
        collected=when,
        body=body,
    )


def test_two_members_are_enough_where_the_thing_itself_fails() -> None:
    catalogue = {**_catalogue(2, 0), "cloud": service("cloud")}
    assert groups([_failing("m0"), _failing("m1")], catalogue, NOW) == []
    ((group, members),) = groups([_failing("m0"), _failing("m1"), _failing("cloud")], catalogue, NOW)
    assert (group.service, members) == ("cloud", ["cloud", "m0", "m1"])


def test_members_join_hours_later_and_only_while_they_fail() -> None:
    catalogue = {**_catalogue(4, 0)}
    first = [_failing(f"m{n}") for n in range(3)]
    ((group, members),) = groups(first, catalogue, NOW)
    first = [replace(i, part_of=group.id) for i in first]
    late = _failing("m3", 200)
    ((_, joined),) = groups([*first, late], catalogue, at("16:00"), [group])
    assert joined == [*members, "m3"]
    past = replace(late, active=False)
    assert groups([*first, past], catalogue, at("16:00"), [group])[0][1] == members


def test_after_an_hour_only_what_names_the_cause_or_runs_on_what_still_fails_joins() -> None:
    catalogue = {**_catalogue(5, 1), "cloud": service("cloud")}
    first = [_failing(name) for name in ("m0", "m1", "cloud")]
    ((group, members),) = groups(first, catalogue, NOW)
    ended = [replace(i, part_of=group.id, active=i.service != "cloud", end=at("12:30")) for i in first]

    def joined(late: Incident, named: dict[str, set[str]]) -> bool:
        return groups([*ended, late], catalogue, at("16:00"), [group], named)[0][1] == [*members, late.id]

    assert joined(_failing("m3", 60), {}), "in the first hour"
    assert joined(_failing("m3", 89), {}), "the cause still failed"
    assert not joined(_failing("m3", 91), {}), "the cause was over"
    assert joined(_failing("m3", 91), {"m3": {"cloud"}}), "its notices name the cause"
    assert joined(_failing("o0", 91), {"o0": {"cloud"}})
    assert not joined(_failing("m3", 361), {"m3": {"cloud"}})


def test_a_shared_failure_is_over_with_its_cause_and_its_first_members_and_who_joined_later_goes_on_alone() -> None:
    catalogue = {**_catalogue(3, 0), "cloud": service("cloud")}
    begun = [_failing("cloud"), _failing("m0"), _failing("m1", 20)]
    ((group, _),) = groups(begun, catalogue, NOW)
    late = replace(_failing("m2", 80), part_of=group.id)
    ended = [replace(i, part_of=group.id, active=False, end=at("13:00")) for i in begun]
    ((still, members),) = groups([replace(ended[0], active=True), *ended[1:], late], catalogue, at("14:00"), [group])
    assert (still.active, members) == (True, ["cloud", "m0", "m1", "m2"])
    ((over, members),) = groups([*ended, late], catalogue, at("14:00"), [group])
    assert (over.active, over.end, members) == (False, at("13:00"), ["cloud", "m0", "m1"])
    past = replace(late, part_of="", active=False, end=at("15:00"))
    assert groups([*ended, past], catalogue, at("16:00"), [over])[0][1] == ["cloud", "m0", "m1"]


def test_a_cause_is_named_by_a_members_own_notice_or_by_news_of_both() -> None:
    notices = {"chatgpt": read_provider_incidents([notice("chatgpt", "Google Cloud has an outage.")], NOW)}
    events = [
        event("Google Cloud outage hits Twitch", "google_cloud", "twitch"),
        event("Amazon says AWS works as Google Cloud fails", "google_cloud", "aws"),
        event("Twitch and Netflix talk", "twitch", "netflix"),
        event("Google Cloud and Slack make a deal", "google_cloud", "slack", kind=NewsKind.COMPANY_BUSINESS),
        event("Google Cloud outage hit Reddit", "google_cloud", "reddit", clock="09:00"),
    ]
    events[-1] = replace(events[-1], first_seen=NOW - timedelta(hours=13))
    named = named_causes(notices, events, MATCHER.entities, CATALOGUE, NOW)
    assert {name for name, causes in named.items() if "google_cloud" in causes} == {"chatgpt", "twitch"}
    assert named["netflix"] == set(), "nothing runs on Twitch"


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ("We are investigating errors. This is not related to AWS, which is operating normally.", False),
        ("Errors with purchases. Amazon Web Services is not affected.", False),
        ("AWS isn't affected; we look into it.", False),
        ("This is unrelated to the AWS outage.", False),
        ("It was not caused by AWS.", False),
        ("AWS is not responding.", True),
        ("Some customers are not affected. The cause is an outage of AWS.", True),
        ("Our site is down due to AWS; chat is operating normally.", True),
    ],
)
def test_a_notice_that_clears_a_dependency_does_not_name_it(body: str, names: bool) -> None:
    notices = {"chatgpt": read_provider_incidents([notice("chatgpt", body)], NOW)}
    assert ("aws" in named_causes(notices, [], MATCHER.entities, CATALOGUE, NOW)["chatgpt"]) is names


def test_only_of_services_that_run_on_the_cause_is_said_that_they_do() -> None:
    catalogue = {**_catalogue(2, 2), "cloud": service("cloud")}
    named = {"o0": {"cloud"}, "o1": {"cloud"}}

    def statement(*failing: str) -> str:
        ((group, _),) = groups([_failing(name) for name in failing], catalogue, NOW, (), named)
        return group.evidence[0].statement

    assert statement("o0", "o1") == "notices or news name Cloud for O0, O1, failing since 11:00 UTC on 2 March"
    assert statement("m0", "m1", "o0", "cloud") == (
        "2 services that run on Cloud have been failing since 11:00 UTC on 2 March: M0, M1; "
        "notices or news name Cloud for O0; Cloud itself, too"
    )
    assert statement("m0", "o0", "cloud").startswith(
        "a service that runs on Cloud has been failing since 11:00 UTC on 2 March: M0; "
    )


def test_members_that_run_on_nothing_known_share_the_cause_that_is_named() -> None:
    catalogue = {name: service(name) for name in ("a", "b", "cloud")}
    failing = [_failing("a"), _failing("b")]
    assert groups(failing, catalogue, NOW) == []
    named = {"a": {"cloud"}, "b": {"cloud"}}
    ((group, members),) = groups(failing, catalogue, NOW, (), named)
    assert (group.service, members) == ("cloud", ["a", "b"])


def overshadowed(
    incident: Incident, other: Incident, reports: Sequence[Report] = (), levels: Levels | None = None
) -> Incident | None:
    hold = overshadowing(incident, [other], CATALOGUE, reports, MATCHER.entities, levels or {})
    return hold.other if hold else None


def doubtful(world: World, name: str) -> Incident:
    return next(i for i in world.all().values() if i.service == name)


def test_posts_about_a_service_beside_a_competitor_that_fails_are_talk(store: Store) -> None:
    world = World(store, ("aws", "google_cloud", "netflix"))
    world.bins("google_cloud", "11:00", 6, 4000, 300)
    world.bins("google_cloud", "11:00", 6, 80, 300, channel="votes")
    world.bins("aws", "11:10", 3, 6, 20, channel="votes")
    world.bins("netflix", "11:10", 3, 6, 20, channel="votes")
    world.explain("11:30")
    loud = doubtful(world, "google_cloud")
    assert loud.impact is Impact.CRITICAL
    aws, netflix = doubtful(world, "aws"), doubtful(world, "netflix")
    assert overshadowed(aws, loud) is loud
    assert overshadowed(netflix, loud) is None, "no competitor"
    assert overshadowed(replace(aws, state=State.CONFIRMED), loud) is None
    assert overshadowed(aws, replace(loud, active=False)) is None
    assert overshadowed(aws, replace(loud, onset=at("12:00"))) is None, "it began before the other one"
    assert overshadowed(aws, replace(loud, onset=aws.onset - timedelta(hours=6))) is not None
    assert overshadowed(aws, replace(loud, onset=aws.onset - timedelta(hours=6, seconds=1))) is None
    networks = {name: replace(aws, service=name) for name in ("telstra", "comcast")}
    optus = replace(loud, service="optus")
    assert overshadowed(networks["telstra"], optus) is optus
    assert overshadowed(networks["comcast"], optus) is None, "a network of another country"


@pytest.mark.parametrize(
    ("naming_both", "held_back"), [(0, False), (4, False), (5, True), (10, True)], ids=["none", "few", "half", "all"]
)
def test_a_likely_failure_is_talk_only_where_half_of_its_reports_name_the_competitor_too(
    naming_both: int, held_back: bool
) -> None:
    votes = Evidence(kind=EvidenceKind.VOTES, at=NOW, statement="10 people", rows=())
    paypal = replace(_failing("paypal"), state=State.LIKELY, impact=Impact.MODERATE, evidence=(votes,))
    stripe = replace(_failing("stripe"), impact=Impact.CRITICAL)
    texts = ["PayPal is down, just like Stripe"] * naming_both + ["cannot pay with PayPal"] * (10 - naming_both)
    mine = [replace(report("11:05"), service="paypal", native_id=str(n), text=text) for n, text in enumerate(texts)]
    before = [replace(report("10:54"), text="Stripe and PayPal")] * 20
    uncounted = [replace(report("11:05", weight=0.0), text="Stripe and PayPal")] * 20
    assert (overshadowed(paypal, stripe, [*before, *mine, *uncounted]) is stripe) is held_back
    assert overshadowed(replace(paypal, state=State.POSSIBLE), stripe, mine) is stripe


@pytest.mark.parametrize(
    ("text", "held_back"),
    [("my nbn is down, I'm with CenturyLink", True), ("my nbn is down", False)],
    ids=["names the other network", "names it alone"],
)
def test_reports_of_a_network_that_name_another_one_that_fails_are_talk_though_they_are_no_rivals(
    text: str, held_back: bool
) -> None:
    votes = Evidence(kind=EvidenceKind.VOTES, at=NOW, statement="10 people", rows=())
    nbn = replace(_failing("nbn"), state=State.LIKELY, impact=Impact.MODERATE, evidence=(votes,))
    loud = replace(_failing("centurylink"), impact=Impact.CRITICAL)
    mine = [replace(report("11:05"), service="nbn", native_id=str(n), text=text) for n in range(4)]
    assert (overshadowed(nbn, loud, mine) is loud) is held_back
    assert overshadowed(replace(nbn, service="netflix"), loud, mine) is None, "no network"


@pytest.mark.parametrize(
    ("texts", "messages"),
    [
        (["cannot pay with PayPal, it is down"], ["opened"]),
        (["is PayPal down for anybody?"], ["opened"]),
        (["is PayPal down like Stripe?"], []),
        (["is PayPal down too?"], []),
        (["¿PayPal también está caído?"], []),
    ],
    ids=["itself", "asked", "both", "too", "en español"],
)
def test_a_likely_failure_beside_that_of_a_competitor_is_sent_where_people_report_it_alone(
    store: Store, texts: list[str], messages: list[str]
) -> None:
    world = World(store, ("paypal", "stripe"))
    world.bins("stripe", "11:00", 6, 4000, 300)
    world.bins("stripe", "11:00", 6, 80, 300, channel="votes")
    world.bins("paypal", "11:10", 3, 10, 60, channel="votes")
    world.people("paypal", "11:10", texts * 30)
    world.explain("11:30")
    paypal = doubtful(world, "paypal")
    assert (paypal.state, world.mails(paypal.id)) == (State.LIKELY, messages)


def test_counts_tell_of_a_like_service_that_fails_too(store: Store) -> None:
    world = World(store, ("aws", "google_cloud"))
    world.bins("google_cloud", "11:00", 6, 4000, 300)
    world.bins("aws", "11:10", 3, 60, 20)
    world.explain("11:30")
    assert world.mails(doubtful(world, "aws").id) == ["opened"]


def test_a_recorded_page_that_services_share_belongs_to_its_file(tmp_path: Path) -> None:
    folder = ROOT / "data" / "scenarios" / "2025-06-12-google-cloud"
    sources, problems = load_recorded(read_scenario(folder), load_catalogue())
    assert problems == []
    pages = {row.page for s in sources if s.kind == "status" for _, row in s.rows() if isinstance(row, StatusUpdate)}
    assert "cloudflarestatus.com/cloudflare" in pages
    assert pages == {
        CATALOGUE[p].page for p in ("cloudflare", "discord", "shopify", "gitlab", "chatgpt", "google_cloud")
    }


@pytest.mark.parametrize(
    ("title", "ordered"),
    [
        ("Court orders Netflix blocked in the whole country", True),
        ("Netflix goes dark in the US as ban takes effect", True),
        ("Tribunal ordena el bloqueo de Netflix", True),
        ("Netflix outage: thousands cannot watch", False),
        ("Netflix stops sharing of passwords", False),
    ],
)
def test_an_ordered_shutdown_is_told_from_a_failure(title: str, ordered: bool) -> None:
    incident = replace(_failing("netflix"), active=True)
    assert is_ordered(incident, [event(title, "netflix", clock="10:00")], NOW) is ordered
    assert not is_ordered(incident, [event(title, "youtube", clock="10:00")], NOW)


def test_technical_outages_do_not_forecast_an_ordered_shutdown(store: Store) -> None:
    world = World(store, ("netflix",))
    world.news("10:30", "Court orders Netflix blocked across the country from today")
    world.bins("netflix", "11:00", 6, 80, 60)
    world.explain("11:30")
    kinds = {e.kind for e in doubtful(world, "netflix").evidence}
    assert kinds.isdisjoint({"comparable", "outlook"})


def test_quotes_in_the_readers_language_come_first_and_others_as_written() -> None:
    german = replace(report("11:01", ("web",)), language="de", text="Bei mir geht die Anmeldung nicht", p_outage=0.99)
    english = replace(report("11:02", ("web",)), language="en", text="cannot sign in on any device", p_outage=0.8)
    votes = [german, english]
    assert quoted_reports(votes, "en")[0] == english
    assert quoted_reports(votes, "de")[0] == german
    assert len(quoted_reports(votes, "fr")) == 2


def test_of_two_dependencies_the_one_that_fails_itself_is_the_cause() -> None:
    catalogue = {name: service(name, "aws", "cloudflare") for name in ("x", "y", "z")}
    catalogue |= {name: service(name, kind="cloud") for name in ("aws", "cloudflare")}
    for cause in ("aws", "cloudflare"):
        ((group, _),) = groups(
            [_failing(cause), *map(_failing, catalogue.keys() - {"aws", "cloudflare"})], catalogue, NOW
        )
        assert group.service == cause
