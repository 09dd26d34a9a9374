"""`groundswell backtest DIR`: replay a recorded day through the same stages, with the messages it would have sent."""

from __future__ import annotations

import gc
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import click

from pipeline.commands.common import PARTIAL, Setting, common, open_store, parse_time, print_failures, run_lock
from pipeline.commands.terminal import printable
from pipeline.config.load import load_config
from pipeline.config.setting_values import parse_duration
from pipeline.config.settings import Alerts
from pipeline.core.errors import ConfigError
from pipeline.core.replay_result import ReplayResult
from pipeline.replay.results import result
from pipeline.replay.runner import FinerReplay, ReplayPlan, replay
from pipeline.replay.scenario import Scenario, read_scenario
from pipeline.replay.scenario_sources import load_recorded
from pipeline.replay.usable import usable

REFUSALS_PRINTED = 20  # rows, one by one; the rest are counted and kept in the table quarantine


def replay_scenario(
    plan: ReplayPlan, db: Path, mail: Path | None, *, progress: bool, finer: FinerReplay | None = None
) -> tuple[ReplayResult, int]:
    """Run a replay into `db`; return its result and an exit code.

    Troubles are reported on standard error. `mail` is the folder of the messages; None sends them nowhere. `finer` is
    a span of it that is replayed in smaller steps, too.
    """
    from tqdm import tqdm

    from pipeline.core.errors import StoreError
    from pipeline.notify.channels import Channel, build_channels
    from pipeline.notify.channels.file import NoChannel
    from pipeline.stages.pipeline import load_models

    sources, problems = load_recorded(plan.scenario, plan.config.catalogue)
    gc.freeze()  # the rows stay to the end: nobody need look through them for garbage again
    problems = [*plan.problems, *problems]
    notes = [note for source in sources for note in source.notes]
    refused = [f"{bad.where}: {bad.reason}" for source in sources for bad in source.rejected]
    for line in [*problems, *notes, *refused[:REFUSALS_PRINTED]]:
        click.echo(f"groundswell: {printable(line)}", err=True)
    channels: Mapping[str, Channel] = build_channels(plan.config, mail) if mail else {"file": NoChannel()}
    setting = Setting(config=plan.config, config_path=None, db=db, now=plan.until)
    bar = tqdm(total=None, disable=None if progress else True, desc="replay", unit="step")

    def advance(done: int, total: int) -> None:
        bar.total = total
        bar.update(done - bar.n)

    try:
        with run_lock(db), open_store(setting, durable=False) as store:
            troubles = replay(store, plan, sources, channels, load_models(), advance, finer)
            outcome = result(store, plan.scenario, plan.begin, plan.until)
    except OSError as error:
        raise StoreError(f"{db}: {error.strerror or error}") from error
    finally:
        bar.close()
    return outcome, max(print_failures(troubles), PARTIAL if problems else 0)


def plan_replay(
    setting: Setting,
    folder: Path,
    *,
    step: str | None = None,
    begin: str | None = None,
    until: str | None = None,
    every: bool = False,
    report: Path | None = None,
) -> ReplayPlan:
    """Read the scenario and the options into a plan; raises ConfigError."""
    scenario = read_scenario(folder)
    extra = folder / "services.toml"
    config = load_config(setting.config_path, extra=extra) if extra.exists() else setting.config
    named = scenario.watch
    scenario, problems = usable(scenario, config.catalogue)
    if named and not scenario.watch:
        raise ConfigError(f"{folder / 'scenario.toml'}: watch: the catalogue has none of {', '.join(named)}")
    if scenario.watch:
        # the recorded day says whom it is about; a configuration of one's own does not silence it
        config = replace(config, watch=scenario.watch)
    config = replace(config, alerts=_to_files(config.alerts))
    try:
        stride = parse_duration(step) if step else scenario.step
    except ValueError as error:
        raise ConfigError(f"--step: {error}") from error
    start = parse_time(begin, "--from") or _first_run(scenario)
    stop = parse_time(until, "--until") or scenario.end - scenario.step
    if not scenario.start <= start <= stop:
        raise ConfigError(f"--from and --until: need {scenario.start:%Y-%m-%d} <= from <= until")
    if stride < timedelta(seconds=10):
        raise ConfigError("--step: at least 10s")
    return ReplayPlan(
        scenario=scenario,
        config=config,
        begin=start,
        until=stop,
        step=stride,
        every=every,
        report=report,
        problems=tuple(problems),
    )


def _to_files(alerts: Alerts) -> Alerts:
    """Return the same rules and routes with every message written as a file: nothing of a replay leaves the machine."""
    routes = tuple(replace(r, channels=("file",) if r.channels else ()) for r in alerts.routes)
    return replace(alerts, channels=("file",), routes=routes)


def _first_run(scenario: Scenario) -> datetime:
    """Return when the first run is: as recorded, or chosen.

    Chosen is two thirds into the recording, or an hour before the first outage it knows of when that is earlier.
    """
    if scenario.first_run is not None:
        return scenario.first_run
    known = [outage.onset - timedelta(hours=1) for outage in scenario.truth.outages]
    return max(scenario.start, min([scenario.start + (scenario.end - scenario.start) * 2 / 3, *known]))


@click.command("backtest")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--step", help="Time between runs, such as 5min.  [default: the scenario's]")
@click.option(
    "--from",
    "begin",
    help="Time of the first run; everything before is loaded without alerts. Default: two thirds in, "
    "or before the first known outage.",
)
@click.option("--until", help="Time of the last run.")
@click.option(
    "--every-step",
    "every",
    is_flag=True,
    help="Also run the steps in which nothing is new, due or open: slower, with the same result.",
)
@click.option(
    "--keep",
    is_flag=True,
    help="Keep the result in the usual database; with --db FILE it is kept in FILE also without this.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON, schema 1.")
@common
def backtest_command(
    setting: Setting,
    folder: Path,
    step: str | None,
    begin: str | None,
    until: str | None,
    every: bool,
    keep: bool,
    as_json: bool,
) -> None:
    """Replay the recorded day in FOLDER."""
    chosen = click.get_current_context().get_parameter_source("db")
    keep = keep or chosen == click.core.ParameterSource.COMMANDLINE
    with tempfile.TemporaryDirectory() as scratch:
        db = setting.db if keep else Path(scratch) / "backtest.db"
        mail = setting.db.with_name(setting.db.stem + "-mail") if keep else None
        plan = plan_replay(setting, folder, step=step, begin=begin, until=until, every=every)
        outcome, code = replay_scenario(plan, db, mail, progress=not as_json)
    if as_json:
        click.echo(outcome.to_json())
    else:
        from pipeline.render.console import story

        click.echo(printable(story(outcome, plan.config.catalogue)))
    sys.exit(code)
