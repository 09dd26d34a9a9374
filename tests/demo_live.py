"""The recorded day once more, through the real clients: what `make demo-live` runs.

Stand-ins of Reddit, Downdetector, the status page, the feeds and the charts serve the recorded day on loopback, each
with its clock; the pipeline steps through 2 March 2026 and asks them over real sockets. Then three things are
compared: the incidents with those of the replay, and the mails with those of a recording of this very run, replayed.
Exit code 1 when they differ.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tqdm import tqdm

from pipeline.commands.backtest import plan_replay, replay_scenario
from pipeline.commands.common import Setting
from pipeline.config.load import load_config
from pipeline.config.paths import DASHBOARDS
from pipeline.config.settings import Config
from pipeline.core.records import ComplaintCount, Run
from pipeline.core.replay_result import AlertResult, IncidentResult, ReplayResult
from pipeline.core.times import iso, iso_or_none, utc
from pipeline.http.session import HttpClient
from pipeline.notify.channels import build_channels
from pipeline.replay.recorded_source import RecordedSource
from pipeline.replay.recorder import record
from pipeline.replay.results import result
from pipeline.replay.scenario import read_scenario
from pipeline.replay.scenario_sources import load_recorded
from pipeline.sources import build_sources
from pipeline.stages.collect import collect_all
from pipeline.stages.pipeline import Pipeline, load_models
from pipeline.store import Store
from pipeline.store.observations import save_batch
from pipeline.store.runs import mark_simulated, record_run
from tests.conftest import SCENARIO
from tests.copies import replace
from tests.fakes.__main__ import KINDS
from tests.fakes.recording import Recording
from tests.upstreams import KEYS

SERVED = ("reddit", "statuspage", "downdetector", "feeds", "charts")
STEP = timedelta(minutes=5)


@dataclass(frozen=True)
class Outcome:
    """What came of a live run."""

    result: ReplayResult
    troubles: list[Run]
    requests: dict[str, int]
    replayed: ReplayResult


def _config(urls: dict[str, str], recording: Recording, salt: str) -> Config:
    config = load_config(None, {**KEYS, "GROUNDSWELL_AUTHOR_SALT": salt})
    scenario = recording.scenario
    assert scenario is not None
    communities = {str(post["subreddit"]) for post in recording.posts(scenario.end)}
    sources = replace(
        config.sources,
        reddit_base=urls["reddit"],
        statuspage_base=urls["statuspage"],
        downdetector_base=f"{urls['downdetector']}/v2",
        charts_base=urls["charts"],
        feeds=tuple(f"{urls['feeds']}/{name}.xml" for name in recording.feeds()),
        charts=("us",),
        communities=tuple(sorted(communities)),
        downdetector_countries=("US",),
        news_desks=False,
        google_news=False,
        hacker_news=False,
        downstatus=False,
        bluesky=False,
        allow_hosts=("127.0.0.1",),
    )
    # the recording has one status page; the others' are nobody's fault
    catalogue = {
        name: replace(service, status_format="statuspage" if name == "claude" else "none")
        for name, service in config.catalogue.items()
    }
    alerts = replace(config.alerts, channels=("file",))
    return replace(config, watch=scenario.watch, sources=sources, catalogue=catalogue, alerts=alerts)


def _with_alerts(config: Config, alerts: Mapping[str, Any] | None) -> Config:
    return replace(config, alerts=replace(config.alerts, **dict(alerts or {})))


def _history(folder: Path, begin: datetime) -> list[RecordedSource]:
    """Return the days before as a user would import them: posts and counts; other sources serve their own past."""
    scenario = read_scenario(folder)
    sources, _ = load_recorded(scenario)
    found = [source for source in sources if source.name == "reddit"]
    for source in sources:
        if source.name == "complaints":
            rows = [
                (public, replace(row, source="downdetector") if isinstance(row, ComplaintCount) else row)
                for public, row in source.rows()
            ]
            found.append(RecordedSource(source.name, scenario, source.kind, rows, []))
    return found


def run_live(
    folder: Path,
    out: Path,
    begin: datetime,
    until: datetime,
    *,
    progress: bool,
    alerts: Mapping[str, Any] | None = None,
) -> Outcome:
    """Step the pipeline through [begin, until] against stand-ins, record it, replay the recording.

    `alerts` are settings of the table [alerts], the same for both. The databases stay: groundswell.db and replayed.db.
    """
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    recording = Recording(folder)
    scenario = recording.scenario
    assert scenario is not None
    troubles: list[Run] = []
    with ExitStack() as stack:
        fakes = {kind: KINDS[kind](recording).start() for kind in SERVED}
        for fake in fakes.values():
            stack.callback(fake.close)
        config = _config({kind: fake.url for kind, fake in fakes.items()}, recording, scenario.name)
        config = _with_alerts(config, alerts)
        store = stack.enter_context(Store(out / "groundswell.db", views=DASHBOARDS / "views.sql", durable=False))
        store.put_catalogue(config.catalogue, config.watched)
        mark_simulated(store, scenario.note)

        def collect(store: Store, now: datetime, since: datetime | None) -> list[Run]:
            # a fetcher a run, as cron has it: nothing is kept but what the database remembers
            return collect_all(
                store, build_sources(config, HttpClient(allow=config.sources.allow_hosts), None), now, deadline=30.0
            )

        pipeline = Pipeline(
            store=store,
            config=config,
            models=load_models(),
            channels=lambda: build_channels(config, out / "mail"),
            collect=collect,
            alerting_since=begin,
        )
        for source in _history(folder, begin):
            # an import, not a source that is read: nobody waits for its next answer
            past = source.fetch(scenario.start, begin, {})
            new = save_batch(store, past, begin)
            record_run(
                store,
                Run(
                    stage="import",
                    subject=past.source,
                    started=begin,
                    outcome=past.outcome,
                    seen=len(past.rows),
                    new=new,
                    covered=past.covered,
                ),
            )
        now = begin
        with tqdm(
            total=int((until - begin) / STEP) + 1, disable=None if progress else True, desc="live", unit="run"
        ) as bar:
            while now <= until:
                for fake in fakes.values():
                    fake.now = now
                runs = pipeline.run(now)
                troubles += [run for run in runs if run.outcome in ("error", "blocked") or run.rejected]
                now += STEP
                bar.update()
        told = result(store, scenario, begin, until)
        record(store, out / "recorded", scenario.start, until, name=scenario.name, watch=scenario.watch, simulated=True)
        requests = {kind: len(fake.requests) for kind, fake in fakes.items()}
    same = _with_alerts(load_config(None, {}), alerts)
    setting = Setting(config=same, config_path=None, db=out / "replayed.db", now=until)
    plan = plan_replay(setting, out / "recorded")
    replayed, _ = replay_scenario(plan, setting.db, out / "replayed-mail", progress=progress)
    return Outcome(told, troubles, requests, replayed)


def of_day(result: ReplayResult, begin: datetime, until: datetime) -> tuple[list[IncidentResult], list[AlertResult]]:
    """Return a result's incidents that began in a span, and the mails sent in it, their incidents left out."""
    incidents = [incident for incident in result.incidents if begin <= incident.onset < until]
    alerts = [replace(alert, incident="") for alert in result.alerts if begin <= alert.at < until]
    return incidents, alerts


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.demo_live", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/demo-live"))
    parser.add_argument("--from", dest="begin", default="2026-03-02T00:00:00Z")
    parser.add_argument("--until", default="2026-03-03T00:00:00Z")
    parser.add_argument("--demo", type=Path, default=Path("out/demo/groundswell.db"), help="the replay to compare with")
    options = parser.parse_args()
    begin, until = utc(options.begin), utc(options.until)
    live = run_live(SCENARIO, options.out, begin, until, progress=True)
    with Store(options.demo) as store:
        demo = result(store, read_scenario(SCENARIO), begin, until)
    print(
        f"asked over real sockets: {', '.join(f'{kind} {n}' for kind, n in live.requests.items())}; "
        f"troubles: {len(live.troubles)}"
    )
    for run in live.troubles[:5]:
        print(f"  {run.subject}: {run.error}")
    mine, mails = of_day(live.result, begin, until)
    theirs, their_mails = of_day(demo, begin, until)
    again, again_mails = of_day(live.replayed, begin, until)
    for incident in mine:
        print(
            f"  {iso(incident.onset)}  {incident.service:<8} {incident.state:<9} "
            f"first alert {iso_or_none(incident.first_alert_at) or '-'}"
        )
    for alert in mails:
        print(f"  {iso(alert.at)}  {alert.transition:<15} {alert.subject}")
    same = {
        f"{len(mine)} incidents equal those of the demo": mine == theirs,
        f"{len(mails)} mails equal those of the demo": mails == their_mails,
        "the recording of this run, replayed, gives the same incidents": again == mine,
        "and the same mails, to the minute": again_mails == mails,
    }
    for words, holds in same.items():
        print(f"{'yes' if holds else 'NO '}  {words}")
    (options.out / "result.json").write_text(live.result.to_json(), encoding="utf-8")
    sys.exit(0 if all(same.values()) else 1)


if __name__ == "__main__":
    main()
