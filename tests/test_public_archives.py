"""Archives of others as files that a user downloads: incidents, and trending searches. The samples are our own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.config.load import load_catalogue
from pipeline.core.errors import SourceError
from pipeline.core.records import Batch, ExternalStatus
from pipeline.core.status_records import StatusUpdate
from pipeline.core.times import iso, utc
from pipeline.sources.incident_lines import parse_incident_lines
from pipeline.sources.incident_list import parse_incident_list
from pipeline.sources.status.reader import PageContext
from pipeline.sources.trending import parse_trending
from pipeline.store import Store
from pipeline.text.services import ServiceMatcher
from tests.command_line import call_main

NOW = utc("2026-03-05T00:00:00Z")
CONTEXT = PageContext(page="status.example.org", source="archive", fetched_at=NOW)
STATUSPAGE = {
    "id": "abc",
    "name": "Logins fail",
    "status": "resolved",
    "impact": "major",
    "created_at": "2026-03-02T11:49:20Z",
    "started_at": "2026-03-02T11:49:20Z",
    "resolved_at": "2026-03-02T15:47:00Z",
    "incident_updates": [
        {
            "id": f"abc{number}",
            "status": status,
            "body": "words",
            "created_at": at,
            "display_at": at,
            "affected_components": None,
        }
        for number, (status, at) in enumerate(
            [("investigating", "2026-03-02T11:49:20Z"), ("resolved", "2026-03-02T15:47:00Z")]
        )
    ],
}
UPDATES = [
    {"at": "2026-03-01T10:00:00Z", "status": "Investigating", "message": "We look into it."},
    {"at": "2026-03-01T10:20:00Z", "status": "Update", "message": "Still looking."},
    {"at": "2026-03-01T11:00:00Z", "status": "Resolved", "message": "Done."},
]
PLAIN = {
    "id": "9",
    "title": "Pages fail",
    "impact": "minor",
    "components": ["Pages"],
    "updates": UPDATES,
}


def test_both_forms_of_an_archive_are_read_and_bad_lines_refused_by_number() -> None:
    lines = [json.dumps(STATUSPAGE), "nonsense", json.dumps(PLAIN), "[]", json.dumps({**PLAIN, "impact": "huge"})]
    batch = parse_incident_lines("\n".join(lines).encode(), context=CONTEXT, name="a.jsonl")
    updates = [row for row in batch.rows if isinstance(row, StatusUpdate)]
    assert [(u.incident_id, u.status) for u in updates if u.incident_id == "9"] == [
        ("9", "investigating"),
        ("9", "investigating"),
        ("9", "resolved"),
    ]
    assert {u.status for u in updates if u.incident_id == "abc"} >= {"investigating", "resolved"}
    assert [bad.where for bad in batch.rejected] == ["a.jsonl:2", "a.jsonl:4", "a.jsonl:5"]
    assert [c.new for u in updates if u.incident_id == "9" for c in u.components] == [
        "partial_outage",
        "operational",
    ]


def test_an_archive_with_its_newest_update_first_reads_as_one_with_its_oldest_first() -> None:
    def read(updates: list[dict[str, str]]) -> object:
        return parse_incident_lines(json.dumps({**PLAIN, "updates": updates}).encode(), context=CONTEXT).rows

    assert read(UPDATES[::-1]) == read(UPDATES)


def test_line_numbers_and_texts_are_not_cut_at_other_line_ends() -> None:
    incident = json.dumps({**PLAIN, "title": "two\u2028parts\x85more"}, ensure_ascii=False)
    batch = parse_incident_lines(f"{incident}\nnonsense\n".encode(), context=CONTEXT, name="a")
    assert (len(batch.rows), [bad.where for bad in batch.rejected]) == (3, ["a:2"])


def test_a_component_is_a_name_or_has_one() -> None:
    lines = [json.dumps({**PLAIN, "components": [part]}) for part in ({"name": "Pages"}, {"id": 1}, 7, None)]
    batch = parse_incident_lines("\n".join(lines).encode(), context=CONTEXT, name="a")
    assert {part.name for row in batch.rows if isinstance(row, StatusUpdate) for part in row.components} == {"Pages"}
    assert [bad.where for bad in batch.rejected] == ["a:2", "a:3", "a:4"]


@pytest.mark.parametrize("body", [b"", b"nonsense\n", b'{"id": "a"}\n', b"\xff\xfe\x00"])
def test_a_file_without_an_incident_is_refused(body: bytes) -> None:
    with pytest.raises(SourceError, match="no line is an incident"):
        parse_incident_lines(body, context=CONTEXT)


LISTED = {
    "incident_id": "k1",
    "provider_id": "github",
    "provider_name": "GitHub",
    "title": "Clones fail, mended in 40 minutes",
    "summary": "A disk was full.",
    "severity": "major",
    "status": "resolved",
    "is_retroactive": False,
    "created_at": "2026-03-01T10:00:00-07:00",
    "resolved_at": "2026-03-01T10:40:00-07:00",
    "model_used": "some-model",
}


def listed(*entries: object) -> Batch:
    service = load_catalogue()["github"]
    return parse_incident_list(json.dumps(entries).encode(), service=service, context=CONTEXT, name="a.json")


def updates(batch: Batch) -> list[StatusUpdate]:
    return [row for row in batch.rows if isinstance(row, StatusUpdate)]


def test_a_list_of_many_providers_gives_the_incidents_of_one_service() -> None:
    batch = listed(LISTED, {**LISTED, "incident_id": "k2", "provider_id": "npm", "provider_name": "npm"})
    assert [(u.incident_id, u.status, iso(u.displayed_at), u.impact) for u in updates(batch)] == [
        ("k1", "investigating", "2026-03-01T17:00:00Z", "major"),
        ("k1", "resolved", "2026-03-01T17:40:00Z", "major"),
    ]


def test_a_title_written_by_a_model_after_the_end_is_no_name_of_an_incident_that_begins() -> None:
    first, last = updates(listed(LISTED))
    assert (first.name, first.body) == ("incident k1", "")
    assert last.body == "Clones fail, mended in 40 minutes. A disk was full."
    (original,) = {u.name for u in updates(listed({**LISTED, "title": "Clones fail", "model_used": "none"}))}
    assert original == "Clones fail"


def test_an_open_incident_has_no_end_and_one_entered_afterwards_has_doubtful_times() -> None:
    (still_open,) = updates(listed({**LISTED, "resolved_at": None, "status": "identified"}))
    assert (still_open.status, still_open.timing) == ("investigating", "")
    assert {u.timing for u in updates(listed({**LISTED, "is_retroactive": True}))} == {"doubtful"}


def test_incidents_of_a_list_that_cannot_be_read_are_refused_by_their_place() -> None:
    wrong = [{"severity": "huge"}, {"created_at": None}, {"created_at": "2030-01-01T00:00:00Z"}, {"incident_id": ""}]
    batch = listed(7, LISTED, *({**LISTED, **cells} for cells in wrong))
    assert {u.incident_id for u in updates(batch)} == {"k1"}
    assert [bad.where for bad in batch.rejected] == [f"a.json: incident {number}" for number in (1, 3, 4, 5, 6)]


def test_a_list_without_the_service_says_which_it_has() -> None:
    with pytest.raises(SourceError, match="no incident of github; it has npm"):
        listed({**LISTED, "provider_id": "npm", "provider_name": "npm"})


@pytest.mark.parametrize("body", [b"", b"{}", b"[", b"\xff"])
def test_what_is_no_list_of_incidents_is_refused(body: bytes) -> None:
    with pytest.raises(SourceError, match="JSON"):
        parse_incident_list(body, service=load_catalogue()["github"], context=CONTEXT, name="a.json")


TRENDS = """Trends,Search volume,Started,Ended,Trend breakdown,Explore link
netflix down,200K+,"March 2, 2026 at 1:10:00 PM UTC+1",,"netflix down,is netflix down",x
lakers score,500K+,"March 2, 2026 at 2:00:00 AM UTC-8",,"lakers,score",x
outage,20K+,"March 2, 2026 at 12:40:00 PM UTC",,"spotify not working,weather",x
github down,50K+,"March 2, 2026 at 12:40:00 PM",,"github down",x
github down,50K+,"March 20, 2027 at 12:40:00 PM UTC",,"github down",x
"""


def test_trends_of_trouble_are_onsets_of_the_services_they_name() -> None:
    names = ServiceMatcher(load_catalogue())
    batch = parse_trending(TRENDS.encode(), source="google_trends", fetched_at=NOW, names=names, name="t.csv")
    found = {row.service: row for row in batch.rows if isinstance(row, ExternalStatus)}
    assert {service: iso(row.observed) for service, row in found.items()} == {
        "netflix": "2026-03-02T12:10:00Z",
        "spotify": "2026-03-02T12:40:00Z",
    }
    assert found["netflix"].verdict == "trending search 'netflix down', 200K+"
    assert [bad.where for bad in batch.rejected] == ["t.csv:5", "t.csv:6"]


@pytest.mark.parametrize(
    ("started", "observed"),
    [
        ("March 2, 2026 at 1:10:00 PM UTC-3:30", ["2026-03-02T16:40:00Z"]),
        ("March 2, 2026 at 1:10:00 PM UTC\u22120:30", ["2026-03-02T13:40:00Z"]),
        ("March 2, 2026 at 1:10:00 PM UTC+5:45", ["2026-03-02T07:25:00Z"]),
        ("March 2, 2026 at 1:10:00 PM UTC+99999999999999", []),
        ("January 1, 0001 at 1:10:00 AM UTC+9", []),
    ],
)
def test_a_zone_is_read_with_its_minutes_or_its_row_is_refused(started: str, observed: list[str]) -> None:
    body = f'Trends,Search volume,Started\nnetflix down,1K+,"{started}"\n'.encode()
    batch = parse_trending(body, source="t", fetched_at=NOW, names=ServiceMatcher(load_catalogue()))
    assert [iso(row.observed) for row in batch.rows if isinstance(row, ExternalStatus)] == observed
    assert len(batch.rejected) == 1 - len(observed)


def test_all_are_imported_by_the_command(tmp_path: Path) -> None:
    (tmp_path / "incidents.jsonl").write_text(json.dumps(PLAIN) + "\n")
    (tmp_path / "incidents.json").write_text(json.dumps([LISTED]))
    (tmp_path / "trends.csv").write_text("\n".join(TRENDS.splitlines()[:3]) + "\n")
    now = ("--now", "2026-03-05T00:00:00Z")
    for file in ("incidents.jsonl", "incidents.json"):
        assert call_main(("import", "incidents", file, "--service", "github", *now), tmp_path, {}).returncode == 0
    assert call_main(("import", "trends", "trends.csv", *now), tmp_path, {}).returncode == 0
    with Store(tmp_path / "groundswell.db") as store:
        assert [row[0] for row in store.rows("SELECT service FROM outside_verdicts")] == ["netflix"]
        assert store.rows("SELECT count(*) FROM status_updates")[0][0] == 5
