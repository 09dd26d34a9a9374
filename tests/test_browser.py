"""The report in a real browser: shown as given, nothing fetched, nothing run, on a screen and on a phone."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import feedparser
import pytest

from pipeline.commands.test_alert import sample
from pipeline.config.load import load_config
from pipeline.config.paths import DASHBOARDS
from pipeline.core.alert_facts import ComponentFacts, LinkFacts
from pipeline.core.incidents import Evidence
from pipeline.core.records import Batch, Post
from pipeline.core.reports import Vote
from pipeline.core.row_refs import RowRef
from pipeline.core.times import utc
from pipeline.core.vocabulary import ComponentStatus, Impact, Relation, RowTable, State, VoteReason
from pipeline.render.mail import compose
from pipeline.stages.publish.stage import run_publish
from pipeline.store import Store
from pipeline.store.incidents import put_incident
from pipeline.store.observations import save_batch
from pipeline.store.reports import save_tags
from tests.copies import replace
from tests.stored_rows import a_tag, an_incident

pytestmark = pytest.mark.slow
NOW = utc("2026-03-02T13:00:00Z")
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "javascript:alert(1)",
    "{{7*7}}",
    "</style><svg onload=alert(1)>",
    "<a href='http://evil.test/'>x</a>",
    "&lt;b&gt;",
    "\u202egnp.exe",
    "a\u0000b",
    "田中さんにあげて下さい",
]


@pytest.fixture
def page_path(tmp_path: Path) -> Path:
    return publish(tmp_path, HOSTILE)


def publish(folder: Path, texts: list[str]) -> Path:
    """Write a report whose every outside text is hostile."""
    config = replace(load_config(None, {}), watch=("claude",))
    padded = [(text + " " + "padding words here" if len(text) < 20 else text)[:230] for text in texts]
    posts = [
        Post(
            source="reddit",
            native_id=f"t3_{i}",
            kind="post",
            community=text[:60],
            author_key=f"a{i}",
            author_created=None,
            created=NOW,
            collected=NOW,
            text=text.replace("\0", ""),
        )
        for i, text in enumerate(padded)
    ]
    incident = replace(
        an_incident("claude", utc("2026-03-02T11:37:00Z")),
        state=State.CONFIRMED,
        opened_at=NOW,
        impact=Impact.HIGH,
        symptom="login",
        evidence=tuple(
            Evidence(kind="official", at=NOW, statement=f"the provider: {t}", rows=(RowRef(RowTable.INCIDENTS, "x"),))
            for t in padded
        ),
    )
    with Store(folder / "x.db", views=DASHBOARDS / "views.sql") as store:
        store.put_catalogue(config.catalogue, config.watched)
        save_batch(store, Batch(source="reddit", rows=tuple(posts)), NOW)
        tags = [a_tag(p, "claude") for p in posts]
        save_tags(
            store,
            posts,
            tags,
            [Vote("reddit", p.native_id, "claude", NOW, 1.0, VoteReason.COUNTED, p.author_key, "s") for p in posts],
            "m",
        )
        with store.transaction() as conn:
            put_incident(conn, incident)
            put_incident(conn, replace(incident, id="claude-2", onset=NOW, evidence=()))
        run_publish(store, config, folder / "report", NOW, simulated=True, note="Simulated <b>note</b>")
    return folder / "report" / "incident-claude-20260302T1137Z.html"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed: pip install -e '.[browser]'"
    )
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not chromium:
        pytest.skip("no Chromium: set CHROMIUM to its path")
    with playwright.sync_playwright() as play:
        opened = play.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()


@pytest.mark.parametrize(("width", "scheme"), [(1200, "light"), (390, "dark")])
def test_hostile_text_is_shown_as_given_and_does_nothing(
    browser: Any, page_path: Path, width: int, scheme: str
) -> None:
    dialogs: list[str] = []
    requests: list[str] = []
    errors: list[str] = []
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.on("dialog", lambda d: (dialogs.append(d.message), d.dismiss()))
    page.on("request", lambda r: requests.append(r.url))
    page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
    page.goto(page_path.as_uri())
    for summary in page.locator("summary").all():
        if summary.locator("..").get_attribute("open") is None:
            summary.click()
    text = page.inner_text("body")
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.close()
    assert (dialogs, errors) == ([], [])
    assert requests == [page_path.as_uri()]
    for shown in (
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "{{7*7}}",
        "&lt;b&gt;",
        "田中さんにあげて下さい",
        "Simulated <b>note</b>",
    ):
        assert shown in text, shown
    assert overflow <= 0, "nothing sticks out of the screen"
    assert background == ("rgb(246, 247, 249)" if scheme == "light" else "rgb(15, 19, 24)")


@pytest.mark.parametrize(("width", "scheme"), [(1200, "light"), (390, "dark")])
def test_a_reader_finds_the_way_and_axe_finds_nothing_serious(
    browser: Any, page_path: Path, width: int, scheme: str
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="pip install -e '.[browser]'").Axe()
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    visited = []
    page.goto((page_path.parent / "index.html").as_uri())
    for link in (None, "confirmed by reports, impact high", "Claude"):
        if link is not None:
            page.get_by_role("link", name=link, exact=True).first.click()
        visited.append(Path(page.url).name)
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
        found = axe.run(page).response["violations"]
        assert [(v["id"], v["nodes"][0]["html"][:120]) for v in found if v["impact"] in ("serious", "critical")] == []
    assert visited == ["index.html", "incident-claude-2.html", "service-claude.html"]
    assert "nothing was seen of it yet" not in page.inner_text("body")
    page.goto(page_path.as_uri())
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "All services"
    page.close()


def test_every_page_is_small_and_the_feed_is_one(page_path: Path) -> None:
    for path in page_path.parent.iterdir():
        assert path.stat().st_size < 300_000, path
    feed = feedparser.parse((page_path.parent / "incidents.xml").read_bytes())
    assert not feed.bozo
    assert [e.id for e in feed.entries] == [
        "urn:groundswell:incident:claude-2",
        "urn:groundswell:incident:claude-20260302T1137Z",
    ]
    assert feed.entries[1].link.endswith(page_path.name)
    assert feed.feed.title == "Groundswell: incidents (simulated)"


def world_texts(folder: Path) -> list[str]:
    texts = []
    for path in sorted((folder / "bad" / "text").glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            value = json.loads(line)
            texts.append(value["s"])
    return [t.encode("utf-8", "replace").decode().replace("\0", "") for t in texts]


def opened(browser: Any, path: Path) -> tuple[str, list[str], list[str], list[str]]:
    """Open a page and all that is folded in it; return its text, dialogs, requests beside itself, and errors."""
    dialogs: list[str] = []
    requests: list[str] = []
    errors: list[str] = []
    page = browser.new_page()
    page.on("dialog", lambda d: (dialogs.append(d.message), d.dismiss()))
    page.on("request", lambda r: requests.append(r.url) if r.url != path.as_uri() else None)
    page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda e: errors.append(str(e)))
    page.goto(path.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
    text = page.evaluate("document.body.textContent")
    page.close()
    return text, dialogs, requests, errors


def plain(text: str) -> str:
    return "".join(
        c
        for c in text
        if not c.isspace()
        and c not in "\u2068\u2069\u202a\u202b\u202c\u202d\u202e\u2066\u2067\ufffd"
        and c.isprintable()
    )


def test_the_worlds_hostile_strings_in_report_and_mail(browser: Any, eval_data: Path, tmp_path: Path) -> None:
    texts = world_texts(eval_data)
    assert len(texts) > 100
    report = publish(tmp_path, texts)
    assert report.read_text(encoding="utf-8").count("<script") == 1, "our own"
    base = sample(NOW)
    for start in range(0, len(texts), 60):
        some = [" ".join(t.split())[:200] for t in texts[start : start + 60]]
        lines = tuple(some)
        facts = replace(
            base.incident_facts,
            service=some[0],
            quotes=lines,
            evidence=lines,
            differs=lines[:2],
            components=tuple(
                ComponentFacts(name=t, source=t, status=ComponentStatus.AFFECTED, since=NOW, until=None, detail=t)
                for t in some
            ),
            affected_names=lines[:12],
            links=tuple(
                LinkFacts(
                    relation=Relation.REPORTS,
                    title=t,
                    seen=NOW,
                    outlets=1,
                    evidence_for=lines,
                    evidence_against=lines,
                )
                for t in some
            ),
            chart=None,
        )
        message = compose(replace(base, facts=facts, subject=some[-1]), sender="a@b.c", to=["d@e.f"], zone="UTC")
        page = tmp_path / f"mail{start}.html"
        page.write_text(message.get_body(("html",)).get_content(), encoding="utf-8")  # type: ignore[union-attr]
        shown, *rest = opened(browser, page)
        assert rest == [[], [], []], start
        missing = [t for t in some if plain(t) not in plain(shown)]
        assert missing == []
    shown, *rest = opened(browser, report)
    assert rest == [[], [], []]
    assert [t for t in texts if plain(t[:20]) not in plain(shown)] == []
