"""The start that a provider states in the end: what is read of a text, and the ledger that is held against it."""

from __future__ import annotations

import csv
import json
import os
from collections import defaultdict
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median

import pytest

from pipeline.core.status_records import StatusUpdate
from pipeline.core.times import utc
from pipeline.incidents.episodes import in_order
from pipeline.incidents.root_cause import stated_in_root_cause
from pipeline.reports.ledger import ledger_lines, service_ledger
from pipeline.reports.reliability import official_entries
from pipeline.store import Store
from pipeline.text.stated_span import EARLIEST, stated_span
from tests.fakes.status_feeds import Notice, Update, statuspage
from tests.test_status_pages import API, NOW, SERVICE, collect, host, incident, page, update

EVAL = os.environ.get("EVAL_DATA", "")
POSTED, CLOSED = utc("2026-03-02T14:50:00Z"), utc("2026-03-02T15:50:00Z")


def clock(text: str) -> datetime:
    return utc(f"2026-03-{text.replace(' ', 'T')}:00Z")


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("Between 14:32 and 14:46 UTC uploads failed.", "02 14:32", "02 14:46"),
        ("From 14:02–14:46 UTC one in ten calls failed.", "02 14:02", "02 14:46"),
        ("On March 2, 2026, between 14:32 UTC and 15:46 UTC, uploads failed.", "02 14:32", "02 15:46"),
        ("On Mar 2nd from 10:43 UTC until 11:26 UTC nobody could log in.", "02 10:43", "02 11:26"),
        ("Uploads failed from 9 to 10:30 a.m. ET.", "02 14:00", "02 15:30"),
        ("Uploads failed from 6:10AM through 6:40AM PST.", "02 14:10", "02 14:40"),
        ("Between March 1, 2026, 22:20 UTC and March 2, 2026, 5:00 UTC uploads failed.", "01 22:20", "02 05:00"),
        ("From 18:00 UTC on March 1 through 2:15 UTC on March 2 uploads failed.", "01 18:00", "02 02:15"),
        ("Uploads failed between 2026-03-01 20:16 UTC and 2026-03-02 00:46 UTC.", "01 20:16", "02 00:46"),
        ("On 1 March from 23:50 to 00:20 UTC uploads failed.", "01 23:50", "02 00:20"),
        ("It began at 09:31 UTC on March 2, when a disk was full.", "02 09:31", None),
        ("On March 2, starting at around 13:05 UTC, uploads failed.", "02 13:05", None),
        ("From 14:02UTC to 14:46UTC uploads failed.", "02 14:02", "02 14:46"),
        ("From 14:02 UTC to 14:46 uploads failed.", "02 14:02", "02 14:46"),
        ("Starting on March 2, 2026 at 14:05 UTC uploads failed.", "02 14:05", None),
        ("Between approximately 14:02 and 14:46 UTC uploads failed.", "02 14:02", "02 14:46"),
        ("Zwischen 14:32 und 14:46 UTC schlugen Uploads fehl.", "02 14:32", "02 14:46"),
        ("Uploads failed between 12:10 and 12:40 UTC and between 14:20 and 14:50 UTC.", "02 12:10", None),
    ],
)
def test_a_start_that_a_text_states_is_read(text: str, start: str, end: str | None) -> None:
    stated = stated_span(text, POSTED, CLOSED)
    assert stated is not None
    assert (stated.start, stated.end) == (clock(start), None if end is None else clock(end))


