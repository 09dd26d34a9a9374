"""On which days clocks were changed, anywhere that most people live who change them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

ZONES = ("America/New_York", "Europe/London", "Australia/Sydney")  # one of each habit
TOLERATED_DAYS = 21


@lru_cache(maxsize=4096)
def last_change(day: int) -> int:
    """Return the day of the last change of clocks, both in days of the epoch; negative where they went back.

    0 where the last three weeks had none.
    """
    for back in range(TOLERATED_DAYS):
        turned = sum(_offset(zone, day - back) - _offset(zone, day - back - 1) for zone in ZONES)
        if turned:
            return day - back if turned > 0 else back - day
    return 0


@lru_cache(maxsize=4096)
def _offset(zone: str, day: int) -> float:
    """Return the seconds that local time is ahead of UTC at the end of a day of the epoch."""
    end = datetime.combine(date(1970, 1, 1) + timedelta(days=day), datetime.max.time(), UTC)
    ahead = end.astimezone(ZoneInfo(zone)).utcoffset()
    return ahead.total_seconds() if ahead else 0.0
