"""News feeds, the official status page and the app chart: times and states from the record, words of our own."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
from world import DAY_INCIDENTS, DAY_OF, END, HERE, START, Switches, at, names_of

ROLE_OF = {
    "claude.ai": "web",
    "Claude Code": "code",
    "Claude API (api.anthropic.com)": "api",
    "platform.claude.com (formerly console.anthropic.com)": "console",
    "Claude Console (platform.claude.com)": "console",
    "Claude for Government": "other",
}
BODIES = {
    "investigating": "We see the failures and are looking for where they come from.",
    "identified": "We know where the failures come from and are working on a remedy.",
    "monitoring": "A remedy is in place and we are watching whether it holds.",
    "resolved": "This is over.",
}
SPECIAL = {
    ("0ghc53zpsfmt", "2026-03-02T12:21:24Z"): "The API answers as it should. What fails is the web site and everything"
    " that signs people in or out.",
    ("0ghc53zpsfmt", "2026-03-02T13:37:01Z"): "Some calls to the API fail as well. Work on the remedy goes on.",
}


def _news_rows(switches: Switches) -> Iterator[dict[str, str]]:
    with (HERE / "news_items.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            published = at(row["published_utc"])
            of_the_day = row["relation"] == "reports" and DAY_OF[0] <= published < DAY_OF[1]
            if (of_the_day or row["relation"] == "follow_up") and not switches.outage:
                continue
            if of_the_day:
                published += switches.shift
            yield {**row, "published": published.isoformat()}


def _rename(text: str, switches: Switches) -> str:
    if switches.service == "claude":
        return text
    old, new = names_of("claude"), names_of(switches.service)
    if new.name in text:
        return text
    for before, after in (
        ("claude.ai", new.web),
        ("Claude Code", new.code),
        ("Claude", new.name),
        ("Anthropic", new.vendor),
        (old.chief, new.chief),
        ("Amodei", new.chief.split()[-1]),
    ):
        text = text.replace(before, after)
    return text


def write_news(folder: Path, switches: Switches) -> int:
    """Write news/<feed>.xml as RSS 2.0; return how many items they hold."""
    (folder / "news").mkdir(exist_ok=True)
    feeds: dict[str, list[dict[str, str]]] = {}
    for row in _news_rows(switches):
        feeds.setdefault(row["feed"], []).append(row)
    for feed, rows in sorted(feeds.items()):
        items = []
        for row in sorted(rows, key=lambda r: r["published"], reverse=True):
            title, summary = _rename(row["title"], switches), _rename(row["summary"], switches)
            guid = f"urn:sim:{feed}:{row['published'][:16]}:{len(row['title'])}"
            items.append(
                f"<item><title>{escape(title)}</title><description>{escape(summary)}</description>"
                f'<guid isPermaLink="false">{escape(guid)}</guid>'
                f"<pubDate>{format_datetime(at(row['published']), usegmt=True)}</pubDate>"
                f'<source url="https://{feed}.example/">{escape(row["outlet"])}</source></item>'
            )
        (folder / "news" / f"{feed}.xml").write_text(
            f'<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0"><channel><title>{escape(feed)}</title>'
            f"<link>https://{feed}.example/</link><description>Simulated feed; facts and times from the public record"
            "</description>\n" + "\n".join(items) + "\n</channel></rss>\n",
            encoding="utf-8",
        )
    return sum(len(rows) for rows in feeds.values())


def write_status(folder: Path, switches: Switches) -> None:
    """Write status/<service>.json in the shape of /api/v2/incidents.json, newest first."""
    names = names_of(switches.service)
    (folder / "status").mkdir(exist_ok=True)
    with (HERE / "official_incidents.csv").open(encoding="utf-8", newline="") as file:
        incidents = {row["incident"]: row for row in csv.DictReader(file)}
    updates: dict[str, list[dict[str, str]]] = {}
    with (HERE / "official_updates.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            updates.setdefault(row["incident"], []).append(row)
    listed = []
    for incident, head in incidents.items():
        of_the_day = incident in DAY_INCIDENTS
        if of_the_day and not switches.outage:
            continue
        shift = switches.shift if of_the_day else timedelta(0)
        entries = []
        for number, row in enumerate(sorted(updates[incident], key=lambda r: r["displayed_at"])):
            shown = _stamp(at(row["displayed_at"]) + shift)
            parts = []
            for part in filter(None, row["components"].split("|")):
                name, _, change = part.rpartition(":")
                old, new = change.split(">")
                role = ROLE_OF[name]
                if switches.service != "claude":
                    if role not in names.official or role == "other":
                        continue
                    name = names.official[role]
                parts.append({"code": role, "name": name, "old_status": old, "new_status": new})
            body = SPECIAL.get((incident, row["displayed_at"]), BODIES[row["status"]])
            entries.append(
                {
                    "id": f"{incident}u{number:02d}",
                    "incident_id": incident,
                    "status": row["status"],
                    "body": _rename(body, switches),
                    "created_at": shown,
                    "updated_at": shown,
                    "display_at": shown,
                    "affected_components": parts,
                }
            )
        resolved = entries[-1]["display_at"] if entries[-1]["status"] == "resolved" else None
        listed.append(
            {
                "id": incident,
                "name": _rename(head["name"], switches),
                "status": entries[-1]["status"],
                "impact": head["impact"],
                "created_at": entries[0]["display_at"],
                "started_at": entries[0]["display_at"],
                "updated_at": entries[-1]["display_at"],
                "resolved_at": resolved,
                "incident_updates": entries[::-1],
            }
        )
    listed.sort(key=lambda incident: incident["created_at"], reverse=True)
    page = {
        "id": f"sim-{names.id}",
        "name": names.name,
        "url": names.page,
        "time_zone": "Etc/UTC",
        "updated_at": listed[0]["updated_at"],
    }
    text = json.dumps({"page": page, "incidents": listed}, indent=1, ensure_ascii=False)
    (folder / "status" / f"{names.id}.json").write_text(text + "\n", encoding="utf-8")


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def write_charts(folder: Path, switches: Switches, rng: np.random.Generator) -> None:
    """Write charts.csv: ranks among free US apps every six hours; the climb to first place is the record's."""
    main, rival, third = names_of(switches.service), names_of("chatgpt"), names_of("gemini")
    if switches.service == "chatgpt":
        rival = names_of("claude")
    first_place = datetime.fromisoformat("2026-02-28T18:00:00Z")
    climb = datetime.fromisoformat("2026-02-27T00:00:00Z")
    lines = ["observed_utc,store,country,chart,rank,app"]
    moment = START
    while moment < END:
        share = min(1.0, max(0.0, (moment - climb) / (first_place - climb)))
        rank = 1 if share >= 1 else max(2, round(42 * (1 - share) ** 1.5 + float(rng.normal(0, 1.5 * (1 - share)))))
        taken = sorted({rank, 1 if rank > 1 else 2})
        other = next(place for place in taken if place != rank)
        for app, place in ((main.app, rank), (rival.app, other), (third.app, 4 if rank != 4 else 5)):
            lines.append(f"{_stamp(moment)},apple,us,top-free,{place},{app}")
        moment += timedelta(hours=6)
    (folder / "charts.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
