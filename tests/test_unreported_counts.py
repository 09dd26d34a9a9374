"""Counts alone of a service in its first week are not sent while posts about it are read and report nothing."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from pipeline.core.records import Batch, ComplaintCount, Post
from pipeline.core.reports import Vote
from pipeline.core.times import Span
from pipeline.core.vocabulary import VoteReason
from pipeline.incidents.unreported_counts import IN_WORDS
from pipeline.reports.decision_trace import decision_trace
from pipeline.store import Store
from pipeline.store.observations import save_batch
from pipeline.store.reports import save_tags
from tests.stored_rows import a_tag
from tests.world import ALARM, CATALOGUE, World, at

MONDAY = at("11:00")  # 2 March 2026
SATURDAY = MONDAY - timedelta(days=2)
ON_AWS = ("claude", "cursor", "huggingface", "perplexity")


def counted_since(world: World, since: datetime, service: str = "github") -> None:
    row = ComplaintCount(
        service=service,
        source="x",
        region="",
        indicator="",
        start=since,
        interval_s=900,
        total=1,
        collected=since + timedelta(minutes=20),
    )
    save_batch(world.store, Batch(source="counts", rows=(row,)), row.collected)


def post(name: str, source: str, created: datetime) -> Post:
    return Post(
        source=source,
        native_id=name,
        kind="post",
        community="github",
        author_key=f"author of {name}",
        author_created=None,
        created=created,
        collected=created + timedelta(minutes=1),
        title="",
        text=f"moved repository {name} to github",
        url=f"https://{source}.example/{name}",
    )


def mentioned(world: World, number: int, service: str = "github") -> None:
    """Let people write of the service in the week before, without reporting trouble."""
    posts = [post(f"{service}{n}", "x", SATURDAY + timedelta(hours=2 * n)) for n in range(number)]
    tags = [a_tag(post, service, 0.1) for post in posts]
    reason = VoteReason.NOT_ABOUT_OUTAGE
    votes = [Vote("x", p.native_id, service, p.created, 0.0, reason, p.author_key, p.native_id) for p in posts]
    save_batch(world.store, Batch(source="x", rows=tuple(posts)), at("10:00"))
    save_tags(world.store, posts, tags, votes, "m")


@pytest.fixture
def world(store: Store) -> World:
    return World(store, ("github",))


def first_workday(
    world: World, *, since: datetime = SATURDAY, mentions: int = 20, read_until: str = "11:30", score: float = 20.0
) -> list[str]:
    """Return the messages of 11:30 on a day whose counts rise at 11:00."""
    counted_since(world, since)
    mentioned(world, mentions)
    world.read("06:00", read_until)
    world.bins("github", "11:00", 2, 60, score, width=900)
    world.explain("11:30")
    return mails(world)


def mails(world: World) -> list[str]:
    return [mail for incident in world.all() for mail in world.mails(incident)]


def test_the_first_workday_of_a_series_begun_at_a_weekend_is_not_sent_while_nobody_reports(world: World) -> None:
    assert first_workday(world) == []
    steps = decision_trace(world.store, world.config, CATALOGUE["github"], at("11:30"), at("11:30"), ALARM)
    assert [step.words for step in steps if step.name == "held"] == [IN_WORDS]


def test_one_report_is_enough_to_send_it(world: World) -> None:
    first_workday(world)
    world.people("github", "11:20", ["github is down, I get 500 on every push"])
    world.explain("11:35")
    assert mails(world) == ["opened"]


def test_what_the_provider_confirms_is_sent(world: World) -> None:
    first_workday(world)
    world.page("github", "n1", "11:31", "investigating", "major")
    world.explain("11:35")
    assert mails(world) == ["opened"]


@pytest.mark.parametrize(
    ("since", "held"),
    [
        (MONDAY - timedelta(days=7), False),  # each hour of the week was seen
        (MONDAY - timedelta(days=7) + timedelta(minutes=15), True),
        (MONDAY - timedelta(days=1), True),
        (MONDAY - timedelta(hours=23, minutes=45), False),  # not one day was seen: nothing is taken for usual by night
    ],
)
def test_only_the_first_week_and_not_the_first_day_needs_a_report(world: World, since: datetime, held: bool) -> None:
    assert (first_workday(world, since=since) == []) is held


def test_silence_says_nothing_where_few_write_of_the_service(world: World) -> None:
    assert first_workday(world, mentions=19) == ["opened"]


def test_silence_says_nothing_where_posts_are_not_read(world: World) -> None:
    assert first_workday(world, read_until="11:10") == ["opened"]


def test_silence_of_another_network_than_the_one_that_writes_of_the_service_says_nothing(world: World) -> None:
    span = Span(at("06:00"), at("11:30"))
    save_batch(
        world.store, Batch(source="bluesky", rows=(post("one", "bluesky", SATURDAY),), coverage=(span,)), span.until
    )
    assert first_workday(world, read_until="11:10") == ["opened"]


@pytest.mark.parametrize(("asked", "held"), [("11:30", True), ("12:00", False)])
def test_why_judges_by_what_had_been_read_at_the_moment_it_is_asked_for(world: World, asked: str, held: bool) -> None:
    first_workday(world)
    world.read("14:00", "14:30")
    steps = decision_trace(world.store, world.config, CATALOGUE["github"], at(asked), at("14:30"), ALARM)
    assert ([step.words for step in steps if step.name == "held"] == [IN_WORDS]) is held


def test_what_the_press_reported_later_did_not_release_it_before(world: World) -> None:
    first_workday(world)
    world.news("11:50", "GitHub is down: outage hits developers")
    world.explain("11:55")
    assert mails(world) == ["opened"]
    for asked, held in (("11:45", True), ("11:55", False)):
        steps = decision_trace(world.store, world.config, CATALOGUE["github"], at(asked), at("11:55"), ALARM)
        assert ([step.words for step in steps if step.name == "held"] == [IN_WORDS]) is held


def test_counts_far_above_the_usual_need_no_report(world: World) -> None:
    assert first_workday(world, score=36.0) == ["opened"]


@pytest.mark.parametrize(("high", "score", "held"), [(31, 9.0, True), (32, 9.0, False), (40, 8.9, True)])
def test_counts_in_alarm_for_eight_hours_in_all_are_no_habit(world: World, high: int, score: float, held: bool) -> None:
    first_workday(world, score=ALARM)
    world.read("11:30", "22:00")
    world.bins("github", "11:30", 1, 5, 0.0, width=900)  # a quarter of an hour that is quiet does not count
    world.bins("github", "11:45", high - 2, 60, score, width=900)
    clock = f"{at('11:45') + (high - 2) * timedelta(minutes=15):%H:%M}"
    world.explain(clock)
    assert (mails(world) == []) is held
    steps = decision_trace(world.store, world.config, CATALOGUE["github"], at(clock), at(clock), ALARM)
    assert ([step.words for step in steps if step.name == "held"] == [IN_WORDS]) is held


def first_workday_of_all(world: World) -> None:
    """Let the counts of all watched services rise at 11:00 on their first workday."""
    for service in world.config.watch:
        counted_since(world, SATURDAY, service)
        mentioned(world, 20, service)
        world.bins(service, "11:00", 2, 60, 20.0, width=900)
    world.read("06:00", "12:00")
    world.explain("11:30")


def test_services_that_are_held_alone_make_no_shared_failure(store: Store) -> None:
    world = World(store, ON_AWS)
    first_workday_of_all(world)
    assert (len(world.all()), mails(world)) == (4, [])


def test_a_shared_failure_counts_the_services_that_are_not_held(store: Store) -> None:
    world = World(store, ON_AWS)
    first_workday_of_all(world)
    for number, service in enumerate(ON_AWS[:3]):
        world.people(service, f"11:3{number}", [f"{service} is down, I cannot log in"])
    world.explain("11:35")
    (group,) = [incident for incident in world.all().values() if incident.is_group]
    members = {incident.service for incident in world.all().values() if incident.part_of == group.id}
    assert (world.mails(group.id), members) == (["opened"], set(ON_AWS[:3]))
    world.people(ON_AWS[3], "11:36", [f"{ON_AWS[3]} is down, I cannot log in"])
    world.explain("11:40")
    assert {incident.service for incident in world.all().values() if incident.part_of == group.id} == set(ON_AWS)
