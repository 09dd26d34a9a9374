"""Reports of an incident, and the spans of its components that they give."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from pipeline.core.reports import Report
from pipeline.incidents.component_spans import voted_components
from tests.copies import replace
from tests.test_story import at, report

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
START = at("10:00")


def posted(after: timedelta, *, fails: str = "", works: str = "", author: str = "", **more: Any) -> Report:
    """Return a report so long after 10:00 that one component fails or works; its author and text are its own."""
    base = report("10:00", (fails,) if fails else (), (works,) if works else (), weight=1.0 if fails else 0.0)
    author = author or f"author {after}"
    own = replace(base, created=START + after, native_id=f"{after} {author}", author_key=author, text=author)
    return replace(own, **more)


def component_spans(reports: list[Report], end: datetime | None = None, now: datetime | None = None) -> list[Any]:
    found = voted_components(reports, end, now or START + DAY)
    return [(s.component, s.status, s.since - START, s.until and s.until - START) for s in found]
