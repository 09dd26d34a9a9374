"""What a status page said at a moment: in a recording and in the answer to why."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from pipeline.config.settings import Config
from pipeline.replay.recorder import record
from pipeline.replay.scenario import read_scenario
from pipeline.replay.scenario_sources import load_recorded
from pipeline.reports.decision_trace import decision_trace
from pipeline.store import Store
from pipeline.store.observations import save_batch
from pipeline.store.official import planned_maintenance, updates_of_page
from tests.copies import replace
from tests.test_status_pages import API, NOW, PLANNED, REOPENED, SERVICE, collect, host, incident, page, update


def test_a_recording_shows_each_wording_from_when_it_was_read_and_maintenance_from_when_it_was_announced(
    store: Store, tmp_path: Path
) -> None:
    bodies = ("It is over.", 'A failed deploy, "sort of", caused it.', "It failed from 09:31 to 10:44 UTC.")
    maintenance = {"page": {"id": "x"}, "scheduled_maintenances": [PLANNED]}
    moments = [NOW + timedelta(hours=hours) for hours in (0, 2, 4)]
    with host({"/api/v2/scheduled-maintenances.json": json.dumps(maintenance).encode()}) as fake:
        for now, body in zip(moments, bodies, strict=True):
            updates = [update("11:00", "resolved", name="2", body=body), update("10:00", "investigating", name="1")]
            fake.answers = {**fake.answers, API: page(incident("a", updates))}
            collect(store, fake, now)
    shown = [update("11:30", "investigating", name="3", body="Never reworded.")]
    with host({API: page(incident("b", shown))}) as fake:
        collect(store, fake, moments[0])
    since, until = NOW - timedelta(hours=8), moments[1] + timedelta(hours=1)
    record(store, tmp_path / "whole", since, moments[2], name="w", watch=("acme",), simulated=True)
    record(store, tmp_path / "part", since, until, name="p", watch=("acme",), simulated=True)
    written = b"".join(file.read_bytes() for file in sorted((tmp_path / "part").rglob("*")) if file.is_file())
    assert (bodies[0].encode() in written, bodies[2].encode() in written) == (True, False)
    scenario = read_scenario(tmp_path / "whole")
    (source,) = [s for s in load_recorded(scenario)[0] if s.kind == "status"]
    for steps in (moments, moments[2:]):  # however often one looks, also once at the end
        with Store(tmp_path / f"replayed{len(steps)}.db") as again:
            state: dict[str, str] = {}
            before = scenario.start
            for now in steps:
                batch = source.fetch(before, now, state)
                save_batch(again, batch, now)
                state, before = {**state, **batch.state}, now
                assert updates_of_page(again, SERVICE.page, now) == updates_of_page(store, SERVICE.page, now)
            for now in moments:
                assert {u.update_id: u.body for u in updates_of_page(again, SERVICE.page, now)}["2"] == bodies[
                    moments.index(now)
                ]
            (planned,) = planned_maintenance(again, SERVICE.page, NOW, NOW)
            assert planned == replace(planned_maintenance(store, SERVICE.page, NOW, NOW)[0], started_at=None)
            wordings = "SELECT * FROM status_wordings"
            assert list(map(tuple, again.rows(wordings))) == list(map(tuple, store.rows(wordings)))


@pytest.mark.parametrize("parts", [(), ("API",)])
def test_a_recording_shows_an_incident_until_its_page_took_it_back(
    store: Store, tmp_path: Path, parts: tuple[str, ...]
) -> None:
    service = replace(SERVICE, status_components=parts)
    listed = [{"id": "p", "name": "API", "status": "operational"}]
    old = incident("old", REOPENED[2:], components=listed)
    new = incident("new", [update("12:00", "investigating")], components=listed)
    moments = [NOW + timedelta(minutes=minutes) for minutes in (0, 5, 10)]
    with host({API: page(new, old)}) as fake:
        collect(store, fake, moments[0], service)
        fake.answers = {API: page(old)}
        collect(store, fake, moments[1], service)
        collect(store, fake, moments[2], service)
    since = NOW - timedelta(hours=8)
    for until, shown in ((moments[0], {"old", "new"}), (moments[2], {"old"})):
        folder = tmp_path / f"until-{until:%H%M}"
        record(store, folder, since, until, name="w", watch=("acme",), simulated=True)
        (source,) = [s for s in load_recorded(read_scenario(folder))[0] if s.kind == "status"]
        with Store(tmp_path / f"{until:%H%M}.db") as again:
            save_batch(again, source.fetch(since, until, {}), until)
            for now in [moment for moment in moments if moment <= until]:
                assert updates_of_page(again, service.page, now) == updates_of_page(store, service.page, now)
            assert {u.incident_id for u in updates_of_page(again, service.page, until)} == shown


def test_why_says_what_the_page_said_then(store: Store) -> None:
    def said(at: datetime) -> list[str]:
        steps = decision_trace(store, Config(), SERVICE, at, NOW + timedelta(days=9), 9.0)
        return [step.words for step in steps if step.name == "page"]

    first = [
        update("15:40", "update", name="2", body="We look on."),
        update("15:30", "investigating", name="1", body="It fails."),
    ]
    resolved = [update("15:50", "resolved", name="3", body="It is over."), *first]
    reworded = [update("15:50", "resolved", name="3", body="A disk was full."), *first]
    with host() as fake:
        for minutes, updates in ((-15, first), (0, resolved), (30, reworded)):
            fake.answers = {API: page(incident("a", updates))}
            collect(store, fake, NOW + timedelta(minutes=minutes))
    assert said(NOW - timedelta(minutes=16)) == []
    assert said(NOW - timedelta(minutes=1)) == ["Incident a: investigating, 15:40 UTC: We look on."]
    assert said(NOW + timedelta(minutes=29)) == ["Incident a: resolved, 15:50 UTC: It is over."]
    assert said(NOW + timedelta(minutes=30)) == ["Incident a: resolved, 15:50 UTC: A disk was full."]
    assert said(NOW + timedelta(minutes=81)) == [], "it has been over for more than an hour and a half"
