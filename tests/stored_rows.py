"""Records as tests store them: a post, a tag, a count and an incident. A test replaces the fields it is about."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np

from pipeline.core.incidents import Incident
from pipeline.core.records import ComplaintCount, Post, Tag
from pipeline.core.times import utc
from pipeline.core.verdict_columns import VerdictColumns
from pipeline.core.vocabulary import Impact, State

NOW = utc("2026-03-02T12:00:00Z")


def a_post(number: int, text: str = "down") -> Post:
    return Post(
        source="reddit",
        native_id=f"t3_{number}",
        kind="post",
        community="c",
        author_key="k",
        author_created=None,
        created=NOW,
        collected=NOW,
        title="t",
        text=text,
    )


def count(total: int, *, region: str = "", indicator: str = "", minutes: int = 0) -> ComplaintCount:
    return ComplaintCount(
        service="svc",
        source="x",
        region=region,
        indicator=indicator,
        start=NOW + timedelta(minutes=minutes),
        interval_s=900,
        total=total,
        collected=NOW,
    )


def a_tag(post: Post, service: str, p_outage: float = 0.9) -> Tag:
    """Return what the model `m` says of a post about a service: an outage this likely, and nothing else."""
    return Tag(
        source=post.source,
        native_id=post.native_id,
        service=service,
        p_outage=p_outage,
        components=(),
        symptom="",
        region="",
        language="en",
        anger=0.0,
        exonerates=(),
        model="m",
    )


def an_incident(service: str, onset: datetime) -> Incident:
    """Return an active, possible incident of low impact that was opened at its onset."""
    return Incident(
        id=f"{service}-{onset:%Y%m%dT%H%MZ}",
        service=service,
        state=State.POSSIBLE,
        opened_at=onset,
        onset=onset,
        peak=None,
        end=None,
        impact=Impact.LOW,
        symptom="",
        official_first_at=None,
        episode_count=1,
        active=True,
    )


class VerdictRow(NamedTuple):
    """A row of the table `verdicts`: `series` is the key's text, `bin_start` ISO text, None what is not known."""

    series: str
    bin_start: str
    observed: float | None
    expected: float | None
    upperbound: float | None
    score: float | None
    p: float | None
    level: int
    alarm: int
    detector: str


def as_columns(rows: Sequence[VerdictRow]) -> VerdictColumns:
    """Return rows, at least one, as the columns that a detector finds."""
    kinds = (object, str, float, float, float, float, float, int, int, object)
    ordered = zip(*sorted(rows, key=lambda row: row.bin_start), strict=True)
    return VerdictColumns(*(np.array(values, dtype=kind) for values, kind in zip(ordered, kinds, strict=True)))
