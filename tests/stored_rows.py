"""A post and a count, as tests of the database store them."""

from __future__ import annotations

from datetime import timedelta

from pipeline.core.records import ComplaintCount, Post
from pipeline.core.times import utc

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
