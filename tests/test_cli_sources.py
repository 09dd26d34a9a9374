"""Commands around the sources, as a user runs them: collect, doctor, service, import, record, purge, stand-ins."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import zstandard

from pipeline.commands.common import Setting
from pipeline.commands.stage import live_pipeline
from pipeline.config.load import load_config
from pipeline.core.times import iso, utc
from pipeline.sources.archive import parse_posts_csv
from pipeline.stages.pipeline import Stage
from pipeline.store import Store
from pipeline.store.observations import save_batch
from tests.conftest import ROOT, Groundswell
from tests.copies import replace
from tests.fakes import faults
from tests.fakes.recording import Recording
from tests.upstreams import KEYS, NOW, serving

QUIET = (
    "statuspage = false\nhacker_news = false\ndownstatus = false\ngoogle_news = false\nnews_desks = false\n"
    'allow_hosts = ["127.0.0.1"]\n'
)
SECRETS = ("reddit-secret", "dd-secret", "app-password")


def write(folder: Path, sources: str) -> None:
    (folder / "groundswell.toml").write_text(f'watch = ["claude"]\n[sources]\n{QUIET}{sources}\n')


def counted(folder: Path, sql: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(folder / "groundswell.db") as conn:
        return conn.execute(sql).fetchall()


def test_collect_reads_what_is_named_and_as_far_back_as_asked(groundswell: Groundswell, tmp_path: Path) -> None:
    with serving("charts") as fake, serving("mastodon") as other:
        write(tmp_path, f'charts = ["us"]\ncharts_base = "{fake.url}"\nmastodon = ["{other.url}"]')
        done = groundswell("collect", "--now", iso(NOW), "--source", "charts")
        assert (done.returncode, done.stdout) == (0, "1 source read, 10 rows seen, 10 new, 0 refused\n")
        assert not other.requests
        since = iso(NOW - timedelta(minutes=20))
        done = groundswell("collect", "--now", iso(NOW), "--source", "mastodon:127.0.0.1", "--since", since)
        assert done.returncode == 0
        assert min(row[0] for row in counted(tmp_path, "SELECT created FROM posts")) >= since
        done = groundswell("collect", "--source", "mastodom")
        assert (done.returncode, "nothing configured is called mastodom" in done.stderr) == (2, True)


def test_doctor_asks_for_real_says_what_to_do_and_shows_no_secret(groundswell: Groundswell, tmp_path: Path) -> None:
    with serving("reddit") as reddit, serving("charts") as charts, serving("downdetector") as counts:
        write(
            tmp_path,
            f'charts = ["us"]\ncharts_base = "{charts.url}"\nreddit_base = "{reddit.url}"\n'
            f'downdetector_base = "{counts.url}/v2"\nbluesky = false',
        )
        done = groundswell("doctor", "--now", iso(NOW), env=KEYS)
        assert done.returncode == 0, done.stdout
        for name in ("reddit", "charts:us", "downdetector:claude"):
            assert f"ok    {name}" in done.stdout
        assert not (tmp_path / "groundswell.db").exists(), "a look changes nothing"
        wrong = {**KEYS, "GROUNDSWELL_REDDIT_CLIENT_SECRET": "mistyped-secret"}
        charts.spoil(faults.FAULTS["block page"])
        done = groundswell("doctor", "--now", iso(NOW), env=wrong)
        assert done.returncode == 3
        assert "blocked: its key is not accepted" in done.stdout
        assert "https://www.reddit.com/prefs/apps" in done.stdout
        assert "answered with a web page" in done.stdout
        assert not any(secret in done.stdout + done.stderr for secret in (*SECRETS, "mistyped-secret"))
        told = json.loads(
            groundswell("doctor", "--json", "--offline", env={"GROUNDSWELL_REDDIT_CLIENT_ID": "x"}).stdout
        )
        half = [f["words"] for f in told["findings"] if f["what"] == "reddit"]
        assert half == ["half a key: GROUNDSWELL_REDDIT_CLIENT_SECRET is not set"]
    (tmp_path / "groundswell.db").write_bytes(b"not a database" * 100)
    assert groundswell("doctor", "--offline").returncode == 1


def test_service_show_says_which_sources_cover_it_and_which_do_not(groundswell: Groundswell, tmp_path: Path) -> None:
    write(tmp_path, 'charts = ["us"]')
    done = groundswell("service", "show", "Claude")
    assert "covered  app charts     Claude by Anthropic" in done.stdout
    assert "not      Reddit         no key" in done.stdout
    assert "not      status page" in done.stdout
    assert json.loads(groundswell("service", "show", "claude", "--json").stdout)["service"] == "claude"
    done = groundswell("service", "show", "clau")
    assert (done.returncode, "near: claude" in done.stderr) == (2, True)


def test_posts_of_every_kind_of_file_are_imported(groundswell: Groundswell, tmp_path: Path) -> None:
    lines = [
        {
            "id": f"a{i}",
            "title": "Claude is down",
            "selftext": "",
            "author": "x",
            "subreddit": "ClaudeAI",
            "created_utc": 1772440000 + i,
        }
        for i in range(12_000)
    ]
    packed = zstandard.ZstdCompressor().compress("\n".join(map(json.dumps, lines)).encode())
    (tmp_path / "RS.zst").write_bytes(packed)
    (tmp_path / "cut.zst").write_bytes(packed[:-200])
    (tmp_path / "posts.csv").write_text(
        "id,created_utc,text,title,author\n1,2026-03-02T11:00:00Z,cannot log in,Claude down,me\n2,,x,,\n"
    )
    done = groundswell("import", "posts", "RS.zst", "--now", iso(NOW))
    assert (done.returncode, done.stdout) == (0, "12000 rows seen, 12000 new, 0 refused\n")
    assert groundswell("import", "posts", "RS.zst", "--now", iso(NOW)).stdout == "12000 rows seen, 0 new, 0 refused\n"
    done = groundswell("import", "posts", "cut.zst", "--now", iso(NOW))
    assert (done.returncode, "breaks off" in done.stderr) == (3, True)
    done = groundswell("import", "posts", "posts.csv", "--now", iso(NOW))
    assert (done.returncode, done.stdout) == (3, "1 row seen, 1 new, 1 refused\n")
    assert "posts.csv:3" in done.stderr
    assert counted(tmp_path, "SELECT since, until FROM coverage") == [("2026-03-02T08:26:40Z", "2026-03-02T11:47:39Z")]
    assert counted(tmp_path, "SELECT count(*) FROM alerts") == [(0,)]


def test_archives_of_incidents_and_counts_by_name_are_imported(groundswell: Groundswell, tmp_path: Path) -> None:
    (tmp_path / "i.csv").write_text(
        "id,name,impact,started_at,created_at,resolved_at,components\na,One,major,2026-02-01T10:00:00Z,2026-02-01T16:00:00Z,2026-02-01T11:00:00Z,claude.ai\n"
    )
    assert groundswell("import", "incidents", "i.csv", "--service", "claude", "--now", iso(NOW)).returncode == 0
    late = counted(tmp_path, "SELECT status, created_at > displayed_at FROM status_updates ORDER BY update_id")
    assert late == [("investigating", 1), ("resolved", 1)]
    assert groundswell("import", "incidents", "i.csv", "--service", "nobody").returncode == 2
    (tmp_path / "c.ndjson").write_text(
        '{"ts":"2026-03-02T10:00:00Z","count":5}\n{"ts":"2026-03-02T10:15:00Z","count":6}\n'
    )
    done = groundswell("import", "counts", "c.ndjson", "--service", "Claude", "--now", iso(NOW))
    assert (done.returncode, done.stdout) == (0, "2 rows seen, 2 new, 0 refused\n")
    assert "900 s" in done.stderr
    assert counted(tmp_path, "SELECT DISTINCT service FROM complaint_counts") == [("claude",)]


def test_purge_asks_reddit_and_keeps_the_count(groundswell: Groundswell, tmp_path: Path) -> None:
    recording = Recording()
    recording.posts_made = [
        {
            "id": f"p{i}",
            "title": "Claude is down for me",
            "selftext": f"cannot log in {i}",
            "author": f"u{i}",
            "subreddit": "ClaudeAI",
            "created_utc": NOW.timestamp() - 60 * i,
        }
        for i in range(1, 8)
    ]
    with serving("reddit", recording=recording) as fake:
        write(tmp_path, f'reddit_base = "{fake.url}"\ndowndetector = false\nbluesky = false')
        assert groundswell("run", "--now", iso(NOW), env=KEYS).returncode == 0
        before = counted(tmp_path, "SELECT count(*), sum(weight) FROM votes")
        assert before[0][0] == 7
        recording.posts_made[2] |= {"selftext": "[deleted]", "author": "[deleted]"}
        done = groundswell("purge", "--now", iso(NOW), env=KEYS)
        assert (done.returncode, done.stdout) == (
            0,
            "reddit: 7 of 7 posts asked about, 1 taken away there and now here\n",
        )
        assert counted(tmp_path, "SELECT title, text, author_key, url FROM posts WHERE deleted = 1") == [
            ("", "", "", "")
        ]
        assert counted(tmp_path, "SELECT count(*), sum(weight) FROM votes") == before
        found = counted(tmp_path, "SELECT count(*) FROM posts_fts WHERE posts_fts MATCH 'cannot'")
        assert found == [(6,)]
        done = groundswell("purge", "--older-than", "0s", "--now", iso(NOW), env=KEYS)
        assert "6 posts older than 0s forgotten" in done.stdout
    assert groundswell("purge", "--now", iso(NOW)).returncode in (0, 3)


def test_what_was_deleted_stays_deleted(tmp_path: Path) -> None:
    from pipeline.core.records import Batch, Post
    from pipeline.store import Store
    from pipeline.store.observations import save_batch
    from pipeline.store.retention import forget

    post = Post(
        source="reddit",
        native_id="t3_a",
        kind="post",
        community="c",
        author_key="k",
        author_created=None,
        created=NOW,
        collected=NOW,
        edited=NOW,
        title="T",
        text="words",
        url="https://x",
    )
    with Store(tmp_path / "groundswell.db") as store:

        def stored(row: Post) -> tuple[object, ...]:
            save_batch(store, Batch(source="reddit", rows=(row,)), NOW)
            return tuple(store.rows("SELECT text, author_key, url, deleted FROM posts")[0])

        assert stored(post) == ("words", "k", "https://x", 0)
        gone = replace(post, deleted=True, title="", text="", author_key="", url="", edited=None)
        assert stored(gone) == ("", "", "", 1)
        assert stored(post) == ("", "", "", 1), "an archive offered again brings nothing back"
        save_batch(store, Batch(source="reddit", rows=(replace(post, native_id="t3_b"),)), NOW)
        assert forget(store, "reddit", ["t3_b"]) == 1


def test_the_stand_ins_run_by_hand() -> None:
    server = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "tests.fakes",
            "downstatus",
            "--scenario",
            str(ROOT / "data/scenarios/2026-03-02-claude"),
            "--now",
            iso(NOW),
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout is not None
        line = server.stdout.readline()
        url = line.split()[2].rstrip(",")
        from pipeline.http.session import HttpClient

        def reports() -> int:
            with HttpClient(allow=["127.0.0.1"]).session_for("s", {}, NOW, limit=9) as session:
                return int(
                    json.loads(session.fetch(f"{url}/api/v1/status/claude").body or b"")["data"]["report_count_1h"]
                )

        first = reports()
        with HttpClient(allow=["127.0.0.1"]).session_for("s", {}, NOW) as session:
            session.post(f"{url}/__clock", data=iso(NOW + timedelta(hours=2)).encode())
            assert [r[1] for r in json.loads(session.fetch(f"{url}/__requests").body or b"")] == [
                "/api/v1/status/claude"
            ]
        assert reports() != first
    finally:
        server.kill()
        server.communicate()


def test_a_quiet_run_leaves_what_was_read_as_it_was(tmp_path: Path) -> None:
    lines = ["id,created_utc,text,title,author"]
    lines += [f"t{n},2026-03-02T11:{n:02d}:00Z,cannot log in to claude.ai,Claude is down for me,u{n}" for n in range(5)]
    batch = parse_posts_csv("\n".join(lines).encode(), source="reddit", fetched_at=utc("2026-03-02T12:00:00Z"))
    told = []
    with Store(tmp_path / "x.db") as store:
        save_batch(store, batch, utc("2026-03-02T12:00:00Z"))
        for clock in ("12:00", "12:05", "12:10"):
            now = utc(f"2026-03-02T{clock}:00Z")
            setting = Setting(config=load_config(None, {}), config_path=None, db=tmp_path / "x.db", now=now)
            (run,) = live_pipeline(setting, store).run(now, (Stage.TAG,))
            assert run.outcome == "ok"
            told.append(
                [
                    [tuple(r) for r in store.rows(f"SELECT * FROM {table} ORDER BY 1, 2, 3")]
                    for table in ("post_tags", "votes")
                ]
            )
    assert len(told[0][0]) == 5
    assert told[0] == told[1] == told[2]
