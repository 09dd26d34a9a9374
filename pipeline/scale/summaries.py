"""What tasks return: of a part that was read, of all parts together, of a bucket that was judged.

What is done is kept as JSON below `_done`, so that no task is done twice.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter

from pipeline.core.files import write_atomically
from pipeline.core.records import RejectedRow

MOST_NAMED = 20  # refused rows of a part that are named; the rest are counted

Reach = dict[str, tuple[str, str]]  # by source the first and the last moment its rows are of, as ISO text


@dataclass(frozen=True, slots=True, kw_only=True)
class PartSummary:
    """What a part held.

    refused: how many rows were refused. repeated: how many had the id of another one near by. refusals: of the first
    refused a line each, where it lies and why. error: why the part could not be read; empty when it was. done_before:
    an earlier run read it.
    """

    key: str
    name: str = ""
    rows: int = 0
    refused: int = 0
    repeated: int = 0
    refusals: tuple[str, ...] = ()
    reach: Reach = field(default_factory=dict)
    error: str = ""
    done_before: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketSummary:
    """How many rows of each table a bucket came to; fields otherwise as of PartSummary."""

    rows: dict[str, int] = field(default_factory=dict)
    error: str = ""
    done_before: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstPass:
    """What the second pass knows of the first: keys of the parts in order, the reach of each source, what failed."""

    keys: tuple[str, ...]
    reach: Reach
    errors: tuple[str, ...]


Summary = TypeVar("Summary", PartSummary, BucketSummary)


def refusals(rejected: Iterable[RejectedRow], most: int) -> tuple[str, ...]:
    """Return a line for each of the first `most` refused rows; what they held is not kept: it may name an author."""
    return tuple(f"{row.where}: {row.reason}" for row in islice(rejected, most))


def gather(summaries: Sequence[PartSummary]) -> FirstPass:
    """Return the first pass as a whole."""
    return FirstPass(
        keys=tuple(one.key for one in summaries),
        reach=_joined(one.reach for one in summaries),
        errors=tuple(one.error for one in summaries if one.error),
    )


def _joined(reaches: Iterable[Reach]) -> Reach:
    joined: Reach = {}
    for reach in reaches:
        for source, (first, last) in reach.items():
            known = joined.get(source, (first, last))
            joined[source] = (min(known[0], first), max(known[1], last))
    return joined


def read_done(root: Path, name: str, kind: type[Summary]) -> Summary | None:
    """Return what a task returned that is done; None where it is not."""
    path = root / "_done" / f"{name}.json"
    if not path.exists():
        return None
    return replace(TypeAdapter(kind).validate_json(path.read_bytes()), done_before=True)


def mark_done(root: Path, name: str, summary: Summary) -> Summary:
    """Note that a task is done, whole or not at all; return what it returned."""
    write_atomically(root / "_done" / f"{name}.json", json.dumps(asdict(summary), sort_keys=True), shared=True)
    return summary
