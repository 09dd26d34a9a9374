"""What is said and counted about a service over time: by hour, by bin, by day; claims of news items; advisories."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

from pipeline.core.incidents import GROUP_PATTERN, OURS, Advisory, Claim, PastOutage
from pipeline.core.series import CountedInterval
from pipeline.core.times import floor_to, utc, utc_or_none
from pipeline.core.vocabulary import ClaimKind, Impact, SaidBy
from pipeline.store import Store
from pipeline.store.count_tables import HOUR_S
from pipeline.store.counts import OF_SERIES, epoch, first_counted, from_epoch
from pipeline.store.kept_answers import SpanTopic
from pipeline.store.runs import heard
from pipeline.store.verdicts import count_sources, distinct, series_sources

_WIDER = 100_000  # seconds: more than any interval
_ENDS = f"c.start * {_WIDER} + s.interval_s"  # starts in their order, and of one start the widths
_OF_SPAN = "s.service = ? AND s.indicator = '' AND s.window != 'rolling' AND c.start >= ? AND c.start < ?"


def talk_by_hour(store: Store, service: str, since: datetime, until: datetime) -> dict[datetime, tuple[int, float]]:
    """Return (posts, mean anger) about a service by hour; hours without any are absent."""
    talk: dict[datetime, tuple[int, float]] = {}
    for begin, end in _whole_spans(since, until):
        talk |= store.kept.of_span(
            SpanTopic.POSTS_BY_HOUR, service, begin, end, partial(_talk_by_hour, store, service, begin, end)
        )
    return talk


def _talk_by_hour(store: Store, service: str, since: datetime, until: datetime) -> dict[datetime, tuple[int, float]]:
    rows = store.rows(
        "SELECT substr(created, 1, 13) AS hour, count(*), avg(anger) FROM post_tags WHERE service = ? AND created >= ?"
        " AND created < ? GROUP BY hour",
        (service, since, until),
    )
    return {utc(f"{row[0]}:00:00Z"): (int(row[1]), float(row[2])) for row in rows}


def complaint_bins(store: Store, service: str, since: datetime, until: datetime) -> list[CountedInterval]:
    """Return a service's complaints by the source that counted most intervals of it, oldest first.

    Where a source tells parts only, they are summed; moving totals are left out.
    """
    return store.kept.of_span(
        SpanTopic.COUNTS_BY_BIN, service, since, until, lambda: _complaint_bins(store, service, since, until)
    )


def _complaint_bins(store: Store, service: str, since: datetime, until: datetime) -> list[CountedInterval]:
    by_source: dict[str, list[CountedInterval]] = {}
    span = (service, epoch(since), epoch(until))
    for source in count_sources(store):
        # only where a source tells no totals are its parts summed
        rows = store.rows(
            f"SELECT c.start, s.interval_s, c.total FROM {OF_SERIES} WHERE s.source = ? AND {_OF_SPAN}"
            " AND s.region = '' ORDER BY c.start, s.interval_s",
            (source, *span),
        ) or store.rows(
            f"SELECT c.start, s.interval_s, sum(c.total) FROM {OF_SERIES} WHERE s.source = ? AND {_OF_SPAN}"
            " GROUP BY c.start, s.interval_s ORDER BY c.start, s.interval_s",
            (source, *span),
        )
        if rows:
            by_source[source] = [CountedInterval(from_epoch(row[0]), int(row[1]), float(row[2])) for row in rows]
    return max((by_source[name] for name in sorted(by_source)), key=len, default=[])


def _whole_spans(since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yield a span in parts that begin at whole hours: up to the last midnight in it, up to its last hour, the rest.

    Of a span whose end moves on the first two are mostly those of the last time.
    """
    for end in (floor_to(until, 86400), floor_to(until, HOUR_S), until):
        if since < end:
            yield since, end
            since = end


def complaints_by_hour(
    store: Store, service: str, since: datetime, until: datetime
) -> tuple[dict[datetime, float], datetime | None]:
    """Return a service's totals by hour, and up to when they were counted; as complaint_bins.

    They are those of the source that counted most intervals.
    """
    return store.kept.of_span(
        SpanTopic.COUNTS_BY_HOUR, service, since, until, lambda: _complaints_by_hour(store, service, since, until)
    )


class _CountedHours(NamedTuple):
    """A source's totals by hour, how many intervals they are of, and the last interval: start * _WIDER + width."""

    totals: dict[datetime, float]
    intervals: int
    last: int


