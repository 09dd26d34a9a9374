"""Links on labelled pairs and on the public record of a week, with two baselines; and how often chance is linked.

Pairs are in data/labels/links.csv, labelled by a person who had not seen the rules: one row an incident and an item.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from pipeline.core.catalogue import Catalogue
from pipeline.core.incidents import Incident
from pipeline.core.news_events import CHANCE, NewsEntity, NewsEvent
from pipeline.core.records import NewsItem
from pipeline.core.status_records import StatusUpdate
from pipeline.core.times import utc
from pipeline.core.vocabulary import Impact, Relation, State
from pipeline.evaluation import csv_rows
from pipeline.incidents.chance import PastIncident, past_provider_incidents, size_of
from pipeline.incidents.episodes import read_provider_incidents
from pipeline.incidents.link_context import LinkContext
from pipeline.incidents.news_links import CONTEXT_KINDS, HIDDEN_BY_CHANCE, link
from pipeline.sources.status_archive import parse_incident_archive
from pipeline.text.models.kinds import NewsModel
from pipeline.text.news import fold_items
from pipeline.text.services import ServiceMatcher

Row = Mapping[str, str]
DRAWS = 400
CHANCE_KINDS = ("service_outage", "outage_followup", "infrastructure_outage", "politics_regulation")
BY_KIND = {
    "service_outage": Relation.REPORTS,
    "outage_followup": Relation.FOLLOW_UP,
    "infrastructure_outage": Relation.OTHER_INCIDENT,
    "politics_regulation": Relation.CONTEXT_BEFORE,
    "company_business": Relation.CONTEXT_BEFORE,
}
RECORD = {
    "context": Relation.CONTEXT_BEFORE,
    "followup": Relation.FOLLOW_UP,
    "reports": Relation.REPORTS,
    "other_incident": Relation.OTHER_INCIDENT,
    "unrelated": Relation.NONE,
}


def incident_of(service: str, onset: datetime, end: datetime, impact: Impact) -> Incident:
    """Return an incident that is over, with nothing known of it but this."""
    return Incident(
        id=f"{service}-{onset:%Y%m%d%H%M}",
        service=service,
        state=State.RESOLVED,
        opened_at=onset,
        onset=onset,
        peak=None,
        end=end,
        impact=impact,
        symptom="",
        official_first_at=onset,
        episode_count=1,
        active=False,
    )


def event_of(row: Row, published: datetime, matcher: ServiceMatcher, model: NewsModel) -> tuple[NewsEvent, str]:
    """Return the news event of one item, read as the pipeline reads it."""
    item = NewsItem(
        source="pairs",
        native_id=row["title"],
        outlet=row["outlet"],
        published=published,
        collected=published,
        title=row["title"],
        summary=row["summary"],
        url="",
    )
    return fold_items([item], matcher, model.kind)[0], f"{row['title']}. {row['summary']}"


def judged(
    rows: Sequence[Row], catalogue: Catalogue, matcher: ServiceMatcher, model: NewsModel
) -> list[tuple[Row, NewsEvent, Relation]]:
    """Return each pair with its event and the relation our rules give it: NONE where they give or show none."""
    past: dict[str, list[PastIncident]] = {}
    for row in rows:
        onset, end = utc(row["onset_utc"]), utc(row["end_utc"])
        one = PastIncident(onset=onset, end=end, size=size_of(Impact(row["impact"]), onset, end))
        if one not in past.setdefault(row["service"], []):
            past[row["service"]].append(one)
    events = {row["title"]: event_of(row, utc(row["published_utc"]), matcher, model) for row in rows}
    labelled = []
    for row in rows:
        incident = incident_of(row["service"], utc(row["onset_utc"]), utc(row["end_utc"]), Impact(row["impact"]))
        known = min(p.onset for p in past[row["service"]])
        context = LinkContext(past=past[row["service"]], known_since=known)
        links = link(incident, catalogue[row["service"]], [events[row["title"]]], context, utc("2099-01-01T00:00:00Z"))
        relation = next((k.relation for k in links if k.shown), Relation.NONE)
        labelled.append((row, events[row["title"]][0], relation))
    return labelled


def by_kind(row: Row, event: NewsEvent) -> str:
    """Return what the kind alone would say of an item that names the service."""
    named = row["service"] in event.services
    return BY_KIND.get(event.kind, Relation.NONE) if named or event.kind == "infrastructure_outage" else Relation.NONE


def near_in_time(row: Row, event: NewsEvent) -> str:
    """Return a link for any item that names the service within 72 hours, by whether it came before."""
    lag = event.first_seen - utc(row["onset_utc"])
    if row["service"] not in event.services or abs(lag) > timedelta(hours=72):
        return Relation.NONE
    return (
        Relation.CONTEXT_BEFORE
        if lag < timedelta(0)
        else (Relation.REPORTS if lag < timedelta(hours=12) else Relation.FOLLOW_UP)
    )


def figures(pairs: Sequence[tuple[str, str]]) -> tuple[float, float, int, int]:
    """Return precision and recall of links (relation right), links given, links there are; pairs are (truth, given)."""
    given = [(t, g) for t, g in pairs if g != Relation.NONE]
    real = [(t, g) for t, g in pairs if t != Relation.NONE]
    right = sum(t == g for t, g in given)
    return right / max(1, len(given)), right / max(1, len(real)), len(given), len(real)


def archive(path: Path, page: str, until: datetime) -> list[PastIncident]:
    """Return the stories of a provider's archive of incidents."""
    batch = parse_incident_archive(
        path.read_bytes().replace(b"incident_id,", b"id,", 1), page=page, source="archive", fetched_at=until
    )
    provider_incidents = read_provider_incidents(row for row in batch.rows if isinstance(row, StatusUpdate))
    return past_provider_incidents(provider_incidents, None)


