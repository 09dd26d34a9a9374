"""The report in a real browser: shown as given, nothing fetched, nothing run, on a screen and on a phone."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.config import DASHBOARDS, load_config
from pipeline.findings import Evidence, Incident
from pipeline.model import Batch, Post, Tag
from pipeline.stages.publish import run_publish
from pipeline.store import Store
from pipeline.store.collected import save_batch
from pipeline.store.story import put_incident, save_tags
from pipeline.times import utc

pytestmark = pytest.mark.slow
NOW = utc("2026-03-02T13:00:00Z")
HOSTILE = ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "javascript:alert(1)", "{{7*7}}", "</style><svg onload=alert(1)>",
           "<a href='http://evil.test/'>x</a>", "&lt;b&gt;", "\u202egnp.exe", "a\u0000b", "田中さんにあげて下さい"]  # fmt: skip


@pytest.fixture
def page_path(tmp_path: Path) -> Path:
    return publish(tmp_path, HOSTILE)


def publish(folder: Path, texts: list[str]) -> Path:
    """Write a report whose every outside text is hostile."""
    config = load_config(None, {}).model_copy(update={"watch": ("claude",)})
    padded = [(text + " " + "padding words here" if len(text) < 20 else text)[:230] for text in texts]
    posts = [Post(source="reddit", native_id=f"t3_{i}", kind="post", community=text[:60], author_key=f"a{i}", author_created=None, created=NOW,
                  collected=NOW, text=text.replace("\0", "")) for i, text in enumerate(padded)]  # fmt: skip
    incident = Incident(id="claude-20260302T1137Z", service="claude", state="confirmed", opened_at=NOW, onset=utc("2026-03-02T11:37:00Z"),
                        peak=None, end=None, impact="high", symptom="login", official_first_at=None, episodes=1, active=True,
                        evidence=tuple(Evidence(kind="official", at=NOW, statement=f"the provider: {t}", rows="x:y") for t in padded))  # fmt: skip
    with Store(folder / "x.db", views=DASHBOARDS / "views.sql") as store:
        store.put_catalogue(config.catalogue, config.watched)
        save_batch(store, Batch(source="reddit", rows=tuple(posts)), NOW)
        tags = [Tag(source="reddit", native_id=p.native_id, service="claude", p_outage=0.9, components=(), symptom="", region="", language="en",
                    anger=0.0, exonerates=(), model="m") for p in posts]  # fmt: skip
        save_tags(
            store,
            posts,
            tags,
            [("reddit", p.native_id, "claude", NOW, 1.0, "counted", p.author_key, "s") for p in posts],
            "m",
        )
        with store.transaction() as conn:
            put_incident(conn, incident)
            put_incident(conn, replace(incident, id="claude-2", onset=NOW, evidence=()))
        run_publish(store, config, folder / "report", NOW, simulated=True, note="Simulated <b>note</b>")
    return folder / "report" / "index.html"


@pytest.mark.parametrize(("width", "scheme"), [(1200, "light"), (390, "dark")])
def test_hostile_text_is_shown_as_given_and_does_nothing(page_path: Path, width: int, scheme: str) -> None:
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed: pip install -e '.[browser]'"
    )
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not chromium:
        pytest.skip("no Chromium: set CHROMIUM to its path")
    dialogs: list[str] = []
    requests: list[str] = []
    errors: list[str] = []
    with playwright.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
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
        browser.close()
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
    assert background == ("rgb(251, 251, 249)" if scheme == "light" else "rgb(20, 23, 26)")


def test_the_worlds_hostile_strings(eval_data: Path, tmp_path: Path) -> None:
    texts = []
    for path in sorted((eval_data / "bad" / "text").glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            value = json.loads(line)
            texts.append(value if isinstance(value, str) else str(next(iter(value.values()))))
    usable = [t.encode("utf-8", "replace").decode().replace("\0", "") for t in texts]
    html = publish(tmp_path, usable).read_text(encoding="utf-8")
    assert "<script" not in html
    assert len(usable) > 100
