"""The database: the only SQL of the project.

`Store` opens the file, sets its guarantees (WAL, full sync, foreign keys, immediate transactions) and brings the
schema and the analysts' views up to date. The modules of this package read and write by topic: `observations` (what
sources gave), `verdicts` (series, verdicts, detector state), `incidents`, `news` (news events, links), `outbox`
(alerts), `runs` (what was done, coverage, state of sources, quarantine).
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from pipeline.core.catalogue import Service
from pipeline.core.errors import StoreError
from pipeline.core.times import iso
from pipeline.store.damage import page_faults
from pipeline.store.failures import Translated, store_error
from pipeline.store.held_verdicts import HeldVerdicts
from pipeline.store.kept_answers import KeptAnswers
from pipeline.store.kept_views import drop_analysts_views
from pipeline.store.migration import migrate, missing_steps

REPLAY_CACHE_KB = 64_000  # pages kept in memory where a process goes on for long
REPLAY_LOG_PAGES = 16_000  # what steps write lies in the log up to here: most pages are written again by the next
MINIMUM_SQLITE = (3, 37, 0)  # STRICT tables


def _stored(moment: datetime) -> str:
    """Return a moment as it is stored, in UTC; raises ValueError on one without a zone."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone")
    return iso(moment)


sqlite3.register_adapter(datetime, _stored)  # for every connection of the process


class Store:
    """An open database. Use as a context manager; every write happens inside `transaction()`."""

    def __init__(
        self, path: Path | str, *, views: Path | None = None, durable: bool = True, readonly: bool = False
    ) -> None:
        """Open or create. `durable=False` skips the sync to disk: for replays, which can be run again.

        `readonly` changes nothing: neither the schema nor the views are brought up to date. Raises StoreError when the
        file is no database, is damaged, was made by a newer version, is read-only and was to be written, or was made by
        an older version and was to be read only.
        """
        if sqlite3.sqlite_version_info < MINIMUM_SQLITE:
            raise StoreError(f"SQLite {sqlite3.sqlite_version} is too old; 3.37 or newer is needed")
        self.path, self._together = str(path), False
        self._part_error: BaseException | None = None
        self.kept, self.held = KeptAnswers(), HeldVerdicts()
        self.backup: Path | None = None  # the copy of the old file, where it had to be migrated
        try:
            if readonly:
                self._open_readonly(views)
                return
            _create_private(self.path)
            self.conn = sqlite3.connect(self.path, timeout=10, isolation_level=None)
            self.conn.row_factory = sqlite3.Row
            missing = missing_steps(self.conn, self.path)
            self.conn.execute("PRAGMA journal_mode=WAL")
            self.conn.execute(f"PRAGMA synchronous={'FULL' if durable else 'OFF'}")
            if not durable:
                self.conn.execute(f"PRAGMA cache_size=-{REPLAY_CACHE_KB}")
                self.conn.execute(f"PRAGMA wal_autocheckpoint={REPLAY_LOG_PAGES}")
            self.conn.execute("PRAGMA foreign_keys=ON")
            if missing:
                self.backup = migrate(self.conn, self.path)
            if views is not None:
                self._refresh_views(views.read_text(encoding="utf-8"))
        except (sqlite3.Error, UnicodeDecodeError) as error:
            raise store_error(self.path, error) from error

    def _open_readonly(self, views: Path | None) -> None:
        self.conn = open_readonly(self.path)
        is_old = bool(missing_steps(self.conn, self.path))
        if is_old or (views is not None and not self._has_views(_digest(views.read_text(encoding="utf-8")))):
            self.conn.close()
            raise StoreError(f"{self.path}: was written by an older version; the next `groundswell run` updates it")

    def _has_views(self, digest: str) -> bool:
        row = self.conn.execute("SELECT value FROM stage_memory WHERE stage='views' AND key='digest'").fetchone()
        return row is not None and row[0] == digest

    def _refresh_views(self, sql: str) -> None:
        digest = _digest(sql)
        if self._has_views(digest):
            return
        with self.transaction():
            drop_analysts_views(self.conn, sql)
            for statement in split_statements(sql):
                self.conn.execute(statement)
            self.conn.execute("INSERT OR REPLACE INTO stage_memory VALUES ('views', 'digest', ?)", (digest,))

    def __enter__(self) -> Store:
        """Return the open store."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Close the file."""
        self.conn.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """One `BEGIN IMMEDIATE` … `COMMIT`: wholly in or wholly out, and never a deadlock between two readers.

        Within `together` it is a part of that one, and when it fails all of that fails. Raises StoreError where the
        file cannot be written, or is damaged.
        """
        with Translated(self.path):
            if self._together:
                try:
                    yield self.conn
                except BaseException as error:
                    self._part_error = error
                    raise
                return
            self.conn.execute("BEGIN IMMEDIATE")
            self.held.begin()
            try:
                yield self.conn
                self.conn.execute("COMMIT")
            except BaseException:
                self._roll_back()
                self.held.roll_back()
                raise

    @contextmanager
    def together(self) -> Iterator[None]:
        """Take all transactions within as one: a replay writes each page once a step, not once a source and stage."""
        with self.transaction():
            self._together, self._part_error = True, None
            try:
                yield
            finally:
                self._together = False
            if self._part_error is not None:
                raise self._part_error

    def _roll_back(self) -> None:
        """Undo what is open. After a full disk or a failed write SQLite has done so itself."""
        if self.conn.in_transaction:
            with suppress(sqlite3.Error):  # what failed before is what is to be reported
                self.conn.execute("ROLLBACK")

    def rows(self, sql: str, values: tuple[object, ...] | Mapping[str, object] = ()) -> list[sqlite3.Row]:
        """Run one SELECT with bound values and return every row. Raises StoreError where the file is damaged."""
        with Translated(self.path):
            return self.conn.execute(sql, values).fetchall()

    def copy_into(self, other: Store) -> None:
        """Make another database a copy of this one, as it is outside of any transaction."""
        with Translated(other.path):
            self.conn.backup(other.conn)

    def put_catalogue(self, services: Mapping[str, Service], watched: tuple[str, ...]) -> None:
        """Mirror the catalogue into `services` and `components` for analysts' joins; unchanged rows stay."""
        is_watched = set(watched)
        with self.transaction() as conn:
            conn.executemany(
                "INSERT INTO services VALUES (?,?,?,?,?,?) ON CONFLICT(id) DO UPDATE SET name=excluded.name,"
                " kind=excluded.kind, vendor=excluded.vendor, status_page=excluded.status_page,"
                " watched=excluded.watched",
                [(s.id, s.name, s.kind, s.vendor, s.status_page, int(s.id in is_watched)) for s in services.values()],
            )
            watched_before = [row[0] for row in conn.execute("SELECT id FROM services WHERE watched = 1")]
            gone = [(name,) for name in watched_before if name not in services]
            conn.executemany("UPDATE services SET watched = 0 WHERE id = ?", gone)
            conn.executemany(
                "INSERT INTO components VALUES (?,?,?,?) ON CONFLICT(service, id) DO UPDATE SET"
                " name=excluded.name, role=excluded.role",
                [(s.id, part.id, part.name, part.role) for s in services.values() for part in s.components],
            )