def recorded(
    folder: Path, catalogue: Catalogue, matcher: ServiceMatcher, model: NewsModel
) -> list[tuple[str, str, str]]:
    """Return (truth, given, gist) of each item of the public record, against the Claude stories of 2 and 3 March.

    An item is right when one of the two gets the relation, and unrelated when neither gets any. A date without a time
    is its whole day, tried every six hours.
    """
    past = archive(
        folder / "record-2026-03-02" / "official_incidents.csv", "status.claude.com", utc("2026-03-05T00:00:00Z")
    )
    main = [p for p in past if utc("2026-03-02T00:00:00Z") <= p.onset < utc("2026-03-04T00:00:00Z")]
    events: list[tuple[str, list[tuple[NewsEvent, str]]]] = []
    for row in csv_rows(folder / "record-2026-03-02" / "news.csv"):
        # the words of its address are its headline's
        words = re.sub(r"[^a-z]+", " ", row["url"].rstrip("/").rpartition("/")[2].replace(".html", "").lower()).strip()
        whole = len(row["published_utc"]) == 10
        clocks = (
            [f"{row['published_utc']}T{h}:00Z" for h in ("00:00", "06:00", "12:00", "18:00", "23:59")]
            if whole
            else [row["published_utc"]]
        )
        item = {"title": words, "summary": row["gist"], "outlet": row["outlet"]}
        events.append((RECORD[row["relation"]], [event_of(item, utc(at), matcher, model) for at in clocks]))
    relations = []
    for truth, versions in events:
        given: list[str] = []
        for story in main:
            incident = incident_of("claude", story.onset, story.end, Impact.HIGH)
            context = LinkContext(past=past, known_since=past[0].onset)
            for version in versions:
                given += [
                    k.relation
                    for k in link(incident, catalogue["claude"], [version], context, utc("2099-01-01T00:00:00Z"))
                    if k.shown
                ]
        relations.append((truth, truth if truth in given else (given[0] if given else Relation.NONE), versions[0][1]))
    return relations


