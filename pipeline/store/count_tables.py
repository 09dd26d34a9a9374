"""How complaint counts are stored: who counts what is written once, a count is five numbers.

`count_series`  one row for each thing that is counted: source, width of its intervals, window, service, region,
                indicator. Its `id` is a number that means nothing outside these tables.
`count_values`  one row for each count: series, start, total, baseline, collected. Times are whole seconds of the epoch.
`count_hours`   the sums of each series by hour of UTC, with how many intervals they are of; moving totals have none.
                The writer keeps them in step. An hour stays when its counts are rolled up (`[keep] counts`), and is
                replaced only by as many intervals or more: counts offered again never lessen it.
`count_gaps`    two counts of a series that follow each other later than an interval. The writer adds them and takes
                none away: the view `complaint_gaps` shows those between which nothing lies now.

The view `complaint_counts` has the columns of the table of that name, which former versions had, so that queries,
exports and references of evidence (`complaint_counts:service@since/until`) read as before; `complaint_hours` has the
sums. A count takes 40 bytes with its indexes, and the hours 37 for each hour: 43 to 77 bytes a count for intervals
of 5 min to 1 h. Written as text with all keys in every row it took 283.
"""

from __future__ import annotations

import sqlite3

from pipeline.core.times import END, FIRST

SERIES, VALUES, HOURS, GAPS = "count_series", "count_values", "count_hours", "count_gaps"
COUNTS_VIEW, HOURS_VIEW, GAPS_VIEW = "complaint_counts", "complaint_hours", "complaint_gaps"
PHYSICAL = frozenset((SERIES, VALUES, HOURS, GAPS))  # what the views are made of
VIEW_COLUMNS = {
    COUNTS_VIEW: {
        "service": "TEXT",
        "source": "TEXT",
        "region": "TEXT",
        "indicator": "TEXT",
        "start": "TEXT",
        "interval_s": "INTEGER",
        "total": "INTEGER",
        "baseline": "REAL",
        "window": "TEXT",
        "collected": "TEXT",
    },
    HOURS_VIEW: {
        "service": "TEXT",
        "source": "TEXT",
        "region": "TEXT",
        "indicator": "TEXT",
        "hour": "TEXT",
        "interval_s": "INTEGER",
        "total": "INTEGER",
        "intervals": "INTEGER",
        "window": "TEXT",
    },
}
HOUR_S = 3600
HOUR_TEXT = "strftime('%Y-%m-%dT%H:00:00Z', {0}, 'unixepoch')"

TABLES = (
    f"""CREATE TABLE {SERIES} (             -- what is counted, by whom, in which intervals
  id INTEGER PRIMARY KEY, source TEXT NOT NULL, interval_s INTEGER NOT NULL,
  window TEXT NOT NULL,                 -- interval: counts add up; rolling: a moving total, never summed
                                        -- (recovered: counts worked out from how a moving total changed)
  service TEXT NOT NULL, region TEXT NOT NULL, indicator TEXT NOT NULL,
  UNIQUE (source, interval_s, window, service, region, indicator)) STRICT""",
    f"CREATE INDEX {SERIES}_service ON {SERIES} (service)",
    f"""CREATE TABLE {VALUES} (
  series INTEGER NOT NULL REFERENCES {SERIES} (id), start INTEGER NOT NULL, total INTEGER NOT NULL, baseline REAL,
  collected INTEGER NOT NULL, PRIMARY KEY (series, start)) STRICT, WITHOUT ROWID""",
    f"""CREATE TABLE {HOURS} (
  series INTEGER NOT NULL REFERENCES {SERIES} (id), hour TEXT NOT NULL, total INTEGER NOT NULL,
  intervals INTEGER NOT NULL, PRIMARY KEY (series, hour)) STRICT, WITHOUT ROWID""",
)
SERIES_BY_INDEX = f"""SELECT id, source, interval_s, window, service, region, indicator FROM {SERIES}
 ORDER BY source, interval_s, window, service, region, indicator"""
COLLECTED_INDEX = f"CREATE INDEX {VALUES}_collected ON {VALUES} (series, collected)"
# CROSS JOIN keeps the order: the few series first, then the part of each that is asked for
COUNTS_SELECT = f"""SELECT s.service, s.source, s.region, s.indicator,
 strftime('%Y-%m-%dT%H:%M:%SZ', c.start, 'unixepoch') AS start, s.interval_s, c.total, c.baseline, s.window,
 strftime('%Y-%m-%dT%H:%M:%SZ', c.collected, 'unixepoch') AS collected
 FROM {SERIES} s CROSS JOIN {VALUES} c ON c.series = s.id"""
HOURS_SELECT = f"""SELECT s.service, s.source, s.region, s.indicator, h.hour, s.interval_s, h.total, h.intervals,
 s.window FROM {SERIES} s CROSS JOIN {HOURS} h ON h.series = s.id"""

GAPS_TABLE = f"""CREATE TABLE {GAPS} (
  series INTEGER NOT NULL REFERENCES {SERIES} (id), last_before INTEGER NOT NULL, first_after INTEGER NOT NULL,
  PRIMARY KEY (series, last_before)) STRICT, WITHOUT ROWID"""
_NEXT = f"(SELECT min(n.start) FROM {VALUES} n WHERE n.series = {{0}} AND n.start > {{1}})"
GAPS_SELECT = f"""SELECT s.service, s.source, s.region, s.indicator, s.interval_s, s.window,
 strftime('%Y-%m-%dT%H:%M:%SZ', g.last_before, 'unixepoch') AS last_before,
 strftime('%Y-%m-%dT%H:%M:%SZ', g.first_after, 'unixepoch') AS first_after
 FROM {SERIES} s CROSS JOIN {GAPS} g ON g.series = s.id
 WHERE g.first_after = {_NEXT.format("g.series", "g.last_before")}
 AND EXISTS (SELECT 1 FROM {VALUES} b WHERE b.series = g.series AND b.start = g.last_before)"""
