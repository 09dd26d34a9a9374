"""A small database with something to answer for every view: groups, provinces, gaps, services no longer watched."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from pipeline.config.paths import DASHBOARDS
from pipeline.core.records import Batch, ChartRank, ComplaintCount, ExternalStatus, NewsItem, Run
from pipeline.core.status_records import OfficialIncident
from pipeline.stages.publish.stage import run_publish
from pipeline.store import Store
from pipeline.store.local_time import put_local_time
from pipeline.store.observations import save_batch
from pipeline.store.operators import add_silence, put_feedback
from pipeline.store.runs import record_run
from tests.sending import send_due
from tests.world import CATALOGUE, World, at

WATCHED = ("github", "netflix", "heroku", "huggingface", "vercel", "aws")
PUBLISHED = "2026-03-05T12:00:00Z"


def write_world(path: Path, reports: Path) -> None:
    """Write the database, with its report into `reports`; it is published at PUBLISHED."""
    with Store(path, views=DASHBOARDS / "views.sql") as store:
        world = World(store, WATCHED)
        store.put_catalogue(CATALOGUE, WATCHED)
        put_local_time(store, "America/New_York")
        _counts(store)
        _alone(world)
        _together(world)
        _missed(world)
        _context(store)
        store.put_catalogue(CATALOGUE, tuple(name for name in WATCHED if name != "github"))
        run_publish(store, world.config, reports, at("12:00", 5), simulated=False)


def _counts(store: Store) -> None:
    """Counts of GitHub with parts, of Netflix by province only, of Heroku by kind only; an hour of each is missing."""

    def row(service: str, hour: int, total: int, region: str = "", indicator: str = "") -> ComplaintCount:
        return ComplaintCount(
            service=service,
            source="x",
            region=region,
            indicator=indicator,
            start=at(f"{hour:02d}:00"),
            interval_s=1800,
            total=total,
            collected=at("12:00"),
        )

    rows = []
    for hour in (6, 7, 9):
        rows += [row("github", hour, 10), row("github", hour, 4, "CA-ON"), row("github", hour, 3, "", "login")]
        rows += [
            row("netflix", hour, 5, "CA-ON"),
            row("netflix", hour, 6, "CA-QC"),
            row("netflix", hour, 2, "CA-ON", "app"),
        ]
        rows += [
            row("heroku", hour, 7, "", "login"),
            row("heroku", hour, 1, "", "app"),
            row("heroku", hour, 9, "US", "app"),
        ]
    save_batch(store, Batch(source="x", rows=tuple(rows)), at("12:00"))


def _alone(world: World) -> None:
    """GitHub: reported, alerted, then confirmed by its page, and in the news; over by noon."""
    world.news("10:30", "Regulator fines GitHub over data")
    world.read("09:00", "12:00")
    world.read("12:30", "13:00")
    world.people("github", "11:02", ["github is down", "git push fails", "github is down for me"])
    world.bins("github", "11:00", 6, 80, 60)
    world.bins("netflix", "08:00", 1, 9, 7)
    world.bins("heroku", "08:00", 1, 9, 2)
    world.explain("11:31")
    send_due(world, "11:33")
    world.page("github", "A", "11:40", "investigating", "major")
    world.page("github", "A", "11:41", "update", "minor")
    world.news("11:45", "GitHub is down: thousands of users report an outage")
    world.explain("11:46")
    send_due(world, "11:48")
    world.page("github", "A", "11:55", "resolved", "minor")
    world.explain("12:00")


def _together(world: World) -> None:
    """AWS fails with three that run on it: one shared failure, of which AWS is a member too; Supabase joins later."""
    world.page("aws", "aws", "12:58", "investigating", "major")
    for minute, name in enumerate(("huggingface", "vercel", "heroku")):
        world.page(name, name, f"13:0{minute}", "investigating", "major")
    world.explain("13:05")
    send_due(world, "13:05")


def _missed(world: World) -> None:
    """Netflix posts a notice after it was over: nobody was told; another is from before the first run."""
    world.page("netflix", "N", "09:00", "investigating", "major", day=4)
    world.page("netflix", "N", "09:30", "resolved", "critical", day=4)
    world.explain("23:00", 4)
    world.page("github", "B", "09:00", "investigating", "minor", day=5)
    world.page("github", "B", "09:20", "resolved", "minor", day=5)
    world.explain("11:00", 5)


def _context(store: Store) -> None:
    when = at("11:30")
    rank = ChartRank(store="apple", country="us", chart="free", app="GitHub", rank=3, observed=when, collected=when)
    verdict = ExternalStatus(source="downstatus", service="github", verdict="likely", observed=when, collected=when)
    undated = NewsItem(
        source="feed", native_id="u", outlet="Daily", published=None, collected=when, title="t", summary="", url=""
    )
    planned = OfficialIncident(
        page="githubstatus.com",
        incident_id="M",
        name="Upgrade",
        status="completed",
        impact="maintenance",
        collected=when,
        resolved_at=at("10:00"),
        scheduled_for=at("08:00"),
        scheduled_until=at("11:00"),
    )
    save_batch(store, Batch(source="feed", rows=(rank, verdict, undated, planned)), when)
    for minute, outcome in ((0, "ok"), (5, "error"), (10, "blocked")):
        run = Run(stage="collect", subject="page", started=at(f"11:{minute:02d}"), outcome=outcome, error="refused")
        record_run(store, run)
    record_run(store, Run(stage="collect", subject="x", started=at("13:30"), outcome="empty"))
    github = next(row[0] for row in store.rows("SELECT id FROM incidents WHERE service = 'github' ORDER BY onset"))
    put_feedback(store, github, "wrong", "", at("14:00"))
    add_silence(store, "netflix", "api", at("10:00"), at("14:00"), "planned", "ann")
    with store.transaction() as conn:
        conn.execute("INSERT INTO advisories VALUES ('github', ?, NULL, 'watch', '[\"a launch\"]', '[]')", (when,))
        conn.execute("INSERT INTO claims VALUES ('feed', 'u', 'start', '11:10', 'company', '')")
        for kind, value, beside in (("rival", 30.0, 20.0), ("comparable", 45.0, 0.8), ("figure", 80.0, 5.0)):
            values = (github, kind, when + timedelta(minutes=1), f"a {kind}", "", "gitlab", value, beside)
            conn.execute(
                'INSERT INTO incident_evidence (incident, kind, "at", statement, "rows", subject, value, beside)'
                " VALUES (?,?,?,?,?,?,?,?)",
                values,
            )
