"""Counts in equal bins, as a detector takes them, and its verdicts as columns of their table. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np

from detectors.contract import BinnedCounts, Verdicts
from pipeline.core.count_columns import CountArrays
from pipeline.core.series import SeriesColumn
from pipeline.core.verdict_columns import KEPT_SCORE, VerdictColumns
from pipeline.detection.series_groups import SeriesGroup

LOOK_BACK = timedelta(days=60)  # so much history a detector without a state learns from


def bin_counts(
    group: SeriesGroup,
    raw: CountArrays,
    columns: Sequence[SeriesColumn],
    start: datetime,
    until: datetime,
    spans: Sequence[tuple[datetime, datetime]],
) -> BinnedCounts:
    """Return counts, for votes also mentions, of complete bins in [start, until): one row a bin, one column a series.

    The mentions beside votes are those that do not count: what people report explains no report. `spans` are the times
    in which a source of posts was read; bins outside them, and bins without a complaint count, are NaN.
    """
    starts = np.arange(int(start.timestamp()), math.ceil(until.timestamp()), group.bin_s, dtype=np.int64)
    column, at, count = raw
    here = (at >= start.timestamp()) & (at < until.timestamp())
    column, slot, count = column[here], (at[here] - int(start.timestamp())) // group.bin_s, count[here]
    if group.kind == "complaints":
        values = np.full((len(starts), len(columns)), np.nan)
        values[slot, column] = count
        return BinnedCounts(starts, values)
    votes = np.zeros((len(starts), len(columns)))
    talk = np.zeros_like(votes)
    np.add.at(talk, (slot, column), 1.0 - count)
    np.add.at(votes, (slot, column), count)
    covered = np.zeros(len(starts), dtype=bool)
    for since, end in spans:
        covered |= (starts >= since.timestamp()) & (starts + group.bin_s <= end.timestamp())
    votes[~covered], talk[~covered] = np.nan, np.nan
    return BinnedCounts(starts, votes, talk)


def verdict_columns(
    group: SeriesGroup, columns: Sequence[SeriesColumn], bins: BinnedCounts, verdicts: Verdicts, detector: str
) -> VerdictColumns:
    """Return the verdicts on bins worth keeping: something observed, a complaint count missing, or a raised score."""
    observed, score = bins.counts, verdicts.scores
    keep = (np.nan_to_num(observed) > 0) | (np.nan_to_num(score) >= KEPT_SCORE)
    if group.kind == "complaints":
        keep |= np.isnan(observed)
    rows, places = np.nonzero(keep)
    stamps = np.datetime_as_string(bins.starts.astype("datetime64[s]"), timezone="UTC")
    names = np.array([str(group.key(column)) for column in columns], dtype=object)
    level = verdicts.values("level")[rows, places].astype(np.int64)
    return VerdictColumns(
        series=names[places],
        bin_start=stamps[rows],
        observed=np.round(observed[rows, places], 4),
        expected=np.round(verdicts.values("expected")[rows, places], 4),
        upperbound=np.round(verdicts.values("upperbound")[rows, places], 4),
        score=np.round(score[rows, places], 4),
        p=np.round(verdicts.values("p")[rows, places], 12),
        level=level,
        alarm=(level >= 1).astype(np.int64),
        detector=np.full(len(rows), detector, dtype=object),
    )