FILL_GAPS = f"""INSERT OR REPLACE INTO {GAPS} SELECT series, start, next FROM (
 SELECT c.series, c.start, {_NEXT.format("c.series", "c.start")} AS next
 FROM {SERIES} s CROSS JOIN {VALUES} c ON c.series = s.id
 WHERE s.window != 'rolling'{{0}} AND NOT EXISTS (SELECT 1 FROM {VALUES} n
  WHERE n.series = c.series AND n.start > c.start AND n.start <= c.start + s.interval_s)) WHERE next IS NOT NULL"""
# of counts of a series from `first` to `last`, between which none is: behind the last, and before the first
ADD_GAPS = f"""INSERT OR REPLACE INTO {GAPS} SELECT series, at, next FROM (
 SELECT s.id AS series, s.interval_s, e.at, {_NEXT.format("s.id", "e.at")} AS next FROM {SERIES} s CROSS JOIN (
  SELECT :last AS at UNION ALL SELECT max(start) FROM {VALUES} WHERE series = :series AND start < :first) e
 WHERE s.id = :series AND s.window != 'rolling') WHERE next - at > interval_s"""

SECONDS = "CAST(strftime('%s', {0}) AS INTEGER)"  # of a time as text; SQLite has unixepoch() since 3.38 only
_WRITTEN = "strftime('%Y-%m-%dT%H:%M:%SZ', {0})"  # a time as this program writes it
_STORABLE = f"BETWEEN {int(FIRST.timestamp())} AND {int(END.timestamp()) - 1}"
_AS_WRITTEN = f"start = {_WRITTEN.format('start')} AND collected = {_WRITTEN.format('collected')}"
_IN_RANGE = f"{SECONDS.format('start')} {_STORABLE} AND {SECONDS.format('collected')} {_STORABLE}"
# the rows that are not as this program writes them: why each is refused, empty where it can be read nevertheless
_ODD = f"""SELECT *, CASE WHEN second IS NULL OR collected_s IS NULL THEN 'a time cannot be read'
 WHEN NOT (second {_STORABLE} AND collected_s {_STORABLE}) THEN 'a time is not between {FIRST.year} and {END.year}'
 WHEN place > 1 OR EXISTS (SELECT 1 FROM {COUNTS_VIEW} c WHERE (c.source, c.service, c.region, c.indicator, c.start)
   = (o.source, o.service, o.region, o.indicator, {_WRITTEN.format("second, 'unixepoch'")})
   AND (c.interval_s, c.window) = (o.interval_s, o.window) AND c.start != o.start)
 THEN 'another count of this second is there' ELSE '' END AS refused
 FROM (SELECT *, {SECONDS.format("start")} AS second, {SECONDS.format("collected")} AS collected_s,
  row_number() OVER (PARTITION BY source, service, region, indicator, interval_s, window, {SECONDS.format("start")}
   ORDER BY start = {_WRITTEN.format("start")} DESC, start) AS place
  FROM {COUNTS_VIEW} WHERE ({_AS_WRITTEN} AND {_IN_RANGE}) IS NOT TRUE) o"""
_PUT = f"""INSERT INTO {VALUES} SELECT s.id, {SECONDS.format("c.start")}, c.total, c.baseline,
 {SECONDS.format("c.collected")} FROM {{0}} c JOIN {SERIES} s
 ON (s.source, s.interval_s, s.window, s.service, s.region, s.indicator)
  = (c.source, c.interval_s, c.window, c.service, c.region, c.indicator) WHERE {{1}}"""
# the former table's rows; those that cannot be stored are kept as refused rows
_MOVE = (
    f"""INSERT INTO {SERIES} (source, interval_s, window, service, region, indicator)
 SELECT DISTINCT source, interval_s, window, service, region, indicator FROM {COUNTS_VIEW}
 ORDER BY source, service, region, indicator""",
    _PUT.format(COUNTS_VIEW, f"{_AS_WRITTEN} AND {_IN_RANGE}"),
    _PUT.format(f"({_ODD})", "c.refused = ''"),
    f"""INSERT OR IGNORE INTO quarantine
 SELECT source, hex(service || region || indicator || start || interval_s || window), '{COUNTS_VIEW}',
 refused, service || ',' || region || ',' || indicator || ',' || start || ',' || interval_s || ','
 || total || ',' || window || ',' || collected, strftime('%Y-%m-%dT%H:%M:%SZ', 'now') FROM ({_ODD})
 WHERE refused != ''""",
    COLLECTED_INDEX,
)
# an hour is replaced by as many intervals or more: what was rolled up is not lessened by the few that come again
FILL_HOURS = f"""INSERT INTO {HOURS} SELECT c.series, {HOUR_TEXT.format("c.start")}, sum(c.total), count(*)
 FROM {VALUES} c JOIN {SERIES} s ON s.id = c.series WHERE s.window != 'rolling'{{0}}
 GROUP BY c.series, c.start / {HOUR_S}
 ON CONFLICT DO UPDATE SET total = excluded.total, intervals = excluded.intervals
 WHERE excluded.intervals >= intervals"""


def create_count_tables(conn: sqlite3.Connection) -> None:
    """Create the three tables and fill them from the former table `complaint_counts`, which stays as it is."""
    for statement in (*TABLES, *_MOVE, FILL_HOURS.format("")):
        conn.execute(statement)


def create_gaps_table(conn: sqlite3.Connection) -> None:
    """Create the table of gaps and fill it."""
    conn.execute(GAPS_TABLE)
    conn.execute(FILL_GAPS.format(""))
