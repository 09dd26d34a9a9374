"""The public record, and the record of the surge watch that it publishes."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from pipeline.config.load import load_config
from pipeline.core.errors import ConfigError, SourceError
from pipeline.core.incidents import Advisory
from pipeline.core.times import utc
from pipeline.reports.public_record import ALERTS, FORECASTS, NOTICES, append_record
from pipeline.reports.surge_record import Conclusion, Outcome, Span, forecasts, settle, surge_record
from pipeline.stages.explain.surge import advisory_rows
from pipeline.store import Store
from pipeline.store.advisories import put_advisories
from pipeline.store.runs import mark_simulated
from tests.copies import replace

RAISED = utc("2026-02-27T20:00:00Z")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def advisory(since: datetime = RAISED, service: str = "claude", level: str = "watch") -> Advisory:
    return Advisory(service=service, since=since, until=None, level=level, reasons=("posts by Jane",), signals=())


@pytest.mark.parametrize(
    ("onset", "hours_later", "outcome"),
    [
        (RAISED - HOUR, 100, Outcome.VOID),
        (RAISED + HOUR, 2, Outcome.HIT),
        (RAISED + 72 * HOUR, 100, Outcome.HIT),
        (RAISED + 73 * HOUR, 100, Outcome.MISS),
        (RAISED + 50 * HOUR, 40, Outcome.OPEN),
    ],
)
def test_a_forecast_is_settled_by_its_rule(onset: datetime, hours_later: int, outcome: Outcome) -> None:
    assert settle(RAISED, [(onset, onset + 2 * HOUR)], RAISED + hours_later * HOUR) is outcome


def test_few_forecasts_are_inconclusive_however_good_they_are() -> None:
    until = RAISED + 30 * DAY
    outages = {"claude": [(RAISED + HOUR, RAISED + 2 * HOUR)]}
    made = forecasts([advisory()], outages, until)
    record = surge_record(made, [Span(service="claude", since=RAISED - 30 * DAY, until=until)], outages)
    assert (record.hits, record.misses, record.conclusion) == (1, 0, Conclusion.INCONCLUSIVE)
    assert record.brier == pytest.approx(0.64)
    assert record.service_months == 2.0
    assert record.placebo_dates is not None


def test_forecasts_that_never_come_true_are_not_better_than_the_base_rate() -> None:
    until = RAISED + 60 * DAY
    made = forecasts([advisory(RAISED + n * DAY) for n in range(25)], {}, until)
    record = surge_record(made, [Span(service="claude", since=RAISED, until=until)], {})
    assert (record.misses, record.conclusion) == (25, Conclusion.NOT_BETTER)
    assert record.base_rate == 0.0


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_record_is_only_ever_appended_to(store: Store, tmp_path: Path) -> None:
    config, folder = load_config(None), tmp_path / "record"
    with store.transaction() as conn:
        put_advisories(conn, [advisory()])
    assert append_record(store, config, folder, RAISED + HOUR)[FORECASTS] == 1
    before = (folder / FORECASTS).read_text()
    assert append_record(store, config, folder, RAISED + 2 * HOUR)[FORECASTS] == 0
    # a higher level later leaves what was written as it was
    with store.transaction() as conn:
        put_advisories(conn, [advisory(level="high")])
    assert append_record(store, config, folder, RAISED + 80 * HOUR)[FORECASTS] == 1
    assert (folder / FORECASTS).read_text().startswith(before)
    raised, settled = lines(folder / FORECASTS)
    assert (raised["p"], raised["rule"], raised["deadline"]) == (0.2, "surge-1", "2026-03-02T20:00:00Z")
    assert (settled["forecast"], settled["outcome"]) == (raised["id"], "miss")
    assert "Jane" not in (folder / FORECASTS).read_text()


@pytest.mark.parametrize("text", ["nonsense\n", '{"at": 1}\n', '{"id": []}\n', "nonsense"])
def test_a_record_that_was_changed_by_another_hand_is_not_appended_to(text: str, store: Store, tmp_path: Path) -> None:
    (tmp_path / ALERTS).write_text(text)
    with pytest.raises(SourceError, match="nothing was appended"):
        append_record(store, load_config(None), tmp_path, RAISED)
    assert (tmp_path / ALERTS).read_text() == text


def test_a_record_reads_its_own_line_ends_of_other_kinds(store: Store, tmp_path: Path) -> None:
    with store.transaction() as conn:
        put_advisories(conn, [advisory(service="a\u2028b\x85c")])
    for appended in (1, 0):
        assert append_record(store, load_config(None), tmp_path, RAISED + HOUR)[FORECASTS] == appended
    # as an earlier version wrote it
    raw = json.dumps(lines(tmp_path / FORECASTS)[0], ensure_ascii=False)
    (tmp_path / FORECASTS).write_text(f"{raw}\n", encoding="utf-8")
    assert append_record(store, load_config(None), tmp_path, RAISED + HOUR)[FORECASTS] == 0


@pytest.mark.parametrize("rest", ['{"i', '{"id": "claude/2026-02', '{"id": "b"}'])
def test_a_line_that_a_kill_cut_off_is_written_anew_and_the_others_stay(
    rest: str, store: Store, tmp_path: Path
) -> None:
    with store.transaction() as conn:
        put_advisories(conn, [advisory()])
    (tmp_path / FORECASTS).write_text('{"id": "a"}\n' + rest)
    assert append_record(store, load_config(None), tmp_path, RAISED + HOUR)[FORECASTS] == 1
    whole = ["b"] if rest.endswith("}") else []
    assert [line["id"] for line in lines(tmp_path / FORECASTS)] == ["a", *whole, "claude/2026-02-27T20:00:00Z"]


def test_what_is_no_file_of_a_record_is_said_in_a_line(store: Store, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "a" / ALERTS).mkdir(parents=True)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / NOTICES).write_bytes(b'{"id": "\xff"}\n')
    for folder, words in (("file", "File exists"), ("a", "not a regular file"), ("b", "line 1 is not a line")):
        with pytest.raises(SourceError, match=words):
            append_record(store, load_config(None), tmp_path / folder, RAISED)


def test_simulated_rows_enter_no_public_record(store: Store, tmp_path: Path) -> None:
    mark_simulated(store, "")
    with pytest.raises(ConfigError, match="simulated"):
        append_record(store, load_config(None), tmp_path, RAISED)
    assert not list(tmp_path.glob("*.jsonl"))


@pytest.mark.parametrize("on", [False, True])
def test_advisories_go_to_webhooks_only_where_they_are_switched_on(on: bool) -> None:
    config = load_config(None)
    alerts = replace(config.alerts, channels=("webhook",), surge_advisories=on)
    rows = advisory_rows(replace(config, alerts=alerts), [advisory()], RAISED, simulated=False)
    assert len(rows) == int(on)
