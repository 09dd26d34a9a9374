"""What a replay keeps of quiet verdicts in memory: questions and tables are as if all had been written at once."""

from __future__ import annotations

import random
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.core.series import SeriesKey
from pipeline.core.times import iso, utc
from pipeline.store import Store, held_verdicts
from pipeline.store.incidents import put_incident
from pipeline.store.verdicts import Judgement, forget_old_verdicts, holding_verdicts, save_judgement, verdicts
from tests.copies import replace
from tests.stored_rows import VerdictRow, an_incident, as_columns

BEGIN = utc("2026-03-02T00:00:00Z")
MINUTE = timedelta(minutes=1)
KEYS = [SeriesKey(service=name, channel="complaints", source="a", bin_s=60) for name in ("github", "netflix")]
FAILS = "the step fails"


def judgement(start: int, many: int, scores: random.Random, *, subject: str = "a", redo: bool = False) -> Judgement:
    """Judge bins of a minute from `start` on, of both series; every third score or so is not quiet."""
    rows = [
        VerdictRow(str(key), iso(BEGIN + (start + n) * MINUTE), 1.0, 0.5, 2.0, score, 0.1, 0, int(score > 5), "d")
        for n in range(many)
        for key in KEYS
        for score in [scores.choice([0.5, 1.9999, 1.0, 1.5, 2.0, 7.0])]
    ]
    return Judgement(
        subject=subject,
        keys=KEYS,
        verdicts=[as_columns(rows)],
        states={},
        redo_from=BEGIN + start * MINUTE if redo else None,
        now=BEGIN + (start + many) * MINUTE,
        collected=None,
    )


def save(store: Store, found: Judgement, *, fails: bool) -> None:
    with suppress(RuntimeError), store.together():
        save_judgement(store, found)
        if fails:
            raise RuntimeError(FAILS)


def table(store: Store) -> Sequence[tuple[object, ...]]:
    return [tuple(row) for row in store.rows("SELECT * FROM verdicts ORDER BY series, bin_start")]


@pytest.mark.parametrize(("most", "fewest"), [(1_000_000, 1), (300, 1), (1_000_000, 12)])
@pytest.mark.parametrize("other", ["a", "b"])
@pytest.mark.parametrize("keeps", [True, False])
def test_verdicts_that_are_held_are_as_if_written_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int, fewest: int, other: str, keeps: bool
) -> None:
    monkeypatch.setattr(held_verdicts, "MOST_HELD", most)
    monkeypatch.setattr(held_verdicts, "FEWEST_HELD", fewest)
    dice, through = random.Random(8), 0
    with Store(tmp_path / "held.db") as held, Store(tmp_path / "plain.db") as plain:
        with held.kept.keeping() if keeps else nullcontext(), holding_verdicts(held):
            for turn in range(60):
                redo, fails, many = dice.random() < 0.1, not keeps and dice.random() < 0.2, dice.randrange(1, 20)
                start = max(0, through - dice.randrange(30)) if redo else through
                found = judgement(start, many, dice, subject=other if turn == 40 else "a", redo=redo)
                for store in (held, plain):
                    save(store, found, fails=fails)
                    if turn == 20:
                        with store.transaction() as conn:
                            incident = replace(an_incident("github", BEGIN + 400 * MINUTE), end=BEGIN + 410 * MINUTE)
                            put_incident(conn, incident)
                    if turn % 7 == 6:
                        forget_old_verdicts(store, BEGIN + (through - 100) * MINUTE)
                through = through if fails else start + many
                for _ in range(3):
                    since, until = sorted(dice.randrange(through + 20) for _ in range(2))
                    span = BEGIN + since * MINUTE, BEGIN + until * MINUTE
                    assert verdicts(held, *span) == verdicts(plain, *span)
            few = len(table(held)) < len(table(plain))
            assert few is (other == "a"), "quiet ones are not written as long as one group judges a series"
        assert table(held) == table(plain)
        assert any(
            score < 2 and start < iso(BEGIN + (through - 200) * MINUTE)
            for _, start, *_, score, _, _, _, _ in table(plain)
        ), "around the incident"


def test_beside_verdicts_that_were_there_none_is_held(tmp_path: Path) -> None:
    with Store(tmp_path / "x.db") as store:
        save_judgement(store, judgement(0, 5, random.Random(1)))
        with holding_verdicts(store):
            save_judgement(store, judgement(5, 100, random.Random(1)))
            assert len(table(store)) == 210


def test_a_few_quiet_verdicts_are_written_at_once(tmp_path: Path) -> None:
    with Store(tmp_path / "x.db") as store, holding_verdicts(store):
        save_judgement(store, judgement(0, 20, random.Random(1)))
        assert len(table(store)) == 40
        save_judgement(store, judgement(20, 100, random.Random(1)))
        assert 40 < len(table(store)) < 240


def test_what_was_held_before_a_step_that_fails_stays_though_the_step_ended_the_holding(tmp_path: Path) -> None:
    with Store(tmp_path / "x.db") as store:
        with holding_verdicts(store):
            save(store, judgement(0, 100, random.Random(1)), fails=False)
            save(store, judgement(100, 100, random.Random(2), subject="b"), fails=True)
            save(store, judgement(100, 100, random.Random(2)), fails=False)
            written = len(table(store))
        assert len(table(store)) == 400
        assert written == len(store.rows("SELECT 1 FROM verdicts WHERE score >= 2")), "both quiet parts were held"


def test_verdicts_around_an_incident_outlive_an_incident_that_ended_before_they_are_forgotten(tmp_path: Path) -> None:
    with Store(tmp_path / "x.db") as store:
        with holding_verdicts(store):
            save_judgement(store, judgement(0, 300, random.Random(1)))
            with store.transaction() as conn:
                put_incident(conn, replace(an_incident("github", BEGIN + 10 * MINUTE), end=BEGIN + 20 * MINUTE))
            # they stay to three hours after its end
            forget_old_verdicts(store, BEGIN + 250 * MINUTE)
        kept = {utc(str(start)) for series, start, *_ in table(store) if series == str(KEYS[0])}
        assert {BEGIN + n * MINUTE for n in range(200)} <= kept
        assert not {BEGIN + n * MINUTE for n in range(200, 250)} <= kept


def test_what_is_held_when_a_replay_is_broken_off_is_written(tmp_path: Path) -> None:
    with Store(tmp_path / "x.db") as store:
        with suppress(KeyboardInterrupt), holding_verdicts(store):
            save_judgement(store, judgement(0, 100, random.Random(1)))
            assert len(table(store)) < 200
            raise KeyboardInterrupt
        assert len(table(store)) == 200


def test_no_more_verdicts_are_held_than_memory_is_meant_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_verdicts, "MOST_HELD", 10)
    monkeypatch.setattr(held_verdicts, "FEWEST_HELD", 1)
    with Store(tmp_path / "x.db") as store, holding_verdicts(store):
        save_judgement(store, judgement(0, 5, random.Random(1)))
        assert len(table(store)) < 10
        save_judgement(store, judgement(5, 10, random.Random(1)))
        assert len(table(store)) == 30
