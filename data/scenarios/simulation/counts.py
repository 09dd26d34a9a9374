"""Complaint counts of a day, each quarter of an hour."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import timedelta

import numpy as np

from simulation.day import Day, curves, level, stamp

BIN = timedelta(minutes=15)
USUAL_DISPERSION, WAVE_DISPERSION = 22.0, 150.0


def complaints(day: Day, rng: np.random.Generator) -> Iterator[list[object]]:
    """Yield service,start_utc,interval_s,total,baseline,region,indicator for each quarter of an hour outside a gap."""
    gaps = [(gap["from"], gap["until"]) for gap in day.table.get("gap", [])]
    for service in day.services:
        if not service.get("complaints"):
            continue
        drift, waves = 0.0, curves(service)
        regions: dict[str, float] = service.get("regions", {})
        moment = day.start
        while moment < day.end:
            drift = 0.97 * drift + 0.05 * rng.normal()
            usual = service["complaints"] * day.activity(moment) * math.exp(drift)
            total, extra = _count(usual, USUAL_DISPERSION, rng), 0
            for wave, curve in waves:
                mean = wave["complaints"] * day.crowd * level(curve, moment + BIN / 2)
                extra += _count(mean, WAVE_DISPERSION, rng) if mean > 0 else 0
            total += extra
            start = stamp(moment)
            blind = any(since <= moment < until for since, until in gaps)
            if not blind:
                day.excess.setdefault(service["id"], []).append((moment + BIN, extra))
                yield [service["id"], start, 900, total, "", "", ""]
            if regions:
                shares = np.array(list(regions.values()))
                for region, count in zip(regions, rng.multinomial(total, shares / shares.sum()), strict=True):
                    if not blind:
                        yield [service["id"], start, 900, int(count), "", region, ""]
            moment += BIN


def _count(mean: float, dispersion: float, rng: np.random.Generator) -> int:
    return int(rng.negative_binomial(dispersion, dispersion / (dispersion + mean)))
