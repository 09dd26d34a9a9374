"""Counts: files in every dialect, right to the number or refused by the row."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.errors import SourceError
from pipeline.core.records import ComplaintCount
from pipeline.core.times import iso, utc
from pipeline.sources import counts, downdetector
from pipeline.sources.count_rows import CountsOptions
from pipeline.sources.count_series import count_series
from pipeline.sources.count_times import read_start
from pipeline.sources.counts import parse_counts, read_counts

NOW = utc("2026-03-02T12:00:00Z")
CSV = "service,start_utc,interval_s,total,baseline,region,indicator\n"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("svc,2026-03-02T11:00:00,900,5,,,", "no time zone"),
        ("svc,2026-03-02T11:00:00Z,900,5.5,,,", "not a whole count"),
        ('svc,2026-03-02T11:00:00Z,900,"1,200",,,', "not a whole count"),
        ("svc,2026-03-02T11:00:00Z,900,-1,,,", "not a whole count"),
        ("svc,2026-03-02T11:00:00Z,900,٣,,,", "not a whole count"),
        ("svc,2026-03-02T11:00:00Z,5,1,,,", "not from 60"),
        ("svc,2027-03-02T11:00:00Z,900,1,,,", "future"),
        ("svc,02/03/2026 11:00,900,1,,,", "reads two ways"),
        ("svc,2026-03-02T11:00:00Z,900", "3 cells where"),
        (",2026-03-02T11:00:00Z,900,1,,,", "usable name"),
        ("svc,2026-03-02T11:00:00Z,900,12.000,,,", "not a whole count"),
        ("svc,2026-03-02T11:00:00Z,900,1e3,,,", "not a whole count"),
        ("svc,2026-03-02T11:00:00Z,900,12,,,,9", "8 cells"),
        ("svc,2026-03-02T10:00:00Z,900,6,,,", "a second count for this interval"),
    ],
)
def test_a_csv_row_is_right_to_the_number_or_refused_with_its_line(row: str, reason: str) -> None:
    body = f"{CSV}svc,2026-03-02T10:00:00Z,900,5,,,\n{row}\nsvc,2026-03-02T10:15:00Z,900,7,,US,\n".encode()
    batch = counts.parse_counts(body, source="x", fetched_at=NOW, name="counts.csv")
    assert [r.where for r in batch.rejected] == ["counts.csv:3"]
    assert reason in batch.rejected[0].reason
    assert [(c.total, c.region) for c in batch.rows if isinstance(c, ComplaintCount)] == [(5, ""), (7, "US")]


@pytest.mark.parametrize(
    "written", ["02.03.2026 11:00", "2.3.2026 11:00:00", "02.03.2026, 11:00", "2026-03-02T12:00+01:00"]
)
def test_a_date_with_points_has_its_day_first(written: str) -> None:
    assert read_start(written, time_zone="UTC") == utc("2026-03-02T11:00:00Z")


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("32.03.2026", "day"),
        ("12.13.2026", "month"),
        ("02.03.26 11:00", "two ways"),
        ("02.03.2026 11", "--time-format"),
    ],
)
def test_a_date_with_points_that_is_none_is_refused(written: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read_start(written, time_zone="UTC")


@pytest.mark.parametrize("header", ["created at", "Created", "Created Time", "opened_at"])
def test_the_time_of_a_ticket_is_found_by_the_names_help_desks_give_it(header: str) -> None:
    body = f'"{header}","subject"\n2026-03-02 11:00,"a"\n2026-03-02 11:05,"b"\n2026-03-02 11:20,"c"\n'.encode()
    table = counts.read_counts(body, options=CountsOptions(one_row_per_event=True, time_zone="UTC"))
    assert [row.value for row in table.rows] == [2, 1]


def test_rows_of_events_without_a_time_are_told_which_option_names_it() -> None:
    options = CountsOptions(one_row_per_event=True, time_zone="UTC")
    with pytest.raises(SourceError, match=r"needs a column with the time of each row .*; --time-column names another$"):
        counts.read_counts(b"when,subject\n2026-03-02 11:00,a\n", options=options)


def test_a_stray_quote_or_byte_spoils_its_own_row_only() -> None:
    body = CSV.encode() + (
        b'svc,2026-03-02T10:00:00Z,900,5,,,\n"svc"x,2026-03-02T10:15:00Z,900,5,,,\n\xff,,,,,,\n"svc,2026,900,5\r\n'
        b"svc,2026-03-02T10:30:00Z,900,7,,,\n"
    )
    batch = counts.parse_counts(body, source="x", fetched_at=NOW, name="c.csv")
    assert [r.where for r in batch.rejected] == ["c.csv:3", "c.csv:4", "c.csv:5"]
    assert [c.total for c in batch.rows if isinstance(c, ComplaintCount)] == [5, 7]


TWO = [("acme", 12), ("acme", 15)]
QUARTERS = CountsOptions(interval_s=900)


@pytest.mark.parametrize(
    "body",
    [
        b"service,ts,count\nacme,2026-03-02T10:00:00Z,12\nacme,2026-03-02T10:15:00Z,15\n",
        b"service\tts\tcount\nacme\t2026-03-02T10:00:00Z\t12\nacme\t2026-03-02T10:15:00Z\t15\n",
        b"sep=;\r\nservice;ts;count\r\nacme;2026-03-02T10:00:00Z;12\r\nacme;2026-03-02T10:15:00Z;15\r\n",
        "service|timestamp_utc|value\nacme|2026-03-02T11:00:00+01:00|12.0\nacme|2026-03-02T10:15Z|15\n".encode(
            "utf-16"
        ),
        b'\xef\xbb\xbf"Service","TS","Count"\n"acme",1772445600,12\nacme,1772446500000,15\n',
        b'[{"service":"acme","ts":"2026-03-02T10:00:00Z","count":12},{"service":"acme","ts":"2026-03-02T10:15:00Z","count":15}]',
        b'{"service":"acme","ts":"2026-03-02T10:00:00Z","count":12}\n{"service":"acme","ts":"2026-03-02T10:15:00Z","count":15}\n',
        b'{"counts":[{"service":"acme","ts":1772445600,"total":12},{"service":"acme","ts":1772446500,"total":15.0}]}',
    ],
    ids=["csv", "tab", "sep", "utf-16", "quoted epoch", "json", "ndjson", "object"],
)
def test_the_same_counts_in_every_dialect(body: bytes) -> None:
    batch = counts.parse_counts(body, source="x", fetched_at=NOW)
    assert [(row.service, row.total) for row in batch.rows if isinstance(row, ComplaintCount)] == TWO
    assert not batch.rejected
    assert {(row.interval_s, row.start.minute) for row in batch.rows if isinstance(row, ComplaintCount)} == {
        (900, 0),
        (900, 15),
    }
    assert "900 s" in batch.detail


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            b'{"service":"acme","ts":"2026-03-02T10:00:00Z","count":12,"count":13}\n{"service":"acme","ts":"2026-03-02T10:15:00Z","count":3.5}\n',
            ["a key comes twice", "not a whole count"],
        ),
        (
            b'[{"service":"a","ts":"2026-03-02T10:00:00Z","count":true},{"service":"a","ts":"2026-03-02T10:00:00Z","count":null},7]',
            ["neither a number", "not an object"],
        ),
        (b"service,ts,count,value\na,2026-03-02T10:00:00Z,1,2\nb,2026-03-02T10:00:00Z,3,3\n", ["two different values"]),
    ],
)
def test_what_reads_two_ways_is_refused(body: bytes, words: list[str]) -> None:
    batch = counts.parse_counts(body, source="x", fetched_at=NOW, options=QUARTERS)
    assert len(batch.rejected) == len(words)
    assert all(w in bad.reason for w, bad in zip(words, batch.rejected, strict=True))
    for body in (b"service,ts,count,count\na,2026-03-02T10:00:00Z,1,2\n", b"{", b"[1", b"a,b\n1,2\n"):
        with pytest.raises(SourceError):
            counts.parse_counts(body, source="x", fetched_at=NOW)


@given(
    st.lists(st.integers(0, 10**6), min_size=2, max_size=40),
    st.sampled_from([60, 300, 900, 3600]),
    st.sampled_from(",;\t|"),
)
def test_written_counts_are_read_back_to_the_number(totals: list[int], width: int, separator: str) -> None:
    start = NOW - timedelta(seconds=width * len(totals))
    lines = [separator.join(("service", "start_utc", "total"))]
    lines += [
        separator.join(("svc", f"{start + timedelta(seconds=width * i):%Y-%m-%dT%H:%M:%SZ}", str(n)))
        for i, n in enumerate(totals)
    ]
    batch = counts.parse_counts("\n".join(lines).encode(), source="x", fetched_at=NOW)
    assert [row.total for row in batch.rows if isinstance(row, ComplaintCount)] == totals
    assert {row.interval_s for row in batch.rows if isinstance(row, ComplaintCount)} == {width}


def test_downdetector_leaves_the_interval_that_still_grows() -> None:
    points = [
        {"point_in_time": "2026-03-02T11:30:00Z", "total": 7, "indicators": {"login": 3}, "other": 4},
        {"point_in_time": "2026-03-02T11:45:00Z", "total": 2, "indicators": {}, "other": 2},
        {"point_in_time": "x", "total": 1},
        {"point_in_time": "2026-03-02T11:15:00Z", "total": 1.5},
    ]
    batch = downdetector.parse_reports(json.dumps(points).encode(), source="x", fetched_at=NOW, service="claude")
    assert [(c.indicator, c.total) for c in batch.rows if isinstance(c, ComplaintCount)] == [("", 7), ("login", 3)]
    assert len(batch.rejected) == 2


def test_each_row_keeps_the_interval_it_tells() -> None:
    body = (
        b"service,ts,interval_s,count\na,2026-03-02T10:00:00Z,300,1\na,2026-03-02T11:00:00Z,,2\n"
        b"a,2026-03-02T10:00:00Z,900.0,3\na,2026-03-02T11:15:00Z,,4\n"
    )
    batch = counts.parse_counts(body, source="x", fetched_at=NOW)
    assert [(c.interval_s, c.total) for c in batch.rows if isinstance(c, ComplaintCount)] == [
        (300, 1),
        (900, 2),
        (900, 3),
        (900, 4),
    ]


@pytest.mark.parametrize(
    ("body", "totals"),
    [
        (b'[{"service":"a","ts":1772445600,"total":5,"Total":7},{"service":"a","ts":1772446500,"total":6}]', [6]),
        (
            b'[{"service":"a","ts":1772445600.0,"total":11.99999999999999999},{"service":"a","ts":1772446500.0,"total":6,"partial":false,"tags":[1]}]',
            [6],
        ),
        (b'{"data":[{"service":"a","ts":1772446500,"total":6}],"errors":[]}', [6]),
        (b'# made by hand\nservice, ts, count\na, "2026-03-02T10:15:00Z", "6"\n', [6]),
        ("service,ts,count\na,2026-03-02T10:15:00Z,6\n".encode("utf-32"), [6]),
        ("service,ts,count\na,2026-03-02T10:15:00Z,6\n".encode("utf-16-le"), [6]),
        (b"service,ts,count,baseline\na,2026-03-02T10:15:00Z,6,1_000\na,2026-03-02T10:30:00Z,7,1.5\n", [7]),
    ],
)
def test_odd_files_are_right_to_the_number_or_refused_by_the_row(body: bytes, totals: list[int]) -> None:
    batch = counts.parse_counts(body, source="x", fetched_at=NOW, options=QUARTERS)
    assert [c.total for c in batch.rows if isinstance(c, ComplaintCount)] == totals


@pytest.mark.parametrize(
    ("values", "counter"),
    [
        ([7 * i for i in range(60)], True),
        ([7 * i for i in range(60)] + [3 * i for i in range(60)], True),
        ([7 * i for i in range(30)], False),
        ([5] * 200, False),
        ([0] * 190 + list(range(5)), False),
        ([20 + i % 3 for i in range(200)], False),
    ],
)
def test_readings_of_a_counter_are_said_to_be_some(values: list[int], counter: bool) -> None:
    start = utc("2026-02-01T00:00:00Z")
    rows = [f"claude,{iso(start + timedelta(minutes=15 * i))},{value}\n" for i, value in enumerate(values)]
    body = ("service,start_utc,total\n" + "".join(rows)).encode()
    assert ("only grows" in parse_counts(body, source="counts:x", fetched_at=NOW).detail) == counter
    (series,) = count_series(read_counts(body)).values()
    assert ("only grows" in " ".join(series.notes)) == counter


@pytest.mark.parametrize("stored", [True, False])
@pytest.mark.parametrize("total", ['"1,234"', "1,234", "many"])
def test_the_distance_between_counts_includes_the_rows_that_are_refused(total: str, stored: bool) -> None:
    rows = [f"claude,2026-03-02T{n // 4:02}:{n % 4 * 15:02}:00Z,{total if n % 2 else n}".encode() for n in range(96)]
    table = read_counts(b"\n".join([b"service,time,total", *rows]), stored=stored)
    assert len(table.rejected) == 48
    assert {row.interval_s for row in table.rows} == {900}
    assert "900 s" in table.notes[0]
