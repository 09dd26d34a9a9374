"""What commands say of what the configuration has no more: sources, services, and files without a service's rows."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

from pipeline.config.paths import DASHBOARDS
from pipeline.core.catalogue import Service
from pipeline.core.records import Batch, Run
from pipeline.core.times import utc
from pipeline.store import Store
from pipeline.store.incidents import put_incident
from pipeline.store.observations import save_batch
from pipeline.store.runs import record_run
from tests.conftest import Groundswell
from tests.copies import replace
from tests.test_others_too import POSSIBLE, count

NOW = utc("2026-03-02T12:00:00Z")
CLOCK = ("--now", "2026-03-02T12:00:00Z")
NO_SOURCES = (
    "[sources]\nstatuspage = false\nhacker_news = false\ndownstatus = false\nnews_desks = false\n"
    "google_news = false\nfeeds = []\n"
)


def configured(folder: Path, text: str) -> Store:
    """Write a configuration; return the empty database beside it."""
    (folder / "groundswell.toml").write_text(text)
    return Store(folder / "groundswell.db", views=DASHBOARDS / "views.sql")


def put_open(store: Store, service: str) -> None:
    """Put an incident that began half an hour ago."""
    since = NOW - timedelta(minutes=30)
    with store.transaction() as conn:
        put_incident(conn, replace(POSSIBLE, id=f"{service}-1", service=service, onset=since, opened_at=since))


def test_a_source_that_was_removed_from_the_configuration_is_not_silent(
    groundswell: Groundswell, tmp_path: Path
) -> None:
    with configured(tmp_path, f'watch = ["github"]\n{NO_SOURCES}') as store:
        record_run(store, Run(stage="collect", subject="hacker_news", started=NOW, outcome="error", error="refused"))
    done = groundswell("status", *CLOCK)
    assert (done.returncode, "silent" in done.stdout) == (0, False), done.stdout
    assert "not answering" not in groundswell("why", "github", *CLOCK).stdout
    toml = tmp_path / "groundswell.toml"
    toml.write_text(toml.read_text().replace("hacker_news = false", "hacker_news = true"))
    done = groundswell("status", *CLOCK)
    assert (done.returncode, "hacker_news: never answered; refused" in done.stdout) == (3, True), done.stdout
    assert "not answering, so nothing can be seen by them: hacker_news" in groundswell("why", "github", *CLOCK).stdout


def test_a_file_of_counts_covers_the_services_of_which_it_has_rows(groundswell: Groundswell, tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text("service,start_utc,interval_s,total\n")
    with configured(tmp_path, f'watch = ["claude", "github"]\n{NO_SOURCES}counts = ["c.csv"]\n') as store:
        assert "c.csv, if it has rows of it" in groundswell("service", "show", "claude", *CLOCK).stdout
        rows = (replace(count(NOW - timedelta(hours=1), 5), source="counts:c.csv"),)
        save_batch(store, Batch(source="counts:c.csv", rows=rows), NOW)
    shown = groundswell("service", "show", "claude", *CLOCK).stdout
    assert "not      your counts    c.csv: no row of it was read" in shown
    assert "covered  your counts    c.csv\n" in groundswell("service", "show", "github", *CLOCK).stdout
    found = json.loads(groundswell("doctor", "--offline", "--json", *CLOCK).stdout)["findings"]
    levels = {one["what"]: one["level"] for one in found if one["what"].startswith("service ")}
    assert levels == {"service claude": "warn", "service github": "ok"}


def test_a_service_that_left_the_catalogue_is_answered_for_by_its_old_id(
    groundswell: Groundswell, tmp_path: Path
) -> None:
    with configured(tmp_path, f'watch = ["laden"]\n[services.laden]\nname = "Our shop"\n{NO_SOURCES}') as store:
        store.put_catalogue({"shop": Service(id="shop", name="Our shop")}, ("shop",))
        put_open(store, "shop")
    for command in (("status", "shop"), ("why", "shop"), ("silence", "add", "shop", "--for", "2h", "--reason", "x")):
        done = groundswell(*command, *CLOCK)
        assert done.returncode == 0, (command, done.stderr)
        assert done.stderr == "groundswell: shop is not in the catalogue any more; the database knows it\n"
    assert "possible outage since 11:30" in groundswell("status", "shop", *CLOCK).stdout
    assert groundswell("why", "nobody", *CLOCK).returncode == 2


def test_of_a_service_that_is_not_watched_no_route_is_said_to_match(groundswell: Groundswell, tmp_path: Path) -> None:
    with configured(tmp_path, f'watch = ["claude"]\n{NO_SOURCES}') as store:
        put_open(store, "github")
    said = groundswell("why", "github", *CLOCK).stdout
    assert "it did not alert: github is not watched" in said
    assert "route" not in said