def _complaints_by_hour(
    store: Store, service: str, since: datetime, until: datetime
) -> tuple[dict[datetime, float], datetime | None]:
    best = _CountedHours({}, 0, 0)
    for source in count_sources(store):
        for topic in (SpanTopic.TOTALS_BY_HOUR, SpanTopic.PARTS_BY_HOUR):
            counted = _counted_hours(store, topic, source, service, since, until)
            if counted.totals:
                break
        if counted.intervals > best.intervals:
            best = counted
    return best.totals, from_epoch(sum(divmod(best.last, _WIDER))) if best.totals else None


def _counted_hours(
    store: Store, topic: SpanTopic, source: str, service: str, since: datetime, until: datetime
) -> _CountedHours:
    part, intervals = ("AND s.region = ''", "*") if topic is SpanTopic.TOTALS_BY_HOUR else ("", f"DISTINCT {_ENDS}")
    sql = (
        f"SELECT c.start / {HOUR_S} * {HOUR_S} AS hour, sum(c.total), count({intervals}), max({_ENDS})"
        f" FROM {OF_SERIES} WHERE s.source = ? AND {_OF_SPAN} {part} GROUP BY hour ORDER BY hour"
    )

    def read(begin: datetime, end: datetime) -> _CountedHours:
        rows = store.rows(sql, (source, service, epoch(begin), epoch(end)))
        totals = {from_epoch(row[0]): float(row[1]) for row in rows}
        return _CountedHours(totals, sum(row[2] for row in rows), rows[-1][3] if rows else 0)

    spans = [
        store.kept.of_span(topic, service, begin, end, partial(read, begin, end), source)
        for begin, end in _whole_spans(since, until)
    ]
    return _CountedHours(
        {hour: total for counted in spans for hour, total in counted.totals.items()},
        sum(counted.intervals for counted in spans),
        max((counted.last for counted in spans), default=0),
    )


def complaints_by_region(
    store: Store, service: str, since: datetime, until: datetime
) -> tuple[dict[str, dict[datetime, float]], datetime]:
    """Return a service's complaints by region and hour, and up to when they were counted.

    They are those of the source that tells most regions.
    """
    by_source: dict[str, dict[str, dict[datetime, float]]] = {}
    ends: dict[str, datetime] = {}
    for begin, end in _whole_spans(since, until):
        counted = store.kept.of_span(
            SpanTopic.COUNTS_BY_REGION, service, begin, end, partial(_regions_counted, store, service, begin, end)
        )
        for source, (regions, last) in counted.items():
            ends[source] = max(ends.get(source, since), last)
            known = by_source.setdefault(source, {})
            for region, hours in regions.items():
                known[region] = {**known[region], **hours} if region in known else hours
    most = max(sorted(by_source), key=lambda name: len(by_source[name]), default="")
    return by_source.get(most, {}), ends.get(most, since)


class _CountedRegions(NamedTuple):
    """A source's totals by region and hour, and the end of the last interval."""

    hours: dict[str, dict[datetime, float]]
    end: datetime


def _regions_counted(store: Store, service: str, since: datetime, until: datetime) -> dict[str, _CountedRegions]:
    """Return what each source that tells regions counted in a span."""
    totals_by_region: dict[str, dict[str, dict[datetime, float]]] = {}
    ends: dict[str, datetime] = {}
    for source in count_sources(store):
        rows = store.rows(
            f"SELECT s.region, c.start / {HOUR_S} * {HOUR_S} AS hour, sum(c.total), max(c.start), max(s.interval_s)"
            f" FROM {OF_SERIES} WHERE s.source = ? AND {_OF_SPAN} AND s.region > '' GROUP BY s.region, hour",
            (source, service, epoch(since), epoch(until)),
        )
        for region, hour, total, last, width in rows:
            ends[source] = max(ends.get(source, since), from_epoch(last + width))
            totals_by_region.setdefault(source, {}).setdefault(region, {})[from_epoch(hour)] = float(total)
    return {source: _CountedRegions(regions, ends[source]) for source, regions in totals_by_region.items()}


class PublishedClaim(NamedTuple):
    """A claim of a news item: the item's source and id there, its outlet, and when it was published."""

    source: str
    native_id: str
    outlet: str
    published: datetime
    claim: Claim


