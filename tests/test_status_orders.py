"""Whatever polls of a page were made, in any order: for the incidents of its last answer the ledger is the same."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.core.status_records import StatusUpdate
from pipeline.incidents.episodes import by_incident
from pipeline.incidents.reliability import ReliabilityRecord
from pipeline.reports.reliability import official_entries
from pipeline.store import Store
from pipeline.store.official import updates_of_page
from tests.fakes.scripted import Scripted
from tests.test_status_pages import API, NOW, SERVICE, collect, host, incident, page, update

WORDS = ("investigating", "identified", "monitoring", "resolved", "update", "postmortem")
UNTIL = NOW + timedelta(hours=1)


def answers_of_a_day(chance: random.Random) -> list[bytes]:
    """Return five answers of a page on which three incidents are posted, shown under other times, and reworded."""
    incidents: dict[str, list[dict[str, Any]]] = {}
    answers = []
    for hour in range(10, 15):
        for name in "abc":
            if name in incidents or chance.random() < 0.5:
                updates = incidents.setdefault(name, [])
                if chance.random() < 0.7:
                    clock = f"{hour}:{chance.randrange(60):02}"
                    updates.insert(0, update(clock, chance.choice(WORDS), name=f"{name}{hour}"))
                if updates and chance.random() < 0.4:
                    edited = chance.choice(updates)
                    shown = f"2026-03-02T{chance.randrange(8, 15):02}:{chance.randrange(60):02}:00Z"
                    edited |= chance.choice([{"display_at": shown}, {"body": shown}])
        answers.append(page(*(incident(name, updates) for name, updates in incidents.items())))
    return answers


def ledger(
    path: Path, fake: Scripted, answers: Sequence[bytes], polls: Sequence[int]
) -> tuple[list[ReliabilityRecord], list[list[tuple[str, str]]]]:
    def named(row: StatusUpdate) -> tuple[str, str]:
        return row.update_id, row.body

    with Store(path) as store:
        for poll in polls:
            fake.answers = {API: answers[poll]}
            collect(store, fake, NOW + timedelta(minutes=poll))
        posts = by_incident(updates_of_page(store, SERVICE.page, UNTIL))
        rows = [[named(row) for row in posts[name]] for name in sorted(posts)]
        return official_entries(store, SERVICE, SERVICE.page, UNTIL), rows


@pytest.mark.parametrize("seed", range(6))
def test_any_polls_in_any_order_lead_to_the_same_ledger(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    answers = answers_of_a_day(chance)
    orders = [[4], [0, 1, 2, 3, 4], [4, 3, 2, 1, 0]]
    orders += [[*chance.sample(range(4), chance.randrange(1, 4)), 4] for _ in range(2)]
    with host() as fake:
        found = [ledger(tmp_path / f"{number}.db", fake, answers, order) for number, order in enumerate(orders)]
    assert all(one == found[0] for one in found)
