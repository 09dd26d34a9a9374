"""The tables as Parquet: rows written part by part, and published by rename.

A table lies in `<table>/service=…/month=…/<key>.parquet`; service and month are columns of the rows as well, so that
a file says by itself what it holds.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, unquote

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.core.files import move_into_place

FLUSH = 20_000


class Writer:
    """Collects rows of a task and publishes them whole: written aside first, then moved, file by file."""

    def __init__(self, root: Path, key: str) -> None:
        """`key` names the task; the files of an earlier, unfinished try are thrown away."""
        self._root, self._key, self._aside = root, key, root / "_aside" / f"{key}-{os.getpid()}"
        shutil.rmtree(self._aside, ignore_errors=True)
        self._open: dict[Path, pq.ParquetWriter] = {}
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
        self._file(folder, table.schema).write_table(table)

    def _file(self, folder: Path, schema: pa.Schema) -> pq.ParquetWriter:
        if folder not in self._open:
            path = self._aside / folder / f"{self._key}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            self._open[folder] = pq.ParquetWriter(path, schema, compression="zstd")
        return self._open[folder]

    def _flush(self, folder: Path) -> None:
        if self._rows.get(folder):
            self.add_table(folder, pa.Table.from_pylist(self._rows.pop(folder), schema=self._schemas[folder]))

    def publish(self) -> None:
        """Move every file to its place."""
        for folder in list(self._rows):
            self._flush(folder)
        for folder, file in sorted(self._open.items()):
            file.close()
            (self._root / folder).mkdir(parents=True, exist_ok=True)
            name = f"{self._key}.parquet"
            move_into_place(self._aside / folder / name, self._root / folder / name)
        shutil.rmtree(self._aside, ignore_errors=True)

    def drop(self) -> None:
        """Throw away what was written."""
        for file in self._open.values():
            file.close()
        shutil.rmtree(self._aside, ignore_errors=True)


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
        keyed = keyed.sort_by([("service", "ascending"), ("_month", "ascending"), (time, "ascending")])
    at = 0
    for group in sorted(counted, key=lambda group: (group["service"], group["_month"])):
        rows = keyed.slice(at, group["count_all"]).drop_columns(["_month"])
        yield MonthOfService(group["service"], group["_month"], rows)
        at += group["count_all"]
