"""Complaint counts of a part as an Arrow table like `complaint_counts`, with the rows that were refused."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import BinaryIO, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.core.count_columns import CountColumns, CountKey
from pipeline.core.errors import Reason, SourceError
from pipeline.core.names import usable_name
from pipeline.core.times import FIRST, iso
from pipeline.scale.inputs import Part, open_parquet
from pipeline.scale.schemas import NUMBER, SCHEMAS, TEXT, WHOLE, as_rows
from pipeline.scale.summaries import MOST_NAMED, refusals
from pipeline.sources.archive import unpacked_blocks
from pipeline.sources.count_columns import parse_count_columns
from pipeline.sources.count_rows import Resolve
from pipeline.sources.counts import parse_counts
from pipeline.sources.parsing import plain

logger = logging.getLogger(__name__)

MOST_BYTES = 512 << 20  # of one file of counts that is read whole
SOURCE = "counts:archive"


class CountTable(NamedTuple):
    """Counts in the columns of `complaint_counts`; `refused` and `refusals` as in PartSummary."""

    table: pa.Table
    refused: int
    refusals: tuple[str, ...]


def count_table(part: Part, *, fetched_at: datetime, resolve: Resolve) -> CountTable:
    """Return a part's complaint counts.

    Parquet is taken as it is, column by column: service, start_utc (a time with a zone, or ISO text), total and where
    told interval_s, region, indicator. Raises SourceError when a column is missing or holds what it may not.
    """
    import fsspec

    try:
        with fsspec.open(part.url, "rb") as file:
            if part.form == "parquet":
                parquet = open_parquet(file)
                before = sum(parquet.metadata.row_group(n).num_rows for n in range(part.start))
                return counts_from_arrow(parquet.read_row_group(part.start), part, fetched_at, before, resolve)
            raw = _unpacked(file, part.url) if part.form == "packed" else file.read(MOST_BYTES + 1)
        if len(raw) > MOST_BYTES:
            raise SourceError(
                f"more than {MOST_BYTES >> 20} MB of counts in one file; cut it, or use Parquet", source=part.url
            )
        fast = parse_count_columns(raw, source=SOURCE, fetched_at=fetched_at, resolve=resolve)
        if fast is not None and fast.columns is not None:
            return CountTable(table_of_columns(fast.columns), 0, ())
        batch = parse_counts(raw, source=SOURCE, fetched_at=fetched_at, name=part.name, resolve=resolve)
        table = pa.Table.from_pylist(as_rows(batch.rows), schema=SCHEMAS["complaint_counts"])
        return CountTable(table, len(batch.rejected), refusals(batch.rejected, MOST_NAMED))
    except SourceError:
        raise
    except Exception as error:
        logger.exception("%s cannot be read", part.url)
        raise SourceError(f"cannot be read: {plain(error, 160)}", source=part.url, reason=Reason.FILE) from error


def _unpacked(file: BinaryIO, name: str) -> bytes:
    """Return what a packed file holds, up to the block that goes beyond MOST_BYTES."""
    read = bytearray()
    for block in unpacked_blocks(file, name):
        read += block
        if len(read) > MOST_BYTES:
            break
    return bytes(read)


def table_of_columns(columns: CountColumns) -> pa.Table:
    """Return counts in the columns of `complaint_counts`."""
    of_row = pa.array(columns.series)
    keys = {name: pa.array([getattr(key, name) for key in columns.keys]) for name in CountKey._fields}
    start = pa.array(columns.start).cast(pa.timestamp("s", "UTC"))
    collected = pa.array(columns.collected).cast(pa.timestamp("s", "UTC"))
    many = len(columns)
    ready = {
        **{name: values.take(of_row) for name, values in keys.items()},
        "start": _as_texts(start),
        "total": pa.array(columns.total),
        "baseline": pa.nulls(many, NUMBER),
        "collected": pc.strftime(collected, format="%Y-%m-%dT%H:%M:%SZ"),
    }
    schema = SCHEMAS["complaint_counts"]
    return pa.table({name: ready[name] for name in schema.names}, schema=schema)


def counts_from_arrow(table: pa.Table, part: Part, fetched_at: datetime, before: int, resolve: Resolve) -> CountTable:
    """Return counts of a Parquet table in the columns of `complaint_counts`; `before` rows of its file precede it.

    Refused are totals below zero, names that are not usable or that `resolve` does not know, times before 2000 or
    ahead, intervals not from 60 to 86400 s.
    Raises SourceError when a column is missing or is of another kind.
    """
    missing = {"service", "start_utc", "total"} - set(table.column_names)
    if missing:
        raise SourceError(
            f"needs the columns service, start_utc, total; {', '.join(sorted(missing))} is missing", source=part.name
        )
    try:
        counts = _in_our_columns(table, part, fetched_at)
    except (pa.ArrowException, ValueError) as error:
        raise SourceError(f"a column is of another kind: {error}", source=part.name) from error
    checks = _checks(counts, fetched_at)
    names = _Names(counts["service"], resolve)
    checks |= names.checks(counts["service"])
    counts = counts.set_column(counts.schema.get_field_index("service"), "service", names.ids(counts["service"]))
    good = pa.repeat(pa.scalar(True), counts.num_rows)
    for passed in checks.values():
        good = pc.and_(good, passed)
    kept = counts.filter(good)
    refused = len(counts) - len(kept)
    return CountTable(kept, refused, tuple(islice(_refusals(checks, part, before), MOST_NAMED)) if refused else ())


def _in_our_columns(table: pa.Table, part: Part, fetched_at: datetime) -> pa.Table:
    many = table.num_rows

    def column(key: str, kind: pa.DataType, default: object) -> pa.ChunkedArray:
        if key in table.column_names:
            filled = pc.cast(table[key], kind)
            return filled if default is None else pc.fill_null(filled, pa.scalar(default, kind))
        return pa.array([default] * many, kind) if default is None else pa.repeat(pa.scalar(default, kind), many)

    start = table["start_utc"]
    if not pa.types.is_timestamp(start.type):
        start = pc.strptime(start, format="%Y-%m-%dT%H:%M:%SZ", unit="s", error_is_null=True)
    elif start.type.tz is None:
        raise SourceError("start_utc has no time zone", source=part.name)
    columns = {
        "service": column("service", TEXT, ""),
        "source": pa.repeat(pa.scalar(SOURCE), many),
        "region": column("region", TEXT, ""),
        "indicator": column("indicator", TEXT, ""),
        "start": _as_texts(pc.cast(start, pa.timestamp("s", "UTC"), safe=False)),
        "interval_s": column("interval_s", WHOLE, 900),
        "total": column("total", WHOLE, -1),
        "baseline": column("baseline", NUMBER, None),
        "window": pa.repeat(pa.scalar("interval"), many),
        "collected": pa.repeat(pa.scalar(iso(fetched_at)), many),
    }
    return pa.table(columns, schema=SCHEMAS["complaint_counts"])


def _as_texts(times: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Return times as texts like 2026-03-02T11:00:00Z; series share times, so that each is written once."""
    whole = times.combine_chunks() if isinstance(times, pa.ChunkedArray) else times
    coded = whole.dictionary_encode()
    return pc.strftime(coded.dictionary, format="%Y-%m-%dT%H:%M:%SZ").take(coded.indices)


