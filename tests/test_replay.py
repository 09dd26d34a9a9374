"""The recorded day end to end: what is told when, and that telling it again changes nothing."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import tomllib
from collections import Counter
from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
import zstandard

from pipeline.commands.backtest import _to_files
from pipeline.config.load import load_config
from pipeline.config.settings import Alerts, Route
from pipeline.core.times import minutes_between, utc
from pipeline.evaluation import csv_rows
from pipeline.reports.decision_trace import decision_trace
from pipeline.store import Store
from pipeline.store.outbox import alerts_of
from tests.benchmarks.archives import write_recording
from tests.conftest import SCENARIO, SPAN, Day, Groundswell, replay, replay_in_a_process
from tests.mail_contradictions import contradictions

OFFICIAL = "2026-03-02T11:49:20Z"


def dump(db: Path) -> dict[str, list[tuple[object, ...]]]:
    """Return every row of every table but runs, in key order."""
    conn = sqlite3.connect(db)
    tables = [
        r[0]
        for r in conn.execute(
            "SELECT name FROM sqlite_master WHERE type='table' AND name NOT LIKE '%fts%' AND name NOT LIKE 'sqlite%'"
        )
    ]
    return {
        t: sorted(conn.execute(f"SELECT * FROM {t}").fetchall(), key=repr)
        for t in tables
        if t not in ("runs", "_sqlite_migrations")
    }


def mails_of(result: dict[str, Any], day: str) -> list[dict[str, Any]]:
    return [a for a in result["alerts"] if a["at"].startswith(day)]


def test_the_first_alert_comes_with_the_crowd_and_before_the_provider(day: Day) -> None:
    _, result = day
    opened = [a for a in result["alerts"] if a["transition"] == "opened"]
    assert [a["service"] for a in opened] == ["claude"]
    assert "2026-03-02T11:37:00Z" < opened[0]["at"] <= "2026-03-02T11:45:00Z"
    (incident,) = [i for i in result["incidents"] if i["first_alert_at"]]
    assert incident["official_first_at"] == OFFICIAL
    assert incident["symptom"] == "login"
    assert all("login" in a["subject"] for a in result["alerts"] if a["service"] == "claude")
    assert result["scores"]["alerts_in_quiet_spans"] == 0


def test_why_marks_what_came_after_the_moment_asked_for(day: Day) -> None:
    folder, _ = day
    with Store(folder / "a.db") as store:
        config = load_config(None)

        def signals(clock: str) -> list[str]:
            at = utc(f"2026-03-02T{clock}:00Z")
            steps = decision_trace(store, config, config.catalogue["claude"], at, at, 9.0)
            return [step.words for step in steps if step.name in ("signal", "votes")]

        assert any("came later" in words for words in signals("11:40"))


def test_components_are_the_votes_and_then_the_records(day: Day) -> None:
    _, result = day
    main = next(i["id"] for i in result["incidents"] if i["first_alert_at"])
    spans = [c for c in result["components"] if c["incident"] == main]
    voted = {c["component"]: c["since"] for c in spans if c["source"] == "votes" and c["status"] == "affected"}
    assert voted["web"] < OFFICIAL
    assert voted["code"] < OFFICIAL
    assert "api" not in voted or voted["api"] >= "2026-03-02T13:37:00Z", "people said that the API works"
    api = [
        (c["since"][11:19], (c["until"] or "")[11:19])
        for c in spans
        if c["source"] == "official" and c["component"] == "api"
    ]
    assert api == [("12:06:11", "12:21:24"), ("13:37:01", "")]


def test_the_announcement_is_context_with_evidence_against_it(day: Day) -> None:
    _, result = day
    main = next(i["id"] for i in result["incidents"] if i["first_alert_at"])
    mine = [k for k in result["links"] if k["incident"] == main]
    announced = [k for k in mine if k["first_seen"].startswith("2026-02-27") and k["first_seen"] >= "2026-02-27T20:58"]
    assert announced
    assert all(k["relation"] == "context_before" for k in announced)
    assert any(
        "began that day before it (12:59, 13:14" in reason for k in announced for reason in k["evidence_against"]
    )
    assert [k for k in mine if k["relation"] == "reports"]
    assert "caused by" not in json.dumps(result).lower()


def test_a_mail_says_what_since_when_how_sure_and_why(day: Day) -> None:
    folder, _ = day
    first = min((folder / "a-mail").glob("*.eml"))
    message = message_from_bytes(first.read_bytes(), policy=policy.default)
    text = message.get_body(("plain",)).get_content()
    assert message["Subject"].startswith("[simulated] Claude: possible outage")
    for words in (
        " since 11:3",
        "no notice from the provider has been seen",
        "https://status.claude.com",
        "people reported trouble on reddit",
        "SIMULATED",
        "User reports",
        "other news not before",
    ):
        assert words in text
    assert text.count("\n> ") <= 3


def test_offering_every_record_again_changes_nothing(day: Day, tmp_path: Path) -> None:
    folder, _ = day
    copy = tmp_path / "a.db"
    shutil.copy(folder / "a.db", copy)
    before = dump(copy)
    last = sqlite3.connect(copy).execute("SELECT max(id) FROM runs").fetchone()[0]
    mixed = cut_and_shuffled(tmp_path / "mixed")
    code, _ = replay(mixed, copy, *SPAN)
    assert code == 0
    after = dump(copy)
    assert {t for t in before if before[t] != after[t]} == set()
    again = (
        sqlite3.connect(copy)
        .execute("SELECT stage, sum(seen), sum(new) FROM runs WHERE id > ? GROUP BY stage", (last,))
        .fetchall()
    )
    assert {stage for stage, _, _ in again} == {"collect", "tag", "detect", "explain", "alert"}
    assert all(seen > 0 and new == 0 for _, seen, new in again), again
    assert not list(tmp_path.glob("*-mail/*.eml"))


def cut_and_shuffled(folder: Path) -> Path:
    """Return the scenario with every file cut in two and its rows in another order."""
    rng = random.Random(5)
    shutil.copytree(SCENARIO, folder, ignore=shutil.ignore_patterns("generator"))
    raw = (
        zstandard.ZstdDecompressor()
        .stream_reader((folder / "posts.ndjson.zst").open("rb"))
        .read()
        .splitlines(keepends=True)
    )
    rng.shuffle(raw)
    (folder / "posts.ndjson.zst").unlink()
    (folder / "posts-1.ndjson").write_bytes(b"".join(raw[:3000]))
    (folder / "posts-2.ndjson.zst").write_bytes(zstandard.ZstdCompressor().compress(b"".join(raw[3000:])))
    for name in ("complaints", "charts"):
        head, *rows = (folder / f"{name}.csv").read_text().splitlines()
        rng.shuffle(rows)
        for number, part in enumerate((rows[: len(rows) // 3], rows[len(rows) // 3 :]), 1):
            (folder / f"{name}-{number}.csv").write_text("\n".join([head, *part]) + "\n")
        (folder / f"{name}.csv").unlink()
    for path in list((folder / "news").glob("*.xml")):
        text = path.read_text(encoding="utf-8")
        before, *items = text.split("<item>")
        items = [item.split("</item>")[0] for item in items]
        rng.shuffle(items)
        for number, part in enumerate((items[::2], items[1::2]), 1):
            body = before + "".join(f"<item>{item}</item>" for item in part) + "</channel></rss>"
            path.with_name(f"{path.stem}-{number}.xml").write_text(body, encoding="utf-8")
        path.unlink()
    page = json.loads((folder / "status" / "claude.json").read_text())
    rng.shuffle(page["incidents"])
    for number, part in enumerate((page["incidents"][:10], page["incidents"][10:]), 1):
        (folder / "status" / f"part-{number}.json").write_text(json.dumps({**page, "incidents": part}))
    (folder / "status" / "claude.json").unlink()
    return folder


@pytest.mark.slow
def test_two_fresh_replays_are_equal(day: Day, tmp_path: Path) -> None:
    folder, result = day
    _, other = replay_in_a_process(cut_and_shuffled(tmp_path / "mixed"), tmp_path / "b.db", *SPAN)
    assert other == result
    one, two = dump(folder / "a.db"), dump(tmp_path / "b.db")
    assert {t for t in one if one[t] != two[t]} == set()
    for a, b in zip(sorted((folder / "a-mail").glob("*")), sorted((tmp_path / "b-mail").glob("*")), strict=True):
        assert a.read_bytes() == b.read_bytes()


@pytest.mark.slow
def test_the_whole_week(tmp_path: Path) -> None:
    code, result = replay(
        SCENARIO, tmp_path / "w.db", "2026-02-27T00:00:00Z", "2026-03-04T23:55:00Z", "--step", "15min"
    )
    assert code == 0
    assert 3 <= len(mails_of(result, "2026-03-02")) <= 6
    days = Counter(alert["at"][:10] for alert in result["alerts"])
    # at this step the message that the incident of 2 March is over falls on midnight, so on 3 March
    days["2026-03-03"] -= sum(alert["at"] == "2026-03-03T00:00:00Z" for alert in result["alerts"])
    assert max(days.values()) <= 6
    assert len(result["alerts"]) <= 22
    with Store(tmp_path / "w.db") as store:
        sent = [alert for alert in alerts_of(store) if alert.incident]
    assert len(sent) == len(result["alerts"])
    assert [line for alert in sent for line in contradictions(alert)] == []
    scores = result["scores"]
    assert scores["notices"] == 19
    warnings = [utc(alert["at"]) for alert in result["alerts"] if alert["transition"] not in ("over", "easing")]
    for notice in scores["by_notice"]:
        # soon, or fresh enough to say as much
        posted = utc(notice["posted"])
        if notice["notice"] == "0xc7ybw5wd3x":
            continue  # it lasted twelve minutes, and was over in the first run after it: nothing was worse again
        assert any(-60 <= minutes_between(posted, at) <= 35 for at in warnings), notice
    told = [i for i in result["incidents"] if i["first_alert_at"]]
    assert {i["service"] for i in told} == {"claude"}, "nothing else broke"
    assert all(i["official_first_at"] for i in told), "no alert without an official incident in the end"
    for posted, bump in (
        ("2026-02-27T12:59:33Z", "2026-02-27T12:51:00Z"),
        ("2026-02-28T12:57:17Z", "2026-02-28T12:49:00Z"),
    ):
        mine = [i for i in told if i["onset"] <= posted <= (i["end"] or "9")]
        assert len(mine) == 1
        assert minutes_between(utc(bump), utc(mine[0]["first_alert_at"])) <= 30
    assert [i["onset"][:10] for i in told] == ["2026-02-27", "2026-02-28", "2026-03-02", "2026-03-03", "2026-03-04"]


def variant(folder: Path, *switches: str) -> Path:
    subprocess.run(
        [sys.executable, str(SCENARIO / "generator" / "generate.py"), "--out", str(folder), *switches],
        check=True,
        timeout=300,
    )
    return begun_later(folder, "2026-02-22")  # a week of history is enough here, and lets many variants be tried


def begun_later(folder: Path, day: str) -> Path:
    """Let a scenario begin on another day, which leaves out what was before."""
    head = folder / "scenario.toml"
    head.write_text(head.read_text().replace("start = 2026-02-16", f"start = {day}"))
    assert f"start = {day}" in head.read_text()
    return folder


def first_alert(result: dict[str, Any], service: str, after: str) -> str | None:
    return next((a["at"] for a in result["alerts"] if a["service"] == service and a["at"] >= after), None)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, int(os.environ.get("SEEDS", "2")) + 1))
def test_seeds_with_and_without_the_outage(tmp_path: Path, seed: int) -> None:
    quiet = variant(tmp_path / "q", "--seed", str(seed), "--no-outage")
    _, nothing = replay(quiet, tmp_path / "q.db", "2026-03-02T00:00:00Z", "2026-03-02T23:50:00Z", "--step", "10min")
    assert mails_of(nothing, "2026-03-02") == []
    moved = variant(tmp_path / "m", "--seed", str(seed), "--shift", "-21")
    _, shifted = replay(moved, tmp_path / "m.db", "2026-03-01T13:30:00Z", "2026-03-01T16:00:00Z")
    base = variant(tmp_path / "b", "--seed", str(seed))
    _, usual = replay(base, tmp_path / "b.db", "2026-03-02T10:30:00Z", "2026-03-02T12:10:00Z")
    first = first_alert(usual, "claude", "2026-03-02T10:30:00Z")
    assert first is not None
    assert "2026-03-02T11:37:00Z" < first <= "2026-03-02T11:45:00Z"
    again = first_alert(shifted, "claude", "2026-03-01T13:30:00Z")
    assert again is not None
    assert abs((utc(again) - utc(first)) - timedelta(hours=-21)) <= timedelta(minutes=10)


@pytest.mark.slow
def test_another_service_has_the_same_story(tmp_path: Path) -> None:
    span = ("2026-03-02T10:30:00Z", "2026-03-02T13:00:00Z")
    recorded = shutil.copytree(SCENARIO, tmp_path / "c", ignore=shutil.ignore_patterns("generator"))
    _, claude = replay(begun_later(recorded, "2026-02-22"), tmp_path / "c.db", *span)
    _, mistral = replay(variant(tmp_path / "m", "--service", "mistral"), tmp_path / "m.db", *span)

    def of_the_day(result: dict[str, Any], service: str) -> list[tuple[str, str]]:
        return [
            (i["onset"], i["state"]) for i in result["incidents"] if i["service"] == service and i["official_first_at"]
        ]

    ours, theirs = of_the_day(claude, "claude"), of_the_day(mistral, "mistral")
    assert len(ours) == len(theirs)
    for (one, state), (two, other) in zip(ours, theirs, strict=True):
        assert abs(minutes_between(utc(one), utc(two))) <= 30
        assert state == other


def test_the_views_answer_what_the_generator_knows(day: Day) -> None:
    conn = sqlite3.connect(day[0] / "a.db")
    truth = tomllib.loads((SCENARIO / "truth.toml").read_text())
    made = next(t for t in truth["incident"] if str(t["official"]) == "0ghc53zpsfmt")

    def ask(sql: str) -> list[Any]:
        return conn.execute(sql).fetchall()

    (now,) = ask("SELECT service, onset, official_first_at FROM what_is_wrong_now")
    assert now[0] == "Claude"
    assert abs(minutes_between(made["onset"], utc(now[1]))) <= 3
    assert utc(now[2]) == made["official_first"]
    # counts by the hour: those of the file
    counted: dict[tuple[str, str], int] = {}
    for row in csv_rows(SCENARIO / "complaints.csv"):
        if not row["region"] and not row["indicator"] and row["start_utc"] < "2026-03-02T13:00":
            key = (row["service"], row["start_utc"][:13] + ":00:00Z")
            counted[key] = counted.get(key, 0) + int(row["total"])
    assert {
        (s, h): n
        for s, h, n in ask("SELECT service, hour, complaints FROM complaints_by_hour WHERE hour < '2026-03-02T13'")
    } == counted
    # what the page said when, and what it listed: those of the record
    told = [
        r
        for r in csv_rows(SCENARIO / "generator" / "official_updates.csv")
        if r["incident"] == "0ghc53zpsfmt" and r["displayed_at"] <= "2026-03-02T13:44"
    ]
    assert ask("SELECT displayed_at, status FROM official_updates WHERE incident_id = '0ghc53zpsfmt' ORDER BY 1") == [
        (r["displayed_at"], r["status"]) for r in told
    ]
    api = [(r["displayed_at"], re.search(r"Claude API[^|]*>(\w+)", r["components"])) for r in told]
    failing = [(at, found[1] != "operational") for at, found in api if found]
    turns = [
        at for (at, fails), before in zip(failing, [False, *(f for _, f in failing)], strict=False) if fails != before
    ]
    spans = ask(
        "SELECT since, until FROM which_component WHERE component = 'Claude API' AND said_by = 'official' "
        "AND since >= '2026-03-02T11' ORDER BY 1"
    )
    assert [moment for span in spans for moment in span if moment] == turns
    (row,) = ask("SELECT lead_minutes, first_alert_at FROM incident_overview WHERE onset >= '2026-03-02T11'")
    first = mails_of(day[1], "2026-03-02")[0]["at"]
    assert row == (round(minutes_between(utc(first), made["official_first"]), 1), first)
    ranks = {
        (r["observed_utc"], r["app"]): int(r["rank"])
        for r in csv_rows(SCENARIO / "charts.csv")
        if r["observed_utc"] <= "2026-03-02T13:00"
    }
    assert {
        (at, app): rank
        for app, at, rank in ask("SELECT app, observed, rank FROM chart_history WHERE observed <= '2026-03-02T13:00'")
    } == ranks
    written = {
        json.loads(line)["name"]
        for line in zstandard.ZstdDecompressor()
        .stream_reader((SCENARIO / "posts.ndjson.zst").read_bytes())
        .read()
        .splitlines()
    }
    assert {f"{r[0]}" for r in ask("SELECT native_id FROM posts")} <= written


ROUTES = """
watch = ["github", "netflix"]

