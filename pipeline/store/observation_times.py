"""Since when a service is known, in which hours posts were read, and when anything about it was last read."""

from __future__ import annotations

from datetime import datetime, timedelta

from pipeline.core.times import utc, utc_or_none
from pipeline.store import Store
from pipeline.store.counts import first_counted
from pipeline.store.detector_input import distinct, series_sources
from pipeline.store.runs import heard


def known_since(store: Store, service: str, page: str) -> datetime | None:
    """Return since when a service is known: its page's oldest notice, the oldest count or the oldest post about it."""
    notice = store.rows("SELECT min(displayed_at) FROM status_updates WHERE page = ?", (page,))[0][0]
    crowd = reported_since(store, service)
    return min(filter(None, (utc_or_none(notice), crowd)), default=None)


def reported_since(store: Store, service: str) -> datetime | None:
    """Return since when people write or are counted about a service: the oldest count or the oldest post about it."""
    post = store.rows("SELECT min(created) FROM post_tags WHERE service = ?", (service,))[0][0]
    return min(filter(None, (utc_or_none(post), first_counted(store, service))), default=None)


def read_hours(store: Store, service: str, since: datetime, until: datetime) -> set[datetime] | None:
    """Return the hours in which posts were read, less those in which a crowd said that a service is out and one after.

    None where it is not known what was read.
    """
    read = [
        span
        for source in distinct(store, "posts", "source")
        for span in heard(store, source)
        if span[1] > since and span[0] < until
    ]
    if not read:
        return None
    out = store.rows(
        'SELECT e.onset, e."end" FROM incident_episodes e JOIN incidents i ON i.id = e.incident WHERE i.service = ?'
        " AND e.by_crowd"
        ' AND (e."end" IS NULL OR e."end" >= ?) AND e.onset < ?',
        (service, since, until),
    )
    spells = [(utc(r[0]), (utc_or_none(r[1]) or until) + timedelta(hours=1)) for r in out]
    slack, hour = timedelta(minutes=5), timedelta(hours=1)  # what is public a little later
    places: set[int] = set()
    for begin, end in read:  # the hours that begin and end in it
        places.update(range(-((since + slack - begin) // hour), (end + slack - hour - since) // hour + 1))
    for begin, end in spells:  # the hours that it touches
        places.difference_update(range((begin - since) // hour, -((since - end) // hour)))
    places.intersection_update(range((until - since) // hour))
    return {since + n * hour for n in places}


def last_read(store: Store, service: str) -> datetime | None:
    """Return when anything that could tell of a service was last read: counts, posts, its page; None for never."""
    ends = [span[1] for stream in series_sources(store, service) for span in heard(store, stream)[-1:]]
    rows = store.rows("SELECT until FROM coverage WHERE source IN ('status', ?)", (f"status:{service}",))
    return max([*ends, *(utc(row[0]) for row in rows)], default=None)
