"""What is stored: rows once, totals and details, coverage, times, states in parts, and what is deleted when."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from pipeline.config.settings import Keep
from pipeline.core.records import Batch, NewsItem, RejectedRow, Run
from pipeline.core.series import SeriesColumn
from pipeline.core.times import Span, utc
from pipeline.stages.retention import tidy
from pipeline.store import Store
from pipeline.store.detector_input import counts
from pipeline.store.detector_state import StoredState, state_mark, state_parts
from pipeline.store.observations import save_batch
from pipeline.store.runs import coverage, load_source_state, record_run
from pipeline.store.verdicts import Judgement, save_judgement
from tests.copies import replace
from tests.stored_rows import NOW, a_post, count


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


def test_search_is_brought_up_to_date_when_words_change_and_left_alone_when_a_post_was_read(tmp_path: Path) -> None:
    with Store(tmp_path / "x.db") as store:
        save_batch(store, Batch(source="x", rows=(a_post(1, "login fails"),)), NOW)
        index = [tuple(row) for row in store.rows("SELECT * FROM posts_fts_data")]
        with store.transaction() as conn:
            conn.execute("UPDATE posts SET tagged_by = 'm'")
        assert [tuple(row) for row in store.rows("SELECT * FROM posts_fts_data")] == index
        save_batch(store, Batch(source="x", rows=(a_post(1, "works again"),)), NOW)
        for word, found in (("login", 0), ("again", 1)):
            assert store.rows("SELECT count(*) FROM posts_fts WHERE posts_fts MATCH ?", (word,))[0][0] == found
        with store.transaction() as conn:  # raises where the index is not that of the posts
            conn.execute("INSERT INTO posts_fts (posts_fts, rank) VALUES ('integrity-check', 1)")


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
    listed = zip(*(values.tolist() for values in found.arrays), strict=True)
    totals = {(found.columns[place], at - NOW.timestamp()): total for place, at, total in listed}
    assert totals == {
        (SeriesColumn("svc"), 0): 10,
        (SeriesColumn("svc"), 900): 10,
        (SeriesColumn("svc"), 1800): 7,
        (SeriesColumn("svc", "login"), 0): 3,
        (SeriesColumn("svc", "login"), 1800): 2,
        (SeriesColumn("svc", "app"), 1800): 5,
    }


def test_counts_of_whole_services_are_read_alike_whether_parts_of_others_are_known_or_not(tmp_path: Path) -> None:
    rows = [count(n, minutes=15 * n) for n in range(6)]
    rows += [replace(count(9 * n, minutes=15 * n), service=name) for n in range(2, 6) for name in ("z", "a", "b")]
    asked = "x", 900, "interval", NOW, NOW + timedelta(hours=1)
    with Store(tmp_path / "x.db") as store:
        assert counts(store, *asked).columns == []
        save_batch(store, Batch(source="x", rows=tuple(rows)), NOW)
        alone = counts(store, *asked)
        save_batch(store, Batch(source="x", rows=(count(1, region="US", minutes=-15),)), NOW)
        beside = counts(store, *asked)
    assert alone.columns == beside.columns == [SeriesColumn(name) for name in ("a", "b", "svc", "z")]
    assert len(alone.arrays.at) == 4 + 3 * 2
    listed = [sorted(zip(*(values.tolist() for values in found.arrays), strict=True)) for found in (alone, beside)]
    assert listed[0] == listed[1]
    assert [values.dtype for values in alone.arrays] == [values.dtype for values in beside.arrays]


def test_coverage_joins_what_touches(tmp_path: Path) -> None:
    hour = timedelta(hours=1)
    with Store(tmp_path / "x.db") as store:
        for begin, end in ((0, 1), (3, 4), (1, 2), (3, 4), (2, 2.5)):
            save_batch(store, Batch(source="x", rows=(), coverage=(Span(NOW + begin * hour, NOW + end * hour),)), NOW)
        assert coverage(store, "x") == [(NOW, NOW + 2.5 * hour), (NOW + 3 * hour, NOW + 4 * hour)]


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
