"""The tables as Parquet: their columns, rows written part by part, and published by rename.

A table lies in `<table>/service=…/month=…/<key>.parquet`; service and month are columns of the rows as well, so that
a file says by itself what it holds. Times are text as in SQLite, so that both say the same.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.core.errors import SourceError
from pipeline.core.files import move_into_place
from pipeline.core.names import usable_name
from pipeline.core.records import ComplaintCount, Post, Tag
from pipeline.core.times import iso, iso_or_none

TEXT, NUMBER, WHOLE = pa.string(), pa.float64(), pa.int64()
_POST = ("source", "native_id", "kind", "community", "author_key", "author_created", "created", "collected", "edited")
SCHEMAS: Mapping[str, pa.Schema] = {
    "posts": pa.schema(
        [
            *((name, TEXT) for name in _POST),
            ("deleted", WHOLE),
            ("parent_id", TEXT),
            ("title", TEXT),
            ("text", TEXT),
            ("url", TEXT),
            ("tagged_by", TEXT),
        ]
    ),
    "post_tags": pa.schema(
        [
            ("source", TEXT),
            ("native_id", TEXT),
            ("service", TEXT),
            ("created", TEXT),
            ("p_outage", NUMBER),
            ("components", TEXT),
            ("symptom", TEXT),
            ("region", TEXT),
            ("language", TEXT),
            ("anger", NUMBER),
            ("exonerates", TEXT),
            ("model", TEXT),
            ("codes", TEXT),
            ("began", TEXT),
        ]
    ),
    "votes": pa.schema(
        [
            ("source", TEXT),
            ("native_id", TEXT),
            ("service", TEXT),
            ("created", TEXT),
            ("weight", NUMBER),
            ("reason", TEXT),
            ("author_key", TEXT),
            ("shape", TEXT),
        ]
    ),
    "complaint_counts": pa.schema(
        [
            ("service", TEXT),
            ("source", TEXT),
            ("region", TEXT),
            ("indicator", TEXT),
            ("start", TEXT),
            ("interval_s", WHOLE),
            ("total", WHOLE),
            ("baseline", NUMBER),
            ("window", TEXT),
            ("collected", TEXT),
        ]
    ),
    "series": pa.schema(
        [
            ("series", TEXT),
            ("service", TEXT),
            ("channel", TEXT),
            ("source", TEXT),
            ("region", TEXT),
            ("indicator", TEXT),
            ("bin_s", WHOLE),
        ]
    ),
    "verdicts": pa.schema(
        [
            ("series", TEXT),
            ("bin_start", TEXT),
            ("observed", NUMBER),
            ("expected", NUMBER),
            ("upperbound", NUMBER),
            ("score", NUMBER),
            ("p", NUMBER),
            ("level", WHOLE),
            ("alarm", WHOLE),
            ("detector", TEXT),
        ]
    ),
}
# what votes are judged from: a tag with what else is known of who wrote it; between the passes only
REPORT = pa.schema(
    [
        *SCHEMAS["post_tags"],
        ("author_key", TEXT),
        ("author_created", TEXT),
        ("edited", TEXT),
        ("deleted", WHOLE),
        ("shape", TEXT),
    ]
)
FLUSH = 20_000


def as_rows(rows: Iterable[object]) -> list[dict[str, Any]]:
    """Return complaint counts as rows of their table; other records are left out."""
    return [
        {
            "service": r.service,
            "source": r.source,
            "region": r.region,
            "indicator": r.indicator,
            "start": iso(r.start),
            "interval_s": r.interval_s,
            "total": r.total,
            "baseline": r.baseline,
            "window": r.window,
            "collected": iso(r.collected),
        }
        for r in rows
        if isinstance(r, ComplaintCount)
    ]


def post_row(post: Post, model: str) -> dict[str, Any]:
    """Return a post as a row of its table, read by a model."""
    return {
        "source": post.source,
        "native_id": post.native_id,
        "kind": post.kind,
        "community": post.community,
        "author_key": post.author_key,
        "author_created": iso_or_none(post.author_created),
        "created": iso(post.created),
        "collected": iso(post.collected),
        "edited": iso_or_none(post.edited),
        "deleted": int(post.deleted),
        "parent_id": post.parent_id,
        "title": post.title,
        "text": post.text,
        "url": post.url,
        "tagged_by": model,
    }


def report_row(post: Post, tag: Tag, shape: str) -> dict[str, Any]:
    """Return what a post says of a service, with what its vote is judged by."""
    return {
        "source": post.source,
        "native_id": post.native_id,
        "service": tag.service,
        "created": iso(post.created),
        "p_outage": round(tag.p_outage, 4),
        "components": json.dumps(tag.components),
        "symptom": tag.symptom,
        "region": tag.region,
        "language": tag.language,
        "anger": round(tag.anger, 3),
        "exonerates": json.dumps(tag.exonerates),
        "model": tag.model,
        "codes": json.dumps(tag.codes),
        "began": iso_or_none(tag.began),
        "author_key": post.author_key,
        "author_created": iso_or_none(post.author_created),
        "edited": iso_or_none(post.edited),
        "deleted": int(post.deleted),
        "shape": shape,
    }


class Writer:
    """Collects rows of a task and publishes them whole: written aside first, then moved, file by file."""

    def __init__(self, root: Path, key: str) -> None:
        """`key` names the task; the files of an earlier, unfinished try are thrown away."""
        self._root, self._key, self._aside = root, key, root / "_aside" / f"{key}-{os.getpid()}"
        shutil.rmtree(self._aside, ignore_errors=True)
        self._open: dict[Path, pq.ParquetWriter] = {}
        self._rows: dict[Path, list[dict[str, Any]]] = {}
        self._schemas: dict[Path, pa.Schema] = {}

    def add(self, folder: Path, rows: Sequence[dict[str, Any]], schema: pa.Schema) -> None:
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


def by_service_and_month(table: pa.Table, time: str) -> Iterator[tuple[str, str, pa.Table]]:
    """Cut a table by service and by the month of a column of times."""
    months = pc.utf8_slice_codeunits(table[time], 0, 7)
    keyed = table.append_column("_month", months)
    pairs = keyed.select(["service", "_month"]).group_by(["service", "_month"]).aggregate([]).to_pylist()
    order = sorted((p["service"], p["_month"]) for p in pairs)
    if len(order) == 1:
        yield (*order[0], table)
        return
    keyed = keyed.sort_by([("service", "ascending"), ("_month", "ascending"), (time, "ascending")])
    ends = pc.value_counts(pc.binary_join_element_wise(keyed["service"], keyed["_month"], "\0")).to_pylist()
    at = 0
    for one in ends:  # sorted, so that each pair is one stretch
        service, _, month = one["values"].partition("\0")
        yield service, month, keyed.slice(at, one["counts"]).drop_columns(["_month"])
        at += one["counts"]


def _usable(column: pa.ChunkedArray, *, empty: bool) -> pa.ChunkedArray:
    """Return for each cell whether it is a usable name; names are few, so that each is looked at once."""
    known = pc.unique(column).drop_null().to_pylist()
    return pc.is_in(column, pa.array([name for name in known if usable_name(name, empty=empty)], TEXT))


def counts_from_arrow(table: pa.Table, source: str, fetched_at: datetime, name: str) -> tuple[pa.Table, int]:
    """Return counts of a Parquet file in the columns of `complaint_counts`, and how many rows were refused.

    Refused are totals below zero, names that are not usable, times that lie ahead, intervals not from 60 to 86400 s.
    Raises SourceError when a column is missing or is of another kind.
    """
    missing = {"service", "start_utc", "total"} - set(table.column_names)
    if missing:
        raise SourceError(
            f"needs the columns service, start_utc, total; {', '.join(sorted(missing))} is missing", source=name
        )
    many = table.num_rows

    def column(key: str, kind: pa.DataType, default: object) -> Any:
        if key in table.column_names:
            filled = pc.cast(table[key], kind)
            return filled if default is None else pc.fill_null(filled, pa.scalar(default, kind))
        return pa.array([default] * many, kind) if default is None else pa.repeat(pa.scalar(default, kind), many)

    try:
        start = table["start_utc"]
        if not pa.types.is_timestamp(start.type):
            start = pc.strptime(start, format="%Y-%m-%dT%H:%M:%SZ", unit="s", error_is_null=True)
        elif start.type.tz is None:
            raise SourceError("start_utc has no time zone", source=name)
        stamps = pc.strftime(pc.cast(start, pa.timestamp("s", "UTC"), safe=False), format="%Y-%m-%dT%H:%M:%SZ")
        columns = {
            "service": column("service", TEXT, ""),
            "source": pa.repeat(pa.scalar(source), many),
            "region": column("region", TEXT, ""),
            "indicator": column("indicator", TEXT, ""),
            "start": stamps,
            "interval_s": column("interval_s", WHOLE, 900),
            "total": column("total", WHOLE, -1),
            "baseline": column("baseline", NUMBER, None),
            "window": pa.repeat(pa.scalar("interval"), many),
            "collected": pa.repeat(pa.scalar(iso(fetched_at)), many),
        }
        found = pa.table(columns, schema=SCHEMAS["complaint_counts"])
    except (pa.ArrowException, ValueError) as error:
        raise SourceError(f"a column is of another kind: {error}", source=name) from error
    good = pc.and_(pc.greater_equal(found["total"], 0), pc.less_equal(found["start"], iso(fetched_at)))
    for name_column, empty in (("service", False), ("region", True), ("indicator", True)):
        good = pc.and_(good, _usable(found[name_column], empty=empty))
    wide = pc.and_(pc.greater_equal(found["interval_s"], 60), pc.less_equal(found["interval_s"], 86400))
    kept = found.filter(pc.fill_null(pc.and_(good, wide), False))
    return kept, many - kept.num_rows
