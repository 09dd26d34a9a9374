"""What people's feedback says about the settings."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from pipeline.core.alert_facts import AlertFacts
from pipeline.core.vocabulary import Impact, State, Transition
from pipeline.store import Store
from pipeline.store.incidents import incidents
from pipeline.store.operators import feedback
from pipeline.store.outbox import alerts_of
from pipeline.store.verdicts import verdicts


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertedIncident:
    """An incident that was alerted: the surest state, the worst impact and the highest score of its messages.

    `verdict` is what a person said of it: right, wrong, or empty.
    """

    id: str
    state: State
    impact: Impact
    score: float
    verdict: str


def alerted_since(store: Store, since: datetime, now: datetime) -> list[AlertedIncident]:
    """Return the incidents alerted in a span, oldest first."""
    verdict_of = feedback(store)
    facts_of: dict[str, list[AlertFacts]] = {}
    for alert in alerts_of(store):
        if isinstance(alert.facts, AlertFacts) and alert.transition != Transition.OVER:
            facts_of.setdefault(alert.incident, []).append(alert.facts)
    alerted = []
    for i in incidents(store):
        messages = facts_of.get(i.id, [])
        if not messages or i.onset < since:
            continue
        series = verdicts(
            store, i.onset - timedelta(minutes=15), (i.end or now) + timedelta(minutes=1), service=i.service
        )
        scores = [
            point.score
            for key, points in series.items()
            if key.is_total
            for point in points
            if not math.isnan(point.score)
        ]
        alerted.append(
            AlertedIncident(
                id=i.id,
                state=max((facts.state for facts in messages), key=lambda state: state.rank),
                score=max(scores, default=0.0),
                impact=max((facts.impact for facts in messages), key=lambda impact: impact.rank),
                verdict=verdict_of.get(i.id, ""),
            )
        )
    return alerted


class Remedy(NamedTuple):
    """A setting that would have kept an incident quiet, and the other incidents it would have lost."""

    setting: str
    lost: tuple[str, ...]


def remedies(wrong: str, alerted: Sequence[AlertedIncident]) -> Iterator[str]:
    """Yield the settings that would have kept an incident quiet, each with its losses; the fewest first."""
    mine = next((i for i in alerted if i.id == wrong), None)
    if mine is None:
        yield "it was not alerted in the last 30 days: nothing to set"
        return
    others = [i for i in alerted if i.id != wrong and i.verdict != "wrong"]
    options = sorted(_options(mine, others), key=lambda option: (len(option.lost), option.setting))
    if not options:
        yield (
            "no single setting would have kept it quiet: the provider's page said it, and it was critical;"
            " a silence would"
        )
        return
    yield "what would have kept it quiet, and what else of the last 30 days would have been lost:"
    for setting, lost in options:
        yield f"  {setting}: {', '.join(lost) if lost else 'nothing else'}"


def _options(mine: AlertedIncident, others: Sequence[AlertedIncident]) -> Iterator[Remedy]:
    if mine.state in (State.POSSIBLE, State.LIKELY):
        surer = mine.state.raised()
        lost = tuple(i.id for i in others if i.state.rank < surer.rank)
        yield Remedy(f'alerts.from_state = "{surer}"', lost)
    if mine.impact is not Impact.CRITICAL:
        worse = mine.impact.raised()
        lost = tuple(i.id for i in others if i.impact.rank < worse.rank)
        yield Remedy(f'from_impact = "{worse}" in a route', lost)
    if mine.score > 0 and mine.state is not State.CONFIRMED:
        # what the page confirmed is sent whatever the counts say
        level = round(mine.score + 0.1, 1)
        lost = tuple(i.id for i in others if i.state is not State.CONFIRMED and i.score < level)
        yield Remedy(f"detector.params.alarm = {level:g}", lost)
