"""Which posts count as one person's report: distinct authors, and a text that was copied counts once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pipeline.text.normal import skeleton

WINDOW = timedelta(hours=6)
OUTAGE = 0.5


def shape_of(text: str) -> str:
    """Return a digest shared by texts that differ only in case, punctuation, spacing or links; empty for none."""
    bare = skeleton(text)
    return hashlib.sha256(bare.encode("utf-8", "replace")).hexdigest()[:16] if bare else ""


@dataclass
class Ballot:
    """Remembers who spoke and what was said of each service in the last hours."""

    authors: dict[tuple[str, str], datetime] = field(default_factory=dict)
    texts: dict[tuple[str, str], datetime] = field(default_factory=dict)

    def recall(self, earlier: Iterable[tuple[str, str, str, datetime]]) -> None:
        """Take in votes counted before: (service, author, shape, created)."""
        for service, author, shape, created in earlier:
            self._keep(service, author, shape, created)

    def _keep(self, service: str, author: str, shape: str, created: datetime) -> None:
        if author:
            self.authors[service, author] = max(created, self.authors.get((service, author), created))
        if shape:
            self.texts[service, shape] = max(created, self.texts.get((service, shape), created))

    def judge(self, service: str, author: str, shape: str, created: datetime, p_outage: float) -> tuple[float, str]:
        """Return the weight of a report (1 or 0) and why. Call in order of creation."""
        if p_outage < OUTAGE:
            return 0.0, "not about an outage"
        if not author:
            return 0.0, "no author"
        spoke = self.authors.get((service, author))
        if spoke is not None and abs(created - spoke) < WINDOW:
            return 0.0, "the same author within six hours"
        said = self.texts.get((service, shape))
        if shape and said is not None and abs(created - said) < WINDOW:
            return 0.0, "the same text within six hours"
        self._keep(service, author, shape, created)
        return 1.0, "counted"
