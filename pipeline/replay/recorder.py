"""Write what the database holds of a span as a scenario folder that `backtest` replays to the same alerts.

The files are in the formats they came in, news and planned maintenance apart (a line of JSON each); what those cannot
say (who collected a row when, what a run covered, how an update was worded before) lies in collected.csv, runs.csv and
wordings.csv. Authors stay the keyed hashes they are in the database.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

from msgspec import structs

from pipeline.core.errors import StoreError
from pipeline.core.records import ComplaintCount, source_kind
from pipeline.core.times import iso, iso_or_none
from pipeline.replay.provenance import COLLECTED, RUNS, WORDINGS
from pipeline.replay.recorded_rows import key_of
from pipeline.replay.recorder_status import write_maintenance, write_status, write_withdrawn
from pipeline.replay.recording_folder import RecordingFolder
from pipeline.sources.reddit_posts import to_post
from pipeline.store import Store
from pipeline.store.detector_input import post_sources
from pipeline.store.dump import (
    collect_runs,
    collected_counts,
    collected_news,
    collected_posts,
    collected_ranks,
)
from pipeline.store.runs import get_checkpoint


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
        out = RecordingFolder(folder)
        told = {
            "posts": _posts(store, out, since, until),
            "complaint counts": _counts(store, out, since, until),
            "news items": _news(store, out, since, until),
            "status updates": write_status(store, out, since, until),
            "planned maintenance": write_maintenance(store, out, since, until),
            "incidents taken back": write_withdrawn(store, out, since, until),
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


def _head(
    store: Store,
    out: RecordingFolder,
    since: datetime,
    times: list[datetime],
    name: str,
    watch: Sequence[str],
    simulated: bool,
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


def _posts(store: Store, out: RecordingFolder, since: datetime, until: datetime) -> int:
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
            out.note(file, key, post.collected, source=post.source if foreign else "", other=other)
    return number


def _counts(store: Store, out: RecordingFolder, since: datetime, until: datetime) -> int:
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


def _news(store: Store, out: RecordingFolder, since: datetime, until: datetime) -> int:
    (out.path / "news").mkdir()
    number = 0
    with (out.path / "news" / "items.ndjson").open("w", encoding="utf-8") as file:
        for item in collected_news(store, since, until):
            number += 1
            told = {**structs.asdict(item), "published": iso_or_none(item.published), "collected": iso(item.collected)}
            file.write(json.dumps(told, ensure_ascii=False) + "\n")
    return number


def _charts(store: Store, out: RecordingFolder, since: datetime, until: datetime) -> int:
    ranks = list(collected_ranks(store, since, until))
    out.table(
        "charts.csv",
        ("observed_utc", "store", "country", "chart", "rank", "app"),
        [(iso(r.observed), r.store, r.country, r.chart, r.rank, r.app) for r in ranks],
    )
    for r in ranks:
        out.note("charts.csv", key_of(r), r.collected)
    return len(ranks)
