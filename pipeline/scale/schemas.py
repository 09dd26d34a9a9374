"""The columns of the tables, and records as their rows. Times are text as in SQLite, so that both say the same."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TypedDict

import pyarrow as pa

from pipeline.core.records import ComplaintCount, Post, Tag
from pipeline.core.times import iso, iso_or_none

TEXT, NUMBER, WHOLE = pa.string(), pa.float64(), pa.int64()
_POST = ("source", "native_id", "kind", "community", "author_key", "author_created", "created", "collected", "edited")
SCHEMAS: Mapping[str, pa.Schema] = {
    "posts": pa.schema(
        [
            *((name, TEXT) for name in _POST),
            ("deleted", WHOLE),
            ("parent_id", TEXT),
            ("title", TEXT),
            ("text", TEXT),
            ("url", TEXT),
            ("tagged_by", TEXT),
        ]
    ),
    "post_tags": pa.schema(
        [
            ("source", TEXT),
            ("native_id", TEXT),
            ("service", TEXT),
            ("created", TEXT),
            ("p_outage", NUMBER),
            ("components", TEXT),
            ("symptom", TEXT),
            ("region", TEXT),
            ("language", TEXT),
            ("anger", NUMBER),
            ("exonerates", TEXT),
            ("model", TEXT),
            ("codes", TEXT),
            ("began", TEXT),
        ]
    ),
    "votes": pa.schema(
        [
            ("source", TEXT),
            ("native_id", TEXT),
            ("service", TEXT),
            ("created", TEXT),
            ("weight", NUMBER),
            ("reason", TEXT),
            ("author_key", TEXT),
            ("shape", TEXT),
        ]
    ),
    "complaint_counts": pa.schema(
        [
            ("service", TEXT),
            ("source", TEXT),
            ("region", TEXT),
            ("indicator", TEXT),
            ("start", TEXT),
            ("interval_s", WHOLE),
            ("total", WHOLE),
            ("baseline", NUMBER),
            ("window", TEXT),
            ("collected", TEXT),
        ]
    ),
    "series": pa.schema(
        [
            ("series", TEXT),
            ("service", TEXT),
            ("channel", TEXT),
            ("source", TEXT),
            ("region", TEXT),
            ("indicator", TEXT),
            ("bin_s", WHOLE),
        ]
    ),
    "verdicts": pa.schema(
        [
            ("series", TEXT),
            ("bin_start", TEXT),
            ("observed", NUMBER),
            ("expected", NUMBER),
            ("upperbound", NUMBER),
            ("score", NUMBER),
            ("p", NUMBER),
            ("level", WHOLE),
            ("alarm", WHOLE),
            ("detector", TEXT),
        ]
    ),
}
# what votes are judged from: a tag with what else is known of who wrote it; between the passes only
REPORT = pa.schema(
    [
        *SCHEMAS["post_tags"],
        ("kind", TEXT),
        ("author_key", TEXT),
        ("author_created", TEXT),
        ("edited", TEXT),
        ("deleted", WHOLE),
        ("shape", TEXT),
    ]
)


class ReportRow(TypedDict):
    """A row of `REPORT`: what a post says of a service, with what its vote is judged by."""

    source: str
    native_id: str
    service: str
    created: str
    p_outage: float
    components: str
    symptom: str
    region: str
    language: str
    anger: float
    exonerates: str
    model: str
    codes: str
    began: str | None
    kind: str
    author_key: str
    author_created: str | None
    edited: str | None
    deleted: int
    shape: str


def as_rows(rows: Iterable[object]) -> list[dict[str, object]]:
    """Return complaint counts as rows of their table; other records are left out."""
    return [
        {
            "service": r.service,
            "source": r.source,
            "region": r.region,
            "indicator": r.indicator,
            "start": iso(r.start),
            "interval_s": r.interval_s,
            "total": r.total,
            "baseline": r.baseline,
            "window": r.window,
            "collected": iso(r.collected),
        }
        for r in rows
        if isinstance(r, ComplaintCount)
    ]


def post_row(post: Post, model: str) -> dict[str, object]:
    """Return a post as a row of its table, read by a model."""
    return {
        "source": post.source,
        "native_id": post.native_id,
        "kind": post.kind,
        "community": post.community,
        "author_key": post.author_key,
        "author_created": iso_or_none(post.author_created),
        "created": iso(post.created),
        "collected": iso(post.collected),
        "edited": iso_or_none(post.edited),
        "deleted": int(post.deleted),
        "parent_id": post.parent_id,
        "title": post.title,
        "text": post.text,
        "url": post.url,
        "tagged_by": model,
    }


def report_row(post: Post, tag: Tag, shape: str) -> ReportRow:
    """Return what a post says of a service, with what its vote is judged by."""
    return {
        "source": post.source,
        "native_id": post.native_id,
        "service": tag.service,
        "created": iso(post.created),
        "p_outage": round(tag.p_outage, 4),
        "components": json.dumps(tag.components),
        "symptom": tag.symptom,
        "region": tag.region,
        "language": tag.language,
        "anger": round(tag.anger, 3),
        "exonerates": json.dumps(tag.exonerates),
        "model": tag.model,
        "codes": json.dumps(tag.codes),
        "began": iso_or_none(tag.began),
        "kind": post.kind,
        "author_key": post.author_key,
        "author_created": iso_or_none(post.author_created),
        "edited": iso_or_none(post.edited),
        "deleted": int(post.deleted),
        "shape": shape,
    }
