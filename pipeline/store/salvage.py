"""What can still be read of a damaged database, into a new one. The damaged file is copied, never written."""

from __future__ import annotations

import glob
import os
import shutil
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline.core.errors import StoreError
from pipeline.core.quantities import quantity
from pipeline.store import Store
from pipeline.store.count_tables import FILL_GAPS, FILL_HOURS, HOURS, SERIES, VALUES
from pipeline.store.damage import row_fault
from pipeline.store.damaged_rows import DamagedTable, Row, TableShape, bound_value
from pipeline.store.file_format import MAGIC
from pipeline.store.migration import RECORD, migrate
from pipeline.store.schema import STEPS, Step
from pipeline.store.user_objects import create, quoted, user_objects

READ_AGAIN = timedelta(days=7)  # as far back as a source is read when it was not read for long
COLLECTED = ("posts", "news_items", SERIES, VALUES, "status_updates", "chart_ranks", "coverage", "source_memory")
JUDGED = ("series", "verdicts", "detector_state", "detector_state_parts", "votes", "post_tags", *COLLECTED)
_TABLES = """SELECT l.name FROM pragma_table_list AS l WHERE l.schema = 'main' AND l.type = 'table'
 AND l.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND l.name NOT LIKE '\\_sqlite%' ESCAPE '\\'
 AND l.name NOT LIKE '%\\_fts%' ESCAPE '\\' ORDER BY l.name"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Salvaged:
    """What became of one table: rows written, rows read that hold what cannot be true, whether a span of them is lost.

    `fault` says why one that people had added, or their view, could not be created; else it is empty.
    """

    table: str
    rows: int
    refused: int
    incomplete: bool
    fault: str = ""


def salvage(damaged: Path, fresh: Path, now: datetime) -> list[Salvaged]:
    """Write what can be read of a database into a new file; return what became of each table.

    Where observations were lost, sources are read again as far back as they can be. A message whose row was lost goes
    out again under its old Message-ID if it is still due. Raises StoreError where the new file exists, the disk has no
    room, or no table can be read; the damaged file stays as it is.
    """
    if fresh.exists():
        raise StoreError(f"{fresh}: exists already; name another file with --into")
    prefix = f".{fresh.name}.repair-"
    try:
        for left in fresh.parent.glob(f"{glob.escape(prefix)}*"):  # by a repair that was killed
            shutil.rmtree(left)
        with TemporaryDirectory(dir=fresh.parent, prefix=prefix) as folder:
            copy, made = Path(folder) / "damaged.db", Path(folder) / "fresh.db"
            for suffix in ("", "-wal"):
                if Path(f"{damaged}{suffix}").exists():
                    shutil.copyfile(f"{damaged}{suffix}", f"{copy}{suffix}")
            _restore_header(copy)
            done = _fill(copy, made, now)
            with made.open("rb+") as file:
                os.fsync(file.fileno())
            os.link(made, fresh)  # never over a file that came meanwhile
    except OSError as error:
        raise StoreError(f"{fresh}: cannot be written: {error.strerror or error}") from error
    if not any(table.rows for table in done):
        fresh.unlink()
        raise StoreError(f"{damaged}: nothing can be read of it; restore a copy, or move it away and start anew")
    return done


def _fill(copy: Path, made: Path, now: datetime) -> list[Salvaged]:
    with closing(sqlite3.connect(copy, isolation_level=None)) as old:
        old.text_factory = bytes
        for pragma in ("writable_schema", "cell_size_check"):  # a table that is described wrongly hides no other
            with suppress(sqlite3.Error):
                old.execute(f"PRAGMA {pragma} = ON")
        made.touch(mode=0o600)
        with closing(sqlite3.connect(made, isolation_level=None)) as new:
            migrate(new, str(made), _steps_of(old))
            new.execute("PRAGMA foreign_keys = OFF")
            new.execute("BEGIN")
            done = [_copy_table(old, new, table) for table in _tables_of(new)]
            _drop_orphans(new)
            done += _carry_over(old, new)
            new.execute("COMMIT")
    with Store(made) as store:
        _make_consistent(store, {table.table for table in done if table.incomplete or table.refused}, now)
        store.conn.execute("PRAGMA journal_mode = DELETE")  # one file, to be moved
    return done


def _restore_header(copy: Path) -> None:
    """Put back what every database begins with."""
    with copy.open("rb+") as file:
        if file.read(len(MAGIC)) != MAGIC:
            file.seek(0)
            file.write(MAGIC)


def _steps_of(old: sqlite3.Connection) -> Mapping[str, Step]:
    """Return the steps that the damaged database had taken: all where that cannot be read."""
    try:
        names = [row[0] for row in old.execute(f"SELECT name FROM {RECORD}")]
        taken = {name.decode() for name in names if isinstance(name, bytes)}
    except (sqlite3.Error, UnicodeDecodeError):
        taken = set()
    kept = {name: step for name, step in STEPS.items() if name in taken}
    return kept if list(kept) == list(STEPS)[: len(kept)] and kept else STEPS


def _tables_of(new: sqlite3.Connection) -> list[TableShape]:
    """Return the tables to fill: those that others refer to first."""
    return [_table_of(new, name) for (name,) in new.execute(_TABLES).fetchall()]


def _table_of(new: sqlite3.Connection, name: str) -> TableShape:
    (without_rowid,) = new.execute("SELECT wr FROM pragma_table_list(?) WHERE schema = 'main'", (name,)).fetchone()
    info = new.execute(f"PRAGMA table_info({quoted(name)})").fetchall()
    key = tuple(row[1] for row in sorted(info, key=lambda row: row[5]) if row[5])
    return TableShape(name=name, columns=tuple(row[1] for row in info), key=key if without_rowid else ())


def _carry_over(old: sqlite3.Connection, new: sqlite3.Connection) -> Iterator[Salvaged]:
    """Create and fill the tables that people had added, then their views; yield what became of each."""
    old.text_factory = lambda raw: raw.decode("utf-8", "replace")  # bytes are what was stored as bytes
    for added in user_objects(old, new):
        fault = create(new, added)
        if added.kind == "table" and not fault:
            yield _copy_table(old, new, _table_of(new, added.name))
        else:
            yield Salvaged(table=f"{added.kind} {added.name}", rows=0, refused=0, incomplete=bool(fault), fault=fault)


def _copy_table(old: sqlite3.Connection, new: sqlite3.Connection, table: TableShape) -> Salvaged:
    names, marks = ", ".join(map(quoted, table.columns)), ",".join("?" * len(table.columns))
    insert = f"INSERT OR IGNORE INTO {quoted(table.name)} ({names}) VALUES ({marks})"
    text_is_bytes = old.text_factory is bytes  # else it is a table of somebody else's, which may hold anything
    refused = set[Row]()
    reader = DamagedTable(old, table)
    for row in reader.rows():
        if text_is_bytes and row_fault(table.name, table.columns, row):
            refused.add(row)
            continue
        try:
            values = (
                [bound_value(v, name) for v, name in zip(row, table.columns, strict=True)] if text_is_bytes else row
            )
            new.execute(insert, values)
        except (sqlite3.IntegrityError, sqlite3.DataError):  # another kind of value, or NULL where none may stand
            refused.add(row)
    (count,) = new.execute(f"SELECT count(*) FROM {quoted(table.name)}").fetchone()
    return Salvaged(table=table.name, rows=count, refused=len(refused), incomplete=reader.incomplete)


def _drop_orphans(new: sqlite3.Connection) -> None:
    """Remove rows that refer to rows that are lost, until none does."""
    while orphans := new.execute("PRAGMA foreign_key_check").fetchall():
        for table in {row[0] for row in orphans}:
            for key in {row[3] for row in orphans if row[0] == table}:
                columns = [r for r in new.execute(f'PRAGMA foreign_key_list("{table}")') if r[0] == key]
                parent = columns[0][2]
                same = " AND ".join(f'p."{r[4]}" = "{table}"."{r[3]}"' for r in columns)
                new.execute(f'DELETE FROM "{table}" WHERE NOT EXISTS (SELECT 1 FROM "{parent}" p WHERE {same})')


def _make_consistent(store: Store, lost: set[str], now: datetime) -> None:
    """Let the next run read and judge again what is lost, under the names and from the time that messages know."""
    with store.transaction() as conn:
        if HOURS in lost:
            conn.execute(FILL_HOURS.format(""))
        if lost:
            conn.execute(FILL_GAPS.format(""))
        if lost & set(COLLECTED):
            since = now - READ_AGAIN
            conn.execute("DELETE FROM coverage WHERE since >= ?", (since,))
            conn.execute("UPDATE coverage SET until = ? WHERE until > ?", (since, since))
            conn.execute("DELETE FROM source_memory WHERE key IN ('etag', 'last_modified')")
        if lost & set(JUDGED):
            # states without the bins they rest on would judge the next by a gap
            conn.execute("DELETE FROM detector_state")
            conn.execute("DELETE FROM stage_memory WHERE stage = 'detect' AND key = 'unchanged'")
        # the names of the analysts' views are kept: they distinguish these from views that people have added
        conn.execute("DELETE FROM stage_memory WHERE stage = 'views' AND key = 'digest'")
        conn.execute("DELETE FROM stage_memory WHERE stage = 'explain' AND key LIKE 'seen:%'")
        conn.execute(
            "INSERT OR IGNORE INTO stage_memory SELECT 'alert', 'since', first FROM (SELECT min(at) AS first FROM"
            " (SELECT min(started) AS at FROM runs UNION ALL SELECT min(opened_at) FROM incidents))"
            " WHERE first IS NOT NULL"
        )


def loss_in_words(done: Sequence[Salvaged]) -> list[str]:
    """Return a line for each table of which something is lost."""
    return [
        f"{table.table}: not carried over: {table.fault}"
        if table.fault
        else f"{table.table}: {quantity(table.rows, 'row')} kept"
        + (f", {table.refused} unreadable ones left out" if table.refused else "")
        + (", and a part that cannot be read" if table.incomplete else "")
        for table in done
        if table.incomplete or table.refused
    ]
