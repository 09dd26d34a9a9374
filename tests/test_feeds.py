"""What other programs read of a report: feeds, status files and metrics, by their readers and schemas."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import feedparser
import pytest

from pipeline.config.paths import DASHBOARDS
from pipeline.config.settings import Report
from pipeline.core.vocabulary import State
from pipeline.render.mail import compose, plain_text
from pipeline.render.status_json import IMPACTS
from pipeline.sources.status.reader import Answer, PageContext
from pipeline.sources.status.statuspage_json import STATUSPAGE
from pipeline.stages.publish.stage import run_publish
from pipeline.store import Store
from pipeline.store.incidents import put_incident
from pipeline.store.outbox import alerts_of
from pipeline.store.report_data import incident_heads
from tests.copies import replace
from tests.sending import send_due
from tests.world import World, at

PUBLIC = "https://status.example.org/report"
HOSTILE = '<script>alert(1)</script> "\u202e{{7*7}}\n# HELP x y'


@pytest.fixture
def world(tmp_path: Path) -> Any:
    with Store(tmp_path / "x.db", views=DASHBOARDS / "views.sql") as store:
        world = World(store, ("github", "heroku"))
        store.put_catalogue(world.config.catalogue, world.config.watched)
        world.config = replace(world.config, report=Report(public_url=PUBLIC, metrics=str(tmp_path / "g.prom")))
        world.read("09:00", "11:30")
        world.bins("github", "11:00", 6, 80, 60)
        world.explain("11:31")
        send_due(world, "11:33")
        world.page("github", "A", "11:49", "investigating", "major")
        world.explain("11:50")
        yield world


def over(world: World) -> None:
    world.bins("github", "11:30", 36, 4, 0.5)
    world.page("github", "A", "12:15", "resolved", "major")
    world.read("11:30", "14:30")
    world.explain("14:30")


def publish(world: World, folder: Path, clock: str, day: int = 2) -> int:
    return run_publish(world.store, world.config, folder, at(clock, day), simulated=False).new


def read_back(folder: Path, service: str, file: str, now: str) -> Any:
    answer = Answer(
        url="https://x/api/v2/" + file, body=(folder / f"service-{service}" / "api" / "v2" / file).read_bytes()
    )
    assert STATUSPAGE.recognises(answer)
    return STATUSPAGE.read(answer, PageContext(page="ours", source="ours", fetched_at=at(now)))


def test_our_own_reader_finds_the_same_incidents_in_the_status_files(world: World, tmp_path: Path) -> None:
    publish(world, tmp_path / "report", "12:00")
    (head,) = incident_heads(world.store, at("12:00"))
    for file in ("incidents.json", "summary.json", "incidents/unresolved.json"):
        reading = read_back(tmp_path / "report", "github", file, "12:00")
        assert reading.rejected == ()
        (incident,) = reading.incidents
        assert (incident.incident_id, incident.started_at, incident.resolved_at) == (head.id, head.onset, None)
        assert incident.impact == IMPACTS[head.impact]
        assert incident.url == f"{PUBLIC}/incident-{head.id}.html"
        assert [(u.status, u.displayed_at) for u in sorted(reading.updates, key=lambda u: u.displayed_at)] == [
            ("investigating", head.onset),
            ("identified", head.official_first_at),
        ]
    over(world)
    publish(world, tmp_path / "report", "14:30")
    reading = read_back(tmp_path / "report", "github", "incidents.json", "14:30")
    (head,) = incident_heads(world.store, at("14:30"))
    assert reading.incidents[0].resolved_at == head.end
    assert reading.incidents[0].status == "resolved"
    summary = json.loads((tmp_path / "report/service-github/api/v2/summary.json").read_text())
    assert summary["status"] == {"indicator": "none", "description": "All Systems Operational"}
    assert {c["status"] for c in summary["components"]} == {"operational"}
    unread = tmp_path / "report" / "service-heroku"
    assert not list(unread.rglob("*.json")), "nothing was read of it: to call it operational would be untrue"


def test_an_incident_that_lasts_for_weeks_is_listed_beside_the_many_that_followed(world: World, tmp_path: Path) -> None:
    publish(world, tmp_path / "report", "12:00")
    (head,) = incident_heads(world.store, at("12:00"))
    lasting = world.all()[head.id]
    with world.store.transaction() as conn:
        for number in range(80):
            onset = at("11:02") + timedelta(minutes=number)
            later = replace(
                lasting,
                id=f"github-later-{number:02}",
                onset=onset,
                opened_at=onset,
                end=onset,
                active=False,
                phases=(),
                episodes=(),
            )
            put_incident(conn, replace(later, state=State.RESOLVED, components=(), evidence=()))
    publish(world, tmp_path / "report", "12:30")
    unresolved = read_back(tmp_path / "report", "github", "incidents/unresolved.json", "12:30")
    assert [i.incident_id for i in unresolved.incidents] == [head.id]
    feed = json.loads((tmp_path / "report" / "service-github.json").read_text())
    assert len(feed["items"]) == 40
    assert feed["items"][0]["id"].endswith("github-later-79")


def test_feeds_of_one_service_and_of_all_are_valid_and_lead_to_the_page(world: World, tmp_path: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema", reason="pip install jsonschema")
    publish(world, tmp_path / "report", "12:00")
    schema = json.loads((DASHBOARDS / "schemas" / "feed-1.json").read_text())
    for name, entries in (("incidents", 1), ("service-github", 1), ("service-heroku", 0)):
        atom = feedparser.parse((tmp_path / "report" / f"{name}.xml").read_bytes())
        assert not atom.bozo
        assert len(atom.entries) == entries
        feed = json.loads((tmp_path / "report" / f"{name}.json").read_text())
        jsonschema.Draft202012Validator(schema).validate(feed)
        assert feed["feed_url"] == f"{PUBLIC}/{name}.json"
        assert [i["url"] for i in feed["items"]] == [e.link for e in atom.entries]
        for item in feed["items"]:
            assert item["url"].startswith(f"{PUBLIC}/incident-github-")
            assert item["content_text"].startswith("GitHub")


def test_what_a_webhook_posts_keeps_its_schema(world: World) -> None:
    jsonschema = pytest.importorskip("jsonschema", reason="pip install jsonschema")
    from pipeline.notify.channels.webhook import payload
    from pipeline.notify.digest import summary_message

    schema = json.loads((DASHBOARDS / "schemas" / "webhook-1.json").read_text())
    alerts = alerts_of(world.store)
    note = replace(alerts[0], facts=summary_message(alerts, at("12:00"), held=False))
    posted = [json.loads(json.dumps(payload(alert))) for alert in (*alerts, note)]
    assert len(posted) > 1
    for values in posted:
        jsonschema.Draft202012Validator(schema).validate(values)
        described = next(s for s in schema["oneOf"] if s["properties"]["type"]["const"] == values["type"])
        assert set(values) == set(described["properties"])
    assert posted[0]["page_url"].startswith(f"{PUBLIC}/incident-github-")
    assert posted[0]["status_page"] == "https://www.githubstatus.com"


def test_a_message_leads_to_the_page_and_to_the_provider(world: World) -> None:
    alert = alerts_of(world.store)[0]
    page = compose(alert, sender="a@b.c", to=["d@e.f"], zone="UTC").get_body(("html",))
    assert page is not None
    for text in (plain_text(alert, "UTC"), page.get_content()):
        assert f"{PUBLIC}/incident-{alert.incident}.html" in text
        assert "https://www.githubstatus.com" in text


def test_a_page_is_written_again_only_where_its_facts_changed(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "report"
    assert publish(world, folder, "12:00") > 10
    before = {p.relative_to(folder): p.stat().st_mtime_ns for p in folder.rglob("*") if p.is_file()}
    publish(world, folder, "12:00")
    after = {p.relative_to(folder): p.stat().st_mtime_ns for p in folder.rglob("*") if p.is_file()}
    assert before == after
    over(world)
    publish(world, folder, "14:30")
    changed = {p.as_posix() for p, at in before.items() if (folder / p).stat().st_mtime_ns != at}
    assert {"index.html", "service-github.html", "incidents.json", "service-github.xml"} <= changed
    assert not any("heroku" in name for name in changed - {"service-heroku.html"}), "nothing changed of it"
    page = next(folder.glob("incident-github-*.html"))
    page.unlink()
    publish(world, folder, "14:30", day=9)
    assert page.exists(), "a page that is gone is made again, however long its incident is over"
    settled = page.stat().st_mtime_ns
    publish(world, folder, "14:35", day=9)
    assert page.stat().st_mtime_ns == settled


def test_the_textfile_is_read_by_prometheus_and_has_no_ids_of_incidents(world: World, tmp_path: Path) -> None:
    pytest.importorskip("prometheus_client", reason="pip install prometheus-client")
    from prometheus_client.parser import text_string_to_metric_families

    publish(world, tmp_path / "report", "12:00")
    text = (tmp_path / "g.prom").read_text()
    families = {family.name: family for family in text_string_to_metric_families(text)}
    states = {s.labels["service"]: s.value for s in families["groundswell_service_state"].samples}
    assert states["github"] == 3
    assert states["heroku"] == 0
    assert all(s.timestamp is None for f in families.values() for s in f.samples)
    assert all(set(s.labels) <= {"service", "according_to"} for f in families.values() for s in f.samples)
    assert all("." not in name and ":" not in name for name in families)
    assert "20260302T" not in text
    assert not list(tmp_path.glob("*.prom.new"))
    board = json.loads((DASHBOARDS / "grafana.json").read_text())
    asked = {name for p in board["panels"] for t in p["targets"] for name in re.findall(r"groundswell_\w+", t["expr"])}
    assert asked
    assert asked <= set(families)


def test_a_page_that_was_cut_short_is_written_again(world: World, tmp_path: Path) -> None:
    over(world)
    publish(world, tmp_path / "report", "14:30")
    (page,) = (tmp_path / "report").glob("incident-*.html")
    whole = page.read_bytes()
    page.write_bytes(whole[:3000])
    publish(world, tmp_path / "report", "14:30")
    assert page.read_bytes().rstrip().endswith(b"</html>")


def test_metrics_that_cannot_be_written_are_reported_and_the_report_is_there(world: World, tmp_path: Path) -> None:
    report = replace(world.config.report, metrics=str(tmp_path / "a-file" / "m.prom"))
    (tmp_path / "a-file").write_text("in the way")
    config = replace(world.config, report=report)
    run = run_publish(world.store, config, tmp_path / "report", at("12:00"), simulated=False)
    assert (run.outcome, "metrics" in run.error) == ("error", True)
    assert (tmp_path / "report" / "index.html").exists()
