"""`groundswell bench DIR…`: score Groundswell, published rules and files of alerts on recorded days, by one scorer."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import click

from pipeline.commands.backtest import plan_replay, replay_scenario
from pipeline.commands.common import PARTIAL, Setting, common
from pipeline.config.paths import SCENARIOS
from pipeline.core.errors import ConfigError
from pipeline.core.incidents import Advisory
from pipeline.evaluation.days import surges
from pipeline.evaluation.days.counts_only import write_folders
from pipeline.evaluation.days.days import LoadedDay, load_day
from pipeline.evaluation.days.entries import AlertEntry, read_entries, write_entries
from pipeline.evaluation.days.scoring import Group, score_day
from pipeline.evaluation.days.summary import SystemFigures, summarize, table, to_json
from pipeline.sources.delimited import must_be_readable

OWN = "Groundswell"


@click.command("bench")
@click.argument("folders", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--alerts",
    "files",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Alerts of a system, one JSON object per line; its row has the file's name. Repeatable.",
)
@click.option(
    "--replay/--no-replay", default=True, help="Replay the days for Groundswell's own row (takes minutes per day)."
)
@click.option("--rules/--no-rules", default=True, help="Add a row for each rule that others publish.")
@click.option(
    "--counts",
    "data",
    type=click.Path(path_type=Path),
    help="Folder of other people's real counts (EVAL_DATA): adds days with counts only to the table.",
)
@click.option("--step", help="Time between runs of Groundswell and of the rules, such as 1min.  [default: the day's]")
@click.option(
    "--save", type=click.Path(path_type=Path), help="Write Groundswell's alerts into this folder, one file per day."
)
@click.option("--json", "as_json", is_flag=True, help="Print all figures as JSON (docs/benchmark.schema.json).")
@common
def bench_command(
    setting: Setting,
    folders: tuple[Path, ...],
    files: tuple[Path, ...],
    replay: bool,
    rules: bool,
    data: Path | None,
    step: str | None,
    save: Path | None,
    as_json: bool,
) -> None:
    """Score systems on the recorded days in FOLDERS; without any, on those that come with Groundswell.

    What is counted, and how, is in docs/benchmark.md. Lines of a file that cannot be scored are named on standard
    error, the rest is scored, and the exit code is 3.
    """
    _refuse_equal_names(files)
    for path in files:
        must_be_readable(path)  # before the days, which take minutes
    days: list[LoadedDay] = []
    own: list[AlertEntry] = []
    raised: dict[str, list[Advisory]] = {}
    scratch = tempfile.TemporaryDirectory()
    counted = write_folders(data, Path(scratch.name)) if data is not None else []
    chosen = folders or _supplied()
    for folder in (*chosen, *counted):
        group = Group.COUNTS if folder in counted else None
        day, entries, advisories = _day(setting, folder, step, group=group, replay=replay)
        raised[day.day.name] = advisories
        if day.day.name in {other.day.name for other in days}:
            raise ConfigError(f"{folder}: another folder has the name {day.day.name}, too")
        days.append(day)
        own += entries
        if save is not None and replay:
            save.mkdir(parents=True, exist_ok=True)
            write_entries(save / f"{day.day.name}.jsonl", entries)
    systems = [_scored(OWN, days, own)] if replay else []
    if rules:
        by_day = [(day, day.by_rule()) for day in days]
        for name in by_day[0][1] if by_day else ():
            systems.append(summarize(name, [score_day(day.day, entries[name]) for day, entries in by_day]))
    for path in files:
        read = read_entries(path, [day.known for day in days], setting.now)
        for line in read.refused:
            click.echo(f"groundswell: {line}", err=True)
        systems.append(_scored(path.stem, days, read.entries, read.refused))
    scratch.cleanup()
    if as_json:
        click.echo(to_json(systems))
    else:
        click.echo("\n".join(table(systems)))
        if replay:
            click.echo("\n".join(surges.report(days, raised)))
    sys.exit(PARTIAL if any(system.refused for system in systems) else 0)


def _refuse_equal_names(files: Sequence[Path]) -> None:
    """Refuse files whose rows would bear the same name."""
    named: dict[str, Path] = {}
    for path in files:
        if (other := named.setdefault(path.stem, path)) is not path:
            raise ConfigError(f"--alerts: {other} and {path} would both be called {path.stem!r}; rename one")


def _supplied() -> list[Path]:
    """Return the folders of the recorded days that come with the package, oldest first."""
    return sorted(path.parent for path in SCENARIOS.glob("*/scenario.toml"))


def _day(
    setting: Setting, folder: Path, step: str | None, *, group: Group | None, replay: bool
) -> tuple[LoadedDay, list[AlertEntry], list[Advisory]]:
    """Read a day and, where that is wanted, replay it; return it with Groundswell's messages and advisories."""
    from pipeline.evaluation.days.replayed import entries_of
    from pipeline.store import Store
    from pipeline.store.advisories import advisories

    plan = plan_replay(setting, folder, step=step)
    day = load_day(plan, group)
    if not replay:
        return day, [], []
    with tempfile.TemporaryDirectory() as place:
        db = Path(place) / "bench.db"
        replay_scenario(plan, db, None, progress=True)
        with Store(db) as store:
            return day, entries_of(store, day.day.name), advisories(store)


def _scored(
    name: str, days: Sequence[LoadedDay], entries: Sequence[AlertEntry], refused: Sequence[str] = ()
) -> SystemFigures:
    return summarize(name, [score_day(day.day, entries) for day in days], refused)
