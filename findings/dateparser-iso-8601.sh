#!/usr/bin/env bash
# dateparser 1.5.0: two forms of ISO 8601 become another date altogether: another century, another month.
#
# One expects the instant or None for "20240105T100000Z" (5 January 2024, the basic form, which calendars and logs write)
# and for "2024-W10-1T10:00:00Z" (a week date: Monday, 4 March 2024).
#
# Seen: dateparser.parse reads the first as a moment centuries before now, which moves with the clock of the machine, as
# if its digits counted something, and the second as 1 October 2024, 10:00 UTC. Without the Z, the first is None.
#
# Why it matters here: a wrong date does not show, a missing one does. A library that reads what people write in prose is
# no reader of stamps; we hold our own against it only where its answer can be checked.
#
# Needs Python 3.11 and pip; writes to a temporary folder only. Exits 0 while the behaviour holds.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/check.py" <<'PY'
import sys
from datetime import datetime, timezone

import dateparser

basic, week = dateparser.parse("20240105T100000Z"), dateparser.parse("2024-W10-1T10:00:00Z")
print(f"dateparser {dateparser.__version__}: 20240105T100000Z: {basic}; 2024-W10-1T10:00:00Z: {week}")
extended = dateparser.parse("2024-01-05T10:00:00Z")
assert extended == datetime(2024, 1, 5, 10, tzinfo=timezone.utc)
holds = basic is not None and basic.year < 1900 and week == datetime(2024, 10, 1, 10, tzinfo=timezone.utc)
sys.exit(0 if holds else 1)
PY
python3 -m pip install --quiet --disable-pip-version-check --target "$folder/site" dateparser==1.5.0 2>"$folder/log" ||
  { tail -2 "$folder/log" >&2; echo "dateparser 1.5.0 could not be installed" >&2; exit 2; }
PYTHONPATH=$folder/site python3 -W ignore "$folder/check.py"
