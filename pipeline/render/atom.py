"""Incidents as an Atom feed (RFC 4287), for readers that poll: one entry an incident, updated when it changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from xml.etree import ElementTree as ET

from pipeline.core.catalogue import Service, names
from pipeline.core.incidents import Incident
from pipeline.core.times import iso
from pipeline.render.formatting import header_safe

ATOM = "http://www.w3.org/2005/Atom"
MOST = 50


def atom(incidents: Sequence[Incident], catalogue: Mapping[str, Service], now: datetime, *, simulated: bool) -> str:
    """Return the feed of the newest incidents."""
    newest = sorted(incidents, key=lambda i: (i.onset, i.id), reverse=True)[:MOST]
    feed = ET.Element("feed", {"xmlns": ATOM})
    _text(feed, "title", "Groundswell: incidents" + (" (simulated)" if simulated else ""))
    _text(feed, "id", "urn:groundswell:incidents")
    _text(feed, "updated", iso(max((_updated(i) for i in newest), default=now)))
    ET.SubElement(ET.SubElement(feed, "author"), "name").text = "Groundswell"
    for i in newest:
        service = catalogue[i.service]
        entry = ET.SubElement(feed, "entry")
        parts = names(sorted({c.component for c in i.components if c.status == "affected"}), service)
        _text(
            entry,
            "title",
            header_safe(
                f"{service.name}: {i.state_in_words}, impact {i.impact}"
                + (f" ({', '.join(parts[:3])})" if parts else "")
            ),
        )
        _text(entry, "id", f"urn:groundswell:incident:{i.id}")
        _text(entry, "published", iso(i.onset))
        _text(entry, "updated", iso(_updated(i)))
        ET.SubElement(entry, "category", {"term": i.service})
        ET.SubElement(entry, "link", {"href": f"incident-{i.id}.html"})
        lines = [e.statement for e in i.evidence if e.kind in ("complaints", "votes", "official", "shared")][-6:]
        _text(entry, "summary", header_safe("; ".join(lines), 2000))
    ET.indent(feed)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(feed, encoding="unicode") + "\n"


def _updated(incident: Incident) -> datetime:
    """Return when something was last known to change: a phase, the end."""
    return max([incident.onset, *(p.since for p in incident.phases), *([incident.end] if incident.end else [])])


def _text(parent: ET.Element, tag: str, text: str) -> None:
    ET.SubElement(parent, tag).text = text
