"""Recorded bodies of status pages, served on loopback where their platform has them and read through collect.

They are read where WIRE_CASES points: `FOLDER/FILE`, and `FOLDER/FILE.expected.json` with what a right reader yields.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pipeline.core.catalogue import Service
from pipeline.core.times import utc
from pipeline.http.session import HttpClient
from pipeline.sources.status.feeds import FEED_READERS
from pipeline.sources.status.platforms import READERS, reader_of
from pipeline.sources.status.reader import Answer
from pipeline.sources.status.source import StatusPageSource
from pipeline.stages.collect import run_collect
from pipeline.store import Store
from tests.test_status_pages import host

OTHER_FOLDERS = ("feeds", "mastodon", "reddit")
CASES = sorted(
    path.with_name(path.name.removesuffix(".expected.json"))
    for path in Path(os.environ.get("WIRE_CASES", "/nowhere")).glob("*/*.expected.json")
    if path.parent.name not in OTHER_FOLDERS
)
TYPES = {".json": "application/json", ".atom": "application/atom+xml", ".rss": "application/rss+xml"}


@pytest.mark.parametrize("status_format", ["auto", "named", "atom"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_recorded_body_yields_what_it_says(case: Path, status_format: str, store: Store) -> None:
    expected = json.loads(case.with_name(f"{case.name}.expected.json").read_text(encoding="utf-8"))
    body = case.read_bytes()
    reader = reader_of(Answer(body=body, content_type=TYPES.get(case.suffix, "")))
    assert reader is not None, "no reader recognises it"
    asked = expected.get("service_status_page") or _page_named(body, expected) or "https://status.example.org"
    if status_format == "atom" and reader not in FEED_READERS:
        pytest.skip("no feed")
    chosen = reader.name if status_format == "named" else status_format
    service = Service(id="case", name="Case", status_page=asked, status_format=chosen)
    with host({f"/{path}": body for path in reader.paths}) as fake:
        source = StatusPageSource(service, fake.url, HttpClient(allow=["127.0.0.1"], pause=0.0))
        run, _ = run_collect(store, source, utc(expected["fetched_at"]))
        assert len(fake.requests) <= 8
    assert run.outcome == expected.get("outcome", "ok"), run.error
    rows = _stored(store)
    assert len(rows) == expected.get("row_count", len(rows))
    assert {row["page"] for row in rows} <= {service.page}
    for row, fields in zip(rows, expected.get("rows", []), strict=False):
        assert {name: row[name] for name in fields} == fields
    assert len(rows) >= len(expected.get("rows", []))
    for row in rows:
        assert {name: row[name] for name in expected.get("all_rows", {})} == expected.get("all_rows", {})
    if "affected_parts" in expected:
        assert _parts(store) == set(expected["affected_parts"])


@pytest.mark.skipif(not CASES, reason="WIRE_CASES is not set: recorded bodies are read where it points")
def test_recorded_bodies_were_found() -> None:
    assert {reader.platform for reader in READERS} >= {"Statuspage"}


def _page_named(body: bytes, expected: Mapping[str, Any]) -> str:
    """Return the address of the page the expected rows are stored under."""
    pages = {row["page"] for row in expected.get("rows", []) if "page" in row}
    return f"https://{pages.pop()}" if pages else ""


def _stored(store: Store) -> list[Mapping[str, Any]]:
    """Return the stored updates in order of time."""
    rows = store.conn.execute("SELECT * FROM status_updates ORDER BY displayed_at, created_at, update_id")
    names = [column[0] for column in rows.description]
    return [dict(zip(names, row, strict=True)) for row in rows]


def _parts(store: Store) -> set[str]:
    """Return the names of all parts that updates change or incidents list."""
    changed = {part[0] for row in _stored(store) for part in json.loads(row["components"])}
    lists = store.conn.execute("SELECT components FROM official_incidents").fetchall()
    return changed | {name for (names,) in lists for name in json.loads(names)}
