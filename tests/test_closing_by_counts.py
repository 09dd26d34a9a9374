"""When an incident that rests on counts is over: by usual counts, by zeros, by wide bins; never by a gap."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from pipeline.config.settings import Alerts
from pipeline.core.records import Batch, ComplaintCount
from pipeline.core.series import SeriesKey, VerdictPoint
from pipeline.core.vocabulary import PhaseName
from pipeline.incidents.episodes import EpisodeDraft
from pipeline.incidents.phases import phases
from pipeline.store import Store
from pipeline.store.detector_input import zero_counts_until
from pipeline.store.observations import save_batch
from pipeline.store.outbox import alerts_of
from tests.copies import replace
from tests.test_story import SERVICE, built, interval
from tests.world import World, at

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with Store(tmp_path / "w.db") as store:
        made = World(store, ("github",))
        made.config = replace(made.config, alerts=Alerts(channels=("file",)))
        yield made


def judge(world: World, start: datetime, width: timedelta, *, rises: bool, judged: datetime | None = None) -> None:
    """Write a verdict on a count far above or at what is expected."""
    total, score = (75.0, 60.0) if rises else (5.0, 0.0)
    seconds = width // timedelta(seconds=1)
    world.bins("github", f"{start:%H:%M}", 1, total, score, width=seconds, day=start.day, judged=judged)


def explain(world: World, moment: datetime) -> None:
    world.explain(f"{moment:%H:%M}", moment.day)


def run(world: World, since: datetime, until: datetime, *, rises: bool) -> None:
    """Judge every five minutes of a span, and explain as often at its beginning, later every half an hour."""
    for n in range(1, (until - since) // (5 * MINUTE) + 1):
        now = since + n * 5 * MINUTE
        judge(world, now - 5 * MINUTE, 5 * MINUTE, rises=rises)
        if n <= 3 or n % 6 == 0:
            explain(world, now)


def count(world: World, since: datetime, until: datetime, total: int) -> None:
    """Store counts of five minutes of which no verdict is kept."""
    rows = tuple(
        ComplaintCount(
            service="github",
            source="x",
            region="",
            indicator="",
            start=since + n * 5 * MINUTE,
            interval_s=300,
            total=total,
            collected=until,
        )
        for n in range((until - since) // (5 * MINUTE))
    )
    save_batch(world.store, Batch(source="x", rows=rows), until)


def ends_and_begins(world: World) -> list[tuple[str, str, datetime]]:
    """Return the messages that begin or end an incident: its id, the transition, when."""
    kept = ("opened", "reopened", "over")
    return [(a.incident, a.transition.value, a.created) for a in alerts_of(world.store) if a.transition.value in kept]


def transitions(world: World) -> list[tuple[str, datetime]]:
    return [(transition, moment) for _, transition, moment in ends_and_begins(world)]


def test_usual_counts_end_an_incident_after_half_an_hour_and_after_a_relapse_later(world: World) -> None:
    run(world, at("11:00"), at("11:30"), rises=True)
    run(world, at("11:30"), at("13:00"), rises=False)
    run(world, at("13:00"), at("13:30"), rises=True)
    run(world, at("13:30"), at("16:30"), rises=False)
    assert transitions(world) == [
        ("opened", at("11:05")),
        ("over", at("12:00")),
        ("reopened", at("13:05")),
        ("over", at("16:00")),
    ]


def test_counts_of_zero_end_an_incident_as_usual_counts_do(world: World) -> None:
    run(world, at("11:00"), at("11:30"), rises=True)
    for minute in range(35, 70, 5):
        moment = at("11:00") + minute * MINUTE
        count(world, moment - 5 * MINUTE, moment, 0)
        explain(world, moment)
    assert transitions(world) == [("opened", at("11:05")), ("over", at("12:00"))]


def test_counts_that_stop_end_an_incident_after_six_hours(world: World) -> None:
    run(world, at("11:00"), at("11:30"), rises=True)
    for moment in (at("12:00"), at("14:00"), at("17:20"), at("17:30")):
        explain(world, moment)
    assert transitions(world) == [("opened", at("11:05")), ("over", at("17:30"))]


def test_a_count_that_is_not_judged_yet_is_no_zero(world: World) -> None:
    run(world, at("11:00"), at("11:30"), rises=True)
    count(world, at("11:30"), at("11:40"), 0)
    count(world, at("11:40"), at("11:45"), 80)
    count(world, at("11:45"), at("12:15"), 0)
    key = SeriesKey(service="github", channel="complaints", source="x", bin_s=300)
    assert zero_counts_until(world.store, key, at("11:30"), at("12:15")) == at("11:40")
    assert zero_counts_until(world.store, key, at("11:45"), at("12:15")) == at("12:15")
    assert zero_counts_until(world.store, key, at("12:15"), at("13:00")) is None
    explain(world, at("12:15"))
    assert transitions(world) == [("opened", at("11:05"))]


@pytest.mark.parametrize("delay", [0.0, 0.9, 1.5], ids=["at_once", "almost_a_bin_late", "more_than_a_bin_late"])
@pytest.mark.parametrize("hours", [3, 6, 24])
def test_bins_of_hours_are_no_gap_while_they_run_or_wait_to_be_published(
    world: World, hours: int, delay: float
) -> None:
    width, begin = hours * HOUR, at("00:00", 3)
    published = 0
    for half in range(2 * 8):
        now = begin + half * width / 2
        while published < 6 and begin + (published + 1 + delay) * width <= now:
            judge(world, begin + published * width, width, rises=published < 3, judged=now)
            published += 1
        explain(world, now)
    opened, over = begin + _rounded_up(1 + delay) * width, begin + _rounded_up(5 + delay) * width
    assert transitions(world) == [("opened", opened), ("over", over)]


def _rounded_up(bins: float) -> float:
    return math.ceil(bins * 2) / 2


def test_a_rise_three_hours_after_the_end_is_an_incident_of_its_own_with_an_id_that_stays(world: World) -> None:
    run(world, at("10:00"), at("11:00"), rises=True)
    run(world, at("11:00"), at("14:00"), rises=False)
    run(world, at("14:00"), at("14:30"), rises=True)
    run(world, at("14:30"), at("17:30"), rises=False)
    first, second = "github-20260302T1000Z", "github-20260302T1400Z"
    assert ends_and_begins(world) == [
        (first, "opened", at("10:05")),
        (first, "over", at("11:30")),
        (second, "opened", at("14:05")),
        (second, "over", at("17:00")),
    ]
    assert sorted(world.all()) == [first, second]


def test_what_begins_a_day_after_an_incident_that_lasts_is_part_of_it() -> None:
    long = replace(interval("10:00", "11:00"), end=at("09:00", 3))
    next_day = interval("10:00", "11:00", day=3)
    (known,) = built([next_day], [], at("11:00", 3))
    (incident,) = built([long, next_day], [], at("11:00", 3), [known])
    assert incident.id == known.id
    assert incident.episode_count == 2


def test_counts_that_are_missing_are_no_easing() -> None:
    rise = interval("10:00", None)
    missing = [math.nan, math.nan, math.nan]
    counts = [20.0, 50.0, *missing, 50.0, *missing]
    points = [VerdictPoint(at("10:00") + n * 15 * MINUTE, c, 5.0, 15.0, 60.0, 2) for n, c in enumerate(counts)]
    episode = EpisodeDraft(rise.onset, None, [rise], [])
    found = phases(1, episode, SERVICE, [], {rise.series: points}, at("12:30"))
    assert PhaseName.EASING not in {phase.phase for phase in found}
