"""`groundswell score-counts FILE`: judge counts from a CSV file, of bins or of events, with any detector."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click
import numpy as np
import pandas as pd

from pipeline.commands.common import PARTIAL, Setting, common, escape_csv_formula, parse_time
from pipeline.commands.counts_argument import CountsFile, counts_file
from pipeline.commands.refusals import MOST_LINES, RefusalLines
from pipeline.commands.terminal import printable
from pipeline.config.validation_words import nearest
from pipeline.core.errors import ConfigError, SourceError, StoreError
from pipeline.core.quantities import quantity

if TYPE_CHECKING:
    from detectors.contract import Detector, Verdicts
    from detectors.events import Event
    from pipeline.sources.count_series import CountSeries

BINS = ("series", "bin_start", "observed", "expected", "upperbound", "score", "p", "level", "alarm")
EVENTS = ("series", "onset", "peak", "end", "alarmed_at", "observed_peak", "expected_peak", "score")
AUTO = "auto"  # the detector that is best by width and history


@click.command("score-counts")
@click.option("--events", is_flag=True, help="Print one row per event instead of one per bin.")
@click.option(
    "--detector", "name", help="Use this detector with its default parameters instead of the configured one, or auto."
)
@click.option("--plot", type=click.Path(path_type=Path), help="Draw the first series as SVG into this file.")
@click.option("--explain", metavar="BIN", help="Explain why the bin at this time did or did not alarm; print no table.")
@click.option("--series", "only", help="Read only this series.")
@counts_file
@common
def score_counts_command(
    setting: Setting,
    file: CountsFile,
    events: bool,
    name: str | None,
    plot: Path | None,
    explain: str | None,
    only: str | None,
) -> None:
    """Judge counts from CSV, JSON or NDJSON: timestamp_utc,value[,series][,mentions]; the database is not touched.

    Reads the same files as `import counts`; counts may also be means.
    """
    from detectors.choice import choose_detector
    from detectors.registry import DETECTORS
    from pipeline.detection.factory import detector_for_counts, make_detector
    from pipeline.sources.count_series import count_series
    from pipeline.sources.counts import read_counts
    from pipeline.sources.delimited import read_capped

    if name is not None and name not in (AUTO, *DETECTORS):
        known = sorted((AUTO, *DETECTORS))
        raise ConfigError(f"--detector: {name!r} is not one of {', '.join(known)}{nearest(name, known)}")
    usual = DETECTORS[name]() if name is not None and name in DETECTORS else make_detector(setting.config)
    usual = detector_for_counts(usual, file.options.kind)
    table = read_counts(read_capped(file.path), name=str(file.path), options=file.options, now=setting.now)
    series_by_name = count_series(table)
    notes = [note for series in series_by_name.values() for note in series.notes]
    if file.options.bin_s or file.options.one_row_per_event:
        notes += table.notes
    refused = RefusalLines()
    refused.add(table.rejected)
    for line in [*notes[:MOST_LINES], *refused.lines()]:
        click.echo(f"groundswell: {printable(line)}", err=True)
    if refused.unnamed:
        click.echo(f"groundswell: {quantity(refused.unnamed, 'more row')} refused", err=True)
    if only is not None:
        only = next((name for name in series_by_name if name.casefold() == only.casefold()), only)
    if only is not None and only not in series_by_name:
        raise ConfigError(f"--series {only}: not in {file.path}")
    if only is not None:
        series_by_name = {only: series_by_name[only]}
    if not series_by_name:
        raise SourceError("no usable row", source=str(file.path))
    out = csv.writer(sys.stdout, lineterminator="\n")
    if not explain:
        out.writerow(EVENTS if events else BINS)
    for place, (series, held) in enumerate(series_by_name.items()):
        detector = usual
        try:
            if name == AUTO:
                mentions = held.mentions is not None
                detector, reason = choose_detector(held.counts, file.options.kind, mentions=mentions)
                click.echo(f"groundswell: series {series}: {reason}", err=True)
            verdicts = _judged(detector, held)
        except ValueError as error:
            raise SourceError(f"series {series}: {error}", source=str(file.path)) from error
        if explain:
            _explain(verdicts, series, explain, detector)
        else:
            out.writerows(_event_rows(verdicts, series, detector.alarm) if events else _bin_rows(verdicts, series))
        if plot and place == 0:
            try:
                plot.write_text(_drawing(verdicts, series, detector.alarm), encoding="utf-8")
            except OSError as error:
                raise StoreError(f"{plot}: cannot be written: {error.strerror}") from error
    sys.exit(PARTIAL if table.rejected else 0)


def _judged(detector: Detector, series: CountSeries) -> Verdicts:
    """Judge a series from its start, with the source's own baseline as the mean until there is a history."""
    from detectors.contract import BinnedCounts
    from detectors.validation import utc_index
    from pipeline.detection.factory import assume_baselines

    baseline, mentions = series.baseline, series.mentions
    if baseline is None:
        return detector.detect(series.counts, mentions)
    state = detector.start(series.counts.iloc[:0], None if mentions is None else mentions.iloc[:0])
    starts = utc_index(baseline).as_unit("s").asi8
    assume_baselines(state, lambda: BinnedCounts(starts, baseline.to_numpy(dtype=np.float64)))
    return state.extend(series.counts, mentions)


