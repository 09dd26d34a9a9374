"""Tables between Parquet and SQLite: finished ones are copied in, a database is written out.

They are copied as bare rows in the order of their keys.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.core.files import OWN, replacing
from pipeline.core.names import file_stem
from pipeline.core.times import utc
from pipeline.scale.schemas import NUMBER, SCHEMAS, TEXT, WHOLE
from pipeline.scale.summaries import Reach
from pipeline.store import Store
from pipeline.store.bulk import (
    BrokenViewError,
    added_tables_of,
    answer_of_table,
    columns_of_schema,
    put_rows,
    rows_of,
    value_kinds,
)
from pipeline.store.damage import TIME_COLUMNS
from pipeline.store.runs import cover

ORDER = ("posts", "post_tags", "votes", "complaint_counts", "series", "verdicts")
CHUNK = 10_000
MOMENT = pa.timestamp("s", "UTC")
_EXACT = {"integer": WHOLE, "real": NUMBER, "text": TEXT, "blob": pa.binary()}


def load_tables(root: Path, store: Store, reach: Reach) -> dict[str, int]:
    """Copy every table, and note as read what the archives reach over; return how many rows were new.

    What is there stays as it is.
    """
    found = {}
    for table in ORDER:
        found[table] = sum(put_rows(store, table, SCHEMAS[table].names, rows) for rows in _rows(root, table))
    with store.transaction() as conn:
        for source, (first, last) in sorted(reach.items()):
            cover(conn, source, (utc(first), utc(last) + timedelta(seconds=60)))
    return found


def _rows(root: Path, table: str) -> Iterator[Sequence[tuple[object, ...]]]:
    for path in sorted((root / table).glob("service=*/month=*/*.parquet")):
        for batch in pq.ParquetFile(path).iter_batches(CHUNK):
            yield list(zip(*(column.to_pylist() for column in batch.columns), strict=True))


def export_tables(store: Store, root: Path) -> dict[str, int]:
    """Write every table of a database as one Parquet file each, by rename; return how many rows.

    Times are timestamps in UTC. Detector states stay behind. Raises StoreError when it cannot be written.
    """
    found = {}
    for table, columns in columns_of_schema().items():
        if table.startswith("detector_state"):
            continue
        schema = pa.schema([(name, _kind(name, kind)) for name, kind in columns.items()])
        place, found[table] = root / table / f"{table}.parquet", 0
        with replacing(place, mode=OWN) as fresh, pq.ParquetWriter(fresh, schema, compression="zstd") as file:
            for rows in rows_of(store, table, list(columns), CHUNK):
                arrays = [
                    _array(values, kind) for values, kind in zip(zip(*rows, strict=True), schema.types, strict=True)
                ]
                file.write_batch(pa.record_batch(arrays, schema=schema))
                found[table] += len(rows)
    return found


def export_added_tables(store: Store, root: Path, failures: list[str]) -> dict[str, int]:
    """Write every table that people have added as one Parquet file each; return how many rows each has.

    A column of whole numbers and fractions has fractions, one of values of other kinds has texts. A table that cannot
    be read has no file, and a line is added to `failures`.
    """
    found = {}
    for table in added_tables_of(store):
        path, count = root / file_stem(table) / f"{file_stem(table)}.parquet", 0
        try:
            schema = pa.schema([(name, _kind_of(kinds)) for name, kinds in value_kinds(store, table).items()])
            answer = answer_of_table(store, table, CHUNK)
            next(answer)  # the names of its columns
            with replacing(path, mode=OWN) as fresh, pq.ParquetWriter(fresh, schema, compression="zstd") as file:
                for rows in answer:
                    columns = zip(zip(*rows, strict=True), schema.types, strict=True)
                    arrays = [pa.array([_as(kind, value) for value in values], kind) for values, kind in columns]
                    file.write_batch(pa.record_batch(arrays, schema=schema))
                    count += len(rows)
            found[table] = count
        except BrokenViewError as error:
            failures.append(str(error))
        except pa.ArrowException as error:
            failures.append(f"the table {table} cannot be written as Parquet: {error}")
        if table not in found:
            path.unlink(missing_ok=True)  # of an earlier export, when it could be read
    return found


def _kind_of(kinds: frozenset[str]) -> pa.DataType:
    """Return the type of a column with values of these kinds."""
    if kinds == {"integer", "real"}:
        return NUMBER
    return _EXACT[next(iter(kinds))] if len(kinds) == 1 else TEXT


def _as(kind: pa.DataType, value: object) -> object:
    """Return a value as a column of a type has it: where others in it are texts, as a text."""
    if kind != TEXT or value is None:
        return value
    return value.hex() if isinstance(value, bytes) else str(value)


def _kind(name: str, kind: str) -> pa.DataType:
    """Return the type of a column, by its name and its kind in SQLite."""
    if kind == "TEXT" and name in TIME_COLUMNS:
        return MOMENT
    return {"TEXT": TEXT, "INTEGER": WHOLE, "REAL": NUMBER}[kind]


def _array(values: Sequence[object], kind: pa.DataType) -> pa.Array:
    if kind != MOMENT:
        return pa.array(values, kind)
    return pc.strptime(pa.array(values, TEXT), format="%Y-%m-%dT%H:%M:%SZ", unit="s").cast(MOMENT)
