"""Counts: files in every dialect, right to the number or refused by the row, and what a rolling hour gives back."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.count_kinds import CountKind
from detectors.seasonal.detector import SeasonalNB
from pipeline.config.load import load_catalogue
from pipeline.config.settings import Config, Sources
from pipeline.core.errors import SourceError
from pipeline.core.records import ComplaintCount
from pipeline.core.times import iso, utc
from pipeline.http.session import HttpClient
from pipeline.sources import (
    counts,
    counts_file,
    downdetector,
    downstatus,
)
from pipeline.sources.count_rows import CountsOptions, read_start
from pipeline.sources.count_series import count_series
from pipeline.sources.counts import parse_counts, read_counts
from pipeline.stages.collect import run_collect
from pipeline.stages.detect.stage import run_detect
from pipeline.store import Store

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


def _recovered(stamps: list[int], polls: list[int], slips: frozenset[int] = frozenset()) -> dict[int, int]:
    """Return what is recovered of reports at `stamps` by polls of a rolling hour; polls in `slips` answer 0."""
    state, found = downstatus.Rolling(), {}
    for number, at in enumerate(polls):
        total = 0 if number in slips else sum(at - 3600 < stamp <= at for stamp in stamps)
        for start, reports in downstatus.recover(state, datetime.fromtimestamp(at, UTC), total):
            assert start.timestamp() not in found, "a bin is told once"
            found[int(start.timestamp())] = reports
        state = downstatus.Rolling.of(state.to_json())
    return found


BEGUN = int(NOW.timestamp()) - 6 * 3600


@pytest.mark.parametrize(
    ("cadence", "phase", "jitter"),
    [(300, 0, 0), (300, 0, 20), (300, 150, 18), (60, 0, 5), (120, 30, 0), (420, 0, 0), (600, 100, 0), (900, 0, 30)],
)
@pytest.mark.parametrize("seed", range(3))
def test_a_step_in_a_rolling_hour_is_found_where_it_was_and_leaves_no_echo(
    seed: int, cadence: int, phase: int, jitter: int
) -> None:
    random_ = random.Random(seed)
    step = BEGUN + 3 * 3600 + 130
    background = [BEGUN - 3600 + random_.randrange(7 * 3600) for _ in range(7 * 20)]
    polls = [
        at + phase + (random_.randrange(jitter) if jitter else 0) for at in range(BEGUN, BEGUN + 6 * 3600, cadence)
    ]
    found = _recovered(background + [step + random_.randrange(60) for _ in range(100)], polls)
    assert len(found) > 4 * 12 - 3 * cadence // 300
    near = sum(n for at, n in found.items() if step - cadence - 300 <= at <= step + cadence)
    assert near >= 90
    later = {at: n for at, n in found.items() if at > step + cadence + 300}
    assert max(later.values()) <= 15, later
    known = sum(min(found) <= stamp < max(found) + 300 for stamp in background) + 100
    assert abs(sum(found.values()) - known) <= 0.12 * known


@pytest.mark.parametrize(("cadence", "phase", "jitter"), [(300, 0, 0), (300, 150, 18), (420, 0, 0), (600, 0, 0)])
def test_a_steady_stream_stays_steady(cadence: int, phase: int, jitter: int) -> None:
    random_ = random.Random(1)
    stamps = list(range(BEGUN - 3600, BEGUN + 6 * 3600, 3))  # a hundred in five minutes
    polls = [
        at + phase + (random_.randrange(jitter) if jitter else 0) for at in range(BEGUN, BEGUN + 6 * 3600, cadence)
    ]
    found = _recovered(stamps, polls)
    assert len(found) >= 4 * 12
    assert all(80 <= n <= 120 for n in found.values()), sorted(found.values())


@pytest.mark.parametrize("slip", [5, 30, 31])
def test_a_single_wrong_zero_makes_no_peak_now_and_no_echo_later(slip: int) -> None:
    stamps = list(range(BEGUN - 3600, BEGUN + 6 * 3600, 3))
    found = _recovered(stamps, list(range(BEGUN, BEGUN + 6 * 3600, 300)), frozenset({slip}))
    assert all(80 <= n <= 120 for n in found.values()), sorted(found.values())


def test_a_pause_in_the_polls_is_a_gap_and_a_clock_gone_wrong_heals() -> None:
    stamps = list(range(BEGUN - 3600, BEGUN + 6 * 3600, 30))
    polls = [*range(BEGUN, BEGUN + 9000, 300), *range(BEGUN + 12_000, BEGUN + 13_500, 300)]
    found = _recovered(stamps, polls)
    assert max(found) < BEGUN + 9000, "the hour has to be learned again"
    ahead = [*range(BEGUN, BEGUN + 6000, 300), BEGUN + 86400 * 30, *range(BEGUN + 6300, BEGUN + 6 * 3600, 300)]
    found = _recovered(stamps, ahead)
    assert max(found) >= BEGUN + 5 * 3600


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


def test_a_file_that_grows_brings_no_service_that_the_catalogue_lacks(tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    path.write_text(
        "service,ts,count,interval_s\nClaude,2026-03-02T10:00:00Z,1,900\ncluade,2026-03-02T10:00:00Z,2,900\n"
    )
    batch = counts_file.CountsFileSource(path, catalogue=load_catalogue()).fetch(NOW, NOW, {})
    assert [(c.service, c.total) for c in batch.rows if isinstance(c, ComplaintCount)] == [("claude", 1)]
    assert [bad.where for bad in batch.rejected] == [f"{path}:3"]
    assert "near: claude" in batch.rejected[0].reason
    assert "[services.<id>] table" in batch.rejected[0].reason


def test_series_of_a_growing_file_that_differ_in_width_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    rows = [f"a,2026-03-01T{i:02}:00:00Z,{i}\n" for i in range(12)]
    rows += [f"b,2026-03-01T00:{i:02}:00Z,{i}\n" for i in range(0, 60, 5)]
    path.write_text("service,ts,count\n" + "".join(rows))
    with pytest.raises(SourceError, match="its series differ in what a count covers; add a column interval_s"):
        counts_file.CountsFileSource(path).fetch(NOW, NOW, {})


def test_a_file_that_grows_is_read_to_its_last_whole_line_and_keeps_its_interval(tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    rows = [f"a,2026-03-02T0{i}:00:00Z,{i}\n" for i in range(9)]
    source = counts_file.CountsFileSource(path)
    path.write_text("service,ts,count\n" + "".join(rows[:2]))
    with pytest.raises(SourceError, match="too few rows"):
        source.fetch(NOW, NOW, {})
    path.write_text("service,ts,count\n" + "".join(rows) + "a,2026-03-02T09:00:00Z,12")
    batch = source.fetch(NOW, NOW, {})
    assert (len(batch.rows), batch.state) == (9, {"interval_s": "3600", "kind": "reports"})
    path.write_text(
        "service,ts,count\n" + "".join(rows) + "".join(f"a,2026-03-02T09:{m:02}:00Z,1\n" for m in range(30))
    )
    with pytest.raises(SourceError, match="rows 1 min apart, so that counts of 1 h would overlap"):
        source.fetch(NOW, NOW, batch.state)


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


def test_a_file_is_judged_as_what_the_configuration_says_it_counts(tmp_path: Path, store: Store) -> None:
    path = tmp_path / "tweets.csv"
    path.write_text("service,start_utc,interval_s,total\nclaude,2026-02-01T00:00:00Z,900,4\n")
    config = Config(
        catalogue=load_catalogue(), sources=Sources(counts=(str(path),), counts_kind={str(path): CountKind.TALK})
    )
    (source,) = counts_file.SPEC.build(config, HttpClient(), None)
    run_collect(store, source, NOW)
    run_detect(store, SeasonalNB(), [], NOW)
    (name,) = store.rows("SELECT detector FROM detector_state")[0]
    assert "kind='talk'" in name


@pytest.mark.parametrize("stored", [True, False])
@pytest.mark.parametrize("total", ['"1,234"', "1,234", "many"])
def test_the_distance_between_counts_includes_the_rows_that_are_refused(total: str, stored: bool) -> None:
    rows = [f"claude,2026-03-02T{n // 4:02}:{n % 4 * 15:02}:00Z,{total if n % 2 else n}".encode() for n in range(96)]
    table = read_counts(b"\n".join([b"service,time,total", *rows]), stored=stored)
    assert len(table.rejected) == 48
    assert {row.interval_s for row in table.rows} == {900}
    assert "900 s" in table.notes[0]


def test_what_a_run_says_of_a_file_offers_no_option_that_a_run_lacks(tmp_path: Path) -> None:
    path = tmp_path / "zahlen.csv"
    source = counts_file.CountsFileSource(path, catalogue=load_catalogue())
    path.write_text("Zeit,Zahl,Dienst\n2026-03-01T00:00:00Z,4,claude\n")
    with pytest.raises(SourceError) as caught:
        source.fetch(NOW, NOW, {})
    assert "needs the columns timestamp_utc, value and has no timestamp_utc and no value" in str(caught.value)
    assert "rename the columns, or read the file by `groundswell import counts`" in str(caught.value)
    path.write_text("time,total\n2026-03-01T00:00:00Z,4\n")
    with pytest.raises(SourceError) as without_service:
        source.fetch(NOW, NOW, {})
    path.write_text("service,time,total,interval_s\ncloude,2026-03-01T00:00:00Z,4,900\n")
    (refused,) = source.fetch(NOW, NOW, {}).rejected
    assert "a [services.<id>] table takes it" in refused.reason
    for message in (str(caught.value), str(without_service.value), refused.reason):
        assert "--" not in message


@pytest.mark.parametrize("written", ["2026-03-01T00:00:00", "11/20/2025 12:00 AM"])
def test_a_time_that_needs_an_option_is_refused_by_a_run_with_the_command_that_has_it(
    tmp_path: Path, written: str
) -> None:
    path = tmp_path / "counts.csv"
    path.write_text(f"service,time,total,interval_s\nclaude,{written},4,900\n")
    (refused,) = counts_file.CountsFileSource(path).fetch(NOW, NOW, {}).rejected
    assert refused.reason.endswith("; a run has no options, `groundswell import counts` has")
