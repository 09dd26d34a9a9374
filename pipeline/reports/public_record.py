"""A public record in append-only files: alerts sent, notices of providers, forecasts raised and settled.

A line that is written stays as it is; what is new is appended. Nothing of it names a person, quotes a post or an
article, or repeats a provider's words: services, times, states and ids alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pipeline.config.load import Config
from pipeline.core.alert_facts import AlertFacts
from pipeline.core.errors import Reason, SourceError
from pipeline.core.times import iso
from pipeline.core.vocabulary import State
from pipeline.reports.surge_record import Forecast, Outcome, forecasts
from pipeline.store import Store
from pipeline.store.activity import advisories
from pipeline.store.incidents import incidents
from pipeline.store.official import updates_of_page
from pipeline.store.outbox import alerts_of

ALERTS, NOTICES, FORECASTS = "alerts.jsonl", "notices.jsonl", "forecasts.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of a file: the key that it is never written twice by, when it happened, and its fields."""

    key: str
    at: datetime
    fields: Mapping[str, object]

    def to_json(self) -> str:
        """Return the line."""
        return json.dumps({"id": self.key, "at": iso(self.at), **self.fields}, ensure_ascii=False)


def append_record(store: Store, config: Config, folder: Path, now: datetime) -> dict[str, int]:
    """Append what is new to the files in `folder`; return how many lines each got. Raises SourceError on a bad file."""
    folder.mkdir(parents=True, exist_ok=True)
    sources = {ALERTS: _alerts(store), NOTICES: _notices(store, config, now), FORECASTS: _forecasts(store, now)}
    return {name: _append(folder / name, sorted(lines, key=lambda line: line.at)) for name, lines in sources.items()}


def _append(path: Path, lines: list[Line]) -> int:
    known = set(_known(path))
    fresh = {line.key: line for line in lines if line.key not in known}
    if fresh:
        # one write of whole lines: a reader never sees half of one
        with path.open("a", encoding="utf-8") as file:
            file.write("".join(f"{line.to_json()}\n" for line in fresh.values()))
    return len(fresh)


def _known(path: Path) -> Iterator[str]:
    """Yield the ids of the lines that a file has; raises SourceError where a line is no such object."""
    if not path.exists():
        return
    text = path.read_text(encoding="utf-8")
    for number, line in enumerate(text.splitlines(), 1):
        try:
            yield json.loads(line)["id"]
        except (ValueError, KeyError, TypeError) as error:
            message = f"line {number} is not a line of this record; nothing was appended"
            raise SourceError(message, source=str(path), reason=Reason.FILE) from error
    if text and not text.endswith("\n"):
        raise SourceError("its last line is cut off; nothing was appended", source=str(path), reason=Reason.FILE)


def _alerts(store: Store) -> Iterator[Line]:
    for alert in alerts_of(store):
        facts = alert.facts
        if alert.sent_at is None or not isinstance(facts, AlertFacts):
            continue
        fields = {
            "transition": alert.transition,
            "services": sorted({alert.service, *facts.hit}),
            "incident": alert.incident,
            "state": facts.state,
            "impact": facts.impact,
            "components": facts.affected,
        }
        yield Line(key=f"{alert.incident}/{alert.transition}/{iso(alert.created)}", at=alert.sent_at, fields=fields)


def _notices(store: Store, config: Config, now: datetime) -> Iterator[Line]:
    for name in config.watched:
        page = config.catalogue[name].page
        for update in updates_of_page(store, page, now) if page else ():
            fields = {
                "service": name,
                "page": update.page,
                "incident": update.incident_id,
                "status": update.status,
                "impact": update.impact,
                "read": iso(update.collected),
            }
            key = f"{name}/{update.page}/{update.incident_id}/{update.update_id}"
            yield Line(key=key, at=update.written, fields=fields)


def _forecasts(store: Store, now: datetime) -> Iterator[Line]:
    """Yield each forecast as it was raised, and a line of its own when it was settled."""
    outages: dict[str, list[tuple[datetime, datetime]]] = {}
    for incident in incidents(store):
        if incident.state is not State.POSSIBLE:
            outages.setdefault(incident.service, []).append((incident.onset, incident.end or now))
    for forecast in forecasts(advisories(store), outages, now):
        key = f"{forecast.service}/{iso(forecast.raised)}"
        yield Line(key=key, at=forecast.raised, fields=_raised(forecast))
        if forecast.outcome is not Outcome.OPEN:
            fields = {"forecast": key, "outcome": forecast.outcome}
            yield Line(key=f"{key}/settled", at=min(forecast.deadline, now), fields=fields)


def _raised(forecast: Forecast) -> dict[str, object]:
    return {
        "service": forecast.service,
        "rule": forecast.rule,
        "source": "groundswell surge watch",
        "deadline": iso(forecast.deadline),
        "p": forecast.p,
    }
