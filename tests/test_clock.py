"""A clock that steps ahead or back: no false end, no message outside its incident, nothing left in the future."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from pipeline.core.alerts import Alert
from pipeline.core.errors import PipelineError
from pipeline.core.records import Batch, ComplaintCount, Run
from pipeline.core.status_records import StatusUpdate
from pipeline.core.times import iso, utc
from pipeline.core.vocabulary import Transition
from pipeline.stages.alert.self_monitoring import self_alerts
from pipeline.stages.alert.stage import run_alert
from pipeline.stages.explain.alerts import AlertingContext
from pipeline.stages.explain.due import explain_nothing
from pipeline.stages.explain.stage import run_explain
from pipeline.store import Store
from pipeline.store.clock import follows_pause, rewind_future_clock
from pipeline.store.damage import TIME_COLUMNS
from pipeline.store.observations import save_batch
from pipeline.store.outbox import alerts_of, put_alerts
from pipeline.store.runs import record_run, set_checkpoint
from pipeline.text.models.kinds import RULES, NewsModel
from tests.stored_rows import a_post
from tests.world import ALARM, MATCHER, World, at

STEPS = [timedelta(hours=-2), timedelta(days=-1), timedelta(days=-365), timedelta(days=1), timedelta(days=7300)]


class Sent:
    """A channel that keeps when each message was written, and when what it tells of began."""

    name = "file"

    def __init__(self) -> None:
        self.dates: list[tuple[datetime, datetime]] = []
        self.transitions: list[Transition] = []

    def send(self, alert: Alert) -> None:
        self.dates.append((alert.incident_facts.onset, alert.created))
        self.transitions.append(alert.transition)


class Clocked:
    """The world of the tests, run as the command runs it: the clock is looked at, then all is explained and sent."""

    def __init__(self, store: Store) -> None:
        self.world = World(store, ("claude",))
        self.store, self.box = store, Sent()

    def run(self, now: datetime) -> None:
        rewind_future_clock(self.store, now)
        telling = AlertingContext(since=at("08:00"), channels=("file",), resolves=not follows_pause(self.store, now))
        run_explain(self.store, self.world.config, MATCHER, lambda: NewsModel(RULES, ""), telling, now, alarm=ALARM)
        run_alert(self.store, {"file": self.box}, now)
        record_run(self.store, Run(stage="publish", subject="report", started=now, outcome="ok"))

    def transitions(self) -> list[Transition]:
        return [alert.transition for alert in alerts_of(self.store)]


def in_the_future(store: Store, now: datetime) -> list[str]:
    """Return the columns that hold a time after now."""
    tables = [r[0] for r in store.rows("SELECT name FROM sqlite_master WHERE type='table' AND sql LIKE '%STRICT%'")]
    return [
        f"{table}.{row[1]}"
        for table in tables
        for row in store.rows(f'PRAGMA table_info("{table}")')
        if row[2] == "TEXT"
        and row[1] in TIME_COLUMNS
        and row[1] != "due_at"  # a message may be due later
        and store.rows(f'SELECT 1 FROM "{table}" WHERE "{row[1]}" > ? LIMIT 1', (now,))
    ]


@pytest.fixture
def clocked(store: Store) -> Clocked:
    """An outage that began at 11:00 and is told of."""
    clocked = Clocked(store)
    for minutes in range(0, 180, 15):
        clocked.run(at("08:15") + timedelta(minutes=minutes))
    clocked.world.bins("claude", "11:00", 6, 90.0, 20.0)
    clocked.run(at("11:30"))
    assert clocked.transitions() == [Transition.OPENED]
    return clocked


@pytest.mark.parametrize("step", STEPS, ids=str)
def test_one_run_by_a_wrong_clock_ends_no_outage_and_leaves_nothing_in_the_future(
    clocked: Clocked, step: timedelta
) -> None:
    wrong = at("11:35") + step
    clocked.run(wrong)
    assert Transition.OVER not in clocked.box.transitions
    assert in_the_future(clocked.store, max(wrong, at("11:40"))) == []
    if step < timedelta(0):
        clocked.world.bins("claude", "11:00", 6, 90.0, 20.0)  # judged again
    clocked.world.bins("claude", "11:30", 3, 90.0, 20.0)
    clocked.run(at("11:45"))
    assert in_the_future(clocked.store, at("11:45")) == []
    clocked.run(at("11:50"))
    assert Transition.OVER not in clocked.box.transitions
    sent = alerts_of(clocked.store)
    assert len({a.message_id for a in sent}) == len(sent)
    assert [t for t in clocked.transitions() if t in (Transition.OPENED, Transition.OVER)] == [Transition.OPENED]
    (incident,) = clocked.world.all().values()
    assert (incident.onset, incident.active) == (at("11:00"), True)
    clocked.world.bins("claude", "11:45", 36, 4.0, 0.0)
    for minutes in range(0, 240, 15):
        clocked.run(at("12:00") + timedelta(minutes=minutes))
    assert clocked.transitions()[-1] is Transition.OVER
    assert all(onset == at("11:00") and onset <= written for onset, written in clocked.box.dates)


def test_what_a_clock_ahead_ended_is_explained_again_where_nothing_new_is_read(clocked: Clocked) -> None:
    with clocked.store.transaction() as conn:
        for key in ("alarmed", "alarmed_bin"):
            set_checkpoint(conn, "detect", key, iso(at("11:25")))
    clocked.run(at("11:40") + timedelta(days=365))
    assert [incident.active for incident in clocked.world.all().values()] == [False]
    assert rewind_future_clock(clocked.store, at("11:40")) is not None
    assert explain_nothing(clocked.store, at("11:40")) is None, "there is something to explain"
    clocked.run(at("11:40"))
    assert [incident.active for incident in clocked.world.all().values()] == [True]
    assert Transition.OVER not in clocked.transitions()


def test_a_clock_behind_what_was_read_stops_the_run_until_it_is_right(clocked: Clocked) -> None:
    clocked.world.page("claude", "one", "11:30", "investigating", "major")
    with pytest.raises(PipelineError, match="the clock says 2026-03-02T09:00:00Z, but upstreams date 1 row of"):
        clocked.run(at("09:00"))
    assert clocked.transitions() == [Transition.OPENED]
    clocked.run(at("11:45"))
    assert Transition.OVER not in clocked.transitions()


@pytest.mark.parametrize("pause", [timedelta(hours=13), timedelta(hours=24), timedelta(days=4)], ids=str)
def test_what_ended_in_a_pause_is_over_by_the_second_run_after_it(clocked: Clocked, pause: timedelta) -> None:
    clocked.world.bins("claude", "11:30", 36, 4.0, 0.0)
    resumed = at("11:45") + pause
    clocked.run(resumed)
    assert Transition.OVER not in clocked.box.transitions, "the clock may have stepped ahead"
    clocked.run(resumed + timedelta(minutes=5))
    assert clocked.box.transitions.count(Transition.OVER) == 1


def missed_runs(clocked: Clocked, now: datetime) -> list[str]:
    """Run, then return the messages of missed runs that are written."""
    clocked.run(now)
    written, _ = self_alerts(clocked.store, clocked.world.config, now)
    return [alert.subject for alert in written if alert.subject.startswith("Runs were missed")]


@pytest.mark.parametrize("step", STEPS, ids=str)
def test_one_run_by_a_wrong_clock_is_no_pause_in_the_runs(clocked: Clocked, step: timedelta) -> None:
    assert missed_runs(clocked, at("11:45")) == []
    assert missed_runs(clocked, at("12:00") + step) == []
    for minutes in range(15, 150, 15):
        assert missed_runs(clocked, at("12:00") + timedelta(minutes=minutes)) == []


@pytest.mark.parametrize("pause", [timedelta(hours=3), timedelta(days=40)], ids=str)
def test_a_pause_in_the_runs_is_told_once_by_the_run_after_the_first_that_follows_it(
    clocked: Clocked, pause: timedelta
) -> None:
    begin, end = at("11:30"), at("11:30") + pause
    assert missed_runs(clocked, end) == [], "the clock may be ahead"
    expected = f"Runs were missed: No run from {iso(begin)} to {iso(end)}; usually one every 15 min"
    assert missed_runs(clocked, end + timedelta(minutes=15)) == [expected]
    with clocked.store.transaction() as conn:
        for minutes in (30, 45):
            written, _ = self_alerts(clocked.store, clocked.world.config, end + timedelta(minutes=minutes))
            put_alerts(conn, written)
    told = [a.subject for a in alerts_of(clocked.store) if a.subject.startswith("Runs were missed")]
    assert told == [expected], "looked at again, under the same Message-ID"


def a_count(start: datetime, window: str) -> ComplaintCount:
    return ComplaintCount(
        service="claude",
        source="counts",
        region="",
        indicator="",
        start=start,
        interval_s=900,
        total=5,
        collected=start,
        window=window,
    )


def test_counts_of_a_file_are_kept_and_say_that_the_clock_is_behind(store: Store) -> None:
    now = at("11:00")
    later = [a_count(now + timedelta(hours=n), "interval") for n in range(1, 4)]
    save_batch(store, Batch(source="counts", rows=tuple(later)), later[-1].start)
    record_run(store, Run(stage="collect", subject="x", started=later[-1].start, outcome="ok"))
    with pytest.raises(PipelineError, match="but upstreams date 3 rows of theirs later"):
        rewind_future_clock(store, now)
    assert rewind_future_clock(store, now + timedelta(hours=1)) == later[-1].start, "two alone do not stop runs"
    assert len(store.rows("SELECT 1 FROM complaint_counts")) == 3


def test_what_our_own_clock_dated_is_no_witness(store: Store) -> None:
    now, ahead = at("11:00"), at("11:00") + timedelta(days=365)
    ended = StatusUpdate(
        page="x.com",
        incident_id="one",
        update_id="end",
        name="It fails",
        status="resolved",
        impact="minor",
        components=(),
        displayed_at=ahead,
        created_at=ahead,
        collected=ahead,
        timing="observed",
    )
    save_batch(store, Batch(source="status:x", rows=(ended, a_count(ahead, "rolling"))), ahead)
    record_run(store, Run(stage="publish", subject="r", started=ahead, outcome="ok"))
    assert rewind_future_clock(store, now) == ahead
    assert in_the_future(store, now) == []


def test_posts_of_a_few_alone_do_not_stop_runs(store: Store) -> None:
    now = utc("2026-03-02T09:00:00Z")
    record_run(store, Run(stage="collect", subject="x", started=now + timedelta(days=1), outcome="ok"))
    later = [a_post(n) for n in range(2)]
    save_batch(store, Batch(source="x", rows=tuple(later)), now)
    store.conn.execute("UPDATE posts SET created = ?", (iso(now + timedelta(hours=9)),))
    assert rewind_future_clock(store, now) == now + timedelta(days=1)
    assert in_the_future(store, now) == []
