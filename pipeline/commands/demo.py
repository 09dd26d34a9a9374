"""`groundswell demo [NAME]`: replay a recorded day and tell its story; `make demo` calls it for 2 March 2026."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

import click

from pipeline.commands.backtest import plan_replay, replay_scenario
from pipeline.commands.common import Setting, common
from pipeline.commands.terminal import printable
from pipeline.config.paths import SCENARIOS
from pipeline.core.errors import ConfigError
from pipeline.core.quantities import quantity
from pipeline.core.replay_result import IncidentResult
from pipeline.core.times import iso, minutes_between, utc
from pipeline.replay.runner import FinerReplay
from pipeline.replay.scenario import read_scenario
from pipeline.store import Store
from pipeline.store.outbox import alerts_of

SCENARIO = SCENARIOS / "2026-03-02-claude"
BEST_SERVICE = utc("2026-03-02T11:44:00Z")
# the first message is sent within; it is replayed by the minute, too
DECISIVE_HOUR = utc("2026-03-02T11:00:00Z"), utc("2026-03-02T12:00:00Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedDay:
    """A recorded day that comes with the package; `outages` counts those of its whole record, for all services."""

    name: str
    start: datetime
    end: datetime
    watch: tuple[str, ...]
    simulated: bool
    outages: int
    note: str

    @classmethod
    def read(cls, folder: Path) -> RecordedDay:
        """Read the head of a folder; raises ConfigError."""
        scenario = read_scenario(folder)
        return cls(
            name=scenario.name,
            start=scenario.start,
            end=scenario.end,
            watch=scenario.watch,
            simulated=scenario.simulated,
            outages=len(scenario.truth.outages),
            note=scenario.note,
        )

    def __str__(self) -> str:
        """Return a line of the list."""
        outages = quantity(self.outages, "outage") if self.outages else "no outage"
        return f"{self.name:<33}{outages:<12}{self.note}"


@click.command("demo")
@click.argument("name", required=False)
@click.option("--list", "listed", is_flag=True, help="List the recorded days that come with Groundswell.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("out/demo"), show_default=True)
@click.option(
    "--scenario",
    "folder",
    type=click.Path(path_type=Path),
    default=SCENARIO,
    show_default=False,
    help="Replay this recorded folder instead.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON, schema 1 (only with --list).")
@common
def demo_command(setting: Setting, name: str | None, listed: bool, out: Path, folder: Path, as_json: bool) -> None:
    """Replay the recorded day NAME every five minutes; the days before are loaded as history.

    Without NAME it is 2 March 2026, from 27 February to 4 March; the start of a name is enough. --list counts the
    outages of a whole record; a replay compares its messages with those that begin while it runs.
    """
    from pipeline.render import console

    if as_json and not listed:
        raise ConfigError("--json: only the list of days is printed as JSON; add --list")
    if listed:
        days = [RecordedDay.read(path.parent) for path in sorted(SCENARIOS.glob("*/scenario.toml"))]
        if as_json:
            click.echo(json.dumps({"schema": 1, "days": [asdict(day) for day in days]}, indent=1, default=iso))
        else:
            click.echo("\n".join(str(day) for day in days))
        return
    folder = _named(name) if name else folder
    out.mkdir(parents=True, exist_ok=True)
    if folder.resolve() != SCENARIO.resolve() and name:
        sys.exit(_replay_another_day(setting, folder, out))
    db = out / "groundswell.db"
    plan = plan_replay(setting, folder, begin="2026-02-27T00:00:00Z", report=out / "report")
    sent_before = len(list((out / "mail").glob("*.eml")))
    by_minute = _FirstAlert(plan.scenario.watch[0], DECISIVE_HOUR[0])
    finer = FinerReplay(
        begin=DECISIVE_HOUR[0], until=DECISIVE_HOUR[1], step=timedelta(minutes=1), found=by_minute.look_for
    )
    outcome, code = replay_scenario(plan, db, out / "mail", progress=True, finer=finer)
    catalogue = plan.config.catalogue
    day = utc("2026-03-02T00:00:00Z")
    click.echo(printable(f"{plan.scenario.note}\n"))
    main = next(
        (i for i in outcome.incidents if i.service == plan.scenario.watch[0] and i.onset.date() == day.date()),
        None,
    )
    if main is not None:
        click.echo("2 March 2026, UTC and Pacific time")
        click.echo(printable("\n".join(console.timeline(outcome, main.id, catalogue, day))))
        click.echo("\nIn the news (association with its evidence, no claim of causation)")
        click.echo(printable("\n".join(console.link_lines(outcome, main.id))))
    click.echo(printable("\n" + console.story(outcome, catalogue)))
    if main is not None:
        click.echo("\n" + _reached(main, by_minute.at))
    mails = sum(alert.at.date() == day.date() for alert in outcome.alerts)
    fresh = len(list((out / "mail").glob("*.eml"))) - sent_before
    click.echo(
        f"\n{quantity(mails, 'mail')} for 2 March; {quantity(fresh, 'new mail')} in this run."
        " Rows seen and new at each stage: table runs."
    )
    click.echo(f"database  {db}\nreport    {out / 'report' / 'index.html'}\nmails     {out / 'mail'}")
    sys.exit(code)


def _named(name: str) -> Path:
    """Return the folder whose name begins so, or holds it; raises ConfigError for none and for several."""
    names = sorted(path.parent.name for path in SCENARIOS.glob("*/scenario.toml"))
    found = [one for one in names if one.startswith(name)] or [one for one in names if name in one]
    if len(found) != 1:
        raise ConfigError(f"{name}: {'no' if not found else 'more than one'} recorded day; one of {', '.join(names)}")
    return SCENARIOS / found[0]


def _replay_another_day(setting: Setting, folder: Path, out: Path) -> int:
    """Replay another day than the demo's and print its story; return the exit code."""
    from pipeline.render import console

    db = out / "groundswell.db"
    plan = plan_replay(setting, folder, report=out / "report")
    outcome, code = replay_scenario(plan, db, out / "mail", progress=True)
    click.echo(printable(f"{plan.scenario.note}\n\n{console.story(outcome, plan.config.catalogue)}"))
    click.echo(f"\ndatabase  {db}\nreport    {out / 'report' / 'index.html'}\nmails     {out / 'mail'}")
    return code


