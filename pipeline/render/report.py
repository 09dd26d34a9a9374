"""The report: self-contained pages, nothing fetched from anywhere, readable on a phone, in the dark and on paper.

Each page carries a digest of the facts it was made from, by which it is known whether it has to be written again.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache, cached_property

from msgspec import Struct

from pipeline.config.paths import DASHBOARDS
from pipeline.core.catalogue import Catalogue, names
from pipeline.core.incidents import Advisory
from pipeline.core.records import SilentSource
from pipeline.render.formatting import environment, file_of, isolated, local, page_url
from pipeline.render.incident_card import first_alert, lead_over_provider
from pipeline.render.report_rows import (
    AdvisoryRow,
    AppPlace,
    FreshSource,
    IncidentCard,
    IncidentRow,
    ServiceCard,
    ServiceTile,
)
from pipeline.render.summary import duration, listed, symptom_name
from pipeline.render.tiles import DAYS, day_bars, spark
from pipeline.store.freshness import Freshness, Spread
from pipeline.store.report_data import CountsByService, ImpactSpan, IncidentHead

LISTED = 40
TILES = 50  # services with drawings on the first page; the rest is listed by name
STALE = timedelta(hours=2)


class ReportContext(Struct, frozen=True, kw_only=True, dict=True):
    """What the whole report is made of.

    `read` is when anything that could tell of a service was last read, `since` since when it is known, `sentences`
    what active incidents say by id, `learning` how far a service's daily pattern is learned (empty: it is). Posts in
    `language` are quoted first.
    """

    catalogue: Catalogue
    watched: Sequence[str]
    heads: Sequence[IncidentHead]
    sentences: Mapping[str, str]
    counts: CountsByService
    read: Mapping[str, datetime | None]
    since: Mapping[str, datetime | None]
    learning: Mapping[str, str]
    zone: str
    now: datetime
    simulated: bool
    note: str
    public_url: str
    language: str = "en"

    @cached_property
    def services(self) -> list[str]:
        """Return the services that have a page, those with trouble first, the worst of them first, then by name."""
        known = ({head.service for head in self.heads} | set(self.watched)) & set(self.catalogue)
        return sorted(known, key=lambda s: (-self._worst(s), self.catalogue[s].name.casefold(), s))

    def _worst(self, service: str) -> int:
        active = self.active(service)
        return active.impact.rank + 1 if active else 0

    @cached_property
    def by_service(self) -> Mapping[str, list[IncidentHead]]:
        """Return the incidents of each service, newest first."""
        found: dict[str, list[IncidentHead]] = defaultdict(list)
        for head in sorted(self.heads, key=lambda h: (h.onset, h.id), reverse=True):
            found[head.service].append(head)
        return found

    def active(self, service: str) -> IncidentHead | None:
        """Return the newest incident of a service that lasts; None without any."""
        return next((head for head in self.by_service.get(service, ()) if head.active), None)

    def values(self) -> dict[str, object]:
        """Return what every page says."""
        return {
            "now": local(self.now, self.zone),
            "zone": self.zone,
            "simulated": self.simulated,
            "note": self.note,
            "public_url": self.public_url,
            "script": script(),
            "script_hash": _hash_of(script()),
        }


@cache
def script() -> str:
    """Return the script of the pages: filter, search, and reading a chart; everything is readable without it."""
    return (DASHBOARDS / "templates" / "report.js").read_text(encoding="utf-8")


def _hash_of(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def tile(context: ReportContext, service: str) -> ServiceTile:
    """Return how a service stands; `unknown` says so where nothing that could tell was read lately."""
    read, own = context.read.get(service), context.by_service.get(service, [])
    unknown = (
        ""
        if read is not None and context.now - read <= STALE
        else f"not known: nothing was read {'since ' + local(read, context.zone) if read else 'yet'}"
    )
    active = context.active(service)
    spans = [span for head in own for span in (head.spans or (ImpactSpan(head.onset, head.end, head.impact),))]
    return ServiceTile(
        id=service,
        name=context.catalogue[service].name,
        file=file_of("service", service),
        state=active.state if active else "quiet",
        state_in_words=active.state_in_words if active else "quiet",
        impact=active.impact if active else "none",
        unknown=unknown,
        incident=file_of("incident", active.id) if active else "",
        sentence=context.sentences.get(active.id, "") if active else "",
        learning=context.learning.get(service, ""),
        spark=spark(context.counts.get(service, {}), context.now),
        days=day_bars(spans, context.since.get(service), context.now),
        recent=sum(context.now - head.onset <= timedelta(days=DAYS) for head in own),
        last=incident_rows(context, own[:1])[0] if own else None,
    )


def incident_rows(context: ReportContext, heads: Iterable[IncidentHead]) -> list[IncidentRow]:
    """Return a line an incident."""
    zone = context.zone
    return [
        IncidentRow(
            file=file_of("incident", head.id),
            service=context.catalogue[head.service].name,
            state=head.state,
            state_in_words=head.state_in_words,
            impact=head.impact,
            symptom="several services" if head.is_group else symptom_name(head.symptom),
            onset=local(head.onset, zone),
            end=local(head.end, zone),
            lasted=duration((head.end or context.now) - head.onset),
            first_alert=first_alert(head.first_alert_at, bool(head.messages), zone),
            lead=lead_over_provider(head.first_alert_at, head.official_first_at),
            parts=listed(names(head.affected, context.catalogue[head.service])),
        )
        for head in heads
    ]


class IndexFacts(Struct, frozen=True, kw_only=True):
    """What the first page shows in addition to its tiles."""

    tiles: Sequence[ServiceTile]
    listed: Sequence[IncidentRow]
    total: int
    advisories: Sequence[AdvisoryRow]
    ranks: Sequence[AppPlace]
    rows: Mapping[str, int]
    blind: Sequence[SilentSource]
    fresh: Sequence[FreshSource]
    doubts: Sequence[str]


def index_page(context: ReportContext, facts: IndexFacts, digest: str) -> str:
    """Return the first page: every service, what is wrong now, surges, silent sources, incidents newest first."""
    tiles = facts.tiles
    trouble = [t for t in tiles if t.incident]
    tally = Counter("unknown" if t.unknown and not t.incident else "trouble" if t.incident else "ok" for t in tiles)
    return _rendered(
        context, "index.html", digest, facts=facts, trouble=trouble, tally=tally, shown=TILES, older=LISTED
    )


def incident_page(context: ReportContext, card: IncidentCard, digest: str) -> str:
    """Return the page of one incident."""
    return _rendered(context, "incident.html", digest, c=card)


def service_page(context: ReportContext, tile: ServiceTile, card: ServiceCard, digest: str) -> str:
    """Return the page of one service: now, its last day, 90 days, availability, usual hours, incidents, parts."""
    permalink = page_url(context.public_url, "service", tile.id)
    return _rendered(context, "service.html", digest, s=tile, card=card, permalink=permalink)


def gone_page(context: ReportContext) -> str:
    """Return what stands where the page of an incident was that is none of its own any more."""
    return _rendered(context, "gone.html", "gone")


def _rendered(context: ReportContext, template: str, digest: str, **values: object) -> str:
    return environment().get_template(template).render(context.values(), digest=digest, **values)


def digest_of(*facts: object) -> str:
    """Return the digest of what a page is made from: the same for the same facts and the same templates."""
    return hashlib.sha256("\0".join([_look(), *map(repr, facts)]).encode("utf-8", "replace")).hexdigest()[:24]


@cache
def _look() -> str:
    texts = [path.read_bytes() for path in sorted((DASHBOARDS / "templates").glob("*.[chj]*"))]
    return hashlib.sha256(b"\0".join(texts)).hexdigest()


def look() -> str:
    """Return the digest of the templates."""
    return _look()[:16]


def advisory_rows(context: ReportContext, advisories: Iterable[Advisory]) -> list[AdvisoryRow]:
    """Return surge advisories of services in the catalogue."""
    return [
        AdvisoryRow(
            name=context.catalogue[a.service].name,
            level=a.level,
            since=local(a.since, context.zone),
            until=local(a.until, context.zone),
            reasons=a.reasons,
        )
        for a in advisories
        if a.service in context.catalogue
    ]


def fresh_sources(sources: Iterable[Freshness]) -> list[FreshSource]:
    """Return a row a source that gave anything."""
    return [
        FreshSource(isolated(f.source), f.stored.n, _quantiles(f.stored), f.alerted.n, _quantiles(f.alerted))
        for f in sources
        if f.stored.n
    ]


def _quantiles(spread: Spread) -> str:
    values = (spread.p50, spread.p90, spread.p95)
    return " / ".join(f"{value:,.1f}" for value in values if value is not None)


def app_places(ranks: Sequence[tuple[str, datetime, int]], zone: str) -> list[AppPlace]:
    """Return the latest and the best place of each app in the span."""
    by_app: dict[str, list[tuple[datetime, int]]] = {}
    for app, observed, rank in ranks:
        by_app.setdefault(app, []).append((observed, rank))
    places_of_apps = []
    for app, places in sorted(by_app.items()):
        best = min(rank for _, rank in places)
        since = next(at for at, rank in places if rank == best)
        places_of_apps.append(
            AppPlace(app=app, first=places[0][1], last=places[-1][1], best=best, best_since=local(since, zone))
        )
    return places_of_apps
