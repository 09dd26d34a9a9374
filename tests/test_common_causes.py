"""What ties failures that began together, other than a dependency: a vendor, an outside cause, nothing known."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.core.catalogue import Service
from pipeline.core.incidents import UNKNOWN_CAUSE, Evidence, Incident
from pipeline.core.shared_failure import service_shown
from pipeline.core.vocabulary import EvidenceKind, Impact, NewsKind, State
from pipeline.incidents.episodes import read_provider_incidents
from pipeline.incidents.shared_cause import outside_causes
from pipeline.incidents.shared_dependency import groups
from pipeline.stages.publish.stage import run_publish
from pipeline.store import Store
from pipeline.store.outbox import alerts_of
from pipeline.text.outside_causes import outside_causes_in
from tests.copies import replace
from tests.test_incident_bounds import _catalogue, _failing
from tests.test_shared_causes import NOW, event, notice, service
from tests.world import CATALOGUE, World, at


def of(name: str, vendor: str) -> Service:
    return replace(service(name), vendor=vendor)


def statements(group: Incident) -> list[str]:
    return [e.statement for e in group.evidence]


def test_three_services_of_a_vendor_fail_together_and_its_own_page_confirms() -> None:
    catalogue = {name: of(name, "Acme") for name in ("mail", "chat", "maps", "cars")} | {"other": of("other", "Else")}
    failing = [_failing("mail"), _failing("chat", 10), replace(_failing("maps", 20), official_first_at=at("11:25"))]
    assert groups(failing[:2], catalogue, NOW) == [], "two may be chance"
    ((group, members),) = groups([*failing, _failing("other", 5)], catalogue, NOW, watched=("cars", "maps"))
    assert (group.shared_cause, members) == ("Acme", ["mail", "chat", "maps"])
    assert statements(group) == [
        "3 services of Acme have been failing since 11:00 UTC on 2 March: Mail, Chat, Maps",
        "what speaks against it: Cars, of Acme, too, is not known to fail",
        "what speaks against it: no dependency common to them is known",
    ]
    assert group.official_first_at == at("11:25"), "a page of Acme's"
    assert service_shown(group, catalogue).name == "Acme"
    late = _failing("cars", 50)
    there = [replace(i, part_of=group.id) for i in failing]
    assert groups([*there, late], catalogue, NOW, [group])[0][1] == [*members, late.id]
    assert groups([*there, _failing("other", 5)], catalogue, NOW, [group])[0][1] == members


def test_a_cause_outside_the_catalogue_is_named_where_notices_and_news_name_it() -> None:
    catalogue = {name: service(name) for name in ("bank", "airline", "shop")}
    failing = [_failing("bank"), _failing("airline", 5)]
    outside = {"bank": {"a power cut"}, "airline": {"a power cut", "a cut cable"}}
    assert groups(failing, catalogue, NOW, (), {}, {"bank": {"a power cut"}}) == []
    ((group, members),) = groups(failing, catalogue, NOW, (), {}, outside)
    assert (group.shared_cause, members) == ("a power cut", ["bank", "airline"])
    assert statements(group) == [
        "notices or news name a power cut for Bank, Airline, failing since 11:00 UTC on 2 March",
        "what speaks against it: no dependency or vendor common to them is known",
    ]
    assert (group.official_first_at, service_shown(group, catalogue).name) == (None, "A power cut")
    shop = replace(_failing("shop", 100), active=True)
    there = [replace(i, part_of=group.id) for i in failing]
    assert groups([*there, shop], catalogue, at("13:00"), [group], {}, outside)[0][1] == members
    told = outside | {"shop": {"a power cut"}}
    assert groups([*there, shop], catalogue, at("13:00"), [group], {}, told)[0][1] == [*members, shop.id]


def grave(name: str, minutes: int = 0, kind: EvidenceKind = EvidenceKind.COMPLAINTS) -> Incident:
    reason = Evidence(kind=kind, at=NOW, statement="many", rows=())
    return replace(_failing(name, minutes), state=State.LIKELY, impact=Impact.HIGH, evidence=(reason,))


def test_many_grave_failures_that_nothing_known_ties_have_an_unknown_common_cause_until_it_is_known() -> None:
    catalogue = {name: service(name) for name in ("a", "b", "c", "d", "cloud")}
    failing = [grave(name, n) for n, name in enumerate("abcd")]
    assert groups(failing[:3], catalogue, NOW) == []
    assert groups([*failing[:3], grave("d", 3, EvidenceKind.VOTES)], catalogue, NOW) == [], "posts alone may be talk"
    assert groups([*failing[:3], replace(failing[3], state=State.POSSIBLE)], catalogue, NOW) == []
    assert groups([*failing[:3], replace(failing[3], impact=Impact.LOW)], catalogue, NOW) == []
    same = {name: of(name, "Acme" if name in "abc" else "Else") for name in catalogue}
    assert groups(failing, same, NOW)[0][0].shared_cause == "Acme"
    ((group, members),) = groups(failing, catalogue, NOW)
    assert (group.shared_cause, group.service, members) == (UNKNOWN_CAUSE, "a", ["a", "b", "c", "d"])
    assert statements(group) == [
        "4 services have been failing together since 11:00 UTC on 2 March, unknown common cause: A, B, C, D",
        "what speaks against it: no dependency or vendor is common to them, and no notice or news names one",
    ]
    there = [replace(i, part_of=group.id) for i in failing]
    named = {name: {"cloud"} for name in "abc"}
    ((known, members),) = groups(there, catalogue, NOW, [group], named)
    assert (known.id, known.shared_cause, len(members)) == (group.id, "cloud", 4)
    assert service_shown(known, catalogue).name == "Cloud"
    ((still, _),) = groups(there, catalogue, NOW, [known])
    assert still.shared_cause == "cloud", "what was known once stays known"


def test_what_speaks_against_a_dependency_is_said() -> None:
    catalogue = {**_catalogue(4, 0), "cloud": service("cloud")}
    failing = [_failing(f"m{n}") for n in range(3)]
    ((group, _),) = groups(failing, catalogue, NOW, watched=("m3", "cloud"))
    assert statements(group)[1:] == [
        "what speaks against it: Cloud itself is not known to fail",
        "what speaks against it: M3, which runs on Cloud, too, is not known to fail",
        "what speaks against it: no notice or news names Cloud",
    ]
    ((group, _),) = groups([*failing, _failing("cloud"), _failing("m3")], catalogue, NOW, (), {"m0": {"cloud"}})
    assert [s for s in statements(group) if s.startswith("what speaks against")] == []


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("A power outage at our data centre stopped all servers.", "a power cut"),
        ("Stromausfall in Frankfurt legt Dienste lahm", "a power cut"),
        ("An undersea cable was cut off Egypt; traffic is slow.", "a cut cable"),
        ("Cortes de energía dejan sin servicio a la red", "a power cut"),
        ("Our domain registrar suspended the zone by mistake.", "a registrar or operator of domain names"),
        ("This is an issue with an upstream network provider.", "a network operator"),
        ("Banks and airlines hit by a faulty CrowdStrike update", "a faulty update"),
        ("An expired TLS certificate broke sign-in", "an expired certificate"),
        ("Fire at a data centre in Strasbourg", "a fire, flood or heat in a data centre"),
        ("We rolled out an update to our power users.", ""),
        ("Errors for some customers; we investigate.", ""),
    ],
)
def test_causes_outside_the_catalogue_are_read_in_notices_and_news(text: str, cause: str) -> None:
    assert outside_causes_in(text) == ({cause} if cause else set())


def test_only_outage_news_of_the_last_hours_and_own_notices_name_an_outside_cause() -> None:
    notices = {"chatgpt": read_provider_incidents([notice("chatgpt", "We lost power: a power failure.")], NOW)}
    cleared = {"chatgpt": read_provider_incidents([notice("chatgpt", "This is not related to the power outage.")], NOW)}
    assert outside_causes(notices, [], NOW) == {"chatgpt": {"a power cut"}}
    assert outside_causes(cleared, [], NOW) == {}
    title = "Netflix and Twitch down after power cut"
    events = [event(title, "netflix", "twitch")]
    assert outside_causes({}, [(e, title) for e in events], NOW) == {n: {"a power cut"} for n in ("netflix", "twitch")}
    old = [replace(e, first_seen=NOW - timedelta(hours=13)) for e in events]
    business = [replace(e, kind=NewsKind.COMPANY_BUSINESS) for e in events]
    assert outside_causes({}, [(e, title) for e in (*old, *business)], NOW) == {}


def test_a_message_and_a_page_name_the_vendor_whose_services_fail(store: Store, tmp_path: Path) -> None:
    names = ("facebook", "instagram", "whatsapp")
    world = World(store, names)
    for minute, name in enumerate(names):
        world.bins(name, f"11:0{minute}", 6, 400, 60)
    world.explain("11:35")
    (group,) = (i for i in world.all().values() if i.is_group)
    (alert,) = alerts_of(store)
    assert (alert.incident, alert.incident_facts.hit) == (group.id, names)
    assert alert.subject.startswith("Meta: likely outage (Facebook, Instagram, WhatsApp")
    assert alert.incident_facts.official_first_at is None
    store.put_catalogue(CATALOGUE, names)
    run_publish(store, world.config, tmp_path, at("11:40"), simulated=False)
    assert "<h1>Meta: several services at once</h1>" in (tmp_path / f"incident-{group.id}.html").read_text()
