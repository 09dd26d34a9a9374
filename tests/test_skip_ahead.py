"""Steps of a replay that are left out change nothing: every table equals that of a replay that takes all."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.commands.backtest import plan_replay
from pipeline.commands.common import Setting
from pipeline.config.load import load_config
from pipeline.core.times import iso, utc
from pipeline.notify.channels import build_channels
from pipeline.replay.runner import replay
from pipeline.replay.scenario_sources import load_recorded
from pipeline.stages.pipeline import load_models
from pipeline.store import Store
from tests.benchmarks.archives import write_recording
from tests.replays import dump

SERVICES = ("github", "netflix", "slack")


def recording(folder: Path, outages: int, **more: str) -> Path:
    """Write eighteen days of counts; `more` are further files by name."""
    write_recording(folder, SERVICES, 18, first_run=14, outages=outages)
    for name, text in more.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return folder


def told(folder: Path, db: Path, *, every: bool, step: str | None = None) -> int:
    """Replay a recording; return how many steps were taken."""
    setting = Setting(config=load_config(None), config_path=None, db=db, now=utc("2026-01-01T00:00:00Z"))
    plan = plan_replay(setting, folder, step=step, every=every)
    sources, problems = load_recorded(plan.scenario)
    assert not problems
    taken: list[int] = []
    with Store(db, durable=False) as store:
        channels = build_channels(plan.config, db.with_suffix(".mail"))
        replay(store, plan, sources, channels, load_models(), lambda done, total: taken.append(done))
    return len(taken)


def update(name: str, status: str, at: str, displayed: str = "") -> dict[str, Any]:
    return {
        "id": name,
        "incident_id": "n1",
        "status": status,
        "body": "words",
        "created_at": at,
        "updated_at": at,
        "display_at": displayed or at,
        "affected_components": [],
    }


def page(*updates: dict[str, Any]) -> str:
    """Make a status page of one incident, newest update first."""
    first, last = updates[-1]["created_at"], updates[0]["created_at"]
    return json.dumps(
        {
            "page": {"id": "p", "name": "GitHub", "url": "https://www.githubstatus.com"},
            "incidents": [
                {
                    "id": "n1",
                    "name": "Trouble with pushes",
                    "status": "resolved",
                    "impact": "minor",
                    "created_at": first,
                    "updated_at": last,
                    "resolved_at": last,
                    "components": [],
                    "incident_updates": list(updates),
                }
            ],
        }
    )


NOTICE = page(update("u2", "resolved", "2025-01-22T10:00:00Z"), update("u1", "investigating", "2025-01-22T09:03:00Z"))
BACKDATED = page(
    update("u2", "resolved", "2025-01-22T20:00:00Z", "2025-01-22T10:00:00Z"),
    update("u1", "investigating", "2025-01-22T20:00:00Z", "2025-01-22T09:03:00Z"),
)
NEWS = "\n".join(
    json.dumps(
        {
            "source": "feeds",
            "native_id": f"n{n}",
            "outlet": f"d{n}",
            "published": "2025-01-21T08:00:00Z",
            "collected": "2025-01-21T08:05:00Z",
            "title": words,
            "summary": "",
            "url": f"https://x.example/{n}",
        }
    )
    for n, words in enumerate(["Netflix is down for thousands of users", "A minister bans Netflix from schools"])
)
CHARTS = (
    "observed_utc,store,country,chart,rank,app\n2025-01-20T06:00:00Z,apple,us,top-free,40,Netflix\n"
    "2025-01-22T06:00:00Z,apple,us,top-free,1,Netflix\n"
)
# three hours late: judged again from midnight on
TARDY = (
    "file,key,collected_utc,source,window,other\n"
    "complaints.csv,slack///2025-01-22T12:00:00Z/900,"
    "2025-01-22T15:20:00Z,complaints,interval,\n"
)
LATE = "service,start_utc,interval_s,total,indicator\n" + "".join(
    f"discord,2025-01-22T{n // 4:02d}:{n % 4 * 15:02d}:00Z,900,{6 if n < 60 else 90},login\n" for n in range(40, 72)
)


def posts(service: str, at: str) -> str:
    """Make a dozen posts, twenty seconds apart."""
    first = int(utc(at).timestamp())
    return (
        "\n".join(
            json.dumps(
                {
                    "id": f"{service}{n}",
                    "title": f"{service} is down, cannot log in",
                    "selftext": f"since {n} minutes",
                    "author": f"u{n}",
                    "subreddit": "x",
                    "created_utc": first + 20 * n,
                }
            )
            for n in range(12)
        )
        + "\n"
    )


POSTS = posts("spotify", "2025-01-23T15:00:00Z")
TWICE = posts("spotify", "2025-01-20T10:00:00Z") + posts("discord", "2025-01-23T15:00:00Z")
BINS = [iso(utc("2025-01-20T00:00:00Z") + timedelta(minutes=15 * n)) for n in range(300)]
SECOND = [("netflix", at) for at in BINS] + [
    ("slack", at) for at in BINS[220:]
]  # one of them begins later than the source
OTHER = {
    "complaints-2_csv": "service,start_utc,interval_s,total\n" + "".join(f"{name},{at},900,3\n" for name, at in SECOND),
    "collected_csv": "file,key,collected_utc,source,window,other\n"
    + "".join(
        f"complaints-2.csv,{name}///{at}/900,{iso(utc(at) + timedelta(minutes=17))},other,interval,\n"
        for name, at in SECOND
    ),
}
CASES: dict[str, tuple[int, str | None, dict[str, str]]] = {
    "counts": (1, None, {}),
    "notices, news, charts, posts, a new series": (
        1,
        None,
        {
            "status__github_json": NOTICE,
            "news__a_ndjson": NEWS,
            "charts_csv": CHARTS,
            "complaints-2_csv": LATE,
            "posts_ndjson": POSTS,
        },
    ),
    "a late count": (1, None, {"collected_csv": TARDY}),
    "a notice of the morning told in the evening": (0, None, {"status__github_json": BACKDATED}),
    "another service spoken of after days of silence": (0, None, {"posts_ndjson": TWICE}),
    "a second source, steps narrower than bins": (0, "5min", OTHER),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_leaving_out_quiet_steps_changes_nothing(tmp_path: Path, case: str) -> None:
    outages, step, more = CASES[case]
    folder = recording(tmp_path / "recording", outages, **more)
    taken = told(folder, tmp_path / "some.db", every=False, step=step)
    steps = told(folder, tmp_path / "all.db", every=True, step=step)
    assert steps == 4 * 96 * (3 if step else 1) - (2 if step else 0)
    # a late count changes what was judged: then every step with counts is taken
    assert taken == steps if case == "a late count" else taken < 0.8 * steps
    some, every = dump(tmp_path / "some.db"), dump(tmp_path / "all.db")
    assert {table for table in every if some[table] != every[table]} == set()
    mails = {path.name: path.read_bytes() for path in (tmp_path / "all.mail").glob("*.eml")}
    assert {path.name: path.read_bytes() for path in (tmp_path / "some.mail").glob("*.eml")} == mails
    assert len(mails) >= len(SERVICES) * outages
    assert len(every["incidents"]) >= len(SERVICES) * outages
    if "posts_ndjson" in more:
        assert every["post_tags"]
    if "complaints-2_csv" in more:
        assert any(name in str(row) for row in every["verdicts"] for name in ("discord", "other"))


@pytest.mark.slow
def test_beside_what_was_judged_before_every_step_is_taken(tmp_path: Path) -> None:
    folder = recording(tmp_path / "recording", 0)
    assert told(folder, tmp_path / "a.db", every=False) < 60
    assert told(folder, tmp_path / "a.db", every=False) == 4 * 96
