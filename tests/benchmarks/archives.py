"""Archives made up for measuring: posts of which one in fifty names a service, counts with an outage in each series."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np

NAMES = ("claude", "github", "netflix", "chatgpt", "spotify")
WORDS = [
    "the",
    "a",
    "to",
    "i",
    "my",
    "it",
    "is",
    "was",
    "for",
    "on",
    "with",
    "just",
    "now",
    "today",
    "again",
    "really",
    "working",
    "fine",
    "love",
    "great",
    "game",
    "movie",
    "code",
]
BAD = (
    "cannot log in to {}",
    "{} is down for me",
    "{} down? anyone else getting error 500",
    "is {} broken again, nothing loads",
)
GOOD = ("{} is great today", "i love {} so much", "how do i use {} for homework", "the new {} update looks nice")
BEGIN, DAYS = 1769904000, 28


def write_posts(path: Path, number: int) -> None:
    """Write posts over February 2026 as lines of JSON."""
    dice, moment = random.Random(5), float(BEGIN)
    with path.open("w", encoding="utf-8") as file:
        for n in range(number):
            moment += dice.random() * 2 * (DAYS * 86400 / number)
            text = " ".join(dice.choices(WORDS, k=18))
            if dice.random() < 0.02:
                text = dice.choice(BAD if dice.random() < 0.3 else GOOD).format(dice.choice(NAMES)) + " " + text[:40]
            told = {
                "id": f"p{n}",
                "title": text[:60],
                "selftext": text,
                "author": f"u{dice.randrange(number)}",
                "subreddit": "test",
                "created_utc": int(moment),
            }
            file.write(json.dumps(told) + "\n")


def write_counts(path: Path, series: int, days: int = 90) -> None:
    """Write counts of a quarter of an hour, with two hours of trouble in each series, fifty series a row group."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    dice, bins = np.random.default_rng(3), days * 96
    times = np.datetime64("2025-12-01T00:00:00", "s") + np.arange(bins) * np.timedelta64(900, "s")
    schema = pa.schema(
        [
            ("service", pa.string()),
            ("start_utc", pa.timestamp("s", "UTC")),
            ("interval_s", pa.int64()),
            ("total", pa.int64()),
        ]
    )
    with pq.ParquetWriter(path, schema) as file:
        for first in range(0, series, 50):
            names = [f"s{n:04d}" for n in range(first, min(first + 50, series))]
            totals = dice.poisson(6, (len(names), bins))
            for row in totals:
                at = dice.integers(bins - 200)
                row[at : at + 8] += dice.integers(40, 200)
            file.write_table(
                pa.table(
                    {
                        "service": np.repeat(names, bins),
                        "start_utc": pa.array(np.tile(times, len(names))).cast(pa.timestamp("s", "UTC")),
                        "interval_s": np.full(totals.size, 900),
                        "total": totals.ravel(),
                    },
                    schema=schema,
                ),
                row_group_size=10**8,
            )


def write_recording(folder: Path, services: Sequence[str], days: int, *, first_run: int, outages: int = 1) -> None:
    """Write a recording of 15-minute counts with a daily rhythm and outages of one to three hours in each service."""
    dice, bins = np.random.default_rng(11), days * 96
    begin = np.datetime64("2025-01-06T00:00:00", "s")
    stamps = [f"{stamp}Z" for stamp in (begin + np.arange(bins) * np.timedelta64(900, "s")).astype(str)]
    rhythm = 6 + 4 * np.sin((np.arange(bins) % 96) / 96 * 2 * np.pi - 2)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "complaints.csv").open("w", encoding="utf-8") as file:
        file.write("service,start_utc,interval_s,total\n")
        for service in services:
            totals = dice.poisson(rhythm * dice.uniform(0.3, 3))
            for _ in range(outages):
                at, lasts = dice.integers(first_run * 96, bins - 20), dice.integers(4, 12)
                totals[at : at + lasts] += dice.poisson(120, lasts)
            file.writelines(f"{service},{stamp},900,{n}\n" for stamp, n in zip(stamps, totals.tolist(), strict=True))
    told = [begin, begin + np.timedelta64(days, "D"), begin + np.timedelta64(first_run, "D")]
    start, end, first = (f"{moment}Z" for moment in told)
    (folder / "scenario.toml").write_text(
        f'name = "recording"\nstart = {start}\nend = {end}\nfirst_run = {first}\nstep = "15min"\nsimulated = true\n'
        f"watch = {json.dumps(list(services))}\n"
    )
