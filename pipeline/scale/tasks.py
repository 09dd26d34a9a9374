"""What is done to one part, and to the services of one bucket. Each task can be done again: what is published is kept.

First pass: a part is read, its posts tagged, its rows laid out by service and month. Second pass, when all parts are
there: of each service, month after month, votes are judged in order and bins are counted and judged by the detector;
what the months need of each other (who spoke in the last six hours, the detector's state) is carried along, so that
the result does not depend on where parts or months end.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from detectors.contract import Detector, DetectorState
from detectors.seasonal.kernels import KERNELS
from pipeline.config.load import load_config
from pipeline.config.paths import MODELS
from pipeline.core.catalogue import Catalogue
from pipeline.core.errors import ConfigError, SourceError
from pipeline.core.files import write_atomically
from pipeline.core.records import Post
from pipeline.core.series import totals
from pipeline.core.times import floor_to, iso, utc, utc_or_none
from pipeline.detection.binning import CountArrays, SeriesGroup, bin_counts, to_arrays, verdict_columns
from pipeline.detection.factory import detector_for_reports
from pipeline.detection.report_counting import WINDOW, Ballot, first_said
from pipeline.scale import parquet as tables
from pipeline.scale.inputs import Part, count_table, post_batches, reach_of
from pipeline.sources import author_salt
from pipeline.stages.tag import tagged
from pipeline.text.models.outage import OutageModel, load
from pipeline.text.services import ServiceMatcher

BUCKETS = 32
SOME_DAYS = 10 * 86400
REPORTS = "_parts/reports"
RAW_COUNTS, RAW_POSTS = "_parts/complaint_counts", "_parts/posts"
POSTS_SERVICE = "all"  # a post may be about several services: its words are kept once, by month


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What tasks know. `salt_mark` tells whether a worker hashes authors with the same key, without telling the key."""

    root: str
    now: datetime
    catalogue: Catalogue
    detector: Detector
    model: str
    salt_mark: str


@lru_cache(maxsize=1)
def _model() -> OutageModel:
    return load(MODELS)


@lru_cache(maxsize=1)
def _matcher(catalogue: tuple[tuple[str, Any], ...]) -> ServiceMatcher:
    return ServiceMatcher(dict(catalogue))


def salt_mark(salt: bytes) -> str:
    """Return by what two holders of a key know that they hold the same."""
    return hashlib.sha256(b"mark" + salt).hexdigest()[:12]


def read_part(part: Part, job: Job) -> dict[str, Any]:
    """Read and lay out one part, unless done before; return what it held, or under `error` why it is unreadable."""
    root = Path(job.root)
    known = _done(root, f"read-{part.key}")
    if known is not None:
        return known
    writer = tables.Writer(root, part.key)
    try:
        told = _read_counts(part, job, writer) if part.kind == "counts" else _read_posts(part, job, writer)
        writer.publish()
        return _finish(root, f"read-{part.key}", {"key": part.key, "name": part.name, **told})
    except SourceError as error:
        writer.drop()
        return {"key": part.key, "error": str(error)}
    except OSError as error:
        writer.drop()
        return {"key": part.key, "error": f"{part.name}: cannot be written to {root}: {error.strerror or error}"}


def _read_counts(part: Part, job: Job, writer: tables.Writer) -> dict[str, Any]:
    table, refused = count_table(part, fetched_at=job.now)
    if table.num_rows:
        for service, month, rows in tables.by_service_and_month(table, "start"):
            writer.add_table(tables.place(RAW_COUNTS, service, month), rows)
    return {"rows": table.num_rows, "refused": refused, "reach": {}}


