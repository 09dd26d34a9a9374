"""What is done to one part, and to the services of one bucket. Each task can be done again: what is published is kept.

First pass: a part is read, its posts tagged, its rows laid out by service and month. Second pass, when all parts are
there: of each service, month after month, votes are judged in order and bins are counted and judged by the detector.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from detectors.contract import Detector
from detectors.seasonal.compiled import KERNELS
from pipeline.config.load import load_config
from pipeline.config.paths import MODELS
from pipeline.core.catalogue import Catalogue, Service
from pipeline.core.errors import ConfigError, SourceError
from pipeline.core.records import Post
from pipeline.core.times import iso
from pipeline.core.vocabulary import PostKind
from pipeline.detection.factory import detector_for_votes
from pipeline.scale import judging
from pipeline.scale.counts import count_table
from pipeline.scale.inputs import Part, post_batches
from pipeline.scale.judging import POSTS_SERVICE, RAW_COUNTS, RAW_POSTS, REPORTS, RowsWritten
from pipeline.scale.parquet import Writer, by_service_and_month, months_in, place, services_in
from pipeline.scale.schemas import REPORT, SCHEMAS, post_row, report_row
from pipeline.scale.summaries import (
    MOST_NAMED,
    BucketSummary,
    FirstPass,
    PartSummary,
    Reach,
    mark_done,
    read_done,
    refusals,
)
from pipeline.sources import author_salt
from pipeline.sources.named_services import ServiceIds
from pipeline.stages.tag import CHUNK, TaggedPost, tagged
from pipeline.text.mention_prefilter import MentionPrefilter
from pipeline.text.models.outage import OutageModel, load
from pipeline.text.services import ServiceMatcher

BUCKETS = 32
MANY = 50  # posts, for which the model loads all it has


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What tasks know. `salt_mark` tells whether a worker hashes authors with the same key, without telling the key.

    `new_services`: counts of services that the catalogue lacks are taken.
    """

    root: str
    now: datetime
    catalogue: Catalogue
    detector: Detector
    model: str
    salt_mark: str
    new_services: bool = False


@lru_cache(maxsize=1)
def _model() -> OutageModel:
    return load(MODELS)


@lru_cache(maxsize=1)
def _matcher(catalogue: tuple[tuple[str, Service], ...]) -> ServiceMatcher:
    return ServiceMatcher(dict(catalogue))


@lru_cache(maxsize=1)
def _prefilter(catalogue: tuple[tuple[str, Service], ...]) -> MentionPrefilter:
    return MentionPrefilter(dict(catalogue))


def load_readers(catalogue: Catalogue) -> None:
    """Load what posts are read with, as reading many of them would."""
    from threadpoolctl import threadpool_limits

    services = tuple(catalogue.items())
    matcher, _ = _matcher(services), _prefilter(services)
    name = next((service.aliases[0] for service in catalogue.values() if service.aliases), "")
    begin = datetime(2000, 1, 1, tzinfo=UTC)
    posts = [
        Post(
            source="",
            native_id=str(number),
            kind=PostKind.POST,
            community="",
            author_key="",
            author_created=None,
            created=begin,
            collected=begin,
            text=f"{name} is down again, number {number}",
        )
        for number in range(MANY)
    ]
    with threadpool_limits(1):
        list(tagged(posts, matcher, _model()))


class _Held:
    """The salt of this process, where it is not in its environment."""

    salt: bytes = b""


_held = _Held()


def hold_salt(salt: bytes) -> None:
    """Let tasks of this process hash authors' names under a salt."""
    _held.salt = salt


def salt_mark(salt: bytes) -> str:
    """Return by what two holders of a key know that they hold the same."""
    return hashlib.sha256(b"mark" + salt).hexdigest()[:12]


def read_part(part: Part, job: Job) -> PartSummary:
    """Read and lay out one part, unless done before; return what it held, or under `error` why it is unreadable."""
    root = Path(job.root)
    known = read_done(root, f"read-{part.key}", PartSummary)
    if known is not None:
        return known
    writer = Writer(root, part.key)
    try:
        summary = _read_counts(part, job, writer) if part.kind == "counts" else _read_posts(part, job, writer)
        writer.publish()
        return mark_done(root, f"read-{part.key}", summary)
    except SourceError as error:
        writer.drop()
        return PartSummary(key=part.key, error=str(error))
    except OSError as error:
        writer.drop()
        return PartSummary(key=part.key, error=f"{part.name}: cannot be written to {root}: {error.strerror or error}")


