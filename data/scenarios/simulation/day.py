"""The facts of a day, and what the switches make of them."""

from __future__ import annotations

import csv
import math
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

CATALOGUE = Path(__file__).resolve().parents[2] / "services.toml"
LOCAL_TEXTS = Path(__file__).with_name("local_texts.csv")  # kind,lang,text of the days with `local = true`
Curve = list[tuple[datetime, float]]
INVENTED = "invented distractor"  # the basis of news that has to do with no outage


@dataclass(frozen=True)
class Switches:
    """How a day is to differ from what happened: the seed, how large the crowd is, and what else is changed.

    outage: leave all waves and notices away that begin with the first run or later, but for those marked `always`.
    shift: move everything that happened, the hours of the day and of the week staying where they are. rename: (old id,
    new id): another service of the catalogue in the place of one.
    """

    seed: int | None = None
    crowd: float = 1.0
    outage: bool = True
    shift: timedelta = timedelta(0)
    rename: tuple[str, str] | None = None


class Day:
    """The facts of a day: its table, texts, notices, planned maintenance and news, as the switches say."""

    def __init__(self, facts: Path, switches: Switches) -> None:
        """Read day.toml and the CSV files in `facts`, and the texts of the days that it names."""
        table = tomllib.loads((facts / "day.toml").read_text(encoding="utf-8"))
        self.local = bool(table.get("local"))
        self.texts: dict[str, list[dict[str, str]]] = {}
        others = [facts.parents[1] / name / "generator" for name in table.get("texts_of", [])]
        for folder in (facts, *others):
            for row in rows_of(folder / "texts.csv"):
                self.texts.setdefault(row["kind"], []).append({**row, "from": folder.parent.name})
        for kind, rows in self.texts.items():
            # a day's own texts of a kind stand in the place of another day's
            self.texts[kind] = [row for row in rows if row["from"] == rows[0]["from"]]
        if self.local:
            for row in rows_of(LOCAL_TEXTS):
                self.texts.setdefault(row["kind"], []).append({**row})
        self.notices, self.news = rows_of(facts / "notices.csv"), rows_of(facts / "news.csv")
        self.maintenance = rows_of(facts / "maintenance.csv")
        if switches.rename:
            table = self._renamed(table, *switches.rename)
        self.table = _moved(table, switches.shift)
        for row, key in [(r, "at") for r in self.notices] + [(r, "published") for r in self.news]:
            row["guid"] = f"urn:sim:{row.get('feed', '')}:{row[key][:16]}"
            row[key] = stamp(datetime.fromisoformat(row[key]) + switches.shift)
        for row in self.maintenance:
            for key in ("announced", "from", "until"):
                row[key] = stamp(datetime.fromisoformat(row[key]) + switches.shift)
        self.crowd, self.outage = switches.crowd, switches.outage
        self.seed = switches.seed or self.table["seed"]
        self.start, self.end, self.first_run = (self.table[key] for key in ("start", "end", "first_run"))
        self.services: list[dict] = self.table["service"]
        if not switches.outage:
            self._without_outage()
        # filled while counts and posts are drawn: when somebody truly reported, and how many complained
        self.reports: dict[str, list[tuple[datetime, str]]] = {}
        self.excess: dict[str, list[tuple[datetime, int]]] = {}

    def _without_outage(self) -> None:
        for service in self.services:
            service["wave"] = [
                wave for wave, curve in curves(service) if wave.get("always") or curve[0][0] < self.first_run
            ]
            service.pop("truth", None)
        begin = stamp(self.first_run)
        self.notices = [row for row in self.notices if row["at"] < begin]
        self.news = [row for row in self.news if row["published"] < begin or row["basis"] == INVENTED]

    def _renamed(self, table: dict, old: str, new: str) -> dict:
        """Return the table with another service of the catalogue in the place of one; texts, notices and news, too."""
        catalogue = tomllib.loads(CATALOGUE.read_text(encoding="utf-8"))["services"]
        if new not in catalogue:
            raise SystemExit(f"{new} is not in the catalogue")
        known = catalogue[new]
        service = next(s for s in table["service"] if s["id"] == old)
        if new in {s["id"] for s in table["service"]}:
            raise SystemExit(f"{new} is in this day already")
        before, after = service["name"], known["name"]
        aliases = catalogue.get(old, {}).get("aliases", [])
        spelled = sorted({before, *service.get("names", []), *aliases}, key=len, reverse=True)
        names = re.compile("|".join(rf"(?<![A-Za-z]){re.escape(name)}(?![A-Za-z])" for name in spelled), re.IGNORECASE)
        service.update(id=new, name=after, communities=known.get("communities", []))
        if "names" in service:
            service["names"] = [after]
        if "page" in service:
            service["page"] = known.get("status_page") or f"https://status.{new}.example"
        texts = [row for rows in self.texts.values() for row in rows]
        for row in [*texts, *self.notices, *self.maintenance, *self.news]:
            for key in ("title", "text", "summary", "name", "body"):
                if key in row:
                    row[key] = names.sub(after, row[key]) if self.local else row[key].replace(before, after)
            for key in ("service", "link"):
                if key in row:
                    row[key] = new if row[key] == old else row[key].replace(f"{old}:", f"{new}:")
        return table

    def activity(self, moment: datetime) -> float:
        """Return how busy people are, 1 on average: the day's rhythm where most of them live, weekends, holidays."""
        hour = (moment + timedelta(hours=self.table["hours_ahead"])).hour + moment.minute / 60
        rhythm = 1 + 0.75 * math.sin((hour - 9) / 24 * 2 * math.pi)
        holiday = self.table.get("holidays", {}).get(f"{moment:%Y-%m-%d}", 1.0)
        return rhythm * (0.85 if moment.weekday() >= 5 else 1.05) * holiday


def _moved(value: object, shift: timedelta) -> object:
    """Return a piece of TOML with every time moved."""
    if isinstance(value, datetime):
        return value + shift
    if isinstance(value, dict):
        return {key: _moved(inner, shift) for key, inner in value.items()}
    if isinstance(value, list):
        return [_moved(inner, shift) for inner in value]
    return value


def rows_of(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file, none where there is no such file."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def level(curve: Sequence[tuple[datetime, float]], moment: datetime) -> float:
    """Return a curve's level at a moment: 0 outside its points."""
    for (since, low), (until, high) in pairwise(curve):
        if since <= moment < until:
            return low + (high - low) * ((moment - since) / (until - since))
    return 0.0


def curves(service: Mapping) -> list[tuple[dict, Curve]]:
    """Return a service's waves, each with its curve."""
    return [(wave, [(at, float(y)) for at, y in wave["curve"]]) for wave in service.get("wave", [])]


def stamp(moment: datetime) -> str:
    """Return a time as text in UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
