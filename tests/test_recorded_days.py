"""Recorded days of other kinds of failure: a cause that many services share, and a network without a status page."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
import zstandard

from pipeline.commands.backtest import plan_replay, replay_scenario
from pipeline.commands.common import Setting
from pipeline.config.load import load_catalogue, load_config
from pipeline.core.errors import SourceError
from pipeline.core.replay_result import IncidentResult, ReplayResult
from pipeline.core.times import utc
from pipeline.core.vocabulary import Transition
from pipeline.evaluation.days import variants
from pipeline.evaluation.days.variants import RecordedDay, Variant
from pipeline.replay.scenario import read_scenario
from pipeline.stages.pipeline import load_models
from pipeline.store import Store
from pipeline.store.outbox import alerts_of
from tests.command_line import call_main
from tests.conftest import ROOT
from tests.mail_contradictions import contradictions

DAYS = ROOT / "data" / "scenarios"
GOOGLE_CLOUD, OPTUS = DAYS / "2025-06-12-google-cloud", DAYS / "2023-11-08-optus"
CLAUDE = DAYS / "2026-03-02-claude"
NETWORKS, BUILDERS = DAYS / "blind-2026-02-18-reseaux", DAYS / "blind-2026-03-10-small-builders"
MADE = sorted(path.parents[1] for path in DAYS.glob("*/generator/day.toml"))
QUICK = (OPTUS, BUILDERS)  # the others take one to five seconds each to make
# what was not broken is told on them, too: the benchmark says how much
HARD = [DAYS / name for name in ("2019-08-26-wow-classic", "2023-05-23-netflix", "2025-11-18-cloudflare")]
MOST_A_DAY = 12  # of ten services and what they share


@pytest.mark.parametrize(
    "folder",
    [*QUICK, *(pytest.param(day, marks=pytest.mark.slow) for day in MADE if day not in QUICK)],
    ids=lambda folder: folder.name,
)
def test_a_recorded_day_is_what_its_generator_makes(folder: Path, tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, str(DAYS / "simulate_day.py"), str(folder), "--out", str(tmp_path)], check=True, timeout=120
    )
    made = sorted(p.relative_to(tmp_path) for p in tmp_path.rglob("*") if p.is_file())
    kept = [p for p in folder.rglob("*") if p.is_file() and "generator" not in p.parts]
    assert made == sorted(p.relative_to(folder) for p in kept)
    assert all((tmp_path / name).read_bytes() == (folder / name).read_bytes() for name in made)
    assert sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) < 2e6


def made(folder: Path, place: Path, *options: str) -> Path:
    subprocess.run(
        [sys.executable, str(DAYS / "simulate_day.py"), str(folder), "--out", str(place), *options],
        check=True,
        timeout=120,
        stderr=subprocess.PIPE,
        text=True,
    )
    return place


def test_without_its_outage_a_day_has_no_outage_no_notice_and_no_more_complaints(tmp_path: Path) -> None:
    truth = read_scenario(made(OPTUS, tmp_path, "--no-outage")).truth
    assert truth.outages == ()
    counts = list(csv.DictReader((tmp_path / "complaints.csv").open(newline="")))
    assert max(int(row["total"]) for row in counts if row["service"] == "optus") < 200


def test_a_moved_day_is_moved_and_keeps_the_hours_of_the_day(tmp_path: Path) -> None:
    before, after = read_scenario(OPTUS), read_scenario(made(OPTUS, tmp_path, "--shift", "31"))
    shift = timedelta(hours=31)
    assert [o.onset + shift for o in before.truth.outages] == [o.onset for o in after.truth.outages]
    assert (before.start + shift, before.first_run) == (after.start, (after.first_run or after.start) - shift)


def test_a_renamed_day_is_about_another_service(tmp_path: Path) -> None:
    scenario = read_scenario(made(OPTUS, tmp_path, "--rename", "optus=rogers"))
    assert {o.service for o in scenario.truth.outages} == {"rogers"}
    assert {link.service for link in scenario.truth.links} == {"rogers"}
    assert "optus" not in (tmp_path / "complaints.csv").read_text().lower()


def test_complaints_of_an_outage_in_one_region_are_of_that_region(tmp_path: Path) -> None:
    with (made(NETWORKS, tmp_path) / "complaints.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["service"] == "free"]
    outage = read_scenario(NETWORKS).truth.outages[0]
    assert outage.service == "free"
    before: Counter[str] = Counter()
    during: Counter[str] = Counter()
    for row in rows:
        day_earlier = utc(row["start_utc"]) + timedelta(days=1)
        for moment, counted in ((utc(row["start_utc"]), during), (day_earlier, before)):
            if outage.onset <= moment < outage.end:
                counted[row["region"]] += int(row["total"])
    assert sum(during.values()) == 2 * during[""], "the regions add up to the total"
    assert during["Provence-Alpes-Côte d'Azur"] > 3 * before["Provence-Alpes-Côte d'Azur"]
    others = [region for region in during if region not in ("", "Provence-Alpes-Côte d'Azur")]
    assert len(others) == 5
    assert sum(during[region] for region in others) < 1.5 * sum(before[region] for region in others)


def test_planned_maintenance_of_a_day_moves_with_it_and_stays_without_its_outage(tmp_path: Path) -> None:
    made(BUILDERS, tmp_path, "--no-outage", "--shift", "31")
    (planned,) = [json.loads(line) for line in (tmp_path / "status" / "maintenance.ndjson").read_text().splitlines()]
    assert planned["page"] == "bitbucket.status.atlassian.com"
    assert (planned["collected"], planned["scheduled_for"]) == ("2026-03-07T17:00:00Z", "2026-03-11T09:00:00Z")
    assert [path.name for path in (tmp_path / "status").iterdir()] == ["maintenance.ndjson"], "no notice of an outage"
    assert read_scenario(tmp_path).truth.outages == ()


def test_a_renamed_blind_day_names_another_service_in_its_posts(tmp_path: Path) -> None:
    scenario = read_scenario(made(BUILDERS, tmp_path, "--rename", "docker_hub=pypi"))
    assert {o.service for o in scenario.truth.outages} == {"pypi", "circleci", "supabase"}
    posts = zstandard.ZstdDecompressor().stream_reader((tmp_path / "posts.ndjson.zst").read_bytes()).read().decode()
    assert "PyPI" in posts
    assert not re.search("docker ?hub", posts.lower())


def test_a_day_is_not_renamed_to_what_the_catalogue_lacks(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError) as error:
        made(BUILDERS, tmp_path, "--rename", "docker_hub=orange")
    assert "orange is not in the catalogue" in error.value.stderr


def test_seeds_move_a_day_by_different_hours_within_a_week_and_rename_it_to_others_of_its_kind() -> None:
    catalogue = load_catalogue()
    day = RecordedDay(scenario=read_scenario(OPTUS))
    made = [variant for seed in range(1, 11) for variant in day.variants(catalogue, seed)]
    hours = [v.moved_by for v in made if v.moved_by]
    assert len(set(hours)) == 10
    assert all(0 < h < 168 for h in hours)
    assert len({h % 24 for h in hours}) > 5, "hours of the day"
    renamed = {v.renamed[1] for v in made if v.renamed}
    assert len(renamed) == 10
    assert {catalogue[name].kind for name in renamed} == {"network"}


def test_only_the_main_outage_of_a_long_recording_is_moved_and_stays_apart_from_the_others() -> None:
    day = RecordedDay(scenario=read_scenario(CLAUDE))
    (main,) = day.varied
    assert main.onset == utc("2026-03-02T11:37:00Z")
    others = [outage for outage in day.scenario.truth.outages if not outage.main]
    for seed in range(1, 11):
        by = timedelta(hours=day.hours_to_move(seed))
        assert day.scenario.start + timedelta(days=7) <= main.onset + by < main.onset, "a week of history before it"
        gaps = [
            other.onset - (main.end + by) if other.onset > main.onset + by else main.onset + by - other.end
            for other in others
        ]
        assert min(gaps) > timedelta(hours=6), seed


def test_the_hours_around_a_moved_outage_are_replayed() -> None:
    day = RecordedDay(scenario=read_scenario(CLAUDE))
    moved = Variant(name="moved", moved_by=-32)
    assert day.hours_around(day.scenario, moved) == (utc("2026-03-01T01:37:00Z"), utc("2026-03-01T05:37:00Z"))


@pytest.mark.parametrize("folder", [CLAUDE, OPTUS], ids=lambda folder: folder.name)
def test_generators_that_fail_are_named(folder: Path, tmp_path: Path) -> None:
    day = RecordedDay(scenario=read_scenario(folder))
    with pytest.raises(SourceError, match="no-such-service"):
        day.make(tmp_path, Variant(name="another", renamed=(day.varied[0].service, "no-such-service")), 1)


@pytest.mark.slow
def test_variants_of_a_day_are_scored_and_without_its_outage_nothing_alarms() -> None:
    lines = list(variants.report([OPTUS], 1, load_config(None), load_models()))
    rows = {cells[2].strip(): [cell.strip() for cell in cells[3:-2]] for cells in (line.split("|") for line in lines)}
    assert rows["without its outage"] == ["1", "0 of 0", "0 of 0", "–", "0"]
    assert rows["moved by hours and weekday"][1] == "1 of 1"
    assert rows["half of the crowd"][1] == "1 of 1"


def test_the_list_of_recorded_days_counts_the_outages_of_whole_records(tmp_path: Path) -> None:
    done = call_main(("demo", "--list", "--json"), tmp_path, {})
    days = {day["name"]: day for day in json.loads(done.stdout)["days"]}
    assert set(days) == {path.parent.name for path in DAYS.glob("*/scenario.toml")}
    assert days[OPTUS.name]["outages"] == 1
    assert days[OPTUS.name]["watch"][0] == "optus"
    lines = call_main(("demo", "--list"), tmp_path, {}).stdout.splitlines()
    assert [line.split()[0] for line in lines] == sorted(days)
    assert call_main(("demo", "--json"), tmp_path, {}).returncode == 2


def test_the_recorded_days_speak_more_than_six_languages() -> None:
    files = [path.open(encoding="utf-8", newline="") for path in DAYS.glob("*/generator/texts.csv")]
    spoken = {row["lang"] for file in files for row in csv.DictReader(file)}
    assert len(spoken) >= 6, spoken


def replayed(folder: Path, place: Path) -> tuple[ReplayResult, Store]:
    db = place / "day.db"
    setting = Setting(config=load_config(None), config_path=None, db=db, now=utc("2026-11-01T00:00:00Z"))
    outcome, code = replay_scenario(plan_replay(setting, folder), db, None, progress=False)
    assert code == 0
    return outcome, Store(db)


def incident_of(outcome: ReplayResult, service: str) -> IncidentResult:
    shown = {i.id for i in outcome.incidents if i.first_alert_at}
    (found,) = (
        i
        for i in outcome.incidents
        if i.service == service and not i.id.endswith("-shared") and (i.id in shown or i.part_of in shown)
    )
    return found


@pytest.mark.slow
@pytest.mark.parametrize("folder", [GOOGLE_CLOUD, OPTUS], ids=lambda folder: folder.name)
def test_a_recorded_day_is_told_soon_and_to_its_end_and_nothing_else_is(folder: Path, tmp_path: Path) -> None:
    outcome, store = replayed(folder, tmp_path)
    truth = read_scenario(folder).truth
    late = {o.service: o.minutes for o in outcome.scores.by_outage if o.minutes is None or o.minutes > 40}
    assert late == {}
    for outage in truth.outages:
        end = incident_of(outcome, outage.service).end
        assert end is not None, outage.service
        assert timedelta(minutes=-15) <= end - outage.end <= timedelta(hours=4), outage.service
    assert {a.service for a in outcome.alerts if a.service}.isdisjoint(q.service for q in truth.quiet)
    with store:
        messages = store.rows("SELECT created FROM alerts WHERE merged_into IS NULL")  # several may be one summary
        assert max(Counter(row["created"][:10] for row in messages).values()) <= MOST_A_DAY
        sent = [a for a in alerts_of(store) if a.incident]
        overs = [a for a in sent if a.transition is Transition.OVER]
        for service in {o.service for o in truth.outages}:
            names = [a for a in sent if service in (a.service, *a.incident_facts.hit)]
            assert any(a in overs for a in names), f"{service}: who was told its beginning is told its end"
        assert [line for alert in sent for line in contradictions(alert)] == []
        for alert in sent:
            quiet = {q.service for q in truth.quiet}
            assert quiet.isdisjoint(alert.incident_facts.hit), alert.subject
            if "confirmed by the provider" in alert.subject:
                first = alert.incident_facts.official_first_at
                assert first is not None
                assert first <= alert.created


@pytest.mark.slow
@pytest.mark.parametrize("folder", HARD, ids=lambda folder: folder.name)
def test_messages_of_a_day_that_is_hard_do_not_contradict_themselves(folder: Path, tmp_path: Path) -> None:
    _, store = replayed(folder, tmp_path)
    with store:
        sent = [a for a in alerts_of(store) if a.incident]
    assert [line for alert in sent for line in contradictions(alert)] == []


@pytest.mark.slow
def test_services_of_a_vendor_that_fail_together_have_one_stream_of_messages(tmp_path: Path) -> None:
    _, store = replayed(DAYS / "2021-10-04-meta", tmp_path)
    with store:
        sent = [a for a in alerts_of(store) if a.incident]
    members = {"facebook", "instagram", "whatsapp"}
    shared = [a for a in sent if members <= set(a.incident_facts.hit)]
    alone = [a.transition for a in sent if a.service in members and a not in shared]
    assert [a.transition for a in shared] == ["opened", "confirmed", "over"]
    assert set(alone) <= {"opened"}, "who was first, before the others failed"
    assert all(a.subject.startswith("[simulated] Meta: ") for a in shared)
    assert [line for alert in sent for line in contradictions(alert)] == []
