"""No command prints what could steer a terminal or turn a line around, and no view gives it to a model unmarked."""

from __future__ import annotations

import json
import logging
import re
import runpy
from pathlib import Path

import pytest

from pipeline.commands.log_options import configure_logging
from pipeline.commands.terminal import colored, print_table
from pipeline.config.paths import DASHBOARDS
from pipeline.core.records import Batch, NewsItem, RejectedRow, Run
from pipeline.core.status_records import ComponentChange, OfficialIncident, StatusUpdate
from pipeline.store import Store
from pipeline.store.observations import save_batch
from pipeline.store.operators import add_silence
from pipeline.store.runs import record_run
from tests.conftest import Groundswell
from tests.world import CATALOGUE, World, at

ESCAPES = "\x1b]0;owned\x07\x1b[2J\x1b[31m \x9b2K \x08\x7f \u202egnp.exe\u2066 end"
FORGED = f"{ESCAPES}\nwell     0 posts"  # the second line would pass for one of ours
STEERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
NOW = "2026-03-02T12:00:00Z"
COMMANDS = (
    ("status",),
    ("status", "--json"),
    ("status", "github"),
    ("status", "github", "--json"),
    ("incidents", "--since", "30d"),
    ("incidents", "--since", "30d", "--json"),
    ("why", "github"),
    ("why", "github", "--at", "2026-03-02T11:40:00Z"),
    ("ledger", "--service", "github"),
    ("ledger", "--service", "github", "--json"),
    ("silence", "list"),
    ("silence", "preview", "github"),
    ("service", "show", "github"),
    ("sql", "--json", "select * from posts, status_updates, runs, quarantine limit 50"),
    ("doctor", "--offline"),
    ("alert",),
    ("publish",),
    ("explain",),
    ("score-posts", "posts.csv"),
    ("import", "posts", "posts.csv"),
    ("import", "counts", "counts.csv"),
    ("score-counts", "counts.csv"),
    ("parse", "kept.body"),
    ("parse", "feed.body"),
    ("parse", "--json", "feed.body"),
    ("run", "--quiet"),
    ("check-config",),
)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a database in which everything that others write holds escapes, and files of that kind."""
    folder = tmp_path_factory.mktemp("hostile")
    with Store(folder / "groundswell.db", views=DASHBOARDS / "views.sql") as store:
        world = World(store, ("github",))
        store.put_catalogue(world.config.catalogue, world.config.watched)
        world.read("09:00", "12:00")
        world.people("github", "11:02", [f"github is down {n} {ESCAPES}" for n in range(6)])
        world.bins("github", "11:00", 6, 80, 60)
        page = CATALOGUE["github"].page
        update = StatusUpdate(
            page=page,
            incident_id=f"A{ESCAPES}",
            update_id=f"1{ESCAPES}",
            name=f"It fails {FORGED}",
            status="investigating",
            impact="major",
            components=(ComponentChange(f"Git {ESCAPES}", "operational", "major_outage"),),
            displayed_at=at("11:20"),
            created_at=at("11:20"),
            collected=at("11:21"),
            body=f"We look {ESCAPES}",
        )
        planned = OfficialIncident(
            page=page,
            incident_id=f"M{ESCAPES}",
            name=f"Upgrade {FORGED}",
            status="scheduled",
            impact="maintenance",
            collected=at("11:21"),
            scheduled_for=at("13:00"),
            scheduled_until=at("14:00"),
        )
        news = NewsItem(
            source="feed",
            native_id=f"n{ESCAPES}",
            outlet=f"Daily {ESCAPES}",
            published=at("11:15"),
            collected=at("11:16"),
            title=f"GitHub is down: thousands report an outage {ESCAPES}",
            summary=ESCAPES,
            url=f"https://x.example/{ESCAPES}",
        )
        refused = RejectedRow(where=f"row {ESCAPES}", reason=f"is not {ESCAPES}", head=ESCAPES)
        save_batch(store, Batch(source="page", rows=(update, planned, news), rejected=(refused,)), at("11:30"))
        world.explain("11:31")
        failed = Run(stage="collect", subject="feed:x", started=at("11:31"), outcome="error", error=f"said {FORGED}")
        record_run(store, failed, Run(stage="collect", subject="page", started=at("11:31"), outcome="ok"))
        add_silence(store, "github", "git", at("10:00"), at("14:00"), f"because {FORGED}", f"ann {ESCAPES}")
    (folder / "groundswell.toml").write_text(
        'watch = ["github"]\n[sources]\nstatuspage = false\nhacker_news = false\ndownstatus = false\n'
        f"news_desks = false\ngoogle_news = false\ncounts = [{json.dumps(str(folder / 'counts.csv'))}]\n"
    )
    (folder / "posts.csv").write_text(f"id,text,created\n1,github is down {ESCAPES},never {ESCAPES}\n", newline="")
    rows = ("service,start_utc,interval_s,total", "github,2026-03-02T11:00:00Z,900,4", f"{ESCAPES},{ESCAPES},900,x")
    (folder / "counts.csv").write_text("\n".join(rows) + "\n", newline="")
    planned_page = {"page": {}, "incidents": [], "scheduled_maintenances": [], "components": [{"name": ESCAPES}]}
    (folder / "kept.body").write_text(json.dumps(planned_page))
    (folder / "feed.body").write_text(
        '<feed xmlns="http://www.w3.org/2005/Atom"><title>x</title><entry><id>1</id><title>a\x9b2K \u202eb</title>'
        "<updated>2026-03-02T11:00:00Z</updated><summary>c\u2066d</summary></entry></feed>"
    )
    return folder


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_command_prints_a_control_character(
    groundswell: Groundswell, hostile: Path, command: tuple[str, ...]
) -> None:
    now = () if command[0] in ("check-config", "parse", "score-posts", "score-counts") else ("--now", NOW)
    done = groundswell(*command, *now, "-v", "--log-file", "all.log", cwd=hostile)
    assert "Traceback" not in done.stderr
    printed = done.stdout + done.stderr
    lines = [line for line in printed.splitlines() if STEERS.search(line)]
    assert lines == []
    assert not [line for line in printed.splitlines() if line.startswith("well     0 posts")]
    log = (hostile / "all.log").read_bytes().decode()
    assert [line for line in log.split("\n") if STEERS.search(line)] == []


def test_no_view_gives_a_language_model_words_of_others_unmarked(hostile: Path) -> None:
    pytest.importorskip("datasette", reason="pip install -e '.[serve]'")
    answer = runpy.run_path(str(DASHBOARDS / "plugins" / "questions.py"))["answer"]
    unmarked, marked = set(), set()
    with Store(hostile / "groundswell.db") as store:
        for (view,) in store.rows("SELECT name FROM sqlite_master WHERE type = 'view'"):
            for row in store.rows(f'SELECT * FROM "{view}"'):
                rows = answer(view, [dict(row)])["rows"]
                for name, cell in rows[0].items() if rows else ():
                    if isinstance(cell, str) and "\x1b" in cell:
                        unmarked.add((view, name))
                    elif isinstance(cell, dict) and "\x1b" in cell["third_party_text"]:
                        marked.add((view, name))
    assert unmarked == set()
    assert len(marked) > 10


def test_a_coloured_cell_keeps_its_colour_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("state", "text"), [(colored("high"), f"a\n{ESCAPES}"), (f"\x1b[31m{ESCAPES}\x1b[0m", "b")])
    printed = capsys.readouterr().out
    assert [line for line in printed.splitlines() if STEERS.search(line)] == []
    assert len(printed.splitlines()) == 3, "a text of two lines stays in its row"


def test_the_log_shows_tracebacks_without_what_steers_a_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging(1, tmp_path / "run.log")
    try:
        raise ValueError(ESCAPES)
    except ValueError:
        logging.getLogger("pipeline.x").exception("while %s was read", ESCAPES)
    finally:
        shown = capsys.readouterr().err
        configure_logging(0, None)
    for text in (shown, (tmp_path / "run.log").read_bytes().decode()):
        assert "Traceback (most recent call last):" in text
        assert [line for line in text.split("\n") if STEERS.search(line)] == []
