"""Commands as a user runs them: in a folder of their own, without network, with the exit codes the docs promise."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from filelock import FileLock

from pipeline.core.times import utc
from pipeline.store import Store
from tests.conftest import ROOT, Groundswell
from tests.fakes.base import Fake
from tests.fakes.recording import Recording
from tests.upstreams import serving

OFFLINE = """
watch = ["claude", "github"]
[sources]
statuspage_base = "http://127.0.0.1:9"
hacker_news_base = "http://127.0.0.2:9"
downstatus_base = "http://127.0.0.3:9"
google_news_base = "http://127.0.0.4:9"
feeds = ["http://127.0.0.5:9/feed.xml"]
news_desks = false
allow_hosts = ["127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"]
"""
UPSTREAMS = {
    "statuspage": "statuspage_base",
    "hacker_news": "hacker_news_base",
    "downstatus": "downstatus_base",
    "google_news": "google_news_base",
    "feeds": "",
}


@contextmanager
def upstreams(folder: Path, recording: Recording, now: str = "2026-03-02T12:00:00Z") -> Iterator[dict[str, Fake]]:
    """Run stand-ins of what a plain configuration reads, and write that configuration."""
    with ExitStack() as stack:
        found = {kind: stack.enter_context(serving(kind, recording=recording, now=utc(now))) for kind in UPSTREAMS}
        lines = [f'{key} = "{found[kind].url}"' for kind, key in UPSTREAMS.items() if key]
        lines += [f'feeds = ["{found["feeds"].url}/feed.xml"]', "news_desks = false", 'allow_hosts = ["127.0.0.1"]']
        configured(folder, 'watch = ["claude"]\n[sources]\n' + "\n".join(lines))
        yield found


FEED = (
    b'<rss version="2.0"><channel><title>W</title><item><title>Claude grows</title><guid>g</guid></item></channel>'
    b"</rss>"
)
PAGE = {"id": "x", "name": "Claude", "url": "https://status.claude.com"}


def configured(folder: Path, text: str = OFFLINE) -> Path:
    (folder / "groundswell.toml").write_text(text)
    return folder


def test_help_is_quick_and_lists_every_command(groundswell: Groundswell) -> None:
    from pipeline.commands import COMMANDS

    done = groundswell("--help")
    assert done.returncode == 0
    assert all(re.search(rf"^  {name} ", done.stdout, re.M) for name in COMMANDS)
    loaded = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "pipeline", "--help"], cwd=ROOT, capture_output=True, text=True
    )
    assert not re.search(r"\| +(pandas|sklearn|matplotlib|numpy)\b", loaded.stderr)


@pytest.mark.parametrize("args", [("check-config",), ("status",), ("run", "--config", "none.toml")])
def test_a_process_gives_what_a_call_within_the_tests_gives(
    groundswell: Groundswell, groundswell_process: Groundswell, tmp_path: Path, args: tuple[str, ...]
) -> None:
    configured(tmp_path)
    called, run = groundswell(*args), groundswell_process(*args)
    assert (called.returncode, called.stdout, called.stderr) == (run.returncode, run.stdout, run.stderr)


@pytest.mark.parametrize("name", ["run", "backtest", "incidents", "init", "sql", "test-alert", "status", "train"])
def test_every_command_explains_itself(groundswell: Groundswell, name: str) -> None:
    assert "Usage:" in groundswell(name, "--help").stdout


def test_without_network_every_source_fails_in_one_line_and_nothing_is_touched(
    groundswell: Groundswell, tmp_path: Path
) -> None:
    configured(tmp_path)
    done = groundswell("collect")
    assert done.returncode == 3
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 8, done.stderr  # two pages, a feed, two searches for news, Hacker News, two counts
    assert all(line.startswith("groundswell: collect: ") and "Traceback" not in line for line in lines)
    assert done.stdout == "8 sources read, 0 rows seen, 0 new, 0 refused\n"
    conn = sqlite3.connect(tmp_path / "groundswell.db")
    assert conn.execute("SELECT count(*) FROM posts").fetchone()[0] == 0
    assert {r[0] for r in conn.execute("SELECT outcome FROM runs WHERE stage='collect'")} == {"error"}
    assert groundswell("status").returncode == 3


def test_with_no_configuration_the_keyless_sources_of_the_catalogue_are_read(
    groundswell: Groundswell, tmp_path: Path
) -> None:
    done = groundswell("check-config")
    assert done.returncode == 0
    assert re.search(r"^sources  .* \d\d status, .* 1 hacker_news$", done.stdout, re.MULTILINE)
    assert "none, the defaults" in done.stdout


def test_a_run_with_upstreams_is_silent_and_a_second_finds_nothing_new(
    groundswell: Groundswell, tmp_path: Path
) -> None:
    recording = Recording()
    recording.posts_made = [
        {
            "id": f"a{i}",
            "title": f"Is Claude down? {i}",
            "selftext": "",
            "author": "a",
            "subreddit": "x",
            "created_utc": 1772450000 + i,
        }
        for i in range(3)
    ]
    recording.feeds_made = {"feed": FEED}
    recording.pages_made = {"claude": {"page": PAGE, "incidents": []}}
    with upstreams(tmp_path, recording):
        first = groundswell("run", "--now", "2026-03-02T12:00:00Z")
        assert (first.returncode, first.stdout, first.stderr) == (0, "", "")
        second = groundswell("run", "--now", "2026-03-02T12:05:00Z")
        assert (second.returncode, second.stdout, second.stderr) == (0, "", "")
    conn = sqlite3.connect(tmp_path / "groundswell.db")
    assert conn.execute("SELECT count(*) FROM posts WHERE tagged_by IS NOT NULL").fetchone()[0] == 3
    # of a rolling hour each look is a row of its own
    later = conn.execute(
        "SELECT sum(new) FROM runs WHERE stage='collect' AND started > '2026-03-02T12:01' "
        "AND subject NOT LIKE 'downstatus%'"
    )
    assert later.fetchone()[0] == 0
    report = (tmp_path / "report" / "index.html").read_text(encoding="utf-8")
    assert "No trouble seen now" in report


def test_an_official_incident_open_at_first_sight_is_told_once(groundswell: Groundswell, tmp_path: Path) -> None:
    update = {
        "id": "u",
        "status": "investigating",
        "body": "",
        "created_at": "2026-03-02T11:49:20Z",
        "display_at": "2026-03-02T11:49:20Z",
        "affected_components": [{"name": "claude.ai", "old_status": "operational", "new_status": "partial_outage"}],
    }
    recording = Recording()
    recording.feeds_made = {"feed": FEED}
    recording.pages_made = {
        "claude": {
            "page": PAGE,
            "incidents": [{"id": "i", "name": "errors", "impact": "major", "incident_updates": [update]}],
        }
    }
    with upstreams(tmp_path, recording):
        for minute in (0, 5):
            assert groundswell("run", "--now", f"2026-03-02T12:0{minute}:00Z").returncode == 0
    (mail,) = (tmp_path / "mail").glob("*.eml")
    assert "already under way when we began" in mail.read_text()
    found = json.loads(groundswell("incidents", "--json", "--now", "2026-03-02T12:10:00Z").stdout)
    assert [i["state"] for i in found["incidents"]] == ["confirmed"]
    assert "claude.ai" in groundswell("sql", "select component from which_component").stdout


def test_a_held_lock_is_75(groundswell: Groundswell, tmp_path: Path) -> None:
    configured(tmp_path)
    with FileLock(tmp_path / "groundswell.db.lock"):
        done = groundswell("run")
    assert done.returncode == 75
    assert done.stderr == "groundswell: another run holds groundswell.db.lock\n"


def test_init_writes_what_check_config_accepts(groundswell: Groundswell, tmp_path: Path) -> None:
    done = groundswell(
        "init", "--watch", "claude,github", "--mail", "me@example.org", "--host", "smtp.example.org", "--offline"
    )
    assert done.returncode == 0, done.stderr
    checked = groundswell("check-config")
    assert checked.returncode == 0
    assert "claude, github" in checked.stdout
    assert "me@example.org" in checked.stdout
    again = groundswell("init", "--watch", "claude")
    assert (again.returncode, again.stderr) == (2, "groundswell: groundswell.toml: exists; --force overwrites it\n")
    assert groundswell("init", "--watch", "nosuch", "--file", "other.toml").returncode == 2
    assert not (tmp_path / "other.toml").exists()


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["run", "--config", "absent.toml"], 2, "absent.toml: no such file"),
        (["run", "--now", "yesterday"], 2, "--now"),
        (["nosuch"], 2, "No such command"),
        (["backtest", "nowhere"], 2, "scenario.toml: no such file"),
        (["status"], 1, "no such database"),
        (["sql", "select 1"], 1, "no such database"),
        (["import", "counts", "absent.csv"], 1, "absent.csv: cannot be read"),
        (["incidents", "--since", "ages"], 2, "--since"),
    ],
)
def test_wrong_use_is_one_line_and_its_code(groundswell: Groundswell, args: list[str], code: int, words: str) -> None:
    done = groundswell(*args)
    assert done.returncode == code
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_import_refuses_bad_rows_with_their_line_and_keeps_the_rest(groundswell: Groundswell, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(
        "service,ts,count\nclaude,2026-03-01T10:00:00Z,5\nclaude,2026-03-01T10:15:00Z,5.5\nclaude,2026-03-01T10:30:00Z,7\n"
    )
    done = groundswell("import", "counts", "t.csv", "--interval", "900", "--now", "2026-03-02T00:00:00Z")
    assert done.returncode == 3
    assert "t.csv:3: '5.5' is not a whole count" in done.stderr
    assert done.stdout == "2 rows seen, 2 new, 1 refused\n"
    assert groundswell("import", "counts", "t.csv", "--interval", "900").stdout == "2 rows seen, 0 new, 1 refused\n"


def test_wide_bins_and_late_counts_are_told_too(groundswell: Groundswell, tmp_path: Path) -> None:
    """An alarm in a four-hour bin, in a file written an hour and a half after the bin's end."""
    rows = [
        f"claude,2026-02-{day:02d}T{hour:02d}:00:00Z,14400,{40 + hour // 4}"
        for day in range(15, 29)
        for hour in range(0, 24, 4)
    ]
    (tmp_path / "tickets.csv").write_text("service,start_utc,interval_s,total\n" + "\n".join(rows) + "\n")
    only = (
        'watch = ["claude"]\n[sources]\nstatuspage = false\nhacker_news = false\ndownstatus = false\n'
        'news_desks = false\ngoogle_news = false\ncounts = ["tickets.csv"]\n'
    )
    configured(tmp_path, only + 'feeds = ["http://127.0.0.1:9/none.xml"]\n')
    assert groundswell("run", "--now", "2026-03-01T00:30:00Z").returncode == 3  # the feed alone
    with (tmp_path / "tickets.csv").open("a") as file:
        file.write("claude,2026-03-01T00:00:00Z,14400,900\n")
    groundswell("run", "--now", "2026-03-01T05:30:00Z")
    (mail,) = (tmp_path / "mail").glob("*-opened-*.eml")
    assert "900 complaints in 240 min" in mail.read_text()
    found = json.loads(groundswell("incidents", "--json", "--now", "2026-03-01T06:00:00Z").stdout)
    assert len(found["incidents"]) == 1, "no alarm out of the first days"


