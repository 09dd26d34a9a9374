"""What a statement rests on, as references and as the text they are stored as."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.core.incidents import Evidence
from pipeline.core.row_refs import RowRef, read_row_refs, write_row_refs
from pipeline.core.times import utc
from pipeline.core.vocabulary import EvidenceKind, RowTable
from pipeline.render.incident_lists import rests_on
from pipeline.store import Store

SINCE, UNTIL = utc("2026-03-02T11:37:00Z"), utc("2026-03-02T14:00:00Z")
UPDATE = RowRef(RowTable.STATUS_UPDATES, "status.claude.com/i1/u1")
CLAIM = RowRef(RowTable.CLAIMS, "feeds/tag:x@y.example, 2026: a b/cause/a change: votes of a cache @ 9")
BIN = RowRef(RowTable.VERDICTS, "claude/complaints/downstatus///900", SINCE)
SPAN = RowRef(RowTable.POST_TAGS, "claude", SINCE, UNTIL)


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        ((), ""),
        ((UPDATE,), "status_updates:status.claude.com/i1/u1"),
        ((BIN,), "verdicts:claude/complaints/downstatus///900@2026-03-02T11:37:00Z"),
        ((UPDATE, SPAN), f"{UPDATE} post_tags:claude@2026-03-02T11:37:00Z/2026-03-02T14:00:00Z"),
        ((RowRef(RowTable.PUBLIC_OUTAGES, "a"), RowRef(RowTable.INCIDENTS, "b")), "incidents.csv:a incidents:b"),
        ((RowRef(RowTable.VOTES, "mastodon:social.example/1"),), "votes:mastodon:social.example/1"),
    ],
)
def test_references_are_read_back_from_the_text_they_are_stored_as(rows: tuple[RowRef, ...], text: str) -> None:
    assert write_row_refs(rows) == text
    assert read_row_refs(text) == rows


def test_a_claim_whose_id_has_blanks_is_one_row() -> None:
    rows = (CLAIM, UPDATE, CLAIM)
    assert read_row_refs(write_row_refs(rows)) == rows
    one = Evidence(kind=EvidenceKind.DISAGREEMENT, at=SINCE, statement="", rows=read_row_refs(str(CLAIM)))
    assert rests_on(one) == "evidence: 1 row"


def test_rows_of_a_span_are_not_counted() -> None:
    spans = Evidence(kind=EvidenceKind.FIGURE, at=SINCE, statement="", rows=(UPDATE, SPAN))
    moment = Evidence(kind=EvidenceKind.FIGURE, at=SINCE, statement="", rows=(UPDATE, BIN))
    assert (rests_on(spans), rests_on(moment)) == ("evidence: all rows of a span", "evidence: 2 rows")


def test_every_table_that_a_row_is_in_is_one_of_the_database_or_a_file(tmp_path: Path) -> None:
    with Store(tmp_path / "x.db") as store:
        tables = {row[0] for row in store.rows("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")}
    assert set(RowTable) - tables == {RowTable.PUBLIC_OUTAGES, RowTable.PRESS_CLAIMS}


def test_a_text_that_begins_with_no_table_is_an_error() -> None:
    with pytest.raises(ValueError, match="'sentences' is not a valid RowTable"):
        read_row_refs("sentences:1")
