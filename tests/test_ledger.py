"""The ledger: incidents counted rightly, months until now, and no grade without a status page."""

from __future__ import annotations

import pytest

from pipeline.core.records import Batch
from pipeline.core.status_records import StatusUpdate
from pipeline.core.times import Span, utc
from pipeline.incidents.reliability import acknowledgement, months
from pipeline.reports.ledger import ledger_lines, service_ledger
from pipeline.reports.reliability import by_crowd, by_page, official_entries, put_availability, records_with_crowd_onset
from pipeline.store.availability import availability_of
from pipeline.store.observations import save_batch
from tests.world import CATALOGUE, World, at


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
    assert (told.mean_minutes, told.incidents, told.left_out) == (49, 1, 1)
    assert told.grade is None, "one late notice is no habit"
    assert told.began_with_notice == 1, "nobody else says when the first one began"


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


def watched(world: World, source: str, since: str, until: str) -> None:
    save_batch(world.store, Batch(source=source, rows=(), coverage=(Span(utc(since), utc(until)),)), utc(until))


@pytest.mark.parametrize("source", ["status", "status:github"])
def test_availability_counts_over_the_time_in_which_the_page_was_read(world: World, source: str) -> None:
    watched(world, source, "2026-03-01T00:00:00Z", "2026-03-31T23:59:00Z")
    world.page("github", "A", "11:00", "investigating", "major", day=30)
    world.page("github", "A", "12:00", "resolved", "major", day=30)
    (march,) = by_page(world.store, CATALOGUE["github"], utc("2026-03-31T23:59:00Z")).months()
    assert march.observed_minutes == 31 * 1440 - 1
    assert round(march.availability, 4) == 0.9987


def test_hours_in_which_the_page_was_not_read_are_neither_up_nor_down(world: World) -> None:
    watched(world, "status", "2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z")
    watched(world, "status", "2026-03-03T00:00:00Z", "2026-03-04T00:00:00Z")
    world.page("github", "A", "23:00", "investigating", "major", day=1)
    world.page("github", "A", "01:00", "resolved", "major", day=3)
    (march,) = by_page(world.store, CATALOGUE["github"], at("12:00", 5)).months()
    assert (march.observed_minutes, march.down_minutes) == (2 * 1440, 60 + 60)
    ledger = service_ledger(world.store, CATALOGUE["github"], at("12:00", 5), 12)
    assert ledger is not None
    note = "  of 2026-03 2.0 of 31 days were watched; what is available is of these"
    assert note in list(ledger_lines(ledger))


def test_an_archive_tells_of_the_time_before_the_first_reading_from_its_first_incident_on(world: World) -> None:
    watched(world, "status", "2026-03-03T00:00:00Z", "2026-03-04T00:00:00Z")
    world.page("github", "A", "12:00", "investigating", "major", day=1)
    world.page("github", "A", "13:00", "resolved", "major", day=1)
    (march,) = by_page(world.store, CATALOGUE["github"], at("00:00", 5)).months()
    assert (march.observed_minutes, march.down_minutes) == (1.5 * 1440 + 1440, 60)


def test_minutes_by_the_crowd_leave_out_the_hours_between_two_rises(world: World) -> None:
    # a notice holds the episode open over both
    world.page("github", "A", "11:00", "investigating", "major")
    for clock in ("11:00", "17:00"):
        world.bins("github", clock, 12, 80, 60)
        world.bins("github", f"{int(clock[:2]) + 1}:00", 40, 4, 0)
    world.read("10:00", "23:00")
    world.explain("22:00")
    (incident,) = world.all().values()
    (episode,) = incident.episodes
    assert [(s.since, s.until) for s in episode.crowd_spans] == [
        (at("11:00"), at("12:00")),
        (at("17:00"), at("18:00")),
    ]
    (march,) = by_crowd(world.store, CATALOGUE["github"], at("22:00")).months()
    assert (march.down_minutes, march.incidents) == (120, 2)


def test_ledger_and_stored_availability_give_one_figure(world: World) -> None:
    watched(world, "status", "2026-03-01T00:00:00Z", "2026-03-04T00:00:00Z")
    world.page("github", "A", "11:00", "investigating", "major")
    world.page("github", "A", "12:30", "resolved", "major")
    world.bins("github", "10:50", 20, 80, 60)
    world.bins("github", "12:30", 40, 4, 0)
    world.read("08:00", "23:00")
    world.explain("20:00")
    put_availability(world.store, CATALOGUE, at("00:00", 4))
    ledger = service_ledger(world.store, CATALOGUE["github"], at("00:00", 4), 12)
    assert ledger is not None
    stored = {(a.said_by, a.month): (a.down_minutes, a.availability) for a in availability_of(world.store, "github", 9)}
    assert stored == {
        (side, month.month): (month.down_minutes, month.availability)
        for side, lines in (("page", ledger.official), ("crowd", ledger.crowd))
        for month in lines
    }


def test_a_page_of_which_only_the_notices_tell_when_trouble_began_has_no_grade(world: World) -> None:
    for day in (2, 3):
        world.page("github", f"A{day}", "11:00", "investigating", "major", day=day)
        world.page("github", f"A{day}", "12:00", "resolved", "major", day=day)
    ledger = service_ledger(world.store, CATALOGUE["github"], at("00:00", 4), 12)
    assert ledger is not None
    assert (ledger.acknowledgement.grade, ledger.acknowledgement.began_with_notice) == (None, 2)
    assert "2 began with their notices" in next(ledger_lines(ledger))
