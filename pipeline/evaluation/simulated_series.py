"""Detectors on simulated counts: one threshold each, tuned on every second series, figures of the others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from detectors.benchmark.metrics import Figures, evaluate_detections, moving_averages, tune_threshold
from detectors.benchmark.simulate import Simulation, simulate
from detectors.contract import Floats, Verdicts
from detectors.count_kinds import CountKind
from detectors.events import find_events
from detectors.registry import DETECTORS
from detectors.seasonal.detector import SeasonalNB
from detectors.validation import bin_seconds, utc_index
from pipeline.render.svg import CountChart, Mark, count_chart, stand_alone

LIMIT = 0.07
# every so many pairs of services for those whose fits take minutes; the other half of a pair is not tuned on
SPARSE = {"farrington": 2}
DRAWN = 10
HEAD = (
    f"{'detector':<30}{'threshold':>10}{'recall':>8}{'precision':>10}{'in 30 min':>10}{'delay':>7}{'p90':>6}"
    f"{'false/wk':>9}  recall at a level of <0.5, -5, -50, more   false alarms by cause"
)


def oracle(simulation: Simulation, windows: tuple[int, ...] = (1, 2, 3, 6, 12), size: float = 15.0) -> pd.DataFrame:
    """Return the scan's score given the true mean, news and all: what knowing the future would buy. No detector."""
    counts, mean = simulation.counts.to_numpy(), simulation.mean.to_numpy()
    seen = ~np.isnan(counts)
    x, m = np.cumsum(np.where(seen, counts, 0.0), axis=0), np.cumsum(np.where(seen, mean, 0.0), axis=0)
    best = np.zeros_like(counts)
    for k in windows:
        sums, due = x.copy(), m.copy()
        sums[k:] -= x[:-k]
        due[k:] -= m[:-k]
        ratio = likelihood_ratios(sums, np.maximum(due, 1e-9), size * (1 + (k - 1) / (1 + 0.2 * (k - 1))))
        best = np.maximum(best, np.where((sums >= 4) & (sums >= 1.5 * due), ratio, 0.0))
    return pd.DataFrame(np.where(seen, best, np.nan), index=simulation.counts.index, columns=simulation.counts.columns)


def likelihood_ratios(x: Floats, m: Floats, size: float) -> Floats:
    """Return the log likelihood ratios of sums x against means m, negative binomial of that size; 0 where x is."""
    some = np.maximum(x, 1e-9)
    ratio: Floats = np.where(x > 0, some * np.log(some / m) - (some + size) * np.log((some + size) / (m + size)), 0.0)
    return ratio


