"""The folder that a recording is written to."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from pipeline.core.times import iso


@dataclass
class RecordingFolder:
    """A folder that a recording is written to, and the rows that collected.csv and wordings.csv will hold."""

    path: Path
    collected: list[tuple[str, ...]] = field(default_factory=list)
    wordings: list[tuple[str, ...]] = field(default_factory=list)

    def note(
        self,
        file: str,
        key: str,
        at: datetime,
        *,
        source: str = "",
        window: str = "",
        other: Mapping[str, object] | None = None,
    ) -> None:
        """Note when a row of a file was collected, and what the file cannot say of it."""
        fields = json.dumps(other, ensure_ascii=False) if other else ""
        self.collected.append((file, key, iso(at), source, window, fields))

    def table(self, name: str, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Write a CSV file."""
        with (self.path / name).open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            # Python's writer leaves a lone carriage return without quotes, and its reader begins a row there
            quoting = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)
            writer.writerow(header)
            for row in rows:
                (quoting if any("\r" in str(cell) for cell in row) else writer).writerow(row)
