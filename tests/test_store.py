"""The database: natural keys, honest counts, coverage, refusals."""

from __future__ import annotations

import importlib.util
import multiprocessing
import sqlite3
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import yaml

from pipeline.config.paths import DASHBOARDS
from pipeline.config.settings import Keep
from pipeline.core.errors import StoreError
from pipeline.core.incidents import NewsEvent
from pipeline.core.records import Batch, ComplaintCount, NewsItem, Post, RejectedRow, Run, Span
from pipeline.core.series import SeriesColumn
from pipeline.core.times import iso, utc
from pipeline.stages.retention import tidy
from pipeline.store import Store, health, open_readonly
from pipeline.store.news import put_news_events
from pipeline.store.observations import save_batch
from pipeline.store.runs import checkpoints, coverage, load_source_state, record_run, set_checkpoint
from pipeline.store.verdicts import Judgement, StoredState, counts, save_judgement, state_mark, state_parts
from tests.conftest import ROOT

NOW = utc("2026-03-02T12:00:00Z")


def a_post(number: int, text: str = "down") -> Post:
    return Post(
        source="reddit",
        native_id=f"t3_{number}",
        kind="post",
        community="c",
        author_key="k",
        author_created=None,
        created=NOW,
        collected=NOW,
        title="t",
        text=text,
    )


def count(total: int, *, region: str = "", indicator: str = "", minutes: int = 0) -> ComplaintCount:
    return ComplaintCount(
        service="svc",
        source="x",
        region=region,
        indicator=indicator,
        start=NOW + timedelta(minutes=minutes),
        interval_s=900,
        total=total,
        collected=NOW,
    )


def test_the_same_rows_twice_are_new_once(tmp_path: Path) -> None:
    item = NewsItem(source="f", native_id="1", outlet="o", published=NOW, collected=NOW, title="t", summary="s", url="")
    batch = Batch(
        source="x",
        rows=(a_post(1), a_post(2), count(5), item),
        state={"etag": "e"},
        coverage=(Span(NOW - timedelta(hours=1), NOW),),
        rejected=(RejectedRow(where="f:3", reason="bad", head="row\ud800\0"),),
    )
    with Store(tmp_path / "x.db") as store:
        assert save_batch(store, batch, NOW) == 4
        assert save_batch(store, batch, NOW) == 0
        changed = replace(batch, rows=(a_post(1, "down, edited"), count(7), replace(item, title="t2")))
        assert save_batch(store, changed, NOW) == 3
        assert store.rows("SELECT title FROM item_revisions")[0][0] == "t"
        assert load_source_state(store, "x") == {"etag": "e"}
        assert store.rows("SELECT count(*) FROM quarantine")[0][0] == 1
        assert (
            store.rows(
                "SELECT p.text FROM posts_fts f JOIN posts p ON p.rowid = f.rowid WHERE posts_fts MATCH 'edited'"
            )[0][0]
            == "down, edited"
        )


def test_a_total_is_the_count_and_parts_are_detail(tmp_path: Path) -> None:
    rows = (
        count(10),
        count(4, region="US"),
        count(6, region="GB"),
        count(3, indicator="login"),
        count(4, region="US", minutes=15),
        count(6, region="GB", minutes=15),
        count(2, indicator="login", minutes=30),
        count(5, indicator="app", minutes=30),
    )
    with Store(tmp_path / "x.db") as store:
        save_batch(store, Batch(source="x", rows=rows), NOW)
        found = counts(store, "x", 900, "interval", NOW, NOW + timedelta(hours=1))
    totals = {at: total for column, at, total in found if column == SeriesColumn("svc")}
    assert totals == {NOW: 10, NOW + timedelta(minutes=15): 10, NOW + timedelta(minutes=30): 7}
    assert (SeriesColumn("svc", "login"), NOW, 3) in found


def test_coverage_joins_what_touches(tmp_path: Path) -> None:
    hour = timedelta(hours=1)
    with Store(tmp_path / "x.db") as store:
        for begin, end in ((0, 1), (3, 4), (1, 2), (3, 4), (2, 2.5)):
            save_batch(store, Batch(source="x", rows=(), coverage=(Span(NOW + begin * hour, NOW + end * hour),)), NOW)
        assert coverage(store, "x") == [(NOW, NOW + 2.5 * hour), (NOW + 3 * hour, NOW + 4 * hour)]