def test_reading_cannot_make_files(groundswell: Groundswell, tmp_path: Path) -> None:
    configured(tmp_path)
    assert groundswell("detect").returncode == 0
    assert groundswell("sql", f"attach '{tmp_path}/evil.db' as e").returncode == 1
    assert not (tmp_path / "evil.db").exists()


def test_test_alert_writes_a_marked_message(groundswell: Groundswell, tmp_path: Path) -> None:
    configured(tmp_path)
    done = groundswell("test-alert")
    assert (done.returncode, done.stdout) == (0, "file: written into mail\n")
    (mail,) = (tmp_path / "mail").glob("*.eml")
    assert "[TEST] Example service: likely outage" in mail.read_text()
    failed = groundswell("test-alert", "--to", "you@example.org")
    assert failed.returncode == 1
    assert "groundswell: email: localhost:25: " in failed.stderr


def test_csv_cells_are_no_formulas(groundswell: Groundswell, tmp_path: Path) -> None:
    configured(tmp_path)
    assert groundswell("detect").returncode == 0
    done = groundswell("sql", "select '=1+1' as a, '-2' as b, 'plain' as c, 5 as d")
    assert done.stdout.splitlines()[1] == "'=1+1,'-2,plain,5"
    assert groundswell("sql", "delete from runs").returncode == 1


