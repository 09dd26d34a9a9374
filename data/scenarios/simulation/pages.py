"""Status pages and news feeds of a day."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from email.utils import format_datetime
from pathlib import Path
from xml.sax.saxutils import escape

from simulation.day import Day


def write_status(folder: Path, day: Day) -> None:
    """Write status/<service>.json in the shape of /api/v2/incidents.json, for each page that notices.csv knows."""
    pages: dict[str, dict[str, list[dict[str, str]]]] = {}
    for row in day.notices:
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


def write_maintenance(folder: Path, day: Day) -> None:
    """Write status/maintenance.ndjson: what maintenance.csv plans, each with the time of its announcement."""
    lines = []
    for row in day.maintenance:
        head = next(s for s in day.services if s["id"] == row["service"])
        planned = {
            "page": head["page"].split("://")[-1].removeprefix("www.").strip("/"),
            "incident_id": row["incident"],
            "name": row["name"],
            "status": "scheduled",
            "impact": "maintenance",
            "url": "",
            "collected": row["announced"],
            "scheduled_for": row["from"],
            "scheduled_until": row["until"],
            "components": [],
        }
        lines.append(json.dumps(planned, ensure_ascii=False) + "\n")
    if lines:
        (folder / "status").mkdir(exist_ok=True)
        (folder / "status" / "maintenance.ndjson").write_text("".join(lines), encoding="utf-8")


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
    for row in day.news:
        feeds.setdefault(row["feed"], []).append(row)
    for feed, rows in sorted(feeds.items()):
        items = "\n".join(
            f"<item><title>{escape(row['title'])}</title><description>{escape(row['summary'])}</description>"
            f'<guid isPermaLink="false">{row["guid"]}</guid>'
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
