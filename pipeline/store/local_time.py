"""The reader's clock as a table: from when on it is how far from UTC, so that views can group by local hours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from pipeline.core.times import iso
from pipeline.store import Store

FIRST, LAST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)
QUARTER = timedelta(minutes=15)  # clocks change at full quarters of an hour


def put_local_time(store: Store, zone: str) -> None:
    """Write the offsets of a time zone where the table holds those of another."""
    if any(row["zone"] == zone for row in store.rows("SELECT zone FROM local_time LIMIT 1")):
        return
    rows = [(iso(since), minutes, zone) for since, minutes in offsets(ZoneInfo(zone))]
    with store.transaction() as conn:
        conn.execute("DELETE FROM local_time")
        conn.executemany("INSERT INTO local_time VALUES (?,?,?)", rows)


def offsets(zone: ZoneInfo) -> list[tuple[datetime, int]]:
    """Return from when on a zone is how many minutes ahead of UTC, oldest first, from 2000 to 2040."""
    found = [(FIRST, _minutes(FIRST, zone))]
    day = FIRST
    while day < LAST:
        following = day + timedelta(days=1)
        if _minutes(following, zone) != found[-1][1]:
            change = day
            while _minutes(change, zone) == found[-1][1]:
                change += QUARTER
            found.append((change, _minutes(change, zone)))
        day = following
    return found


def _minutes(moment: datetime, zone: ZoneInfo) -> int:
    offset = moment.astimezone(zone).utcoffset()
    return round(offset / timedelta(minutes=1)) if offset is not None else 0
