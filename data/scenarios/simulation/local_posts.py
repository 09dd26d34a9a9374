"""Posts of a day in many languages: a text, what people add to it, and their mistakes in typing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import zstandard

from simulation.day import Day, curves, level
from simulation.local_counts import local_activity

MINUTE, THREAD = timedelta(minutes=1), timedelta(hours=8)
AUTHORS = 9000
UNLISTED = 0.05  # the weight of a language that a service's table does not have
UNSPACED = ("ja", "ko")
SEPARATORS, UNSPACED_SEPARATORS = (". ", ", ", " - ", " ", "\n"), ("。", " ", "、")
BODIES = ("", "", "", "title says it", "see title")


class LocalWriter:
    """Makes posts, dealing each kind's texts of a language round before repeating one."""

    def __init__(self, day: Day, rng: np.random.Generator) -> None:
        """Begin with a crowd of authors of every age."""
        self.day, self.rng = day, rng
        ages = rng.integers(40 * 86400, 4200 * 86400, size=AUTHORS)
        self.born = [day.start - timedelta(seconds=int(age)) for age in ages]
        self.decks: dict[tuple[str, str], list[int]] = {}
        self.found: list[tuple[datetime, str, dict[str, object]]] = []  # time, service, post
        self.texts: dict[str, dict[str, list[str]]] = {}  # by kind and language
        for kind, rows in day.texts.items():
            for row in rows:
                self.texts.setdefault(kind, {}).setdefault(row["lang"], []).append(row["text"])

    def pick(self, options: Sequence[str]) -> str:
        """Return one of several strings."""
        return options[int(self.rng.integers(len(options)))]

    def add(
        self, moment: datetime, kind: str, service: Mapping, wave: Mapping | None = None, context: bool = False
    ) -> None:
        """Write one post of a kind about a service; with `context`, people add something about themselves.

        Keys of `wave`: `languages`, where they are not the service's; `reports`: its posts are reports of an outage;
        `authors`, how many people write all of it, and `age_hours`, how old their accounts are at the first run;
        `copied`: all write the same.
        """
        wave = wave or {}
        reports = bool(wave.get("reports")) and kind != "joke"
        language, text = self._text(kind, service, wave, context or reports)
        moment += timedelta(seconds=int(self.rng.integers(60)))
        home = service.get("communities", [])
        at_home = bool(home) and self.rng.random() < 0.55
        community = self.pick(home) if at_home else self.pick(self.texts["community"][language])
        author, born = self._author(service, wave)
        if reports:
            self.day.reports.setdefault(service["id"], []).append((moment, author))
        post: dict[str, object] = {
            "author": author,
            "author_created_utc": int(min(born, moment - timedelta(hours=2)).timestamp()),
            "subreddit": community,
            "created_utc": int(moment.timestamp()),
            "edited": False,
            "score": 1,
            "_simulated": kind,
        }
        form = self.rng.random()
        if form < 0.3 and len(text) < 160:
            post.update(title=text, selftext=self.pick(BODIES) if language == "en" else "")
        elif form < 0.38:
            title, *rest = re.split(r"(?<=[.!?\n]) ", text, maxsplit=1)
            post.update(title=title, selftext="".join(rest))
        else:
            post["body"] = text
        self.found.append((moment, service["id"], post))

    def _text(self, kind: str, service: Mapping, wave: Mapping, context: bool) -> tuple[str, str]:
        """Return the language of a post and its text."""
        pool, weights = self.texts[kind], wave.get("languages", service["languages"])
        known = [language for language in weights if language in pool] or list(pool)
        shares = np.array([weights.get(language, UNLISTED) for language in known], dtype=float)
        language = known[int(self.rng.choice(len(known), p=shares / shares.sum()))]
        deck = self.decks.setdefault((kind, language), [])
        if not deck:
            deck.extend(int(i) for i in self.rng.permutation(len(pool[language])))
        text = pool[language][deck.pop()]
        if context:
            added = self.pick(self.texts["context"][language])
            between = self.pick(UNSPACED_SEPARATORS if language in UNSPACED else SEPARATORS)
            if added:
                text = text + between + added if self.rng.random() < 0.8 else added + between + text
            text += self.pick(self.texts["ending"][language])
        slots = {
            "S": self.pick(service["names"]),
            "mins": str(int(self.rng.integers(3, 45))),
            "place": self.pick(self.texts["place"][language]),
        }
        text = re.sub(r"\{(\w+)\}", lambda match: slots[match[1]], text)
        return language, text if wave.get("copied") or language in UNSPACED else self._typed(text)

    def _typed(self, text: str) -> str:
        """Return a text as somebody in a hurry types it."""
        rng = self.rng
        if rng.random() < 0.35:
            text = text.lower()
        elif rng.random() < 0.25:
            text = text[0].upper() + text[1:]
        if rng.random() < 0.16 and len(text) > 14:
            at = int(rng.integers(4, len(text) - 3))
            slip = rng.random()
            if slip < 0.4:
                text = text[:at] + text[at + 1 :]  # a letter is missing
            elif slip < 0.75:
                text = text[:at] + text[at + 1] + text[at] + text[at + 2 :]
            else:
                text = text[:at] + text[at] + text[at:]
        if rng.random() < 0.1:
            text = text.replace(",", "").replace("'", "")
        return text.upper() if rng.random() < 0.03 else text

    def _author(self, service: Mapping, wave: Mapping) -> tuple[str, datetime]:
        if "authors" in wave:
            begun, number = wave["curve"][0][0], int(self.rng.integers(wave["authors"]))
            born = self.day.first_run - timedelta(hours=wave["age_hours"])
            return f"sim_{service['id']}_{begun:%d%H}_{number:02d}", born
        author = int(AUTHORS * self.rng.random() ** 1.25)
        return f"sim_{author:05d}", self.born[author]


