"""Backfill: the same rows with every engine and every split of the archives, read once and kept after failures."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest
import zstandard

from tests.conftest import ROOT, Groundswell

pytest.importorskip("pyarrow", reason="pip install -e '.[scale]'")
pytest.importorskip("distributed", reason="pip install -e '.[scale]'")

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.config.load import load_catalogue
from pipeline.core.errors import SourceError, StoreError
from pipeline.core.times import utc
from pipeline.scale.counts import count_table
from pipeline.scale.inputs import parts_of, post_batches
from pipeline.sources.archive import parse_posts_csv
from pipeline.store import Store
from pipeline.store.bulk import put_rows
from pipeline.store.counts import StoredCount
from pipeline.text.mention_prefilter import MentionPrefilter
from tests.archives import NOW, backfill, rows_of, write_counts, write_posts

HOME = MentionPrefilter(load_catalogue())  # r/ClaudeAI is a service's own: no post of it is passed over


@pytest.fixture
def archives(tmp_path: Path) -> Path:
    write_posts(tmp_path / "posts.ndjson")
    write_counts(tmp_path / "counts.parquet")
    return tmp_path


@pytest.mark.slow
def test_it_says_what_import_tag_and_detect_say(groundswell: Groundswell, archives: Path) -> None:
    done = backfill(groundswell, "out")
    assert done.returncode == 0, done.stderr
    shutil.copy(archives / "out.db.salt", archives / "live.db.salt")  # else an author has another key in each database
    for command in (("import", "posts", "posts.ndjson"), ("tag",), ("detect",)):
        assert groundswell(*command, "--now", NOW, "--db", "live.db").returncode == 0
    one, two = rows_of(archives / "out.db"), rows_of(archives / "live.db")
    about = {row[:2] for row in one["post_tags"]}
    assert len(about) > 300
    assert one["posts"] == [r for r in two["posts"] if r[:2] in about]
    for table in ("post_tags", "votes", "coverage"):
        assert one[table] == two[table], table
    votes = [row for row in one["verdicts"] if "/votes/" in str(row[0])]
    live = [row for row in two["verdicts"] if "/votes/" in str(row[0])]
    assert len(votes) == len(live) > 50
    for mine, theirs in zip(votes, live, strict=True):
        assert (mine[:2], mine[7:]) == (theirs[:2], theirs[7:])
        numbers = zip(mine[2:7], theirs[2:7], strict=True)
        assert all(a is b or math.isclose(float(a), float(b), abs_tol=2e-4) for a, b in numbers)  # type: ignore[arg-type]
    assert max(row[8] for row in votes) == 1, "the hour of failed logins is seen"


@pytest.mark.slow
def test_counts_are_judged_as_the_database_judges_them(groundswell: Groundswell, tmp_path: Path) -> None:
    rows = ["service,start_utc,interval_s,region,indicator,total"]
    for n in range(300):
        at = f"2026-02-{20 + n // 96:02d}T{n % 96 // 4:02d}:{n % 4 * 15:02d}:00Z"
        rows += [f"github,{at},900,{region},,{n % 5 + extra}" for region, extra in (("US", 2), ("DE", 1))]
        rows += [f"netflix,{at},900,,,{n % 4}", f"netflix,{at},900,,login,{n % 2}"]
    (tmp_path / "c.csv").write_text("\n".join(rows) + "\n")
    assert (
        groundswell("backfill", "out", "--counts", "c.csv", "--now", NOW, "--into-db", "--db", "one.db").returncode == 0
    )
    assert groundswell("import", "counts", "c.csv", "--now", NOW, "--db", "two.db").returncode == 0
    assert groundswell("detect", "--now", NOW, "--db", "two.db").returncode == 0
    one, two = rows_of(tmp_path / "one.db"), rows_of(tmp_path / "two.db")
    named = [
        [str(cell).replace("counts:c.csv", "counts:archive") if isinstance(cell, str) else cell for cell in row]
        for row in two["verdicts"]
    ]
    assert [list(row) for row in one["verdicts"]] == sorted(named, key=lambda r: repr(tuple(r)))
    assert len(one["complaint_counts"]) == 1200


@pytest.mark.slow
def test_a_second_run_does_nothing_again_and_a_new_archive_adds_its_part(
    groundswell: Groundswell, archives: Path
) -> None:
    assert "read now" in backfill(groundswell, "out").stdout
    before = {path: path.stat().st_mtime_ns for path in (archives / "out").rglob("*.parquet")}
    done = backfill(groundswell, "out")
    assert "0 read now" in done.stdout
    assert done.stdout.endswith("out.db: 0 rows new\n")
    assert {path: path.stat().st_mtime_ns for path in (archives / "out").rglob("*.parquet")} == before
    write_posts(archives / "more.ndjson", 50, first=600)
    done = backfill(groundswell, "out", "--posts", "more.ndjson")
    assert "1 read now" in done.stdout
    assert len(rows_of(archives / "out.db")["coverage"]) == 1


def test_the_cut_of_lines_loses_and_doubles_none(tmp_path: Path) -> None:
    write_posts(tmp_path / "posts.ndjson", 200)
    size = (tmp_path / "posts.ndjson").stat().st_size
    for bite in (97, 1000, size - 1, size, size + 1):
        parts = parts_of("posts", [str(tmp_path / "posts.ndjson")], "m", bite)
        ids = [
            row.native_id
            for part in parts
            for batch in post_batches(part, fetched_at=utc(NOW), salt=b"", prefilter=HOME)
            for row in batch.posts
        ]
        assert sorted(ids) == sorted(f"t3_p{n}" for n in range(200)), bite


def test_every_form_of_posts_holds_the_same(tmp_path: Path) -> None:
    write_posts(tmp_path / "a.ndjson", 40)
    raw = (tmp_path / "a.ndjson").read_bytes()
    (tmp_path / "a.zst").write_bytes(zstandard.ZstdCompressor().compress(raw))
    told = [json.loads(line) for line in raw.splitlines()]
    cells = {"id": [t["id"] for t in told], "text": [t["selftext"] for t in told], "title": [t["title"] for t in told]}
    pq.write_table(
        pa.table({**cells, "created_utc": pa.array([t["created_utc"] for t in told]).cast(pa.timestamp("s", "UTC"))}),
        tmp_path / "a.parquet",
    )
    lines = [
        "id,created_utc,text,title",
        *(f'{t["id"]},{t["created_utc"]},"{t["selftext"]}",{t["title"]}' for t in told),
    ]
    (tmp_path / "a.csv").write_text("\n".join(lines) + "\n")
    found = {}
    for form in ("ndjson", "zst", "parquet", "csv"):
        (part,) = parts_of("posts", [str(tmp_path / f"a.{form}")], "m")
        found[form] = [
            (r.title, r.text, r.created)
            for b in post_batches(part, fetched_at=utc(NOW), salt=b"", prefilter=HOME)
            for r in b.posts
        ]
    assert found["ndjson"] == found["zst"] == found["parquet"] == found["csv"]
    assert len(found["csv"]) == 40


@pytest.mark.slow
def test_what_cannot_be_read_is_one_line_each_and_the_rest_is_kept(groundswell: Groundswell, archives: Path) -> None:
    packed = zstandard.ZstdCompressor().compress((archives / "posts.ndjson").read_bytes())
    (archives / "cut.zst").write_bytes(packed[: len(packed) // 2])
    (archives / "bad.parquet").write_bytes((archives / "counts.parquet").read_bytes()[:2000])
    pq.write_table(pa.table({"service": ["x"], "count": [1]}), archives / "no.parquet")
    never = backfill(groundswell, "out", "--counts", "bad.parquet")
    assert never.returncode == 1, never.stderr
    assert len(never.stderr.splitlines()) == 1
    assert "not a whole Parquet file" in never.stderr
    partly = backfill(groundswell, "out", "--posts", "cut.zst", "--counts", "no.parquet")
    assert partly.returncode == 3, partly.stderr
    assert "breaks off within its packed data" in partly.stderr
    assert "needs the columns service, start_utc, total" in partly.stderr
    assert "Traceback" not in partly.stderr
    done = backfill(groundswell, "out")
    assert done.returncode == 0, done.stderr
    assert "0 read now" in done.stdout, "what was finished is kept"
    assert len(rows_of(archives / "out.db")["votes"]) > 300


@pytest.mark.slow
def test_a_full_disk_is_one_line_and_a_later_run_completes(archives: Path) -> None:
    limit = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (6000, 6000));"
    )
    code = limit + "import sys; from pipeline.__main__ import main; sys.argv = ['groundswell', *sys.argv[1:]]; main()"
    args = ["backfill", "out", "--posts", "posts.ndjson", "--counts", "counts.parquet", "--new", "--now", NOW]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    full = subprocess.run(
        [sys.executable, "-c", code, *args], cwd=archives, env=env, capture_output=True, text=True, timeout=200
    )
    assert full.returncode in (1, 3), full.stderr
    assert "Traceback" not in full.stderr, full.stderr[-1500:]
    assert "cannot be written" in full.stderr
    assert not list((archives / "out").rglob("_aside/*/*/*")), "nothing half written is left"
    free = subprocess.run(
        [sys.executable, "-m", "pipeline", *args], cwd=archives, env=env, capture_output=True, text=True, timeout=200
    )
    assert free.returncode == 0, free.stderr


@pytest.mark.slow
def test_wrong_use_is_one_line(groundswell: Groundswell, tmp_path: Path) -> None:
    for args, words in (
        (("out",), "nothing to read"),
        (("out", "--posts", "absent.ndjson"), "cannot be read"),
        (("out", "--posts", ".", "--scheduler", "tcp://x:1"), "only for --engine dask"),
    ):
        done = groundswell("backfill", *args)
        assert (done.returncode in (1, 2, 3), words in done.stderr, "Traceback" in done.stderr) == (
            True,
            True,
            False,
        ), done.stderr
    done = groundswell("sql", "--parquet", ".", "select 1")
    assert "holds no Parquet tables" in done.stderr


def test_a_refused_row_of_parquet_is_named_by_file_and_row_whatever_its_row_group(
    groundswell: Groundswell, tmp_path: Path
) -> None:
    starts = [utc(f"2026-03-01T{hour:02d}:00:00Z") for hour in range(8)]
    counts = {
        "service": ["claude"] * 4 + ["cla/ude"] + ["claude"] * 3,
        "start_utc": [*starts[:7], utc("2026-03-09T00:00:00Z")],
        "total": [3, -1, 3, 3, 3, None, 3, 3],
        "interval_s": [3600, 3600, 10, *[3600] * 5],
    }
    pq.write_table(pa.table(counts), tmp_path / "c.parquet", row_group_size=3)
    posts = {
        "id": ["a", "", "c", "d", ""],
        "created_utc": starts[:5],
        "text": ["claude is down"] * 5,
        "author": ["secret_name"] * 5,
    }
    pq.write_table(pa.table(posts), tmp_path / "p.parquet", row_group_size=2)
    command = ("backfill", "out", "--counts", "c.parquet", "--posts", "p.parquet", "--new", "--now", NOW)
    done = groundswell(*command)
    assert done.returncode == 3, done.stderr
    assert done.stderr.splitlines() == [
        "groundswell: backfill: p.parquet:2: no id",
        "groundswell: backfill: p.parquet:5: no id",
        "groundswell: backfill: c.parquet:2: total: missing, or below zero",
        "groundswell: backfill: c.parquet:3: interval_s: not from 60 to 86400",
        "groundswell: backfill: c.parquet:5: service: not a usable name",
        "groundswell: backfill: c.parquet:6: total: missing, or below zero",
        "groundswell: backfill: c.parquet:8: start_utc: lies ahead",
    ]
    assert "7 refused" in done.stdout
    assert not any("secret_name" in path.read_text() for path in (tmp_path / "out").glob("_done/*.json"))
    again = groundswell(*command)
    assert (again.returncode, again.stderr) == (3, ""), "what was read before is not named again"
    assert "0 read now" in again.stdout
    assert "7 refused" in again.stdout


def test_of_many_refused_rows_the_first_are_named_and_the_others_counted(
    groundswell: Groundswell, tmp_path: Path
) -> None:
    lines = ["service,start_utc,interval_s,total", *(f"claude,2026-03-01T00:00:00Z,900,-{n}" for n in range(1, 31))]
    (tmp_path / "c.csv").write_text("\n".join(lines) + "\n")
    done = groundswell("backfill", "out", "--counts", "c.csv", "--now", NOW)
    assert done.returncode == 3, done.stderr
    named = done.stderr.splitlines()
    assert len(named) == 21
    assert named[0].startswith("groundswell: backfill: c.csv:2: ")
    assert named[-1] == "groundswell: backfill: 10 more rows refused"


@pytest.mark.parametrize("first", ["1969-12-31T23:45:00Z", "1985-01-01T00:00:00Z", "1999-12-31T23:45:00Z"])
def test_counts_before_2000_are_refused_by_their_row_as_in_a_file(tmp_path: Path, first: str) -> None:
    moments = [utc("2026-03-01T00:00:00Z"), datetime.fromisoformat(first), utc("2000-01-01T00:00:00Z")]
    table = {"service": ["claude"] * 3, "start_utc": pa.array(moments, pa.timestamp("us", "UTC")), "total": [1, 2, 3]}
    pq.write_table(pa.table(table), tmp_path / "c.parquet")
    lines = [f"claude,{moment.isoformat()},900,{n}" for n, moment in enumerate(moments, 1)]
    (tmp_path / "c.csv").write_text("\n".join(["service,start_utc,interval_s,total", *lines]) + "\n")
    for name, reason in (("c.parquet", "c.parquet:2: start_utc: before 2000"), ("c.csv", "is not a time between 2000")):
        (part,) = parts_of("counts", [str(tmp_path / name)], "m")
        found = count_table(part, fetched_at=utc(NOW), resolve=str)
        assert found.table["start"].to_pylist() == ["2026-03-01T00:00:00Z", "2000-01-01T00:00:00Z"]
        assert found.refused == 1
        assert reason in found.refusals[0]


def test_a_count_of_an_older_backfill_that_cannot_be_stored_is_one_line(store: Store) -> None:
    row = ("claude", "x", "", "", "1985-01-01T00:00:00Z", 900, 1, None, "interval", NOW)
    with pytest.raises(StoreError, match=r"a row of complaint_counts cannot be stored: '1985.*between 2000 and 2100"):
        put_rows(store, "complaint_counts", StoredCount._fields, [row])


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_counts_of_a_service_that_the_catalogue_lacks_are_refused_with_the_nearest_or_taken(
    groundswell: Groundswell, tmp_path: Path, form: str
) -> None:
    names = ["claude", "Claude AI", "cloude", "mine"]
    table = {"service": names, "start_utc": ["2026-03-01T00:00:00Z"] * 4, "total": [1, 2, 3, 4]}
    if form == "parquet":
        pq.write_table(pa.table({**table, "interval_s": [900, 1800, 900, 900]}), tmp_path / "c.parquet")
    else:
        lines = [f"{name},2026-03-01T00:00:00Z,{900 * (1 + (n == 1))},{n + 1}" for n, name in enumerate(names)]
        (tmp_path / "c.csv").write_text("\n".join(["service,start_utc,interval_s,total", *lines]) + "\n")
    command = ("backfill", "out", "--counts", f"c.{form}", "--now", NOW)
    done = groundswell(*command)
    assert done.returncode == 3, done.stderr
    assert "2 rows, 2 refused" in done.stdout
    assert "'cloude' is not in the catalogue; near: icloud, claude" in done.stderr
    assert "--new takes it" in done.stderr
    taken = groundswell(*command, "--new", "--into-db", "--db", "x.db")
    assert "4 rows, 0 refused" in taken.stdout, taken.stderr
    counted = rows_of(tmp_path / "x.db")["complaint_counts"]
    assert sorted(str(row[0]) for row in counted) == ["claude", "claude", "cloude", "mine"]


def test_each_row_of_an_archive_is_counted_as_read_refused_or_repeated(
    groundswell: Groundswell, tmp_path: Path
) -> None:
    post = {"id": "a", "created_utc": 1772000000, "title": "hello", "selftext": "", "author": "u", "subreddit": "s"}
    lines = [json.dumps(post), json.dumps(post), '"str"', json.dumps({**post, "id": "b"})]
    (tmp_path / "p.ndjson").write_text("\n".join(lines) + "\n")
    for command, count in (
        (("import", "posts", "p.ndjson"), "2 rows seen, 2 new, 1 refused, 1 repeated\n"),
        (("backfill", "out", "--posts", "p.ndjson"), "1 part, 1 read now, 2 rows, 1 refused, 1 repeated\n"),
    ):
        done = groundswell(*command, "--now", NOW)
        assert done.returncode == 3, done.stderr
        assert done.stderr.endswith(":3: not an object\n")
        assert count in done.stdout


def test_a_folder_is_read_without_what_a_backfill_has_written_there(tmp_path: Path) -> None:
    for name in ("a.ndjson", "months/b.csv", "_done/c.json", "out/_begun.json", "out/posts/service=x/d.parquet"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}\n")
    assert [part.file for part in parts_of("posts", [str(tmp_path)], "m")] == ["a.ndjson", "b.csv"]
    with pytest.raises(SourceError, match="holds no"):
        parts_of("posts", [str(tmp_path / "out")], "m")


def test_a_csv_of_posts_without_a_column_says_which_is_missing() -> None:
    with pytest.raises(SourceError, match=r"and has no created_utc, but id, time, text$"):
        parse_posts_csv(b"id,time,text\na,1772000000,x\n", source="file", fetched_at=utc(NOW))
