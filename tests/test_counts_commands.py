"""`score-counts` and `import counts` read a file alike: the same intervals and counts, or the same words."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner

from pipeline.commands.import_ import counts as import_counts
from pipeline.commands.score_counts import score_counts_command
from pipeline.core.errors import PipelineError
from pipeline.core.times import utc

NOW = utc("2026-03-02T12:00:00Z")
START = utc("2026-02-20T00:00:00Z")
TOTALS = [3 + (i * 7) % 11 for i in range(100)]


class Answer(NamedTuple):
    """What a command made of a file: counts by their start, their widths, and the refusal of the file or of rows."""

    counts: dict[str, int]
    widths: set[int]
    refused: list[str]


def table(
    write: Callable[[datetime], str] = lambda at: f"{at:%Y-%m-%dT%H:%M:%SZ}",
    *,
    header: str = "timestamp_utc,value",
    seconds: int = 900,
    separator: str = ",",
    before: str = "",
) -> str:
    """Write the totals at equal distances."""
    rows = [f"{write(START + timedelta(seconds=seconds * i))},{total}" for i, total in enumerate(TOTALS)]
    return before + "\n".join(line.replace(",", separator) for line in [header, *rows]) + "\n"


def invoke(command: str, file: Path, *options: str) -> tuple[str, list[str]]:
    """Run a command in this process; return what it printed and what it complained of."""
    chosen = score_counts_command if command == "score" else import_counts
    more = () if command == "score" else ("--service", "claude", "--db", str(file.with_suffix(".db")))
    done = CliRunner().invoke(chosen, [str(file), "--now", f"{NOW.isoformat()}", *more, *options])
    if isinstance(done.exception, PipelineError):
        return "", [str(done.exception)]
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    refused = [line for line in done.stderr.splitlines() if f"{file}:" in line and f"{file}: " not in line]
    return done.stdout, [line.removeprefix("groundswell: ") for line in refused]


def scored(file: Path, *options: str) -> Answer:
    printed, refused = invoke("score", file, *options)
    rows = list(csv.DictReader(io.StringIO(printed)))
    starts = [utc(row["bin_start"]) for row in rows]
    widths = {int((b - a).total_seconds()) for a, b in pairwise(starts)}
    return Answer({row["bin_start"]: int(row["observed"]) for row in rows if row["observed"]}, widths, refused)


def imported(file: Path, *options: str) -> Answer:
    _, refused = invoke("import", file, *options)
    if not file.with_suffix(".db").exists():
        return Answer({}, set(), refused)
    with sqlite3.connect(file.with_suffix(".db")) as conn:
        rows = conn.execute("SELECT start, total, interval_s FROM complaint_counts ORDER BY start").fetchall()
    return Answer({start: total for start, total, _ in rows}, {width for _, _, width in rows}, refused)


def both(folder: Path, body: str | bytes, *options: str) -> Answer:
    """Return what both commands answer, having seen that it is the same."""
    file = folder / "counts.csv"
    file.write_bytes(body.encode() if isinstance(body, str) else body)
    file.with_suffix(".db").unlink(missing_ok=True)
    one, other = scored(file, *options), imported(file, *options)
    assert one == other
    return one


EXPECTED = {f"{START + timedelta(seconds=900 * i):%Y-%m-%dT%H:%M:%SZ}": total for i, total in enumerate(TOTALS)}
GRAFANA = '"Time","Value"'


@pytest.mark.parametrize(
    ("body", "options"),
    [
        (table(), ()),
        (table(separator=";"), ()),
        (table(separator="\t"), ()),
        (table(separator="|"), ()),
        (table(separator=";", before="sep=;\n"), ()),
        (table(separator=";", header=GRAFANA, before="sep=;\r\n"), ()),
        ("\ufeff" + table(separator=";"), ()),
        (table().encode("utf-16"), ()),
        (b"\xfe\xff" + table().encode("utf-16-be"), ()),
        (table(lambda at: str(int(at.timestamp()))), ()),
        (table(lambda at: str(int(at.timestamp()) * 1000), header=GRAFANA), ()),
        (table(lambda at: f"{int(at.timestamp())}.250", header="time,value"), ()),
        (table(lambda at: f'"{at:%Y-%m-%d %H:%M:%S}+00:00"', header=GRAFANA), ()),
        (table(lambda at: f"{at:%Y-%m-%d %H:%M:%S}", header=GRAFANA), ("--time-zone", "UTC")),
        (
            table(lambda at: f"{at.astimezone(ZoneInfo('Asia/Tokyo')):%Y-%m-%d %H:%M}", header="ts,total"),
            ("--time-zone", "Asia/Tokyo"),
        ),
        (table(lambda at: f"{at:%d/%m/%Y %H:%M}"), ("--time-format", "%d/%m/%Y %H:%M", "--time-zone", "UTC")),
        (table(header="When,Tickets"), ("--time-column", "when", "--value-column", "TICKETS")),
        (table(header="When;Tickets", separator=";"), ("--time-column", "When", "--value-column", "Tickets")),
        (table(), ("--interval", "900")),
        (table(), ("--interval", "15min")),
        (table().replace("\n", "\r\n"), ()),
        ("".join(f'{{"time": "{at}", "value": {n}}}\n' for at, n in EXPECTED.items()), ()),
        (json.dumps([{"point_in_time": at, "total": n, "indicators": {"a": 1}} for at, n in EXPECTED.items()]), ()),
    ],
)
def test_the_same_counts_are_read_from_every_dialect(tmp_path: Path, body: str | bytes, options: tuple[str]) -> None:
    assert both(tmp_path, body, *options) == Answer(EXPECTED, {900}, [])


@pytest.mark.parametrize(("seconds", "width"), [(60, 60), (300, 300), (3600, 3600), (8640, 8640)])
def test_the_interval_is_that_of_the_file(tmp_path: Path, seconds: int, width: int) -> None:
    assert both(tmp_path, table(seconds=seconds)).widths == {width}


@pytest.mark.parametrize(
    ("body", "options", "words"),
    [
        (table(seconds=15), (), "rows 15 s apart; counts of 1 min to 1 d are read: --bin sums them up"),
        (table(seconds=15), ("--interval", "900"), "rows 15 s apart, so that counts of 15 min would overlap"),
        (table(seconds=900), ("--interval", "1h"), "rows 15 min apart, so that counts of 1 h would overlap"),
        (
            "timestamp_utc,value\n" + "".join(f"2025-{m:02}-{d:02}T00:00:00Z,9\n" for m in range(1, 9) for d in (1, 8)),
            (),
            "rows 7 d apart; counts of 1 min to 1 d are read: export them by the day",
        ),
        (
            "timestamp_utc,value\n"
            + "".join(f"2026-02-20T{i % 20:02}:{i * i % 60:02}:{i * 7 % 60:02}Z,2\n" for i in range(60)),
            (),
            "rows at irregular times; if each row is an event, --one-row-per-event",
        ),
        (
            "timestamp_utc,value\n"
            + "".join(f"2026-02-20T0{h}:{m:02}:00Z,1\n" for h in range(9) for m in (1, 2, 7, 8, 13, 31, 32, 47)),
            (),
            "rows at irregular times; if each row is an event, --one-row-per-event",
        ),
        ("timestamp_utc,value\n2026-02-20T00:00:00Z,7\n", (), "too few rows to tell what a count covers; --interval"),
        (table(header="when,tickets"), (), "has no timestamp_utc and no value, but when, tickets; --time-column"),
        (table(), ("--time-column", "When"), "has no When, but timestamp_utc, value; --time-column"),
        (table(header="time,claude"), (), "has no value, but time, claude; --time-column and --value-column name"),
        (table(header="time,value,value"), (), "a column comes twice: value"),
        (table(header='id,"Created at"'), (), "has no timestamp_utc and no value, but id, created at"),
        ("Id;Requester;Created at\n1;x;2026-02-20 10:00\n", (), "but id, requester, created at; --time-column"),
        ("When;Tickets\n2026-02-20T10:00:00Z;4\n", (), "but when, tickets; --time-column"),
        ("\x00\x1b[31m\x07\n", (), "but ?[31m?; --time-column"),
        (table(), ("--bin", "20min"), "bins of 20 min are no multiple of the counts' 15 min"),
        (table(), ("--bin", "5min"), "counts 15 min apart do not fit bins of 5 min"),
        (table(), ("--interval", "15s"), "--interval: 15s is not from 1min to 1d"),
        (table(), ("--bin", "7d"), "--bin: 7d is not from 1min to 1d"),
        (table(), ("--time-zone", "Mars"), "--time-zone: 'Mars' is not a time zone"),
        (table(), ("--one-row-per-event", "--value-column", "value"), "--one-row-per-event counts rows"),
        ("timestamp_utc,value\n", (), "no usable row"),
        ("", (), "needs the columns timestamp_utc, value"),
        ("[1", (), "not valid JSON"),
    ],
)
def test_a_file_is_refused_in_the_same_words(tmp_path: Path, body: str, options: tuple[str], words: str) -> None:
    answer = both(tmp_path, body, *options)
    assert not answer.counts
    assert len(answer.refused) == 1
    assert words in answer.refused[0]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ('2026-02-21T02:00:00Z,"3,5"', "'3,5' is not a whole count"),
        ('2026-02-21T02:00:00Z,"1,200"', "'1,200' is not a whole count"),
        ("2026-02-21T02:00:00Z,1 200", "'1 200' is not a whole count"),
        ("2026-02-21T02:00:00Z,1.200.000", "'1.200.000' is not a whole count"),
        ("2026-02-21T02:00:00Z,-4", "'-4' is not a whole count"),
        ("2026-02-21T02:00:00Z,n/a", "'n/a' is not a whole count"),
        ("2026-02-21T02:00:00Z,9007199254740993", "'9007199254740993' is above 9007199254740992, the largest count"),
        (f"2026-02-21T02:00:00Z,{'7' * 60}", f"'{'7' * 40}' is above 9007199254740992, the largest count"),
        ("2026-02-21T02:00:00,4", "has no time zone; write it as"),
        ("02/03/2026 02:00,4", "reads two ways; write it as"),
        ("1970-01-01T00:00:00Z,4", "is not a time between"),
        ("1999-12-31T23:59:59Z,4", "'1999-12-31T23:59:59Z' is not a time between 2000 and 2100"),
        ("2000-01-01T00:30:00+01:00,4", "'2000-01-01T00:30:00+01:00' is not a time between 2000 and 2100"),
        ("9999999999,4", "'9999999999' is not a time between 2000 and 2100"),
        ("2026-03-05T00:00:00Z,4", "is in the future"),
        ("2026-02-20T00:15:00Z,999", "a second count for this interval: 10 before, 999 here"),
        ("2026-02-21T02:00:00Z,4,5", "3 cells where the header has 2"),
        ('2026-02-21T02:00:00Z,"4', "not CSV"),
    ],
)
def test_a_row_is_refused_with_its_line_in_the_same_words(tmp_path: Path, row: str, words: str) -> None:
    answer = both(tmp_path, table() + row + "\n")
    assert answer.counts == EXPECTED
    assert len(answer.refused) == 1
    assert answer.refused[0].startswith(f"{tmp_path / 'counts.csv'}:102: ")
    assert words in answer.refused[0]


@pytest.mark.parametrize("count", [10**15, 4 * 10**15 + 1, 2**53])
def test_a_count_is_read_to_the_last_digit_up_to_the_largest(tmp_path: Path, count: int) -> None:
    answer = both(tmp_path, table() + f"2026-02-21T02:00:00Z,{count}\n")
    assert answer.refused == []
    assert max(answer.counts.values()) == count


def test_a_thousands_point_beside_semicolons_is_no_fraction(tmp_path: Path) -> None:
    file = tmp_path / "counts.csv"
    file.write_text(table(separator=";") + "2026-02-21T02:00:00Z;1.200\n")
    assert scored(file).refused == [f"{file}:102: '1.200' reads two ways, as a fraction and as thousands"]
    assert imported(file).refused == [f"{file}:102: '1.200' is not a whole count"]


def test_an_empty_count_is_a_gap(tmp_path: Path) -> None:
    body = (
        table() + "2026-02-21T01:00:00Z,\n2026-02-21T01:15:00Z,5\n2026-02-21T01:30:00Z,null\n2026-02-21T01:45:00Z,NaN\n"
    )
    answer = both(tmp_path, body)
    assert answer.counts == EXPECTED | {"2026-02-21T01:15:00Z": 5}
    assert not answer.refused


def test_counts_closer_than_a_minute_are_summed_into_bins_that_are_asked_for(tmp_path: Path) -> None:
    answer = both(tmp_path, table(seconds=15), "--bin", "5min")
    full = [sum(TOTALS[20 * i : 20 * i + 20]) for i in range(5)]
    assert list(answer.counts.values()) == full
    assert answer.widths == {300}
    cut = both(tmp_path, table(seconds=15).removesuffix(f",{TOTALS[-1]}\n").rpartition("\n")[0] + "\n", "--bin", "5min")
    assert list(cut.counts.values()) == full[:4], "a bin that was not observed to its end is a gap"


TICKETS = (
    "Id,Subject,Status,Created at,Updated at\n"
    + "".join(f'{i},"cannot, log in",Open,2026-02-20 09:{i:02},2026-02-21 10:00\n' for i in range(0, 60, 2))
    + "99,late,Open,2026-02-20 10:50,2026-02-21 10:00\n"
)


def test_rows_that_are_an_event_each_are_counted_when_asked(tmp_path: Path) -> None:
    answer = both(tmp_path, TICKETS, "--one-row-per-event", "--time-zone", "Europe/Berlin")
    assert answer.widths == {900}
    assert list(answer.counts.items()) == [
        ("2026-02-20T08:00:00Z", 8),
        ("2026-02-20T08:15:00Z", 7),
        ("2026-02-20T08:30:00Z", 8),
        ("2026-02-20T08:45:00Z", 7),
        ("2026-02-20T09:00:00Z", 0),
        ("2026-02-20T09:15:00Z", 0),
        ("2026-02-20T09:30:00Z", 0),
        ("2026-02-20T09:45:00Z", 1),
    ]
    hourly = both(tmp_path, TICKETS, "--one-row-per-event", "--time-zone", "Europe/Berlin", "--bin", "1h")
    assert hourly.counts | {"2026-02-20T08:00:00Z": 30, "2026-02-20T09:00:00Z": 1} == hourly.counts


def test_a_ticket_whose_subject_goes_on_over_lines_is_one_row(tmp_path: Path) -> None:
    head, *rows = TICKETS.splitlines()
    body = "\n".join(
        [head, *rows[:3], '7,"cannot\n\nlog in ""at all""",Open,2026-02-20 09:07,x', '8,a "b,Open,y,x', *rows[3:]]
    )
    answer = both(tmp_path, body + "\n", "--one-row-per-event", "--time-zone", "Europe/Berlin")
    assert answer.counts["2026-02-20T08:00:00Z"] == 9
    assert [line.split(": ")[0].rpartition(":")[2] for line in answer.refused] == ["8"]


