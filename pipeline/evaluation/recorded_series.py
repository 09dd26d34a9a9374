"""Detectors on other people's series, read where EVAL_DATA points: what happened is known, or some of it is.

Thresholds are the detectors' own, and for `seasonal_nb` also tuned on every second series with figures of the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from detectors.benchmark.metrics import episodes
from detectors.count_kinds import CountKind
from pipeline.core.errors import SourceError
from pipeline.evaluation import csv_rows
from pipeline.evaluation.contenders import Contender, contenders
from pipeline.evaluation.scored_series import Scored, mcnemar, span_figures, window_figures
from pipeline.evaluation.spikes import spike_figures, usual_counts
from pipeline.sources.count_series import count_series
from pipeline.sources.counts import read_counts

CROPS = 5
REFITTED = ("farrington", "stl")  # every day: eighteen months of six series take them longer than all else together
Frame = pd.DataFrame


def _frame(path: Path) -> Frame:
    """Return the one series of a file in its own bins."""
    return next(iter(count_series(read_counts(path.read_bytes(), name=path.name)).values())).counts


def _scored(name: str, frame: Frame, detector: Contender, truth: Sequence[tuple[float, float]]) -> Scored:
    starts = frame.index.as_unit("s").asi8.astype(np.float64)  # type: ignore[attr-defined]
    width = int(pd.Timedelta(frame.index.freq).total_seconds())  # type: ignore[attr-defined]
    score = detector.detect(frame).score.to_numpy()[:, 0]
    return Scored(name=name, starts=starts, counts=frame.to_numpy()[:, 0], score=score, width=width, truth=truth)


def _seconds(text: str) -> float:
    return pd.Timestamp(text).timestamp()


def downdetector(folder: Path, detector: Contender, seed: int) -> list[Scored]:
    """Return each window whole and cropped at random by up to six hours; its truth is the one onset."""
    rng = np.random.default_rng(seed)
    onsets = {row["event_id"]: _seconds(row["onset_utc"]) for row in csv_rows(folder / "events.csv")}
    values: dict[str, list[tuple[float, float]]] = {}
    for row in csv_rows(folder / "series.csv"):
        values.setdefault(row["event_id"], []).append((_seconds(row["timestamp_utc"]), float(row["value"])))
    scored = []
    for event, pairs in values.items():
        stamps, counts = np.array(pairs).T
        index = pd.date_range(
            pd.Timestamp(stamps[0] // 900 * 900, unit="s", tz="UTC"), periods=len(stamps), freq="15min"
        )
        for crop in [0, *rng.integers(1, 25, CROPS - 1).tolist()]:
            frame = Frame({event: counts[crop:]}, index=index[crop:])
            scored.append(_scored(event, frame, detector, [(onsets[event], onsets[event])]))
    return scored


class SeriesSet(NamedTuple):
    """What was recorded, scored by one detector: Downdetector's windows, GitHub's complaints, counts of tweets."""

    windows: list[Scored]
    complaints: Scored
    mentions: list[Scored]


def github(folder: Path, detector: Contender, year: int = 2019) -> Scored:
    """Return GitHub's complaints of a year with its official incidents; an hour's lead counts."""
    return _scored(f"github {year}", _frame(folder / f"github_{year}.csv"), detector, visible(folder, year, 0.0))


def visible(folder: Path, year: int = 2019, least: float = 5.0) -> list[tuple[float, float]]:
    """Return the spans of the incidents that had at least so many reports in a slot."""
    rows = csv_rows(folder / f"github_official_incidents_{year}.csv")
    return [
        (_seconds(row["start_utc"]) - 3600, _seconds(row["end_utc"]))
        for row in rows
        if float(row["max_reports_60min_before_to_end"]) >= least
    ]


def github_line(name: str, detector: Contender, folder: Path, year: int, least: float = 10.0) -> str:
    """Return what a detector finds of a year: incidents of at least so many reports, and the share of alarms in any."""
    complaints, spans = github(folder, detector, year), visible(folder, year, least)
    runs = complaints.runs(detector.alarm, 1800)
    met = sum(any(a <= end and b >= start for a, b in runs) for start, end in spans)
    right = len(runs) - len(span_figures([complaints], detector.alarm).outside)
    return f"{name:<34}{f'{met}/{len(spans)}':>8}{right / max(1, len(runs)):>10.2f}{len(runs):>8}"


def tweets(folder: Path, detector: Contender) -> list[Scored]:
    """Return NAB's mention counts with its windows."""
    scored = []
    for path in sorted(folder.glob("*.csv")):
        rows = csv_rows(path)
        marked = np.flatnonzero([float(row["label"]) > 0 for row in rows])
        truth = [
            (_seconds(rows[a]["timestamp_utc"]), _seconds(rows[b]["timestamp_utc"])) for a, b in episodes(marked, 1)
        ]
        scored.append(_scored(path.stem, _frame(path), detector, truth))
    return scored


def _tune(half: list[Scored], evaluate: Callable[[list[Scored], float], tuple[float, float]]) -> float:
    """Return the threshold with most hits on a half whose cost is at most 1 (`evaluate` returns hits, cost)."""
    best, chosen = -1.0, 9.0
    for threshold in np.geomspace(0.2, 200.0, 60)[::-1]:
        hits, cost = evaluate(half, float(threshold))
        if cost <= 1 and hits > best:
            best, chosen = hits, float(threshold)
    return chosen


