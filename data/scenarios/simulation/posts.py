"""Posts of a day in the format of the Reddit archives."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import zstandard

from simulation.day import Day, curves, level

MINUTE = timedelta(minutes=1)
COMPLAINING = ("down", "ask", "confirm")  # how the kinds begin whose texts report an outage, and end as complaints do
BEFORE = ("ugh, ", "ok so ", "hi all, ", "hmm. ", "so… ", "quick one: ", "fwiw ", "argh ", "", "", "", "", "", "")
AFTER = (
    " (for {mins} min now)",
    " anyone?",
    " 😩",
    " ...",
    " pls",
    " 🤷",
    " !!",
    " edit: still",
    " {place} here",
    " been {mins} minutes",
    " sigh",
    " thx",
    "",
    "",
    "",
    "",
    "",
    "",
    "",
)
CALM = ("", "", "", " lol", " tbh", " 🙂", " haha", " I guess", " imo", " {place} here")
ERRORS = ("503", "500", "error 502", "a timeout", "an unexpected error", "connection refused", "error 504")


class Writer:
    """Makes posts, dealing each kind's texts round before repeating one."""

    def __init__(self, day: Day, rng: np.random.Generator) -> None:
        """Begin with a crowd of authors of every age."""
        self.day, self.rng = day, rng
        self.born = [day.start - timedelta(seconds=int(s)) for s in rng.integers(30 * 86400, 4000 * 86400, size=5000)]
        self.decks: dict[str, list[int]] = {}
        self.found: list[tuple[datetime, dict[str, object]]] = []

    def pick(self, options: Sequence[str]) -> str:
        """Return one of several strings."""
        return options[int(self.rng.integers(len(options)))]

    def add(self, moment: datetime, kind: str, service: Mapping, wave: Mapping | None = None) -> None:
        """Write one post of a kind about a service; `wave` says where few or new people write, or one text is copied.

        Its keys: `authors`, how many people write all of it; `age_hours`, how old their accounts are; `copied`: all
        write the same.
        """
        wave = wave or {}
        texts = self.day.texts[kind]
        if not self.decks.get(kind):
            self.decks[kind] = [int(i) for i in self.rng.permutation(len(texts))]
        row = texts[0 if wave.get("copied") else self.decks[kind].pop()]
        title, body = row["title"], row["text"]
        if row["lang"] == "en" and body and not wave.get("copied"):
            body = self.pick(BEFORE) + body + self.pick(AFTER if kind.startswith(COMPLAINING) else CALM)
        title, body = self.fill(title, service), self.fill(body, service)
        home = service.get("communities", [])
        community = self.pick(home) if home and self.rng.random() < 0.7 else self.pick(self.day.table["communities"])
        named = service["name"].lower() in f"{title} {body}".lower()
        if community not in home and not named and kind not in self.day.table["unnamed"]:
            title, body = (f"{service['name']}: {title}", body) if title else (title, f"{service['name']}: {body}")
        author, born = self._author(service, wave, moment)
        common = {
            "author": author,
            "author_created_utc": int(born.timestamp()),
            "subreddit": community,
            "created_utc": int(moment.timestamp()),
            "edited": False,
            "score": 1,
            "_simulated": kind,
        }
        if kind.startswith(COMPLAINING) and wave and "authors" not in wave:
            self.day.reports.setdefault(service["id"], []).append((moment, author))
        self.found.append((moment, {**common, "title": title, "selftext": body} if title else {**common, "body": body}))

    def _author(self, service: Mapping, wave: Mapping, moment: datetime) -> tuple[str, datetime]:
        if "authors" in wave:
            number = int(self.rng.integers(wave["authors"]))
            begun = wave["curve"][0][0]
            hours = 1 + number % max(1, int(wave.get("age_hours", 20_000)))
            return f"sim_{service['id']}_{begun:%m%d%H}_{number:02d}", moment - timedelta(hours=hours)
        author = int(len(self.born) * self.rng.random() ** 1.3)
        return f"sim_{author:05d}", self.born[author % len(self.born)]

    def fill(self, text: str, service: Mapping) -> str:
        """Fill the slots of a text."""
        slots = {
            "S": lambda: service["name"],
            "err": lambda: self.pick(ERRORS),
            "mins": lambda: str(int(self.rng.integers(3, 50))),
            "place": lambda: self.pick(self.day.table["places"]),
            "n": lambda: str(int(self.rng.integers(2, 12))),
        }
        return re.sub(r"\{(\w+)\}", lambda match: slots[match[1]](), text)


def write_posts(folder: Path, day: Day, rng: np.random.Generator) -> int:
    """Write posts.ndjson.zst, oldest first; return how many posts it holds."""
    writer = Writer(day, rng)
    for service in day.services:
        waves = curves(service)
        moment = day.start
        while moment < day.end:
            pace = day.activity(moment) / 1440
            for kind, per_day in service.get("everyday", {}).items():
                for _ in range(int(rng.poisson(per_day * pace))):
                    writer.add(moment + timedelta(seconds=int(rng.integers(60))), kind, service)
            for wave, curve in waves:
                rate = wave["posts"] * day.crowd * level(curve, moment)
                for _ in range(int(rng.poisson(rate)) if rate > 0 else 0):
                    kinds = list(wave["kinds"])
                    shares = np.array([wave["kinds"][kind] for kind in kinds], dtype=float)
                    kind = kinds[int(rng.choice(len(kinds), p=shares / shares.sum()))]
                    writer.add(moment + timedelta(seconds=int(rng.integers(60))), kind, service, wave)
            moment += MINUTE
    lines = list(_numbered(writer.found))
    (folder / "posts.ndjson.zst").write_bytes(zstandard.ZstdCompressor(level=9).compress("".join(lines).encode()))
    return len(lines)


def _numbered(found: list[tuple[datetime, dict[str, object]]]) -> Iterator[str]:
    last = "t3_a00000"
    for number, (_, post) in enumerate(sorted(found, key=lambda pair: pair[0])):
        native = f"a{number:05d}"
        if "title" in post:
            last = f"t3_{native}"
            extra = {"id": native, "name": last, "permalink": f"/r/{post['subreddit']}/comments/{native}/"}
        else:
            place = f"/r/{post['subreddit']}/comments/{last[3:]}/_/{native}/"
            extra = {"id": native, "name": f"t1_{native}", "link_id": last, "parent_id": last, "permalink": place}
        yield json.dumps({**post, **extra}, ensure_ascii=False, sort_keys=True) + "\n"
