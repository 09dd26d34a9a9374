"""A scenario folder with mistakes in it: a line for each, no traceback, and the rest is replayed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from pipeline.commands.backtest import plan_replay, replay_scenario
from pipeline.commands.common import Setting
from pipeline.config.load import load_config
from pipeline.core.errors import ConfigError
from pipeline.core.replay_result import ReplayResult
from pipeline.core.times import utc
from tests.conftest import Groundswell

HEAD = """
name = "bad"
start = 2026-03-02T00:00:00Z
first_run = 2026-03-02T10:00:00Z
end = 2026-03-02T14:00:00Z
step = "30min"
watch = {watch}
"""
TRUTH = """
[[incident]]
service = "github"
onset = 2026-03-02T11:00:00Z

[[incident]]
service = "github"
onset = 2026-03-02T11:00:00Z

[[incident]]
service = "github"
onset = 2026-03-02T12:00:00Z
end = 2026-03-02T11:00:00Z

[[incident]]
service = "nosuch"
onset = 2026-03-02T11:00:00Z
end = 2026-03-02T12:00:00Z

[[quiet]]
service = "netflix"
from = "soon"
until = 2026-03-02T12:00:00Z
"""
UPDATE = {
    "id": "u",
    "status": "investigating",
    "body": "We look into it.",
    "created_at": "2026-03-02T11:05:00Z",
    "updated_at": "2026-03-02T11:05:00Z",
    "display_at": "2026-03-02T11:05:00Z",
    "affected_components": None,
}
NOTICE = {"id": "n", "name": "trouble", "status": "investigating", "impact": "major", "incident_updates": [UPDATE]}


def folder(place: Path, watch: str = '["github", "nosuch", "github", "netflix"]') -> Path:
    (place / "scenario.toml").write_text(HEAD.format(watch=watch))
    (place / "truth.toml").write_text(TRUTH)
    rows = [f"github,2026-03-02T{n // 4:02d}:{n % 4 * 15:02d}:00Z,900,{n % 3}" for n in range(40)]
    rows = [*rows[:10], *rows[20:22], *rows[10:20], *rows[22:]]
    rows += ["claud,2026-03-02T05:00:00Z,900,7", "claud,2026-03-02T05:15:00Z,900,7"]
    (place / "complaints.csv").write_text("\n".join(["service,start_utc,interval_s,total", *rows, ""]))
    (place / "status").mkdir()
    page = {"page": {"name": "GitHub", "url": "https://www.githubstatus.com"}, "incidents": [NOTICE]}
    (place / "status" / "github.json").write_text(json.dumps(page))
    return place


def replayed(place: Path) -> tuple[ReplayResult, int]:
    db = place / "bad.db"
    setting = Setting(config=load_config(None), config_path=None, db=db, now=utc("2026-11-01T00:00:00Z"))
    return replay_scenario(plan_replay(setting, place), db, None, progress=False)


def test_each_mistake_is_a_line_and_the_rest_is_replayed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outcome, code = replayed(folder(tmp_path))
    lines = capsys.readouterr().err.splitlines()
    for words in (
        "scenario.toml: watch: nosuch is not in the catalogue; left out",
        "scenario.toml: watch: github is named 2 times",
        "truth.toml: incident 1: end: is missing; taken for 2026-03-02 14:00 UTC",
        "truth.toml: incident 2: is the same as an earlier one; left out",
        "truth.toml: incident 3: end: lies before onset; left out",
        "truth.toml: nosuch is not in the catalogue; left out",
        "truth.toml: quiet 1: from: ",
        "complaints.csv: 2 counts of 'claud', which is not in the catalogue; is it in the configuration of",
        " recording? name that with --config",
        "complaints.csv: the clock runs backwards once, first from 2026-03-02T05:30:00Z to 2026-03-02T02:45:00Z",
    ):
        assert sum(words in line for line in lines) == 1, (words, lines)
    assert code == 3
    assert [(o.service, o.minutes) for o in outcome.scores.by_outage] == [("github", 30.0)], "the notice has no end"
    assert outcome.incidents[-1].end is None


@pytest.mark.parametrize(
    ("line", "instead", "words"),
    [
        ("end = 2026-03-02T14:00:00Z", "end = 9999-12-31T23:59:59Z", "start and end: must lie between 2000 and 2100"),
        ("start = 2026-03-02T00:00:00Z", "start = 0001-01-01T00:00:00Z", "start and end: must lie between"),
        ('step = "30min"', 'step = "999999999999d"', "'999999999999d' is not a duration"),
        ('step = "30min"', 'step = "0min"', "at least 10s"),
        ('step = "30min"', "publication_delay = {posts = 1e400}", "inf is not a duration"),
        ('step = "30min"', "step = " + "9" * 5000, "cannot be read: Exceeds the limit"),
        ('watch = ["github"]', 'watch = ["../../etc/passwd"]', "the catalogue has none of ../../etc/passwd"),
    ],
)
def test_a_scenario_of_impossible_numbers_or_names_is_one_line(
    tmp_path: Path, line: str, instead: str, words: str
) -> None:
    place = folder(tmp_path, '["github"]')
    head = (place / "scenario.toml").read_text()
    assert line in head
    (place / "scenario.toml").write_text(head.replace(line, instead))
    with pytest.raises(ConfigError, match=re.escape(words)):
        replayed(place)


def test_a_scenario_s_name_names_no_file_and_steers_no_terminal(groundswell: Groundswell, tmp_path: Path) -> None:
    place = tmp_path / "day"
    place.mkdir()
    head = (folder(place, '["github"]') / "scenario.toml").read_text()
    (place / "truth.toml").unlink()
    hostile = head.replace('name = "bad"', 'name = "../../up\\u001b[2J"\nsimulated = true\nnote = "\\u001b]0;x\\u0007"')
    (place / "scenario.toml").write_text(hostile)
    before = set(tmp_path.parent.rglob("*"))
    done = groundswell("backtest", "day", "--db", "x.db")
    assert done.returncode == 3
    assert not [c for c in done.stdout + done.stderr if c < " " and c != "\n"]
    for command in (("status",), ("incidents", "--since", "2026-01-01"), ("publish",)):
        shown = groundswell(*command, "--db", "x.db", "--now", "2026-03-02T14:00:00Z")
        assert not [c for c in shown.stdout + shown.stderr if c < " " and c != "\n"], command
    assert all(path.is_relative_to(tmp_path) for path in set(tmp_path.parent.rglob("*")) - before)


@pytest.mark.parametrize(
    ("watch", "words"),
    [('["nosuch"]', "the catalogue has none of nosuch"), ('"github"', "must be a list"), ("3", "must be a list")],
)
def test_a_scenario_about_nothing_known_is_one_line(tmp_path: Path, watch: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        replayed(folder(tmp_path, watch))