@pytest.mark.parametrize("kind", ["text", "newer", "foreign", "cut", "folder"])
def test_a_file_that_is_not_ours_is_refused_and_kept(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x.db"
    if kind == "text":
        path.write_text("these are notes, no database " * 50)
    elif kind == "folder":
        path.mkdir()
    elif kind == "foreign":
        sqlite3.connect(path).execute("CREATE TABLE mine (a)").connection.commit()
    else:
        with Store(path) as store:
            if kind == "newer":
                store.conn.execute(
                    "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) "
                    "VALUES ('groundswell', 'later', 'x')"
                )
        if kind == "cut":
            path.write_bytes(path.read_bytes()[:3000])
    before = path.read_bytes() if path.is_file() else b""
    with pytest.raises(StoreError) as caught:
        Store(path)
    assert str(path) in str(caught.value)
    if kind in ("text", "foreign", "newer"):
        assert path.read_bytes() == before


def _write(path: str, number: int) -> None:
    with Store(path) as store:
        for i in range(40):
            save_batch(store, Batch(source="x", rows=(a_post(number * 1000 + i),)), NOW)


def test_writers_wait_for_each_other(tmp_path: Path) -> None:
    path = str(tmp_path / "x.db")
    Store(path).conn.close()
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        pool.starmap(_write, [(path, n) for n in range(3)])
    with Store(path) as store:
        assert store.rows("SELECT count(*) FROM posts")[0][0] == 120


def test_a_transaction_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with Store(tmp_path / "x.db") as store:
        bad = Batch(source="x", rows=(a_post(1), replace(a_post(2), kind=None)))  # type: ignore[arg-type]
        with pytest.raises(sqlite3.IntegrityError):
            save_batch(store, bad, NOW)
        assert store.rows("SELECT count(*) FROM posts")[0][0] == 0


def test_every_view_runs_and_every_column_is_in_the_dictionary(tmp_path: Path) -> None:
    metadata = yaml.safe_load((DASHBOARDS / "metadata.yml").read_text(encoding="utf-8"))["databases"]["groundswell"]
    told = metadata["tables"]
    with Store(tmp_path / "x.db", views=DASHBOARDS / "views.sql") as store:
        names = {
            r[0]: r[1]
            for r in store.rows(
                "SELECT name, type FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE '%fts%'"
                " AND name NOT LIKE 'sqlite%' AND name NOT LIKE '_sqlite%'"
            )
        }
        assert set(names) == set(told)
        for name, kind in names.items():
            store.rows(f'SELECT * FROM "{name}" LIMIT 1')
            columns = [r[1] for r in store.rows(f'PRAGMA table_info("{name}")')]
            assert set(columns) == set(told[name]["columns"]), name
            # what a view is asked for is a contract: its columns, in this order
            assert kind == "table" or columns == list(told[name]["columns"]), name
        for query in metadata["queries"].values():
            values = {
                key: 'it\'s "quoted" AND * ('
                for key in ("words", "service", "day", "incident", "moment", "hour")
                if f":{key}" in query["sql"]
            }
            store.rows(query["sql"], values)


def test_reading_commands_cannot_write(tmp_path: Path) -> None:
    Store(tmp_path / "x.db").conn.close()
    conn = open_readonly(tmp_path / "x.db")
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        conn.execute("DELETE FROM posts")
    with pytest.raises(StoreError, match="no such database"):
        open_readonly(tmp_path / "absent.db")


def test_a_database_with_news_in_it_is_whole_and_a_damaged_one_is_not(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    event = NewsEvent(
        id="n", kind="other", title="t", entities=(), outlets=("o",), first_seen=NOW, items=(("feeds", "1"),)
    )
    with Store(path) as store, store.transaction() as conn:
        put_news_events(conn, [event])
    assert health(path) == ("ok", "never")
    with Store(path) as store:
        save_batch(store, Batch(source="x", rows=tuple(a_post(i, "down " * 50) for i in range(500))), NOW)
        (page,) = store.rows("SELECT pageno FROM dbstat WHERE name = 'posts' AND pagetype = 'leaf' LIMIT 1")[0]
        store.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    raw = bytearray(path.read_bytes())
    raw[(page - 1) * 4096 : page * 4096] = b"x" * 4096
    path.write_bytes(raw)
    try:
        state = health(path)[0]
    except StoreError as error:  # SQLite gives up, or lists what is wrong
        state = str(error)
    assert state != "ok"


def test_times_are_fixed_width_utc_text(tmp_path: Path) -> None:
    with Store(tmp_path / "x.db") as store:
        local = datetime.fromisoformat("2026-03-02T04:00:00.5-08:00")
        save_batch(store, Batch(source="x", rows=(replace(a_post(1), created=local),)), NOW)
        assert store.rows("SELECT created FROM posts")[0][0] == "2026-03-02T12:00:00Z"


def test_a_time_without_a_zone_is_never_stored(store: Store) -> None:
    naive = datetime(2026, 3, 2, 12)  # noqa: DTZ001
    with pytest.raises(ValueError, match="has no time zone"):
        save_batch(store, Batch(source="x", rows=(replace(a_post(1), created=naive),)), NOW)
    assert store.rows("SELECT count(*) FROM posts")[0][0] == 0


def test_every_query_of_the_cookbook_runs(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("cookbook", ROOT / "docs" / "cookbook.py")
    assert spec is not None
    assert spec.loader is not None
    cookbook = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(cookbook)
    found = cookbook.queries((ROOT / "docs" / "analysts.md").read_text(encoding="utf-8"))
    assert len(found) >= 18
    with Store(tmp_path / "x.db", views=DASHBOARDS / "views.sql") as store:
        for query in found:
            store.rows(query)
    assert cookbook.table(["a", "b"], [("x" * 200, None), (1, 2)]).splitlines()[0].split() == ["a", "b"]


LARGE = ("posts", "post_tags", "votes", "count_values", "count_hours", "verdicts", "news_items", "status_updates")


@pytest.mark.parametrize(
    "question",
    [
        "complaints_by_hour WHERE service = 'x' AND hour >= '2026-03-01'",
        "gaps WHERE service = 'x'",
        "gaps WHERE last_before >= '2026-03-01'",
        "alarms WHERE bin_start >= '2026-03-01'",
        "what_is_wrong_now",
        "incident_overview",
        "blind_sources",
        "how_good_are_we",
        "counted_votes WHERE created >= '2026-03-01'",
        "who_said_it_began WHERE incident = 'x'",
        "what_the_press_claims WHERE published >= '2026-03-01'",
        "news_around WHERE incident = 'x'",
        "official_updates WHERE displayed_at >= '2026-03-01'",
        "which_component WHERE incident = 'x'",
        "official_lag",
        "episodes",
        "how_sure WHERE incident = 'x'",
        "how_it_went WHERE incident = 'x'",
        "availability_by_month",
        "rivals_meanwhile WHERE incident = 'x'",
        "outages_like_it WHERE incident = 'x'",
        "messages",
        "surge_watch",
        "what_else_was_wrong WHERE incident = 'x'",
    ],
)
def test_no_question_reads_a_large_table_whole(tmp_path: Path, question: str) -> None:
    with Store(tmp_path / "x.db", views=DASHBOARDS / "views.sql") as store:
        plan = [str(row[3]) for row in store.rows(f"EXPLAIN QUERY PLAN SELECT * FROM {question}")]
        aliases = {"h": "count_hours", "v": "verdicts", "p": "posts", "t": "post_tags", "n": "news_items"}
        for step in plan:
            words = step.split()
            assert words[0] != "SCAN" or (words[1] not in LARGE and not (words[1] in aliases and words[1] != "n")), step


@pytest.mark.parametrize(
    ("hours", "count"), [("hour = '2026-03-01T05:00:00Z'", 1), ("hour >= '2026-03-01' AND hour < '2026-03-02'", 24)]
)
def test_hours_of_all_services_are_found_by_an_index(tmp_path: Path, hours: str, count: int) -> None:
    start = utc("2026-02-20T00:00:00Z")
    counted = [
        ComplaintCount(
            service=f"s{i % 5}",
            source="x",
            region="",
            indicator="",
            start=start + timedelta(minutes=15 * (i // 5)),
            interval_s=900,
            total=1,
            collected=start,
        )
        for i in range(5 * 96 * 12)
    ]
    with Store(tmp_path / "x.db", views=DASHBOARDS / "views.sql") as store:
        save_batch(store, Batch(source="x", rows=tuple(counted)), start)
        question = f"SELECT * FROM complaints_by_hour WHERE {hours} ORDER BY service, hour"
        plan = [str(row[3]) for row in store.rows(f"EXPLAIN QUERY PLAN {question}")]
        assert any(step.startswith("SEARCH h USING PRIMARY KEY (series=? AND hour") for step in plan), plan
        assert len(store.rows(question)) == 5 * count


def test_the_dashboard_reads_its_last_hours_by_the_index(tmp_path: Path) -> None:
    told = yaml.safe_load((DASHBOARDS / "metadata.yml").read_text(encoding="utf-8"))
    query = told["plugins"]["datasette-dashboards"]["story"]["charts"]["complaints"]["query"]
    with Store(tmp_path / "x.db", views=DASHBOARDS / "views.sql") as store:
        plan = [str(row[3]) for row in store.rows(f"EXPLAIN QUERY PLAN {query}")]
        assert any(step.startswith("SEARCH h USING PRIMARY KEY (series=? AND hour>?)") for step in plan), plan
        begin = utc("2026-03-01T00:00:00Z")
        counted = [
            ComplaintCount(
                service=service,
                source="x",
                region=region,
                indicator="",
                start=begin + timedelta(minutes=30 * n),
                interval_s=1800,
                total=3,
                collected=begin,
            )
            for n in range(48 * 9)
            for service, region in (("whole", ""), ("parts", "north"), ("parts", "south"))
        ]
        save_batch(store, Batch(source="x", rows=tuple(counted)), begin)
        with store.transaction() as conn:  # as detect does for what it judges
            conn.execute("INSERT INTO series VALUES ('p', 'parts', 'complaints', 'x', '', '', 1800)")
        hours: dict[str, list[tuple[str, int]]] = {}
        for hour, name, complaints in store.rows(query):
            hours.setdefault(name, []).append((hour, complaints))
        last = [iso(begin + timedelta(days=9) - timedelta(hours=n)) for n in range(1, 7 * 24 + 1)]
        assert hours == {"whole, x": [(hour, 6) for hour in last], "parts, x": [(hour, 12) for hour in last]}


def test_what_is_older_than_it_is_kept_goes_once_a_day(store: Store) -> None:
    now = utc("2026-03-02T00:05:00Z")
    posts = [replace(a_post(days), created=now - timedelta(days=days)) for days in (1, 100, 200)]
    save_batch(
        store,
        Batch(source="reddit", rows=tuple(posts), rejected=(RejectedRow(where="x:1", reason="bad", head=""),)),
        now - timedelta(days=40),
    )
    for days in (1, 89, 91):
        record_run(store, Run(stage="collect", subject="x", started=now - timedelta(days=days), outcome="ok"))
    kept = Keep(words=timedelta(days=150), runs=timedelta(days=90), refused=timedelta(days=30))
    assert tidy(store, now - timedelta(days=1), kept) is None, "first it makes sure of the day"
    done = tidy(store, now, kept)
    assert done is not None
    assert done.new == 3
    assert [r[0] for r in store.rows("SELECT native_id FROM posts WHERE text != '' ORDER BY native_id")] == [
        "t3_1",
        "t3_100",
    ]
    assert store.rows("SELECT count(*) FROM posts")[0][0] == 3
    assert store.rows("SELECT count(*) FROM quarantine")[0][0] == 0
    assert store.rows("SELECT count(*) FROM runs WHERE stage = 'collect'")[0][0] == 2
    record_run(store, Run(stage="collect", subject="x", started=now - timedelta(days=91), outcome="ok"))
    assert tidy(store, now + timedelta(hours=23), kept) is None, "once a day"
    assert tidy(store, now + timedelta(days=400), kept) is None, "a clock that stands ahead takes nothing away"
    assert tidy(store, now, kept) is None
    assert tidy(store, now + timedelta(days=1), replace(kept, words=None)) is not None
    assert store.rows("SELECT count(*) FROM runs WHERE stage = 'collect'")[0][0] == 2, (
        "what is just ninety days old stays"
    )
    assert store.rows("SELECT count(*) FROM posts WHERE text != ''")[0][0] == 2


def test_states_of_an_older_version_are_cut_into_parts(tmp_path: Path) -> None:
    path, blob = tmp_path / "old.db", bytes(range(256)) * 300
    with Store(path) as store:
        # as it was before states were kept in parts
        store.conn.executescript(
            "DROP TABLE detector_state_parts; ALTER TABLE detector_state ADD COLUMN blob BLOB NOT NULL DEFAULT x''"
        )
        store.conn.execute("DELETE FROM _sqlite_migrations WHERE name = 'cut_states'")
        store.conn.execute("INSERT INTO detector_state VALUES ('g', 'now', 'd', 1, '2026-03-02T00:00:00Z', ?)", (blob,))
        store.conn.execute("INSERT INTO detector_state VALUES ('g', 'day', 'd', 1, '2026-03-01T00:00:00Z', x'01')")
    with Store(path) as store:
        assert state_mark(store, "g", "now") == ("d", utc("2026-03-02T00:00:00Z"))
        assert b"".join(state_parts(store, "g", "now").values()) == blob
        assert state_parts(store, "g", "day") == {0: b"\x01"}
        assert state_mark(store, "h", "now") is None


def test_of_a_state_only_the_parts_that_are_given_are_written(store: Store) -> None:
    def save(parts: int, content: dict[int, bytes]) -> int:
        at = store.conn.total_changes
        judgement = Judgement(
            subject="g",
            keys=[],
            verdicts=[],
            states={"now": StoredState("d", 2, NOW, parts, content)},
            redo_from=None,
            now=NOW,
            collected=None,
        )
        save_judgement(store, judgement)
        return store.conn.total_changes - at

    whole = {part: bytes([part]) * 100 for part in range(20)}
    first = save(20, whole)
    assert save(20, {7: b"x" * 100}) == first - 19, "one part of twenty"
    assert state_parts(store, "g", "now") == {**whole, 7: b"x" * 100}
    assert state_parts(store, "g", "now", [7, 3, 40]) == {3: whole[3], 7: b"x" * 100}
    save(2, {})
    assert list(state_parts(store, "g", "now")) == [0, 1], "what it no longer has is gone"
    store.conn.execute("DELETE FROM detector_state")
    assert store.rows("SELECT count(*) FROM detector_state_parts")[0][0] == 0


def together_and_fail(store: Store) -> None:
    with store.together():
        with store.transaction() as conn:
            set_checkpoint(conn, "test", "gone", "x")
        raise KeyError("gone")


def test_transactions_taken_together_are_one_and_a_part_that_fails_undoes_all(tmp_path: Path) -> None:
    with Store(tmp_path / "x.db", durable=False) as store:

        def note(key: str) -> None:
            with store.transaction() as conn:
                set_checkpoint(conn, "test", key, "x")

        def failing() -> None:
            with store.transaction() as conn:
                set_checkpoint(conn, "test", "lost", "x")
                raise KeyError("lost")

        def undone() -> None:
            with store.together():
                note("undone")
                with suppress(KeyError):
                    failing()

        with pytest.raises(KeyError):
            undone()
        with store.together():
            note("first")
            note("last")
            other = sqlite3.connect(tmp_path / "x.db")
            assert other.execute("SELECT count(*) FROM stage_memory WHERE stage = 'test'").fetchone() == (0,)
        assert other.execute("SELECT key FROM stage_memory WHERE stage = 'test'").fetchall() == [("first",), ("last",)]
        other.close()
        with pytest.raises(KeyError):
            together_and_fail(store)
        assert set(checkpoints(store, "test")) == {"first", "last"}
        note("after")
        assert "after" in checkpoints(store, "test")
