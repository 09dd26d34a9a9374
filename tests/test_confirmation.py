"""An incident is said to be confirmed by those who confirmed it, in every place that says so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.config.paths import DASHBOARDS
from pipeline.core.alert_json import from_json, to_json
from pipeline.core.incidents import Incident
from pipeline.core.vocabulary import ConfirmedBy, State, Transition
from pipeline.incidents.shared_dependency import groups
from pipeline.notify.policy import next_transition
from pipeline.render.mail_text import incident_text
from pipeline.store import Store
from pipeline.store.outbox import alerts_of
from pipeline.store.overview import ongoing_incidents
from tests.copies import replace
from tests.policy_inputs import BEGAN, INCIDENT, MINUTE, POLICY, message
from tests.world import CATALOGUE, World, at

MEMBERS = ("huggingface", "vercel", "heroku")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with Store(tmp_path / "world.db", views=DASHBOARDS / "views.sql") as store:
        store.put_catalogue(CATALOGUE, ("github", *MEMBERS))
        yield World(store, ("github", *MEMBERS))


def outcry(world: World, service: str, clock: str = "11:00") -> None:
    """Let complaints and reports of a service rise as far as they can."""
    world.bins(service, clock, 6, 4000, 400)
    world.bins(service, clock, 30, 400, 400, channel="votes", width=60)


def test_an_outcry_without_a_notice_is_confirmed_by_reports(world: World) -> None:
    outcry(world, "github")
    world.explain("11:30")
    (incident,) = world.all().values()
    assert (incident.state, incident.official_first_at) == (State.CONFIRMED, None)
    (alert,) = alerts_of(world.store)
    assert "outage, confirmed by reports" in alert.subject
    assert "provider" not in alert.subject
    text = incident_text(alert.incident_facts, alert.incident, "UTC")
    assert (text.state, text.official_first) == ("confirmed by reports", "")
    assert incident.state_in_words == "confirmed by reports"
    assert [row.confirmed_by for row in ongoing_incidents(world.store)] == ["reports"]


def test_a_notice_confirms_by_the_provider_and_is_news_after_an_outcry(world: World) -> None:
    outcry(world, "github")
    world.explain("11:30")
    world.page("github", "A", "11:40", "investigating", "major")
    world.explain("11:50")
    subjects = [alert.subject for alert in alerts_of(world.store)]
    assert len(subjects) == 2
    assert "confirmed by the provider" in subjects[1]
    assert [row.confirmed_by for row in ongoing_incidents(world.store)] == ["provider"]


def test_pages_of_dependents_confirm_a_shared_failure_by_dependents(world: World) -> None:
    for minute, name in enumerate(MEMBERS):
        world.page(name, name, f"11:0{minute}", "investigating", "major")
    world.explain("11:05")
    group = next(i for i in world.all().values() if i.is_group)
    assert (group.state_in_words, group.official_first_at) == ("confirmed by dependents", None)
    (alert,) = alerts_of(world.store, group.id)
    assert "confirmed by dependents" in alert.subject
    assert "confirmed by the provider" not in alert.subject
    assert incident_text(alert.incident_facts, alert.incident, "UTC").state == "confirmed by dependents"
    by_id = {row.incident: row.confirmed_by for row in ongoing_incidents(world.store)}
    assert by_id.pop(group.id) == "dependents"
    assert set(by_id.values()) == {"provider"}
    # the page of what they run on posts, too
    world.page("aws", "own", "11:20", "investigating", "major")
    world.explain("11:30")
    group = world.all()[group.id]
    assert (group.confirmed_by, group.official_first_at) == (ConfirmedBy.PROVIDER, at("11:20"))


def member(service: str, state: State, notice: str | None = None) -> Incident:
    return replace(
        INCIDENT,
        id=f"{service}-1",
        service=service,
        state=state,
        active=state is not State.RESOLVED,
        end=BEGAN + 5 * MINUTE if state is State.RESOLVED else None,
        official_first_at=at(notice) if notice else None,
    )


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ((State.CONFIRMED, State.RESOLVED, State.POSSIBLE), State.CONFIRMED),
        ((State.CONFIRMED, State.RESOLVED, State.RESOLVED), State.CONFIRMED),
        ((State.LIKELY, State.RESOLVED, State.POSSIBLE), State.LIKELY),
        ((State.POSSIBLE, State.POSSIBLE, State.POSSIBLE), State.LIKELY),
        ((State.RESOLVED, State.RESOLVED, State.RESOLVED), State.RESOLVED),
    ],
)
def test_a_member_that_is_over_hides_not_how_sure_the_others_are(states: tuple[State, ...], expected: State) -> None:
    members = [member(name, state) for name, state in zip(MEMBERS, states, strict=True)]
    ((group, _),) = groups(members, CATALOGUE, BEGAN + 10 * MINUTE)
    assert group.state is expected


def test_a_shared_failure_stays_confirmed_when_the_member_with_the_notice_is_over() -> None:
    members = [
        member("huggingface", State.RESOLVED, "11:05"),
        member("vercel", State.POSSIBLE),
        member("heroku", State.POSSIBLE),
    ]
    ((group, _),) = groups(members, CATALOGUE, BEGAN + 10 * MINUTE)
    assert group.confirmed_by is ConfirmedBy.DEPENDENTS


def test_what_confirmed_it_is_stored_with_a_message_and_known_of_older_ones() -> None:
    facts = replace(message(BEGAN).incident_facts, state=State.CONFIRMED, confirmed_by=ConfirmedBy.DEPENDENTS)
    stored = to_json(facts)
    assert from_json(stored) == facts  # type: ignore[arg-type]
    old = {key: value for key, value in stored.items() if key != "confirmed_by"}
    for official, expected in (("2026-03-02T11:00:00Z", ConfirmedBy.PROVIDER), (None, ConfirmedBy.REPORTS)):
        read = from_json({**old, "official_first_at": official})  # type: ignore[typeddict-item]
        assert read.confirmed_by is expected  # type: ignore[union-attr]


def test_a_confirmation_is_told_once_for_who_confirms() -> None:
    by_reports = replace(INCIDENT, state=State.CONFIRMED)
    by_provider = replace(by_reports, official_first_at=BEGAN)
    later = BEGAN + 15 * MINUTE
    said = [message(BEGAN, state=State.CONFIRMED, confirmed_by=ConfirmedBy.REPORTS)]
    assert next_transition(by_reports, said, POLICY, later) is None
    assert next_transition(by_provider, said, POLICY, later) is Transition.CONFIRMED
    said = [message(BEGAN, state=State.CONFIRMED, confirmed_by=ConfirmedBy.PROVIDER)]
    assert next_transition(by_provider, said, POLICY, later) is None
