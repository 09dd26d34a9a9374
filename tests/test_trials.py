"""What the story is held to: links on labelled pairs, abuse, the ledger, how sure, and rows behind every statement."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.config.load import load_catalogue, load_config
from pipeline.config.paths import LABELS, MODELS, OUTAGES, PRESS
from pipeline.config.reference_data import known_outages, press_comparisons
from pipeline.core.row_refs import read_row_refs
from pipeline.core.times import iso, utc
from pipeline.evaluation import abuse, csv_rows, links, onset, smallest_attack
from pipeline.evaluation import confidence as certainty
from pipeline.evaluation import lead_time as leads
from pipeline.incidents.reliability import (
    ReliabilityRecord,
    acknowledgement,
    acknowledgement_minutes,
    grade,
    months,
    working_minutes,
)
from pipeline.stages.pipeline import load_models
from pipeline.text.models.kinds import load_news
from pipeline.text.models.outage import load
from pipeline.text.services import ServiceMatcher
from tests.conftest import ROOT, Day
from tests.copies import replace

EVAL = os.environ.get("EVAL_DATA", "")
needs_data = pytest.mark.skipif(not EVAL, reason="EVAL_DATA is not set")
CATALOGUE = load_catalogue()
MATCHER = ServiceMatcher(CATALOGUE)


def test_links_on_labelled_pairs_are_right_and_better_than_both_baselines() -> None:
    found = links.judged(csv_rows(LABELS / "links.csv"), CATALOGUE, MATCHER, load_news(MODELS))
    hard = [(row, event, ours) for row, event, ours in found if row["decided_by_kind"] == "0"]
    assert (len(found) >= 40, sum(row["relation"] == "none" for row, _, _ in found) >= 20) == (True, True)
    for some in (found, hard):
        precision, recall, _, _ = links.figures([(row["relation"], ours) for row, _, ours in some])
        assert precision >= 0.8
        assert recall >= 0.6
        for rule in (links.by_kind, links.near_in_time):
            other, less, _, _ = links.figures([(row["relation"], rule(row, event)) for row, event, _ in some])
            assert precision > other
            assert recall > less


@needs_data
def test_links_on_the_public_record_of_the_week() -> None:
    found = links.recorded(Path(EVAL), CATALOGUE, MATCHER, load_news(MODELS))
    precision, recall, _, _ = links.figures([(truth, given) for truth, given, _ in found])
    assert precision >= 0.8
    assert recall >= 0.6


@needs_data
@pytest.mark.slow
def test_random_dates_are_seldom_linked() -> None:
    past = links.archive(Path(EVAL) / "series" / "github_status" / "incidents.csv", "p", utc("2026-11-01T00:00:00Z"))
    shares = links.chance(past, "github", CATALOGUE, 300, 7)
    assert all(share <= 0.05 + 2 * (0.05 * 0.95 / 300) ** 0.5 for share in shares.values()), shares


@needs_data
@pytest.mark.slow
def test_abuse_does_not_alert_and_outages_among_it_do() -> None:
    found = list(abuse.judged(Path(EVAL) / "bad" / "brigade", load(MODELS)))
    assert len(found) == 28
    assert [name for name, expect, alerted, *_ in found if (expect == "alert") != alerted] == []


AGES, USUAL = (0.5, 3.0, 30.0, 400.0), (0.2, 2.0)


@pytest.fixture(scope="module")
def fewest_accounts() -> dict[tuple[float, float], int | None]:
    """The fewest accounts that alert, by their age in days and the usual reports an hour."""
    return smallest_attack.smallest(AGES, USUAL)


def test_young_accounts_alone_never_alert_and_a_few_old_ones_do_not_either(
    fewest_accounts: dict[tuple[float, float], int | None],
) -> None:
    for usual in USUAL:
        assert fewest_accounts[0.5, usual] is None
        assert fewest_accounts[3.0, usual] is None
        assert (fewest_accounts[30.0, usual] or 0) >= 4


def test_the_smallest_attack_in_the_docs_is_that_of_today_or_a_neighbouring_size(
    fewest_accounts: dict[tuple[float, float], int | None],
) -> None:
    sizes: list[int | None] = [*smallest_attack.SIZES, None]
    section = (ROOT / "docs" / "story.md").read_text(encoding="utf-8").partition("## Abuse")[2]
    for usual in USUAL:
        row = next(line for line in section.splitlines() if line.startswith(f"| {usual:g} |"))
        written = [int(cell) if cell.isdigit() else None for cell in (c.strip() for c in row.split("|")[2:-1])]
        found = [fewest_accounts[age, usual] for age in AGES]
        apart = [abs(sizes.index(a) - sizes.index(b)) for a, b in zip(written, found, strict=True)]
        assert max(apart) <= 1, (written, found)


def test_no_attack_gets_cheaper_where_only_the_day_an_account_was_made_on_is_known(
    fewest_accounts: dict[tuple[float, float], int | None],
) -> None:
    by_day = smallest_attack.smallest(AGES, USUAL, day_only=True)
    for case, fewest in by_day.items():
        exact = fewest_accounts[case]
        assert fewest is None or (exact is not None and fewest >= exact), case
    # who joined on one day long ago is still a crowd
    assert by_day[400.0, 2.0] is not None


@pytest.mark.slow
def test_the_probability_can_be_trusted() -> None:
    situations = [certainty.situation(n, 99) for n in range(500)]
    rows = [(s, r) for s, r in zip(situations, certainty.rest_on(situations), strict=True) if r is not None]
    said = pd.DataFrame([(certainty.probability(r)[0], float(s.real)) for s, r in rows], columns=["p", "real"])
    brier, base = ((said.p - said.real) ** 2).mean(), said.real.mean() * (1 - said.real.mean())
    assert brier < 0.7 * base
    sure = said[said.p >= 0.9]
    assert sure.real.mean() >= 0.9
    assert said[said.p < 0.3].real.mean() <= 0.4


@pytest.mark.slow
def test_the_first_probability_is_what_turns_out_so_often() -> None:
    looks = onset.first_looks([certainty.situation(n, 99) for n in range(600)])
    p, y, alarm = (
        np.array(column)
        for column in zip(*((certainty.probability(k.signals)[0], float(k.real), k.alarm) for k in looks), strict=True)
    )
    assert onset.skill_of(p, y).skill >= 0.15, "candidates that never alarm among them"
    assert onset.skill_of(p[alarm], y[alarm]).skill >= 0.2
    for low, high in ((0.7, 0.9), (0.9, 1.0)):
        inside = (p >= low) & (p < high)
        assert inside.sum() >= 40
        assert abs(p[inside].mean() - y[inside].mean()) <= 0.1


def entry(
    number: int, began: str, ended: str, posted: str | None, impact: str = "major", **more: Any
) -> ReliabilityRecord:
    return ReliabilityRecord(
        id=str(number),
        began=utc(began),
        ended=utc(ended),
        posted=utc(posted) if posted else None,
        impact=impact,
        components=frozenset(),
        **more,
    )


def test_acknowledgement_is_graded_by_who_spoke_when() -> None:
    assert [grade(m) for m in (0, 14.9, 15, 29, 30, 119, 120, 239, 240)] == list("AABBCCDDF")
    late = entry(1, "2026-03-02T10:00:00Z", "2026-03-02T12:00:00Z", "2026-03-02T10:30:00Z")
    silent = entry(2, "2026-03-03T10:00:00Z", "2026-03-03T12:00:00Z", None, crowd=utc("2026-03-03T10:00:00Z"))
    first = entry(
        3, "2026-03-04T10:00:00Z", "2026-03-04T12:00:00Z", "2026-03-04T09:55:00Z", crowd=utc("2026-03-04T10:00:00Z")
    )
    aside = [
        entry(4, "2026-03-04T10:00:00Z", "2026-03-04T12:00:00Z", "2026-03-04T10:00:00Z", "maintenance"),
        entry(5, "2026-03-04T10:00:00Z", "2026-03-04T12:00:00Z", "2026-03-04T10:00:00Z", timing="doubtful"),
        entry(6, "2026-03-04T10:00:00Z", "2026-03-04T12:00:00Z", None, timing="unposted"),
    ]
    assert [acknowledgement_minutes(e) for e in (late, silent, first, *aside)] == [30.0, 240.0, 0.0, None, None, None]
    told = acknowledgement([late, silent, first, *aside], utc("2026-03-05T00:00:00Z"))
    assert (told.grade, told.mean_minutes, told.incidents, told.left_out) == ("C", 90.0, 3, 3)


def test_working_minutes_follow_the_wall_clock_of_each_region() -> None:
    friday = (utc("2026-03-27T15:00:00Z"), utc("2026-03-27T17:00:00Z"))
    assert working_minutes([friday], "Europe/Berlin") == 60.0
    assert working_minutes([friday], "America/New_York") == 120.0
    assert working_minutes([(utc("2026-03-28T08:00:00Z"), utc("2026-03-29T16:00:00Z"))], "Europe/Berlin") == 0.0, (
        "a weekend"
    )


@needs_data
@pytest.mark.parametrize(("service", "name"), [("claude", "claude_status"), ("github", "github_status")])
def test_the_ledger_is_what_pandas_computes(service: str, name: str, tmp_path: Path) -> None:
    from pipeline.reports.reliability import official_entries
    from pipeline.store import Store

    path, db = Path(EVAL) / "series" / name / "incidents.csv", tmp_path / "l.db"
    told = subprocess.run(
        [sys.executable, "-m", "pipeline", "import", "incidents", str(path), "--service", service, "--db", str(db)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert told.returncode == 0, told.stderr
    frame = pd.read_csv(path)
    until = utc("2026-01-01T00:00:00Z")
    with Store(db) as store:
        found = official_entries(store, CATALOGUE[service], CATALOGUE[service].page, until)
    assert len(found) == len(frame), "none is lost"
    frame["start"], frame["end"] = pd.to_datetime(frame.started_at), pd.to_datetime(frame.resolved_at)
    usable = frame.timing_ok if "timing_ok" in frame else frame.end - frame.start >= pd.Timedelta("2s")
    counted = frame[frame.impact.isin(["minor", "major", "critical"]) & usable]
    minutes = pd.Series(
        False, index=pd.date_range(counted.start.min().floor("D"), pd.Timestamp("2026-01-01", tz="UTC"), freq="1min")
    )
    for row in counted.itertuples():
        minutes[row.start : row.end] = True
    by_month = minutes.groupby(minutes.index.strftime("%Y-%m")).sum()
    repair = ((counted.end - counted.start).dt.total_seconds() / 60).groupby(counted.start.dt.strftime("%Y-%m")).mean()
    number = counted.groupby(counted.start.dt.strftime("%Y-%m")).size()
    for month in months(found, until):
        if month.month in by_month:
            assert month.incidents == number.get(month.month, 0)
            assert month.down_minutes == pytest.approx(by_month[month.month], abs=1.5 + 1.5 * month.incidents)
            if month.mttr is not None:
                assert month.mttr == pytest.approx(repair[month.month])
    if "created_at" in frame:
        recent = counted[(counted.start >= until - pd.Timedelta("90D")) & (counted.start <= until)]
        delay = (pd.to_datetime(recent.created_at) - recent.start).dt.total_seconds() / 60
        known = delay[delay > 0]  # else the notice is the only start that is known
        told = acknowledgement(found, until)
        assert told.mean_minutes == pytest.approx(known.mean())
        assert (told.incidents, told.began_with_notice) == (len(known), len(recent) - len(known))
        assert told.grade is None, "of too few incidents a start is known that is not the notice's"
    else:
        assert acknowledgement(found, until).grade is None, "no posting times, no grade"


TABLES = {
    "votes": "SELECT 1 FROM votes WHERE source || '/' || native_id = ?",
    "incidents": "SELECT 1 FROM incidents WHERE id = ?",
    "status_updates": "SELECT 1 FROM status_updates WHERE page || '/' || incident_id || '/' || update_id = ?",
    "official_incidents": "SELECT 1 FROM official_incidents WHERE page || '/' || incident_id = ?",
    "claims": "SELECT 1 FROM claims WHERE source || '/' || native_id || '/' || kind || '/' || value = ?",
    "components": "SELECT 1 FROM components WHERE service = ?",
}
SPANS = {
    "verdicts": "SELECT 1 FROM verdicts WHERE series = ? AND bin_start = ?",
    "complaint_counts": "SELECT 1 FROM complaint_counts WHERE service = ? AND start BETWEEN ? AND ?",
    "post_tags": "SELECT 1 FROM post_tags WHERE service = ? AND created BETWEEN ? AND ?",
    "chart_ranks": "SELECT 1 FROM chart_ranks WHERE ? != '' AND observed BETWEEN ? AND ?",
    "incident_components": "SELECT 1 FROM incident_components WHERE component = ? AND since = ?",
}


def test_every_statement_names_rows_that_are_there(day: Day) -> None:
    conn = sqlite3.connect(day[0] / "a.db")
    statements = conn.execute("SELECT kind, statement, rows FROM incident_evidence").fetchall()
    assert {
        "votes",
        "complaints",
        "official",
        "certainty",
        "symptom",
        "part",
        "doors",
        "disagreement",
        "figure",
        "rival",
        "comparable",
        "page",
    } <= {kind for kind, _, _ in statements}
    public = {k.id for k in known_outages(OUTAGES)}
    compared = {f"{c.service}/{c.month}" for c in press_comparisons(PRESS)}
    for kind, statement, rows in statements:
        assert rows, statement
        for row in read_row_refs(rows):
            table, key = row.table, row.key
            if table == "incidents.csv":
                assert key in public, statement
            elif table == "press_claims.csv":
                assert key in compared, statement
            elif table in SPANS:
                moments = [iso(moment) for moment in (row.since, row.until) if moment is not None]
                assert conn.execute(SPANS[table], (key, *moments)).fetchone(), (kind, statement, row)
            else:
                assert conn.execute(TABLES[table], (key,)).fetchone(), (kind, statement, row)


def test_a_window_of_complaints_is_replayed_to_its_mails_and_the_crowd_leads_the_notice(tmp_path: Path) -> None:
    begin, quiet = utc("2026-01-10T00:00:00Z"), [3, 4, 2, 3, 5, 3, 2, 4] * 5
    counts = [(begin + n * leads.BIN, total) for n, total in enumerate([*quiet, 40, 90, 120, 80, 30, 9, *quiet[:10]])]
    onset = counts[len(quiet)][0]
    notice = leads.Notice(
        id="ec2-1", part="EC2", archived=onset, first=onset + 3 * leads.BIN, last=onset + 6 * leads.BIN
    )
    window = leads.Window(name="made-up", onset=onset, counts=counts)
    config = leads.watching(load_config(None))
    models = load_models()
    told = leads.replay_window(window, [notice], config, models)
    found_at = onset + leads.BIN + leads.DELAY  # the first high bin, once it is full and public
    assert told.near(told.alarms) == found_at
    assert list(told.mails) == [(found_at, True)]
    late = leads.replay_window(replace(window, counts=[(at, 3) for at, _ in counts]), [notice], config, models)
    assert (late.near(late.alarms), [alone for _, alone in late.mails]) == (None, [False])


def test_notices_are_set_right_by_the_zone_of_their_text(tmp_path: Path) -> None:
    (tmp_path / "n.csv").write_text(
        "service_id,service_name,first_notification,last_notification,description\n"
        "a,A ,2026-01-04T06:32:00Z,2026-01-04T06:45:00Z, 2:32 PM PST one\n"
        "b,B,2026-07-20T02:02:00Z,2026-07-20T02:50:00Z, 9:02 AM PDT two\n"
        "c,C,2026-11-08T15:04:00Z,2026-11-07T16:03:00Z,11:04 PM PST past midnight\n"
        "d,D,2026-07-20T02:02:00Z,2026-07-20T02:50:00Z,no zone\n"
    )
    found = {n.part: (iso(n.first), iso(n.last)) for n in leads.read_notices(tmp_path / "n.csv")}
    assert found == {
        "A": ("2026-01-04T22:32:00Z", "2026-01-04T22:45:00Z"),
        "B": ("2026-07-20T16:02:00Z", "2026-07-20T16:50:00Z"),
        "C": ("2026-11-09T07:04:00Z", "2026-11-09T08:03:00Z"),
    }


@needs_data
def test_thirteen_windows_have_a_notice_within_an_hour() -> None:
    folder = Path(EVAL) / "series" / "downdetector_cloud"
    windows, notices = leads.read_windows(folder), leads.read_notices(folder / "operator_reported.csv")
    near = [w for w in windows if any(abs(n.first - w.onset) <= leads.HOUR for n in notices)]
    assert (len(windows), len(near), {len(w.counts) for w in windows}) == (35, 13, {96})