def _read_counts(part: Part, job: Job, writer: Writer) -> PartSummary:
    resolve = ServiceIds(job.catalogue, new=job.new_services)
    counts = count_table(part, fetched_at=job.now, resolve=resolve)
    if counts.table.num_rows:
        for service, month, rows in by_service_and_month(counts.table, "start"):
            writer.add_table(place(RAW_COUNTS, service, month), rows)
    return PartSummary(
        key=part.key,
        name=part.name,
        rows=counts.table.num_rows,
        refused=counts.refused,
        refusals=counts.refusals,
    )


def _read_posts(part: Part, job: Job, writer: Writer) -> PartSummary:
    from threadpoolctl import threadpool_limits

    salt = _held.salt or author_salt(load_config(None))
    if salt_mark(salt) != job.salt_mark:
        raise ConfigError("this worker has another GROUNDSWELL_AUTHOR_SALT than the one that sent the work")
    catalogue = tuple(job.catalogue.items())
    model, matcher, prefilter = _model(), _matcher(catalogue), _prefilter(catalogue)
    if model.id != job.model:
        raise ConfigError(f"this worker reads with the model {model.id}, the one that sent the work with {job.model}")
    summary = PartSummary(key=part.key, name=part.name)
    reach: Reach = {}
    waiting: list[Post] = []  # models cost least for many texts at once
    with threadpool_limits(1):
        for batch in post_batches(part, fetched_at=job.now, salt=salt, prefilter=prefilter):
            summary = replace(
                summary,
                rows=summary.rows + len(batch.posts) + batch.others,
                refused=summary.refused + len(batch.rejected),
                repeated=summary.repeated + batch.repeated,
                refusals=summary.refusals + refusals(batch.rejected, MOST_NAMED - len(summary.refusals)),
            )
            if batch.first is not None and batch.last is not None:
                span = iso(batch.first), iso(batch.last)
                first, last = reach.get(batch.source, span)
                reach[batch.source] = min(first, span[0]), max(last, span[1])
            waiting += batch.posts
            while len(waiting) >= CHUNK:
                _write_tagged(tagged(waiting[:CHUNK], matcher, model), writer)
                del waiting[:CHUNK]
        _write_tagged(tagged(waiting, matcher, model), writer)
    return replace(summary, reach=reach)


def _write_tagged(posts: Iterable[TaggedPost], writer: Writer) -> None:
    for post, tag, shape in posts:
        month = iso(post.created)[:7]
        writer.add(place(REPORTS, tag.service, month), [report_row(post, tag, shape)], REPORT)
        writer.add(place(RAW_POSTS, POSTS_SERVICE, month), [post_row(post, tag.model)], SCHEMAS["posts"])


def bucket_of(name: str) -> int:
    """Return which task a service falls to."""
    return zlib.crc32(name.encode()) % BUCKETS


def judge_bucket(bucket: int, first_pass: FirstPass, job: Job) -> BucketSummary:
    """Judge votes and bins of a bucket's services, unless done with the same parts; return how many rows came."""
    root = Path(job.root)
    if first_pass.errors:
        return BucketSummary()
    detectors = repr(job.detector), repr(detector_for_votes(job.detector))
    done_with = json.dumps([bucket, first_pass.keys, *detectors, first_pass.reach])
    name = f"judge-{bucket:02d}-{hashlib.sha256(done_with.encode()).hexdigest()[:16]}"
    known = read_done(root, name, BucketSummary)
    if known is not None:
        return known
    KERNELS.use_compiled()  # months of one series are worth it, though they come piece by piece
    writer = Writer(root, "rows")
    rows: Counter[str] = Counter()
    try:
        for written in _judged(bucket, first_pass, job, writer):
            rows[written.table] += written.rows
        writer.publish()
        return mark_done(root, name, BucketSummary(rows=dict(rows)))
    except OSError as error:
        writer.drop()
        return BucketSummary(error=f"cannot be written to {root}: {error.strerror or error}")


def _judged(bucket: int, first_pass: FirstPass, job: Job, writer: Writer) -> Iterator[RowsWritten]:
    root = Path(job.root)
    for month in months_in(root, RAW_POSTS, POSTS_SERVICE):
        if bucket_of(month) == bucket:
            yield judging.copy_posts(root, month, first_pass.keys, writer)
    for service in services_in(root, REPORTS):
        if bucket_of(service) == bucket:
            yield from judging.judge_reports(root, service, first_pass, job.detector, writer)
    for service in services_in(root, RAW_COUNTS):
        if bucket_of(service) == bucket:
            yield from judging.judge_counts(root, service, first_pass.keys, job.detector, writer)