@pytest.mark.parametrize(
    "text",
    [
        "This incident has been resolved.",
        "Uploads failed from 14:02 to 14:46.",
        "Uploads failed from 14:02 to 14:46 IST.",
        "Uploads failed between 14 and 15 percent of the time.",
        "Uploads failed from 15:02 to 15:46 UTC.",
        "On March 2 at 14:20 UTC a new version was rolled out.",
        "As of 14:40 UTC uploads work.",
        "Uploads have worked since 14:40 UTC.",
        "On February 11, starting at 05:59 UTC, uploads failed.",
        "On February 31 from 10:43 UTC to 11:26 UTC uploads failed.",
        "From 18:00 UTC through 14:15 UTC on March 2 uploads failed.",
        "Starting at 13:59 UTC names were not resolved; uploads failed from 14:31 UTC to 14:45 UTC.",
        "From 14:30 to 14:46 UTC uploads failed, after logins from 13:30 to 14:00 UTC.",
        "After the change of March 1 uploads failed from 14:02 to 14:46 UTC until the repair of 2 March 2026.",
        "Uploads failed from 14:46 to 14:02 UTC.",
        "From 14:02 UTC on March 2 to 14:46 UTC on March 32 uploads failed.",
        "On 1 January 0001 from 00:00 to 11:00 UTC+14 uploads failed.",
        "On 31 December 9999 from 20:00 to 23:00 PST uploads failed.",
        "Uploads failed from 14:02 UTC on March 2 to 23:00 PST on December 31, 9999.",
    ],
)
def test_what_is_not_certain_is_no_start(text: str) -> None:
    assert stated_span(text, POSTED, CLOSED) is None


def test_a_time_without_its_day_says_nothing_of_an_incident_that_passed_midnight() -> None:
    text = "Uploads failed from 23:32 to 00:46 UTC."
    assert stated_span(text, clock("01 23:50"), clock("02 01:00")) is None
    assert stated_span("Uploads failed from 23:32 to 23:46 UTC.", clock("01 23:50"), clock("02 01:00")) is None
    assert stated_span("Uploads failed from 23:32 to 23:46 UTC.", clock("01 23:50"), clock("01 23:59")) is not None


def test_a_start_lies_in_the_week_before_the_first_post() -> None:
    text = "On March 2 from 10:00 UTC to 11:00 UTC uploads failed."
    begun = clock("02 10:00")
    for later, known in ((timedelta(0), True), (EARLIEST, True), (EARLIEST + timedelta(seconds=1), False)):
        assert (stated_span(text, begun + later, begun + later) is not None) is known
    assert stated_span(text, begun - timedelta(seconds=1), CLOSED) is None
    assert stated_span("On December 31 at 1 am? From 10:00 to 11:00 UTC.", begun, CLOSED) is None
    newyear = utc("2026-01-01T09:00:00Z")
    stated = stated_span("On December 31 from 22:00 to 23:00 UTC uploads failed.", newyear, newyear)
    assert stated is not None
    assert stated.start == utc("2025-12-31T22:00:00Z")


def test_the_ledger_shows_the_delay_against_both_starts(store: Store) -> None:
    cause = "Between 09:31 and 10:44 UTC uploads failed: a disk was full."
    updates = [update("11:00", "resolved", body="This incident has been resolved."), update("10:12", "investigating")]
    with host({API: page(incident("a", updates))}) as fake:
        collect(store, fake)
        before = service_ledger(store, SERVICE, NOW, 12)
        updates[0]["body"] = cause
        fake.answers = {API: page(incident("a", updates))}
        collect(store, fake, NOW + timedelta(days=4))
    after = service_ledger(store, SERVICE, NOW + timedelta(days=4), 12)
    assert before is not None
    assert after is not None
    assert (before.posting_delay.with_stated_start, before.posting_delay.minutes_after_stated_start) == (0, None)
    delay = after.posting_delay
    assert (delay.incidents, delay.minutes_after_shown_start) == (1, 0.0)
    assert (delay.with_stated_start, delay.minutes_after_stated_start, delay.minutes_between_starts) == (1, 41.0, 41.0)
    (line,) = [line for line in ledger_lines(after) if "first posts" in line]
    assert "0 min after the start that the page shows" in line
    assert "41 min after the start that the root cause states" in line
    assert service_ledger(store, SERVICE, NOW, 12) == before, "what was not yet written is not known at that time"


def test_two_closing_words_that_state_different_starts_state_none() -> None:
    def closing(number: int, body: str) -> StatusUpdate:
        at = CLOSED if number else POSTED
        return StatusUpdate(
            page="p",
            incident_id="a",
            update_id=str(number),
            name="n",
            status="resolved" if number else "investigating",
            impact="major",
            components=(),
            displayed_at=at,
            created_at=at,
            collected=at,
            body=body,
        )

    first, utc_words, local_words = (
        closing(0, "From 10:00 to 11:00 UTC it may fail."),
        closing(1, "From 14:26 to 14:34 UTC it failed."),
        closing(2, "From 10:26 to 10:34 UTC it failed."),
    )
    assert stated_in_root_cause([first]) is None, "not closed, nothing is the root cause"
    assert stated_in_root_cause([first, utc_words]) == stated_span(utc_words.body, POSTED, CLOSED)
    assert stated_in_root_cause([first, utc_words, local_words]) is None


