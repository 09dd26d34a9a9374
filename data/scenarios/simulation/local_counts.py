"""Complaint counts of a day whose services have hours, intervals and a spread of their own."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from simulation.day import Curve, Day, curves, level, stamp

QUARTER = 15  # minutes, in which DRIFT_KEPT is given
DRIFT, DRIFT_KEPT = 0.2, 0.985  # spread of the slow drift of the usual level, and what stays of it
BLIPS_A_DAY, BLIP_KEPT = 0.25, 0.35  # a few people of one street complain at once, and soon no more
WAVE_DISPERSION = 25.0
RHYTHMS = {  # activity by the local hour, the mean of the day being about 1
    "home": [
        *(0.45, 0.28, 0.2, 0.16, 0.15, 0.2, 0.4, 0.7, 0.95, 1.05, 1.1, 1.15),
        *(1.2, 1.2, 1.2, 1.2, 1.3, 1.45, 1.6, 1.7, 1.75, 1.65, 1.3, 0.8),
    ],
    "office": [
        *(0.12, 0.1, 0.08, 0.08, 0.1, 0.2, 0.5, 1.2, 2.3, 2.5, 2.3, 2.0),
        *(1.5, 1.9, 2.0, 1.8, 1.5, 0.95, 0.6, 0.45, 0.4, 0.35, 0.25, 0.18),
    ],
    "flat": [1.0] * 24,
}
WEEKEND = {"home": (0.97, 1.1), "office": (1.1, 0.18), "flat": (1.0, 1.0)}  # from Monday to Friday, at the weekend


def local_activity(day: Day, service: Mapping, moment: datetime) -> float:
    """Return how busy a service's users are, about 1 on average: the mean over its time zones."""
    rhythm = service.get("rhythm", "home")
    shares = []
    for zone in service["zones"]:
        local = moment.astimezone(ZoneInfo(zone))
        before, after = RHYTHMS[rhythm][local.hour], RHYTHMS[rhythm][(local.hour + 1) % 24]
        share = before + (after - before) * local.minute / 60
        share *= WEEKEND[rhythm][local.weekday() >= 5]
        shares.append(share * day.table.get("holidays", {}).get(f"{local:%Y-%m-%d}", 1.0))
    return sum(shares) / len(shares)


def local_complaints(day: Day, rng: np.random.Generator) -> Iterator[list[object]]:
    """Yield service,start_utc,interval_s,total,baseline,region,indicator for each interval outside a service's gaps."""
    for service in day.services:
        if service.get("complaints"):
            yield from _of_service(day, service, rng)


def _of_service(day: Day, service: Mapping, rng: np.random.Generator) -> Iterator[list[object]]:
    width = timedelta(minutes=service["every"])
    regions: dict[str, float] = service.get("regions", {})
    kept = DRIFT_KEPT ** (service["every"] / QUARTER)
    drift, blip, waves, moment = 0.0, 0.0, curves(service), day.start
    while moment < day.end:
        drift = kept * drift + DRIFT * math.sqrt(1 - kept**2) * rng.normal()
        blip *= BLIP_KEPT ** (service["every"] / QUARTER)
        if rng.random() < BLIPS_A_DAY * service["every"] / 1440:
            blip = (0.6 + rng.exponential(0.7)) * service["complaints"]
        usual = (service["complaints"] + blip) * local_activity(day, service, moment + width / 2)
        everywhere = _count(usual * math.exp(drift - DRIFT**2 / 2), service.get("dispersion", 8), rng)
        extra, at_place = 0, dict.fromkeys(regions, 0)
        for wave, curve in waves:
            mean = wave["complaints"] * day.crowd * _mean_level(curve, moment, width)
            count = _count(mean, WAVE_DISPERSION, rng)
            extra += count if wave.get("reports") else 0
            if "region" in wave:
                at_place[wave["region"]] += count
            else:
                everywhere += count
        if not any(gap["from"] <= moment < gap["until"] for gap in service.get("gap", [])):
            day.excess.setdefault(service["id"], []).append((moment + width, extra))
            total = everywhere + sum(at_place.values())
            row = [service["id"], stamp(moment), service["every"] * 60]
            yield [*row, total, "", "", ""]
            if regions:
                shares = np.array(list(regions.values()), dtype=float)
                split = rng.multinomial(everywhere, shares / shares.sum())
                for region, count in zip(regions, split, strict=True):
                    yield [*row, int(count) + at_place[region], "", region, ""]
        moment += width


def _mean_level(curve: Curve, start: datetime, width: timedelta) -> float:
    """Return a curve's mean level in an interval."""
    return float(np.mean([level(curve, start + width * (part + 0.5) / 10) for part in range(10)]))


def _count(mean: float, dispersion: float, rng: np.random.Generator) -> int:
    return int(rng.negative_binomial(dispersion, dispersion / (dispersion + mean))) if mean > 1e-9 else 0
