"""Make a scenario folder from the facts in its `generator/`: day.toml, texts.csv, notices.csv, news.csv.

    python data/scenarios/simulate_day.py data/scenarios/2025-06-12-google-cloud [--out DIR] [--seed N] [--no-outage]
        [--shift HOURS] [--rename OLD=NEW] [--crowd X]

Without options it writes the folder byte for byte as committed. Counts and posts are drawn around the curves of
day.toml: a curve is a list of [time, level] points, joined by straight lines, and a level of 1 is the service's peak.
Services of a day with `local = true` have time zones, languages and intervals of their own, and its texts are those of
simulation/local_texts.csv; maintenance.csv holds what was announced.
"""

from __future__ import annotations

import argparse
import csv
import shutil
from datetime import timedelta
from pathlib import Path

import numpy as np
from simulation.counts import complaints
from simulation.day import Day, Switches
from simulation.heads import head, truth
from simulation.local_counts import local_complaints
from simulation.local_posts import write_local_posts
from simulation.pages import write_maintenance, write_news, write_status
from simulation.posts import write_posts


def write(folder: Path, day: Day) -> None:
    """Write a whole scenario folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("news", "status"):
        shutil.rmtree(folder / name, ignore_errors=True)
    counting, posting = (np.random.default_rng([day.seed, part]) for part in range(2))
    with (folder / "complaints.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["service", "start_utc", "interval_s", "total", "baseline", "region", "indicator"])
        writer.writerows(local_complaints(day, counting) if day.local else complaints(day, counting))
    posts = write_local_posts(folder, day, posting) if day.local else write_posts(folder, day, posting)
    write_status(folder, day)
    write_maintenance(folder, day)
    items = write_news(folder, day)
    (folder / "scenario.toml").write_text(head(day, posts, items), encoding="utf-8")
    (folder / "truth.toml").write_text(truth(day), encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenario", type=Path, help="the folder whose generator/ holds the facts")
    parser.add_argument("--out", type=Path, help="where to write; default: the folder itself")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--no-outage", action="store_true", help="nothing fails, everything else stays")
    parser.add_argument("--shift", type=float, default=0.0, metavar="HOURS", help="move all that happened")
    parser.add_argument("--rename", metavar="OLD=NEW", help="another service of the catalogue in the place of one")
    parser.add_argument("--crowd", type=float, default=1.0, help="how many people complain and post of an outage")
    args = parser.parse_args()
    old, _, new = (args.rename or "").partition("=")
    switches = Switches(
        seed=args.seed,
        crowd=args.crowd,
        outage=not args.no_outage,
        shift=timedelta(hours=args.shift),
        rename=(old, new) if args.rename else None,
    )
    write(args.out or args.scenario, Day((args.scenario / "generator").resolve(), switches))
