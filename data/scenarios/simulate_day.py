"""Make a scenario folder from the facts in its `generator/`: day.toml, texts.csv, notices.csv, news.csv.

    python data/scenarios/simulate_day.py data/scenarios/2025-06-12-google-cloud [--out DIR] [--seed N] [--crowd X]

Without options it writes the folder byte for byte as committed. Counts and posts are drawn around the curves of
day.toml: a curve is a list of [time, level] points, joined by straight lines, and a level of 1 is the service's peak.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import re
import shutil
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
import zstandard

BIN = timedelta(minutes=15)
MINUTE = timedelta(minutes=1)
USUAL_DISPERSION, WAVE_DISPERSION = 22.0, 150.0
COMPLAINING = ("down", "ask", "confirm")  # how the kinds begin whose texts end as complaints do
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


class Day:
    """The facts of a day: its table, its texts, and the random numbers it is drawn with."""

    def __init__(self, facts: Path, seed: int | None, crowd: float) -> None:
        """Read day.toml and texts.csv in `facts`; `crowd` scales how many people complain and post of an outage."""
        self.table = tomllib.loads((facts / "day.toml").read_text(encoding="utf-8"))
        self.facts, self.crowd = facts, crowd
        self.seed = seed or self.table["seed"]
        self.start, self.end = self.table["start"], self.table["end"]
        self.services: list[dict] = self.table["service"]
        self.texts: dict[str, list[dict[str, str]]] = {}
        for row in rows_of(facts / "texts.csv"):
            self.texts.setdefault(row["kind"], []).append(row)

    def activity(self, moment: datetime) -> float:
        """Return how busy people are, 1 on average: the day's rhythm where most of them live, and quieter weekends."""
        hour = (moment + timedelta(hours=self.table["hours_ahead"])).hour + moment.minute / 60
        rhythm = 1 + 0.75 * math.sin((hour - 9) / 24 * 2 * math.pi)
        return rhythm * (0.85 if moment.weekday() >= 5 else 1.05)


