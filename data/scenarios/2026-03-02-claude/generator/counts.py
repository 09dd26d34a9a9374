"""Complaint counts every 15 minutes: rhythm, overdispersion, a gap of two hours, and the bumps of outages."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from world import END, START, ZONES, Switches, activity, adoption, bumps, busy, main_complaints

STEP = timedelta(minutes=15)
GAP = (datetime.fromisoformat("2026-02-24T02:00:00Z"), datetime.fromisoformat("2026-02-24T04:00:00Z"))
INDICATORS = ("login", "website", "app", "API")
USUAL = (0.20, 0.42, 0.25, 0.13)
MIXES = {
    "main": (0.46, 0.31, 0.18, 0.05),
    "main_later": (0.38, 0.31, 0.18, 0.13),
    "web": (0.22, 0.55, 0.20, 0.03),
    "model": (0.08, 0.42, 0.22, 0.28),
    "api": (0.04, 0.16, 0.08, 0.72),
}
MEAN = {"main": 9.0, "chatgpt": 60.0, "gemini": 8.0}
DISPERSION = {"usual": 22.0, "bump": 150.0}


def rows(switches: Switches, rng: np.random.Generator, excess: list[tuple[datetime, int]]) -> Iterator[list[object]]:
    """Yield service,start_utc,interval_s,total,baseline,region,indicator for each interval outside the gap.

    `excess` is filled with how many more complained of the main service for outages, and when that interval ended.
    """
    drift = {"main": 0.0, "chatgpt": 0.0, "gemini": 0.0}
    api_again = datetime.fromisoformat("2026-03-02T13:30:00Z") + switches.shift
    moment = START
    while moment < END:
        for key, mean in MEAN.items():
            service = switches.service if key == "main" else (key if key != switches.service else "claude")
            drift[key] = 0.97 * drift[key] + 0.05 * rng.normal()
            usual = mean * activity(moment) / 0.55 * np.exp(drift[key])
            extra: list[tuple[float, str]] = []
            if key == "main":
                usual *= adoption(moment)
                middle = moment + STEP / 2
                extra = [(b.complaints * b.shape(middle), b.mix) for b in bumps(switches)]
                extra.append((main_complaints(moment, switches), "main_later" if moment >= api_again else "main"))
            elif key == "chatgpt":
                # some of those locked out try the rival and find it slower: a twentieth of the wave at most
                usual *= 1.0 + 0.08 * min(1.0, main_complaints(moment, switches) / 900)
            shares = np.zeros(4)
            total = 0
            for expected, mix in [(usual, "usual"), *extra]:
                if expected <= 0:
                    continue
                dispersion = DISPERSION["usual" if mix == "usual" else "bump"]
                count = int(rng.negative_binomial(dispersion, dispersion / (dispersion + expected)))
                shares = shares + rng.multinomial(count, USUAL if mix == "usual" else MIXES[mix])
                total += count
                if key == "main" and mix != "usual":
                    excess.append((moment + STEP, count))
            regions = np.array([share * busy(moment, offset) for offset, share in ZONES.values()])
            by_region = rng.multinomial(total, regions / regions.sum())
            if GAP[0] <= moment < GAP[1]:
                continue
            start = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
            yield [service, start, 900, total, "", "", ""]
            for indicator, count in zip(INDICATORS, shares, strict=True):
                yield [service, start, 900, int(count), "", "", indicator]
            for region, count in zip(ZONES, by_region, strict=True):
                yield [service, start, 900, int(count), "", region, ""]
        moment += STEP


def write(folder: Path, switches: Switches, rng: np.random.Generator) -> list[tuple[datetime, int]]:
    """Write complaints.csv; return how many complained because of outages, with when each interval ended."""
    excess: list[tuple[datetime, int]] = []
    with (folder / "complaints.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["service", "start_utc", "interval_s", "total", "baseline", "region", "indicator"])
        writer.writerows(rows(switches, rng, excess))
    return excess