def chance(past: Sequence[PastIncident], service: str, catalogue: Catalogue, draws: int, seed: int) -> dict[str, float]:
    """Return, for each kind of news, the share of random dates at which an item naming the service is linked and shown.

    Dates are drawn from the later half of an archive; p is computed on what lay before each incident.
    """
    rng = np.random.default_rng(seed)
    middle = statistics.median_high(p.onset for p in past)
    later = [p for p in past if p.onset >= middle]
    span = (later[-1].onset - middle) / timedelta(minutes=1)
    name = catalogue[service].name
    below = next(iter(catalogue[service].runs_on), "aws")
    counted: dict[str, int] = dict.fromkeys(CHANCE_KINDS, 0)
    context = LinkContext(past=past, known_since=past[0].onset)
    for _ in range(draws):
        at = middle + timedelta(minutes=float(rng.uniform(0, span)))
        last = next((p for p in reversed(later) if p.onset <= at), None)
        for kind in CHANCE_KINDS:
            story = next((p for p in later if p.onset > at), None) if kind in CONTEXT_KINDS else last
            if story is None:
                continue
            hits = (
                (NewsEntity(below, ("headline", "name")), NewsEntity(service, ("name",)))
                if kind == "infrastructure_outage"
                else (NewsEntity(service, ("headline", "name")),)
            )
            event = NewsEvent(
                id="x", kind=kind, title=name, entities=hits, outlets=("o",), first_seen=at, items=(("x", "x"),)
            )
            incident = incident_of(service, story.onset, story.end, Impact.HIGH)
            given = link(incident, catalogue[service], [(event, "")], context, at + timedelta(days=30))
            # context is always shown: counted is what would be shown without "no better than chance"
            counted[kind] += any(
                k.p is not None and k.p <= CHANCE
                if kind in CONTEXT_KINDS
                else k.shown and k.relation in HIDDEN_BY_CHANCE
                for k in given
            )
    return {kind: number / draws for kind, number in counted.items()}


RULES: Mapping[str, Callable[[Row, NewsEvent, str], str]] = {
    "our rules": lambda row, event, ours: ours,
    "kind decides": lambda row, event, ours: by_kind(row, event),
    "named within 72 h": lambda row, event, ours: near_in_time(row, event),
}


def _subsets(announcement: str) -> Mapping[str, Callable[[Row], bool]]:
    subsets: dict[str, Callable[[Row], bool]] = {"all": lambda row: True}
    if announcement:
        subsets["kind does not decide"] = lambda row: row["decided_by_kind"] == "0"
        subsets["the announcement"] = lambda row: row["title"] == announcement
        subsets["without it"] = lambda row: row["title"] != announcement
    return subsets


def report(
    labels: Path, folder: Path | None, catalogue: Catalogue, matcher: ServiceMatcher, model: NewsModel
) -> Iterator[str]:
    """Yield the section, line by line."""
    yield f"{'labelled pairs':<44}{'rule':<20}{'precision':>10}{'recall':>8}{'links':>7}{'pairs':>7}{'none':>6}"
    for file, named in (("links.csv", "seen"), ("links-more.csv", "seen later"), ("links-unseen.csv", "unseen")):
        judged_rows = judged(csv_rows(labels / file), catalogue, matcher, model)
        announcement = max(
            {row["title"] for row, _, _ in judged_rows},
            key=lambda t: (sum(row["title"] == t for row, _, _ in judged_rows), t),
        )
        for what, wanted in _subsets(announcement if file == "links.csv" else "").items():
            for name, rule in RULES.items():
                pairs = [(row["relation"], rule(row, event, ours)) for row, event, ours in judged_rows if wanted(row)]
                precision, recall, _, real = figures(pairs)
                yield (
                    f"{f'{named}: {what}':<44}{name:<20}{precision:>10.3f}{recall:>8.3f}{real:>7}{len(pairs):>7}"
                    f"{len(pairs) - real:>6}"
                )
    if folder is None:
        yield "public record and chance: skipped: EVAL_DATA is not set"
        return
    record = recorded(folder, catalogue, matcher, model)
    precision, recall, given, real = figures([(t, g) for t, g, _ in record])
    yield (
        f"public record of 20 February to 4 March 2026, {len(record)} items: precision {precision:.3f}, "
        f"recall {recall:.3f} ({given} linked, {real} to link)"
    )
    for service, path in (("claude", "claude_status"), ("github", "github_status")):
        past = archive(folder / "series" / path / "incidents.csv", path, utc("2026-11-01T00:00:00Z"))
        shares = chance(past, service, catalogue, DRAWS, 2026)
        yield (
            f"random dates in the later half of {path}, linked and shown (of {DRAWS}; standard error at 5 %: "
            f"{100 * (0.05 * 0.95 / DRAWS) ** 0.5:.1f}): "
            + ", ".join(f"{r} {share:.1%}" for r, share in shares.items())
        )