def _read_posts(part: Part, job: Job, writer: tables.Writer) -> dict[str, Any]:
    from threadpoolctl import threadpool_limits

    salt = author_salt(load_config(None))
    if salt_mark(salt) != job.salt_mark:
        raise ConfigError("this worker has another GROUNDSWELL_AUTHOR_SALT than the one that sent the work")
    model, matcher = _model(), _matcher(tuple(job.catalogue.items()))
    if model.id != job.model:
        raise ConfigError(f"this worker reads with the model {model.id}, the one that sent the work with {job.model}")
    rows = refused = 0
    reach: dict[str, tuple[str, str]] = {}
    with threadpool_limits(1):
        for batch in post_batches(part, fetched_at=job.now, salt=salt):
            posts = [row for row in batch.rows if isinstance(row, Post)]
            rows, refused = rows + len(posts), refused + len(batch.rejected)
            for post in posts:
                at = iso(post.created)
                first, last = reach.get(post.source, (at, at))
                reach[post.source] = min(first, at), max(last, at)
            for post, tag, shape in tagged(posts, matcher, model):
                month = iso(post.created)[:7]
                writer.add(
                    tables.place(REPORTS, tag.service, month), [tables.report_row(post, tag, shape)], tables.REPORT
                )
                writer.add(
                    tables.place(RAW_POSTS, POSTS_SERVICE, month),
                    [tables.post_row(post, model.id)],
                    tables.SCHEMAS["posts"],
                )
    return {"rows": rows, "refused": refused, "reach": reach}


