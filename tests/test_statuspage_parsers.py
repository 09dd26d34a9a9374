"""The parsers of Statuspage: times with offsets, components, and a history feed that says what the API says."""

from __future__ import annotations

import json

import pytest

from pipeline.core.records import Batch
from pipeline.core.status_records import StatusUpdate
from pipeline.core.times import utc
from tests.fakes.statuspage import Statuspage
from tests.parsers import parse_history, parse_incidents
from tests.upstreams import recorded_day

NOW = utc("2026-03-02T12:00:00Z")


def test_status_times_with_offsets_and_components() -> None:
    incident = {
        "id": "i",
        "name": "n",
        "impact": "major",
        "incident_updates": [
            {
                "id": "u",
                "status": "investigating",
                "body": "<p>b</p>",
                "created_at": "2026-03-02T03:49:20.000-08:00",
                "display_at": "2026-03-02T03:49:20.000-08:00",
                "affected_components": [
                    {"name": "claude.ai", "old_status": "operational", "new_status": "partial_outage"}
                ],
            }
        ],
    }
    body = json.dumps({"page": {"url": "https://status.claude.com"}, "incidents": [incident]}).encode()
    (update,) = parse_incidents(body, source="x", fetched_at=NOW).rows
    assert isinstance(update, StatusUpdate)
    assert (update.page, update.displayed_at) == ("status.claude.com", utc("2026-03-02T11:49:20Z"))
    assert update.components == (("claude.ai", "operational", "partial_outage"),)


@pytest.mark.parametrize("plain", [False, True])
def test_both_dialects_of_the_history_feed_say_what_the_api_says(plain: bool) -> None:
    fake = Statuspage.__new__(Statuspage)  # only its words are wanted, not its socket
    fake.plain = plain
    page = recorded_day().page("claude", NOW)
    assert page is not None
    atom = parse_history(fake._atom(page).encode(), source="x", fetched_at=NOW)
    api = parse_incidents(json.dumps(page).encode(), source="x", fetched_at=NOW)
    assert not atom.rejected

    def told(batch: Batch) -> set[tuple[str, str, str, str]]:
        return {
            (u.page, u.incident_id, u.status, f"{u.displayed_at:%m-%d %H:%M}")
            for u in batch.rows
            if isinstance(u, StatusUpdate)
        }

    assert told(atom) == told(api)


def test_the_year_a_history_feed_leaves_out_is_the_one_before_its_own_date() -> None:
    body = (
        "<feed xmlns='http://www.w3.org/2005/Atom'><title>S</title><entry><id>1</id>"
        "<link href='https://s.example/incidents/abc'/><title>T</title>"
        "<updated>2026-01-01T02:00:00Z</updated><published>2025-12-31T23:00:00Z</published>"
        "<content type='html'>&lt;p&gt;&lt;small&gt;Jan 1, 01:50 UTC&lt;/small&gt;&lt;br&gt;"
        "&lt;strong&gt;Resolved&lt;/strong&gt; - x&lt;/p&gt;&lt;p&gt;&lt;small&gt;Dec 31, 15:10 PST&lt;/small&gt;"
        "&lt;br&gt;&lt;strong&gt;Investigating&lt;/strong&gt; - y&lt;/p&gt;"
        "&lt;p&gt;&lt;small&gt;Dec 31, 15:00 IST&lt;/small&gt;&lt;br&gt;"
        "&lt;strong&gt;Identified&lt;/strong&gt; - z&lt;/p&gt;</content></entry></feed>"
    )
    rows = parse_history(body.encode(), source="x", fetched_at=NOW).rows
    assert [(u.status, f"{u.displayed_at:%Y-%m-%d %H:%M}") for u in rows if isinstance(u, StatusUpdate)] == [
        ("investigating", "2025-12-31 23:10"),
        ("resolved", "2026-01-01 01:50"),
    ]