def contenders(simulation: Simulation) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield a name and its scores; rivals also averaged over three bins, as a user would try, slow ones of a part."""
    yield "oracle (true mean)", oracle(simulation)
    for name, make in DETECTORS.items():
        detector = make()
        if name == "seasonal_nb":
            yield name, detector.detect(simulation.counts, simulation.mentions).score
            yield f"{name}, one channel", SeasonalNB(kind=CountKind.TALK).detect(simulation.counts).score
        else:
            counts = simulation.counts
            if name in SPARSE:
                part = np.arange(counts.shape[1]) // 2 % SPARSE[name] == 0
                counts = counts.loc[:, part]
                name = f"{name} ({counts.shape[1]} of {len(part)})"
            for how, scores in moving_averages(detector.detect(counts).score).items():
                yield name if how == "plain" else f"{name}, {how}", scores


def table(simulation: Simulation, first: int) -> dict[str, Figures]:
    """Return the figures of each contender on the half its threshold was not tuned on."""
    figures_of: dict[str, Figures] = {}
    minutes = bin_seconds(utc_index(simulation.counts)) / 60
    for name, scores in contenders(simulation):
        columns = scores.columns
        threshold = tune_threshold(
            scores[columns[::2]], simulation.truth, simulation.level, LIMIT, first=first, minutes=minutes
        )
        figures_of[name] = evaluate_detections(
            scores[columns[1::2]], simulation.truth, simulation.level, threshold, first=first, minutes=minutes
        )
    return figures_of


def line(name: str, figures: Figures) -> str:
    """Return a line under HEAD."""
    levels = " ".join(f"{share:5.2f}" for share in figures.by_level)
    causes = ", ".join(f"{cause} {n}" for cause, n in figures.causes.items() if n) or "none"
    return (
        f"{name:<30}{figures.threshold:>10.2f}{figures.recall:>8.3f}{figures.precision:>10.3f}"
        f"{figures.within_30:>10.3f}{figures.delay:>7.0f}{figures.delay_p90:>6.0f}{figures.false_a_week:>9.3f}"
        f"  {levels:<42}{causes}"
    )


class EndErrors(NamedTuple):
    """Median absolute errors of the end of an outage in minutes, over so many outages.

    estimated: of `Event.end`; complaints: of `Event.quiet`, where complaints are usual again.
    """

    estimated: float
    complaints: float
    outages: int


def end_errors(simulation: Simulation, detector: SeasonalNB) -> EndErrors:
    """Return how far from the truth the ends of found outages lie."""
    verdicts = detector.detect(simulation.counts, simulation.mentions)
    parts = [frame.to_numpy() for frame in (verdicts.observed, verdicts.expected, verdicts.score)]
    errors: list[tuple[float, float]] = []
    for place, name in enumerate(simulation.counts.columns):
        events = find_events(*(part[:, place] for part in parts), alarm=detector.alarm, quiet_bins=6, look_back=12)
        truth = simulation.truth[(simulation.truth["series"] == name) & (simulation.truth["kind"] == "outage")]
        for onset, end in truth[["onset", "end"]].to_numpy():
            during = [event for event in events if onset <= event.alarmed < end]
            if during and during[-1].end is not None and during[-1].quiet is not None:
                errors.append((abs(during[-1].end - end), abs(during[-1].quiet - end)))
    minutes = bin_seconds(utc_index(simulation.counts)) / 60
    estimated, complaints = np.median(np.array(errors), axis=0) * minutes
    return EndErrors(float(estimated), float(complaints), len(errors))


def sensitivity(simulation: Simulation, first: int) -> Iterator[tuple[str, Figures]]:
    """Yield the default at its own threshold, and with each parameter halved and doubled."""
    variants: Mapping[str, SeasonalNB] = {"default": SeasonalNB()} | {
        f"{field.name} {word} ({getattr(SeasonalNB(), field.name) * factor:g})": replace(
            SeasonalNB(), **{field.name: getattr(SeasonalNB(), field.name) * factor}
        )
        for field in fields(SeasonalNB)
        if field.name not in ("alarm", "strong", "kind")
        for word, factor in (("halved", 0.5), ("doubled", 2.0))
    }
    for name, detector in variants.items():
        scores = detector.detect(simulation.counts, simulation.mentions).score
        yield name, evaluate_detections(scores, simulation.truth, simulation.level, detector.alarm, first=first)


def drawings(simulation: Simulation, verdicts: Verdicts, figures: Figures) -> Iterator[tuple[str, str]]:
    """Yield a file name and an SVG of each of the largest false alarms and of missed outages."""
    marks = [(alarm.series, alarm.start, f"false-{alarm.cause}", "alarm") for alarm in figures.false[:DRAWN]]
    marks += [(series, onset, "missed", "onset") for series, onset in figures.missed[:DRAWN]]
    for number, (series, at, kind, word) in enumerate(marks):
        part = slice(max(0, at - 144), at + 144)
        times = verdicts.index[part].as_unit("s").asi8.tolist()
        observed, expected = (
            [None if np.isnan(x) else float(x) for x in frame[series].iloc[part]]
            for frame in (verdicts.observed, verdicts.expected)
        )
        chart = CountChart(
            label=f"simulated {series}: {kind}",
            times=times,
            observed=observed,
            expected=expected,
            marks=[Mark(int(verdicts.index[at].timestamp()), "alert", word)],
        )
        yield f"{number:02d}-{kind}-{series}.svg", stand_alone(count_chart(chart))


def report(seed: int, series: int, days: int, out: Path | None) -> Iterator[str]:
    """Yield the section, line by line; drawings go to `out`."""
    simulation = simulate(seed=seed, series=series, days=days)
    first = 14 * 288
    yield (
        f"simulated, seed {seed}: {series} series of {days} days in 5-minute bins, scored from day 15; "
        f"thresholds tuned to <= {LIMIT} false alarms a series-week on one half, figures of the other"
    )
    yield HEAD
    figures_of = table(simulation, first)
    for name, figures in figures_of.items():
        yield line(name, figures)
    ours, reference = figures_of["seasonal_nb"], figures_of["oracle (true mean)"]
    peers = {name: f for name, f in figures_of.items() if not name.startswith(("seasonal_nb", "oracle"))}
    best = max(peers, key=lambda name: peers[name].recall)
    quickest = max(peers, key=lambda name: peers[name].within_30)
    yield (
        f"recall {ours.recall - peers[best].recall:+.3f} against the best peer ({best}), "
        f"{ours.recall - reference.recall:+.3f} against the true mean; "
        f"found within 30 minutes {ours.within_30 - peers[quickest].within_30:+.3f} against the best peer "
        f"({quickest}); {ours.outages} outages"
    )
    yield ""
    detector = SeasonalNB()
    yield "seasonal_nb at its own thresholds, all series"
    yield HEAD
    verdicts = detector.detect(simulation.counts, simulation.mentions)
    both = verdicts.score
    alone = SeasonalNB(kind=CountKind.TALK).detect(simulation.counts).score
    for words, scores, threshold, since in (
        ("alarm", both, detector.alarm, first),
        ("strong", both, detector.strong, first),
        ("alarm, one channel", alone, detector.alarm, first),
        ("strong, one channel", alone, detector.strong, first),
        ("alarm, from the second day", both, detector.alarm, 288),
    ):
        yield line(words, evaluate_detections(scores, simulation.truth, simulation.level, threshold, first=since))
    own = evaluate_detections(both, simulation.truth, simulation.level, detector.alarm, first=first)
    yield "largest false alarms: " + ", ".join(
        f"{alarm.series} bin {alarm.start} ({alarm.cause}, {alarm.score:.1f})" for alarm in own.false[:10]
    )
    yield f"missed outages: {len(own.missed)} of {own.outages}, the first: " + ", ".join(
        f"{name} bin {onset}" for name, onset in own.missed[:10]
    )
    if out is not None:
        for file, drawing in drawings(simulation, verdicts, own):
            (out / file).write_text(drawing, encoding="utf-8")
        yield f"drawn in {out}"
    end = end_errors(simulation, detector)
    yield (
        f"end of an outage, median absolute error: {end.estimated:.0f} minutes as estimated, "
        f"{end.complaints:.0f} where complaints are usual again ({end.outages} outages)"
    )
    yield ""
    yield f"sensitivity at {detector.alarm:g}: each parameter halved and doubled"
    for name, figures in sensitivity(simulation, first):
        yield (
            f"  {name:<36} recall {figures.recall:.3f}  precision {figures.precision:.3f}  false/wk "
            f"{figures.false_a_week:.3f}"
        )