[mail]
host = "127.0.0.1"
port = 1
sender = "from@example.org"
to = ["everyone@example.org"]

[alerts]
channels = ["email"]

[[alerts.routes]]
name = "video"
services = ["netflix"]
channels = ["email", "file"]
to = ["video@example.org"]

[[alerts.routes]]
name = "code"
services = ["github"]
"""


def test_a_replay_writes_the_message_of_every_route_as_a_file_and_sends_none(
    groundswell: Groundswell, tmp_path: Path
) -> None:
    write_recording(tmp_path / "recorded", ("github", "netflix"), 16, first_run=14)
    (tmp_path / "config.toml").write_text(ROUTES)
    done = groundswell("backtest", "recorded", "--config", "config.toml", "--db", "replay.db", "--keep")
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    files = {path: message_from_bytes(path.read_bytes()) for path in (tmp_path / "replay-mail").glob("*.eml")}
    written = {(path.name.split("-")[1], str(message["To"])) for path, message in files.items()}
    assert written == {("netflix", "video@example.org"), ("github", "everyone@example.org")}
    conn = sqlite3.connect(tmp_path / "replay.db")
    assert {row[0] for row in conn.execute("SELECT DISTINCT channel FROM alerts")} == {"file"}


def test_a_route_that_named_no_channel_of_its_own_still_names_none_in_a_replay() -> None:
    routes = (Route(name="own", channels=("email",)), Route(name="usual"))
    replayed = _to_files(Alerts(channels=("email",), routes=routes))
    assert replayed.channels == ("file",)
    assert [route.channels for route in replayed.routes] == [("file",), ()]