def test_a_local_time_that_comes_twice_or_never_is_refused(tmp_path: Path) -> None:
    stamps = ("2025-10-26 02:30", "2025-03-30 02:30", "2025-10-26 04:30", "2025-10-26 04:45")
    body = TICKETS.splitlines()[0] + "\n" + "".join(f"{i},a,Open,{at},x\n" for i, at in enumerate(stamps))
    answer = both(tmp_path, body, "--one-row-per-event", "--time-zone", "Europe/Berlin")
    assert [line.partition(": ")[2] for line in answer.refused] == [
        "'2025-10-26 02:30' comes twice or never in Europe/Berlin, where the clocks change",
        "'2025-03-30 02:30' comes twice or never in Europe/Berlin, where the clocks change",
    ]
    assert answer.counts == {"2025-10-26T03:30:00Z": 1, "2025-10-26T03:45:00Z": 1}


def test_a_series_of_few_rows_has_the_interval_of_the_others(tmp_path: Path) -> None:
    file = tmp_path / "counts.csv"
    rows = [f"{at},all,{n}" for at, n in EXPECTED.items()] + [
        "2026-02-20T03:00:00Z,few,4",
        "2026-02-20T06:00:00Z,few,5",
    ]
    file.write_text("\n".join(["timestamp_utc,series,value", *rows]) + "\n")
    assert imported(file).widths == {900}
    printed, _ = invoke("score", file, "--series", "few")
    assert [row["bin_start"][11:16] for row in csv.DictReader(io.StringIO(printed))][:2] == ["03:00", "03:15"]