def rows_of(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def level(curve: Sequence[tuple[datetime, float]], moment: datetime) -> float:
    """Return a curve's level at a moment: 0 outside its points."""
    for (since, low), (until, high) in pairwise(curve):
        if since <= moment < until:
            return low + (high - low) * ((moment - since) / (until - since))
    return 0.0


def curves(service: Mapping) -> list[tuple[dict, list[tuple[datetime, float]]]]:
    """Return a service's waves, each with its curve."""
    return [(wave, [(at, float(y)) for at, y in wave["curve"]]) for wave in service.get("wave", [])]


def complaints(day: Day, rng: np.random.Generator) -> Iterator[list[object]]:
    """Yield service,start_utc,interval_s,total,baseline,region,indicator for each quarter of an hour."""
    for service in day.services:
        if not service.get("complaints"):
            continue
        drift, waves = 0.0, curves(service)
        regions: dict[str, float] = service.get("regions", {})
        moment = day.start
        while moment < day.end:
            drift = 0.97 * drift + 0.05 * rng.normal()
            usual = service["complaints"] * day.activity(moment) * math.exp(drift)
            total = _count(usual, USUAL_DISPERSION, rng)
            for wave, curve in waves:
                mean = wave["complaints"] * day.crowd * level(curve, moment + BIN / 2)
                total += _count(mean, WAVE_DISPERSION, rng) if mean > 0 else 0
            start = stamp(moment)
            yield [service["id"], start, 900, total, "", "", ""]
            if regions:
                shares = np.array(list(regions.values()))
                for region, count in zip(regions, rng.multinomial(total, shares / shares.sum()), strict=True):
                    yield [service["id"], start, 900, int(count), "", region, ""]
            moment += BIN


def _count(mean: float, dispersion: float, rng: np.random.Generator) -> int:
    return int(rng.negative_binomial(dispersion, dispersion / (dispersion + mean)))


class Writer:
    """Makes posts in the format of the Reddit archives, dealing each kind's texts round before repeating one."""

    def __init__(self, day: Day, rng: np.random.Generator) -> None:
        """Begin with a crowd of authors of every age."""
        self.day, self.rng = day, rng
        self.born = [day.start - timedelta(seconds=int(s)) for s in rng.integers(30 * 86400, 4000 * 86400, size=5000)]
        self.decks: dict[str, list[int]] = {}
        self.found: list[tuple[datetime, dict[str, object]]] = []

    def pick(self, options: Sequence[str]) -> str:
        """Return one of several strings."""
        return options[int(self.rng.integers(len(options)))]

    def add(self, moment: datetime, kind: str, service: Mapping) -> None:
        """Write one post of a kind about a service."""
        texts = self.day.texts[kind]
        if not self.decks.get(kind):
            self.decks[kind] = [int(i) for i in self.rng.permutation(len(texts))]
        row = texts[self.decks[kind].pop()]
        title, body = row["title"], row["text"]
        if row["lang"] == "en" and body:
            body = self.pick(BEFORE) + body + self.pick(AFTER if kind.startswith(COMPLAINING) else CALM)
        title, body = self.fill(title, service), self.fill(body, service)
        home = service.get("communities", [])
        community = self.pick(home) if home and self.rng.random() < 0.7 else self.pick(self.day.table["communities"])
        named = service["name"].lower() in f"{title} {body}".lower()
        if community not in home and not named and kind not in self.day.table["unnamed"]:
            title, body = (f"{service['name']}: {title}", body) if title else (title, f"{service['name']}: {body}")
        author = int(len(self.born) * self.rng.random() ** 1.3)
        common = {
            "author": f"sim_{author:05d}",
            "author_created_utc": int(self.born[author % len(self.born)].timestamp()),
            "subreddit": community,
            "created_utc": int(moment.timestamp()),
            "edited": False,
            "score": 1,
            "_simulated": kind,
        }
        self.found.append((moment, {**common, "title": title, "selftext": body} if title else {**common, "body": body}))

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
                    writer.add(moment + timedelta(seconds=int(rng.integers(60))), kind, service)
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


def write_status(folder: Path, day: Day) -> None:
    """Write status/<service>.json in the shape of /api/v2/incidents.json, for each page that notices.csv knows."""
    pages: dict[str, dict[str, list[dict[str, str]]]] = {}
    for row in rows_of(day.facts / "notices.csv"):
        pages.setdefault(row["service"], {}).setdefault(row["incident"], []).append(row)
    if pages:
        (folder / "status").mkdir()
    for service, incidents in pages.items():
        listed = [_notice(incident, updates) for incident, updates in incidents.items()]
        listed.sort(key=lambda notice: str(notice["created_at"]), reverse=True)
        head = next(s for s in day.services if s["id"] == service)
        page = {"id": f"sim-{service}", "name": head["name"], "url": head["page"], "time_zone": "Etc/UTC"}
        text = json.dumps({"page": page, "incidents": listed}, indent=1, ensure_ascii=False)
        (folder / "status" / f"{service}.json").write_text(text + "\n", encoding="utf-8")


def _notice(incident: str, updates: Sequence[Mapping[str, str]]) -> dict[str, object]:
    entries = []
    for number, row in enumerate(sorted(updates, key=lambda r: r["at"])):
        parts = [
            {"code": name, "name": name, "old_status": "operational", "new_status": state}
            for name, state in (part.split(":") for part in row["components"].split("|") if part)
        ]
        times = dict.fromkeys(("created_at", "updated_at", "display_at"), row["at"])
        entries.append(
            {
                "id": f"{incident}u{number:02d}",
                "incident_id": incident,
                "status": row["status"],
                "body": row["body"],
                **times,
                "affected_components": parts,
            }
        )
    first, last = entries[0], entries[-1]
    return {
        "id": incident,
        "name": updates[0]["name"],
        "status": last["status"],
        "impact": updates[0]["impact"],
        "created_at": first["display_at"],
        "started_at": first["display_at"],
        "updated_at": last["display_at"],
        "resolved_at": last["display_at"] if last["status"] == "resolved" else None,
        "incident_updates": entries[::-1],
    }


def write_news(folder: Path, day: Day) -> int:
    """Write news/<feed>.xml as RSS 2.0; return how many items they hold."""
    (folder / "news").mkdir()
    feeds: dict[str, list[dict[str, str]]] = {}
    for row in rows_of(day.facts / "news.csv"):
        feeds.setdefault(row["feed"], []).append(row)
    for feed, rows in sorted(feeds.items()):
        items = "\n".join(
            f"<item><title>{escape(row['title'])}</title><description>{escape(row['summary'])}</description>"
            f'<guid isPermaLink="false">urn:sim:{feed}:{row["published"][:16]}</guid>'
            f"<pubDate>{format_datetime(datetime.fromisoformat(row['published']), usegmt=True)}</pubDate>"
            f'<source url="https://{feed}.example/">{escape(row["outlet"])}</source></item>'
            for row in sorted(rows, key=lambda r: r["published"], reverse=True)
        )
        (folder / "news" / f"{feed}.xml").write_text(
            f'<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0"><channel><title>{feed}</title>'
            f"<link>https://{feed}.example/</link><description>Simulated feed; facts from the public record"
            f"</description>\n{items}\n</channel></rss>\n",
            encoding="utf-8",
        )
    return sum(map(len, feeds.values()))


def head(day: Day, posts: int, items: int) -> str:
    """Return scenario.toml."""
    table = day.table
    watch = ", ".join(f'"{s["id"]}"' for s in day.services)
    lines = [
        f'name = "{table["name"]}"',
        f"start = {stamp(day.start)}",
        f"first_run = {stamp(table['first_run'])}",
        f"end = {stamp(day.end)}",
        'step = "5min"',
        f"watch = [{watch}]",
        "simulated = true",
        f'note = "{table["note"]} Seed {day.seed}: {posts} posts, {items} news items."',
        '\n[publication_delay]\nposts = "60s"\ncomplaints = "120s"\nfeeds = "5min"\nstatus = "30s"\n\n[sources]',
        *(f"{json.dumps(what)} = {json.dumps(where, ensure_ascii=False)}" for what, where in table["sources"].items()),
    ]
    return "\n".join(lines) + "\n"


def truth(day: Day) -> str:
    """Return truth.toml."""
    lines = ["# what really happened in this simulated record"]
    for service in day.services:
        for true in service.get("truth", []):
            times = [f"{key} = {stamp(true[key])}" for key in ("onset", "end")]
            lines += ["", "[[incident]]", f'service = "{service["id"]}"', *times, f'basis = "{true["basis"]}"']
    for service in day.services:
        for quiet in service.get("quiet", []):
            span = [f"{key} = {stamp(quiet[key])}" for key in ("from", "until")]
            lines += ["", "[[quiet]]", f'service = "{service["id"]}"', *span, f'why = "{quiet["why"]}"']
    return "\n".join(lines) + "\n"


def stamp(moment: datetime) -> str:
    """Return a time as text in UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def write(folder: Path, day: Day) -> None:
    """Write a whole scenario folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("news", "status"):
        shutil.rmtree(folder / name, ignore_errors=True)
    counting, posting = (np.random.default_rng([day.seed, part]) for part in range(2))
    with (folder / "complaints.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["service", "start_utc", "interval_s", "total", "baseline", "region", "indicator"])
        writer.writerows(complaints(day, counting))
    posts = write_posts(folder, day, posting)
    write_status(folder, day)
    items = write_news(folder, day)
    (folder / "scenario.toml").write_text(head(day, posts, items), encoding="utf-8")
    (folder / "truth.toml").write_text(truth(day), encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenario", type=Path, help="the folder whose generator/ holds the facts")
    parser.add_argument("--out", type=Path, help="where to write; default: the folder itself")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--crowd", type=float, default=1.0)
    args = parser.parse_args()
    write(args.out or args.scenario, Day(args.scenario / "generator", args.seed, args.crowd))
