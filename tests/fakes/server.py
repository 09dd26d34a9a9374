"""Local stand-ins for every live upstream, speaking their wire formats over real HTTP on loopback.

`python -m tests.fakes.server --port 8099` runs it by hand. `faults` maps a path prefix to (status, headers, body) or
to a function that writes the answer itself; `requests` records what clients sent.
"""

from __future__ import annotations

import argparse
import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

Fault = tuple[int, dict[str, str], bytes] | Callable[[BaseHTTPRequestHandler], None]


class Upstreams(ThreadingHTTPServer):
    """All upstreams on one port: /status/<service>/api/v2/incidents.json, /feed.xml, /api/v1/…, /r/…"""

    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.faults: dict[str, Fault] = {}
        self.incidents: list[dict[str, Any]] = []
        self.feed = b'<rss version="2.0"><channel><title>Empty</title></channel></rss>'
        self.hits: list[dict[str, Any]] = []
        self.reports_1h = 3
        self.posts: list[dict[str, Any]] = []
        self.comments: list[dict[str, Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def start(self) -> Upstreams:
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self


class _Handler(BaseHTTPRequestHandler):
    server: Upstreams
    protocol_version = "HTTP/1.1"

    def log_message(self, *args: object) -> None:
        """Say nothing."""

    def answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {
            "Content-Length": str(len(body)),
            **{k.replace("_", "-"): v for k, v in headers.items()},
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def json(self, value: Any, **headers: str) -> None:
        body = json.dumps(value).encode()
        tag = f'"{hash(body) & 0xFFFFFFFF:x}"'
        if self.headers.get("If-None-Match") == tag:
            self.answer(304, b"", ETag=tag)
        else:
            self.answer(200, body, Content_Type="application/json", ETag=tag, **headers)

    def do_POST(self) -> None:
        self.server.requests.append((self.path, dict(self.headers.items())))
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/api/v1/access_token" and self.headers.get("Authorization", "").startswith("Basic "):
            self.json({"access_token": "tok", "token_type": "bearer", "expires_in": 86400, "scope": "*"})
        else:
            self.answer(401, b"{}")

    def do_GET(self) -> None:
        self.server.requests.append((self.path, dict(self.headers.items())))
        for prefix, fault in self.server.faults.items():
            if self.path.startswith(prefix):
                if callable(fault):
                    fault(self)
                else:
                    self.answer(fault[0], fault[2], **fault[1])
                return
        parts = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        if parts.path.endswith("/api/v2/incidents.json"):
            self.json(
                {
                    "page": {"id": "x", "name": "Svc", "url": "https://status.claude.com"},
                    "incidents": self.server.incidents[:50],
                }
            )
        elif parts.path == "/feed.xml":
            self.answer(200, self.server.feed, Content_Type="application/rss+xml")
        elif parts.path == "/api/v1/search_by_date":
            low, high = (int(part.split("=")[-1].split("<")[-1]) for part in query["numericFilters"].split(","))
            name = query["query"].strip('"').lower()
            hits = [h for h in self.server.hits if low <= h["created_at_i"] < high and name in json.dumps(h).lower()]
            hits = sorted(hits, key=lambda h: -h["created_at_i"])[: min(1000, int(query["hitsPerPage"]))]
            self.json({"hits": hits, "nbHits": len(hits), "page": 0})
        elif parts.path.startswith("/api/v1/status/"):
            self.json(
                {
                    "ok": True,
                    "data": {
                        "slug": parts.path.split("/")[-1],
                        "report_count_1h": self.server.reports_1h,
                        "status": "operational",
                    },
                }
            )
        elif parts.path.startswith("/r/"):
            self.reddit(parts.path, query)
        else:
            self.answer(404, b"not here")

    def reddit(self, path: str, query: dict[str, str]) -> None:
        """A listing: a page of at most 100, a listing of at most 1,000, newest first."""
        if self.headers.get("Authorization") != "bearer tok":
            self.answer(401, b"{}", WWW_Authenticate='Bearer realm="reddit", error="invalid_token"')
            return
        kind, items = ("t1", self.server.comments) if "/comments" in path else ("t3", self.server.posts)
        items = sorted(items, key=lambda item: -item["created_utc"])[:1000]
        ids = [item["name"] for item in items]
        begin = ids.index(query["after"]) + 1 if query.get("after") in ids else 0
        page = items[begin : begin + min(100, int(query.get("limit", 25)))]
        more = page[-1]["name"] if page and begin + len(page) < len(items) else None
        self.json({"kind": "Listing", "data": {"after": more, "before": None, "children": [{"kind": kind, "data": i} for i in page]}},
                  x_ratelimit_remaining="995.0", x_ratelimit_used="5", x_ratelimit_reset="300")  # fmt: skip


def post(number: int, created: float, title: str, text: str = "", author: str = "someone") -> dict[str, Any]:
    """Return a submission as Reddit gives it."""
    return {"id": f"p{number}", "name": f"t3_p{number}", "title": title, "selftext": text, "author": author, "subreddit": "ClaudeAI",
            "created_utc": float(created), "edited": False, "permalink": f"/r/ClaudeAI/comments/p{number}/x/", "removed_by_category": None}  # fmt: skip


def hit(number: int, created: int, title: str) -> dict[str, Any]:
    """Return a story as Algolia gives it."""
    return {
        "objectID": str(number),
        "title": title,
        "url": None,
        "author": "a",
        "points": 1,
        "created_at_i": created,
        "story_text": None,
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8099)
    upstreams = Upstreams(parser.parse_args().port)
    print(f"serving on {upstreams.url}; stop with Ctrl-C")
    upstreams.serve_forever()
