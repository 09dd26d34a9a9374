"""A recorded day as the stand-ins serve it: each post, feed, page, count and rank from when it was public."""

from __future__ import annotations

import csv
import io
import json
import xml.etree.ElementTree as ET
from bisect import bisect_right
from collections import defaultdict
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import zstandard

from pipeline.core.times import floor_to, utc
from pipeline.replay.scenario import Scenario, read_scenario


class Recording:
    """A scenario folder, read once; every method tells what was public at a moment."""

    def __init__(self, folder: Path | None = None) -> None:
        """Without a folder nothing is recorded, and tests fill in what they need."""
        self.scenario: Scenario | None = read_scenario(folder) if folder else None
        self.start = self.scenario.start if self.scenario else utc("2026-03-02T12:00:00Z")
        self.folder = folder
        self.posts_made: list[dict[str, Any]] = []
        self.feeds_made: dict[str, bytes] = {}
        self.pages_made: dict[str, dict[str, Any]] = {}
        self._cut: dict[tuple[str, datetime], bytes] = {}
        self.rolling: dict[str, list[datetime]] = defaultdict(list)

    def delay(self, kind: str) -> timedelta:
        return self.scenario.delays[kind] if self.scenario else timedelta(0)

    @cached_property
    def _posts(self) -> list[dict[str, Any]]:
        found = list(self.posts_made)
        for path in sorted(self.folder.glob("posts*.ndjson*")) if self.folder else []:
            body = path.read_bytes()
            if path.suffix == ".zst":
                body = zstandard.ZstdDecompressor(max_window_size=2**31).stream_reader(io.BytesIO(body)).read()
            found += [json.loads(line) for line in body.splitlines() if line.strip()]
        return sorted(found, key=lambda post: (float(post["created_utc"]), str(post.get("id"))))

    @cached_property
    def _posted(self) -> list[float]:
        return [float(post["created_utc"]) for post in self._posts]

    def posts(self, now: datetime) -> list[dict[str, Any]]:
        """Return raw submissions and comments, newest first."""
        end = bisect_right(self._posted, (now - self.delay("posts")).timestamp())
        return self._posts[:end][::-1]

    def feeds(self) -> list[str]:
        """Return the names of the recorded feeds."""
        recorded = [path.stem for path in (self.folder / "news").glob("*.xml")] if self.folder else []
        return sorted([*self.feeds_made, *recorded])

    def feed(self, name: str, now: datetime) -> bytes | None:
        """Return a feed as served, without the items that were not out yet."""
        if name in self.feeds_made:
            return self.feeds_made[name]
        if (name, now) in self._cut:
            return self._cut[name, now]
        path = self.folder / "news" / f"{name}.xml" if self.folder else None
        if path is None or not path.exists():
            return None
        root = ET.parse(path).getroot()
        latest = now - self.delay("feeds")
        for parent in list(root.iter()):
            for item in list(parent):
                if item.tag.endswith(("item", "entry")) and _published(item) > latest:
                    parent.remove(item)
        self._cut = {
            **(self._cut if len(self._cut) < 100 else {}),
            (name, now): ET.tostring(root, "utf-8", xml_declaration=True),
        }
        return self._cut[name, now]

    @cached_property
    def _pages(self) -> dict[str, dict[str, Any]]:
        found = dict(self.pages_made)
        for path in sorted((self.folder / "status").glob("*.json")) if self.folder else []:
            found[path.stem] = json.loads(path.read_text(encoding="utf-8"))
        return found

    def page(self, name: str, now: datetime) -> dict[str, Any] | None:
        """Return a status page's incidents.json: the latest fifty, with the updates shown so far."""
        if name not in self._pages:
            return None
        latest = now - self.delay("status")
        incidents = []
        for incident in self._pages[name]["incidents"]:
            shown = [
                u
                for u in incident["incident_updates"]
                if max(utc(u["created_at"]), utc(u.get("display_at") or u["created_at"])) <= latest
            ]
            if shown:
                newest = max(shown, key=lambda u: utc(u["created_at"]))
                incidents.append(
                    {
                        **incident,
                        "incident_updates": shown,
                        "status": newest["status"],
                        "updated_at": newest["created_at"],
                    }
                )
        incidents.sort(key=lambda i: utc(i["incident_updates"][-1]["created_at"]), reverse=True)
        return {"page": self._pages[name]["page"], "incidents": incidents[:50]}

    @cached_property
    def _counts(self) -> dict[tuple[str, str], dict[datetime, dict[str, int]]]:
        found: dict[tuple[str, str], dict[datetime, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
        for path in sorted(self.folder.glob("complaints*.csv")) if self.folder else []:
            with path.open(encoding="utf-8", newline="") as file:
                for row in csv.DictReader(file):
                    found[row["service"], row["region"]][utc(row["start_utc"])][row["indicator"]] = int(row["total"])
        return found

    def counts(
        self, service: str, region: str, now: datetime, width: int = 900
    ) -> list[tuple[datetime, dict[str, int]]]:
        """Return (start, reports by indicator) of the intervals of a day that are over, oldest first."""
        latest = now - self.delay("complaints") - timedelta(seconds=width)
        series = self._counts.get((service, region), {})
        starts = [now - timedelta(days=1) + timedelta(seconds=width * n) for n in range(86400 // width + 1)]
        known = (floor_to(start, width) for start in starts)
        return [
            (start, series[start]) for start in known if start in series and now - timedelta(days=1) <= start <= latest
        ]

    @cached_property
    def _ranks(self) -> dict[tuple[str, str], dict[datetime, list[tuple[int, str]]]]:
        found: dict[tuple[str, str], dict[datetime, list[tuple[int, str]]]] = defaultdict(lambda: defaultdict(list))
        for path in sorted(self.folder.glob("charts*.csv")) if self.folder else []:
            with path.open(encoding="utf-8", newline="") as file:
                for row in csv.DictReader(file):
                    found[row["country"], row["chart"]][utc(row["observed_utc"])].append((int(row["rank"]), row["app"]))
        return found

    def chart(self, country: str, chart: str, now: datetime) -> tuple[datetime, list[tuple[int, str]]]:
        """Return (updated, [(rank, app)]) of the newest chart."""
        charts = self._ranks.get((country, chart), {})
        shown = [at for at in charts if at <= now - self.delay("charts")]
        return (max(shown), sorted(charts[max(shown)])) if shown else (now, [])

    def reports_1h(self, service: str, now: datetime) -> int:
        """Return how many reports came in the last hour: of the made ones, else of whole intervals."""
        if self.rolling:
            return sum(now - timedelta(hours=1) < at <= now for at in self.rolling[service])
        recent = [
            c.get("", 0) for start, c in self.counts(service, "", now) if start >= now - timedelta(hours=1, minutes=15)
        ]
        return sum(recent[-4:])


def _published(item: ET.Element) -> datetime:
    for child in item:
        if child.text and child.tag.endswith(("pubDate", "published", "updated", "date")):
            try:
                return utc(child.text)
            except ValueError:
                return parsedate_to_datetime(child.text)
    raise ValueError("an item of a recorded feed has no date")