def _digest(sql: str) -> str:
    return hashlib.sha256(sql.encode()).hexdigest()


def _create_private(path: str) -> None:
    """Create a database that only its user may read: it holds what people wrote. One that is there is left as it is."""
    if path != ":memory:":
        with suppress(OSError):  # SQLite says what is wrong with the path
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


def split_statements(sql: str) -> Iterator[str]:
    """Cut a script into complete statements."""
    buffer = ""
    for line in sql.splitlines(keepends=True):
        buffer += line
        if sqlite3.complete_statement(buffer):
            yield buffer
            buffer = ""


def must_exist(path: Path | str) -> None:
    """Raise StoreError when there is no database at a path, or an empty file, rather than make one."""
    if Path(path).is_file() and not Path(path).stat().st_size and not _write_ahead_bytes(path):
        raise StoreError(f"{path}: is empty, no database yet; `groundswell run` makes it one")
    if not Path(path).exists():
        raise StoreError(f"{path}: no such database; `groundswell run` or `make demo` makes one")


def _write_ahead_bytes(path: Path | str) -> int:
    """Return how much lies in a database's write-ahead log: a new one may have all its rows there."""
    log = Path(f"{path}-wal")
    return log.stat().st_size if log.exists() else 0


def open_readonly(path: Path | str) -> sqlite3.Connection:
    """Open a database for reading only; raises StoreError when it is not there."""
    must_exist(path)
    conn = sqlite3.connect(f"{Path(path).absolute().as_uri()}?mode=ro", uri=True, timeout=10)
    conn.row_factory = sqlite3.Row
    return conn


def health(path: Path | str) -> tuple[str, str]:
    """Return what SQLite's own check says of a database (`ok` when whole), and when a run was last made.

    Reads only; raises StoreError when the file is no database.
    """
    try:
        conn = open_readonly(path)
        state = next(page_faults(conn), "ok")
        last = conn.execute("SELECT max(started) FROM runs").fetchone()[0]
        conn.close()
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise store_error(str(path), error) from error
    return state, str(last or "never")