def claims_of(store: Store, news_events: Sequence[str]) -> list[PublishedClaim]:
    """Return the claims of the items of news events, oldest first."""
    marks = ",".join("?" * len(news_events))
    rows = store.rows(
        "SELECT c.*, n.outlet, n.published FROM claims c JOIN news_items n USING (source, native_id)"
        " JOIN news_event_items e"
        f" USING (source, native_id) WHERE e.news_event IN ({marks}) ORDER BY n.published, n.outlet, c.kind, c.value",
        tuple(news_events),
    )
    return [
        PublishedClaim(
            source=r["source"],
            native_id=r["native_id"],
            outlet=r["outlet"],
            published=utc(r["published"]),
            claim=Claim(
                kind=ClaimKind(r["kind"]), value=r["value"], said_by=SaidBy(r["said_by"]), definition=r["definition"]
            ),
        )
        for r in rows
    ]


class IncidentSpan(NamedTuple):
    """When an incident began and ended (None: it lasts), and how bad it is."""

    onset: datetime
    end: datetime | None
    impact: Impact


def incident_spans(store: Store, service: str, since: datetime) -> list[IncidentSpan]:
    """Return a service's incidents since a moment, oldest first; groups of shared failures are left out."""
    rows = store.rows(
        'SELECT onset, "end", impact FROM incidents WHERE service = ? AND onset >= ? AND id NOT LIKE ? ORDER BY onset',
        (service, since, GROUP_PATTERN),
    )
    return [IncidentSpan(utc(r[0]), utc_or_none(r[1]), Impact(r[2])) for r in rows]


def past_outages(store: Store, until: datetime) -> list[PastOutage]:
    """Return our incidents that were over by a moment in the form outages are compared in, oldest first."""
    rows = store.rows(
        'SELECT i.id, i.service, s.vendor, s.name, i.onset, i."end", i.impact, i.symptom, '
        "ifnull(group_concat(DISTINCT k.role), '') AS roles"
        " FROM incidents i JOIN services s ON s.id = i.service LEFT JOIN incident_components c ON c.incident = i.id"
        " AND c.status = 'affected'"
        ' LEFT JOIN components k ON k.service = i.service AND k.id = c.component WHERE NOT i.active AND i."end" <= ?'
        " GROUP BY i.id ORDER BY i.onset",
        (until,),
    )
    return [
        PastOutage(
            id=r["id"],
            provider=r["vendor"] or r["name"],
            service=r["service"],
            began=utc(r["onset"]),
            impact=Impact(r["impact"]),
            minutes=(utc(r["end"]) - utc(r["onset"])).total_seconds() / 60,
            roles=frozenset(filter(None, r["roles"].split(","))),
            symptom=r["symptom"],
            steps=(),
            source=OURS,
        )
        for r in rows
    ]


def known_since(store: Store, service: str, page: str) -> datetime | None:
    """Return since when a service is known: its page's oldest notice, the oldest count or the oldest post about it."""
    notice = store.rows("SELECT min(displayed_at) FROM status_updates WHERE page = ?", (page,))[0][0]
    crowd = heard_since(store, service)
    return min(filter(None, (utc_or_none(notice), crowd)), default=None)


def heard_since(store: Store, service: str) -> datetime | None:
    """Return since when people are heard of a service: the oldest count or the oldest post about it."""
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


def advisories(store: Store, *, lasting: bool = False) -> list[Advisory]:
    """Return surge advisories, oldest first; `lasting` leaves out those that ended."""
    rows = store.rows(f"SELECT * FROM advisories {'WHERE until IS NULL' if lasting else ''} ORDER BY since, service")
    return [
        Advisory(
            service=r["service"],
            since=utc(r["since"]),
            until=utc_or_none(r["until"]),
            level=r["level"],
            reasons=tuple(json.loads(r["reasons"])),
            signals=tuple(tuple(s) for s in json.loads(r["signals"])),
        )
        for r in rows
    ]


def put_advisories(conn: sqlite3.Connection, rows: Iterable[Advisory]) -> None:
    """Write advisories over what was known of them, inside the caller's transaction."""
    conn.executemany(
        "INSERT OR REPLACE INTO advisories VALUES (?,?,?,?,?,?)",
        [
            (
                a.service,
                a.since,
                a.until,
                a.level,
                json.dumps(a.reasons, ensure_ascii=False),
                json.dumps(a.signals),
            )
            for a in rows
        ],
    )


def last_read(store: Store, service: str) -> datetime | None:
    """Return when anything that could tell of a service was last read: counts, posts, its page; None for never."""
    ends = [span[1] for stream in series_sources(store, service) for span in heard(store, stream)[-1:]]
    rows = store.rows("SELECT until FROM coverage WHERE source IN ('status', ?)", (f"status:{service}",))
    return max([*ends, *(utc(row[0]) for row in rows)], default=None)
