"""Incidents as Atom (RFC 4287) and as JSON Feed 1.1, of all services or of one: an entry an incident."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

from msgspec import Struct

from pipeline.core.times import iso
from pipeline.render.formatting import header_safe

ATOM = "http://www.w3.org/2005/Atom"
JSON_FEED = "https://jsonfeed.org/version/1.1"
MOST = 50
NEVER = datetime(2000, 1, 1, tzinfo=UTC)  # when a feed without entries was updated
SCHEMA = 1  # of what the JSON Feed adds under `_groundswell`: dashboards/schemas/feed-1.json


class FeedEntry(Struct, frozen=True, kw_only=True):
    """An incident in a feed. `file` is its page, `url` the page's address, empty where the report is not served."""

    id: str
    service: str
    title: str
    summary: str
    published: datetime
    updated: datetime
    file: str
    url: str
    state: str
    impact: str
    active: bool


class Feed(Struct, frozen=True, kw_only=True):
    """A feed: its id (a URN), its title, its own file and the page it is about, and where both are served."""

    id: str
    title: str
    file: str
    page: str
    public_url: str
    entries: Sequence[FeedEntry]

    def address(self, file: str) -> str:
        """Return the address of a file of the report, relative where it is not served anywhere."""
        return f"{self.public_url}/{file}" if self.public_url else file


def atom(feed: Feed) -> str:
    """Return the feed as Atom."""
    entries = feed.entries[:MOST]
    root = ET.Element("feed", {"xmlns": ATOM})
    _text(root, "title", header_safe(feed.title))
    _text(root, "id", feed.id)
    _text(root, "updated", iso(max((e.updated for e in entries), default=NEVER)))
    ET.SubElement(root, "link", {"rel": "self", "href": feed.address(f"{feed.file}.xml")})
    ET.SubElement(root, "link", {"rel": "alternate", "type": "text/html", "href": feed.address(feed.page)})
    ET.SubElement(ET.SubElement(root, "author"), "name").text = "Groundswell"
    for e in entries:
        entry = ET.SubElement(root, "entry")
        _text(entry, "title", header_safe(e.title))
        _text(entry, "id", f"urn:groundswell:incident:{e.id}")
        _text(entry, "published", iso(e.published))
        _text(entry, "updated", iso(e.updated))
        ET.SubElement(entry, "category", {"term": e.service})
        ET.SubElement(entry, "link", {"rel": "alternate", "type": "text/html", "href": e.url or e.file})
        _text(entry, "summary", header_safe(e.summary, 2000))
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def json_feed(feed: Feed) -> str:
    """Return the feed as JSON Feed; what a program wants to know stands under `_groundswell`."""
    values = {
        "version": JSON_FEED,
        "title": header_safe(feed.title),
        "home_page_url": feed.address(feed.page),
        "feed_url": feed.address(f"{feed.file}.json"),
        "items": [
            {
                "id": f"urn:groundswell:incident:{e.id}",
                "url": e.url or e.file,
                "title": header_safe(e.title),
                "content_text": header_safe(e.summary, 2000),
                "date_published": iso(e.published),
                "date_modified": iso(e.updated),
                "tags": [e.service],
                "_groundswell": {
                    "schema": SCHEMA,
                    "incident": e.id,
                    "service": e.service,
                    "state": e.state,
                    "impact": e.impact,
                    "active": e.active,
                },
            }
            for e in feed.entries[:MOST]
        ],
    }
    return json.dumps(values, ensure_ascii=False, indent=1) + "\n"


def _text(parent: ET.Element, tag: str, text: str) -> None:
    ET.SubElement(parent, tag).text = text
