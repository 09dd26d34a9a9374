"""Every source against everything upstreams do: no fault is an empty success, none outlasts the deadline, all heal.

The table this makes is part of docs/sources.md; WRITE_TABLES=1 writes it there.
"""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import cache

import pytest

from pipeline.core.errors import SourceError
from pipeline.core.records import Record
from pipeline.core.times import utc
from pipeline.http.session import HttpClient
from pipeline.sources.parsing import FUTURE
from pipeline.stages.collect import honest
from tests.conftest import ROOT
from tests.fakes.faults import FAULTS
from tests.upstreams import NOW, serving, source_of

KINDS = (
    "statuspage",
    "atom",
    "feeds",
    "google_news",
    "downstatus",
    "downdetector",
    "hacker_news",
    "reddit",
    "mastodon",
    "bluesky",
    "charts",
    "legacy charts",
)
DEADLINE = 1.0  # where the fault is slowness; ample elsewhere, so that a busy machine is not taken for a fault
SLOW = {"stall", "stall in body", "drip", "drip of headers"}
ALL = [*FAULTS, "clock a day ahead"]
# what a fault has to be, whatever the source; the rest is an error
BLOCKED = {
    "401",
    "401 with header",
    "403",
    "403 of a proxy",
    "429",
    "429 seconds",
    "429 date",
    "503 seconds",
    "block page",
}
WAITS = {"429", "429 seconds", "429 date", "503 seconds"}
# half a feed is read as far as it goes, and counted as a gap; JSON and feeds in UTF-16 are JSON and feeds
READ = {("feeds", "truncated quietly"), ("google_news", "truncated quietly"), ("atom", "truncated quietly")} | {
    (kind, "wrong encoding") for kind in KINDS
}
MARK = ("<!-- faults: made by tests/test_contract.py -->", "<!-- end of faults -->")

# its client tries three times, each time with a new token; a first turn of Downdetector's has five steps; a status
# page is looked for at several addresses
MOST_REQUESTS = {"reddit": 9, "downdetector": 5, "statuspage": 8, "atom": 8}


def outcome(kind: str, fault: str) -> tuple[str, float]:
    """Return what a source makes of a fault, and the seconds it took; raises AssertionError when it does not heal."""
    with serving(kind) as fake:
        if fault in FAULTS:
            fake.spoil(FAULTS[fault])
        else:
            fake.now = NOW + timedelta(days=1)
        source = source_of(
            kind, fake.url, HttpClient(allow=["127.0.0.1"], deadline=DEADLINE if fault in SLOW else 20.0, pause=0.01)
        )
        since, began = NOW - timedelta(hours=2), time.monotonic()
        state: dict[str, str] = {}
        try:
            batch = honest(source.fetch(since, NOW, {}))
        except SourceError as error:
            words = str(error)
            assert "\n" not in words
            assert words.startswith(source.name), words
            found = error.outcome
            assert (error.retry_after is not None) == (fault in WAITS), words
            assert error.retry_after is None or NOW < utc(error.retry_after) <= NOW + timedelta(hours=1)
            state = dict(error.state)
        else:
            partly = batch.covered is None or batch.covered[0] > since
            found = f"{batch.outcome}, {'part of it' if partly else 'whole'}" + (
                ", rows refused" if batch.rejected else ""
            )
            assert all(row.collected <= NOW for row in batch.rows)
            assert all(moment <= NOW + FUTURE for row in batch.rows for moment in _times(row)), "a time of tomorrow"
        took = time.monotonic() - began
        asked = len(fake.requests)
        assert asked <= MOST_REQUESTS.get(kind, 3) or fault == "clock a day ahead" or "circle" in fault, f"{asked}"
        fake.spoil(None)
        fake.now = NOW
        # a fresh client is the next run; what it was told to remember is all it knows
        later = HttpClient(allow=["127.0.0.1"], deadline=20.0, pause=0.01)
        healed = source_of(kind, fake.url, later).fetch(since, NOW, state)
        assert healed.outcome == "ok", f"{kind} after {fault}: {healed.outcome}"
        assert healed.rows
    return found, took


def _times(row: Record) -> list[datetime]:
    values = (getattr(row, name, None) for name in ("created", "published", "displayed_at", "observed", "start"))
    return [value for value in values if value is not None]


@cache
def table() -> dict[tuple[str, str], tuple[str, float]]:
    pairs = [(kind, fault) for kind in KINDS for fault in ALL]
    with ThreadPoolExecutor(16) as pool:
        return dict(zip(pairs, pool.map(lambda pair: outcome(*pair), pairs), strict=True))


@pytest.mark.xdist_group("contract")
def test_every_fault_of_every_source_is_what_it_is_and_heals() -> None:
    wrong = []
    for (kind, fault), (found, took) in table().items():
        expected = "blocked" if fault in BLOCKED else "error"
        fine = found == expected
        if fault == "clock a day ahead":
            fine = True  # that no time of tomorrow came through was seen while the table was made
        elif (kind, fault) in READ:
            fine = found.startswith("ok") or found == "error"
        elif fault in ("a sentence", "wrong encoding", "binary", "empty body", "truncated quietly"):
            fine = found in ("blocked", "error")
        if not fine:
            wrong.append(f"{kind} x {fault}: {found}")
        if fault in SLOW and took > DEADLINE + 10:
            wrong.append(f"{kind} x {fault}: took {took:.1f} s")
    assert not wrong, "\n".join(wrong)


@pytest.mark.xdist_group("contract")
def test_the_table_in_the_docs_is_the_one_made_here() -> None:
    found = table()
    lines = ["| fault | " + " | ".join(KINDS) + " |", "| --- |" + " --- |" * len(KINDS)]
    lines += [f"| {fault} | " + " | ".join(found[kind, fault][0] for kind in KINDS) + " |" for fault in ALL]
    path = ROOT / "docs" / "sources.md"
    text = path.read_text(encoding="utf-8")
    begin, end = text.index(MARK[0]) + len(MARK[0]), text.index(MARK[1])
    if os.environ.get("WRITE_TABLES"):
        text = text[:begin] + "\n" + "\n".join(lines) + "\n" + text[end:]
        path.write_text(text, encoding="utf-8")
        begin, end = text.index(MARK[0]) + len(MARK[0]), text.index(MARK[1])
    assert text[begin:end].strip() == "\n".join(lines)
