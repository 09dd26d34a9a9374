"""Bringing a database up to date: old queries and others' views keep working, and what cannot be is refused."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from sqlite_utils import Database

from pipeline.config.paths import DASHBOARDS
from pipeline.core.errors import StoreError
from pipeline.core.times import utc
from pipeline.store import Store
from pipeline.store.detector_state import state_parts
from pipeline.store.incidents import incidents
from pipeline.store.kept_views import replace_by_view
from pipeline.store.migration import migrate, missing_steps
from pipeline.store.observations import news_of_unknown_time
from pipeline.store.schema import STEPS
from tests.old_database import LATER, old_database, open_plain, rows_of, split_labels

NOW, EARLY = utc("2026-03-10T00:00:00Z"), utc("2026-01-01T00:00:00Z")


def test_a_database_of_version_0_1_opens_and_answers_every_view(tmp_path: Path) -> None:
    path = old_database(tmp_path / "x.db")
    old_views = rows_of(path, "SELECT name FROM sqlite_master WHERE type = 'view'")
    with Store(path, views=DASHBOARDS / "views.sql") as store:
        assert missing_steps(store.conn, store.path) == []
        for (view,) in old_views:
            store.rows(f'SELECT * FROM "{view}"')
        (incident,) = incidents(store)
        assert (incident.id, len(incident.episodes)) == ("claude-20260302T1137Z", 1)
        assert state_parts(store, "complaints", "now")
        assert store.rows("SELECT count(*) FROM posts_fts WHERE posts_fts MATCH 'claude'")[0][0] == 1
        assert {"incident_overview", "what_is_wrong_now"} <= {view for (view,) in old_views}
    if store.backup is not None:
        assert rows_of(store.backup, "SELECT count(*) FROM posts") == [(3,)]


def test_news_that_was_dated_by_its_collection_is_of_unknown_time_and_supports_nothing(tmp_path: Path) -> None:
    path = old_database(tmp_path / "x.db")
    conn = open_plain(path)
    conn.executescript(
        """INSERT INTO news_items (source, native_id, outlet, published, collected, title, summary, url) VALUES
          ('f', '1', 'A', '2026-03-02T12:00:00Z', '2026-03-02T12:05:00Z', 'Claude is down', '', ''),
          ('f', '2', 'B', '2026-03-02T12:10:00Z', '2026-03-02T12:10:00Z', 'Claude is down', '', ''),
          ('f', '3', 'C', '2026-03-02T12:10:00Z', '2026-03-02T12:10:00Z', 'A quarterly look', '', '');
        INSERT INTO news_events VALUES ('both', 'service_outage', 'Claude is down', '[]', 2, '2026-03-02T12:00:00Z'),
          ('alone', 'service_outage', 'A quarterly look', '[]', 1, '2026-03-02T12:10:00Z');
        INSERT INTO news_event_items VALUES ('both', 'f', '1'), ('both', 'f', '2'), ('alone', 'f', '3');
        INSERT INTO links (incident, news_event, relation, score, evidence_for, evidence_against)
          SELECT id, 'alone', 'reports', 1, '[]', '[]' FROM incidents;
        INSERT INTO claims VALUES ('f', '3', 'start', '11:00', 'outlet', '')"""
    )
    conn.close()
    before = rows_of(path, "SELECT native_id, published FROM news_items WHERE source != 'f' ORDER BY native_id")
    with Store(path, views=DASHBOARDS / "views.sql") as store:
        assert rows_of(path, "SELECT native_id, published FROM news_items WHERE source = 'f' ORDER BY native_id") == [
            ("1", "2026-03-02T12:00:00Z"),
            ("2", None),
            ("3", None),
        ]
        assert rows_of(path, "SELECT id, outlets FROM news_events WHERE id IN ('both', 'alone')") == [("both", 1)]
        assert rows_of(path, "SELECT 1 FROM links WHERE news_event = 'alone'") == []
        assert rows_of(path, "SELECT 1 FROM claims WHERE source = 'f'") == []
        assert [(i.native_id, i.published) for i in news_of_unknown_time(store, EARLY, NOW)] == [
            ("2", None),
            ("3", None),
        ]
        after = rows_of(path, "SELECT native_id, published FROM news_items WHERE source != 'f' ORDER BY native_id")
        assert after == before
        assert store.rows("SELECT count(*) FROM news_items_fts WHERE news_items_fts MATCH 'quarterly'")[0][0] == 1


def test_a_former_table_answers_under_its_name_and_columns(tmp_path: Path) -> None:
    path = old_database(tmp_path / "x.db")
    before = rows_of(path, "SELECT * FROM labels")
    columns = rows_of(path, "SELECT name FROM pragma_table_info('labels')")
    overview = rows_of(path, "SELECT * FROM incident_overview")
    children = rows_of(path, "SELECT count(*) FROM incident_evidence")
    conn = open_plain(path)
    migrate(conn, str(path), LATER)
    conn.close()
    assert rows_of(path, "SELECT * FROM labels") == before
    assert rows_of(path, "SELECT name FROM pragma_table_info('labels')") == columns
    assert rows_of(path, "SELECT * FROM incident_overview") == overview, "the analysts' views are there again"
    assert rows_of(path, "SELECT count(*) FROM incident_evidence") == children, (
        "no row went with the table it refers to"
    )


def test_new_views_leave_the_former_tables_alone(tmp_path: Path) -> None:
    path = old_database(tmp_path / "x.db")
    with Store(path, views=DASHBOARDS / "views.sql") as store, store.transaction() as conn:
        split_labels(Database(conn))
    views = tmp_path / "views.sql"
    views.write_text("CREATE VIEW only_one AS SELECT 1 AS one;\n", encoding="utf-8")
    with Store(path, views=views) as store:
        names = [row[0] for row in store.rows("SELECT name FROM sqlite_master WHERE type = 'view' ORDER BY name")]
        assert names == ["complaint_counts", "complaint_gaps", "complaint_hours", "labels", "only_one"]


def test_views_of_others_stay_when_a_version_brings_its_own_or_drops_one(tmp_path: Path) -> None:
    path, views = old_database(tmp_path / "x.db"), tmp_path / "views.sql"
    with contextlib.closing(open_plain(path)) as conn:
        conn.execute("CREATE VIEW mine AS SELECT service, sum(total) AS total FROM complaint_counts GROUP BY service")
        conn.execute('CREATE VIEW "Alarms_2" AS SELECT 1')
        total = conn.execute("SELECT * FROM mine").fetchall()
    for sql, kept, gone in (
        ((DASHBOARDS / "views.sql").read_text(encoding="utf-8"), {"mine", "alarms", "Alarms_2"}, set()),
        ("CREATE VIEW alarms_2 AS SELECT 2; -- a view; of ours\n", {"mine", "alarms_2"}, {"alarms", "Alarms_2"}),
        ("", {"mine"}, {"alarms_2"}),
    ):
        views.write_text(sql, encoding="utf-8")
        with Store(path, views=views) as store:
            names = {row[0] for row in store.rows("SELECT name FROM sqlite_master WHERE type = 'view'")}
            assert kept <= names
            assert not gone & names
            assert [tuple(row) for row in store.rows("SELECT * FROM mine")] == total


def test_a_view_with_other_columns_than_its_table_is_refused_and_nothing_changes(tmp_path: Path) -> None:
    def wrong(db: Database) -> None:
        replace_by_view(db.conn, "labels", "SELECT source, native_id FROM posts")

    path = old_database(tmp_path / "x.db")
    before = rows_of(path, "SELECT * FROM sqlite_master ORDER BY name")
    conn = open_plain(path)
    with pytest.raises(
        StoreError, match="the view labels must have the columns of the former table: source, native_id"
    ):
        migrate(conn, str(path), {**STEPS, "wrong": wrong})
    conn.close()
    assert rows_of(path, "SELECT * FROM sqlite_master ORDER BY name") == before


def test_a_step_that_leaves_rows_without_what_they_refer_to_is_undone(tmp_path: Path) -> None:
    def wrong(db: Database) -> None:
        db.execute("DELETE FROM incidents")

    path = old_database(tmp_path / "x.db")
    conn = open_plain(path)
    with pytest.raises(StoreError, match="rows would refer to rows that are gone"):
        migrate(conn, str(path), {**STEPS, "wrong": wrong})
    conn.close()
    assert rows_of(path, "SELECT count(*) FROM incidents") == [(1,)]


def test_a_database_of_another_program_with_steps_of_its_own_is_refused(tmp_path: Path) -> None:
    conn = open_plain(tmp_path / "x.db")
    conn.executescript("CREATE TABLE mine (a); CREATE TABLE _sqlite_migrations (migration_set, name, applied_at);")
    conn.execute("INSERT INTO _sqlite_migrations VALUES ('theirs', 'create_tables', '2026-01-01')")
    conn.close()
    with pytest.raises(StoreError, match="not one of Groundswell's"):
        Store(tmp_path / "x.db")


@pytest.mark.skipif(os.geteuid() != 0, reason="takes another user to meet a file that may not be written")
def test_a_database_that_may_not_be_written_is_refused_by_name() -> None:
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    path = old_database(folder / "x.db")
    path.chmod(0o444)
    try:
        child = os.fork()
        if child == 0:
            os.setuid(65534)
            try:
                Store(path)
            except StoreError as error:
                os._exit(0 if "x.db" in str(error) else 1)
            os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert rows_of(path, "SELECT count(*) FROM incidents") == [(1,)]
    finally:
        shutil.rmtree(folder)
