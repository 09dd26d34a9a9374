"""What a replay does beforehand or beside its steps changes nothing of what the steps find."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from pipeline.commands.backtest import plan_replay
from pipeline.commands.common import Setting
from pipeline.config.load import load_config
from pipeline.config.paths import SCENARIOS
from pipeline.core.records import Batch, ComplaintCount, Post
from pipeline.core.times import iso, utc
from pipeline.incidents.chance import DATES, PastIncident, RandomDates, Window
from pipeline.notify.channels.file import NoChannel
from pipeline.replay.read_ahead import ReadAhead
from pipeline.replay.recorded_source import RecordedSource
from pipeline.replay.runner import FinerReplay, ReplayPlan, replay
from pipeline.replay.scenario import read_scenario
from pipeline.replay.scenario_sources import load_recorded
from pipeline.sources.count_columns import parse_count_columns, rows_of
from pipeline.sources.counts import parse_counts
from pipeline.stages.pipeline import Models
from pipeline.stages.tag import TaggedPost, tagged
from pipeline.store import Store
from pipeline.store.activity import complaints_by_hour, complaints_by_region
from pipeline.store.observations import save_batch
from pipeline.store.outbox import alerts_of
from pipeline.text.models.outage import OutageModel
from pipeline.text.services import ServiceMatcher
from tests.benchmarks.archives import write_recording
from tests.copies import replace
from tests.replays import dump

NOW = utc("2026-03-02T10:00:00Z")
MATCHER = ServiceMatcher(load_config(None).catalogue)


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> tuple[ReplayPlan, list[RecordedSource]]:
    """Sixteen days of counts with an outage in each of two services."""
    folder = tmp_path_factory.mktemp("day")
    write_recording(folder, ("github", "netflix"), 16, first_run=14)
    plan = plan_replay(Setting(config=load_config(None), config_path=None, db=folder / "x.db", now=NOW), folder)
    return plan, load_recorded(plan.scenario)[0]


def run(
    db: Path, recording: tuple[ReplayPlan, list[RecordedSource]], finer: FinerReplay | None = None
) -> list[datetime]:
    """Replay a recording into a database; return when it alerted."""
    plan, sources = recording
    with Store(db, durable=False) as store:
        store.put_catalogue(plan.config.catalogue, plan.config.watched)
        replay(store, plan, sources, {"file": NoChannel()}, Models(), finer=finer)
        return [alert.created for alert in alerts_of(store)]


def test_a_span_in_finer_steps_goes_on_from_the_steps_before_and_leaves_the_replay_as_it_is(
    tmp_path: Path, recording: tuple[ReplayPlan, list[RecordedSource]]
) -> None:
    alerts = run(tmp_path / "plain.db", recording)
    begin = alerts[0] - timedelta(hours=1)
    steps: list[int] = []
    first: list[datetime] = []

    def found(store: Store) -> bool:
        assert store.rows("SELECT count(*) FROM count_values")[0][0] > 1000, "the days before are there"
        steps.append(1)
        first[:] = [alert.created for alert in alerts_of(store)][:1]
        return bool(first)

    finer = FinerReplay(begin=begin, until=alerts[0], step=timedelta(minutes=5), found=found)
    assert run(tmp_path / "finer.db", recording, finer) == alerts
    assert dump(tmp_path / "finer.db") == dump(tmp_path / "plain.db")
    assert alerts[0] - timedelta(minutes=15) < first[0] <= alerts[0]
    assert len(steps) == (first[0] - begin) / timedelta(minutes=5) + 1, "one a step, and none after the alert"

    at, steps_then = first[0], len(steps)
    run(tmp_path / "finer.db", recording, finer)
    assert first[0] == at, "a database that holds later times does not give them away"
    assert len(steps) == 2 * steps_then


def posts() -> list[Post]:
    texts = (
        "claude is down",
        "what a day",
        "github down? error 500 since 10:00",
        "claude is great",
        "netflix and github are down for me",
    )
    return [
        Post(
            source="reddit",
            native_id=f"p{n}",
            kind="post",
            community="test",
            author_key=f"a{n}",
            author_created=None,
            created=NOW + timedelta(minutes=n),
            collected=NOW + timedelta(minutes=n),
            title="",
            text=f"{texts[n % 5]} {n // 7}",
            url="",
        )
        for n in range(40)
    ]


def test_posts_read_ahead_are_what_they_are_when_read_in_their_time() -> None:
    model, here = Models().posts, posts()
    scenario = read_scenario(SCENARIOS / "2026-03-02-claude")
    source = RecordedSource("reddit", scenario, "posts", [(post.collected, post) for post in here], [])
    read = ReadAhead([source], here[-1].created, ahead=6)
    edited = replace(here[5], text="chatgpt is down")
    steps = [here[:3], here[3:5], [here[4], edited], here[5:9], [here[2], here[12]], here[10:40]]
    assert [list(read(step, MATCHER, model)) for step in steps] == [
        list(tagged(step, MATCHER, model)) for step in steps
    ]


def test_posts_of_a_replay_are_read_many_at_a_time() -> None:
    model, here, sizes = Models().posts, posts(), []
    scenario = read_scenario(SCENARIOS / "2026-03-02-claude")
    source = RecordedSource("reddit", scenario, "posts", [(post.collected, post) for post in here], [])

    def counted(some: Sequence[Post], matcher: ServiceMatcher, model: OutageModel) -> list[TaggedPost]:
        sizes.append(len(some))
        return list(tagged(some, matcher, model))

    read = ReadAhead([source], here[29].created, read=counted)
    for post in here:
        list(read([post], MATCHER, model))
    assert sizes == [30, *([1] * 10)], "up to the last step, and those beyond it one by one"


def test_columns_of_counts_are_the_same_records_as_rows() -> None:
    body = b"service,start_utc,interval_s,total,region\n" + b"".join(
        f"{name},{iso(NOW + timedelta(minutes=15 * n))},900,{n},{region}\n".encode()
        for n in (3, 1, 2)
        for name in ("github", "netflix")
        for region in ("", "Ohio")
    )
    columns = parse_count_columns(body, source="x", fetched_at=NOW + timedelta(days=1))
    assert columns is not None
    assert columns.columns is not None
    rows = parse_counts(body, source="x", fetched_at=NOW + timedelta(days=1)).rows
    assert list(rows_of(columns.columns)) == list(rows)
    assert len(rows) == 12


def test_counts_of_a_span_that_moves_on_are_those_of_one_that_is_read_whole(tmp_path: Path) -> None:
    begin, dice = NOW - timedelta(days=2, minutes=10), np.random.default_rng(3)
    counts = [
        ComplaintCount(
            service="github",
            source=source,
            region=region,
            indicator="",
            start=begin + timedelta(minutes=15 * n),
            interval_s=900,
            total=int(dice.integers(50)),
            collected=NOW,
        )
        for n in range(190)
        for source, region in (("a", ""), ("b", "Ohio"), ("b", "Nevada"), ("b", "Maine"), ("c", ""), ("c", "Ohio"))
        if (n + len(source + region)) % 7 and not (source == "c" and n < 180)
    ]
    with Store(tmp_path / "kept.db") as kept, Store(tmp_path / "x.db") as plain, kept.kept.keeping():
        for n in range(0, len(counts), 13):
            now = counts[n].start + timedelta(minutes=20)
            if n > 100:  # a count of the day before is corrected
                counts[n - 100] = replace(counts[n - 100], total=n)
            for store in (kept, plain):
                save_batch(store, Batch(source="a", rows=(*counts[n : n + 13], *counts[n - 100 : n - 99])), now)
            for until in (now, now - timedelta(hours=3)):
                span = begin + timedelta(minutes=7), until
                assert complaints_by_hour(kept, "github", *span) == complaints_by_hour(plain, "github", *span)
                assert complaints_by_region(kept, "github", *span) == complaints_by_region(plain, "github", *span)
        hours, counted_to = complaints_by_hour(kept, "github", begin, NOW)
        # of the source that counted most intervals, b, where no region is all of them
        of_b = [count for count in counts if count.source == "b"]
        assert sum(hours.values()) == sum(count.total for count in of_b)
        assert counted_to == of_b[-1].start + timedelta(minutes=15)


def test_a_p_is_the_share_of_dates_that_are_linked_as_near_to_an_outage_as_large() -> None:
    since = NOW - timedelta(days=60)
    past = [
        PastIncident(
            onset=since + timedelta(days=n), end=since + timedelta(days=n, hours=2), size=(n % 3, 60.0 + n % 2)
        )
        for n in range(5, 55, 7)
    ]
    mine = PastIncident(onset=NOW - timedelta(days=2), end=NOW, size=(1, 60.0))
    seen = mine.onset - timedelta(hours=5)
    window = Window(before=timedelta(days=1), after=timedelta(0))
    found = RandomDates(past, mine, since).p_value(window, seen)
    assert found is not None
    # as large are those of a higher rank, and of the same rank those that lasted as long
    large = [mine, *(story for story in past if story.size >= mine.size)]
    step = (mine.onset - since) / DATES
    dates = [since + step * (k + 0.5) for k in range(DATES)]
    near = [any(timedelta(0) <= story.onset - at <= timedelta(hours=5) for story in large) for at in dates]
    assert found[1] == sum(near) / DATES