def gather(summaries: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return what the second pass is told of the first: keys in order, the span of each source, and what failed."""
    return {
        "keys": [s["key"] for s in summaries],
        "reach": reach_of(summaries),
        "errors": [s["error"] for s in summaries if "error" in s],
    }


def bucket_of(name: str) -> int:
    """Return which task a service falls to."""
    return zlib.crc32(name.encode()) % BUCKETS


def judge_bucket(bucket: int, whole: Mapping[str, Any], job: Job) -> dict[str, Any]:
    """Judge votes and bins of a bucket's services, unless done with the same parts; return how many rows came."""
    root = Path(job.root)
    if whole["errors"]:
        return {"rows": {}}
    told = json.dumps(
        [bucket, whole["keys"], repr(job.detector), repr(detector_for_reports(job.detector)), whole["reach"]]
    )
    name = f"judge-{bucket:02d}-{hashlib.sha256(told.encode()).hexdigest()[:16]}"
    known = _done(root, name)
    if known is not None:
        return known
    KERNELS.use_compiled()  # months of one series are worth it, though they come piece by piece
    writer = tables.Writer(root, "rows")
    rows: dict[str, int] = {}
    try:
        for table, chunk in _judged(root, bucket, whole, job, writer):
            rows[table] = rows.get(table, 0) + chunk
        writer.publish()
        return _finish(root, name, {"rows": rows})
    except OSError as error:
        writer.drop()
        return {"rows": {}, "error": f"cannot be written to {root}: {error.strerror or error}"}


def _judged(
    root: Path, bucket: int, whole: Mapping[str, Any], job: Job, writer: tables.Writer
) -> Iterator[tuple[str, int]]:
    for month in tables.months_in(root, RAW_POSTS, POSTS_SERVICE):
        if bucket_of(month) == bucket:
            yield "posts", _posts_of(root, month, whole["keys"], writer)
    for service in tables.services_in(root, REPORTS):
        if bucket_of(service) == bucket:
            yield from _votes_of(root, service, whole, job, writer)
    for service in tables.services_in(root, RAW_COUNTS):
        if bucket_of(service) == bucket:
            yield from _counts_of(root, service, whole["keys"], job, writer)


def _once(table: pa.Table, by: Sequence[str]) -> pa.Table:
    """Return rows in the order of columns, each key once: the first of those that two archives hold."""
    if not table.num_rows:
        return table
    ordered = table.sort_by([(name, "ascending") for name in by])
    keys = [ordered[name].to_pylist() for name in by]
    first = [n == 0 or any(key[n] != key[n - 1] for key in keys) for n in range(ordered.num_rows)]
    return ordered if all(first) else ordered.filter(pa.array(first))


def _posts_of(root: Path, month: str, keys: Iterable[str], writer: tables.Writer) -> int:
    raw = tables.read(root / tables.place(RAW_POSTS, POSTS_SERVICE, month), keys, tables.SCHEMAS["posts"])
    kept = _once(raw, ("created", "source", "native_id"))
    writer.add_table(tables.place("posts", POSTS_SERVICE, month), kept)
    return int(kept.num_rows)


def _votes_of(
    root: Path, service: str, whole: Mapping[str, Any], job: Job, writer: tables.Writer
) -> Iterator[tuple[str, int]]:
    """Write tags, votes and verdicts of a service, month after month."""
    ballot, people = Ballot(), detector_for_reports(job.detector)
    states: dict[str, DetectorState] = {}
    heard: dict[str, dict[str, datetime]] = {}
    months = tables.months_in(root, REPORTS, service)
    for month in months:
        folder = tables.place(REPORTS, service, month)
        reports = _once(tables.read(root / folder, whole["keys"], tables.REPORT), ("created", "source", "native_id"))
        tags = reports.select(tables.SCHEMAS["post_tags"].names)
        writer.add_table(tables.place("post_tags", service, month), tags)
        votes, talk = [], []
        for n, row in enumerate(reports.to_pylist()):
            created = utc(row["created"])
            if n % 10_000 == 0:
                ballot.forget(created)
                heard = {
                    source: {k: at for k, at in said.items() if created - at < WINDOW} for source, said in heard.items()
                }
            weight, reason = ballot.judge(service, _voter(row, created), row["shape"], row["p_outage"])
            votes.append(
                {
                    **{k: row[k] for k in ("source", "native_id", "service", "created", "author_key", "shape")},
                    "weight": weight,
                    "reason": reason,
                }
            )
            fresh = first_said(heard.setdefault(row["source"], {}), row["shape"], created)
            if weight > 0 or fresh:
                talk.append((row["source"], created, float(weight > 0)))
        writer.add_table(
            tables.place("votes", service, month), pa.Table.from_pylist(votes, schema=tables.SCHEMAS["votes"])
        )
        yield "post_tags", tags.num_rows
        yield "votes", len(votes)
        for source, (first, last) in sorted(whole["reach"].items()):
            spans = [(utc(first), utc(last) + timedelta(seconds=60))]
            end = floor_to(spans[0][1], 60)
            begin = floor_to(utc(first), 86400) if month == months[0] else utc(f"{month}-01T00:00:00Z")
            # silence between months is observed, too: up to where the next month with a report begins
            after = next((m for m in months if m > month), None)
            until = min(end, utc(f"{after}-01T00:00:00Z")) if after else end
            group = SeriesGroup(subject="", source=source, bin_s=60, kind="votes")
            raw = to_arrays(((service, at, counted) for origin, at, counted in talk if origin == source), [service])
            yield from _detect(group, [service], raw, (begin, until), spans, people, states, writer, month)


def _voter(row: Mapping[str, Any], created: datetime) -> Post:
    return Post(
        source=row["source"],
        native_id=row["native_id"],
        kind="post",
        community="",
        author_key=row["author_key"],
        created=created,
        author_created=utc_or_none(row["author_created"]),
        collected=created,
        edited=utc_or_none(row["edited"]),
        deleted=bool(row["deleted"]),
    )


def _detect(
    group: SeriesGroup,
    columns: list[str],
    raw: CountArrays,
    span: tuple[datetime, datetime],
    spans: Sequence[tuple[datetime, datetime]],
    detector: Detector,
    states: dict[str, DetectorState],
    writer: tables.Writer,
    month: str,
) -> Iterator[tuple[str, int]]:
    """Judge the bins of a span with the state that is carried, some days at a time; write what is worth keeping."""
    begin, until = span
    service = columns[0].partition("|")[0]
    key = group.source + str(group.bin_s) + group.window
    written = 0
    while begin < until:
        end = min(until, floor_to(begin, SOME_DAYS) + timedelta(seconds=SOME_DAYS))
        counts, mentions = bin_counts(group, raw, columns, begin, end, spans)
        if key not in states:
            states[key] = detector.start(counts.iloc[:0], None if mentions is None else mentions.iloc[:0])
        elif list(states[key].series) != columns:
            states[key] = states[key].with_series(columns, silent=group.kind == "votes")
        kept = verdict_columns(group, columns, states[key].extend(counts, mentions), repr(detector))
        arrays = [
            pa.array(values, field.type, from_pandas=True)
            for values, field in zip(kept, tables.SCHEMAS["verdicts"], strict=True)
        ]
        if len(arrays[0]):
            writer.add_table(
                tables.place("verdicts", service, month),
                pa.Table.from_arrays(arrays, schema=tables.SCHEMAS["verdicts"]),
            )
            written += len(arrays[0])
        begin = end
    if not written:
        return
    series = [
        {
            "series": str(k),
            "service": k.service,
            "channel": k.channel,
            "source": k.source,
            "region": k.region,
            "indicator": k.indicator,
            "bin_s": k.bin_s,
        }
        for k in map(group.key, columns)
    ]
    writer.add(tables.place("series", service, month), series, tables.SCHEMAS["series"])
    yield "verdicts", written


def _counts_of(
    root: Path, service: str, keys: Sequence[str], job: Job, writer: tables.Writer
) -> Iterator[tuple[str, int]]:
    """Write complaint counts and verdicts of a service, month after month; a month without any is a gap."""
    states: dict[str, DetectorState] = {}
    columns: dict[str, list[str]] = {}
    reached: dict[str, datetime] = {}
    unique = ("source", "interval_s", "window", "start", "region", "indicator")
    for month in tables.months_in(root, RAW_COUNTS, service):
        kept = _once(
            tables.read(root / tables.place(RAW_COUNTS, service, month), keys, tables.SCHEMAS["complaint_counts"]),
            unique,
        )
        writer.add_table(tables.place("complaint_counts", service, month), kept)
        yield "complaint_counts", kept.num_rows
        frame = kept.to_pandas()
        for (source, width, window), rows in frame[frame["window"] != "rolling"].groupby(
            ["source", "interval_s", "window"], sort=True
        ):
            group = SeriesGroup(subject="", source=str(source), bin_s=int(width), kind="complaints", window=str(window))
            name = f"{source}{width}{window}"
            raw = _marks_of(rows, columns.setdefault(name, []))
            begin = reached.get(name, floor_to(datetime.fromtimestamp(int(raw.at.min()), UTC), 86400))
            until = datetime.fromtimestamp(int(raw.at.max()) + group.bin_s, UTC)
            reached[name] = until
            yield from _detect(group, columns[name], raw, (begin, until), [], job.detector, states, writer, month)


def _marks_of(rows: pd.DataFrame, columns: list[str]) -> CountArrays:
    """Return the rows of one kind of count as the database would; new columns are added to the known ones."""
    if (rows["region"] == "").all() and (rows["indicator"] == "").all():
        service = str(rows["service"].iloc[0])
        columns += [service] if service not in columns else []
        starts = (
            pd.to_datetime(rows["start"], format="%Y-%m-%dT%H:%M:%SZ", utc=True)
            .dt.as_unit("s")
            .astype(np.int64)
            .to_numpy()
        )
        return CountArrays(
            np.full(len(rows), columns.index(service), dtype=np.int64),
            np.asarray(starts, dtype=np.int64),
            np.asarray(rows["total"], dtype=np.float64),
        )
    plain = rows["region"] == ""
    keyed = rows.assign(whole=rows["total"].where(plain), parts=rows["total"].where(~plain))
    summed = keyed.groupby(["start", "service", "indicator"], sort=True, as_index=False).agg(
        whole=("whole", "max"), parts=("parts", "sum")
    )
    raw = totals(
        (service, indicator, utc(start), int(parts if np.isnan(whole) else whole))
        for start, service, indicator, whole, parts in summed.itertuples(index=False, name=None)
    )
    columns += [c for c in sorted({r[0] for r in raw}) if c not in columns]
    return to_arrays(raw, columns)


def _done(root: Path, name: str) -> dict[str, Any] | None:
    path = root / "_done" / f"{name}.json"
    if not path.exists():
        return None
    told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return {**told, "before": True}


def _finish(root: Path, name: str, told: dict[str, Any]) -> dict[str, Any]:
    """Note that a task is done, whole or not at all."""
    write_atomically(root / "_done" / f"{name}.json", json.dumps(told, sort_keys=True), shared=True)
    return told