def test_a_series_that_differs_keeps_its_own_interval(tmp_path: Path) -> None:
    file = tmp_path / "counts.csv"
    hours = [f"{START + timedelta(hours=i):%Y-%m-%dT%H:%M:%SZ},hourly,4" for i in range(24)]
    rows = [f"{at},all,{n}" for at, n in EXPECTED.items()]
    file.write_text("\n".join(["timestamp_utc,series,value", *rows, *hours]) + "\n")
    assert imported(file).widths == {900, 3600}


def test_rows_that_come_a_little_late_are_still_regular(tmp_path: Path) -> None:
    late = [f"{START + timedelta(seconds=900 * i + i * 37 % 50):%Y-%m-%dT%H:%M:%SZ},{n}" for i, n in enumerate(TOTALS)]
    file = tmp_path / "counts.csv"
    file.write_text("\n".join(["timestamp_utc,value", *late]) + "\n")
    assert imported(file).widths == {900}
    assert scored(file).counts == EXPECTED


def test_a_service_that_the_catalogue_lacks_is_refused_by_its_row_or_taken_as_new(tmp_path: Path) -> None:
    file = tmp_path / "counts.csv"
    file.write_text(
        "service,ts,count\nClaude,2026-02-20T00:00:00Z,1\nCLAUDE,2026-02-20T00:15:00Z,2\n"
        "claud,2026-02-20T00:00:00Z,3\nclaud,2026-02-20T00:15:00Z,4\n"
    )

    def run(*options: str) -> tuple[int, str, str]:
        done = CliRunner().invoke(
            import_counts, [str(file), "--now", NOW.isoformat(), "--db", str(tmp_path / "x.db"), *options]
        )
        return done.exit_code, done.stdout, done.stderr

    code, printed, complaint = run()
    assert (code, printed) == (3, "2 rows seen, 2 new, 2 refused\n")
    assert f"{file}:4: 'claud' is not in the catalogue; near: claude" in complaint
    code, printed, complaint = run("--new")
    assert (code, printed) == (0, "4 rows seen, 2 new, 0 refused\n")
    assert "new: claud; watched with a [services.<id>] table" in complaint
    with sqlite3.connect(tmp_path / "x.db") as conn:
        assert conn.execute("SELECT service, sum(total) FROM complaint_counts GROUP BY 1").fetchall() == [
            ("claud", 7),
            ("claude", 3),
        ]
    file.write_text("service,ts,count\nno/service,2026-02-20T00:00:00Z,1\nMy Shop,2026-02-20T00:15:00Z,1\n")
    code, _, complaint = run("--new", "--interval", "900")
    assert code == 3
    assert "not a usable name" in complaint
    assert "'My Shop' is no id of a new service" in complaint


