"""A status page's `/history.atom`: one entry an incident, rewritten in place, which tells neither impact nor parts."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from urllib.parse import urlsplit

from pipeline.core.records import Batch, RejectedRow, StatusUpdate
from pipeline.core.times import iso
from pipeline.sources.feed import moment, read_feed
from pipeline.sources.parsing import FUTURE, TITLE_CAP, plain, reject, unmarked
from pipeline.text.clock_times import times_of_day

MAINTENANCE = ("scheduled", "in_progress", "verifying", "completed")
PHASES = ("investigating", "identified", "monitoring", "update", "resolved", "postmortem", *MAINTENANCE)
_MONTHS = {
    name: n
    for n, name in enumerate(["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1)
}
_PIECE = re.compile(
    r"(?is)<small>(?P<when>.{1,300}?)</small>.{0,40}?<strong>(?P<phase>[^<]{1,40})</strong>(?P<body>.*?)(?=<small>|\Z)"
)
_DAY = re.compile(r"(?i)\b(?P<month>[a-z]{3})[a-z]*\.? +(?P<day>\d{1,2}) *,? *(?P<clock>\d.*)")


def page_key(url: str) -> str:
    """Return the name a page is stored under: its host."""
    try:
        return (urlsplit(url).hostname or url).removeprefix("www.")
    except ValueError:
        return plain(url, 120)


class _Update(NamedTuple):
    """One update within an entry: when it is shown, its phase, its words."""

    shown: datetime
    phase: str
    body: str


def parse_history(body: bytes, *, source: str, fetched_at: datetime) -> Batch:
    """Parse history.atom: one entry an incident, rewritten in place, its updates newest first and without a year.

    The feed does not tell an impact: an incident counts as minor, a maintenance as maintenance. An update is known
    by its time and phase. Raises SourceError when the bytes are no feed; an entry without a readable update is
    refused alone.
    """
    found = read_feed(body, source)
    rows: dict[tuple[str, str], StatusUpdate] = {}
    bad: list[RejectedRow] = []
    for number, entry in enumerate(found.entries):
        if not isinstance(entry, Mapping):
            bad.append(reject(f"entry {number}", "not an object", entry))
            continue
        for row in _entry_rows(entry, f"entry {number}", source, fetched_at):
            if isinstance(row, RejectedRow):
                bad.append(row)
            else:
                rows[row.incident_id, row.update_id] = row
    detail = "ill-formed, salvaged" if found.ill_formed else ""
    return Batch(
        source=source, rows=tuple(rows.values()), rejected=tuple(bad), detail=detail, outcome="ok" if rows else "empty"
    )


def _entry_rows(
    entry: Mapping[str, object], where: str, source: str, fetched_at: datetime
) -> Iterator[StatusUpdate | RejectedRow]:
    """Yield an incident's updates, and what of it is refused and why."""
    link = plain(entry.get("link"), 300)
    published = moment(entry.get("published"), fetched_at)
    latest = moment(entry.get("updated"), fetched_at) or published
    incident = _last_part(link) or plain(entry.get("id"), 60)
    updates = []
    for update in _updates(str(entry.get("content") or entry.get("summary") or ""), latest or fetched_at):
        if update.shown > fetched_at + FUTURE:
            yield reject(where, f"time {iso(update.shown)} lies in the future", update.body)
        else:
            updates.append(update)
    if not incident or not updates:
        why = "no update with a phase and a time whose zone means one thing" if incident else "neither link nor id"
        yield reject(where, why, entry.get("content") or entry.get("title"))
        return
    impact = "maintenance" if any(update.phase in MAINTENANCE for update in updates) else "minor"
    for place, (shown, phase, words) in enumerate(updates):
        first = place == len(updates) - 1
        yield StatusUpdate(
            page=page_key(link) or source,
            incident_id=incident,
            update_id=f"{shown:%Y%m%dT%H%M}-{phase}",
            name=unmarked(entry.get("title"), TITLE_CAP),
            status=phase,
            impact=impact,
            components=(),
            displayed_at=shown,
            created_at=max(shown, published) if first and published else shown,
            collected=fetched_at,
            body=words,
        )


def _last_part(link: str) -> str:
    try:
        return plain(urlsplit(link).path.rsplit("/", 1)[-1], 60)
    except ValueError:
        return ""


def _updates(content: str, latest: datetime) -> list[_Update]:
    """Return each update in an entry, newest first; one that cannot be read is left out."""
    found = []
    for match in _PIECE.finditer(content[:200_000]):
        phase = "_".join(unmarked(match["phase"], 40).lower().split())
        shown = _shown(unmarked(match["when"], 80), latest)
        if shown is not None and phase in PHASES:
            found.append(_Update(shown, phase, unmarked(match["body"], 2000).removeprefix("-").strip()))
    return found


def _shown(text: str, latest: datetime) -> datetime | None:
    """Read `Feb 24, 20:01 UTC`; the year is the one that puts it last before the entry's own time and a day."""
    match = _DAY.search(html.unescape(text))
    if match is None or match["month"].lower() not in _MONTHS:
        return None
    for year in (latest.year + 1, latest.year, latest.year - 1):
        try:
            day = datetime(year, _MONTHS[match["month"].lower()], int(match["day"]), tzinfo=UTC).date()
        except ValueError:
            continue
        clock = match["clock"].lower()
        moments = [found for _, _, found in times_of_day(clock, match["clock"], day)]
        if moments and moments[0] <= latest + timedelta(days=1):
            return moments[0]
    return None
