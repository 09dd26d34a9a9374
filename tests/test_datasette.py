"""Datasette as `make serve` runs it, during writes: every view and canned query answers; nothing can be written."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import re
import shutil
import sqlite3
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.config.paths import DASHBOARDS
from pipeline.core.times import iso
from pipeline.stages.publish.stage import run_publish
from pipeline.store import Store
from pipeline.store.counts import StoredCount, put_count_rows
from tests.datasette_server import datasette
from tests.sending import send_due
from tests.world import World, at

pytestmark = pytest.mark.slow
SERVER: list[int] = []  # the process of the server
METADATA = yaml.safe_load((DASHBOARDS / "metadata.yml").read_text(encoding="utf-8"))["databases"]["groundswell"]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    pytest.importorskip("datasette", reason="pip install -e '.[serve]'")
    db = tmp_path_factory.mktemp("served") / "groundswell.db"
    with Store(db, views=DASHBOARDS / "views.sql") as store:
        world = World(store, ("github",))
        store.put_catalogue(world.config.catalogue, world.config.watched)
        world.bins("github", "11:00", 6, 80, 60)
        world.explain("11:30")
        send_due(world, "11:30")
        world.page("github", "A", "11:49", "investigating", "major")
        world.explain("11:50")
        run_publish(store, world.config, db.parent / "report", at("12:00"), simulated=True)
    with datasette(db, "--setting", "default_allow_sql", "on") as server:
        SERVER.append(server.pid)
        yield server.base, db


def ask(base: str, path: str, **values: str) -> Any:
    with urllib.request.urlopen(
        f"{base}/groundswell/{path}.json?_shape=objects&{urllib.parse.urlencode(values)}", timeout=20
    ) as answer:
        return json.loads(answer.read())


def test_every_view_answers_with_its_question(served: tuple[str, Path]) -> None:
    base, _ = served
    views = re.findall(r"CREATE VIEW (\w+)", (DASHBOARDS / "views.sql").read_text())
    assert len(views) > 20
    for name in views:
        assert "rows" in ask(base, name), name
    (wrong,) = ask(base, "what_is_wrong_now")["rows"]
    assert (wrong["service"], wrong["onset"], wrong["official_first_at"]) == (
        "GitHub",
        iso(at("11:00")),
        iso(at("11:49")),
    )
    (good,) = ask(base, "how_good_are_we")["rows"]
    assert (good["verdict"], good["said_by"], good["lead_minutes"]) == ("right", "the provider", 19.0)


def test_filters_compare_the_numbers_of_every_view_as_numbers(served: tuple[str, Path]) -> None:
    """Datasette sends a filter's value as text, which SQLite compares as a number only where the column has a type."""
    base, db = served
    with sqlite3.connect(db) as whole:
        whole.row_factory = sqlite3.Row
        computed = 0
        for view in re.findall(r"CREATE VIEW (\w+)", (DASHBOARDS / "views.sql").read_text()):
            rows = whole.execute(f"SELECT * FROM {view}").fetchall()
            for column in rows[0].keys() if rows else ():
                numbers = [row[column] for row in rows if isinstance(row[column], int | float)]
                if not numbers:
                    continue
                computed += 1
                for test, right in (
                    ("exact", numbers.count(numbers[0])),
                    ("gt", sum(n > numbers[0] - 0.5 for n in numbers)),
                    ("lt", sum(n < numbers[0] - 0.5 for n in numbers)),
                ):
                    value = numbers[0] if test == "exact" else numbers[0] - 0.5
                    found = ask(base, view, **{f"{column}__{test}": str(value)})["filtered_table_rows_count"]
                    assert found == right, (view, column, test, value)
    assert computed > 25


def test_canned_queries_take_any_string_quickly_and_change_nothing(
    served: tuple[str, Path], request: pytest.FixtureRequest
) -> None:
    base, db = served
    texts = [
        'it\'s "quoted" AND * (',
        "\u202e; DROP TABLE posts; --",
        "NEAR(a b)",
        "",
        "\U0001d4b6" * 400,
        "%",
        "a" * 2000,
    ]
    if os.environ.get("EVAL_DATA"):
        for path in sorted((Path(os.environ["EVAL_DATA"]) / "bad" / "text").glob("*.jsonl")):
            for line in path.read_text(encoding="utf-8").splitlines():
                texts.append(json.loads(line)["s"][:1500].encode("utf-8", "replace").decode())
    before, slowest = _content(db), 0.0
    for name, query in METADATA["queries"].items():
        keys = [key for key in ("words", "service", "day", "incident", "moment", "hour") if f":{key}" in query["sql"]]
        for text in texts:
            began = time.monotonic()
            told = ask(base, name, **dict.fromkeys(keys, text))
            assert told.get("ok", True), (name, text[:40], told.get("error"))
            slowest = max(slowest, time.monotonic() - began)
    assert slowest < 1, "a second would be a table read whole"
    assert _content(db) == before


def _content(db: Path) -> str:
    with Store(db) as store:
        return hashlib.sha256("\n".join(store.conn.iterdump()).encode("utf-8", "replace")).hexdigest()