def test_a_service_under_two_names_in_one_interval_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "counts.csv"
    file.write_text("service,ts,count\nClaude,2026-02-20T00:00:00Z,1\nclaude,2026-02-20T00:00:00Z,1\n")
    done = CliRunner().invoke(
        import_counts, [str(file), "--now", NOW.isoformat(), "--db", str(tmp_path / "x.db"), "--interval", "1h"]
    )
    assert done.exit_code == 3
    assert f"{file}:3: the service under two names: 'Claude' before, 'claude' here" in done.stderr


def test_a_series_is_the_service_where_no_other_column_names_it(tmp_path: Path) -> None:
    file = tmp_path / "counts.csv"
    file.write_text(table(header='"Series";"Time";"Value"', separator=";").replace("\n20", "\nclaude;20"))
    done = CliRunner().invoke(import_counts, [str(file), "--now", NOW.isoformat(), "--db", str(tmp_path / "x.db")])
    assert (done.exit_code, done.stdout) == (0, "100 rows seen, 100 new, 0 refused\n")
    file.write_text(table())
    done = CliRunner().invoke(import_counts, [str(file), "--now", NOW.isoformat(), "--db", str(tmp_path / "x.db")])
    assert "needs a column service, or --service" in str(done.exception)


@pytest.mark.parametrize(
    ("written", "time_format"),
    [
        ("11/20/2025 12:{:02} AM", "%m/%d/%Y %I:%M %p"),
        ("20/11/2025 00:{:02}", "%d/%m/%Y %H:%M"),
        ("11-20-2025, 3:{:02}:00pm", "%m-%d-%Y, %I:%M:%S%p"),
        ("11/20/25 09:{:02}", "%m/%d/%y %H:%M"),
    ],
)
def test_a_date_that_reads_one_way_only_is_refused_in_one_line_with_its_format(
    tmp_path: Path, written: str, time_format: str
) -> None:
    rows = "".join(f'"{written.format(minute)}",{minute}\n' for minute in range(0, 60, 2))
    reason = f"a time that is not as 2026-03-02T11:37:00Z; --time-format '{time_format}' reads it (and 29 more rows)"
    assert both(tmp_path, table() + rows).refused == [f"{tmp_path / 'counts.csv'}:102: {reason}"]
    answer = both(tmp_path, f"time,total\n{rows}", "--time-format", time_format, "--time-zone", "UTC")
    assert list(answer.counts.values()) == list(range(0, 60, 2))


@pytest.mark.parametrize(("written", "words"), [("10/11/26 00:00", "reads two ways"), ("31/31/2026", "is no day of")])
def test_a_date_of_several_orders_or_of_none_is_said_to_be_so(tmp_path: Path, written: str, words: str) -> None:
    answer = both(tmp_path, table() + f"{written},4\n")
    assert words in answer.refused[0]
