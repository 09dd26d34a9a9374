#!/usr/bin/env bash
# Dask 2026.8.0: resample counts the hour after the spring clock change twice, and refuses the autumn one.
#
# One expects the answer of pandas, which Dask gives for days and for UTC: the index holds instants, and a clock change
# neither adds nor takes any.
#
# Seen with dask 2026.8.0 and pandas 3.1.1, for one partition as for several: where the index has a zone with daylight
# saving and a day of the change lies inside, sums of bins of an hour and less hold the first bin after the spring change
# twice or more often. 480 rows of one become a sum of 484, without a warning. In autumn the same call raises "Cannot
# infer dst time". Daily sums are right, and so is everything in UTC. Dask makes the edges of the bins as wall-clock times
# and localises them; the hours that the clock skips become one and the same instant.
#
# Why it matters here: complaints counted by the hour in local time show a doubled hour, as high as the start of an outage,
# once a year, in a whole continent in the same night. Bins have to be made in UTC and converted afterwards.
#
# Needs Python 3.11 and pip; writes to a temporary folder only. Exits 0 while the behaviour holds.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/check.py" <<'PY'
import sys

import dask
import dask.dataframe as dd
import pandas as pd


def one_a_quarter(day: str, zone: str) -> pd.Series:
    return pd.Series(1, index=pd.date_range(day, periods=5 * 96, freq="15min", tz=zone))


def sums(counts: pd.Series, partitions: int, rule: str) -> pd.Series:
    return dd.from_pandas(counts, npartitions=partitions).resample(rule).sum().compute()


def refuses(counts: pd.Series) -> bool:
    try:
        sums(counts, 2, "1h")
    except ValueError as error:
        print(f"  autumn: {type(error).__name__}: {str(error).splitlines()[0]}")
        return "dst" in str(error)
    return False


print(f"dask {dask.__version__}, pandas {pd.__version__}")
holds = True
for zone, spring, autumn in (
    ("Europe/Berlin", "2026-03-27", "2026-10-23"),
    ("America/New_York", "2026-03-06", "2026-10-30"),
):
    counts = one_a_quarter(spring, zone)
    for partitions in (1, 2, 5):
        by_dask, by_pandas = sums(counts, partitions, "1h"), counts.resample("1h").sum()
        print(f"  {zone}, {partitions} partitions: {len(counts)} rows, sum of hours {by_dask.sum()} (pandas {by_pandas.sum()})")
        holds &= by_dask.sum() > by_pandas.sum() == len(counts) and by_dask.index.has_duplicates
    holds &= sums(counts, 2, "1D").sum() == len(counts)
    in_utc = counts.tz_convert("UTC")
    holds &= sums(in_utc, 2, "1h").equals(in_utc.resample("1h").sum())
    holds &= refuses(one_a_quarter(autumn, zone))
sys.exit(0 if holds else 1)
PY
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check 'dask[dataframe]==2026.8.0' 'pandas==3.1.1'
"$folder/venv/bin/python" "$folder/check.py"
