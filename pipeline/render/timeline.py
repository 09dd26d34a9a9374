"""The course of an incident in one list: what users reported, what the provider posted, what the news wrote."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby
from typing import NamedTuple
from zoneinfo import ZoneInfo

from msgspec import Struct

from pipeline.core.alerts import Alert
from pipeline.core.catalogue import Catalogue, Service, names
from pipeline.core.incidents import Incident
from pipeline.core.news_events import LinkRow
from pipeline.core.records import QuotedPost
from pipeline.core.status_records import StatusUpdate
from pipeline.core.vocabulary import Channel, ComponentStatus, EvidenceKind, Impact, PhaseName
from pipeline.render.formatting import isolated, local, safe_link
from pipeline.render.summary import listed
from pipeline.store.report_data import IncidentHead

LONGEST = 420  # characters of an entry
LONGEST_TITLE = 100  # characters of a notice's title
FIRST, LATEST = 90, 240  # entries shown at once; the latest of the others are behind a click
# minutes of a row by the longest incident, in hours, that has rows so long
ROW_MINUTES = ((3, 5), (24, 15), (72, 60), (10**6, 360))


class Side(StrEnum):
    """Who speaks."""

    CROWD = "reports"
    PROVIDER = "provider"
    NEWS = "news"
    ALERT = "alert"


class Moment(NamedTuple):
    """Something that happened: when, who says so, a short head, the text, and where it can be read (empty: nowhere)."""

    at: datetime
    side: Side
    head: str
    text: str = ""
    url: str = ""


class TimelineEntry(NamedTuple):
    """An entry as the template reads it."""

    time: str
    side: Side
    head: str
    text: str
    url: str


class TimelineRow(NamedTuple):
    """What came within some minutes, side by side; `day` is filled where the day changes."""

    day: str
    entries: tuple[TimelineEntry, ...]


class Timeline(Struct, frozen=True, kw_only=True):
    """The first rows, those of the `later_entries` that follow, and how many entries between them are left out."""

    rows: tuple[TimelineRow, ...]
    later: tuple[TimelineRow, ...]
    later_entries: int
    left_out: int


class TimelineContext(Struct, frozen=True, kw_only=True):
    """What the list is made of. `notices` are addresses of the provider's incidents, by id.

    Posts that are simulated have no page to link to.
    """

    incident: Incident
    service: Service
    catalogue: Catalogue
    updates: Sequence[StatusUpdate]
    notices: Mapping[str, str]
    posts: Sequence[QuotedPost]
    links: Sequence[LinkRow]
    alerts: Sequence[Alert]
    members: Sequence[IncidentHead]
    zone: str
    simulated: bool


def timeline(context: TimelineContext) -> Timeline:
    """Return the entries of an incident, oldest first. A long timeline leaves out the entries in its middle."""
    moments = [*_crowd(context), *_provider(context), *_news(context), *_alerts(context)]
    return in_rows(sorted(moments, key=lambda m: (m.at, m.side, m.head)), context.zone)


def in_rows(moments: Sequence[Moment], zone: str) -> Timeline:
    """Group entries, oldest first, into rows. A longer timeline has more minutes in a row."""
    first, others = moments[:FIRST], moments[FIRST:]
    later = others[-LATEST:]
    hours = (moments[-1].at - moments[0].at) / timedelta(hours=1) if moments else 0.0
    minutes = next(minutes for longest, minutes in ROW_MINUTES if hours <= longest)
    return Timeline(
        rows=timeline_rows(first, minutes, zone),
        later=timeline_rows(later, minutes, zone),
        later_entries=len(later),
        left_out=len(others) - len(later),
    )


def timeline_rows(moments: Iterable[Moment], minutes: int, zone: str) -> tuple[TimelineRow, ...]:
    """Group entries, oldest first, into rows of `minutes` minutes, counted from midnight in the zone."""
    here, day = ZoneInfo(zone), ""
    rows = []
    local_times = ((moment.at.astimezone(here), moment) for moment in moments)
    for (date, _), together in groupby(local_times, key=lambda t: (t[0].date(), _minute_of_day(t[0]) // minutes)):
        this = f"{date:%-d %B %Y}"
        rows.append(TimelineRow(this if this != day else "", tuple(_entry(*one) for one in together)))
        day = this
    return tuple(rows)


def _minute_of_day(moment: datetime) -> int:
    return 60 * moment.hour + moment.minute


def _entry(there: datetime, moment: Moment) -> TimelineEntry:
    text = isolated(" ".join(moment.text.split()))
    text = text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
    return TimelineEntry(f"{there:%H:%M}", moment.side, isolated(moment.head), text, moment.url)


def _crowd(context: TimelineContext) -> Iterable[Moment]:
    incident = context.incident
    for episode in incident.episodes:
        for span in episode.crowd_spans:
            yield Moment(span.since, Side.CROWD, "Reports rise above normal")
            if span.until is not None:
                yield Moment(span.until, Side.CROWD, "Reports are back to normal")
    if incident.peak is not None:
        yield Moment(incident.peak, Side.CROWD, "Peak of the reports")
    if incident.end is not None:
        yield Moment(incident.end, Side.ALERT, "The incident is over")
    impact = Impact.NONE
    for phase in incident.phases:
        if phase.phase is not PhaseName.OVER and phase.impact is not impact:
            verb = "rises" if phase.impact.rank > impact.rank else "falls"
            yield Moment(phase.since, Side.CROWD, f"Impact {verb} to {phase.impact}")
            impact = phase.impact
    by_people = [c for c in incident.components if c.source == Channel.VOTES]
    for member in context.members:
        name = context.catalogue[member.service].name if member.service in context.catalogue else member.service
        yield Moment(member.onset, Side.CROWD, f"{name} fails, impact {member.impact}")
        if member.end is not None:
            yield Moment(member.end, Side.CROWD, f"{name} is over")
    if not context.members:
        for at, status in sorted({(c.since, c.status) for c in by_people}):
            ids = [c.component for c in by_people if (c.since, c.status) == (at, status)]
            verb = "works" if status is ComponentStatus.WORKS else "fails"
            verb = verb if len(ids) == 1 else verb.removesuffix("s")
            yield Moment(at, Side.CROWD, f"Users say that {listed(names(ids, context.service))} {verb}")
    for post in context.posts:
        where = post.community and f"a user in {post.community}"
        yield Moment(
            post.created,
            Side.CROWD,
            where or "a user",
            _title_and_text(post),
            "" if context.simulated else safe_link(post.url),
        )


def _title_and_text(post: QuotedPost) -> str:
    return f"“{post.title} {post.text}".replace("“ ", "“").strip() + "”"


def _provider(context: TimelineContext) -> Iterable[Moment]:
    before: dict[str, str] = {}
    for update in context.updates:
        changed: dict[str, list[str]] = {}
        for c in update.components:
            if c.new and c.new != c.old:
                changed.setdefault(c.new.replace("_", " "), []).append(c.name)
        text = update.body
        text = "" if before.get(update.incident_id) == text else text  # the same words again
        before[update.incident_id] = update.body
        text = " · ".join([text] * bool(text) + [f"{listed(parts)}: {state}" for state, parts in changed.items()])
        url = safe_link(context.notices.get(update.incident_id, "")) or safe_link(context.service.status_page)
        late = f", posted {local(update.created_at, context.zone)}" if update.after_the_fact else ""
        head = f"{update.status.replace('_', ' ')}: {' '.join(update.name.split())[:LONGEST_TITLE]}{late}"
        yield Moment(update.displayed_at, Side.PROVIDER, head, text, url)

    stored = {update.incident_id for update in context.updates}
    for e in context.incident.evidence:
        if e.kind is EvidenceKind.OFFICIAL and e.subject not in stored:
            yield Moment(e.at, Side.PROVIDER, "notice", e.statement, safe_link(context.service.status_page))


def _news(context: TimelineContext) -> Iterable[Moment]:
    for link in context.links:
        if link.shown and link.link.better_than_chance:
            more = f", {link.outlets} outlets" if link.outlets > 1 else ""
            head = f"{link.outlet or 'news'}{more}"
            yield Moment(link.first_seen, Side.NEWS, head, link.title, safe_link(link.url))


def _alerts(context: TimelineContext) -> Iterable[Moment]:
    seen = set()
    for alert in context.alerts:
        key = (alert.created, alert.transition)
        if key not in seen and alert.sent_at is not None:
            seen.add(key)
            yield Moment(alert.sent_at, Side.ALERT, f"Alert sent: {alert.transition.replace('_', ' ')}", alert.subject)
