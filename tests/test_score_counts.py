"""`score-counts`: tables as people have them, the columns it promises, reasons, and what it refuses."""

from __future__ import annotations

import csv
import io
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from detectors.seasonal.detector import SeasonalNB
from pipeline.core.errors import SourceError
from pipeline.sources.count_rows import CountsOptions
from pipeline.sources.counts import read_counts
from tests.conftest import Groundswell


def written(path: Path, rows: list[str], header: str = "timestamp_utc,value") -> Path:
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def days(n: int, *, minutes: int = 15, jump: int = 0) -> list[str]:
    index = pd.date_range("2026-02-16", periods=n * 1440 // minutes, freq=f"{minutes}min", tz="UTC")
    values = np.random.default_rng(4).poisson(6, len(index))
    if jump:
        values[-16:-12] += jump
    return [f"{stamp:%Y-%m-%dT%H:%M:%SZ},{value}" for stamp, value in zip(index, values, strict=True)]


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_bins_and_events_have_the_promised_columns(groundswell: Groundswell, tmp_path: Path) -> None:
    file = written(tmp_path / "c.csv", days(5, jump=90))
    done = groundswell("score-counts", str(file))
    assert (done.returncode, done.stderr) == (0, "")
    rows = read(done.stdout)
    assert done.stdout.splitlines()[0] == "series,bin_start,observed,expected,upperbound,score,p,level,alarm"
    assert len(rows) == 480
    assert next(row["bin_start"] for row in rows if row["alarm"] == "1") == "2026-02-20T20:00:00Z"
    assert rows[0]["score"] == "", "nothing is known yet"
    assert all(float(row["observed"]) < float(row["upperbound"]) for row in rows[50:464])
    assert float(rows[464]["observed"]) >= float(rows[464]["upperbound"])
    (event,) = read(groundswell("score-counts", str(file), "--events").stdout)
    assert list(event) == ["series", "onset", "peak", "end", "alarmed_at", "observed_peak", "expected_peak", "score"]
    assert (event["onset"], event["alarmed_at"], event["end"]) == (
        "2026-02-20T20:00:00Z",
        "2026-02-20T20:15:00Z",
        "2026-02-20T21:00:00Z",
    )


def test_the_upper_bound_is_the_smallest_count_that_alarms() -> None:
    index = pd.date_range("2026-02-16", periods=800, freq="15min", tz="UTC")
    counts = pd.DataFrame({"s": np.random.default_rng(4).poisson(9, 800).astype(float)}, index=index)
    state = SeasonalNB().start(counts.iloc[:-1])
    blob = state.to_bytes()
    bound = state.update(index[-1], np.array([0.0])).upperbound.iloc[0, 0]
    for count, level in ((bound - 1, 0), (bound, 1)):
        # the bins before hold about what is expected, so that the last alone decides
        verdict = SeasonalNB().load(blob).update(index[-1], np.array([count]))
        assert int(verdict.level.iloc[0, 0] >= 1) == level, count


@pytest.mark.parametrize("name", ["ears", "farrington", "robust_z", "same_time_ratio", "stl"])
def test_every_rival_can_be_chosen(name: str, groundswell: Groundswell, tmp_path: Path) -> None:
    file = written(tmp_path / "c.csv", days(6, minutes=30, jump=200))
    rows = read(groundswell("score-counts", str(file), "--detector", name).stdout)
    assert any(row["alarm"] == "1" for row in rows[-16:])


def test_mentions_series_gaps_and_wider_bins(groundswell: Groundswell, tmp_path: Path) -> None:
    rows = [
        f"2026-02-16T00:{m:02d}:00Z,{name},{v},{v and int(v) * 4}"
        for name, values in (("a", "12345"), ("b", "99999"))
        for m, v in zip(range(0, 25, 5), values, strict=True)
    ]
    rows[2] = "2026-02-16T00:10:00Z,a,,"
    file = written(tmp_path / "c.csv", rows, "timestamp_utc,series,value,mentions")
    found = read(groundswell("score-counts", str(file)).stdout)
    assert [row["observed"] for row in found] == ["1", "2", "", "4", "5", "9", "9", "9", "9", "9"]
    wide = read(groundswell("score-counts", str(file), "--bin", "15min").stdout)
    assert [(row["series"], row["bin_start"][11:16], row["observed"]) for row in wide] == [
        ("a", "00:00", ""),
        ("a", "00:15", ""),
        ("b", "00:00", "27"),
        ("b", "00:15", ""),
    ]


def test_stamps_beside_their_bins_are_put_in_and_told(groundswell: Groundswell, tmp_path: Path) -> None:
    stamps = ["00:00:11", "00:15:11", "00:30:40", "00:45:11", "01:15:11"]
    file = written(tmp_path / "c.csv", [f"2026-02-16T{stamp}Z,{i}" for i, stamp in enumerate(stamps)])
    done = groundswell("score-counts", str(file))
    assert done.returncode == 0
    assert "1 of 5 stamps lie beside their bins of 900 s, all others +11 s" in done.stderr
    assert [row["observed"] for row in read(done.stdout)] == ["0", "1", "2", "3", "", "4"]


def test_bad_rows_are_refused_with_their_lines_and_the_rest_is_judged(groundswell: Groundswell, tmp_path: Path) -> None:
    rows = days(1)
    bad = [
        "2026-02-17T00:00:00,5",
        "2026-02-17T00:00:00Z,-5",
        "2026-02-17T00:15:00Z,inf",
        "2026-02-17T00:30:00Z,1_0",
        "2026-02-17T00:45:00Z,5,7",
        "yesterday,5",
        rows[3].split(",")[0] + ",999",
        "2026-02-17T01:00:00Z,\u0663",
    ]
    done = groundswell("score-counts", str(written(tmp_path / "c.csv", rows + bad)))
    assert done.returncode == 3
    for line in range(98, 106):
        assert f"c.csv:{line}: " in done.stderr
    assert "has no time zone" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(read(done.stdout)) == 96


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("a,b\n1,2\n", 1, "needs the columns timestamp_utc, value"),
        ("timestamp_utc,value\n", 1, "no usable row"),
        ("timestamp_utc,value,value\n", 1, "a column comes twice"),
        ("timestamp_utc,value\n2026-01-01T00:00:00Z,1\n2026-01-01T00:00:10Z,1\n", 1, "10 s apart"),
        (
            "timestamp_utc,value\n2000-01-01T00:00:00Z,1\n2000-01-01T00:01:00Z,1\n2026-01-01T00:00:00Z,1\n",
            1,
            "the most is",
        ),
    ],
)
def test_unusable_files_end_in_one_line(
    groundswell: Groundswell, tmp_path: Path, text: str, code: int, words: str
) -> None:
    (tmp_path / "c.csv").write_text(text)
    done = groundswell("score-counts", str(tmp_path / "c.csv"))
    assert done.returncode == code
    assert words in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_options_that_are_wrong_are_usage_errors(groundswell: Groundswell, tmp_path: Path) -> None:
    file = str(written(tmp_path / "c.csv", days(1)))
    for options, words in (
        (["--detector", "oracle"], "one of auto, ears, farrington"),
        (["--bin", "7 bananas"], "not a duration"),
        (["--series", "x"], "not in"),
        (["--explain", "noon"], "--explain"),
    ):
        done = groundswell("score-counts", file, *options)
        assert done.returncode == 2, options
        assert words in done.stderr
    assert groundswell("score-counts", str(tmp_path / "none.csv")).returncode == 1


