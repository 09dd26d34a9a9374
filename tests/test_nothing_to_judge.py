"""A run for which everything was judged before imports no detector, and records what the detect stage would."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from detectors import VERSIONS
from detectors.registry import DETECTORS
from pipeline.config.load import load_config
from pipeline.core.records import KIND, Batch, ComplaintCount
from pipeline.core.times import utc
from pipeline.detection.factory import make_detector
from pipeline.stages.detect.due import judge_nothing, note_unchanged
from pipeline.stages.detect.stage import run_detect
from pipeline.store import Store
from pipeline.store.observations import save_batch
from tests.copies import replace

NOW = utc("2026-03-02T10:00:00Z")
CONFIG = load_config(None, {})


def counts(*minutes: int, total: int = 5, collected: datetime = NOW) -> Batch:
    rows = tuple(
        ComplaintCount(
            service="claude",
            source="x",
            region="",
            indicator="",
            start=NOW - timedelta(minutes=minutes_ago),
            interval_s=300,
            total=total,
            collected=collected,
        )
        for minutes_ago in minutes
    )
    return Batch(source="x", rows=rows)


def test_without_anything_new_the_run_is_that_of_the_stage_and_with_something_there_is_none(tmp_path: Path) -> None:
    detector = make_detector(CONFIG)
    with Store(tmp_path / "x.db") as store:
        save_batch(store, counts(*range(5, 600, 5)), NOW)
        assert judge_nothing(store, CONFIG, NOW) is None, "nothing was judged yet"
        assert run_detect(store, detector, CONFIG.watched, NOW).seen == 120, "from midnight on"
        note_unchanged(store, CONFIG, NOW)
        for minutes in (0, 1, 4):
            later = NOW + timedelta(minutes=minutes)
            assert judge_nothing(store, CONFIG, later) == run_detect(store, detector, CONFIG.watched, later)
        other = replace(CONFIG, detector=replace(CONFIG.detector, params={"alarm": 12.0}))
        assert judge_nothing(store, other, NOW) is None, "another detector judges anew"
        late = NOW + timedelta(minutes=5)
        save_batch(store, counts(300, total=50, collected=late), late)
        assert judge_nothing(store, CONFIG, late) is None, "a count of the past was corrected"
        run_detect(store, detector, CONFIG.watched, late)
        note_unchanged(store, CONFIG, late)
        assert judge_nothing(store, CONFIG, late) is not None
        save_batch(store, counts(0), NOW)
        assert judge_nothing(store, CONFIG, late) is None, "a bin is new"


@pytest.mark.parametrize("change", ["kind", "version", "states lost", "states of another detector"])
def test_all_is_judged_again_without_a_new_bin_where_another_detector_would_judge_it(
    tmp_path: Path, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    detector = make_detector(CONFIG)
    with Store(tmp_path / "x.db") as store:
        save_batch(store, counts(*range(5, 600, 5)), NOW)
        run_detect(store, detector, CONFIG.watched, NOW)
        note_unchanged(store, CONFIG, NOW)
        assert judge_nothing(store, CONFIG, NOW) is not None
        if change == "kind":
            save_batch(store, Batch(source="x", rows=(), state={KIND: "measured"}), NOW)
        elif change == "version":
            monkeypatch.setitem(VERSIONS, CONFIG.detector.name, VERSIONS[CONFIG.detector.name] + 1)
        elif change == "states lost":
            store.conn.execute("DELETE FROM detector_state")
        else:
            store.conn.execute("UPDATE detector_state SET detector = 'SeasonalNB/4()'")
        assert judge_nothing(store, CONFIG, NOW) is None
        if change != "version":
            assert run_detect(store, detector, CONFIG.watched, NOW).new == 120
            note_unchanged(store, CONFIG, NOW)
            assert judge_nothing(store, CONFIG, NOW) is not None


def test_the_versions_known_without_importing_a_detector_are_those_of_the_detectors() -> None:
    assert VERSIONS.keys() <= DETECTORS.keys()
    for name, make in DETECTORS.items():
        assert f"/{VERSIONS.get(name, 1)}(" in repr(make())
