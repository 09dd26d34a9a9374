"""How often a post that says a service is back, works or fails in general is read as no report, by language and kind.

The posts are rows of ours that no model is trained on and no rule was mended on (data/labels/stances-unseen.csv).
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from pipeline.core.errors import StoreError
from pipeline.text.extract import REPORT, outage_probabilities
from pipeline.text.models.outage import OutageModel
from pipeline.text.normalize import normalize
from pipeline.text.services import ServiceMatcher

KINDS = ("recovery", "negation", "talk")


class NoReport(NamedTuple):
    """A post that is no report: a service that is back, one that works, or talk of outages."""

    language: str
    kind: str
    text: str


def read_no_reports(path: Path) -> list[NoReport]:
    """Read the rows lang,kind,text; raises StoreError with file and line of a row of another kind."""
    posts = []
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        for row in reader:
            if row.get("kind") not in KINDS or not row.get("text"):
                raise StoreError(f"{path}:{reader.line_num}: needs a text and a kind, one of {', '.join(KINDS)}")
            posts.append(NoReport(row["lang"], row["kind"], row["text"]))
    return posts


def _first_named(text: str, matcher: ServiceMatcher) -> str:
    """Return the service of the first name in a text, even where the name is an ordinary word without trouble near."""
    return next((match.service for match in matcher.name_matches(normalize(text))), "")


def report(posts: Sequence[NoReport], matcher: ServiceMatcher, model: OutageModel) -> Iterator[str]:
    """Yield how many posts of each language and kind are no reports of the service they name, and the share of each."""
    masked = [matcher.masked(post.text, _first_named(post.text, matcher)) for post in posts]
    right = [p < REPORT for p in outage_probabilities(masked, model)]
    yield f"{'our posts that are no reports, read as none':<44} " + " ".join(f"{kind:>10}" for kind in KINDS)
    for language in sorted({post.language for post in posts}):
        cells = [_right(posts, right, kind, language) for kind in KINDS]
        yield f"  {f'language {language}':<42} " + " ".join(f"{sum(c)} of {len(c)}".rjust(10) for c in cells)
    everywhere = [_right(posts, right, kind, "") for kind in KINDS]
    yield f"  {'share of all':<42} " + " ".join(f"{sum(c) / max(1, len(c)):>10.3f}" for c in everywhere)


def _right(posts: Sequence[NoReport], right: Sequence[bool], kind: str, language: str) -> list[bool]:
    """Return whether each post of a kind was read rightly, of one language or of all where that is empty."""
    pairs = zip(right, posts, strict=True)
    return [ok for ok, post in pairs if post.kind == kind and language in ("", post.language)]