def report(root: Path, seed: int) -> Iterator[str]:
    """Yield the section, line by line. Raises SourceError when the folder is not what it should be."""
    series = root / "series"
    if not (series / "downdetector_cloud" / "series.csv").exists():
        raise SourceError("no series/downdetector_cloud/series.csv there", source=f"EVAL_DATA={root}")
    yield (
        f"{'detector, own threshold':<34}{'Downdetector windows':>22}{'early/day':>10}{'delay':>7}{'GitHub 2019':>13}"
        f"{'outside':>8}{'tweet windows':>14}{'outside':>8}"
    )
    kept: dict[str, SeriesSet] = {}
    services = [
        _frame(path) for path in sorted((series / "outage_report").glob("*.csv")) if "official" not in path.name
    ]
    usual = [usual_counts(counts) for counts in services]
    spikes: list[str] = []
    seen = visible(series / "outage_report")
    talk = contenders(CountKind.TALK)
    for name, detector in contenders(CountKind.REPORTS).items():
        kept[name] = SeriesSet(
            downdetector(series / "downdetector_cloud", detector, seed),
            github(series / "outage_report", detector),
            tweets(series / "nab_tweets", talk[name]),
        )
        yield _line(name, detector.alarm, seen, kept[name])
        if name in REFITTED:
            continue
        met, total, alarms, of_spikes = spike_figures(services, usual, detector)
        spikes.append(f"{name:<34}{f'{met}/{total}':>8}{met / total:>6.2f}{alarms:>12.2f}{of_spikes:>8.2f}")
    yield f"{'unlabelled spikes, outage.report':<34}{'met':>8}{'share':>6}{'alarms/week':>12}{'spikes':>8}"
    yield from spikes
    yield f"{'GitHub 2020, >= 10 reports a slot':<34}{'met':>8}{'precision':>10}{'alarms':>8}"
    if (series / "outage_report" / "github_2020.csv").exists():
        for name, detector in contenders(CountKind.REPORTS).items():
            yield github_line(name, detector, series / "outage_report", 2020)
    else:
        yield "skipped: no series/outage_report/github_2020.csv there"
    yield "whole Downdetector windows, and exact McNemar tests of whole and cropped ones against seasonal_nb:"
    for name, held in kept.items():
        whole = held.windows[::CROPS]
        gained, lost, p = mcnemar(
            *(_caught(kept[one].windows, contenders(CountKind.REPORTS)[one].alarm) for one in ("seasonal_nb", name))
        )
        hits = window_figures(whole, contenders(CountKind.REPORTS)[name].alarm).hits
        yield f"{name:<34}{f'{hits}/{len(whole)}':>8}  only seasonal_nb {gained}, only the other {lost}, p {p:.2g}"
    windows, complaints, mentions = kept["seasonal_nb"]
    names = sorted({window.name for window in windows})
    halves = [[w for w in windows if (names.index(w.name) % 2 == 0) == even] for even in (True, False)]

    def early_alarms(half: list[Scored], t: float) -> tuple[float, float]:
        figures = window_figures(half, t)
        return figures.hits, figures.early_a_day / 0.3

    chosen = _tune(halves[0], early_alarms)
    hits, early, delay, missed = window_figures(halves[1], chosen)
    yield (
        f"seasonal_nb tuned on every second Downdetector window (<= 0.3 early alarms a day): threshold {chosen:.1f}; "
        f"on the others {hits}/{len(halves[1])}, {early:.2f} early a day, median delay {delay:.0f} minutes, "
        f"missed {', '.join(missed) or 'none'}"
    )

    def alarms_outside(half: list[Scored], t: float) -> tuple[float, float]:
        met, total, outside = span_figures(half, t)
        return met, len(outside) / total

    for tune, test in ((mentions[::2], mentions[1::2]), (mentions[1::2], mentions[::2])):
        chosen = _tune(tune, alarms_outside)
        met, total, outside = span_figures(test, chosen)
        yield (
            f"seasonal_nb tuned on {', '.join(s.name for s in tune)} (alarms outside <= windows): "
            f"threshold {chosen:.1f}; on {', '.join(s.name for s in test)} {met} of {total} windows, "
            f"{len(outside)} alarms outside"
        )
    from detectors.seasonal.detector import SeasonalNB

    _, _, outside = span_figures([complaints], SeasonalNB().alarm)
    yield "GitHub 2019, the ten largest alarms of seasonal_nb that no official incident explains: " + "; ".join(
        f"{pd.Timestamp(alarm.start, unit='s'):%d %b %H:%M} ({alarm.peak:.0f} in 20 min)"
        for alarm in sorted(outside, key=lambda alarm: -alarm.peak)[:10]
    )


def _caught(windows: Sequence[Scored], threshold: float) -> list[bool]:
    return [window_figures([window], threshold).hits == 1 for window in windows]


def _line(name: str, alarm: float, seen: Sequence[tuple[float, float]], series: SeriesSet) -> str:
    windows, complaints, mentions = series
    hits, early, delay, _ = window_figures(windows, alarm)
    runs = complaints.runs(alarm, 1800)
    met = sum(any(a <= end and b >= start for a, b in runs) for start, end in seen)
    _, _, outside = span_figures([complaints], alarm)
    caught, total, outside_tweets = span_figures(mentions, alarm)
    return (
        f"{name + f' ({alarm:g})':<34}{f'{hits}/{len(windows)}':>22}{early:>10.2f}{delay:>7.0f}"
        f"{f'{met}/{len(seen)}':>13}"
        f"{len(outside):>8}{f'{caught}/{total}':>14}{len(outside_tweets):>8}"
    )
