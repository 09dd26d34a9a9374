"""The ledger: incidents counted rightly, months until now, and no grade without a status page."""

from __future__ import annotations

import pytest

from pipeline.core.records import Batch, StatusUpdate
from pipeline.core.times import utc
from pipeline.incidents.reliability import acknowledgement, months
from pipeline.reports.ledger import ledger_lines, service_ledger
from pipeline.reports.reliability import official_entries, records_with_crowd_onset
from pipeline.store import Store
from pipeline.store.observations import save_batch
from tests.world import CATALOGUE, World, at


@pytest.fixture
def world(store: Store) -> World:
    return World(store, ("github", "netflix", "claude", "huggingface", "vercel", "heroku"))


def test_the_ledger_counts_reopened_open_and_doubtful_incidents_rightly(world: World) -> None:
    github = CATALOGUE["github"]
    page = github.page
    for clock, status in (
        ("11:00", "investigating"),
        ("11:30", "resolved"),
        ("11:40", "investigating"),
        ("17:00", "resolved"),
    ):
        world.page("github", "A", clock, status, "major")
    (entry,) = official_entries(world.store, github, page, at("00:00", 3))
    assert (entry.began, entry.ended) == (at("11:00"), at("17:00"))
    (march,) = months([entry], at("00:00", 3))
    assert march.down_minutes == 360
    # a crowd 49 minutes before the notice, with maintenance beside it, and one blip that was never believed
    world.page("github", "M", "10:50", "scheduled", "maintenance", day=4)
    world.bins("github", "11:00", 30, 80, 60, day=4)
    world.page("github", "B", "11:49", "investigating", "major", day=4)
    world.page("github", "B", "13:30", "resolved", "major", day=4)
    world.bins("github", "13:30", 40, 4, 0, day=4)
    world.bins("github", "20:00", 1, 5, 10, day=4)
    world.bins("github", "20:05", 40, 4, 0, day=4)
    for clock in ("13:30", "16:00", "20:05", "23:30"):
        world.explain(clock, 4)
    doubtful = [i for i in world.all().values() if i.onset == at("20:00", 4)]
    assert [i.probability is not None and i.probability < 0.5 for i in doubtful] == [True]
    told = acknowledgement(records_with_crowd_onset(world.store, github, page, at("23:40", 4)), at("23:40", 4))
    assert (told.mean_minutes, told.incidents, told.left_out) == ((0 + 49) / 2, 2, 1)


def test_the_ledger_lists_months_until_now_while_open_and_grades_nobody_without_a_page(world: World) -> None:
    for month in (1, 2):
        save_batch(
            world.store,
            Batch(
                source="page",
                rows=(
                    StatusUpdate(
                        page=CATALOGUE["github"].page,
                        incident_id="A",
                        update_id=f"{month}",
                        name="n",
                        status="investigating",
                        impact="critical",
                        components=(),
                        displayed_at=utc("2026-01-20T00:00:00Z"),
                        created_at=utc("2026-01-20T00:00:00Z"),
                        collected=at("08:00"),
                    ),
                ),
            ),
            at("08:00"),
        )
    ledger = service_ledger(world.store, CATALOGUE["github"], at("00:00", 15), 12)
    assert ledger is not None
    assert [m.month for m in ledger.official] == ["2026-01", "2026-02", "2026-03"]
    assert [m.down_minutes for m in ledger.official] == [12 * 1440, 28 * 1440, 14 * 1440]
    alone = next(s for s in CATALOGUE.values() if not s.status_page)
    world.bins(alone.id, "11:00", 6, 80, 60)
    world.bins(alone.id, "11:30", 40, 4, 0)
    world.explain("14:00")
    ledger = service_ledger(world.store, alone, at("00:00", 3), 12)
    assert ledger is not None
    lines = list(ledger_lines(ledger))
    assert lines[0].endswith("no grade, no status page is known")
    assert lines[3].split()[:2] == ["2026-03", "-"]
    assert "30" in lines[3].split()
