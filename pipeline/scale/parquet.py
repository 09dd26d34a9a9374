"""The tables as Parquet: rows written part by part, and published by rename.

A table lies in `<table>/service=…/month=…/<key>.parquet`; service and month are columns of the rows as well, so that
a file says by itself what it holds.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, unquote

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.core.files import move_into_place
from pipeline.scale.row_order import in_order

FLUSH = 20_000
MOVERS = 8
MOST_OPEN = 200  # files at once: a process may often have no more than 1,024


class Writer:
    """Collects rows of a task and publishes them whole: written aside first, then moved, file by file."""

    def __init__(self, root: Path, key: str, most_open: int = MOST_OPEN) -> None:
        """`key` names the task; the files of an earlier, unfinished try are thrown away."""
        self._root, self._key, self._aside = root, key, root / "_aside" / f"{key}-{os.getpid()}"
        self._most_open = most_open
        shutil.rmtree(self._aside, ignore_errors=True)
        self._open: dict[Path, pq.ParquetWriter] = {}
        self._pieces: dict[Path, list[Path]] = {}
        self._written = 0
        self._rows: dict[Path, list[Mapping[str, object]]] = {}
        self._schemas: dict[Path, pa.Schema] = {}

    def add(self, folder: Path, rows: Iterable[Mapping[str, object]], schema: pa.Schema) -> None:
        """Keep rows for a file of this task in a folder below the root."""
        kept = self._rows.setdefault(folder, [])
        kept.extend(rows)
        self._schemas[folder] = schema
        if len(kept) >= FLUSH:
            self._flush(folder)

    def add_table(self, folder: Path, table: pa.Table) -> None:
        """Write an Arrow table to a file of this task in a folder below the root."""
        if folder not in self._open:
            if len(self._open) >= self._most_open:
                self._open.pop(next(iter(self._open))).close()
            piece = self._new_file()
            self._pieces.setdefault(folder, []).append(piece)
            self._open[folder] = _parquet_writer(piece, table.schema)
        self._open[folder].write_table(table)

    def _new_file(self) -> Path:
        self._aside.mkdir(parents=True, exist_ok=True)
        self._written += 1
        return self._aside / f"{self._written}.parquet"

    def _flush(self, folder: Path) -> None:
        if self._rows.get(folder):
            self.add_table(folder, pa.Table.from_pylist(self._rows.pop(folder), schema=self._schemas[folder]))

    def publish(self) -> None:
        """Move every file to its place."""
        for folder in list(self._rows):
            self._flush(folder)
        self._close()
        wholes = [pieces[0] if len(pieces) == 1 else self._joined(pieces) for pieces in self._pieces.values()]
        with ThreadPoolExecutor(MOVERS) as pool:  # a disk writes what many wait for in one go
            list(pool.map(self._move, wholes, self._pieces))
        shutil.rmtree(self._aside, ignore_errors=True)

    def _move(self, fresh: Path, folder: Path) -> None:
        (self._root / folder).mkdir(parents=True, exist_ok=True)
        move_into_place(fresh, self._root / folder / f"{self._key}.parquet")

    def _joined(self, pieces: Sequence[Path]) -> Path:
        """Return a new file with the rows of several."""
        path = self._new_file()
        with _parquet_writer(path, pq.read_schema(pieces[0])) as file:
            for piece in pieces:
                file.write_table(pq.ParquetFile(piece).read())
                piece.unlink()
        return path

    def _close(self) -> None:
        while self._open:
            self._open.popitem()[1].close()

    def drop(self) -> None:
        """Throw away what was written."""
        self._close()
        shutil.rmtree(self._aside, ignore_errors=True)


def _parquet_writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    """Open a file for writing. Of numbers no dictionary is tried: they repeat too seldom."""
    texts = [column.name for column in schema if pa.types.is_string(column.type)]
    return pq.ParquetWriter(path, schema, compression="zstd", use_dictionary=texts)


def place(table: str, service: str, month: str) -> Path:
    """Return where rows of a service and a month (2026-03) lie."""
    return Path(table) / f"service={quote(service, safe='')}" / f"month={month}"


def services_in(root: Path, table: str) -> list[str]:
    """Return the services a table has rows of."""
    return sorted(unquote(p.name.removeprefix("service=")) for p in (root / table).glob("service=*"))


def months_in(root: Path, table: str, service: str) -> list[str]:
    """Return the months a table has rows of a service in, oldest first."""
    return sorted(p.name.removeprefix("month=") for p in (root / place(table, service, "")).parent.glob("month=*"))


def read(folder: Path, keys: Iterable[str], schema: pa.Schema) -> pa.Table:
    """Return the rows of some tasks' files in a folder, in order of the keys; tasks without a file are passed over."""
    files = [path for key in keys if (path := folder / f"{key}.parquet").exists()]
    tables = [pq.ParquetFile(path).read() for path in files]
    return pa.concat_tables(tables) if tables else schema.empty_table()


class MonthOfService(NamedTuple):
    """The rows of a service and a month (2026-03)."""

    service: str
    month: str
    rows: pa.Table


def by_service_and_month(table: pa.Table, time: str) -> Iterator[MonthOfService]:
    """Cut a table by service and by the month of a column of times."""
    keyed = table.append_column("_month", pc.utf8_slice_codeunits(table[time], 0, 7))
    counted = keyed.group_by(["service", "_month"]).aggregate([([], "count_all")]).to_pylist()
    if len(counted) > 1:
        keyed = in_order(keyed, ("service", "_month", time))
    at = 0
    for group in sorted(counted, key=lambda group: (group["service"], group["_month"])):
        rows = keyed.slice(at, group["count_all"]).drop_columns(["_month"])
        yield MonthOfService(group["service"], group["_month"], rows)
        at += group["count_all"]
