"""Write what the database holds of a span as a scenario folder that `backtest` replays to the same alerts.

The files are in the formats they came in, news and planned maintenance apart (a line of JSON each); what those cannot
say (who collected a row when, what a run covered, how an update was worded before) lies in collected.csv, runs.csv and
wordings.csv. Authors stay the keyed hashes they are in
the database.
"""

from __future__ import annotations

import csv
import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from xml.sax.saxutils import escape

from msgspec import structs

from pipeline.core.errors import StoreError
from pipeline.core.records import ComplaintCount, source_kind
from pipeline.core.status_records import OfficialIncident, StatusUpdate
from pipeline.core.times import iso, iso_or_none
from pipeline.replay.provenance import COLLECTED, RUNS, WORDINGS
from pipeline.replay.recorded_rows import key_of
from pipeline.sources.reddit_posts import to_post
from pipeline.sources.status import statuspage_json
from pipeline.store import Store
from pipeline.store.detector_input import post_sources
from pipeline.store.dump import (
    collect_runs,
    collected_counts,
    collected_maintenance,
    collected_news,
    collected_posts,
    collected_ranks,
    collected_updates,
    collected_withdrawals,
)
from pipeline.store.official import key_of_update, wordings_until
from pipeline.store.runs import get_checkpoint


@dataclass
class _Folder:
    """The folder as it grows: what was written, and what collected.csv and wordings.csv will say of it."""

    path: Path
    collected: list[tuple[str, ...]] = field(default_factory=list)
    wordings: list[tuple[str, ...]] = field(default_factory=list)

    def note(self, file: str, key: str, at: datetime, **told: str) -> None:
        rest = tuple(told.get(column, "") for column in COLLECTED[3:])
        self.collected.append((file, key, iso(at), *rest))

    def table(self, name: str, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        with (self.path / name).open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            # Python's writer leaves a lone carriage return without quotes, and its reader begins a row there
            quoting = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)
            writer.writerow(header)
            for row in rows:
                (quoting if any("\r" in str(cell) for cell in row) else writer).writerow(row)


def record(
    store: Store, folder: Path, since: datetime, until: datetime, *, name: str, watch: Sequence[str], simulated: bool
) -> dict[str, int]:
    """Write the folder; return how many rows of each kind it holds.

    Rows are those that speak of `since` or later and were collected by `until`. Raises StoreError when the folder
    is not empty or cannot be written, or when nothing was collected in the span.
    """
    try:
        if folder.exists() and any(folder.iterdir()):
            raise StoreError(f"{folder}: is not empty; a recording gets a folder of its own")
        runs = collect_runs(store, since, until)
        if not runs:
            raise StoreError(f"nothing was collected from {iso(since)} to {iso(until)}")
        folder.mkdir(parents=True, exist_ok=True)
        out = _Folder(folder)
        told = {
            "posts": _posts(store, out, since, until),
            "complaint counts": _counts(store, out, since, until),
            "news items": _news(store, out, since, until),
            "status updates": _status(store, out, since, until),
            "planned maintenance": _maintenance(store, out, since, until),
            "incidents taken back": _taken_back(store, out, since, until),
            "chart ranks": _charts(store, out, since, until),
        }
        out.table("collected.csv", COLLECTED, out.collected)
        if out.wordings:
            out.table("wordings.csv", WORDINGS, out.wordings)
        # only posts are judged by what was covered: a missing count is a gap by itself
        streams = set(post_sources(store))
        spans = [
            ("posts", source_kind(run.subject), iso(run.started), iso(run.covered[0]), iso(run.covered[1]))
            for run in runs
            if run.covered and source_kind(run.subject) in streams
        ]
        out.table("runs.csv", RUNS, spans)
        _head(store, out, since, sorted({run.started for run in runs}), name, watch, simulated)
    except OSError as error:
        raise StoreError(f"{folder}: cannot be written: {error.strerror or error}") from error
    return told


