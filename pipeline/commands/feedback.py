"""`groundswell feedback`: say whether an alert was right; of a wrong one, learn the smallest setting that had kept quiet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import click

from pipeline.commands.common import Setting, common, open_store
from pipeline.errors import ConfigError
from pipeline.model import IMPACTS, STATES

SPAN = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An incident that was alerted: how sure and how bad the surest and worst message said, and its loudest crowd's score."""

    id: str
    state: str
    impact: str
    score: float
    verdict: str


@click.command("feedback")
@click.argument("incident")
@click.argument("verdict", type=click.Choice(["right", "wrong"]))
@click.option("--note", default="", help="Anything worth keeping.")
@common
def feedback_command(setting: Setting, incident: str, verdict: str, note: str) -> None:
    """Store that the alerts of INCIDENT were right or wrong; digests count it."""
    from pipeline.store import must_exist
    from pipeline.store.people import put_feedback

    must_exist(setting.db)
    with open_store(setting) as store:
        if not store.rows("SELECT 1 FROM incidents WHERE id = ?", (incident,)):
            raise ConfigError(f"{incident!r} is no incident; groundswell incidents lists them")
        put_feedback(store, incident, verdict, note[:500], setting.now)
        click.echo(f"{incident}: {verdict}")
        if verdict == "wrong":
            for line in remedies(incident, told_since(store, setting.now - SPAN, setting.now)):
                click.echo(line)


def told_since(store: Any, since: datetime, now: datetime) -> list[Told]:
    """Return the incidents alerted in a span, oldest first."""
    from pipeline.store.judged import verdicts
    from pipeline.store.outbox import alerts_of
    from pipeline.store.people import feedback
    from pipeline.store.story import incidents

    said = feedback(store)
    by_incident: dict[str, list[Any]] = {}
    for alert in alerts_of(store):
        by_incident.setdefault(alert.incident, []).append(alert)
    found = []
    for i in incidents(store):
        mine = [a for a in by_incident.get(i.id, ()) if "state" in a.facts and a.transition != "over"]
        if not mine or i.onset < since:
            continue
        series = verdicts(
            store, i.onset - timedelta(minutes=15), (i.end or now) + timedelta(minutes=1), service=i.service
        )
        scores = [p[4] for key, points in series.items() if key.is_total for p in points if p[4] == p[4]]
        found.append(Told(id=i.id, state=max((a.facts["state"] for a in mine), key=STATES.index), score=max(scores, default=0.0),
                          impact=max((a.facts["impact"] for a in mine), key=IMPACTS.index), verdict=said.get(i.id, "")))  # fmt: skip
    return found


def remedies(wrong: str, told: Sequence[Told]) -> Iterator[str]:
    """Yield the settings that had kept an incident quiet, the one that loses fewest others first, each with what it loses."""
    mine = next((t for t in told if t.id == wrong), None)
    if mine is None:
        yield "it was not alerted in the last 30 days: nothing to set"
        return
    others = [t for t in told if t.id != wrong and t.verdict != "wrong"]
    options: list[tuple[str, list[str]]] = []
    if mine.state in ("possible", "likely"):
        higher = STATES[STATES.index(mine.state) + 1]
        options.append(
            (f'alerts.from_state = "{higher}"', [t.id for t in others if STATES.index(t.state) < STATES.index(higher)])
        )
    if mine.impact != IMPACTS[-1]:
        higher = IMPACTS[IMPACTS.index(mine.impact) + 1]
        options.append(
            (
                f'from_impact = "{higher}" in a route',
                [t.id for t in others if IMPACTS.index(t.impact) < IMPACTS.index(higher)],
            )
        )
    if mine.score > 0 and mine.state != "confirmed":
        # what the page confirmed is told whatever the counts say
        level = round(mine.score + 0.1, 1)
        options.append(
            (f"detector.params.alarm = {level:g}", [t.id for t in others if t.state != "confirmed" and t.score < level])
        )
    if not options:
        yield "no single setting had kept it quiet: the provider's page said it, and it was critical; a silence can"
        return
    yield "what had kept it quiet, and what else of the last 30 days it would have lost:"
    for setting, lost in sorted(options, key=lambda o: (len(o[1]), o[0])):
        yield f"  {setting}: {', '.join(lost) if lost else 'nothing else'}"