def test_a_parameter_the_detector_does_not_have_is_a_configuration_error(
    groundswell: Groundswell, tmp_path: Path
) -> None:
    (tmp_path / "groundswell.toml").write_text('[detector]\nname = "ears"\nparams = {window = 3}\n')
    done = groundswell("score-counts", str(written(tmp_path / "c.csv", days(1))))
    assert done.returncode == 2
    assert "detector" in done.stderr
    assert "window" in done.stderr
    assert "Traceback" not in done.stderr


def test_explain_says_why_and_plot_draws(groundswell: Groundswell, tmp_path: Path) -> None:
    file = written(tmp_path / "c.csv", [*days(5, jump=90), "2026-02-21T00:30:00Z,4"])
    fired = groundswell(
        "score-counts", str(file), "--explain", "2026-02-20T20:03:00Z", "--plot", str(tmp_path / "p.svg")
    )
    assert fired.stdout.splitlines()[0].endswith(" UTC, seasonal_nb")
    assert "alarm: score" in fired.stdout
    assert "a single bin alarms from" in fired.stdout
    assert "no alarm" in groundswell("score-counts", str(file), "--explain", "2026-02-20T12:00:00Z").stdout
    assert "a gap" in groundswell("score-counts", str(file), "--explain", "2026-02-21T00:00:00Z").stdout
    assert "too little history" in groundswell("score-counts", str(file), "--explain", "2026-02-16T00:00:00Z").stdout
    assert "outside" in groundswell("score-counts", str(file), "--explain", "2025-01-01T00:00:00Z").stdout
    drawing = (tmp_path / "p.svg").read_text()
    assert drawing.startswith("<svg")
    assert drawing.count('class="mark') == 2


