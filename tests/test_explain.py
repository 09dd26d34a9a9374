"""The explain stage over real rows: what opens is closed, what is told is told once, and nothing of the past."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.core.alert_facts import AlertFacts
from pipeline.core.catalogue import Service
from pipeline.core.incidents import Advisory
from pipeline.core.records import Batch, Run
from pipeline.core.status_records import StatusUpdate
from pipeline.core.times import iso, utc
from pipeline.core.vocabulary import Impact, State
from pipeline.stages.explain.context import incident_history, surge_inputs
from pipeline.store import Store
from pipeline.store.advisories import advisories, put_advisories
from pipeline.store.clock import rewind_future_clock
from pipeline.store.incidents import incidents, put_incident
from pipeline.store.news import links_of
from pipeline.store.observation_times import known_since
from pipeline.store.observations import save_batch
from pipeline.store.outbox import alerts_of
from pipeline.store.runs import get_checkpoint, record_run, set_checkpoint
from pipeline.store.verdicts import forget_old_verdicts
from tests.copies import replace
from tests.stored_rows import an_incident
from tests.world import CATALOGUE, World, at


def test_a_notice_that_loses_its_impact_closes_its_incident_and_leaves_the_next_outage_alone(world: World) -> None:
    world.page("github", "A", "11:00", "investigating", "major")
    world.explain("11:05")
    world.page("github", "A", "11:40", "resolved", "none")
    world.explain("11:45")
    (first,) = world.all().values()
    assert (first.active, first.state, first.end) == (False, "resolved", at("11:00"))
    assert world.mails(first.id) == ["opened", "over"]
    assert any(e.kind == "withdrawn" for e in first.evidence)
    world.bins("github", "09:00", 6, 80, 60, day=12)
    world.explain("09:30", 12)
    _, second = world.all().values()
    assert (second.onset, world.mails(second.id)) == (at("09:00", 12), ["opened"])


def test_an_open_notice_the_page_forgot_is_over_after_three_days(world: World) -> None:
    world.page("github", "A", "11:00", "investigating", "critical")
    world.explain("11:05")
    world.explain("11:05", 4)
    assert next(iter(world.all().values())).active
    world.explain("11:05", 6)
    (incident,) = world.all().values()
    assert (incident.active, incident.end, world.mails(incident.id)) == (False, at("11:00"), ["opened", "over"])


def test_a_group_keeps_its_members_until_all_are_over_and_is_told_once(world: World) -> None:
    for minute, name in enumerate(("huggingface", "vercel", "heroku")):
        world.page(name, name, f"11:0{minute}", "investigating", "major")
    world.explain("11:05")
    group = next(i for i in world.all().values() if i.is_group)
    assert {i.part_of for i in world.all().values() if not i.is_group} == {group.id}
    world.page("supabase", "supabase", "11:20", "investigating", "major")
    world.explain("11:25")
    assert next(i for i in world.all().values() if i.service == "supabase").part_of == group.id, (
        "who joins is told with them"
    )
    # one of them turns out to have begun an hour before: still the same story
    world.bins("heroku", "10:00", 20, 80, 60)
    world.explain("11:40")
    assert world.mails(group.id) == ["opened", "component_added"]
    assert [world.mails(i.id) for i in world.all().values() if not i.is_group] == [[], [], [], []]
    world.bins("heroku", "11:40", 30, 4, 0)
    for name in ("huggingface", "vercel", "heroku", "supabase"):
        world.page(name, name, "12:00", "resolved", "major")
    world.explain("14:00")
    assert (world.all()[group.id].active, world.mails(group.id)) == (False, ["opened", "component_added", "over"])


def test_a_message_about_a_shared_failure_names_the_news_of_its_members(world: World) -> None:
    for minute, name in enumerate(("huggingface", "vercel", "heroku")):
        world.page(name, name, f"11:0{minute}", "investigating", "major")
    world.news("11:10", "Heroku is down: outage hits thousands of apps")
    world.explain("11:15")
    group = next(i for i in world.all().values() if i.is_group)
    world.page("supabase", "supabase", "11:25", "investigating", "major")
    world.explain("11:30")
    facts = [alert.facts for alert in alerts_of(world.store, group.id)]
    assert [[link.title for link in fact.links] for fact in facts if isinstance(fact, AlertFacts)] == [
        [],  # what was found with it is stored with its members by then
        ["Heroku is down: outage hits thousands of apps"],
    ]


def test_two_groups_of_one_dependency_are_two_incidents_and_stand_still(world: World) -> None:
    for hour, names in ((11, ("huggingface", "vercel", "heroku")), (18, ("supabase", "bitbucket", "circleci"))):
        for name in names:
            world.page(name, name, f"{hour}:00", "investigating", "major")
        world.explain(f"{hour}:05")
    assert [i.onset for i in world.all().values() if i.is_group] == [at("11:00"), at("18:00")]
    assert world.explain("18:10").new == 0


def test_what_is_not_worth_telling_alone_makes_no_group(world: World) -> None:
    for name in ("huggingface", "vercel", "heroku"):
        world.bins(name, "11:00", 1, 5, 10)
    world.explain("11:10")
    found = list(world.all().values())
    weak = [i for i in found if i.probability is not None and i.probability < 0.05]
    assert (len(found), len(weak)) == (3, 3), "three doubtful incidents, no group"


def test_a_notice_left_open_does_not_tell_other_services_old_outages_again(world: World) -> None:
    world.page("github", "A", "08:30", "investigating", "minor")
    world.bins("netflix", "11:00", 6, 80, 60)
    world.explain("11:30")
    world.bins("netflix", "10:50", 2, 40, 12)
    world.bins("netflix", "11:30", 60, 4, 0)
    world.explain("13:30")
    before = {k: (i.onset, i.end) for k, i in world.all().items() if i.service == "netflix"}
    world.page("github", "A", "08:30", "monitoring", "minor", day=5)
    world.explain("12:00", 6)
    forget_old_verdicts(world.store, at("00:00", 5))
    world.page("github", "A", "08:30", "monitoring", "minor", day=8)
    world.explain("15:00", 8)
    assert {k: (i.onset, i.end) for k, i in world.all().items() if i.service == "netflix"} == before
    assert [world.mails(k) for k in before] == [["opened", "over"]]


def test_unread_minutes_close_nothing_and_a_long_silence_does(world: World) -> None:
    world.read("00:00", "11:20")
    world.bins("netflix", "11:00", 20, 9, 60, channel="votes", width=60)
    world.explain("11:20")
    world.explain("13:30")
    (incident,) = world.all().values()
    assert (incident.active, incident.end) == (True, None), "nobody has read a post since"
    world.explain("19:00")
    (incident,) = world.all().values()
    assert (incident.active, incident.end) == (False, at("11:20"))


def test_quiet_minutes_that_were_read_do_close_it(world: World) -> None:
    world.bins("netflix", "11:00", 20, 9, 60, channel="votes", width=60)
    world.read("00:00", "13:30")
    world.explain("11:20")
    world.explain("13:30")
    (incident,) = world.all().values()
    assert (incident.active, incident.end) == (False, at("11:20"))


def test_late_bins_that_join_two_stories_leave_the_first_one_over(world: World) -> None:
    for first, until in (("00:00", "01:00"), ("05:00", "06:00"), ("09:30", "10:00")):
        world.bins("netflix", first, 12 if first != "09:30" else 6, 80, 60, day=3)
        world.explain(until, 3)
        world.bins("netflix", until, 24, 4, 0, day=3)
    world.explain("10:05", 3)
    world.bins("netflix", "07:00", 12, 80, 60, day=3)
    world.explain("11:01", 3)
    world.explain("12:01", 3)
    told = {i.onset: world.mails(i.id) for i in world.all().values()}
    assert told[at("00:00", 3)].count("over") == 1
    assert len(told) == 2


def test_a_dependency_fails_at_the_time_or_not_at_all(world: World) -> None:
    world.page("huggingface", "H", "11:00", "investigating", "major")
    world.news("11:20", "AWS is down: Amazon Web Services outage")
    world.explain("11:25")
    world.page("huggingface", "H", "12:00", "resolved", "major")
    world.explain("15:00")
    world.bins("aws", "09:00", 6, 80, 60, day=4)
    world.explain("09:31", 4)
    (own,) = [i for i in world.all() if i.startswith("huggingface")]
    assert [k.relation for k in links_of(world.store, own)] == ["other_incident"]


def test_claims_of_links_that_chance_explains_are_not_told(world: World) -> None:
    world.page("github", "A", "11:00", "investigating", "major")
    world.news("14:30", "GitHub is down: outage began at 10:15 UTC")
    world.explain("14:35")
    (incident,) = world.all()
    (link,) = links_of(world.store, incident)
    assert (link.relation, link.shown) == ("reports", True)
    assert [e.subject for e in world.all()[incident].evidence if e.kind == "disagreement"] == ["Daily"]
    # three months of one incident a day: a date says nothing
    with world.store.transaction() as conn:
        base = world.all()[incident]
        for day in range(1, 80):
            start = at("11:10") - timedelta(days=day)
            old = replace(
                an_incident("github", start),
                id=f"old{day}",
                state=State.RESOLVED,
                end=start + timedelta(hours=20),
                impact=Impact.CRITICAL,
                active=False,
                episodes=base.episodes,
            )
            put_incident(conn, old)
    save_batch(
        world.store,
        Batch(
            source="page",
            rows=(
                StatusUpdate(
                    page=CATALOGUE["github"].page,
                    incident_id="first",
                    update_id="u",
                    name="n",
                    status="resolved",
                    impact="none",
                    components=(),
                    displayed_at=at("11:00") - timedelta(days=80),
                    created_at=at("11:00") - timedelta(days=80),
                    collected=at("14:36"),
                ),
            ),
        ),
        at("14:36"),
    )
    world.explain("14:40")
    (link,) = links_of(world.store, incident)
    assert not link.shown
    assert [e for e in world.all()[incident].evidence if e.kind == "disagreement"] == []


def test_a_service_is_known_since_something_was_seen_of_it(world: World) -> None:
    world.read("00:00", "08:00", day=1)
    assert known_since(world.store, "netflix", CATALOGUE["netflix"].page) is None
    world.page("github", "A", "11:00", "investigating", "major")
    assert known_since(world.store, "github", CATALOGUE["github"].page) == at("11:00")
    _, since, _ = incident_history(world.store, CATALOGUE["netflix"], [], at("12:00"))
    assert since == at("12:00")


def test_talk_about_an_outage_and_hours_nobody_read_are_no_surge(world: World) -> None:
    world.store.conn.execute("INSERT INTO coverage VALUES ('x', ?, ?)", (iso(at("00:00", 1)), iso(at("09:55", 1))))
    world.store.conn.execute("INSERT INTO coverage VALUES ('x', ?, ?)", (iso(at("00:00", 2)), iso(at("17:00", 2))))
    row = ("x", "1", "post", "", "", "", "", "k", None, iso(at("01:00")), iso(at("01:00")))
    columns = (
        "source",
        "native_id",
        "kind",
        "community",
        "title",
        "text",
        "url",
        "author_key",
        "author_created",
        "created",
        "collected",
    )
    present = [r["name"] for r in world.store.rows("PRAGMA table_info(posts)")]
    needed = {
        r["name"]: 0 if r["type"] in ("INTEGER", "REAL") else ""
        for r in world.store.rows("PRAGMA table_info(posts)")
        if r["notnull"]
    }
    values = {**needed, **{c: v for c, v in zip(columns, row, strict=True) if c in present}}
    world.store.conn.execute(
        f"INSERT INTO posts ({','.join(values)}) VALUES ({','.join('?' * len(values))})", tuple(values.values())
    )
    world.bins("claude", "11:00", 30, 80, 60)
    world.bins("claude", "13:30", 40, 4, 0)
    world.explain("13:30")
    world.explain("16:00")
    hours = surge_inputs(world.store, CATALOGUE["claude"], [], at("17:00")).read
    assert hours is not None
    assert sorted(h.hour for h in hours if h.date() == at("00:00", 2).date()) == [*range(11), 15, 16]
    assert max(h.hour for h in hours if h.date() == at("00:00", 1).date()) == 9, (
        "five minutes short of an hour is an hour"
    )


def test_an_advisory_of_a_service_nobody_watches_any_more_ends(world: World) -> None:
    with world.store.transaction() as conn:
        put_advisories(
            conn,
            [Advisory(service="spotify", since=at("07:00"), until=None, level="watch", reasons=("r",), signals=())],
        )
    world.explain("10:00")
    assert [a.until for a in advisories(world.store)] == [at("10:00")]


def test_a_clock_that_stood_ahead_is_turned_back_and_told(store: Store, tmp_path: Path) -> None:
    ahead, now = utc("2027-03-02T10:00:00Z"), at("10:00")
    record_run(store, Run(stage="explain", subject="incidents", started=ahead, outcome="ok"))
    with store.transaction() as conn:
        set_checkpoint(conn, "explain", "through", iso(ahead))
        set_checkpoint(conn, "explain", "news", "2027 is no time")
        conn.execute("INSERT INTO coverage VALUES ('x', ?, ?)", (iso(at("09:00")), iso(ahead)))
    assert rewind_future_clock(store, ahead) is None
    assert rewind_future_clock(store, now) == ahead
    assert (get_checkpoint(store, "explain", "through"), get_checkpoint(store, "explain", "news")) == (
        iso(now - timedelta(seconds=1)),
        "2027 is no time",
    )
    assert [tuple(r) for r in store.rows("SELECT since, until FROM coverage")] == [(iso(at("09:00")), iso(now))]
    record_run(store, Run(stage="explain", subject="incidents", started=now, outcome="ok"))
    assert rewind_future_clock(store, now) is None
    assert isinstance(CATALOGUE["github"], Service)


@pytest.mark.parametrize(("column", "value"), [("state", "certain"), ("impact", "dire")])
def test_a_stored_word_of_another_version_is_an_error_that_names_it(world: World, column: str, value: str) -> None:
    world.page("github", "A", "11:00", "investigating", "major")
    world.explain("11:05")
    with world.store.transaction() as conn:
        conn.execute(f"UPDATE incidents SET {column} = ?", (value,))
    with pytest.raises(ValueError, match=f"'{value}' is not a valid {column.title()}"):
        incidents(world.store)
