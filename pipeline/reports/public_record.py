"""A public record in append-only files: alerts sent, notices of providers, forecasts raised and settled.

A line that is written stays as it is; what is new is appended. Nothing of it names a person, quotes a post or an
article, or repeats a provider's words: services, times, states and ids alone.
"""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pipeline.config.settings import Config
from pipeline.core.alert_facts import AlertFacts
from pipeline.core.errors import ConfigError, Reason, SourceError
from pipeline.core.times import iso
from pipeline.core.vocabulary import State
from pipeline.reports.surge_record import Forecast, Outcome, forecasts
from pipeline.store import Store
from pipeline.store.advisories import advisories
from pipeline.store.incidents import incidents
from pipeline.store.official import updates_of_page
from pipeline.store.outbox import alerts_of
from pipeline.store.runs import simulated

ALERTS, NOTICES, FORECASTS = "alerts.jsonl", "notices.jsonl", "forecasts.jsonl"
_BEGINNING = b'{"id": '  # of each line


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of a file: the key that it is never written twice by, when it happened, and its fields."""

    key: str
    at: datetime
    fields: Mapping[str, object]

    def to_json(self) -> str:
        """Return the line."""
        return json.dumps({"id": self.key, "at": iso(self.at), **self.fields})


def append_record(store: Store, config: Config, folder: Path, now: datetime) -> dict[str, int]:
    """Append what is new to the files in `folder`; return how many lines each got.

    Raises SourceError on a bad file or folder, and ConfigError where rows of the database are simulated.
    """
    if simulated(store) is not None:
        raise ConfigError("--public: rows of this database are simulated; a public record is of what happened")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SourceError(error.strerror or str(error), source=str(folder), reason=Reason.FILE) from error
    sources = {ALERTS: _alerts(store), NOTICES: _notices(store, config, now), FORECASTS: _forecasts(store, now)}
    return {name: _append(folder / name, sorted(lines, key=lambda line: line.at)) for name, lines in sources.items()}


def _append(path: Path, lines: list[Line]) -> int:
    try:
        return _append_to(path, lines)
    except OSError as error:
        raise SourceError(error.strerror or str(error), source=str(path), reason=Reason.FILE) from error


def _append_to(path: Path, lines: list[Line]) -> int:
    text = _read(path)
    whole, newline, rest = text.rpartition(b"\n")
    # a kill within a write leaves the beginning of a line: it is written anew
    kept = whole + newline if rest[: len(_BEGINNING)] == _BEGINNING[: len(rest)] and not _is_json(rest) else text
    known = set(_known(path, kept))
    fresh = {line.key: line for line in lines if line.key not in known}
    if len(kept) < len(text):
        with path.open("r+b") as file:
            file.truncate(len(kept))
    if fresh:
        # one write of whole lines: a reader never sees half of one
        gap = "" if kept.endswith(b"\n") or not kept else "\n"
        with path.open("a", encoding="utf-8") as file:
            file.write(gap + "".join(f"{line.to_json()}\n" for line in fresh.values()))
    return len(fresh)


def _read(path: Path) -> bytes:
    """Return a file's bytes, none where there is no such file."""
    if not path.exists():
        return b""
    if not stat.S_ISREG(path.stat().st_mode):
        raise SourceError("is not a regular file", source=str(path), reason=Reason.FILE)
    return path.read_bytes()


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _known(path: Path, text: bytes) -> Iterator[str]:
    """Yield the ids of the lines that a file has; raises SourceError where a line is no such object."""
    for number, line in enumerate(text.removesuffix(b"\n").split(b"\n") if text else (), 1):
        try:
            key = json.loads(line)["id"]
            if not isinstance(key, str):
                raise TypeError("id is no text")
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            message = f"line {number} is not a line of this record; nothing was appended"
            raise SourceError(message, source=str(path), reason=Reason.FILE) from error
        yield key


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