def test_a_page_read_by_its_feed_long_after_is_not_late_where_its_posts_were_not(store: Store) -> None:
    def notice(number: int, begun: datetime) -> Notice:
        words = [
            Update(begun + timedelta(minutes=m), state, "It is so.")
            for m, state in ((0, "investigating"), (7, "update"), (9, "update"), (41, "resolved"))
        ]
        return Notice(f"n{number}", f"Uploads fail {number}", words)

    begun = [NOW - timedelta(days=days) for days in (9, 6, 3)]
    with host({"/history.atom": statuspage([notice(n, at) for n, at in enumerate(begun)], zone="UTC", hours=0)}) as f:
        assert collect(store, f).outcome == "ok"
    ledger = service_ledger(store, SERVICE, NOW, 12)
    assert ledger is not None
    assert (ledger.posting_delay.incidents, ledger.posting_delay.minutes_after_shown_start) == (3, 0.0)
    assert (ledger.acknowledgement.mean_minutes, ledger.acknowledgement.began_with_notice) == (None, 3)
    assert [(e.began, e.ended, e.posted) for e in official_entries(store, SERVICE, SERVICE.page, NOW)] == [
        (at, at + timedelta(minutes=41), at) for at in begun
    ]


@pytest.mark.parametrize(
    ("started", "resolved", "minutes"),
    [("09:10", "10:30", 80), ("10:30", "10:30", None), ("10:40", "10:30", None), ("09:10", None, None)],
)
def test_an_incident_of_which_only_the_end_was_posted_lasts_as_its_page_says_or_unknown(
    store: Store, started: str, resolved: str | None, minutes: int | None
) -> None:
    fields = {
        "started_at": f"2026-03-02T{started}:00Z",
        "resolved_at": f"2026-03-02T{resolved}:00Z" if resolved else None,
    }
    both = [update("08:00", "resolved", day=3), update("07:30", "investigating", day=3)]
    later = NOW + timedelta(days=2)
    with host({API: page(incident("b", both), incident("a", [update("10:30", "resolved")], **fields))}) as fake:
        collect(store, fake, later)
    ledger = service_ledger(store, SERVICE, later, 12)
    assert ledger is not None
    assert ledger.unknown_duration == (minutes is None)
    assert any("1 of unknown duration" in line for line in ledger_lines(ledger)) is (minutes is None)
    (month,) = ledger.official
    assert (month.incidents, month.down_minutes) == (2, 30 + (minutes or 0))
    assert month.mttr_minutes == (30 if minutes is None else (30 + minutes) / 2)


@pytest.mark.skipif(not EVAL, reason="EVAL_DATA is not set")
def test_starts_stated_by_a_real_page_lie_before_its_first_posts() -> None:
    grouped: dict[str, list[StatusUpdate]] = defaultdict(list)
    with (Path(EVAL) / "series" / "claude_status" / "updates.csv").open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file)):
            grouped[row["incident_id"]].append(
                StatusUpdate(
                    page="p",
                    incident_id=row["incident_id"],
                    update_id=str(number),
                    name="n",
                    status=row["status"],
                    impact="major",
                    components=(),
                    displayed_at=utc(row["display_at"]),
                    created_at=utc(row["created_at"]),
                    collected=utc(row["created_at"]),
                    body=row["body"],
                )
            )
    delays = []
    for updates in grouped.values():
        stated = stated_in_root_cause(in_order(updates))
        if stated is not None:
            delays.append((min(u.created_at for u in updates) - stated.start) / timedelta(minutes=1))
    print(json.dumps({"incidents": len(grouped), "with a stated start": len(delays), "median delay": median(delays)}))
    assert len(delays) >= 45
    assert 30 <= median(delays) <= 90