def test_make_help_lists_the_targets() -> None:
    done = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0
    for target in ("demo", "run", "serve", "test", "check"):
        assert re.search(rf"^{target}\b", done.stdout, re.M)


@pytest.mark.parametrize(("newest", "installs"), [(".venv/.stamp", False), ("constraints.txt", True)])
def test_make_installs_only_into_an_environment_older_than_what_it_is_made_of(
    tmp_path: Path, newest: str, installs: bool
) -> None:
    (tmp_path / ".venv").mkdir()
    for number, name in enumerate(("pyproject.toml", "constraints.txt", ".venv/.stamp", newest)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (1_000_000_000 + number, 1_000_000_000 + number))
    done = subprocess.run(
        ["make", "-n", "-f", str(ROOT / "Makefile"), "run"], cwd=tmp_path, capture_output=True, text=True
    )
    assert (done.returncode, "pip install" in done.stdout) == (0, installs)


def test_every_command_the_readme_names_exists(groundswell: Groundswell) -> None:
    from pipeline.commands import COMMANDS

    text = (ROOT / "README.md").read_text(encoding="utf-8")
    named = set(
        re.findall(
            r"groundswell ([a-z]+(?:-[a-z]+)?)\b", "\n".join(re.findall(r"```(?:sh|console)\n(.*?)```", text, re.S))
        )
    )
    assert named >= {"init", "run", "sql", "check-config", "test-alert"}
    assert named <= set(COMMANDS)
    targets = set(
        re.findall(r"^make ([a-z-]+)", "\n".join(re.findall(r"```(?:sh|console)\n(.*?)```", text, re.S)), re.M)
    )
    made = set(re.findall(r"^([a-z.-]+):", (ROOT / "Makefile").read_text(), re.M))
    assert {"demo", "test"} <= targets <= made
    for query in re.findall(r"groundswell sql '([^']+)'", text):
        from pipeline.config.paths import DASHBOARDS
        from pipeline.store import Store

        with Store(":memory:", views=DASHBOARDS / "views.sql") as store:
            store.rows(query)
    for path in re.findall(r"\]\(([\w./-]+)\)", text):
        assert (ROOT / path).exists(), path


