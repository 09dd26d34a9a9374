"""The benchmark of recorded days: what its scorer counts, what it refuses, and what the rules of others do."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.core.errors import SourceError
from pipeline.core.times import utc
from pipeline.evaluation.days.entries import AlertEntry, EntryKind, KnownDay, read_entries, write_entries
from pipeline.evaluation.days.recording import Mention, Notice, ServiceRecording
from pipeline.evaluation.days.rules import RULES
from pipeline.evaluation.days.scoring import BenchDay, DayFigures, Group, score_day
from pipeline.evaluation.days.summary import quantiles, summarize, table, to_json
from pipeline.replay.truth import TrueLink, TrueOutage, Truth, read_truth
from pipeline.sources.delimited import read_capped
from tests.command_line import call_main
from tests.conftest import ROOT

OPTUS = ROOT / "data" / "scenarios" / "2023-11-08-optus"
NOW = utc("2026-11-01T00:00:00Z")


def at(clock: str) -> datetime:
    return utc(f"2026-03-02T{clock}:00Z")


def day(*outages: TrueOutage, **changes: Any) -> BenchDay:
    fields: dict[str, Any] = {
        "name": "day",
        "group": Group.OUTAGE,
        "begin": at("00:00"),
        "until": at("23:00"),
        "watched": ("github", "netflix"),
        "truth": Truth(outages=outages),
        "notices": {},
    }
    return BenchDay(**{**fields, **changes})


def outage(**changes: Any) -> TrueOutage:
    return TrueOutage("github", at("12:00"), at("13:00"), "major", at("12:03"), at("12:20"))._replace(**changes)


def says(clock: str, *services: str, kind: EntryKind = EntryKind.ALARM, **more: Any) -> AlertEntry:
    return AlertEntry(at=at(clock), services=services or ("github",), kind=kind, **more)


def scored(*entries: AlertEntry, of: BenchDay | None = None) -> DayFigures:
    return score_day(of or day(outage()), entries)


def test_minutes_are_from_the_third_report_the_onset_and_the_notice() -> None:
    (found,) = scored(says("12:10")).outages
    assert (found.from_third_report, found.from_onset, found.from_notice) == (7.0, 10.0, -10.0)
    assert found.alert_at == at("12:10")


@pytest.mark.parametrize(("clock", "found"), [("11:29", False), ("11:30", True), ("14:00", True), ("14:01", False)])
def test_an_outage_is_discovered_from_half_an_hour_before_it_to_an_hour_after_it(clock: str, found: bool) -> None:
    figures = scored(says(clock))
    assert (figures.outages[0].alert_at is not None, len(figures.false_alarms)) == (found, int(not found))


@pytest.mark.parametrize("kind", [EntryKind.EASING, EntryKind.OVER])
def test_what_eases_or_is_over_discovers_nothing_and_is_no_false_alarm(kind: EntryKind) -> None:
    figures = scored(says("12:10", kind=kind))
    assert figures.outages[0].alert_at is None
    assert figures.false_alarms == ()
    assert figures.messages == 1


def test_a_message_that_names_two_services_is_right_for_one_and_false_for_the_other() -> None:
    figures = scored(says("12:10", "github", "netflix"))
    assert [alarm.service for alarm in figures.false_alarms] == ["netflix"]
    assert figures.right_alarms == 1


def test_messages_of_one_alarm_are_one_false_alarm_and_two_alarms_are_two() -> None:
    assert len(scored(says("03:00", alarm="a"), says("04:00", alarm="a")).false_alarms) == 1
    assert len(scored(says("03:00", alarm="a"), says("04:00", alarm="b")).false_alarms) == 2
    assert len(scored(says("03:00"), says("04:00")).false_alarms) == 1
    assert len(scored(says("03:00"), says("03:30", kind=EntryKind.OVER), says("04:00")).false_alarms) == 2


def test_an_alarm_that_began_too_early_and_goes_on_into_the_outage_is_right() -> None:
    figures = scored(says("11:00", alarm="a"), says("12:05", alarm="a", kind=EntryKind.UPDATE))
    assert (figures.right_alarms, figures.false_alarms) == (1, ())


def test_an_alarm_near_a_notice_of_another_trouble_is_neither_right_nor_false() -> None:
    figures = scored(says("18:00"), of=day(outage(), notices={"github": [at("17:00")]}))
    assert (figures.right_alarms, figures.noticed_alarms, figures.false_alarms) == (0, 1, ())


@pytest.mark.parametrize(("clock", "in_time"), [("12:40", False), ("12:45", True), ("15:00", True), ("15:01", False)])
def test_over_is_in_time_from_a_quarter_of_an_hour_before_to_two_hours_after_the_end(clock: str, in_time: bool) -> None:
    (found,) = scored(says("12:10"), says(clock, kind=EntryKind.OVER)).outages
    assert found.over_in_time is in_time


def test_components_and_links_are_compared_with_the_truth() -> None:
    truth = Truth(
        outages=(outage(components=("web", "code")),),
        links=(TrueLink("github", "urn:a", "reports"), TrueLink("github", "urn:b", "unrelated")),
    )
    entry = says("12:10", components=("web", "api"), links=("urn:a:1", "urn:b:2", "urn:c"))
    figures = scored(entry, of=day(truth=truth))
    (found,) = figures.outages
    assert (found.components_true, found.components_named, found.components_right) == (2, 2, 1)
    assert (figures.links_true, figures.links_found, figures.links_wrong) == (1, 1, 1)


def test_a_miss_counts_as_longer_than_any_time() -> None:
    minutes = quantiles([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, None, None])
    assert (minutes.p50, minutes.p90, minutes.missed) == (5.0, None, 2)
    assert str(minutes) == "+5 / missed"
    assert quantiles([9.0] * 9 + [None]).p90 == 9.0
    assert str(quantiles([])) == "–"


def test_what_is_missed_is_listed_by_name() -> None:
    system = summarize("none", [scored()])
    assert system.groups[0].missed == ("github 2026-03-02 12:00 (major)",)
    assert any("missed by none: github 2026-03-02 12:00 (major)" in line for line in table([system]))


def test_false_alarms_are_counted_a_watched_service_week() -> None:
    week = day(begin=at("00:00"), until=at("00:00") + timedelta(days=7), group=Group.QUIET)
    (row,) = summarize("one", [scored(says("03:00"), of=week)]).groups
    assert (row.service_weeks, row.false_alarms_a_service_week) == (2.0, 0.5)


KNOWN = [KnownDay(name="day", begin=at("00:00"), until=at("23:00"), watched=("github",))]
GOOD = '{"at": "2026-03-02T12:10:00Z", "services": ["github"]}'


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("nonsense", "is not JSON"),
        ("[" * 50_000, "is not JSON"),
        ("[1]", "is not a JSON object"),
        ('{"at": "2026-03-02T12:10:00", "services": ["github"]}', "has no time zone"),
        ('{"at": "2026-12-02T12:10:00Z", "services": ["github"]}', "is in the future"),
        ('{"at": "2026-03-04T12:10:00Z", "services": ["github"]}', "is in none of the days"),
        ('{"at": 1772453400, "services": ["github"]}', "must be a time as text"),
        ('{"at": "2026-03-02T12:10:00Z", "services": ["netflix"]}', "'netflix' is not watched on day"),
        ('{"at": "2026-03-02T12:10:00Z", "services": []}', "must name at least one"),
        ('{"at": "2026-03-02T12:10:00Z", "services": "github"}', "must be a list of texts"),
        ('{"at": "2026-03-02T12:10:00Z", "services": ["github"], "kind": "boom"}', "kind: must be one of"),
        ('{"at": "2026-03-02T12:10:00Z", "services": ["github"], "colour": 1}', "unknown field"),
        ('{"at": "2026-03-02T12:10:00Z", "services": ["github"], "day": "other"}', "is none of the days"),
        (GOOD, "is the same as line 1"),
    ],
)
def test_a_line_that_cannot_be_scored_is_refused_by_its_number_and_the_rest_is_read(
    line: str, why: str, tmp_path: Path
) -> None:
    file = tmp_path / "alerts.jsonl"
    file.write_text(f"{GOOD}\n{line}\n\n{GOOD.replace('12:10', '12:20')}\n")
    read = read_entries(file, KNOWN, NOW)
    assert [entry.at for entry in read.entries] == [at("12:10"), at("12:20")]
    (refused,) = read.refused
    assert refused.startswith(f"{file}:2: ")
    assert why in refused


def test_entries_are_read_as_they_were_written(tmp_path: Path) -> None:
    entries = (says("12:10", alarm="a", components=("web",), links=("urn:é",), day="day"),)
    write_entries(tmp_path / "a.jsonl", entries)
    assert read_entries(tmp_path / "a.jsonl", KNOWN, NOW).entries == entries


def test_only_a_file_or_a_pipe_of_some_size_is_read(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"\n" * 11)
    assert read_capped(tmp_path / "large", 11) == b"\n" * 11
    with pytest.raises(SourceError, match="neither a file nor a pipe"):
        read_entries(Path("/dev/zero"), KNOWN, NOW)
    with pytest.raises(SourceError, match="larger than"):
        read_capped(tmp_path / "large", 10)


def test_two_files_of_alerts_with_one_name_are_refused(tmp_path: Path) -> None:
    answer = call_main(("bench", "--alerts", "a/theirs.jsonl", "--alerts", "b/theirs.jsonl"), tmp_path, {})
    assert answer.returncode == 2
    assert "would both be called 'theirs'" in answer.stderr


def test_a_missing_file_of_alerts_is_refused_before_any_day_is_read(tmp_path: Path) -> None:
    answer = call_main(("bench", "no-such-day", "--alerts", "missing.jsonl"), tmp_path, {})
    assert answer.returncode == 1
    assert answer.stderr.splitlines() == ["groundswell: missing.jsonl: cannot be read: No such file or directory"]


def recorded(totals: list[int], **more: Any) -> ServiceRecording:
    """A count every quarter of an hour for two days, then `totals` from noon on."""
    begin = at("12:00") - timedelta(days=2)
    counts = [*[10 + n % 3 for n in range(192)], *totals]
    return ServiceRecording(
        service="github",
        begin=at("11:00"),
        until=at("23:00"),
        step=timedelta(minutes=5),
        counts=[(begin + (n + 1) * timedelta(minutes=15), total) for n, total in enumerate(counts)],
        **more,
    )


COUNTING = [
    "baseline of the hour (Downdetector's method)",
    "3 x median, three times (AIWatch)",
    "max(10, 3 x median + 8)",
]


@pytest.mark.parametrize(("rule", "first"), [(COUNTING[0], "12:30"), (COUNTING[1], "12:45"), (COUNTING[2], "12:15")])
def test_rules_on_counts_alarm_when_their_words_say_and_not_on_usual_counts(rule: str, first: str) -> None:
    entries = RULES[rule](recorded([90, 90, 90, 90, 11, 10, 11, 10]))
    assert entries[0].at == at(first)
    assert [entry.kind for entry in entries] == [EntryKind.ALARM, EntryKind.OVER]
    assert RULES[rule](recorded([11, 10, 12, 10])) == []


def test_two_classes_need_a_second_one() -> None:
    rule = RULES["z > 3 in two classes (503radar)"]
    assert rule(recorded([90, 90, 90, 90])) == []
    notices = [Notice(public=at("12:20"), notice="n", resolved=False)]
    assert rule(recorded([90, 90, 90, 90], notices=notices))[0].at == at("12:20")


def test_rules_on_posts_and_pages() -> None:
    posts = [Mention(public=at("12:00") + timedelta(minutes=n), title="GitHub is down", text="") for n in range(6)]
    said = recorded([], mentions=posts, notices=[Notice(public=at("12:21"), notice="n", resolved=False)])
    assert RULES["keyword counts"](said)[0].at == at("12:05")
    assert RULES["words in titles (AIWatch)"](said)[0].at == at("12:00")
    assert RULES["status pages only"](said)[0].at == at("12:25")


def test_truth_that_cannot_be_read_is_said_and_the_outage_stays(tmp_path: Path) -> None:
    (tmp_path / "truth.toml").write_text(
        '[[incident]]\nservice = "github"\nonset = 2026-03-02T12:00:00Z\nend = 2026-03-02T13:00:00Z\n'
        'official = "x"\nimpact = "huge"\nthird_report = 2026-03-02T12:04:00\n'
        '[[link]]\nincident = "x"\nurl = "urn:a"\nrelation = "reports"\n'
    )
    truth = read_truth(tmp_path / "truth.toml", NOW)
    assert [o.impact for o in truth.outages] == [""]
    assert truth.links == (TrueLink("github", "urn:a", "reports"),)
    assert len(truth.problems) == 2


def conforms(value: object, schema: dict[str, Any], root: dict[str, Any]) -> bool:
    """Check the part of JSON Schema that docs/benchmark.schema.json uses."""
    if "$ref" in schema:
        return conforms(value, root["$defs"][schema["$ref"].rsplit("/", 1)[1]], root)
    if "oneOf" in schema:
        return any(conforms(value, one, root) for one in schema["oneOf"])
    if "enum" in schema or "const" in schema:
        return value in schema.get("enum", [schema.get("const")])
    kinds = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool, "null": type(None)}
    wanted = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if not isinstance(
        value, tuple(t for kind in wanted for t in ((int, float) if kind == "number" else (kinds[kind],)))
    ):
        return False
    if isinstance(value, dict):
        return set(schema["required"]) == set(value) and all(
            conforms(inner, schema["properties"][key], root) for key, inner in value.items()
        )
    return not isinstance(value, list) or all(conforms(inner, schema["items"], root) for inner in value)


def test_the_json_conforms_to_the_schema_in_the_docs() -> None:
    schema = json.loads((ROOT / "docs" / "benchmark.schema.json").read_text())
    figures = [scored(says("03:00"), says("12:10")), *(scored(of=day(outage(), group=group)) for group in Group)]
    printed = json.loads(to_json([summarize("one", figures, ["a:1: why"])]))
    assert conforms(printed, schema, schema)
    printed["systems"][0]["groups"][0]["days"] = "two"
    assert not conforms(printed, schema, schema)


def test_blind_days_have_a_group_of_their_own(tmp_path: Path) -> None:
    folders = [str(ROOT / "data" / "scenarios" / name) for name in ("blind-2026-01-12-monday-logins", OPTUS.name)]
    answer = call_main(("bench", *folders, "--no-replay", "--json"), tmp_path, {})
    groups = json.loads(answer.stdout)["systems"][0]["groups"]
    assert [(group["group"], group["outages"]) for group in groups] == [
        ("days with outages", 1),
        ("blind days with outages", 3),
    ]


def test_a_strangers_file_is_scored_by_the_documented_command(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs.jsonl"
    theirs.write_text((ROOT / "examples" / "alerts.jsonl").read_text() + "nonsense\n")
    answer = call_main(("bench", str(OPTUS), "--no-replay", "--alerts", str(theirs), "--json"), tmp_path, {})
    assert answer.returncode == 3
    assert f"{theirs}:5: is not JSON" in answer.stderr
    systems = {system["system"]: system for system in json.loads(answer.stdout)["systems"]}
    assert set(systems) == {*RULES, "theirs"}
    (row,) = systems["theirs"]["groups"]
    assert (row["serious_discovered"], row["serious"]) == (1, 1)
    assert [alarm["service"] for alarm in row["false_alarms"]] == ["telstra"]
    assert row["over_in_time"] == 1.0
