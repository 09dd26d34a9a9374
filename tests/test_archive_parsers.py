"""Archives of posts and of incidents: read as a stream, to the line at which they break off."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import zstandard

from pipeline.core.errors import SourceError
from pipeline.core.records import Post
from pipeline.core.status_records import StatusUpdate
from pipeline.core.times import utc
from pipeline.sources import archive, status_archive
from tests.parsers import reddit_item
from tests.test_parsers import NOW


def test_archives_stream_in_both_eras_and_tell_where_they_break_off(tmp_path: Path) -> None:
    old = {"id": "a1", "title": "down", "selftext": "", "author": "x", "subreddit": "s", "created_utc": "1230768000"}
    new = {**reddit_item(2, 1772450000.0, "later deleted"), "_meta": {"was_deleted_later": True}}
    lines = [
        json.dumps(old),
        "{broken",
        json.dumps(new),
        *(json.dumps(reddit_item(n, 1772440000 + n, "t")) for n in range(10, 12_000)),
    ]
    packed = zstandard.ZstdCompressor(level=3, compression_params=None).compress("\n".join(lines).encode())
    path = tmp_path / "RS_2026-03.zst"
    path.write_bytes(packed)
    batches = list(archive.read_archive(path, source="reddit", fetched_at=NOW))
    rows = [row for batch in batches for row in batch.rows if isinstance(row, Post)]
    assert (len(batches), len(rows), rows[0].created.year) == (3, 11_992, 2009)
    assert [(r.native_id, r.title) for r in rows if r.deleted] == [("t3_p2", "")]
    assert [bad.where for batch in batches for bad in batch.rejected] == ["RS_2026-03.zst:2"]
    path.write_bytes(packed[: len(packed) // 2])
    reader = archive.read_archive(path, source="reddit", fetched_at=NOW)
    assert len(next(reader).rows) == 4999
    with pytest.raises(SourceError, match=r"RS_2026-03\.zst: breaks off"):
        list(reader)


def test_an_archive_of_incidents_knows_what_was_written_after_the_fact() -> None:
    body = (
        b"id,name,impact,status,started_at,created_at,monitoring_at,resolved_at,components\n"
        b"a,One,major,resolved,2026-02-01T10:00:00Z,2026-02-01T10:02:00Z,,2026-02-01T11:00:00Z,Web|API\n"
        b"b,Two,minor,resolved,2026-02-02T10:00:00Z,2026-02-02T15:00:00Z,,2026-02-02T11:00:00Z,\n"
        b"c,Three,minor,resolved,2026-02-03T10:00:00Z,,,2026-02-03T09:00:00Z,\nd,Four,terrible,,2026-02-03T10:00:00Z,,,,\n"
    )
    batch = status_archive.parse_incident_archive(body, page="s.example", source="x", fetched_at=NOW, name="i.csv")
    rows = [row for row in batch.rows if isinstance(row, StatusUpdate)]
    assert [(u.incident_id, u.status, u.after_the_fact) for u in rows] == [
        ("a", "investigating", False),
        ("a", "resolved", False),
        ("b", "investigating", True),
        ("b", "resolved", True),
        ("c", "investigating", False),
        ("c", "resolved", False),
    ]
    assert [u.timing for u in rows] == ["", "", "", "", "doubtful", "doubtful"], "its end lies before its start"
    assert rows[0].components == (("Web", "operational", "partial_outage"), ("API", "operational", "partial_outage"))
    assert [bad.where for bad in batch.rejected] == ["i.csv:5"]


def test_the_cause_in_an_archive_is_what_the_closing_update_says() -> None:
    body = (
        b"id,name,impact,started_at,monitoring_at,resolved_at,components,cause\n"
        b'a,One,major,2026-02-01T10:00:00Z,2026-02-01T10:30:00Z,2026-02-01T11:00:00Z,Web,"a full disk, on one host"\n'
        b"b,Two,minor,2026-02-02T10:00:00Z,,,,still looked for\n"
    )
    batch = status_archive.parse_incident_archive(body, page="s.example", source="x", fetched_at=NOW, name="i.csv")
    told = [(row.incident_id, row.status, row.body) for row in batch.rows if isinstance(row, StatusUpdate)]
    assert told == [
        ("a", "investigating", ""),
        ("a", "monitoring", ""),
        ("a", "resolved", "a full disk, on one host"),
        ("b", "investigating", ""),
    ]


def test_real_archives_of_incidents_are_read_to_the_line(eval_data: Path) -> None:
    for name in ("claude_status", "github_status"):
        path = eval_data / "series" / name / "incidents.csv"
        with path.open(encoding="utf-8", newline="") as file:
            lines = sum(1 for _ in csv.DictReader(file))
        batch = status_archive.parse_incident_archive(
            path.read_bytes(), page="p", source="x", fetched_at=utc("2026-11-01T00:00:00Z")
        )
        told = {row.incident_id for row in batch.rows if isinstance(row, StatusUpdate)}
        assert len(told) + len(batch.rejected) == lines
        assert len(batch.rejected) < 0.1 * lines
