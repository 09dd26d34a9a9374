#!/usr/bin/env bash
# feedparser 6.0.14: valid dates of RSS come back as None, and nothing says so.
#
# One expects published_parsed for every date that RFC 5322 (which RSS 2.0 takes its dates from) allows.
#
# Seen: "Fri,05 Jan 2024 10:00:00 GMT" is None: no blank has to follow the comma (RFC 5322, 3.3: `date = day month year`,
# `day = ([FWS] 1*2DIGIT FWS)`). So is a date with a comment where blanks may stand, "Fri, 05 Jan 2024 (day) 10:00:00
# +0100", and one of a leap second, "Sat, 31 Dec 2016 23:59:60 +0000", though the same second is read in a dc:date. The
# feed is not called ill-formed (bozo is false), and the text is still there, under `published`.
#
# Why it matters here: whoever puts the time of fetching in place of None dates old articles by now, and an article of last
# year then reports the outage of today. Read `published` itself.
#
# Needs Python 3.11 and pip; writes to a temporary folder only. Exits 0 while the behaviour holds.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/check.py" <<'PY'
import io
import sys

import feedparser

RSS = (
    '<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>t</title><link>http://t.example</link>'
    "<description>d</description><item><title>a</title><{0}>{1}</{0}></item></channel></rss>"
)


def read(element: str, date: str) -> tuple[int, ...] | None:
    feed = feedparser.parse(io.BytesIO(RSS.format(element, date).encode()))
    assert not feed.bozo
    (entry,) = feed.entries
    name = "updated" if element == "dc:date" else "published"
    assert entry[name] == date
    found = entry.get(f"{name}_parsed")
    return tuple(found)[:6] if found else None


seen = {}
for element, date in (
    ("pubDate", "Fri, 05 Jan 2024 10:00:00 GMT"),
    ("pubDate", "Fri,05 Jan 2024 10:00:00 GMT"),
    ("pubDate", "Fri, 05 Jan 2024 (day) 10:00:00 +0100"),
    ("pubDate", "Sat, 31 Dec 2016 23:59:60 +0000"),
    ("dc:date", "2016-12-31T23:59:60Z"),
):
    seen[date] = read(element, date)
    print(f"feedparser {feedparser.__version__}: {element} {date}: {seen[date]}")
readable, *unread, leap = seen.values()
sys.exit(0 if readable == (2024, 1, 5, 10, 0, 0) and unread == [None] * 3 and leap == (2017, 1, 1, 0, 0, 0) else 1)
PY
python3 -m pip install --quiet --disable-pip-version-check --target "$folder/site" feedparser==6.0.14 2>"$folder/log" ||
  { tail -2 "$folder/log" >&2; echo "feedparser 6.0.14 could not be installed" >&2; exit 2; }
PYTHONPATH=$folder/site python3 "$folder/check.py"
