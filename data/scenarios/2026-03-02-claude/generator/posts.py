"""Simulated posts in the format of the Reddit archives, from texts.csv: real rhythm, invented words.

Each object carries `_simulated`, the kind of text it was made from, which no stage of the pipeline reads.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import zstandard
from phrases import AFTER, BEFORE, ERRORS, PLACES, TOOLS
from world import CROWD_BEGINS, END, HERE, MAIN_END, START, Names, Switches, activity, bumps, main_complaints, names_of

MINUTE = timedelta(minutes=1)
ANNOUNCED = datetime.fromisoformat("2026-02-27T20:58:00Z")
# everyday talk about the service: posts a day of each kind
EVERYDAY = {
    "praise": 26,
    "howto": 48,
    "usage_limit": 34,
    "slow_quality": 12,
    "feature_request": 16,
    "own_problem": 18,
    "billing": 8,
    "ban": 3,
    "joke": 8,
    "jobs_opinion": 10,
    "market": 3,
    "retrospective": 3,
    "api_fine": 2,
    "works_again": 1,
    "other_outage": 6,
    "switching": 4,
    "politics": 3,
}
GRUMBLES = {
    "outage_question": 3.0,
    "outage_web": 2.5,
    "outage_login": 1.5,
    "outage_code": 2.0,
    "outage_model": 2.0,
    "outage_app": 1.0,
    "outage_api": 1.0,
}
RIVALS = {"chatgpt": 0.55, "gemini": 0.25}
SURGE = {
    "politics": 0.46,
    "switching": 0.14,
    "rank": 0.08,
    "joke": 0.12,
    "praise": 0.10,
    "jobs_opinion": 0.06,
    "market": 0.04,
}
MIXES = {
    "main": {
        "outage_login": 0.33,
        "outage_web": 0.19,
        "outage_code": 0.17,
        "outage_question": 0.11,
        "outage_confirm": 0.09,
        "outage_partial_api_ok": 0.07,
        "outage_app": 0.04,
    },
    "main_later": {
        "outage_login": 0.25,
        "outage_web": 0.2,
        "outage_code": 0.13,
        "outage_question": 0.08,
        "outage_confirm": 0.14,
        "outage_api": 0.16,
        "outage_app": 0.04,
    },
    "web": {
        "outage_web": 0.45,
        "outage_question": 0.2,
        "outage_confirm": 0.2,
        "outage_app": 0.08,
        "outage_login": 0.07,
    },
    "model": {
        "outage_model": 0.4,
        "outage_web": 0.2,
        "outage_question": 0.15,
        "outage_confirm": 0.15,
        "outage_code": 0.1,
    },
    "api": {"outage_api": 0.55, "outage_question": 0.15, "outage_confirm": 0.15, "outage_code": 0.15},
}


class Writer:
    """Makes post objects from the texts, dealing each kind's texts round before repeating one."""

    def __init__(self, switches: Switches, rng: np.random.Generator) -> None:
        """Read the texts and prepare the crowd of authors."""
        self.rng = rng
        self.main = names_of(switches.service)
        others = {key: names_of(key if key != switches.service else "claude") for key in RIVALS}
        self.others = others
        self.texts: dict[str, list[dict[str, str]]] = {}
        with (HERE / "texts.csv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                self.texts.setdefault(row["kind"], []).append(row)
        self.deck: dict[str, list[int]] = {}
        self.found: list[tuple[datetime, dict[str, Any]]] = []
        born = rng.integers(30, 4000, size=3600)
        self.born = [START - timedelta(days=int(days)) for days in born]

    def deal(self, kind: str) -> dict[str, str]:
        """Return the next text of a kind."""
        if not self.deck.get(kind):
            self.deck[kind] = [int(i) for i in self.rng.permutation(len(self.texts[kind]))]
        return self.texts[kind][self.deck[kind].pop()]

    def pick(self, options: tuple[str, ...]) -> str:
        """Return one of several strings."""
        return options[int(self.rng.integers(len(options)))]

    def fill(self, text: str, lang: str, names: Names, rival: Names) -> str:
        """Fill the slots of a text."""
        slots: dict[str, Callable[[], str]] = {
            "S": lambda: names.name,
            "web": lambda: names.web,
            "code": lambda: names.code,
            "api": lambda: names.api,
            "V": lambda: names.vendor,
            "ceo": lambda: names.chief.split()[-1],
            "R": lambda: rival.name,
            "RV": lambda: rival.vendor,
            "err": lambda: self.pick(ERRORS),
            "mins": lambda: str(int(self.rng.integers(3, 40))),
            "place": lambda: self.pick(tuple(PLACES[lang].split(","))),
            "n": lambda: str(int(self.rng.integers(2, 10))),
            "tool": lambda: self.pick(TOOLS),
        }
        return re.sub(r"\{(\w+)\}", lambda match: slots[match[1]](), text)

    def vary(self, text: str, lang: str) -> str:
        """Write a text as another person would: an opening, an ending, a typo, lower case."""
        rng = self.rng
        if text and rng.random() < 0.30:
            text = self.pick(BEFORE[lang]) + text[0].lower() + text[1:]
        if text and rng.random() < 0.45:
            text = text.rstrip(".") + self.pick(AFTER[lang])
        if rng.random() < 0.15:
            text = re.sub(r"(?<!\{)\b\w+\b(?!\})", lambda m: m[0].lower(), text)
        if lang != "ja" and rng.random() < 0.22:
            words = re.findall(r"(?<!\{)\b[^\W\d_]{5,}\b(?!\})", text)
            if words:
                word = words[int(rng.integers(len(words)))]
                cut = int(rng.integers(1, len(word) - 2))
                text = text.replace(word, word[:cut] + word[cut + 1] + word[cut] + word[cut + 2 :], 1)
        return text

    def add(
        self,
        moment: datetime,
        kind: str,
        names: Names | None = None,
        *,
        author: int | None = None,
        community: str | None = None,
        row: dict[str, str] | None = None,
        born: datetime | None = None,
        handle: str | None = None,
    ) -> None:
        """Write one post."""
        rng, names = self.rng, names or self.main
        row = row or self.deal(kind)
        lang = row["lang"]
        rival = self.main if names is not self.main else self.others["chatgpt"]
        varied = handle is None
        shape = (lambda text: self.vary(text, lang)) if varied else (lambda text: text)
        body = self.fill(shape(row["text"]), lang, names, rival)
        title = self.fill(row["title"] if row["text"] else shape(row["title"]), lang, names, rival)
        community = community or self.where(kind, names)
        outside = community not in names.communities
        if outside and names.name.lower() not in f"{title} {body}".lower() and kind not in ("other_outage", "aws_fire"):
            title = f"{names.name}: {title}" if title else title
            body = body if title else f"{names.name}: {body}"
        if author is None:
            author = int(len(self.born) * rng.random() ** 1.6)
        created = born or self.born[author % len(self.born)]
        who = handle or f"sim_{author:05d}"
        common = {
            "author": who,
            "author_created_utc": int(created.timestamp()),
            "subreddit": community,
            "created_utc": int(moment.timestamp()),
            "edited": False,
            "score": 1,
            "_simulated": kind,
        }
        self.found.append((moment, {**common, "title": title, "selftext": body} if title else {**common, "body": body}))

    def where(self, kind: str, names: Names) -> str:
        """Choose the community a kind of post appears in."""
        if kind == "aws_fire":
            return self.pick(("aws", "technology", "sysadmin"))
        home = names.communities
        inside = {
            "politics": 0.35,
            "rank": 0.4,
            "joke": 0.6,
            "switching": 0.7,
            "jobs_opinion": 0.5,
            "market": 0.2,
            "other_outage": 0.3,
        }.get(kind, 0.82)
        if self.rng.random() < inside:
            return home[min(len(home) - 1, int(self.rng.exponential(0.7)))]
        if kind in ("politics", "market"):
            return self.pick(("politics", "technology", "news", "artificial"))
        return self.pick(("technology", "programming", "artificial", "sysadmin"))

    def choose(self, mix: dict[str, float]) -> str:
        """Choose a kind by its share."""
        kinds = list(mix)
        shares = np.array([mix[kind] for kind in kinds])
        return kinds[int(self.rng.choice(len(kinds), p=shares / shares.sum()))]


def interest(moment: datetime) -> float:
    """Return how much more than usual everybody talks: the surge of 27-28 February, and more newcomers after it."""
    if moment < ANNOUNCED:
        return 1.0
    return 1.0 + 0.7 * min(1.0, (moment - ANNOUNCED) / timedelta(hours=24))


def surge(moment: datetime) -> float:
    """Return political posts per minute: nothing before the announcement, the height of it in the next 16 hours."""
    if moment < ANNOUNCED:
        return 0.0
    hours = (moment - ANNOUNCED) / timedelta(hours=1)
    return 1.5 * (min(1.0, hours / 1.5)) * float(np.exp(-max(0.0, hours - 6) / 9)) * activity(moment) / 0.5


def crowd(writer: Writer, switches: Switches, moment: datetime) -> None:
    """Write the outage posts of one minute: the main outage's and the other bumps'."""
    rng = writer.rng
    begins, ends = CROWD_BEGINS + switches.shift, MAIN_END + switches.shift
    api_again = datetime.fromisoformat("2026-03-02T13:37:00Z") + switches.shift
    if switches.outage and moment >= begins:
        if moment < begins + 8 * MINUTE:
            rate = int(rng.integers(1, 5))
            rate = int(rng.binomial(rate, switches.crowd)) if switches.crowd < 1 else rate
        else:
            slot = moment - timedelta(minutes=(moment - begins + 7 * MINUTE) // MINUTE % 15)
            rate = int(rng.poisson(0.0062 * main_complaints(slot, switches)))
        for _ in range(rate):
            writer.add(
                moment + timedelta(seconds=int(rng.integers(60))),
                writer.choose(MIXES["main_later" if moment >= api_again else "main"]),
            )
        if begins + 20 * MINUTE < moment < ends and rng.random() < 0.10:
            writer.add(moment, writer.choose({"joke": 0.5, "api_fine": 0.3, "other_outage": 0.2}))
        if ends - 15 * MINUTE < moment < ends + 90 * MINUTE and rng.random() < 0.3:
            writer.add(moment, "works_again")
        if ends + 120 * MINUTE < moment and rng.random() < 0.02:
            writer.add(moment, "retrospective")
    for b in bumps(switches):
        for _ in range(int(rng.poisson(b.posts * b.shape(moment)))):
            writer.add(moment + timedelta(seconds=int(rng.integers(60))), writer.choose(MIXES[b.mix]))


def set_pieces(writer: Writer) -> None:
    """Write what must not raise an alarm: one person posting forty times, a text copied by twelve new accounts."""
    rng = writer.rng
    outage = [kind for kind in writer.texts if kind.startswith("outage_")]
    begin = datetime.fromisoformat("2026-03-01T18:05:00Z")
    for i in range(40):
        writer.add(
            begin + timedelta(minutes=2.6 * i),
            outage[i % len(outage)],
            author=1_000_001,
            community=writer.main.communities[0],
        )
    copied = {
        "kind": "copied",
        "lang": "en",
        "title": "",
        "text": "WARNING {S} is completely offline worldwide for everybody, get your data out before it is gone",
    }
    begin = datetime.fromisoformat("2026-03-01T09:12:00Z")
    for i in range(12):
        writer.add(
            begin + timedelta(minutes=int(rng.integers(0, 25))),
            "copied",
            row=copied,
            handle=f"sim_new_{i:02d}",
            community=writer.main.communities[0],
            born=begin - timedelta(hours=int(rng.integers(2, 40))),
        )


def write(folder: Path, switches: Switches, rng: np.random.Generator) -> tuple[int, list[tuple[datetime, str]]]:
    """Write posts.ndjson.zst, oldest first; return how many posts it holds, and who reported an outage when."""
    writer = Writer(switches, rng)
    silent_from = datetime.fromisoformat("2026-03-02T00:00:00Z")
    silent_to = datetime.fromisoformat("2026-03-03T00:00:00Z")
    moment = START
    while moment < END:
        pace = activity(moment) / 0.55 / 1440
        often = pace * interest(moment)
        for kind, per_day in EVERYDAY.items():
            for _ in range(int(rng.poisson(per_day * often))):
                writer.add(moment + timedelta(seconds=int(rng.integers(60))), kind)
        for kind, per_day in GRUMBLES.items():
            fits = not silent_from <= moment < silent_to
            if rng.random() < per_day * often and fits:
                writer.add(moment, kind)
            for rival, scale in RIVALS.items():
                if rng.random() < per_day * pace * scale and fits:
                    writer.add(moment, kind, writer.others[rival])
        for rival, scale in RIVALS.items():
            if rng.random() < 190 * pace * scale:
                writer.add(
                    moment, writer.choose({k: v for k, v in EVERYDAY.items() if k != "politics"}), writer.others[rival]
                )
        for _ in range(int(rng.poisson(surge(moment)))):
            writer.add(moment + timedelta(seconds=int(rng.integers(60))), writer.choose(SURGE))
        if moment >= datetime.fromisoformat("2026-03-01T13:00:00Z") and rng.random() < 60 * pace:
            writer.add(moment, "aws_fire")
        crowd(writer, switches, moment)
        moment += MINUTE
    set_pieces(writer)
    lines = list(numbered(writer))
    packed = zstandard.ZstdCompressor(level=9).compress("".join(lines).encode())
    (folder / "posts.ndjson.zst").write_bytes(packed)
    return len(lines), sorted(reports(writer))


def reports(writer: Writer) -> Iterator[tuple[datetime, str]]:
    """Yield (when, author) of every post that was written as a report of the main service's outage."""
    for moment, post in writer.found:
        text = f"{post.get('title', '')} {post.get('selftext', '')} {post.get('body', '')}"
        ours = post["subreddit"] in writer.main.communities or writer.main.name.lower() in text.lower()
        if ours and str(post["_simulated"]).startswith("outage_"):
            yield moment, str(post["author"])


def numbered(writer: Writer) -> Iterator[str]:
    """Yield the objects in time order as lines, with ids and the threads comments belong to."""
    last = "t3_a00000"
    for number, (_, post) in enumerate(sorted(writer.found, key=lambda pair: pair[0])):
        native = f"a{number:05d}"
        if "title" in post:
            last = f"t3_{native}"
            extra = {"id": native, "name": last, "permalink": f"/r/{post['subreddit']}/comments/{native}/"}
        else:
            extra = {
                "id": native,
                "name": f"t1_{native}",
                "link_id": last,
                "parent_id": last,
                "permalink": f"/r/{post['subreddit']}/comments/{last[3:]}/_/{native}/",
            }
        yield json.dumps({**post, **extra}, ensure_ascii=False, sort_keys=True) + "\n"
