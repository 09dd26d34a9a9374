"""The head of a recorded day: what scenario.toml and truth.toml say. CONTRIBUTING.md has the format of the folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from pipeline.config.load import read_toml
from pipeline.config.setting_values import parse_duration
from pipeline.core.errors import ConfigError
from pipeline.core.times import END, FIRST
from pipeline.replay.truth import Truth, moment, read_truth

KINDS = ("posts", "complaints", "feeds", "status", "charts")
DELAYS = {"posts": "60s", "complaints": "120s", "feeds": "5min", "status": "30s", "charts": "0s"}


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """What scenario.toml and truth.toml say.

    blind: whoever wrote the facts of this simulated day had not seen the detector.
    """

    folder: Path
    name: str
    start: datetime
    end: datetime
    step: timedelta
    delays: Mapping[str, timedelta]
    watch: tuple[str, ...]
    simulated: bool
    note: str
    first_run: datetime | None
    truth: Truth
    blind: bool = False


def read_scenario(folder: Path) -> Scenario:
    """Read the head of a scenario folder; raises ConfigError naming file and key."""
    path = folder / "scenario.toml"
    table = read_toml(path)
    try:
        start, end = (moment(table[key]) for key in ("start", "end"))
        if not (FIRST <= start < END and FIRST <= end < END):
            raise ValueError(f"start and end: must lie between {FIRST.year} and {END.year}")
        if not isinstance(table.get("publication_delay", {}), dict):
            raise ValueError('publication_delay: must be a table, as posts = "60s" under [publication_delay]')
        delays = {kind: parse_duration(table.get("publication_delay", {}).get(kind, DELAYS[kind])) for kind in KINDS}
        step = parse_duration(table.get("step", "5min"))
        first_run = moment(table["first_run"]) if "first_run" in table else None
        watch = table.get("watch", [])
        if not isinstance(watch, list) or not all(isinstance(name, str) for name in watch):
            raise ValueError('watch: must be a list of services, as ["claude"]')
    except KeyError as error:
        raise ConfigError(f"{path}: {error.args[0]}: is missing") from error
    except ValueError as error:
        raise ConfigError(f"{path}: {error}") from error
    unknown = set(table.get("publication_delay", {})) - set(KINDS)
    if unknown:
        raise ConfigError(f"{path}: publication_delay.{sorted(unknown)[0]}: unknown key; one of {', '.join(KINDS)}")
    return Scenario(
        folder=folder,
        name=str(table.get("name", folder.name)),
        start=start,
        end=end,
        step=step,
        delays=delays,
        watch=tuple(watch),
        simulated=bool(table.get("simulated", False)),
        note=str(table.get("note", "")),
        first_run=first_run,
        truth=read_truth(folder / "truth.toml", end),
        blind=bool(table.get("blind", False)),
    )
