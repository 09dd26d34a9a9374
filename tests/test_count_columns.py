"""Counts read as columns: the same rows and the same sentences as cell by cell, or no answer at all."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.config.load import load_catalogue
from pipeline.core.errors import SourceError
from pipeline.core.records import Batch
from pipeline.core.times import iso, utc
from pipeline.sources.count_columns import parse_count_columns
from pipeline.sources.count_rows import DEFAULTS, CountsOptions
from pipeline.sources.counts import parse_counts
from pipeline.sources.named_services import ServiceIds
from pipeline.store import Store
from pipeline.store.observations import save_batch

NOW = utc("2026-03-02T12:00:00Z")
BEGIN = utc("2026-02-20T00:00:00Z")
CATALOGUE = load_catalogue()
SERVICES = ("claude", "GitHub", "netflix")
COUNTS = "SELECT * FROM complaint_counts ORDER BY service, region, indicator, start, interval_s"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What storing a batch leaves: its rows, its hours, how many were new, and what is said and kept of it."""

    counts: Sequence[tuple[object, ...]]
    hours: Sequence[tuple[object, ...]]
    new: int
    detail: str
    outcome: str
    state: dict[str, str]


def stored(batch: Batch) -> Outcome:
    with Store(":memory:") as store:
        new = save_batch(store, batch, NOW)
        counts = [tuple(row) for row in store.rows(COUNTS)]
        hours = [tuple(row) for row in store.rows("SELECT * FROM complaint_hours ORDER BY 1, 2, 3, 4, 5, 6, 9")]
    return Outcome(counts, hours, new, batch.detail, batch.outcome, dict(batch.state))


def same_both_ways(body: bytes, options: CountsOptions = DEFAULTS, *, new: bool = False) -> bool:
    """Hold the columns against the rows; return whether there were columns."""
    slow_ids, fast_ids = ServiceIds(CATALOGUE, new=new), ServiceIds(CATALOGUE, new=new)
    fast = parse_count_columns(body, source="counts:x", fetched_at=NOW, options=options, resolve=fast_ids)
    try:
        slow = parse_counts(body, source="counts:x", fetched_at=NOW, options=options, resolve=slow_ids)
    except SourceError:
        assert fast is None
        return False
    if fast is None:
        return False
    assert slow.rejected == fast.rejected == ()
    assert fast.rows == ()
    assert stored(fast) == stored(slow)
    assert fast.size == slow.size
    assert fast_ids.added == slow_ids.added
    return True