def _checks(counts: pa.Table, fetched_at: datetime) -> dict[str, pa.ChunkedArray]:
    """Return by the reason for which rows are refused which rows pass that check."""
    interval = counts["interval_s"]
    start = pc.fill_null(counts["start"], "")
    checks = {
        "total: missing, or below zero": pc.greater_equal(counts["total"], 0),
        "start_utc: not a time as 2026-03-02T11:00:00Z": pc.is_valid(counts["start"]),
        f"start_utc: before {FIRST.year}": pc.greater_equal(start, iso(FIRST)),
        "start_utc: lies ahead": pc.less_equal(start, iso(fetched_at)),
        "interval_s: not from 60 to 86400": pc.and_(pc.greater_equal(interval, 60), pc.less_equal(interval, 86400)),
    }
    for name, empty in (("service", False), ("region", True), ("indicator", True)):
        checks[f"{name}: not a usable name"] = _usable(counts[name], empty=empty)
    return checks


class _Names:
    """The services that a column names: each name is looked up once, as there are few."""

    def __init__(self, column: pa.ChunkedArray, resolve: Resolve) -> None:
        self._ids: dict[str, str] = {}
        self._refused: dict[str, str] = {}
        for name in pc.unique(column).to_pylist():
            try:
                self._ids[name] = resolve(name)
            except ValueError as error:
                self._refused[name] = str(error) if len(self._refused) < MOST_NAMED else "not in the catalogue"

    def checks(self, column: pa.ChunkedArray) -> dict[str, pa.ChunkedArray]:
        """Return by the reason for which names are refused which rows have none of them."""
        reasons = dict.fromkeys(self._refused.values())
        named = {reason: [name for name in self._refused if self._refused[name] == reason] for reason in reasons}
        return {
            f"service: {reason}": pc.invert(pc.is_in(column, pa.array(names, TEXT))) for reason, names in named.items()
        }

    def ids(self, column: pa.ChunkedArray) -> pa.ChunkedArray:
        """Return the column with the ids that its names mean; names that are refused stay."""
        names, ids = list(self._ids), pa.array(list(self._ids.values()), TEXT)
        return pc.coalesce(pc.take(ids, pc.index_in(column, pa.array(names, TEXT))), column)


def _usable(column: pa.ChunkedArray, *, empty: bool) -> pa.ChunkedArray:
    """Return for each cell whether it is a usable name; names are few, so that each is looked at once."""
    known = pc.unique(column).drop_null().to_pylist()
    return pc.is_in(column, pa.array([name for name in known if usable_name(name, empty=empty)], TEXT))


def _refusals(checks: dict[str, pa.ChunkedArray], part: Part, before: int) -> Iterator[str]:
    """Yield of each refused row its number in the file, the first being 1, and the first check it fails."""
    for number, passed in enumerate(zip(*(check.to_pylist() for check in checks.values()), strict=True), before + 1):
        if not all(passed):
            yield f"{part.file}:{number}: {list(checks)[passed.index(False)]}"
