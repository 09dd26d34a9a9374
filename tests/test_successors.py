"""An id that a message named is never given up, and who was told that something began is told that it is over."""

from __future__ import annotations

import pytest

from pipeline.config.setting_values import ChannelName
from pipeline.config.settings import Alerts, Route
from pipeline.core.vocabulary import Transition
from pipeline.store import Store
from pipeline.store.operators import put_feedback
from pipeline.store.outbox import alerts_of, put_alerts
from pipeline.store.successors import current_id, revive_incident, succeed_incident
from tests.copies import replace
from tests.world import QUIET, World, at

MEMBERS = ("huggingface", "vercel", "heroku")


@pytest.fixture
def world(store: Store) -> World:
    return World(store, ("github", "netflix", *MEMBERS))


def two_stories(world: World) -> tuple[str, str]:
    """Tell of two stories of one service, the second still open."""
    world.bins("netflix", "08:10", 6, 80, 60)
    world.explain("08:45")
    world.bins("netflix", "08:40", 40, 4, 0)
    world.explain("12:00")
    world.bins("netflix", "12:00", 6, 80, 60)
    world.explain("12:15")
    first, second = sorted(world.all())
    return first, second


def test_stories_that_become_one_keep_both_ids_and_are_told_one_end(world: World) -> None:
    first, second = two_stories(world)
    put_feedback(world.store, second, "right", "", at("12:20"))
    world.bins("netflix", "10:00", 6, 80, 60)  # counted late: the stories touch
    world.explain("12:30")
    assert list(world.all()) == [first]
    assert (current_id(world.store, first), current_id(world.store, second)) == (first, first)
    assert current_id(world.store, "netflix-20990101T0000Z") is None
    assert [row[0] for row in world.store.rows("SELECT incident FROM feedback")] == [first]
    world.bins("netflix", "12:30", 40, 4, 0)
    world.explain("15:30")
    assert world.mails(first)[-1] == Transition.OVER
    assert world.mails(first).count("over") == 2, "of the first before, and of both"


def test_a_story_that_is_one_of_its_own_again_has_its_id_and_messages_back(world: World) -> None:
    first, second = two_stories(world)
    before = [a.message_id for a in alerts_of(world.store, second)]
    world.bins("netflix", "10:00", 6, 80, 60)
    world.explain("12:30")
    world.bins("netflix", "10:00", 6, 4, 0)  # and that was wrong
    world.explain("12:40")
    assert sorted(world.all()) == [first, second]
    assert [a.message_id for a in alerts_of(world.store, second)][: len(before)] == before
    assert world.mails(second).count("opened") == 1
    world.bins("netflix", "12:30", 40, 4, 0)
    world.explain("15:30")
    assert [world.mails(i)[-1] for i in (first, second)] == ["over", "over"]


@pytest.mark.parametrize("channels", [("webhook",), ("file", "webhook")])
def test_a_webhook_that_opened_a_member_is_sent_its_end_also_where_the_shared_failure_named_it(
    world: World, channels: tuple[ChannelName, ...]
) -> None:
    alerts = Alerts(routes=(Route(name="all", channels=channels),), quiet_to_close=QUIET)
    world.config = replace(world.config, alerts=alerts)
    world.page("heroku", "heroku", "10:50", "investigating", "major")
    world.explain("10:55")
    for minute, name in enumerate(("huggingface", "vercel")):
        world.page(name, name, f"11:0{minute}", "investigating", "major")
    world.explain("11:05")
    alone = next(i for i in world.all().values() if i.service == "heroku")
    for name in MEMBERS:
        world.page(name, name, "12:00", "resolved", "major")
    for clock in ("14:00", "15:05"):
        world.explain(clock)
    sent = [(a.channel, a.transition) for a in alerts_of(world.store, alone.id)]
    assert sorted(sent) == sorted([*((c, "opened") for c in channels), ("webhook", "over")])