def table(rows: int, separator: str = ",", *, ends: str = "\n", widths: bool = True) -> str:
    """Return a clean file of three services, a row each in every quarter of an hour."""
    dice = random.Random(rows)
    columns = ["service", "start_utc", *(["interval_s"] if widths else []), "total"]
    lines = [separator.join(columns)]
    for n in range(rows):
        start = iso(BEGIN + timedelta(minutes=15 * (n // len(SERVICES))))
        cells = [SERVICES[n % len(SERVICES)], start, *(["900"] if widths else []), str(dice.randrange(40))]
        lines.append(separator.join(cells))
    return ends.join(lines) + ends


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("widths", [True, False])
def test_a_clean_file_is_read_as_columns(separator: str, ends: str, widths: bool) -> None:
    body = table(90, separator, ends=ends, widths=widths).encode()
    assert same_both_ways(body)
    assert same_both_ways(b"\xef\xbb\xbf" + body.rstrip())
    assert same_both_ways(body, CountsOptions(service="claude")) is False, "each interval three times"


@pytest.mark.parametrize(
    "body",
    [
        "time,count\n2026-03-01T00:00:00Z,3\n2026-03-01T01:00:00Z,4\n2026-03-01T02:00:00Z,0\n",
        "timestamp,value,region,indicator\n1772323200,3,US,login\n1772326800,4,US,login\n1772330400,5,,\n",
        "date,total\n2026-03-01 00:00:00Z,1\n2026-03-01 00:15:00Z,1\n2026-03-01 00:30:00Z,1\n",
        "start_utc,interval_s,total\n" + "".join(f"{1772000000 + 300 * n},300,{n}\n" for n in range(60)),
        "start_utc,interval_s,total\n1772323200,900,3\n1772323200,3600,9\n",
    ],
)
def test_a_file_of_one_service_is_read_as_columns(body: str) -> None:
    assert same_both_ways(body.encode(), CountsOptions(service="claude"))


def test_names_that_the_catalogue_lacks_are_new_in_both_ways() -> None:
    body = table(60).replace("netflix", "of_ours").encode()
    assert same_both_ways(body, new=True)
    assert not same_both_ways(body)


CELLS = """5 |-0|-5|+5|5.0|5.5|1e3|007|5_0|1,200|NaN|null|NA|true|0x1f|9007199254740993|"5"|"|#|#5|x/y|claude |Claude
|claude|no such service|59|86401|900.0|0900|60|2026-03-02T11:00:00|2026-02-30T00:00:00Z|2027-01-01T00:00:00Z|,
|1970-01-01T00:00:00Z|02/03/2026 11:00|2026-03-01T24:00:00Z|2026-03-01T00:00:00+01:00|2026-W09-1T00:00:00Z|5,|,,|'
|20260301T000000Z|1772323200|1772323200.5| 5|  |\u0663""".replace("\n", "").split("|")
ODD = ["", "9" * 17, "9" * 30, "0" * 70 + "5", "n" * 61, "\r", "\n", "\n\n", "\x0b5", "\x1c", "\0", "\xa05", "a|b"]


def with_cell(row: int, column: int, cell: str, separator: str = ",", *, widths: bool = True) -> bytes:
    """Return a clean file but for one cell."""
    lines = table(60, separator, widths=widths).split("\n")
    cells = lines[1 + row].split(separator)
    cells[column % len(cells)] = cell
    lines[1 + row] = separator.join(cells)
    return "\n".join(lines).encode("utf-8", "surrogatepass")


@pytest.mark.parametrize("column", range(4))
def test_one_odd_cell_among_many_is_read_the_same_or_left_to_the_other_way(column: int) -> None:
    taken = [cell for cell in (*CELLS, *ODD) if same_both_ways(with_cell(31, column, cell))]
    assert len(taken) <= 6, "most of them are odd in any column"


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 59), st.integers(0, 3), st.text(max_size=8), st.booleans(), st.sampled_from(",;"))
def test_any_text_in_a_cell_is_read_the_same_or_left_to_the_other_way(
    row: int, column: int, cell: str, widths: bool, separator: str
) -> None:
    same_both_ways(with_cell(row, column, cell, separator, widths=widths))


@settings(max_examples=80, deadline=None)
@given(place=st.floats(0, 1, exclude_max=True), put=st.binary(max_size=3), out=st.integers(0, 3))
def test_some_bytes_put_anywhere_are_read_the_same_or_left_to_the_other_way(place: float, put: bytes, out: int) -> None:
    body = table(45).encode()
    at = int(place * len(body))
    same_both_ways(body[:at] + put + body[at + out :])


def test_a_row_with_a_cell_too_few_beside_one_with_a_cell_too_many_is_left_to_the_other_way() -> None:
    # the columns are as many as in a file that is right
    lines = table(30).split("\n")
    lines[4], lines[9] = lines[4].rsplit(",", 1)[0], lines[9] + ",7"
    assert not same_both_ways("\n".join(lines).encode())


def test_a_backfill_has_the_same_table_either_way() -> None:
    pytest.importorskip("pyarrow", reason="pip install -e '.[scale]'")
    import pyarrow as pa

    from pipeline.scale.counts import table_of_columns
    from pipeline.scale.schemas import SCHEMAS, as_rows

    body, ids = table(90).encode(), ServiceIds(CATALOGUE)
    fast = parse_count_columns(body, source="x", fetched_at=NOW, resolve=ids)
    slow = parse_counts(body, source="x", fetched_at=NOW, resolve=ids)
    assert fast is not None
    assert fast.columns is not None
    rows = pa.Table.from_pylist(as_rows(slow.rows), schema=SCHEMAS["complaint_counts"])
    assert table_of_columns(fast.columns).equals(rows)
