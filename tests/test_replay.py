"""The recorded day end to end: which message is sent when, what it says, and what the views answer."""

from __future__ import annotations

import json
import re
import sqlite3
import tomllib
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import zstandard

from pipeline.commands.backtest import _to_files
from pipeline.config.load import load_config
from pipeline.config.settings import Alerts, Route
from pipeline.core.times import minutes_between, utc
from pipeline.evaluation import csv_rows
from pipeline.reports.decision_trace import decision_trace
from pipeline.store import Store
from tests.benchmarks.archives import write_recording
from tests.conftest import SCENARIO, Day, Groundswell
from tests.replays import mails_of

OFFICIAL = "2026-03-02T11:49:20Z"


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