def test_a_member_told_alone_is_told_its_end_unless_the_shared_failure_named_it(world: World) -> None:
    world.page("heroku", "heroku", "10:50", "investigating", "major")
    world.explain("10:55")
    for minute, name in enumerate(("huggingface", "vercel")):
        world.page(name, name, f"11:0{minute}", "investigating", "major")
    world.explain("11:05")
    (group,) = [i for i in world.all().values() if i.is_group]
    alone = next(i for i in world.all().values() if i.service == "heroku")
    assert alone.part_of == group.id
    for name in MEMBERS:
        world.page(name, name, "12:00", "resolved", "major")
    world.explain("14:00")
    assert world.mails(group.id)[-1] == "over"
    assert all("heroku" in a.incident_facts.hit for a in alerts_of(world.store, group.id))
    assert world.mails(alone.id) == ["opened"], "the end of all is its end"
    # had the shared failure not named it, its own end would be told
    world.store.conn.execute(
        "UPDATE alerts SET facts = json_set(facts, '$.hit', json('[\"vercel\"]')) WHERE incident = ?", (group.id,)
    )
    world.bins("heroku", "12:00", 2, 4, 0)
    world.store.conn.execute("DELETE FROM stage_memory WHERE key LIKE 'seen:%'")
    world.explain("15:05")
    assert world.mails(alone.id) == ["opened", "over"]


def dissolve(store: Store, old: str, new: str) -> None:
    with store.transaction() as conn:
        succeed_incident(conn, old, new)


def messages_by_incident(world: World) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for alert in alerts_of(world.store):
        found.setdefault(alert.incident, []).append(alert.message_id)
    return found


@pytest.fixture
def chain(world: World) -> tuple[World, tuple[str, str, str]]:
    """Three incidents with a message each, the first dissolved into the second and that one into the third."""
    for name in MEMBERS:
        world.bins(name, "11:00", 6, 80, 60)
    world.explain("11:30")
    first, second, third = sorted(i for i in world.all() if not i.endswith("-shared"))
    message = alerts_of(world.store)[0]
    with world.store.transaction() as conn:
        conn.execute("DELETE FROM alerts")
        put_alerts(conn, [replace(message, message_id=f"<{i}>", incident=i) for i in (first, second, third)])
    dissolve(world.store, first, second)
    dissolve(world.store, second, third)
    return world, (first, second, third)


def test_messages_in_a_chain_of_successors_go_back_to_the_incident_they_told_of(
    chain: tuple[World, tuple[str, str, str]],
) -> None:
    world, (first, second, third) = chain
    assert {current_id(world.store, i) for i in (first, second, third)} == {third}
    revive_incident(world.store, first)
    revive_incident(world.store, second)
    assert messages_by_incident(world) == {i: [f"<{i}>"] for i in (first, second, third)}


def test_who_had_dissolved_into_an_incident_goes_with_it_when_it_is_one_of_its_own_again(
    chain: tuple[World, tuple[str, str, str]],
) -> None:
    world, (first, second, third) = chain
    revive_incident(world.store, second)
    assert messages_by_incident(world) == {second: [f"<{first}>", f"<{second}>"], third: [f"<{third}>"]}
    assert [r[0] for r in world.store.rows("SELECT successor FROM incident_successors WHERE id=?", (first,))] == [
        second
    ]
    revive_incident(world.store, first)
    assert messages_by_incident(world) == {i: [f"<{i}>"] for i in (first, second, third)}


def test_what_dissolved_into_another_incident_meanwhile_stays_there(
    chain: tuple[World, tuple[str, str, str]],
) -> None:
    world, (first, second, third) = chain
    revive_incident(world.store, first)
    dissolve(world.store, first, "elsewhere")
    revive_incident(world.store, second)
    assert messages_by_incident(world) == {i: [f"<{i}>"] for i in (second, third)} | {"elsewhere": [f"<{first}>"]}
