"""Replays of the whole week and of its variants: other seeds, no outage, another day, another service."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.core.times import minutes_between, utc
from pipeline.store import Store
from pipeline.store.outbox import alerts_of
from tests.conftest import SCENARIO, replay
from tests.mail_contradictions import contradictions
from tests.replays import begun_later, mails_of


@pytest.mark.slow
def test_the_whole_week(tmp_path: Path) -> None:
    code, result = replay(
        SCENARIO, tmp_path / "w.db", "2026-02-27T00:00:00Z", "2026-03-04T23:55:00Z", "--step", "15min"
    )
    assert code == 0
    assert 3 <= len(mails_of(result, "2026-03-02")) <= 6
    days = Counter(alert["at"][:10] for alert in result["alerts"])
    # at this step the message that the incident of 2 March is over falls on midnight, so on 3 March
    days["2026-03-03"] -= sum(alert["at"] == "2026-03-03T00:00:00Z" for alert in result["alerts"])
    assert max(days.values()) <= 6
    assert len(result["alerts"]) <= 22
    with Store(tmp_path / "w.db") as store:
        sent = [alert for alert in alerts_of(store) if alert.incident]
    assert len(sent) == len(result["alerts"])
    assert [line for alert in sent for line in contradictions(alert)] == []
    scores = result["scores"]
    assert scores["notices"] == 19
    warnings = [utc(alert["at"]) for alert in result["alerts"] if alert["transition"] not in ("over", "easing")]
    for notice in scores["by_notice"]:
        # soon, or fresh enough to say as much
        posted = utc(notice["posted"])
        if notice["notice"] == "0xc7ybw5wd3x":
            continue  # it lasted twelve minutes, and was over in the first run after it: nothing was worse again
        assert any(-60 <= minutes_between(posted, at) <= 35 for at in warnings), notice
    told = [i for i in result["incidents"] if i["first_alert_at"]]
    assert {i["service"] for i in told} == {"claude"}, "nothing else broke"
    assert all(i["official_first_at"] for i in told), "no alert without an official incident in the end"
    for posted, bump in (
        ("2026-02-27T12:59:33Z", "2026-02-27T12:51:00Z"),
        ("2026-02-28T12:57:17Z", "2026-02-28T12:49:00Z"),
    ):
        mine = [i for i in told if i["onset"] <= posted <= (i["end"] or "9")]
        assert len(mine) == 1
        assert minutes_between(utc(bump), utc(mine[0]["first_alert_at"])) <= 30
    assert [i["onset"][:10] for i in told] == ["2026-02-27", "2026-02-28", "2026-03-02", "2026-03-03", "2026-03-04"]


def variant(folder: Path, *switches: str) -> Path:
    subprocess.run(
        [sys.executable, str(SCENARIO / "generator" / "generate.py"), "--out", str(folder), *switches],
        check=True,
        timeout=300,
    )
    return begun_later(folder, "2026-02-22")  # a week of history is enough here, and lets many variants be tried


def first_alert(result: dict[str, Any], service: str, after: str) -> str | None:
    return next((a["at"] for a in result["alerts"] if a["service"] == service and a["at"] >= after), None)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, int(os.environ.get("SEEDS", "2")) + 1))
def test_seeds_with_and_without_the_outage(tmp_path: Path, seed: int) -> None:
    quiet = variant(tmp_path / "q", "--seed", str(seed), "--no-outage")
    _, nothing = replay(quiet, tmp_path / "q.db", "2026-03-02T00:00:00Z", "2026-03-02T23:50:00Z", "--step", "10min")
    assert mails_of(nothing, "2026-03-02") == []
    moved = variant(tmp_path / "m", "--seed", str(seed), "--shift", "-21")
    _, shifted = replay(moved, tmp_path / "m.db", "2026-03-01T13:30:00Z", "2026-03-01T16:00:00Z")
    base = variant(tmp_path / "b", "--seed", str(seed))
    _, usual = replay(base, tmp_path / "b.db", "2026-03-02T10:30:00Z", "2026-03-02T12:10:00Z")
    first = first_alert(usual, "claude", "2026-03-02T10:30:00Z")
    assert first is not None
    assert "2026-03-02T11:37:00Z" < first <= "2026-03-02T11:45:00Z"
    again = first_alert(shifted, "claude", "2026-03-01T13:30:00Z")
    assert again is not None
    assert abs((utc(again) - utc(first)) - timedelta(hours=-21)) <= timedelta(minutes=10)


@pytest.mark.slow
def test_another_service_has_the_same_story(tmp_path: Path) -> None:
    span = ("2026-03-02T10:30:00Z", "2026-03-02T13:00:00Z")
    recorded = shutil.copytree(SCENARIO, tmp_path / "c", ignore=shutil.ignore_patterns("generator"))
    _, claude = replay(begun_later(recorded, "2026-02-22"), tmp_path / "c.db", *span)
    _, mistral = replay(variant(tmp_path / "m", "--service", "mistral"), tmp_path / "m.db", *span)

    def of_the_day(result: dict[str, Any], service: str) -> list[tuple[str, str]]:
        return [
            (i["onset"], i["state"]) for i in result["incidents"] if i["service"] == service and i["official_first_at"]
        ]

    ours, theirs = of_the_day(claude, "claude"), of_the_day(mistral, "mistral")
    assert len(ours) == len(theirs)
    for (one, state), (two, other) in zip(ours, theirs, strict=True):
        assert abs(minutes_between(utc(one), utc(two))) <= 30
        assert state == other
