"""What a status page's HTML tells of where its machine-readable forms are: links to feeds. Pure."""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

FEED_TYPES = ("application/atom+xml", "application/rss+xml", "application/feed+json")
MOST_LINKS = 8


class _Links(HTMLParser):
    """Collects the addresses of `<link rel="alternate">` with a feed's type, and of anchors that end as feeds do."""

    def __init__(self, base: str) -> None:
        super().__init__(convert_charrefs=True)
        self.base, self.found = base, list[str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("link", "a") or len(self.found) >= MOST_LINKS:
            return
        values = {name: value or "" for name, value in attrs}
        address = values.get("href", "").strip()
        feed = tag == "link" and values.get("type", "").lower() in FEED_TYPES
        named = tag == "a" and address.partition("?")[0].lower().endswith((".atom", ".rss", "/rss", "/feed", "/atom"))
        if address and (feed or named):
            try:
                whole = urljoin(self.base, address)
                usable = urlsplit(whole).scheme in ("http", "https")
            except ValueError:
                return
            if usable and whole not in self.found:
                self.found.append(whole)


def feed_links(body: bytes, base: str) -> list[str]:
    """Return the absolute addresses of the feeds that a web page links to, in their order, eight at most."""
    links = _Links(base)
    links.feed(body[:500_000].decode("utf-8", "replace"))
    return links.found
