"""What people's feedback says about the settings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pipeline.core.vocabulary import IMPACTS, STATES, Impact, State


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertedIncident:
    """An incident that was alerted: how sure and how bad the surest and worst message said, and its loudest crowd's score."""

    id: str
    state: str
    impact: str
    score: float
    verdict: str


def alerted_since(store: Any, since: datetime, now: datetime) -> list[AlertedIncident]:
    """Return the incidents alerted in a span, oldest first."""
    from pipeline.store.incidents import incidents
    from pipeline.store.operators import feedback
    from pipeline.store.outbox import alerts_of
    from pipeline.store.verdicts import verdicts

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
        found.append(
            AlertedIncident(
                id=i.id,
                state=max((a.facts["state"] for a in mine), key=STATES.index),
                score=max(scores, default=0.0),
                impact=max((a.facts["impact"] for a in mine), key=IMPACTS.index),
                verdict=said.get(i.id, ""),
            )
        )
    return found


def remedies(wrong: str, told: Sequence[AlertedIncident]) -> Iterator[str]:
    """Yield the settings that had kept an incident quiet, the one that loses fewest others first, each with what it loses."""
    mine = next((t for t in told if t.id == wrong), None)
    if mine is None:
        yield "it was not alerted in the last 30 days: nothing to set"
        return
    others = [t for t in told if t.id != wrong and t.verdict != "wrong"]
    options: list[tuple[str, list[str]]] = []
    if mine.state in ("possible", "likely"):
        surer = State(mine.state).raised()
        options.append((f'alerts.from_state = "{surer}"', [t.id for t in others if State(t.state).rank < surer.rank]))
    if mine.impact != Impact.CRITICAL:
        worse = Impact(mine.impact).raised()
        options.append(
            (
                f'from_impact = "{worse}" in a route',
                [t.id for t in others if Impact(t.impact).rank < worse.rank],
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