def _bin_width(index: pd.DatetimeIndex) -> pd.Timedelta:
    """Return the width of the bins, a minute where there is but one bin."""
    return pd.Timedelta("1min") if index.freq is None else pd.Timedelta(cast(pd.offsets.Tick, index.freq))


def _number(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.6g}" if value % 1 else f"{value:.0f}"


def _bin_rows(verdicts: Verdicts, series: str) -> list[list[str]]:
    parts = [getattr(verdicts, name).to_numpy()[:, 0] for name in ("observed", "expected", "upperbound", "score", "p")]
    level = verdicts.level.to_numpy()[:, 0]
    stamps = verdicts.index.strftime("%Y-%m-%dT%H:%M:%SZ")
    return [
        [
            escape_csv_formula(series),
            stamps[i],
            *(_number(part[i]) for part in parts),
            str(level[i]),
            str(int(level[i] >= 1)),
        ]
        for i in range(len(level))
    ]


def found_events(verdicts: Verdicts, alarm: float) -> list[Event]:
    """Return the events of a verdict of one series: closed after half an hour of quiet, or two bins."""
    from detectors.events import find_events
    from detectors.validation import bin_seconds

    width = bin_seconds(verdicts.index)
    observed, expected, score = (
        frame.to_numpy()[:, 0] for frame in (verdicts.observed, verdicts.expected, verdicts.score)
    )
    return find_events(
        observed, expected, score, alarm=alarm, quiet_bins=max(2, 1800 // width), look_back=max(2, 3600 // width)
    )


def _event_rows(verdicts: Verdicts, series: str, alarm: float) -> list[list[str]]:
    width = _bin_width(verdicts.index)
    first = verdicts.index[0]

    def stamp(slot: int | None) -> str:
        return "" if slot is None else (first + slot * width).strftime("%Y-%m-%dT%H:%M:%SZ")

    observed, expected = verdicts.observed.to_numpy()[:, 0], verdicts.expected.to_numpy()[:, 0]
    return [
        [
            escape_csv_formula(series),
            stamp(event.onset),
            stamp(event.peak),
            stamp(event.end),
            stamp(event.alarmed + 1),
            _number(observed[event.peak]),
            _number(expected[event.peak]),
            _number(event.score),
        ]
        for event in found_events(verdicts, alarm)
    ]


def _explain(verdicts: Verdicts, series: str, when: str, detector: Detector) -> None:
    """Print what was expected in the bin, what would have been too much, and why it did or did not alarm."""
    from detectors.registry import DETECTORS

    moment = parse_time(when, "--explain")
    width = _bin_width(verdicts.index)
    at = pd.Timestamp(str(moment)).floor(width)
    if at not in verdicts.index:
        click.echo(f"{series}: {at:%Y-%m-%d %H:%M} UTC lies outside the series")
        return
    observed, expected, bound, score, p, level = (
        float(getattr(verdicts, name).loc[at].iloc[0])
        for name in ("observed", "expected", "upperbound", "score", "p", "level")
    )
    name = next((known for known, make in DETECTORS.items() if make is type(detector)), "another detector")
    click.echo(f"{series}, {at:%Y-%m-%d %H:%M} to {at + width:%H:%M} UTC, {name}")
    click.echo(
        "  observed   "
        f"{'nothing: a gap, which neither raises nor ends an alarm' if np.isnan(observed) else f'{observed:g}'}"
    )
    click.echo(f"  expected   {expected:.3g}; a single bin alarms from {_number(bound)} on (score {detector.alarm:g})")
    if np.isnan(observed):
        return
    if np.isnan(score):
        click.echo("  no alarm: too little history yet to judge by")
    elif score == 0:
        click.echo("  no alarm: no window up to here holds enough reports, or enough more than expected, to count")
    else:
        verb = "alarm" if level else "no alarm"
        click.echo(f"  {verb}: score {score:.2f} against {detector.alarm:g} (strong: {detector.strong:g}); p {p:.2g}")


def _drawing(verdicts: Verdicts, series: str, alarm: float) -> str:
    """Return an SVG of the series, what was expected, and each event's onset and end."""
    from pipeline.render.svg import CountChart, Mark, count_chart, stand_alone

    def listed(name: str) -> list[float | None]:
        return [None if np.isnan(value) else float(value) for value in getattr(verdicts, name).to_numpy()[:, 0]]

    times = verdicts.index.as_unit("s").asi8.tolist()
    width = times[1] - times[0] if len(times) > 1 else 60
    marks: list[Mark] = []
    for event in found_events(verdicts, alarm):
        marks.append(Mark(times[0] + event.onset * width, "alert", "onset"))
        if event.end is not None:
            marks.append(Mark(times[0] + event.end * width, "official", "end"))
    chart = CountChart(
        label=f"{series}: counts a bin",
        times=times,
        observed=listed("observed"),
        expected=listed("expected"),
        marks=marks,
    )
    return stand_alone(count_chart(chart))
