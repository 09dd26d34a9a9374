"""Noise: a failure is reported once when it begins and once when it is over; the exit code says that it lasts."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.commands.run import FailOn, exit_code, report_lines
from pipeline.core.records import Run
from pipeline.core.times import utc
from pipeline.stages.failure_log import report_failures
from pipeline.store import Store
from tests.conftest import Groundswell
from tests.test_cli import OFFLINE, configured

START = utc("2026-03-02T12:00:00Z")
STEP = timedelta(minutes=5)
FEED = """
watch = ["claude"]
[sources]
statuspage = false
hacker_news = false
downstatus = false
google_news = false
news_desks = false
counts = ["counts.csv"]
"""


def collected(subject: str, turn: int, *, outcome: str = "ok", rejected: int = 0, stage: str = "collect") -> Run:
    words = "cannot be reached" if outcome == "error" else ""
    return Run(
        stage=stage, subject=subject, started=START + turn * STEP, outcome=outcome, rejected=rejected, error=words
    )


def lines_of(store: Store, turn: int, *runs: Run) -> list[str]:
    return report_lines(report_failures(store, runs, START + turn * STEP), len(runs))


def test_a_dead_feed_is_reported_once_and_once_more_when_it_answers_again(store: Store) -> None:
    dead = [lines_of(store, turn, collected("feed:a", turn, outcome="error")) for turn in range(5)]
    assert dead == [["collect: feed:a: cannot be reached"], [], [], [], []]
    alive = [lines_of(store, turn, collected("feed:a", turn)) for turn in range(5, 14)]
    assert [line for lines in alive for line in lines] == [
        "collect: feed:a: answers again; it had failed since 2026-03-02 12:00 UTC"
    ]
    assert lines_of(store, 14, collected("feed:a", 14, outcome="error")) == ["collect: feed:a: cannot be reached"]


def test_a_feed_that_fails_every_other_run_is_reported_once(store: Store) -> None:
    outcomes = ["error", "ok"] * 20
    lines = [lines_of(store, turn, collected("feed:a", turn, outcome=outcomes[turn])) for turn in range(40)]
    assert sum(map(len, lines)) == 1


def test_refused_rows_are_reported_once_and_hide_no_failure(store: Store) -> None:
    assert lines_of(store, 0, collected("feed:a", 0, rejected=2)) == [
        "collect: feed:a: 2 rows refused; see the table quarantine"
    ]
    assert lines_of(store, 1, collected("feed:a", 1, rejected=2)) == []
    assert lines_of(store, 2, collected("feed:a", 2, outcome="error")) == ["collect: feed:a: cannot be reached"]


def test_messages_that_cannot_be_sent_are_not_over_in_a_run_that_sends_none(store: Store) -> None:
    assert len(lines_of(store, 0, collected("outbox", 0, stage="alert", outcome="error"))) == 1
    assert [lines_of(store, turn, collected("outbox", turn, stage="alert")) for turn in range(1, 20)] == [[]] * 19
    sent = Run(stage="alert", subject="outbox", started=START + 20 * STEP, outcome="ok", new=1)
    assert lines_of(store, 20, sent) == ["alert: works again; it had failed since 2026-03-02 12:00 UTC"]


def test_many_sources_at_once_are_one_line(store: Store) -> None:
    names = [f"feed:{number}" for number in range(32)]
    (began,) = lines_of(store, 0, *(collected(name, 0, outcome="error") for name in names))
    assert began.startswith("collect: 32 of 32 sources failed; the first is feed:0: cannot be reached")
    (over,) = lines_of(store, 6, *(collected(name, 6) for name in names))
    assert over == "collect: 32 of 32 sources answer again"


@pytest.mark.parametrize(
    ("fail_on", "codes"), [(FailOn.ANY, [3, 3, 3]), (FailOn.NEW, [3, 0, 3]), (FailOn.STAGE, [0, 0, 3])]
)
def test_which_failures_end_with_3_is_chosen(store: Store, fail_on: FailOn, codes: list[int]) -> None:
    source, message = (
        collected("feed:a", 0, outcome="error"),
        collected("outbox", 0, stage="alert", outcome="error"),
    )
    given = [[source], [source], [source, message]]
    assert [exit_code(report_failures(store, runs, START), fail_on) for runs in given] == codes


def test_a_run_without_network_prints_one_line_and_the_next_none(groundswell: Groundswell, tmp_path: Path) -> None:
    configured(tmp_path)
    first = groundswell("run", "--now", "2026-03-02T12:00:00Z")
    assert (first.returncode, len(first.stderr.splitlines())) == (3, 1)
    second = groundswell("run", "--now", "2026-03-02T12:05:00Z")
    assert (second.returncode, second.stderr) == (3, "")
    quiet = groundswell("run", "--now", "2026-03-02T12:10:00Z", "--fail-on", "new")
    assert (quiet.returncode, quiet.stderr) == (0, "")
    assert len(groundswell("collect", "--now", "2026-03-02T12:15:00Z").stderr.splitlines()) == 8, OFFLINE


def test_a_file_of_counts_that_is_gone_is_reported_once(groundswell: Groundswell, tmp_path: Path) -> None:
    configured(tmp_path, FEED)
    runs = [groundswell("run", "--now", f"2026-03-02T12:{minute:02}:00Z") for minute in (0, 5, 10)]
    assert [run.returncode for run in runs] == [3, 3, 3]
    assert [len(run.stderr.splitlines()) for run in runs] == [1, 0, 0]
    assert "counts.csv" in runs[0].stderr


def test_a_folder_without_configuration_and_database_is_not_watched_by_accident(
    groundswell: Groundswell, tmp_path: Path
) -> None:
    done = groundswell("run")
    assert done.returncode == 2
    assert done.stderr == (
        "groundswell: neither a configuration (groundswell.toml) nor a database (groundswell.db) is here: "
        "`groundswell init` writes a configuration; `groundswell run --defaults` watches all services\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_feed_that_answers_with_refused_rows_has_answered_and_its_next_failure_is_reported(store: Store) -> None:
    lines_of(store, 0, collected("feed:a", 0, outcome="error"))
    answered = [line for turn in range(1, 10) for line in lines_of(store, turn, collected("feed:a", turn, rejected=1))]
    assert any("answers again" in line for line in answered)
    assert lines_of(store, 10, collected("feed:a", 10, outcome="error")) == ["collect: feed:a: cannot be reached"]