def test_nobody_writes_through_it_while_a_run_does(served: tuple[str, Path]) -> None:
    base, db = served
    for sql in (
        "delete from posts",
        "insert into feedback values ('a','b','c','d')",
        "attach 'x.db' as x",
        "pragma journal_mode = delete",
    ):
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(f"{base}/groundswell.json?{urllib.parse.urlencode({'sql': sql})}", timeout=20)
    with Store(db) as store, store.transaction() as conn:
        conn.execute("INSERT INTO feedback VALUES ('github-20260302T1100Z', 'wrong', '', '2026-03-02T13:00:00Z')")
    (good,) = ask(base, "how_good_are_we")["rows"]
    assert (good["verdict"], good["said_by"]) == ("wrong", "a person"), "what is written is seen at once"


@pytest.mark.parametrize(("width", "scheme"), [(1200, "light"), (390, "dark")])
def test_a_person_finds_the_questions_in_a_browser(served: tuple[str, Path], width: int, scheme: str) -> None:
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed: pip install -e '.[browser]'"
    )
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not chromium:
        pytest.skip("no Chromium: set CHROMIUM to its path")
    base, _ = served
    with playwright.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        errors: list[str] = []
        page.on("pageerror", lambda e: errors.append(str(e)))
        page.goto(f"{base}/groundswell")
        page.get_by_role("link", name="what_is_wrong_now", exact=True).first.click()
        text = page.inner_text("body")
        assert "What is wrong now?" in text
        assert "GitHub" in text
        page.goto(f"{base}/groundswell/story_of_an_incident?incident=github-20260302T1100Z")
        assert "complaints in 5 min rise above what is expected" in page.inner_text("body")
        browser.close()
    assert errors == []


@pytest.mark.parametrize(
    ("host", "status"),
    [("127.0.0.1", 200), ("localhost:8001", 200), ("[::1]:8001", 200), ("rebound.example:8001", 421), ("", 421)],
)
def test_a_page_elsewhere_cannot_read_it_through_a_name_that_leads_here(
    served: tuple[str, Path], host: str, status: int
) -> None:
    connection = http.client.HTTPConnection(served[0].removeprefix("http://"), timeout=20)
    connection.putrequest("GET", "/groundswell.json?sql=select+1", skip_host=True)
    connection.putheader("Host", host)
    connection.endheaders()
    answer = connection.getresponse()
    assert answer.status == status
    assert (status == 200) == (b'"rows": [' in answer.read())


MANY = "with recursive n(i) as (select 1 union all select i + 1 from n limit 5000000)"


@pytest.mark.parametrize(
    "query",
    [
        "select hex(zeroblob(900000000))",
        "with recursive n(i, t) as (select 1, 'x' union all select i + 1, t || t from n where i < 40) select t from n",
        f"{MANY} select group_concat(hex(zeroblob(90000))) from n",
        f"{MANY} select distinct i, hex(randomblob(99)) from n",
        f"{MANY} select {', '.join(['hex(zeroblob(99000))'] * 90)} from n",
        "select a.* from verdicts a, verdicts b, verdicts c, verdicts d order by random()",
    ],
)
def test_no_query_takes_all_memory_and_the_next_is_answered(served: tuple[str, Path], query: str) -> None:
    url = f"{served[0]}/groundswell.json?{urllib.parse.urlencode({'sql': query})}"
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            answer.read()
    except (urllib.error.HTTPError, http.client.RemoteDisconnected) as error:
        assert getattr(error, "code", 500) in (400, 500)
    assert ask(served[0], "services")["rows"]
    status = Path(f"/proc/{SERVER[0]}/status")
    if status.exists():
        (peak,) = re.findall(r"VmHWM:\s+(\d+) kB", status.read_text())
        assert int(peak) < 2_200_000, "kilobytes"


def test_it_opens_on_the_questions_and_hides_internal_tables(served: tuple[str, Path]) -> None:
    base, _ = served
    with urllib.request.urlopen(base, timeout=20) as answer:
        front = answer.read().decode()
    for view in re.findall(r"CREATE VIEW (\w+)", (DASHBOARDS / "views.sql").read_text()):
        assert f'href="/groundswell/{view}"' in front, view
        (question,) = re.findall(rf'href="/groundswell/{view}">([^<]+)</a></li>', front)
        assert question.endswith("?"), view
    for query in METADATA["queries"]:
        assert f'href="/groundswell/{query}"' in front, query
    with urllib.request.urlopen(f"{base}/groundswell.json", timeout=20) as answer:
        tables = {table["name"]: table["hidden"] for table in json.loads(answer.read())["tables"]}
    for name in ("detector_state", "detector_state_parts", "source_memory", "stage_memory", "quarantine"):
        assert tables[name], name
    assert not tables["posts"]


def test_the_chart_ends_with_the_last_days(served: tuple[str, Path]) -> None:
    charts = yaml.safe_load((DASHBOARDS / "metadata.yml").read_text(encoding="utf-8"))["plugins"][
        "datasette-dashboards"
    ]
    query = charts["story"]["charts"]["complaints"]["query"]
    _, db = served
    with sqlite3.connect(db) as conn:
        days = [iso(at("00:00", day)) for day in range(3, 29)]
        put_count_rows(conn, [StoredCount("github", "x", "", "", day, 900, 5, None, "interval", day) for day in days])
        rows = conn.execute(query).fetchall()
    assert rows[0][0] == iso(at("00:00", 28))
    assert rows[-1][0] >= iso(at("00:00", 21))
