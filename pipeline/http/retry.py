"""Which answers are worth another try, and when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

LONGEST_WAIT = timedelta(hours=1)


RETRIED = (408, 500, 502, 503, 504, 520, 521, 522, 523, 524)


def retry_after(value: str | None, now: datetime) -> timedelta:
    """Read a Retry-After in seconds or as a date: at least a minute, at most an hour, ten minutes when unreadable."""
    seconds = 600.0
    if value:
        try:
            seconds = float(value)
        except ValueError:
            try:
                moment = parsedate_to_datetime(value)
                seconds = (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds()
            except (TypeError, ValueError, OverflowError):
                seconds = 600.0
    if seconds != seconds:
        seconds = 600.0
    return timedelta(seconds=min(LONGEST_WAIT.total_seconds(), max(60.0, seconds)))
