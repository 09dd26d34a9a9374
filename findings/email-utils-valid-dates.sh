#!/usr/bin/env bash
# Python 3.11 to 3.13, email.utils: valid dates of RFC 5322 are refused.
#
# One expects parsedate_to_datetime to read every date that RFC 5322 allows, since that is what it is for.
#
# Seen: a leap second, "Sat, 31 Dec 2016 23:59:60 +0000" (3.3: the second is 00 to 60), raises ValueError ("second must be
# in 0..59"); so does a comment where blanks may stand, "Fri, 05 Jan 2024 (day) 10:00:00 +0100" (CFWS), though one at the
# end, "... +0000 (UTC)", is read.
#
# Why it matters here: RSS takes its dates from this RFC. A reader that answers "unknown" for what it cannot read is right
# more often with both forms.
#
# Needs Python 3.11 only. Exits 0 while the behaviour holds.
set -euo pipefail
python3 - <<'PY'
import platform
import sys
from email.utils import parsedate_to_datetime


def read(date: str) -> str:
    try:
        return parsedate_to_datetime(date).isoformat()
    except ValueError as error:
        return f"ValueError: {error}"


seen = [
    read("Fri, 05 Jan 2024 10:00:00 +0000 (UTC)"),
    read("Sat, 31 Dec 2016 23:59:60 +0000"),
    read("Fri, 05 Jan 2024 (day) 10:00:00 +0100"),
]
print(f"Python {platform.python_version()}: {'; '.join(seen)}")
sys.exit(0 if seen[0] == "2024-01-05T10:00:00+00:00" and all(s.startswith("ValueError") for s in seen[1:]) else 1)
PY
