"""What `why` says of a moment: what was known then, and only the messages that name the service."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.core.records import Batch, ComplaintCount
from pipeline.reports.decision_trace import TraceStep, decision_trace
from pipeline.store import Store
from pipeline.store.observations import save_batch
from tests.world import ALARM, CATALOGUE, World, at

CLOUD = ("google_cloud", "spotify", "discord", "shopify")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with Store(tmp_path / "a.db") as store:
        yield World(store, CLOUD)


def trace(world: World, service: str, clock: str) -> list[TraceStep]:
    return decision_trace(world.store, world.config, CATALOGUE[service], at(clock), at("13:00"), ALARM)


def answer(world: World, service: str, clock: str) -> str:
    return trace(world, service, clock)[-1].words


def count(world: World, service: str, clock: str, total: int, collected: str) -> None:
    """Store and judge a count of a quarter of an hour, far above what is usual."""
    row = ComplaintCount(
        source="x",
        region="",
        indicator="",
        service=service,
        start=at(clock),
        interval_s=900,
        total=total,
        collected=at(collected),
    )
    save_batch(world.store, Batch(source="x", rows=(row,)), at(collected))
    world.bins(service, clock, 1, total, 40.0, width=900, judged=at(collected))
    world.read("08:00", collected)
    world.explain(collected)


def test_a_count_that_was_not_collected_yet_is_no_alarm_of_that_moment(world: World) -> None:
    count(world, "spotify", "10:00", 400, collected="10:20")
    (signal,) = [step for step in trace(world, "spotify", "10:17") if step.name == "signal"]
    assert "1 of them came later" in signal.words
    assert signal.passed is None
    assert answer(world, "spotify", "10:17") == (
        "it had not alerted yet: some rows of the signal above the alarm threshold came later;"
        " it alerted at 2026-03-02T10:20:00Z"
    )
    (signal,) = [step for step in trace(world, "spotify", "10:21") if step.name == "signal"]
    assert signal.passed


def test_an_interval_that_still_runs_is_not_shown(world: World) -> None:
    count(world, "spotify", "09:45", 5, collected="10:05")
    count(world, "spotify", "10:00", 400, collected="10:20")
    (signal,) = [step for step in trace(world, "spotify", "10:10") if step.name == "signal"]
    assert ": 5 at 09:45 UTC" in signal.words


def test_a_message_about_a_shared_failure_counts_for_the_services_that_it_names(world: World) -> None:
    for service in ("google_cloud", "spotify", "discord"):
        count(world, service, "10:00", 400, collected="10:20")
    world.explain("10:21")
    count(world, "shopify", "10:15", 400, collected="10:40")
    (shared,) = [i for i in world.all() if i.endswith("-shared")]
    assert world.all()[next(i for i in world.all() if i.startswith("shopify"))].part_of == shared
    assert answer(world, "discord", "10:35").startswith("it wrote a message at 2026-03-02T10:20:00Z")
    assert answer(world, "shopify", "10:35").startswith("it had not alerted yet")
    assert answer(world, "shopify", "10:45").startswith("it wrote a message at 2026-03-02T10:40:00Z")