def test_names_are_no_formulas(groundswell: Groundswell, tmp_path: Path) -> None:
    rows = [f"2026-02-16T00:{m:02d}:00Z,=1+1,3" for m in range(0, 30, 5)]
    done = groundswell("score-counts", str(written(tmp_path / "c.csv", rows, "timestamp_utc,series,value")))
    assert {row["series"] for row in read(done.stdout)} == {"'=1+1"}


def test_counts_are_not_summed_into_bins_they_do_not_fit() -> None:
    body = b"ts,value\n2026-01-01T00:00Z,1\n2026-01-01T00:10Z,1\n"
    with pytest.raises(SourceError, match="no multiple"):
        read_counts(body, name="t", options=CountsOptions(bin_s=900))
    with pytest.raises(SourceError, match="do not fit"):
        read_counts(body, name="t", options=CountsOptions(bin_s=60))


def test_recorded_outages_are_found(eval_data: Path) -> None:
    from pipeline.evaluation import recorded_series as real
    from pipeline.evaluation.scored_series import window_figures

    detector = SeasonalNB()
    windows = real.downdetector(eval_data / "series" / "downdetector_cloud", detector, seed=1)
    hits, early, delay, _ = window_figures(windows, detector.alarm)
    assert hits >= 0.9 * len(windows)
    assert early <= 0.5
    assert delay <= 15
    complaints = real.github(eval_data / "series" / "outage_report", detector)
    spans = real.visible(eval_data / "series" / "outage_report")
    runs = complaints.runs(detector.alarm, 1800)
    assert all(any(a <= end and b >= start for a, b in runs) for start, end in spans)


@pytest.mark.parametrize(
    ("days", "options", "said", "alarms"),
    [
        (60, [], "farrington, for daily counts of 60 days", 1),
        (60, ["--kind", "talk"], "seasonal_nb, for talk", 0),
        (30, [], "seasonal_nb, for daily counts of fewer than 40 days", 0),
    ],
)
def test_auto_says_which_detector_it_chose(
    groundswell: Groundswell, tmp_path: Path, days: int, options: list[str], said: str, alarms: int
) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    counts = [48 + i % 5 for i in range(days - 1)] + [100]
    rows = [f"{start + timedelta(days=i):%Y-%m-%dT00:00:00Z},{count}" for i, count in enumerate(counts)]
    done = groundswell("score-counts", str(written(tmp_path / "c.csv", rows)), "--detector", "auto", *options)
    assert done.returncode == 0, done.stderr
    assert f"series value: {said}" in done.stderr
    assert sum(int(row["alarm"]) for row in read(done.stdout)) == alarms


def test_auto_needs_no_library_of_an_extra(
    groundswell: Groundswell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "statsmodels", None)
    rows = [
        f"{datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=i):%Y-%m-%dT00:00:00Z},{48 + i % 5}" for i in range(60)
    ]
    done = groundswell("score-counts", str(written(tmp_path / "c.csv", rows)), "--detector", "auto")
    assert done.returncode == 0, done.stderr
    assert (
        "series value: seasonal_nb, for daily counts where statsmodels, which farrington needs, is not" in done.stderr
    )
    assert len(read(done.stdout)) == 60


def test_a_service_in_two_spellings_is_one_series(groundswell: Groundswell, tmp_path: Path) -> None:
    names = ("GitHub", "github", "GITHUB", "github", "GitHub")
    rows = [f"2026-02-16T00:{15 * n:02}:00Z,{name},{n}" for n, name in enumerate(names[:4])]
    rows.append(f"2026-02-16T01:00:00Z,{names[4]},4")
    file = written(tmp_path / "c.csv", rows, "timestamp_utc,service,value")
    done = groundswell("score-counts", str(file), "--series", "github")
    assert (done.returncode, done.stderr) == (0, "")
    assert [(row["series"], row["observed"]) for row in read(done.stdout)] == [("GitHub", str(n)) for n in range(5)]


def test_intervals_beside_the_hours_are_said_to_be_shown_later(groundswell: Groundswell, tmp_path: Path) -> None:
    stamps = pd.date_range("2026-02-16T00:15", periods=6, freq="30min")
    file = written(tmp_path / "c.csv", [f"{stamp:%Y-%m-%dT%H:%M:%SZ},{n}" for n, stamp in enumerate(stamps)])
    done = groundswell("score-counts", str(file))
    assert "intervals of 30 min are shown 15 min later than in the file" in done.stderr
    assert "0 of 6" not in done.stderr
    assert read(done.stdout)[0]["bin_start"] == "2026-02-16T00:30:00Z"
