"""What is recovered of a rolling hour: a step where it was, no echo, no peak after a wrong zero."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest

from pipeline.core.times import utc
from pipeline.sources import (
    downstatus,
)

NOW = utc("2026-03-02T12:00:00Z")


def recovered(stamps: list[int], polls: list[int], slips: frozenset[int] = frozenset()) -> dict[int, int]:
    """Return what is recovered of reports at `stamps` by polls of a rolling hour; polls in `slips` answer 0."""
    state, found = downstatus.Rolling(), {}
    for number, at in enumerate(polls):
        total = 0 if number in slips else sum(at - 3600 < stamp <= at for stamp in stamps)
        for start, reports in downstatus.recover(state, datetime.fromtimestamp(at, UTC), total):
            assert start.timestamp() not in found, "a bin is told once"
            found[int(start.timestamp())] = reports
        state = downstatus.Rolling.of(state.to_json())
    return found


BEGUN = int(NOW.timestamp()) - 6 * 3600


@pytest.mark.parametrize(
    ("cadence", "phase", "jitter"),
    [(300, 0, 0), (300, 0, 20), (300, 150, 18), (60, 0, 5), (120, 30, 0), (420, 0, 0), (600, 100, 0), (900, 0, 30)],
)
@pytest.mark.parametrize("seed", range(3))
def test_a_step_in_a_rolling_hour_is_found_where_it_was_and_leaves_no_echo(
    seed: int, cadence: int, phase: int, jitter: int
) -> None:
    random_ = random.Random(seed)
    step = BEGUN + 3 * 3600 + 130
    background = [BEGUN - 3600 + random_.randrange(7 * 3600) for _ in range(7 * 20)]
    polls = [
        at + phase + (random_.randrange(jitter) if jitter else 0) for at in range(BEGUN, BEGUN + 6 * 3600, cadence)
    ]
    found = recovered(background + [step + random_.randrange(60) for _ in range(100)], polls)
    assert len(found) > 4 * 12 - 3 * cadence // 300
    near = sum(n for at, n in found.items() if step - cadence - 300 <= at <= step + cadence)
    assert near >= 90
    later = {at: n for at, n in found.items() if at > step + cadence + 300}
    assert max(later.values()) <= 15, later
    known = sum(min(found) <= stamp < max(found) + 300 for stamp in background) + 100
    assert abs(sum(found.values()) - known) <= 0.12 * known


@pytest.mark.parametrize(("cadence", "phase", "jitter"), [(300, 0, 0), (300, 150, 18), (420, 0, 0), (600, 0, 0)])
def test_a_steady_stream_stays_steady(cadence: int, phase: int, jitter: int) -> None:
    random_ = random.Random(1)
    stamps = list(range(BEGUN - 3600, BEGUN + 6 * 3600, 3))  # a hundred in five minutes
    polls = [
        at + phase + (random_.randrange(jitter) if jitter else 0) for at in range(BEGUN, BEGUN + 6 * 3600, cadence)
    ]
    found = recovered(stamps, polls)
    assert len(found) >= 4 * 12
    assert all(80 <= n <= 120 for n in found.values()), sorted(found.values())


@pytest.mark.parametrize("slip", [5, 30, 31])
def test_a_single_wrong_zero_makes_no_peak_now_and_no_echo_later(slip: int) -> None:
    stamps = list(range(BEGUN - 3600, BEGUN + 6 * 3600, 3))
    found = recovered(stamps, list(range(BEGUN, BEGUN + 6 * 3600, 300)), frozenset({slip}))
    assert all(80 <= n <= 120 for n in found.values()), sorted(found.values())


def test_a_pause_in_the_polls_is_a_gap_and_a_clock_gone_wrong_heals() -> None:
    stamps = list(range(BEGUN - 3600, BEGUN + 6 * 3600, 30))
    polls = [*range(BEGUN, BEGUN + 9000, 300), *range(BEGUN + 12_000, BEGUN + 13_500, 300)]
    found = recovered(stamps, polls)
    assert max(found) < BEGUN + 9000, "the hour has to be learned again"
    ahead = [*range(BEGUN, BEGUN + 6000, 300), BEGUN + 86400 * 30, *range(BEGUN + 6300, BEGUN + 6 * 3600, 300)]
    found = recovered(stamps, ahead)
    assert max(found) >= BEGUN + 5 * 3600
