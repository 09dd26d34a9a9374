"""Publishing the report of a thousand services with 90 days of incidents: all of it, and what a later run writes."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.config.paths import DASHBOARDS
from pipeline.config.settings import Config
from pipeline.core.catalogue import Component, Service
from pipeline.core.incidents import ComponentSpan, Episode, Evidence, Incident
from pipeline.core.row_refs import RowRef
from pipeline.core.series import SeriesKey
from pipeline.core.times import iso
from pipeline.core.vocabulary import ComponentStatus, EvidenceKind, Impact, RowTable, State
from pipeline.stages.publish.stage import run_publish
from pipeline.store import Store
from pipeline.store.incidents import put_incident
from pipeline.store.verdicts import Judgement, save_judgement
from tests.copies import replace
from tests.stored_rows import VerdictRow, an_incident, as_columns
from tests.world import at

SERVICES, INCIDENTS, COUNTED = 1000, 5, 300  # services; incidents of each in 90 days; services with counts
NOW = at("12:00")


def incident(service: str, number: int) -> Incident:
    onset = NOW - timedelta(days=90 / INCIDENTS * number + 5, minutes=int(service[-2:]) % 60)
    end = onset + timedelta(hours=3)
    said = Evidence(
        kind=EvidenceKind.COMPLAINTS,
        at=onset,
        statement="80 complaints in 15 min, 5.0 expected (score 60)",
        rows=(RowRef(RowTable.INCIDENTS, "x"),),
        value=80.0,
        compared_with=5.0,
    )
    part = ComponentSpan(
        component="api", source="votes", status=ComponentStatus.AFFECTED, since=onset, until=end, detail=""
    )
    episode = Episode(
        number=1,
        onset=onset,
        end=end,
        impact=Impact.HIGH,
        components=("api",),
        official_first_at=None,
        by_crowd=True,
    )
    return replace(
        an_incident(service, onset),
        state=State.RESOLVED,
        peak=onset + timedelta(hours=1),
        end=end,
        impact=Impact.HIGH,
        symptom="error",
        active=False,
        episodes=(episode,),
        components=(part,),
        evidence=(said,),
    )


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "x.db"
    with Store(path, views=DASHBOARDS / "views.sql", durable=False) as store:
        services = catalogue()
        store.put_catalogue(services, tuple(services))
        with store.transaction() as conn:
            for name in services:
                for number in range(INCIDENTS):
                    put_incident(conn, incident(name, number))
        rows, keys = [], []
        for name in list(services)[:COUNTED]:
            key = SeriesKey(service=name, channel="complaints", source="x", bin_s=900)
            keys.append(key)
            for n in range(96):
                start = iso(NOW - timedelta(minutes=15 * (96 - n)))
                rows.append(VerdictRow(str(key), start, float(n % 7), 4.0, 15.0, 0.0, 0.5, 0, 0, "d"))
        save_judgement(
            store,
            Judgement(
                subject="q", keys=keys, verdicts=[as_columns(rows)], states={}, redo_from=None, now=NOW, collected=None
            ),
        )
    return path


def catalogue() -> dict[str, Service]:
    part = Component(id="api", name="API")
    return {
        f"service{n:04}": Service(id=f"service{n:04}", name=f"Service {n}", components=(part,)) for n in range(SERVICES)
    }


@pytest.mark.parametrize("way", ["all of it", "nothing changed", "one incident began"])
def test_publishing_a_thousand_services(benchmark: Any, database: Path, tmp_path: Path, way: str) -> None:
    benchmark.group = f"the report of {SERVICES} services with {SERVICES * INCIDENTS} incidents in 90 days"
    benchmark.extra_info.update(way=way, of="all of it")
    config = Config(catalogue=catalogue())
    folder = tmp_path / "report"
    with Store(database, durable=False) as store:

        def publish() -> int:
            return run_publish(store, config, folder, NOW, simulated=False).new

        if way == "all of it":
            written = benchmark.pedantic(publish, rounds=1)
        else:
            publish()
            if way == "one incident began":
                began = replace(incident("service0500", 0), id="service0500-new", onset=NOW, end=None, active=True)
                with store.transaction() as conn:
                    put_incident(conn, replace(began, state=State.LIKELY, components=(), episodes=(), evidence=()))
            written = benchmark.pedantic(publish, rounds=1)
            if way == "one incident began":
                with store.transaction() as conn:
                    conn.execute("DELETE FROM incidents WHERE id = 'service0500-new'")
    files = [path for path in folder.rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files)
    largest = max(path.stat().st_size for path in files)
    benchmark.extra_info["note"] = (
        f"{written} of {len(files)} files written, {size / 1e6:.0f} MB, the largest {largest / 1e3:.0f} kB"
    )
    assert largest < 300_000
    assert written < 20 or way == "all of it"