class _FirstAlert:
    """When a service's incident was first alerted of; `at` is None as long as it was not."""

    def __init__(self, service: str, since: datetime) -> None:
        """Of incidents that nobody was alerted of before `since`."""
        self._service, self._since = service, since
        self.at: datetime | None = None

    def look_for(self, store: Store) -> bool:
        """Return whether such an alert is in a database."""
        firsts: dict[str, datetime] = {}
        for alert in alerts_of(store):
            if alert.incident and alert.service == self._service:
                firsts.setdefault(alert.incident, alert.created)
        self.at = next((at for at in firsts.values() if at >= self._since), None)
        return self.at is not None


def _reached(main: IncidentResult, by_minute: datetime | None) -> str:
    """Return when the first alert came, with runs every five minutes and every minute, and when others warned."""
    lines = []
    official = main.official_first_at
    for label, moment in (
        ("runs every 5 min", main.first_alert_at),
        ("runs every 1 min", by_minute),
        ("best commercial service", BEST_SERVICE),
        ("first official notice", official),
    ):
        if moment is None:
            lines.append(f"  {label:<24} no alert")
            continue
        lead = minutes_between(moment, official) if official else float("nan")
        lines.append(f"  {label:<24} {moment:%H:%M:%S} UTC  {lead:+.0f} min")
    return "\n".join(
        ["First warning for 2 March (crowd reports began 11:37 UTC; lead against the provider's notice)", *lines]
    )
