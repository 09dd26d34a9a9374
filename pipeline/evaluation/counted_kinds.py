"""How often a post is counted for exactly the services that it says fail, by kind of post.

The posts are rows of ours that no model is trained on: those of data/labels/counted.csv are what rules were mended on,
those of counted-unseen.csv are not. Kinds: one of two services fails, a list of them, the author moved elsewhere
meanwhile, the provider denies it, it fails in part or once more; share prices, people and ordinary words of its name.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from pipeline.core.errors import StoreError
from pipeline.evaluation.end_to_end import JudgedPost, count_posts
from pipeline.text.models.outage import OutageModel
from pipeline.text.services import ServiceMatcher


class KindRow(NamedTuple):
    """A post, and the ids of all services that it reports to fail."""

    language: str
    kind: str
    counted: frozenset[str]
    text: str


class KindResult(NamedTuple):
    """A row, and the services that it was counted for."""

    row: KindRow
    counted: frozenset[str]


def read_kind_rows(path: Path, matcher: ServiceMatcher) -> list[KindRow]:
    """Read the rows lang,kind,counted,text, ids parted by blanks.

    Raises StoreError with file and line of a row without a text, or with a service that the catalogue lacks.
    """
    rows = []
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        for row in reader:
            counted = frozenset((row.get("counted") or "").split())
            if not row.get("text") or not row.get("kind") or not counted <= matcher.catalogue.keys():
                raise StoreError(f"{path}:{reader.line_num}: needs a text, a kind, and ids of the catalogue")
            rows.append(KindRow(row["lang"], row["kind"], counted, row["text"]))
    return rows


def count_rows(rows: Sequence[KindRow], matcher: ServiceMatcher, model: OutageModel) -> list[KindResult]:
    """Return what each row was counted for, read from the bare text."""
    posts = [JudgedPost(row.text, "", bool(row.counted), row.language, row.kind) for row in rows]
    read = count_posts(posts, matcher, model)
    return [KindResult(row, each.counted) for row, each in zip(rows, read, strict=True)]


def report(title: str, rows: Sequence[KindRow], matcher: ServiceMatcher, model: OutageModel) -> Iterator[str]:
    """Yield for each kind how many posts are counted for exactly the services that fail, and the share of all."""
    results = count_rows(rows, matcher, model)
    yield f"{title:<44} {'right':>10} {'languages':>10}"
    for kind in dict.fromkeys(row.kind for row in rows):
        of_kind = [result for result in results if result.row.kind == kind]
        languages = len({result.row.language for result in of_kind})
        right = sum(result.counted == result.row.counted for result in of_kind)
        yield f"  {kind.replace('_', ' '):<42} {f'{right} of {len(of_kind)}':>10} {languages:>10}"
    share = sum(result.counted == result.row.counted for result in results) / max(1, len(results))
    yield f"  {'share of all':<42} {share:>10.3f}"
