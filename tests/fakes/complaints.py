"""The two that count complaints: Downdetector's Enterprise API with its token, and DownStatus with its rolling hour."""

from __future__ import annotations

import base64
from datetime import timedelta
from statistics import median
from typing import Any

from pipeline.core.times import floor_to, iso
from tests.fakes.base import Fake, Reply, Request, as_json
from tests.fakes.recording import Recording

KEY = ("dd-id", "dd-secret")


def _no(status: int, words: str) -> Reply:
    return as_json({"error": {"code": status, "message": words}}, status)


class Downdetector(Fake):
    """`/v2/…`; companies are the recorded services, known by their ids as slugs. `page` reports a page when set."""

    page = 0
    circles = False  # every page calls the second one its next

    def __init__(self, recording: Recording, *, port: int = 0, host: str = "127.0.0.1", latency: float = 0.0) -> None:
        super().__init__(recording, port=port, host=host, latency=latency)
        self.slugs: dict[str, str] = {}

    def reply(self, request: Request) -> Reply:
        path = request.path.removeprefix("/v2")
        if path == "/tokens" and request.method == "POST":
            wanted = "Basic " + base64.b64encode(":".join(KEY).encode()).decode()
            return (
                as_json({"access_token": "dd-token"})
                if request.headers.get("authorization") == wanted
                else _no(401, "bad client")
            )
        if request.headers.get("authorization") != "Bearer dd-token":
            return _no(401, "token missing or expired")
        parts = path.strip("/").split("/")
        if parts == ["ping"]:
            return as_json("pong")
        if parts == ["companies", "search"]:
            slug = request.one("slug")
            self.slugs[f"{sum(slug.encode())}"] = slug
            return as_json([{"id": f"{sum(slug.encode())}", "name": slug.title(), "slug": slug, "country_iso": "US"}])
        if parts[0] == "companies" and len(parts) == 2:
            usual = self._usual(parts[1])
            return as_json(
                {"id": parts[1], "status": "success", "baseline_current": 4, "baseline": usual, "stats_24": [4] * 96}
            )
        if parts[0] == "companies" and parts[2:] == ["status"]:
            return as_json("success")
        if parts[0] == "companies" and parts[2:] == ["last_15"]:
            return as_json(5)
        if parts[0] == "slugs" and parts[2:] == ["reports"]:
            if request.one("interval") not in ("15m", "1h", "1d"):
                return _no(400, "interval must be one of 15m, 1h, 1d")
            return self._reports(request, parts[1])
        return _no(404, "no such endpoint")

    def _usual(self, company: str) -> list[int]:
        """Return the usual reports of each quarter of an hour of the last day, oldest first, as recorded."""
        recorded: dict[int, list[int]] = {}
        for start, counts in self.recording.counts(self.slugs.get(company, ""), "", self.now):
            recorded.setdefault(int(start.timestamp()) % 86400 // 900, []).append(counts.get("", 0))
        first = int(floor_to(self.now, 900).timestamp()) // 900 - 95
        return [int(median(recorded.get((first + n) % 96, [4]))) for n in range(96)]

    def _reports(self, request: Request, slug: str) -> Reply:
        points: list[dict[str, Any]] = []
        for start, counts in self.recording.counts(slug, request.one("countries"), self.now):
            named = {name: total for name, total in counts.items() if name}
            total = counts.get("", sum(named.values()))
            points.append(
                {
                    "point_in_time": iso(start),
                    "total": total,
                    "indicators": named,
                    "other": max(0, total - sum(named.values())),
                }
            )
        current = floor_to(self.now, 900)
        # the interval that is not over: still growing
        points.append({"point_in_time": iso(current), "total": 1, "indicators": {}, "other": 1})
        if not self.page:
            return as_json(points)
        number = int(request.one("page", "1"))
        chunk = points[(number - 1) * self.page : number * self.page]
        more = {"X_Page_Next": str(number + 1)} if number * self.page < len(points) else {}
        if self.circles:
            more = {"X_Page_Next": "2"}
        return as_json(chunk, **more)


class DownStatus(Fake):
    """`/api/v1/status/{slug}`: reports of the last rolling hour and day, and a verdict."""

    def reply(self, request: Request) -> Reply:
        if request.path.startswith("/api/v1/services"):
            return as_json({"ok": True, "data": []})
        slug = request.path.removeprefix("/api/v1/status/")
        if "/" in slug or not slug:
            return as_json({"ok": False, "error": "not found"}, 404)
        hour = self.recording.reports_1h(slug, self.now)
        return as_json(
            {
                "ok": True,
                "data": {
                    "slug": slug,
                    "name": slug.title(),
                    "category": "ai",
                    "status": "degraded" if hour > 200 else "operational",
                    "official_indicator": None,
                    "report_count_1h": hour,
                    "report_count_24h": hour + 10,
                    "status_page_url": None,
                    "updated_at": iso(self.now - timedelta(seconds=20)),
                },
            }
        )
