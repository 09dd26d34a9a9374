#!/usr/bin/env bash
# ruptures 1.1.10: Window does not find a change, however large, where two neighbouring bins explain it equally well.
#
# One expects a level of 0 that becomes 2 for hours to be found by each search method, in particular with n_bkps=1: the
# parameter says how many changes to return, and Binseg, BottomUp, Dynp and Pelt return the change.
#
# Seen with ruptures 1.1.10, a status page's level in minutes (0 operational, 1 degraded, 2 outage): a step from 0 to 2
# is found. With one minute of 1 between, Window returns no change at all, for n_bkps=1, for a penalty and for a budget
# of error (epsilon), without an error or a warning. An outage that also ends in one minute of 1 is missed at both ends.
# With cost "l1" the same holds for two, three and four minutes of 1; with the default jump of 5 (and cost "l2") for
# five. The cause: Window keeps the bins whose gain is strictly greater than that of each other bin within half a window
# (scipy.signal.argrelmax). A change through a value halfway has the same gain at both its sides, so neither is kept.
# Noise breaks the tie and hides the fault.
#
# Why it matters here: the levels of status pages and of probes have few values, and many outages pass through
# "degraded" for one reading. A method that works on noisy counts then sees nothing of the cleanest outage.
#
# Needs Python 3.11 and pip; writes to a temporary folder only. Exits 0 while the behaviour holds.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/check.py" <<'PY'
import sys
from importlib.metadata import version

import numpy as np
import ruptures as rpt

WIDTH = 64  # windows of 32 values: means and variances of 0, 1 and 2 are exact, on any processor


def rising(between: int) -> np.ndarray:
    """Return five hours of 0, some minutes of 1, five hours of 2."""
    return np.array([0.0] * 300 + [1.0] * between + [2.0] * 300)


def changes(method: str, levels: np.ndarray, cost: str = "l2", jump: int = 1, **stop: float) -> list[int]:
    """Return the found changes; the last entry of ruptures is the length of the series."""
    options = {"width": WIDTH} if method == "Window" else {}
    search = getattr(rpt, method)(model=cost, jump=jump, **options)
    return [int(place) for place in search.fit(levels).predict(**stop)][:-1]


print(f"ruptures {version('ruptures')}, numpy {np.__version__}, scipy {version('scipy')}")
holds = changes("Window", rising(0), n_bkps=1) == [300] and changes("Window", rising(0), "l1", n_bkps=1) == [300]
print(f"  0 to 2 at minute 300: Window finds {changes('Window', rising(0), n_bkps=1)}")
for method in ("Binseg", "BottomUp", "Dynp", "Pelt"):
    found = changes(method, rising(1), **({"pen": 1} if method == "Pelt" else {"n_bkps": 1}))
    print(f"  0, one minute of 1, then 2: {method} finds {found}")
    holds &= len(found) == 1 and 300 <= found[0] <= 301
for stop in ({"n_bkps": 1}, {"pen": 1}, {"epsilon": 1}):
    found = changes("Window", rising(1), **stop)
    print(f"  0, one minute of 1, then 2: Window finds {found} for {stop}")
    holds &= found == []
for between in (1, 2, 3, 4):
    found = changes("Window", rising(between), "l1", n_bkps=1)
    print(f"  cost l1, {between} minutes of 1: Window finds {found}")
    holds &= found == []
by_window, by_parts = (changes(method, rising(5), jump=5, n_bkps=1) for method in ("Window", "Binseg"))
print(f"  jump 5, 5 minutes of 1: Window finds {by_window}, Binseg {by_parts}")
holds &= by_window == [] and len(by_parts) == 1
outage = np.array([0.0] * 300 + [1.0] + [2.0] * 120 + [1.0] + [0.0] * 300)
by_window, by_parts = changes("Window", outage, n_bkps=2), changes("Binseg", outage, n_bkps=2)
print(f"  an outage of two hours, n_bkps=2: Window finds {by_window}, Binseg {by_parts}")
holds &= by_window == [] and len(by_parts) == 2
sys.exit(0 if holds else 1)
PY
python3 -m pip install --quiet --no-compile --disable-pip-version-check --target "$folder/site" \
  ruptures==1.1.10 numpy==2.4.6 scipy==1.17.1 2>"$folder/log" ||
  { tail -2 "$folder/log" >&2; echo "ruptures 1.1.10 could not be installed" >&2; exit 2; }
PYTHONPATH=$folder/site python3 "$folder/check.py"