def write_local_posts(folder: Path, day: Day, rng: np.random.Generator) -> int:
    """Write posts.ndjson.zst, oldest first; return how many posts it holds."""
    writer = LocalWriter(day, rng)
    for service in day.services:
        moment = day.start
        # people write of what they see some minutes after they complain
        waves = [
            (wave, [(at + timedelta(minutes=wave.get("posts_later", 0)), share) for at, share in curve])
            for wave, curve in curves(service)
        ]
        while moment < day.end:
            pace = local_activity(day, service, moment) / 1440
            for kind, per_day in service["everyday"].items():
                for _ in range(int(rng.poisson(per_day * pace))):
                    writer.add(moment, kind, service, context=kind.startswith("gripe") and rng.random() < 0.3)
            for kind, per_day in service["stray"].items():  # one person's trouble, written as in an outage
                for _ in range(int(rng.poisson(per_day * pace))):
                    writer.add(moment, kind, service, context=True)
            for wave, curve in waves:
                for _ in range(int(rng.poisson(wave["posts"] * day.crowd * level(curve, moment)))):
                    kinds = list(wave["kinds"])
                    shares = np.array(list(wave["kinds"].values()), dtype=float)
                    one = int(rng.choice(len(kinds), p=shares / shares.sum())) if len(kinds) > 1 else 0
                    writer.add(moment, kinds[one], service, wave)
            moment += MINUTE
    lines = list(_numbered(writer.found))
    (folder / "posts.ndjson.zst").write_bytes(zstandard.ZstdCompressor(level=9).compress("".join(lines).encode()))
    return len(lines)


def _numbered(found: list[tuple[datetime, str, dict[str, object]]]) -> Iterator[str]:
    """Yield the posts as lines, with ids; a comment answers the last thread about its service, or one of the day."""
    last: dict[tuple[object, str], tuple[str, datetime]] = {}
    for number, (moment, service, post) in enumerate(sorted(found, key=lambda one: one[0])):
        native, community = f"a{number:05d}", post["subreddit"]
        if "title" in post:
            last[community, service] = (native, moment)
            extra = {"id": native, "name": f"t3_{native}", "permalink": f"/r/{community}/comments/{native}/"}
        else:
            thread, begun = last.get((community, service), ("", moment - 2 * THREAD))
            if moment - begun > THREAD:
                thread = f"daily{moment:%j}"
            place = f"/r/{community}/comments/{thread}/_/{native}/"
            above = f"t3_{thread}"
            extra = {"id": native, "name": f"t1_{native}", "link_id": above, "parent_id": above, "permalink": place}
        yield json.dumps({**post, **extra}, ensure_ascii=False, sort_keys=True) + "\n"
