"""Steps of a replay that are left out change nothing: every table equals that of a replay that takes all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.backtest import load_models, replay
from pipeline.channels import build_channels
from pipeline.commands.backtest import plan
from pipeline.commands.common import Setting
from pipeline.config import load_config
from pipeline.sources.recorded import load_recorded
from pipeline.store import Store
from pipeline.times import utc
from tests.benchmarks.archives import write_recording
from tests.test_replay import dump

SERVICES = ("github", "netflix", "slack")


def recording(folder: Path, **more: str) -> Path:
    """Write a month of counts; `more` are further files by name."""
    write_recording(folder, SERVICES, 18, first_run=14)
    for name, text in more.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return folder


def told(folder: Path, db: Path, *, every: bool) -> int:
    """Replay a recording; return how many steps were taken."""
    setting = Setting(config=load_config(None), config_path=None, db=db, now=utc("2026-01-01T00:00:00Z"))
    todo = plan(setting, folder, step=None, begin=None, until=None, db=db, mail=db.with_suffix(".mail"))
    sources, problems = load_recorded(todo.scenario)
    assert not problems
    taken = []
    with Store(db, durable=False) as store:
        replay(
            store, todo.config, todo.scenario, sources, build_channels(todo.config, todo.mail), load_models(),
            begin=todo.begin, until=todo.until, step=todo.step, every=every, progress=lambda done, total: taken.append(done),
        )  # fmt: skip
    return len(taken)


def update(name: str, status: str, at: str) -> dict[str, Any]:
    return {"id": name, "incident_id": "n1", "status": status, "body": "words", "created_at": at, "updated_at": at, "display_at": at,
            "affected_components": []}  # fmt: skip


NOTICE = json.dumps({
    "page": {"id": "p", "name": "GitHub", "url": "https://www.githubstatus.com"},
    "incidents": [{
        "id": "n1", "name": "Trouble with pushes", "status": "resolved", "impact": "minor", "created_at": "2025-01-22T09:03:00Z",
        "updated_at": "2025-01-22T10:00:00Z", "resolved_at": "2025-01-22T10:00:00Z", "components": [],
        "incident_updates": [update("u2", "resolved", "2025-01-22T10:00:00Z"), update("u1", "investigating", "2025-01-22T09:03:00Z")],
    }],
})  # fmt: skip
NEWS = "\n".join(
    json.dumps({"source": "feeds", "native_id": f"n{n}", "outlet": f"d{n}", "published": "2025-01-21T08:00:00Z", "collected": "2025-01-21T08:05:00Z", "title": words, "summary": "", "url": f"https://x.example/{n}"})
    for n, words in enumerate(["Netflix is down for thousands of users", "A minister bans Netflix from schools"])
)  # fmt: skip
CHARTS = "observed_utc,store,country,chart,rank,app\n2025-01-20T06:00:00Z,apple,us,top-free,40,Netflix\n2025-01-22T06:00:00Z,apple,us,top-free,1,Netflix\n"
# three hours late: judged again from midnight on
TARDY = "file,key,collected_utc,source,window,other\ncomplaints.csv,slack///2025-01-22T12:00:00Z/900,2025-01-22T15:20:00Z,complaints,interval,\n"
LATE = "service,start_utc,interval_s,total,indicator\n" + "".join(
    f"discord,2025-01-22T{n // 4:02d}:{n % 4 * 15:02d}:00Z,900,{6 if n < 60 else 90},login\n" for n in range(40, 72)
)
POSTS = "\n".join(
    json.dumps({"id": f"p{n}", "title": "spotify is down, cannot log in", "selftext": f"since {n} minutes", "author": f"u{n}", "subreddit": "spotify",
                "created_utc": int(utc("2025-01-23T15:00:00Z").timestamp()) + 20 * n}) for n in range(12)
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("more", [
    {}, {"status__github_json": NOTICE, "news__a_ndjson": NEWS, "charts_csv": CHARTS, "complaints-2_csv": LATE, "posts_ndjson": POSTS},
    {"collected_csv": TARDY},
], ids=["counts", "notices, news, charts, posts, a new series", "a late count"])  # fmt: skip
def test_leaving_out_quiet_steps_changes_nothing(tmp_path: Path, more: dict[str, str]) -> None:
    folder = recording(tmp_path / "recording", **more)
    taken = told(folder, tmp_path / "some.db", every=False)
    steps = told(folder, tmp_path / "all.db", every=True)
    assert steps == 4 * 96
    assert taken < 0.8 * steps or "collected_csv" in more
    some, every = dump(tmp_path / "some.db"), dump(tmp_path / "all.db")
    assert len(every["incidents"]) >= len(SERVICES)
    assert {table for table in every if some[table] != every[table]} == set()
    names = {path.name for path in (tmp_path / "all.mail").iterdir()}
    assert len(names) >= len(SERVICES)
    assert {path.name for path in (tmp_path / "some.mail").iterdir()} == names
    if "posts_ndjson" in more:
        assert some["post_tags"]
        assert any("discord" in str(row) for row in some["verdicts"])