def _as_json(other: Mapping[str, object]) -> str:
    return json.dumps(other, ensure_ascii=False) if other else ""


def _head(
    store: Store, out: _Folder, since: datetime, times: list[datetime], name: str, watch: Sequence[str], simulated: bool
) -> None:
    steps = Counter(int((b - a).total_seconds()) for a, b in pairwise(times))
    step = max(10, min(steps, key=lambda s: (-steps[s], s))) if steps else 300
    alerting = get_checkpoint(store, "alert", "since")
    first = min((at for at in times if alerting is None or iso(at) >= alerting), default=times[0])
    end = times[-1] + timedelta(seconds=step)
    begun = min(since, first)
    quoted = ", ".join(json.dumps(service) for service in watch)
    lines = [
        f"name = {json.dumps(name, ensure_ascii=False)}",
        f"start = {iso(begun)}",
        f"end = {iso(end)}",
        f'step = "{step}s"',
        f"first_run = {iso(first)}",
        f"watch = [{quoted}]",
        f"simulated = {str(simulated).lower()}",
        'note = "Recorded by groundswell with the times of collection."',
    ]
    (out.path / "scenario.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _posts(store: Store, out: _Folder, since: datetime, until: datetime) -> int:
    import zstandard

    number, file = 0, "posts.ndjson.zst"
    with (out.path / file).open("wb") as raw, zstandard.ZstdCompressor(level=9).stream_writer(raw) as packed:
        for post in collected_posts(store, since, until):
            number += 1
            foreign = post.source != "reddit"
            kind = "t1" if post.kind == "comment" else "t3"
            key = f"{kind}_r{number}" if foreign else post.native_id
            item: dict[str, object] = {
                "name": key,
                "author": post.author_key or "[deleted]",
                "subreddit": post.community,
                "created_utc": int(post.created.timestamp()),
                "edited": int(post.edited.timestamp()) if post.edited else False,
                "parent_id": post.parent_id or None,
                "permalink": post.url.removeprefix("https://www.reddit.com"),
                "removed_by_category": "deleted" if post.deleted else None,
            }
            if post.author_created:
                item["author_created_utc"] = int(post.author_created.timestamp())
            item |= {"body": post.text} if kind == "t1" else {"title": post.title, "selftext": post.text}
            packed.write(json.dumps(item, ensure_ascii=False).encode() + b"\n")
            # what the archive's form cannot carry as it was is told beside it
            read = to_post(item, source="reddit", fetched_at=post.collected + timedelta(days=1))
            other = {
                name: getattr(post, name)
                for name in ("native_id", "kind", "community", "deleted", "parent_id", "title", "text", "url")
                if getattr(post, name) != getattr(read, name)
            }
            out.note(file, key, post.collected, source=post.source if foreign else "", other=_as_json(other))
    return number


def _counts(store: Store, out: _Folder, since: datetime, until: datetime) -> int:
    # a file for each source and window: each may have counted the same interval
    groups: dict[tuple[str, str], list[ComplaintCount]] = defaultdict(list)
    for count in collected_counts(store, since, until):
        groups[count.source, count.window].append(count)
    header = ("service", "start_utc", "interval_s", "total", "baseline", "region", "indicator")
    for number, ((source, window), counts) in enumerate(sorted(groups.items()), 1):
        file = f"complaints-{number}.csv"
        out.table(
            file,
            header,
            [
                (
                    c.service,
                    iso(c.start),
                    c.interval_s,
                    c.total,
                    "" if c.baseline is None else c.baseline,
                    c.region,
                    c.indicator,
                )
                for c in counts
            ],
        )
        for c in counts:
            out.note(file, key_of(c), c.collected, source=source, window=window)
    return sum(map(len, groups.values()))


def _news(store: Store, out: _Folder, since: datetime, until: datetime) -> int:
    (out.path / "news").mkdir()
    number = 0
    with (out.path / "news" / "items.ndjson").open("w", encoding="utf-8") as file:
        for item in collected_news(store, since, until):
            number += 1
            told = {**structs.asdict(item), "published": iso_or_none(item.published), "collected": iso(item.collected)}
            file.write(json.dumps(told, ensure_ascii=False) + "\n")
    return number


def _status(store: Store, out: _Folder, since: datetime, until: datetime) -> int:
    pages: dict[str, dict[str, list[StatusUpdate]]] = defaultdict(lambda: defaultdict(list))
    wordings = wordings_until(store, until)
    for update in collected_updates(store, since, until):
        if known_as := wordings.get(key_of_update(update)):
            update = structs.replace(update, body=known_as[-1].body)
        pages[update.page][update.incident_id].append(update)
    (out.path / "status").mkdir()
    for number, (page, incidents) in enumerate(sorted(pages.items()), 1):
        file = f"status/{number}.json"
        # the key of a service on a shared page, or of one with a port, is no host that the file could name
        known = "." in page and statuspage_json.host_without_www(f"https://{page}") == page
        told = [
            {
                "id": incident,
                "name": updates[-1].name,
                "impact": updates[-1].impact,
                "incident_updates": [
                    {
                        "id": u.update_id,
                        "status": u.status,
                        "body": escape(u.body),
                        "display_at": iso(u.displayed_at),
                        "created_at": iso(u.created_at),
                        "affected_components": [
                            {"name": n, "old_status": old, "new_status": new} for n, old, new in u.components
                        ],
                    }
                    for u in updates
                ],
            }
            for incident, updates in sorted(incidents.items())
        ]
        body = {"page": {"name": page, **({"url": f"https://{page}"} if known else {})}, "incidents": told}
        (out.path / file).write_text(json.dumps(body, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        for updates in incidents.values():
            for u in updates:
                # a page that told no address is known by its file's name there
                there = structs.replace(u, page=u.page if known else str(number))
                last = updates[-1]
                differs = {
                    name: getattr(u, name)
                    for name in ("name", "impact", "page")
                    if getattr(u, name) != getattr(structs.replace(last, page=there.page), name)
                }
                out.note(file, key_of(there), u.collected, other=_as_json(differs))
                out.wordings += [
                    (file, key_of(there), iso(at), body) for at, body in wordings.get(key_of_update(u), ())
                ]
    return sum(len(updates) for incidents in pages.values() for updates in incidents.values())


def _maintenance(store: Store, out: _Folder, since: datetime, until: datetime) -> int:
    # what became of it was not known when it was announced
    planned = [
        structs.replace(row, status="scheduled", started_at=None, resolved_at=None, collected=max(row.collected, since))
        for row in collected_maintenance(store, since, until)
    ]
    return _incidents(out, "maintenance", planned)


def _taken_back(store: Store, out: _Folder, since: datetime, until: datetime) -> int:
    withdrawn = collected_withdrawals(store, since, until)
    return _incidents(
        out, "taken_back", [structs.replace(row, collected=row.taken_back_at or row.collected) for row in withdrawn]
    )


def _incidents(out: _Folder, name: str, rows: Sequence[OfficialIncident]) -> int:
    """Write incidents, each to be read from when it was collected, one JSON object a line; no file without any."""
    if rows:
        with (out.path / "status" / f"{name}.ndjson").open("w", encoding="utf-8") as file:
            for row in rows:
                file.write(json.dumps(structs.asdict(row), ensure_ascii=False, default=iso) + "\n")
    return len(rows)


def _charts(store: Store, out: _Folder, since: datetime, until: datetime) -> int:
    ranks = list(collected_ranks(store, since, until))
    out.table(
        "charts.csv",
        ("observed_utc", "store", "country", "chart", "rank", "app"),
        [(iso(r.observed), r.store, r.country, r.chart, r.rank, r.app) for r in ranks],
    )
    for r in ranks:
        out.note("charts.csv", key_of(r), r.collected)
    return len(ranks)
