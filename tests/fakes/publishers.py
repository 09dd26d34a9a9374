"""News feeds, Google News' search and Apple's charts."""

from __future__ import annotations

import hashlib
import re
from email.utils import format_datetime
from xml.sax.saxutils import escape

from tests.fakes.base import Fake, Reply, Request, as_json

RSS = {"Content-Type": "application/rss+xml; charset=utf-8"}


class Feeds(Fake):
    """`/<name>.xml`: a recorded feed with what is out so far; unchanged answers 304."""

    conditional = True

    def reply(self, request: Request) -> Reply:
        body = self.recording.feed(request.path.strip("/").removesuffix(".xml"), self.now)
        return Reply(b"", 404) if body is None else Reply(body, headers=RSS)


class GoogleNews(Fake):
    """`/rss/search?q=…`: recorded titles that name what was searched, with opaque links that change every day."""

    def reply(self, request: Request) -> Reply:
        if request.path != "/rss/search":
            return Reply(b"", 404)
        names = [name.lower() for name in re.findall(r'"([^"]+)"', request.one("q"))]
        items = []
        for feed in self.recording.feeds():
            body = (self.recording.feed(feed, self.now) or b"").decode()
            for title, date in re.findall(r"<item>.*?<title>(.*?)</title>.*?<pubDate>(.*?)</pubDate>", body, re.DOTALL):
                if any(name in title.lower() for name in names):
                    opaque = hashlib.sha256(f"{title}{self.now.date()}".encode()).hexdigest()
                    items.append(
                        f"<item><title>{title} - {escape(feed)}</title><link>https://news.google.com/rss/articles/CBM{opaque}?oc=5</link>"
                        f"<guid isPermaLink='false'>CBM{opaque}</guid><pubDate>{date}</pubDate><source url='https://{feed}.example'>{escape(feed)}</source></item>"
                    )
        return Reply(
            (
                f"<rss version='2.0'><channel><title>search - Google News</title>{''.join(items[:100])}</channel></rss>"
            ).encode(),
            headers=RSS,
        )


class Charts(Fake):
    """The current chart feeds, and the legacy ones whose single entry is no list."""

    conditional = True

    def reply(self, request: Request) -> Reply:
        new = re.fullmatch(r"/api/v2/(\w\w)/apps/(top-free|top-paid)/(\d+)/apps\.json", request.path)
        old = re.fullmatch(r"/(\w\w)/rss/topfreeapplications/limit=(\d+)/genre=(\d+)/json", request.path)
        if new:
            updated, ranks = self.recording.chart(new[1], new[2], self.now)
            results = [
                {"artistName": "x", "id": str(rank), "name": app, "kind": "apps", "genres": []}
                for rank, app in _filled(ranks)
            ]
            return as_json(
                {
                    "feed": {
                        "title": "Top Free Apps",
                        "country": new[1],
                        "updated": format_datetime(updated),
                        "results": results,
                    }
                }
            )
        if old:
            updated, ranks = self.recording.chart(old[1], "top-free", self.now)
            entries = [
                {"im:name": {"label": app}, "id": {"label": "x", "attributes": {"im:id": str(rank)}}}
                for rank, app in ranks
            ]
            return as_json(
                {
                    "feed": {
                        "updated": {"label": updated.isoformat()},
                        "entry": entries[0] if len(entries) == 1 else entries,
                    }
                }
            )
        return Reply(b"", 404)


def _filled(ranks: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """Return a whole chart, with made names at the places nobody recorded."""
    known = dict(ranks)
    return [(rank, known.get(rank, f"App {rank}")) for rank in range(1, max([10, *known]) + 1)] if ranks else []
