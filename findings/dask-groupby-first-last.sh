#!/usr/bin/env bash
# Dask 2026.8.0: groupby().first() and .last() return rows from the middle once a frame has 16 partitions.
#
# One expects the first and the last row of each group, as pandas gives them and as Dask gives them for few partitions:
# the frame is sorted by time, its divisions are known, and no option mentions an order.
#
# Seen with dask 2026.8.0 and pandas 3.1.1 on one machine with the default settings: up to 15 partitions both answers
# are right; from 16 partitions on first() returns a row from the second half and last() one from before it, in every
# run, without a warning. agg({"at": ["first", "last"]}) does the same. The cause: from that number of partitions on
# the reduction goes through a shuffle (split_out=True picks more than one output), the shuffle of one machine goes over
# the disk, and it does not keep the order of the pieces. With split_out=1, and with the shuffle method "tasks", the
# answers are right; min() and max() always are.
#
# Why it matters here: "who reported first" is the question about an outage. A test on a small frame passes, and the
# same code on an archive names a report from hours later as the first. Times have to be compared by min() and max(), or
# the order has to be asked for with split_out=1.
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

times = pd.date_range("2026-03-02T08:00:00Z", periods=240, freq="1min")
reports = pd.DataFrame({"service": ["claude", "github"] * 120, "at": times}, index=times)
right = reports.groupby("service")["at"]


def agrees(partitions: int, **options: int) -> bool:
    by_dask = dd.from_pandas(reports, npartitions=partitions).groupby("service")["at"]
    first, last = by_dask.first(**options).compute().sort_index(), by_dask.last(**options).compute().sort_index()
    name = " ".join(f"{key}={value}" for key, value in options.items())
    print(f"  {partitions:3} partitions {name:12} claude: first {first['claude']:%H:%M}, last {last['claude']:%H:%M}")
    return bool((first == right.first()).all() and (last == right.last()).all())


def least_and_greatest_agree(partitions: int) -> bool:
    by_dask = dd.from_pandas(reports, npartitions=partitions).groupby("service")["at"]
    return bool((by_dask.min().compute() == right.min()).all() and (by_dask.max().compute() == right.max()).all())


print(f"dask {dask.__version__}, pandas {pd.__version__}")
print(f"  pandas: claude: first {right.first()['claude']:%H:%M}, last {right.last()['claude']:%H:%M}")
holds = all(agrees(partitions) for partitions in (1, 8, 15))
holds &= not any([agrees(partitions) for partitions in (16, 30, 60)])
holds &= agrees(30, split_out=1) and least_and_greatest_agree(30)
with dask.config.set({"dataframe.shuffle.method": "tasks"}):
    print("  shuffle method tasks:")
    holds &= agrees(30)
sys.exit(0 if holds else 1)
PY
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check 'dask[dataframe]==2026.8.0' 'pandas==3.1.1'
"$folder/venv/bin/python" "$folder/check.py"
