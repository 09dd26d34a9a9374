"""Public records that come with the project: known outages (data/incidents.csv) and comparisons the press drew."""

from __future__ import annotations

import csv
import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from pipeline.core.incidents import PastOutage
from pipeline.core.times import minutes_between, utc
from pipeline.core.vocabulary import Impact


@dataclass(frozen=True, slots=True, kw_only=True)
class PressComparison:
    """An earlier outage the press compared one with, and whether a public record holds it."""

    about_service: str
    about_day: date
    service: str
    month: str
    found: bool
    record: str
    incidents: tuple[str, ...]


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@cache
def known_outages(path: Path) -> tuple[PastOutage, ...]:
    """Read `provider,service,id,started_at,resolved_at,impact,roles,symptom,sequence,source`, oldest first."""
    found = []
    for row in _rows(path):
        began, over = utc(row["started_at"]), utc(row["resolved_at"])
        steps = (step.partition("@") for step in row["sequence"].split(">") if "@" in step)
        found.append(
            PastOutage(
                id=row["id"],
                provider=row["provider"],
                service=row["service"],
                began=began,
                minutes=minutes_between(began, over),
                impact=Impact(row["impact"]),
                roles=frozenset(filter(None, row["roles"].split(";"))),
                symptom=row["symptom"],
                steps=tuple((name, float(minutes)) for name, _, minutes in steps),
                source=row["source"],
            )
        )
    return tuple(sorted(found, key=lambda k: (k.began, k.id)))


@cache
def reddit_bots(path: Path) -> frozenset[str]:
    """Read the names of accounts of Reddit that programs post with, case folded."""
    return frozenset(
        name.casefold() for names in tomllib.loads(path.read_text(encoding="utf-8")).values() for name in names
    )


@cache
def press_comparisons(path: Path) -> tuple[PressComparison, ...]:
    """Read `about_service,about_day,service,month,found,record,incidents`."""
    return tuple(
        PressComparison(
            about_service=r["about_service"],
            about_day=date.fromisoformat(r["about_day"]),
            service=r["service"],
            month=r["month"],
            found=r["found"] == "yes",
            record=r["record"],
            incidents=tuple(r["incidents"].split()),
        )
        for r in _rows(path)
    )