def test_environment_of_the_tests_has_no_secrets() -> None:
    assert not [key for key in os.environ if key.startswith("GROUNDSWELL_")]


@pytest.mark.parametrize("arguments", [["sql", "select 1"], ["score-counts", "c.csv"]])
def test_a_closed_pipe_ends_a_command_without_a_word(tmp_path: Path, arguments: list[str]) -> None:
    with Store(tmp_path / "groundswell.db"):
        pass
    rows = [f"2026-02-16T00:{15 * n:02}:00Z,{n}" for n in range(4)]
    (tmp_path / "c.csv").write_text("\n".join(["timestamp_utc,value", *rows, ""]))
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pipeline", *arguments],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (141, "")


def test_an_unreadable_time_is_refused_in_own_words_by_options_and_imports(
    groundswell: Groundswell, tmp_path: Path
) -> None:
    with Store(tmp_path / "groundswell.db"):
        pass
    asked = groundswell("why", "claude", "--at", "yesterday")
    assert asked.stderr == "groundswell: --at: 'yesterday' is not a time; write it as 2026-03-02T11:37:00Z\n"
    (tmp_path / "posts.csv").write_text("id,created_utc,text\n1,2026-03-02 11:21,Claude is down\n")
    done = groundswell("import", "posts", "posts.csv", "--now", "2026-03-02T12:00:00Z")
    assert "'2026-03-02 11:21' has no time zone; write it as 2026-03-02T11:37:00Z" in done.stderr
